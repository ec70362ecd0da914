"""Warm-up and the join to live bars: each bar once, whole and in order."""

from dataclasses import dataclass

import pytest

from foxtrot.api import BarData, Strategy
from foxtrot.core.notices import HistoryLoaded
from foxtrot.domain.subscription import HistoryRequest
from foxtrot.strategy.host import Stage
from tests.support.instruments import a_perpetual, a_spot
from tests.support.line_rig import T0, LineRig, S
from tests.support.recording import Recording

M = 60 * S


class Warm(Recording):
    warm_up = 3


def opens(strategy: Strategy) -> list[int]:
    assert isinstance(strategy, Recording)
    return [(bar.open_time_ns - T0) // M for bar in strategy.facts("on_bar")]


def trade_every(rig: LineRig, seconds: float, count: int, price: float = 100.0) -> None:
    for index in range(count):
        rig.trade(price + index)
        rig.wait(seconds)


def test_warm_up_comes_before_on_start_and_live_bars_follow_without_a_missing_or_double_one() -> None:
    rig = LineRig(a_perpetual())
    trade_every(rig, 10, 33)
    strategy = rig.start(Warm)
    trade_every(rig, 10, 24)
    assert strategy.calls()[:5] == ["on_init", "on_bar", "on_bar", "on_bar", "on_start"]
    assert opens(strategy) == [2, 3, 4, 5, 6, 7, 8]
    assert [trading for name, _, trading in strategy.heard if name == "on_bar"] == [False] * 3 + [True] * 4
    assert all(bar.trade_count == 6 for bar in strategy.facts("on_bar"))


@pytest.mark.parametrize("second", [0, 1, 29, 59])
def test_the_bar_that_forms_at_the_join_has_all_its_trades(second: int) -> None:
    rig = LineRig(a_perpetual())
    trade_every(rig, 10, 12)
    rig.wait(second)
    strategy = rig.start(Warm)
    rig.wait(60 - second)
    trade_every(rig, 10, 13)
    history = rig.session.venue.klines("BTCUSDT.PERP", M, 10)
    told = [(bar.open_time_ns, bar.trade_count) for bar in strategy.facts("on_bar")]
    assert told == [
        (candle.open_time_ns, candle.trade_count) for candle in history if candle.open_time_ns < rig.clock.now_ns() - M
    ]


def test_a_forming_bar_that_traded_only_before_the_join_is_not_lost() -> None:
    rig = LineRig(a_perpetual())
    rig.trade(100.0)
    rig.wait(30)
    strategy = rig.start(Warm)
    rig.quote(99, 101)
    rig.wait(100)
    assert opens(strategy) == [0]


def test_bars_of_two_instruments_come_in_the_order_in_which_they_closed() -> None:
    one, two = a_perpetual(), a_spot()
    rig = LineRig(one, two)
    for _ in range(4):
        rig.trade(100.0, instrument=two)
        rig.trade(50.0, instrument=one)
        rig.wait(60)
    strategy = rig.start(Warm, symbols=(one.instrument_id, two.instrument_id))
    told = [(bar.instrument_id, (bar.open_time_ns - T0) // M) for bar in strategy.facts("on_bar")]
    assert told == [(i.instrument_id, minute) for minute in (1, 2, 3) for i in (one, two)]


def test_fewer_bars_than_asked_are_delivered_and_told() -> None:
    rig = LineRig(a_perpetual())
    rig.trade(100.0)
    rig.wait(61)
    strategy = rig.start(Warm)
    assert (opens(strategy), strategy.calls()[-1]) == ([0], "on_start")
    assert rig.lines() == ["warm-up of BTCUSDT.PERP 1m: only 1 of 3 bars"]


def test_history_that_cannot_be_had_fails_the_strategy_with_the_reason() -> None:
    rig = LineRig(a_perpetual())
    rig.start(Warm, interval="100t")
    host = rig.line.strategies.hosts["one"]
    assert host.stage is Stage.FAILED
    assert "warm-up of BTCUSDT.PERP 100t failed: interval 100t has no duration" in host.reason


@dataclass
class SilentHistory:
    """Swallows history requests, as a lost connection would."""

    asked: list[HistoryRequest]

    def query_history(self, request: HistoryRequest) -> None:
        self.asked.append(request)


def silence(rig: LineRig) -> SilentHistory:
    silent = SilentHistory([])
    rig.line.adapters["main"].query_history = silent.query_history  # type: ignore[method-assign]
    return silent


def answer(request: HistoryRequest, *minutes: int) -> HistoryLoaded:
    bars = tuple(
        BarData(request.instrument_id, "1m", T0 + m * M, T0 + (m + 1) * M, 1.0, 1.0, 1.0, 1.0, 1.0) for m in minutes
    )
    return HistoryLoaded(request.request_id, request.instrument_id, request.interval, bars)


def test_an_adapter_that_does_not_answer_fails_the_strategy_after_a_minute() -> None:
    rig = LineRig(a_perpetual())
    silence(rig)
    rig.start(Warm)
    rig.wait(59)
    assert rig.stages() == ["initialising"]
    rig.wait(2)
    assert "no history of BTCUSDT.PERP within 60 s" in rig.line.strategies.hosts["one"].reason


def test_live_bars_wait_for_the_warm_up_and_those_in_both_come_once() -> None:
    rig = LineRig(a_perpetual())
    silent = silence(rig)
    strategy = rig.start(Warm)
    (request,) = silent.asked
    for minute in (3, 4, 5):
        rig.put(BarData(request.instrument_id, "1m", T0 + minute * M, T0 + (minute + 1) * M, 1.0, 1.0, 1.0, 1.0, 1.0))
    assert strategy.calls() == ["on_init"]
    rig.put(answer(request, 2, 3, 4))
    assert opens(strategy) == [2, 3, 4, 5]
    assert strategy.calls().index("on_start") == 4


def test_a_late_answer_to_an_earlier_start_is_not_taken_for_the_present_one() -> None:
    rig = LineRig(a_perpetual())
    silent = silence(rig)
    strategy = rig.start(Warm)
    rig.stop()
    rig.put(answer(silent.asked[0], 0, 1, 2))
    assert strategy.calls() == ["on_init"]
    rig.line.strategies.start("one")
    rig.dispatcher.drain()
    rig.put(answer(silent.asked[0], 0, 1, 2))
    assert strategy.calls() == ["on_init"]
    rig.put(answer(silent.asked[1], 5, 6, 7))
    assert opens(strategy) == [5, 6, 7]


class Misplaced(Recording):
    def on_start(self) -> None:
        """Ask too late."""
        self.load_bar(3)


def test_load_bar_belongs_in_on_init() -> None:
    rig = LineRig(a_perpetual())
    rig.start(Misplaced)
    assert "load_bar belongs in on_init" in rig.line.strategies.hosts["one"].reason
