"""Promise 5: bars at their close, each once and in order, as the venue makes them, those of a lost link too."""

from itertools import pairwise

import msgspec
import pytest

from foxtrot.core.notices import AdapterStatus, RequestFailed
from foxtrot.domain.enums import AdapterState, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import BarData, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.contract_rig import ContractRig

MINUTE_S = 60
WITHIN_S = 8.0
"""How long after its close a bar may come, where the stream that brings it has broken just then."""
MINUTE_NS = 60_000_000_000


def _subscribe(rig: ContractRig, *bars: str, instrument: Instrument | None = None, **wishes: object) -> None:
    facts: dict[str, object] = {"ticks": False, "bars": bars}
    name = (instrument or rig.spot).instrument_id
    rig.adapter.subscribe(SubscribeRequest(name, **(facts | wishes)))  # type: ignore[arg-type]
    rig.settle()


def _jump(rig: ContractRig, seconds: float) -> None:
    """Let time pass at once."""
    rig.clock.advance(int(seconds * 1e9))
    rig.settle()


def _to_the_next_minute(rig: ContractRig, past_s: float = WITHIN_S) -> None:
    """Let time pass until some time after the next whole minute: most of it at once, the end second by second."""
    left_s = (MINUTE_NS - rig.clock.now_ns() % MINUTE_NS) / 1e9
    _jump(rig, left_s - 2)
    rig.advance((MINUTE_NS - rig.clock.now_ns() % MINUTE_NS) / 1e9 + past_s)


def _trade(rig: ContractRig, *quantities: int) -> None:
    """Let others buy and sell in turn."""
    for number, quantity in enumerate(quantities):
        rig.take((Side.BUY, Side.SELL)[number % 2], quantity)
    rig.settle()


def _told(rig: ContractRig, interval: str = "1m", since: int = 0) -> list[BarData]:
    """The bars of an interval, as far as the venue knows them: without our receive time and what we know of the link."""
    bars = [bar for bar in rig.heard.of(BarData, since) if bar.interval == interval]
    return [msgspec.structs.replace(bar, local_time_ns=0, backfilled=False) for bar in bars]


def _assert_true(rig: ContractRig, interval: str = "1m", since_ns: int = 0) -> None:
    """What was told is what the venue has, from the first bar that was told (or a time) up to the last that has closed."""
    told = _told(rig, interval)
    first_ns = since_ns or told[0].open_time_ns
    assert told == [bar for bar in rig.bars(interval) if bar.open_time_ns >= first_ns]


def test_5_a_bar_is_told_at_its_close_with_the_venues_figures(rig: ContractRig) -> None:
    rig.require("bars")
    rig.connect()
    _subscribe(rig, "1m")
    opened_ns = rig.clock.now_ns() - rig.clock.now_ns() % MINUTE_NS
    _trade(rig, 300, 200)
    _jump(rig, MINUTE_S - 5)
    _trade(rig, 100)
    assert rig.heard.of(BarData) == []
    _to_the_next_minute(rig, past_s=0.5)
    (bar,) = rig.heard.of(BarData)
    assert (bar.instrument_id, bar.interval) == (rig.spot.instrument_id, "1m")
    assert (bar.open_time_ns, bar.close_time_ns) == (opened_ns, opened_ns + MINUTE_NS)
    assert (bar.high, bar.low, bar.close) == (101.0, 99.0, 101.0)
    assert bar.close_time_ns <= bar.local_time_ns <= rig.clock.now_ns()
    assert not bar.backfilled
    _assert_true(rig)


def test_5_no_bar_is_told_while_it_is_open(rig: ContractRig) -> None:
    rig.require("bars")
    rig.connect()
    _to_the_next_minute(rig)
    _subscribe(rig, "1m")
    for quantity in (100, 200, 300, 400):
        _trade(rig, quantity)
        _jump(rig, 10)
    assert rig.heard.of(BarData) == []
    _to_the_next_minute(rig)
    assert len(rig.heard.of(BarData)) == 1


def test_5_bars_follow_each_other_each_once(rig: ContractRig) -> None:
    rig.require("bars")
    rig.connect()
    _subscribe(rig, "1m")
    for number in range(3):
        _trade(rig, 100 + number, 60)
        _to_the_next_minute(rig)
    bars = rig.heard.of(BarData)
    assert len(bars) == 3
    assert [later.open_time_ns - bar.close_time_ns for bar, later in pairwise(bars)] == [0, 0]
    _assert_true(rig)


def test_5_a_minute_without_trades_is_as_the_venue_has_it(rig: ContractRig) -> None:
    rig.require("bars")
    rig.connect()
    _subscribe(rig, "1m")
    _trade(rig, 100)
    for _ in range(2):
        _to_the_next_minute(rig)
    _trade(rig, 70)
    _to_the_next_minute(rig)
    _assert_true(rig)
    opens = [bar.open_time_ns for bar in _told(rig)]
    assert opens == sorted(set(opens))


