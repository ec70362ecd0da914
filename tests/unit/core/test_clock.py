"""Clocks."""

import pytest

from foxtrot.core.clock import ManualClock, SystemClock
from foxtrot.domain.errors import InvariantBroken


def test_a_manual_clock_stands_until_it_is_moved_and_never_goes_back() -> None:
    clock = ManualClock(100)
    clock.advance(5)
    assert (clock.now_ns(), clock.monotonic_ns()) == (105, 105)
    with pytest.raises(InvariantBroken, match="back from 105 to 104"):
        clock.move_to(104)


def test_a_manual_clock_tells_its_listeners_of_each_move() -> None:
    clock = ManualClock()
    seen: list[int] = []
    clock.on_move(lambda: seen.append(clock.now_ns()))
    clock.move_to(3)
    clock.advance(4)
    assert seen == [3, 7]


def test_the_system_clock_goes_forward() -> None:
    clock = SystemClock()
    first = clock.monotonic_ns()
    assert clock.monotonic_ns() >= first
    assert clock.now_ns() > 1_700_000_000_000_000_000
