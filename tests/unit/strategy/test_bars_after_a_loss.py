"""Bars missed while a link was lost: first, in order, flagged, each once, and nothing can be sent on them."""

import pytest

from foxtrot.api import BarData, MarketTrade, Side
from foxtrot.core.notices import AdapterStatus, HistoryLoaded, RequestFailed
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.subscription import HistoryRequest
from foxtrot.strategy.bar_facts import BarCorrection
from tests.support.instruments import a_perpetual
from tests.support.line_rig import T0, LineRig, S
from tests.support.recording import Recording

M = 60 * S


class Eager(Recording):
    """Buys at every bar, and keeps which bars it was refused at."""

    refused: list[str]

    def on_bar(self, bar: BarData) -> None:
        super().on_bar(bar)
        try:
            self.buy(1.0, 50.0)
        except OrderRefused as refusal:
            self.refused = [*getattr(self, "refused", []), str(refusal)]


class Loss:
    """A strategy on a venue whose history a test writes, and whose link it cuts.

    Thread: the test's.
    """

    def __init__(self, interval: str = "1m", length_ns: int = M) -> None:
        self.length_ns = length_ns
        self.interval = interval
        self.rig = LineRig(a_perpetual())
        self.asked: list[HistoryRequest] = []
        self.rig.line.adapters["main"].query_history = self.asked.append  # type: ignore[method-assign]
        self.strategy = self.rig.start(Eager, interval=interval)

    def link(self, state: AdapterState) -> None:
        self.rig.put(AdapterStatus("main", "scripted", state, "", 0, 0.0, self.rig.clock.now_ns()))

    def answer(self, *numbers: int, request: HistoryRequest | None = None, error: str = "") -> None:
        asked = request or self.asked[-1]
        bars = tuple(self.bar(number) for number in numbers)
        self.rig.put(HistoryLoaded(asked.request_id, asked.instrument_id, asked.interval, bars, error))

    def bar(self, number: int) -> BarData:
        start = T0 + number * self.length_ns
        return BarData("BTCUSDT.PERP", self.interval, start, start + self.length_ns, 1.0, 2.0, 0.5, 1.5, 9.0)

    def told(self) -> list[tuple[int, bool, bool]]:
        """Every bar that was heard: number, whether it was flagged, whether the strategy might trade."""
        return [
            ((fact.open_time_ns - T0) // self.length_ns, fact.backfilled, trading)
            for name, fact, trading in self.strategy.heard  # type: ignore[attr-defined]
            if name == "on_bar"
        ]


def lost_for_three_minutes() -> Loss:
    loss = Loss()
    loss.rig.trade(100.0)
    loss.rig.wait(70)
    loss.rig.trade(101.0)
    loss.link(AdapterState.LOST)
    loss.rig.wait(180)
    assert loss.told() == [(0, False, True)]
    assert loss.asked == []
    loss.link(AdapterState.READY)
    return loss


def test_missed_bars_come_first_in_order_flagged_and_without_permission_to_trade() -> None:
    loss = lost_for_three_minutes()
    (asked,) = loss.asked
    assert (asked.end_ns, asked.count) == (T0 + 4 * M, 4)
    loss.rig.trade(102.0)
    loss.answer(0, 1, 2, 3)
    assert loss.told() == [(0, False, True), (1, True, False), (2, True, False), (3, True, False)]
    assert len(loss.strategy.refused) == 3  # type: ignore[attr-defined]
    assert "catching up" in loss.strategy.refused[0]  # type: ignore[attr-defined]
    assert len(loss.strategy.facts("on_order")) > 0  # type: ignore[attr-defined]  # the first bar's order went out
    assert loss.strategy.trading


def test_the_bar_that_forms_at_the_return_is_told_whole_by_the_venue_then_live_bars_follow() -> None:
    loss = lost_for_three_minutes()
    loss.answer(1, 2, 3)
    loss.rig.trade(102.0)
    loss.rig.wait(51)
    assert loss.asked[-1].end_ns == T0 + 5 * M
    loss.rig.trade(103.0)
    loss.answer(4)
    loss.rig.wait(60)
    assert loss.told()[4:] == [(4, False, True), (5, False, True)]
    bars = loss.strategy.facts("on_bar")  # type: ignore[attr-defined]
    assert (bars[4].volume, bars[5].trade_count) == (9.0, 1)


def test_newer_bars_wait_for_those_that_were_missed() -> None:
    loss = Loss("10s", 10 * S)
    loss.rig.trade(100.0)
    loss.link(AdapterState.LOST)
    loss.rig.wait(25)
    loss.link(AdapterState.READY)
    for _ in range(3):
        loss.rig.trade(101.0)
        loss.rig.wait(10)
    assert loss.told() == []
    loss.answer(0, 1)
    assert [number for number, _, _ in loss.told()] == [0, 1]
    loss.rig.wait(0.001)
    loss.answer(2)
    loss.rig.wait(6)
    assert loss.told() == [(0, True, False), (1, True, False), (2, False, True), (3, False, True), (4, False, True)]


def test_a_loss_inside_one_bar_misses_none() -> None:
    loss = Loss()
    loss.rig.trade(100.0)
    loss.rig.wait(10)
    loss.link(AdapterState.LOST)
    loss.rig.wait(20)
    loss.link(AdapterState.READY)
    assert loss.asked == []
    loss.rig.trade(101.0)
    loss.rig.wait(31)
    loss.answer(0)
    assert loss.told() == [(0, False, True)]
    assert loss.strategy.facts("on_bar")[0].volume == 9.0  # type: ignore[attr-defined]  # the venue's, not ours with a hole


def test_prints_of_the_loss_that_come_later_make_no_second_bar() -> None:
    loss = lost_for_three_minutes()
    loss.answer(1, 2, 3)
    for second in (70, 100, 130, 200):
        now_ns = loss.rig.clock.now_ns()
        loss.rig.put(MarketTrade("BTCUSDT.PERP", T0 + second * S, now_ns, f"p{second}", 100.0, 1.0, Side.BUY))
    assert [number for number, _, _ in loss.told()] == [0, 1, 2, 3]
    assert loss.rig.told(BarCorrection) == []


def test_a_print_of_before_the_loss_still_corrects_the_bar_that_was_told() -> None:
    loss = lost_for_three_minutes()
    now_ns = loss.rig.clock.now_ns()
    loss.rig.put(MarketTrade("BTCUSDT.PERP", T0 + 59 * S, now_ns, "late", 105.0, 1.0, Side.BUY))
    (correction,) = loss.strategy.facts("on_bar_correction")  # type: ignore[attr-defined]
    assert (correction.bar.open_time_ns, correction.bar.high) == (T0, 105.0)


def test_a_second_loss_before_the_answer_asks_again_from_the_same_bar() -> None:
    loss = lost_for_three_minutes()
    first = loss.asked[-1]
    loss.link(AdapterState.LOST)
    loss.rig.wait(60)
    loss.answer(1, 2, 3, request=first)
    loss.link(AdapterState.READY)
    loss.answer(1, 2, 3, request=first)
    assert [number for number, _, _ in loss.told()] == [0]
    loss.answer(1, 2, 3, 4)
    loss.answer(1, 2, 3, 4)
    assert [number for number, _, _ in loss.told()] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("how", ["refused", "silent"])
def test_bars_that_the_venue_does_not_give_are_left_out_and_told(how: str) -> None:
    loss = lost_for_three_minutes()
    if how == "refused":
        loss.answer(error="banned for a while")
    else:
        loss.rig.trade(102.0)
        loss.rig.wait(60.2)
    (failed,) = [one for one in loss.rig.told(RequestFailed) if "missed" in one.what]
    assert failed.error == f"{'banned for a while' if how == 'refused' else 'no answer within 60 s'}; bars are left out"
    loss.rig.trade(102.0)
    loss.rig.wait(51 if how == "refused" else 1)
    loss.answer(4)
    assert [number for number, flagged, _ in loss.told() if not flagged] == [0, 4]


def test_bars_counted_in_trades_go_on_over_a_loss() -> None:
    loss = Loss("2t")
    loss.rig.trade(100.0)
    loss.link(AdapterState.LOST)
    loss.rig.wait(60)
    loss.link(AdapterState.READY)
    loss.rig.trade(101.0)
    assert loss.asked == []
    assert len(loss.told()) == 1


def test_a_strategy_started_while_the_link_is_lost_hears_from_where_it_began() -> None:
    loss = Loss()
    loss.link(AdapterState.LOST)
    late = loss.rig.start(Eager, "late", interval="10s")
    loss.rig.wait(25)
    loss.link(AdapterState.READY)
    asked = next(one for one in loss.asked if one.interval == "10s")
    assert asked.end_ns == T0 + 20 * S
    bars = tuple(BarData("BTCUSDT.PERP", "10s", T0 + n * 10 * S, T0 + (n + 1) * 10 * S, 1, 1, 1, 1, 1) for n in (0, 1))
    loss.rig.put(HistoryLoaded(asked.request_id, asked.instrument_id, "10s", bars))
    assert [bar.backfilled for bar in late.facts("on_bar")] == [True, True]  # type: ignore[attr-defined]


def test_a_price_of_the_past_is_no_fresh_reference() -> None:
    loss = lost_for_three_minutes()
    view = loss.rig.line.view
    view.trades.clear()
    view.ticks.clear()
    loss.answer(1, 2, 3)
    reference = view.reference("BTCUSDT.PERP")
    assert reference is not None
    assert (reference.source, reference.time_ns) == ("bar", T0 + 4 * M)
