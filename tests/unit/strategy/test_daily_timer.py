"""Daily timers on wall clocks, across changes of the clock."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.daily_timer import DailyTimer
from tests.support.instruments import a_perpetual
from tests.support.line_rig import T0, LineRig, S
from tests.support.recording import Recording


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * S


def days(wall: str, zone: str, start: str, count: int) -> list[str]:
    timer, at, found = DailyTimer.of(wall, zone, "x"), ns(start), []
    for _ in range(count):
        at = timer.next_after(at)
        found.append(datetime.fromtimestamp(at // S, UTC).strftime("%m-%d %H:%M"))
    return found


def test_it_comes_at_the_wall_clock_of_its_zone_before_and_after_a_change() -> None:
    assert days("15:50", "America/New_York", "2024-03-08T22:00+00:00", 3) == [
        "03-09 20:50",
        "03-10 19:50",
        "03-11 19:50",
    ]


def test_a_time_that_is_skipped_comes_later_and_one_that_is_repeated_comes_once() -> None:
    assert days("02:30", "America/New_York", "2024-03-09T12:00+00:00", 2) == ["03-10 07:30", "03-11 06:30"]
    assert days("01:30", "America/New_York", "2024-11-02T12:00+00:00", 2) == ["11-03 05:30", "11-04 06:30"]


def test_the_moment_itself_is_the_next_day() -> None:
    assert days("00:00", "UTC", "2024-01-01T00:00+00:00", 1) == ["01-02 00:00"]


@pytest.mark.parametrize("wall", ["24:00", "9:30", "15", "15:60", "15:50:10:9", "-1:00", "noon", ""])
def test_a_time_of_another_form_is_refused(wall: str) -> None:
    with pytest.raises(ConfigError, match="HH:MM"):
        DailyTimer.of(wall, "UTC", "x")


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc", "America"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(ConfigError, match="no IANA time zone"):
        DailyTimer.of("15:50", zone, "x")


class Daily(Recording):
    def on_start(self) -> None:
        """Ask for two times."""
        self.at("00:01")
        self.at("00:02:30", name="later")


def test_a_strategy_is_called_every_day_under_the_name_it_gave() -> None:
    rig = LineRig(a_perpetual())
    strategy = rig.start(Daily)
    rig.wait(2 * 86_400)
    timers = strategy.facts("on_timer")
    assert [(timer.name, timer.now_ns - T0) for timer in timers] == [
        ("00:01", 60 * S), ("later", 150 * S), ("00:01", 86_460 * S), ("later", 86_550 * S),
    ]  # fmt: skip
    assert all(right.due_ns >= left.due_ns for left, right in pairwise(timers))


def test_after_its_stop_no_timer_is_left() -> None:
    rig = LineRig(a_perpetual())
    rig.start(Daily)
    rig.stop()
    assert len(rig.dispatcher.timers) == 0


def test_a_clock_that_is_a_little_early_does_not_fire_twice() -> None:
    rig = LineRig(a_perpetual(), start_ns=T0 + 59 * S)
    strategy = rig.start(Daily)
    (timer_id, (daily, due_ns)), *_ = strategy._seat.timers._daily.items()
    rig.dispatcher.cancel_timer(timer_id)
    strategy._seat.timers._daily.clear()
    early_id = rig.dispatcher.set_timer("one", daily.name, S - 5_000_000)
    strategy._seat.timers._daily[early_id] = (daily, due_ns)
    rig.wait(30)
    assert [timer.name for timer in strategy.facts("on_timer")] == ["00:01"]
