"""Live bars of 00700.SEHK: none spans a lunch, a night or a weekend, each last one closes with its session, losses ask for no break."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from foxtrot.api import BarData
from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.interval import Interval
from foxtrot.domain.sessions import calendar_hours, traded_time
from foxtrot.domain.subscription import HistoryRequest
from foxtrot.exchange.listings import listing
from foxtrot.strategy.bar_facts import BarSettings
from foxtrot.strategy.time_bars import TimeBars
from tests.support.line_rig import LineRig, S
from tests.support.recording import Recording

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
M = 60 * S


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=HONG_KONG).timestamp()) * S


def said(bar: BarData) -> tuple[str, str]:
    return tuple(  # type: ignore[return-value]
        datetime.fromtimestamp(ns // S, HONG_KONG).strftime("%d %H:%M") for ns in (bar.open_time_ns, bar.close_time_ns)
    )


class Desk:
    """A strategy on 00700.SEHK whose venue prints every ten minutes, at any hour."""

    def __init__(self, start: str, interval: str) -> None:
        self.rig = LineRig(listing("00700.SEHK"), start_ns=at(start))
        self.asked: list[HistoryRequest] = []
        self.rig.line.adapters["main"].query_history = self.asked.append  # type: ignore[method-assign]
        self.strategy = self.rig.start(Recording, interval=interval)

    def until(self, moment: str, every_s: float = 600.0) -> None:
        while self.rig.clock.now_ns() < at(moment):
            self.rig.trade(400.0, 100.0)
            self.rig.wait(every_s)

    def link(self, state: AdapterState) -> None:
        self.rig.put(AdapterStatus("main", "scripted", state, "", 0, 0.0, self.rig.clock.now_ns()))

    def bars(self) -> list[tuple[str, str]]:
        return [said(bar) for bar in self.strategy.facts("on_bar")]  # type: ignore[attr-defined]


def test_bars_of_a_friday_and_the_monday_after_it() -> None:
    desk = Desk("2026-11-27 09:00", "1h")
    desk.until("2026-11-30 11:40")
    assert desk.bars() == [
        ("27 09:30", "27 10:30"), ("27 10:30", "27 11:30"), ("27 11:30", "27 12:00"), ("27 13:00", "27 14:00"),
        ("27 14:00", "27 15:00"), ("27 15:00", "27 16:00"), ("30 09:30", "30 10:30"), ("30 10:30", "30 11:30"),
    ]  # fmt: skip


def test_the_last_bar_before_a_break_closes_by_the_clock_with_its_session() -> None:
    desk = Desk("2026-11-27 11:55", "5m")
    desk.rig.trade(400.0, 100.0)
    desk.rig.wait(300.05)
    assert desk.bars() == []
    desk.rig.wait(0.06)
    assert desk.bars() == [("27 11:55", "27 12:00")]
    desk.until("2026-11-27 13:00")
    assert len(desk.bars()) == 1, "prints of the lunch make no bar"


def test_a_day_is_one_bar_that_closes_with_the_afternoon_or_at_noon_on_half_a_day() -> None:
    desk = Desk("2026-12-23 09:00", "1d")
    desk.until("2026-12-28 17:00", every_s=1_200.0)
    assert desk.bars() == [("23 09:30", "23 16:00"), ("24 09:30", "24 12:00"), ("28 09:30", "28 16:00")]


@pytest.mark.parametrize(
    ("lost", "back", "asked"),
    [
        ("2026-11-27 12:05", "2026-11-27 12:55", None),
        ("2026-11-27 16:05", "2026-11-30 09:00", None),
        ("2026-11-27 11:50", "2026-11-27 13:10", (7, "2026-11-27 13:10")),
        ("2026-11-27 15:50", "2026-11-30 09:00", (4, "2026-11-30 09:00")),
    ],
)
def test_a_loss_asks_for_the_bars_of_its_sessions_and_for_none_of_a_break(
    lost: str, back: str, asked: tuple[int, str] | None
) -> None:
    """Asked is for what traded, and for one bar more of each session, which may be cut short."""
    desk = Desk("2026-11-27 11:30", "5m")
    desk.until(lost, every_s=60.0)
    desk.link(AdapterState.LOST)
    desk.rig.clock.move_to(at(back))
    desk.link(AdapterState.READY)
    assert [(one.count, one.end_ns) for one in desk.asked] == ([] if asked is None else [(asked[0], at(asked[1]))])


@pytest.mark.parametrize("interval", ["1m", "5m", "45m", "1h", "4h", "1d", "1w"])
@pytest.mark.parametrize("name", ["XHKG", "XNYS", "XNYS_EXT"])
def test_no_bar_of_less_than_a_day_holds_a_moment_at_which_its_market_is_closed(name: str, interval: str) -> None:
    """Every minute of two weeks with a holiday, half a day and a clock change, printed or not."""
    kind, calendar = Interval.parse(interval), calendar_named(name)
    bars = TimeBars("X", BarSettings(interval=kind, calendar=calendar, fill_empty=True))
    start = at("2026-10-23 00:00")
    made: list[BarData] = []
    for minute in range(0, 14 * 24 * 60, 7):
        now = start + minute * M
        found = (*bars.on_time(now), *bars.add_print(now, 1.0, 1, 1))  # type: ignore[arg-type]
        made += [bar for bar in found if isinstance(bar, BarData)]
    assert len(made) >= (1 if interval == "1w" else 8)
    for before, bar in pairwise(made):
        assert before.close_time_ns <= bar.open_time_ns
    for bar in made:
        assert calendar.is_open(bar.open_time_ns)
        assert calendar.is_open(bar.close_time_ns - 1)
        if not kind.kind.is_calendar:
            length = bar.close_time_ns - bar.open_time_ns
            assert traded_time(calendar, bar.open_time_ns, bar.close_time_ns) == (length, 1)
            session = calendar.session_of(bar.open_time_ns)
            assert session is not None
            assert bar.close_time_ns == min(bar.open_time_ns + kind.duration_ns, session.close_ns)
        else:
            assert not calendar.is_open(bar.close_time_ns)
    assert calendar_hours(name, made[0].open_time_ns).takes_orders(extended=True)
