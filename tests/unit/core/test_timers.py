"""Timers by deadline."""

import pytest

from foxtrot.core.timers import NEVER_NS, TimerQueue
from foxtrot.domain.errors import ConfigError


def fired(timers: TimerQueue, now_ns: int) -> list[tuple[str, int]]:
    found = []
    while (event := timers.pop_due(now_ns)) is not None:
        found.append((event.name, event.due_ns))
    return found


def test_timers_fire_by_deadline_and_equal_ones_in_the_order_they_were_set() -> None:
    timers = TimerQueue()
    for name, due_ns in (("c", 30), ("a", 10), ("b", 10)):
        timers.set("x", name, due_ns)
    assert timers.next_due_ns == 10
    assert fired(timers, 29) == [("a", 10), ("b", 10)]
    assert fired(timers, 30) == [("c", 30)]
    assert timers.next_due_ns == NEVER_NS


def test_a_repeating_timer_that_was_missed_fires_once_and_keeps_its_beat() -> None:
    timers = TimerQueue()
    timers.set("x", "beat", 10, 10)
    assert fired(timers, 10) == [("beat", 10)]
    assert fired(timers, 57) == [("beat", 20)]
    assert timers.next_due_ns == 60
    assert fired(timers, 60) == [("beat", 60)]


def test_a_cancelled_timer_does_not_fire_and_cancelling_again_is_harmless() -> None:
    timers = TimerQueue()
    timer_id = timers.set("x", "gone", 10)
    timers.set("y", "kept", 10)
    timers.set("x", "gone too", 10, 5)
    timers.cancel(timer_id)
    timers.cancel(timer_id)
    timers.cancel_owner("x")
    assert fired(timers, 100) == [("kept", 10)]


def test_cancelled_timers_do_not_pile_up() -> None:
    timers = TimerQueue()
    kept = timers.set("x", "kept", 5_000)
    for _ in range(1_000):
        timers.cancel(timers.set("x", "order deadline", 1_000))
    assert len(timers) == 1
    assert len(timers._heap) < 100
    assert timers.pop_due(5_000).timer_id == kept  # type: ignore[union-attr]


def test_a_negative_interval_is_refused() -> None:
    with pytest.raises(ConfigError, match="interval -1 ns is negative"):
        TimerQueue().set("x", "back", 10, -1)
