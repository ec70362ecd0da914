"""Live bars of every kind, from prints or ticks, with corrections, one source per instrument."""

import msgspec
import pytest

from foxtrot.api import BarData, MarketTrade, Side, TickData
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Grid
from foxtrot.domain.market import DELAYED, FROZEN
from foxtrot.domain.market import BarData as Bar
from foxtrot.strategy.bar_facts import BarCorrection
from tests.support.instruments import a_perpetual, a_spot, a_stock
from tests.support.line_rig import T0, LineRig, S
from tests.support.recording import Recording

M = 60 * S


def run(interval: str, seconds: float, count: int, *, rig: LineRig | None = None, size: float = 1.0) -> list[Bar]:
    rig = rig or LineRig(a_perpetual())
    strategy = rig.start(Recording, interval=interval)
    for index in range(count):
        rig.trade(100.0 + index, size)
        rig.wait(seconds)
    found = strategy.facts("on_bar")
    assert all(isinstance(bar, BarData) for bar in found)
    return found  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("interval", "seconds", "minutes"),
    [("1m", 20, 1), ("5m", 60, 5), ("1h", 900, 60), ("1d", 21_600, 1440), ("1w", 86_400, 10_080)],
)
def test_bars_close_by_the_clock_and_have_what_was_traded(interval: str, seconds: float, minutes: int) -> None:
    start = T0 - 2 * 86_400 * S  # a Monday
    rig = LineRig(a_perpetual(), start_ns=start)
    bars = run(interval, seconds, 2 * minutes * 60 // int(seconds) + 1, rig=rig)
    assert [(bar.open_time_ns - start) // M for bar in bars] == [0, minutes]
    per_bar = minutes * 60 // int(seconds)
    assert [bar.trade_count for bar in bars] == [per_bar, per_bar]
    assert [bar.close for bar in bars] == [100.0 + per_bar - 1, 100.0 + 2 * per_bar - 1]


@pytest.mark.parametrize(("interval", "counts"), [("3t", [3, 3]), ("4v", [2, 2, 2]), ("500$", [3, 3])])
def test_bars_by_trading_close_when_they_are_full(interval: str, counts: list[int]) -> None:
    assert [bar.trade_count for bar in run(interval, 1, 7, size=2.0)] == counts


def test_a_bar_closes_without_another_print() -> None:
    rig = LineRig(a_perpetual())
    strategy = rig.start(Recording)
    rig.trade(100.0)
    rig.wait(60.05)
    assert strategy.facts("on_bar") == []
    rig.wait(0.06)
    assert [bar.close for bar in strategy.facts("on_bar")] == [100.0]


def test_a_print_that_comes_late_corrects_the_bar_after_it_was_heard() -> None:
    rig = LineRig(a_perpetual())
    strategy = rig.start(Recording)
    rig.trade(100.0)
    rig.wait(70)
    rig.put(MarketTrade("BTCUSDT.PERP", T0 + 30 * S, rig.clock.now_ns(), "late", 105.0, 1.0, Side.BUY))
    (correction,) = strategy.facts("on_bar_correction")
    assert (correction.bar.high, correction.bar.close, correction.previous.high) == (105.0, 105.0, 100.0)
    assert strategy.calls().index("on_bar") < strategy.calls().index("on_bar_correction")


def test_a_correction_never_overtakes_its_bar_in_the_queue() -> None:
    rig = LineRig(a_perpetual())
    strategy = rig.start(Recording)
    bar = BarData("BTCUSDT.PERP", "1m", T0, T0 + M, 1.0, 1.0, 1.0, 1.0, 1.0)
    rig.dispatcher.put(bar)
    rig.dispatcher.put(BarCorrection(bar, bar))
    rig.dispatcher.drain()
    assert [name for name in strategy.calls() if "bar" in name] == ["on_bar", "on_bar_correction"]


def test_bars_follow_the_calendar_of_the_instrument() -> None:
    half_past_three = 1_704_486_600 * S  # Friday 2024-01-05, New York; the market closes at four
    rig = LineRig(a_stock(), start_ns=half_past_three)
    strategy = rig.start(Recording, interval="1h")
    for _ in range(5):
        rig.trade(100.0)
        rig.wait(600)
    (bar,) = strategy.facts("on_bar")
    assert (bar.open_time_ns, bar.close_time_ns - bar.open_time_ns, bar.trade_count) == (half_past_three, 30 * M, 3)


def test_two_accounts_on_one_instrument_hear_each_print_once() -> None:
    rig = LineRig(a_perpetual(), accounts=("first", "second"))
    one = rig.start(Recording, "one", account="first")
    two = rig.start(Recording, "two", account="second")
    for _ in range(3):
        rig.trade(100.0)
    rig.wait(61)
    for strategy in (one, two):
        assert len(strategy.facts("on_market_trade")) == 3
        assert [bar.volume for bar in strategy.facts("on_bar")] == [3.0]


def test_a_venue_without_prints_gives_bars_from_ticks() -> None:
    rig = LineRig(a_spot())
    adapter = rig.line.adapters["main"]
    type(adapter).capabilities, before = (
        msgspec.structs.replace(adapter.capabilities, market_trades=False),
        adapter.capabilities,
    )
    try:
        strategy = rig.start(Recording)
        for second, price in enumerate((10.0, 12.0, 11.0)):
            rig.put(TickData("BTCUSDT.TEST", T0 + second, T0 + second, last_price=price, volume=100.0 + second))
        rig.wait(61)
    finally:
        type(adapter).capabilities = before
    (bar,) = strategy.facts("on_bar")
    assert (bar.open, bar.high, bar.close, bar.volume) == (10.0, 12.0, 11.0, 2.0)


def test_a_first_bar_that_the_venue_does_not_give_is_left_out_and_told() -> None:
    rig = LineRig(a_perpetual(), start_ns=T0 + 10 * S)
    rig.line.adapters["main"].query_history = lambda _request: None  # type: ignore[method-assign]
    strategy = rig.start(Recording)
    for _ in range(10):
        rig.trade(100.0)
        rig.wait(20)
    assert [(bar.open_time_ns - T0) // M for bar in strategy.facts("on_bar")] == [1, 2]
    (failed,) = rig.told(RequestFailed)
    assert failed.error == "no answer within 10 s; the bar is left out"


def test_bars_of_currencies_are_made_of_the_middle_of_the_quote_for_nobody_prints_their_trades() -> None:
    pair = a_spot(
        instrument_id="EURUSD.TEST", symbol="EURUSD", product=Product.FOREX, base_asset="EUR", quote_asset="USD", settle_asset="USD",
        price_grid=Grid.of("0.00005"), quantity_grid=Grid.of(1),
    )  # fmt: skip
    rig = LineRig(pair)
    strategy = rig.start(Recording)
    for bid, ask in ((1.1, 1.1001), (1.2, 1.2001), (1.15, 1.1501)):
        rig.quote(bid, ask)
        rig.wait(15)
    rig.trade(1.3)
    rig.wait(20)
    (bar,) = strategy.facts("on_bar")
    assert (bar.open, bar.high, bar.low, bar.close) == pytest.approx((1.10005, 1.20005, 1.10005, 1.15005))


@pytest.mark.parametrize("source", [DELAYED, FROZEN])
def test_a_quote_that_tells_the_past_makes_no_bar_by_which_an_order_would_be_judged(source: str) -> None:
    pair = a_spot(instrument_id="EURUSD.TEST", symbol="EURUSD", product=Product.FOREX)
    rig = LineRig(pair)
    strategy = rig.start(Recording)
    for second in range(3):
        now_ns = rig.clock.now_ns()
        rig.put(TickData("EURUSD.TEST", now_ns, now_ns, 1.0, 1.0, 2.0, 1.0, source=source))
        rig.wait(15 + second)
    rig.wait(30)
    assert strategy.facts("on_bar") == []