def test_5_intervals_add_up_and_are_each_told(rig: ContractRig) -> None:
    rig.require("bars")
    rig.connect()
    _subscribe(rig, "1m")
    _subscribe(rig, "3m", "1m")
    for _ in range(4):
        _trade(rig, 100, 60)
        _to_the_next_minute(rig)
    assert len(_told(rig, "1m")) == 4
    assert len(_told(rig, "3m")) >= 2
    _assert_true(rig, "1m")
    _assert_true(rig, "3m")


def test_5_bars_of_two_instruments_do_not_mix(rig: ContractRig) -> None:
    rig.require("bars")
    rig.connect()
    for instrument in (rig.spot, rig.contract):
        _subscribe(rig, "1m", instrument=instrument)
    rig.take(Side.BUY, 100)
    rig.take(Side.SELL, 200, rig.contract)
    _to_the_next_minute(rig)
    closes = {bar.instrument_id: bar.close for bar in rig.heard.of(BarData)}
    assert closes == {rig.spot.instrument_id: 101.0, rig.contract.instrument_id: 99.0}
    assert len(rig.heard.of(BarData)) == 2


def test_5_bars_alone_are_streamed_when_nothing_else_is_asked_for(rig: ContractRig) -> None:
    rig.require("bars")
    rig.connect()
    _subscribe(rig, "1m")
    _trade(rig, 100, 60)
    _to_the_next_minute(rig)
    assert rig.heard.of(TickData) == rig.heard.of(MarketTrade) == rig.heard.of(DepthData) == []


def test_5_bars_missed_while_lost_are_told_before_ready_and_before_newer_ones(rig: ContractRig) -> None:
    rig.require("bars")
    rig.connect()
    _subscribe(rig, "1m")
    _trade(rig, 100)
    _to_the_next_minute(rig)
    _jump(rig, MINUTE_S - 3 - WITHIN_S)
    rig.lose_link("cable pulled", 5.0)
    before = len(rig.heard)
    rig.take(Side.SELL, 110)
    rig.clock.advance(3 * 10**9)
    rig.take(Side.BUY, 120)
    rig.clock.advance(3 * MINUTE_NS)
    rig.settle()
    events = rig.heard.events(before)
    ready = next(n for n, e in enumerate(events) if isinstance(e, AdapterStatus) and e.state is AdapterState.READY)
    missed = [event for event in events[:ready] if isinstance(event, BarData)]
    assert len(missed) >= 2
    assert missed[0].backfilled
    _trade(rig, 130)
    _to_the_next_minute(rig)
    _assert_true(rig)


def test_5_a_bar_that_was_open_when_the_link_was_lost_is_whole(rig: ContractRig) -> None:
    rig.require("bars")
    rig.connect()
    _to_the_next_minute(rig)
    _subscribe(rig, "1m")
    _trade(rig, 100)
    rig.lose_link("cable pulled")
    rig.take(Side.SELL, 200)
    rig.restore_link()
    _trade(rig, 300)
    _to_the_next_minute(rig)
    (bar,) = rig.heard.of(BarData)
    assert bar.volume == 0.6
    assert not bar.backfilled
    _assert_true(rig)


def test_5_bars_go_on_once_however_often_the_link_is_lost(rig: ContractRig) -> None:
    rig.require("bars")
    rig.connect()
    _subscribe(rig, "1m")
    for _ in range(3):
        _trade(rig, 100)
        rig.lose_link("cable pulled")
        rig.restore_link()
        _to_the_next_minute(rig)
    _assert_true(rig)
    assert len(rig.heard.of(BarData)) == 3


def test_5_bars_wished_before_connecting_begin_with_the_connection(rig: ContractRig) -> None:
    rig.require("bars")
    rig.adapter.subscribe(SubscribeRequest(rig.spot.instrument_id, ticks=False, bars=("1m",)))
    rig.connect()
    _trade(rig, 100)
    _to_the_next_minute(rig)
    assert len(rig.heard.of(BarData)) == 1
    _assert_true(rig)


@pytest.mark.parametrize("text", ["7m", "100t", "a while"])
def test_5_an_interval_the_venue_does_not_have_is_refused_and_the_rest_is_streamed(rig: ContractRig, text: str) -> None:
    rig.require("bars")
    rig.connect()
    if text == "7m" and not rig.capabilities.network:
        text = "90s"
    _subscribe(rig, "1m", text)
    (failed,) = rig.heard.of(RequestFailed)
    assert rig.spot.instrument_id in failed.what
    assert text in failed.what
    assert "1m" in failed.error or text == "a while"
    _trade(rig, 100)
    _to_the_next_minute(rig)
    assert [bar.interval for bar in rig.heard.of(BarData)] == ["1m"]


def test_5_no_bar_is_told_after_unsubscribing(rig: ContractRig) -> None:
    rig.require("bars")
    rig.connect()
    _subscribe(rig, "1m")
    _trade(rig, 100)
    rig.adapter.unsubscribe(rig.spot.instrument_id)
    rig.settle()
    _to_the_next_minute(rig)
    _to_the_next_minute(rig)
    assert rig.heard.of(BarData) == []
    before_ns = rig.clock.now_ns() - rig.clock.now_ns() % MINUTE_NS
    _subscribe(rig, "1m")
    _trade(rig, 100)
    _to_the_next_minute(rig)
    assert [bar.open_time_ns for bar in rig.heard.of(BarData)] == [before_ns]
