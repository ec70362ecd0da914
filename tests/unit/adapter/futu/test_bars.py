"""Futu's bars: which time they stand for, and that each is told once, at its close, in order."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from foxtrot.adapter.futu.bar_stream import SETTLED_NS, BarStream
from foxtrot.adapter.futu.codec import Kline
from foxtrot.adapter.futu.kline_types import KLINE_TYPES, bounds_of, kline_type
from foxtrot.core.clock import ManualClock
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.market import BarData
from tests.support.futu_market_rig import Up, hong_kong
from tests.support.recorder import Recorder

HK, NY = calendar_named("XHKG"), calendar_named("XNYS")
SECOND_NS, MINUTE_NS = 1_000_000_000, 60_000_000_000


def at(text: str) -> int:
    """A time of 10 March 2026, a Tuesday, in Hong Kong."""
    return hong_kong(f"2026-03-10 {text}")


def texts(bounds: tuple[int, int], zone: str = "Asia/Hong_Kong") -> tuple[str, ...]:
    return tuple(datetime.fromtimestamp(ns / 1e9, ZoneInfo(zone)).strftime("%d %H:%M") for ns in bounds)


def kline(stamp: str, volume: float = 100.0, *, blank: bool = False) -> Kline:
    return Kline(at(stamp), blank, 1.0, 1.0, 1.0, 1.0, volume, volume)


class Told:
    """A stream of 1-minute bars that begins in the middle of a minute."""

    def __init__(self, begins: str = "10:00:20", interval: str = "1m") -> None:
        self.heard = Recorder()
        self.bars = BarStream("00700.SEHK", kline_type(interval), HK, Up(self.heard, ManualClock(1)))
        self.bars.texts.append(interval)
        self.bars.begin(at(begins))

    def volumes(self) -> list[float]:
        return [bar.volume for bar in self.heard.of(BarData)]

    def closes(self) -> list[str]:
        return [texts((bar.open_time_ns, bar.close_time_ns))[1] for bar in self.heard.of(BarData)]


@pytest.mark.parametrize(
    ("interval", "stamp", "bounds"),
    [
        ("1m", "09:31:00", ("10 09:30", "10 09:31")),
        ("1m", "12:00:00", ("10 11:59", "10 12:00")),
        ("1m", "13:01:00", ("10 13:00", "10 13:01")),
        ("5m", "16:00:00", ("10 15:55", "10 16:00")),
        ("1h", "10:30:00", ("10 09:30", "10 10:30")),
        ("1h", "12:00:00", ("10 11:30", "10 12:00")),
        ("1h", "14:00:00", ("10 13:00", "10 14:00")),
        ("1m", "16:09:00", ("10 16:08", "10 16:09")),
        ("1m", "12:31:00", ("10 12:30", "10 12:31")),
        ("1d", "00:00:00", ("10 09:30", "10 16:00")),
    ],
)
def test_a_stamp_is_the_end_of_a_bar_that_the_session_cuts(interval: str, stamp: str, bounds: tuple[str, str]) -> None:
    assert texts(bounds_of(at(stamp), kline_type(interval), HK)) == bounds


def test_a_week_ends_with_its_last_session() -> None:
    monday = hong_kong("2026-03-09 00:00:00")
    assert texts(bounds_of(monday, kline_type("1w"), HK)) == ("09 09:30", "13 16:00")


def test_a_minute_of_new_york_before_the_opening_has_its_plain_length() -> None:
    stamp_ns = int(datetime(2026, 3, 9, 8, 15, tzinfo=NY.zone).timestamp()) * SECOND_NS
    assert texts(bounds_of(stamp_ns, kline_type("1m"), NY), "America/New_York") == ("09 08:14", "09 08:15")


def test_a_market_that_never_closes_has_days_of_its_own_zone() -> None:
    always = calendar_named("24x7")
    assert texts(bounds_of(at("00:00:00"), kline_type("1d"), always)) == ("10 00:00", "11 00:00")
    assert texts(bounds_of(at("12:31:00"), kline_type("1m"), always)) == ("10 12:30", "10 12:31")


def test_intervals_are_found_in_any_unit() -> None:
    assert [kline_type(text).name for text in ("60s", "60m", "1h", "24h", "7d", "1w")[:4]] == [
        "K_1M",
        "K_60M",
        "K_60M",
        "K_DAY",
    ]
    assert len({row.number for row in KLINE_TYPES}) == len(KLINE_TYPES)


@pytest.mark.parametrize("text", ["7m", "100t", "90s"])
def test_an_interval_that_futu_has_not_is_refused_with_those_it_has(text: str) -> None:
    with pytest.raises(ConfigError, match=f"no bars of {text}; it has 1m, 3m"):
        kline_type(text)


def test_no_bar_is_told_while_it_forms() -> None:
    told = Told()
    assert not told.bars.take(kline("10:01:00"))
    assert not told.bars.take(kline("10:01:00", 200.0))
    told.bars.fill([kline("10:00:00"), kline("10:01:00", 200.0)], at("10:00:59"))
    assert told.volumes() == []


def test_a_later_bar_shows_that_the_one_before_has_closed() -> None:
    told = Told()
    told.bars.take(kline("10:01:00"))
    assert told.bars.take(kline("10:02:00"))
    told.bars.fill([kline("10:00:00"), kline("10:01:00", 300.0), kline("10:02:00")], at("10:00:59"))
    assert (told.volumes(), told.closes()) == ([300.0], ["10 10:01"]), "by the venue's clock, though ours is behind"


def test_a_bar_is_due_a_moment_after_its_close_by_the_clock() -> None:
    told = Told()
    assert not told.bars.is_due(at("10:01:00"))
    assert told.bars.is_due(at("10:01:00") + SETTLED_NS)
    told.bars.fill([kline("10:01:00", 300.0)], at("10:01:00") + SETTLED_NS)
    assert told.volumes() == [300.0]
    assert not told.bars.is_due(at("10:01:30"))


def test_nothing_is_due_over_lunch_and_the_weekend() -> None:
    told = Told("11:59:30")
    told.bars.fill([kline("12:00:00")], at("12:00:01"))
    assert not told.bars.is_due(at("12:59:59"))
    assert not told.bars.is_due(at("13:00:30"))
    assert told.bars.is_due(at("13:01:01"))
    friday = Told()
    friday.bars.told_ns = hong_kong("2026-03-13 16:00:00")
    friday.bars.begin(0)
    assert not friday.bars.is_due(hong_kong("2026-03-15 12:00:00"))
    assert friday.bars.is_due(hong_kong("2026-03-16 09:31:01"))


def test_a_bar_outside_the_session_is_due_when_it_was_pushed() -> None:
    told = Told("12:30:20")
    assert not told.bars.is_due(at("12:31:01"))
    told.bars.take(kline("12:31:00"))
    assert told.bars.is_due(at("12:31:01"))


def test_a_minute_without_trades_is_asked_for_a_few_times_and_then_let_go() -> None:
    told = Told()
    now_ns, asked = at("10:01:00") + SETTLED_NS, 0
    while now_ns < at("10:02:00"):
        if told.bars.is_due(now_ns):
            asked += 1
            told.bars.fill([], now_ns)
        now_ns += SECOND_NS // 10
    assert asked == 3
    assert told.bars.is_due(at("10:02:00") + SETTLED_NS), "the next one is due in its time"
    told.bars.fill([kline("10:01:00", 1.0), kline("10:02:00", 2.0)], at("10:02:01"))
    assert told.volumes() == [1.0, 2.0], "one that comes late is told before the later one"


def test_bars_are_told_once_and_in_order_in_every_text() -> None:
    told = Told()
    told.bars.texts.append("60s")
    found = [kline("10:01:00", 1.0), kline("10:02:00", 2.0), kline("10:03:00", 3.0)]
    told.bars.fill(found, at("10:02:30"))
    told.bars.fill(found, at("10:03:30"))
    assert [(bar.interval, bar.volume) for bar in told.heard.of(BarData)] == [
        ("1m", 1.0), ("60s", 1.0), ("1m", 2.0), ("60s", 2.0), ("1m", 3.0), ("60s", 3.0)
    ]  # fmt: skip


def test_bars_of_a_lost_link_are_told_late_and_marked() -> None:
    told = Told()
    told.bars.fill([kline("10:01:00", 1.0)], at("10:01:01"))
    told.bars.begin(at("10:05:02"))
    assert told.bars.number_missing(at("10:05:02")) == 6
    told.bars.fill([kline(f"10:0{minute}:00", float(minute)) for minute in range(7)], at("10:05:02"))
    assert told.volumes() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0][:5]
    assert [bar.backfilled for bar in told.heard.of(BarData)] == [False, True, True, True, False]


def test_a_blank_kline_is_no_bar() -> None:
    told = Told()
    told.bars.fill([kline("10:01:00", blank=True), kline("10:02:00", 2.0)], at("10:02:01"))
    assert told.closes() == ["10 10:02"]
