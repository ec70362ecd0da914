"""How prints and quotes fill orders: one test per rule of docs/backtest_rules.md."""

import pytest

from foxtrot.backtest.fill_settings import FillOn, FillSettings
from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, Side, TimeInForce
from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.strategy.base import Strategy
from tests.unit.backtest.scripted import T0, Deed, bars_of, on_bars, on_prints, on_ticks, told
from tests.unit.backtest.ticks import SECOND_NS, quotes_of, run_ticks, trades_of

TOUCH = FillSettings(fill_on=FillOn.TOUCH)


def after_prints(
    deed: Deed, *rows: tuple[float, float, float, int], **settings: object
) -> list[tuple[str, float, float]]:
    """Do one thing at a print of 100, then let the rows come."""
    result, _ = run_ticks(on_prints({0: deed}), trades=(trades_of((0, 100.0, 1.0, 1), *rows),), **settings)
    return told(result)


def after_quotes(
    deed: Deed, *rows: tuple[float, float, float, float, float], **settings: object
) -> list[tuple[str, float, float]]:
    """Do one thing at a quote of 99.9 (2) to 100.1 (3), then let the rows come."""
    quotes = quotes_of((0, 99.9, 2.0, 100.1, 3.0), *rows)
    result, _ = run_ticks(on_ticks({0: deed}), quotes=(quotes,), **settings)
    return told(result)


# --- prints alone -------------------------------------------------------------------------------------------------------


def test_a_market_order_gets_the_next_prints_at_their_prices_and_sizes() -> None:
    rows = [(1, 100.5, 0.4, 1), (2, 100.75, 0.5, 1), (3, 101.0, 9.0, 1)]
    assert after_prints(lambda s: s.buy(1.0), *rows) == [("buy", 0.4, 100.5), ("buy", 0.5, 100.75), ("buy", 0.1, 101.0)]


def test_slippage_makes_a_market_order_worse_than_the_print() -> None:
    slip = FillSettings(slippage=0.05)
    assert after_prints(lambda s: s.sell(1.0), (1, 100.5, 2.0, 1), fills=slip) == [("sell", 1.0, 100.45)]


@pytest.mark.parametrize(("price", "filled"), [(99.5, False), (99.49, True)])
def test_a_limit_needs_a_print_to_go_through_it(price: float, filled: bool) -> None:
    rows = [(1, 100.0, 1.0, -1), (2, price, 5.0, -1)]
    assert after_prints(lambda s: s.buy(1.0, 99.5), *rows) == [("buy", 1.0, 99.5)] * filled


def test_with_touch_a_print_at_the_limit_fills_it_if_it_took_from_that_side() -> None:
    deed: Deed = lambda s: s.buy(1.0, 99.5)  # noqa: E731
    assert after_prints(deed, (1, 99.5, 5.0, -1), fills=TOUCH) == [("buy", 1.0, 99.5)]
    assert after_prints(deed, (1, 99.5, 5.0, 0), fills=TOUCH) == [("buy", 1.0, 99.5)]
    assert after_prints(deed, (1, 99.5, 5.0, 1), fills=TOUCH) == []


def test_a_print_fills_no_more_than_its_own_size_over_all_orders_best_price_first() -> None:
    deed: Deed = lambda s: (s.buy(1.0, 99.0), s.buy(1.0, 99.5))  # noqa: E731
    rows = [(1, 100.0, 1.0, -1), (2, 98.0, 1.25, -1)]
    assert after_prints(deed, *rows) == [("buy", 1.0, 99.5), ("buy", 0.25, 99.0)]


def test_a_limit_that_the_first_print_has_passed_takes_at_that_print() -> None:
    result, _ = run_ticks(
        on_prints({0: lambda s: s.buy(1.0, 99.5)}), trades=(trades_of((0, 100.0, 1.0, 1), (1, 99.0, 5.0, -1)),)
    )
    assert told(result) == [("buy", 1.0, 99.0)]
    assert result.trades[0].liquidity is Liquidity.TAKER


def test_stops_are_set_off_by_a_print_and_fill_at_the_next() -> None:
    rows = [(1, 101.0, 5.0, 1), (2, 101.5, 5.0, 1)]
    assert after_prints(lambda s: s.buy(1.0, trigger_price=101.0), *rows) == [("buy", 1.0, 101.5)]
    assert after_prints(lambda s: s.buy(1.0, trigger_price=101.01), *rows[:1]) == []
    target: Deed = lambda s: s.sell(1.0, trigger_price=101.0, order_type=OrderType.TAKE_PROFIT)  # noqa: E731
    assert after_prints(target, *rows) == [("sell", 1.0, 101.5)]


def test_a_trailing_stop_follows_the_prints() -> None:
    rows = [(1, 103.0, 5.0, 1), (2, 101.01, 5.0, 1), (3, 101.0, 5.0, 1), (4, 100.0, 5.0, 1)]
    assert after_prints(lambda s: s.sell(1.0, trailing_offset=2.0), *rows) == [("sell", 1.0, 100.0)]
    assert after_prints(lambda s: s.sell(1.0, trailing_offset=2.0), *rows[:2], (4, 101.5, 5.0, 1)) == []


def test_ioc_and_fok_are_settled_by_the_first_print() -> None:
    ioc: Deed = lambda s: s.buy(1.0, 99.5, time_in_force=TimeInForce.IOC)  # noqa: E731
    fok: Deed = lambda s: s.buy(1.0, time_in_force=TimeInForce.FOK)  # noqa: E731
    assert after_prints(ioc, (1, 99.0, 0.25, -1), (2, 99.0, 5.0, -1)) == [("buy", 0.25, 99.0)]
    assert after_prints(ioc, (1, 99.5, 5.0, -1), (2, 99.0, 5.0, -1)) == []
    assert after_prints(fok, (1, 99.0, 0.25, -1), (2, 99.0, 5.0, -1)) == []
    assert after_prints(fok, (1, 99.0, 1.0, -1)) == [("buy", 1.0, 99.0)]


# --- quotes -------------------------------------------------------------------------------------------------------------


def test_a_market_order_takes_the_best_ask_or_bid_at_once_up_to_its_size_and_waits_for_the_next() -> None:
    rows = [(1, 99.9, 2.0, 100.2, 1.0)]
    assert after_quotes(lambda s: s.buy(3.5), *rows) == [("buy", 3.0, 100.1), ("buy", 0.5, 100.2)]
    assert after_quotes(lambda s: s.sell(1.0), *rows) == [("sell", 1.0, 99.9)]


def test_slippage_makes_a_market_order_worse_than_the_quote_and_leaves_limits_alone() -> None:
    slip, row = FillSettings(slippage=0.05), (1, 99.9, 2.0, 100.2, 1.0)
    assert after_quotes(lambda s: s.buy(1.0), row, fills=slip) == [("buy", 1.0, 100.15)]
    assert after_quotes(lambda s: s.buy(1.0, 100.1), row, fills=slip) == [("buy", 1.0, 100.1)]


def test_a_displayed_size_is_not_taken_twice_until_the_quote_changes() -> None:
    deed: Deed = lambda s: (s.buy(2.0), s.buy(2.5))  # noqa: E731
    assert after_quotes(deed, (1, 99.9, 2.0, 100.1, 3.0)) == [("buy", 2.0, 100.1), ("buy", 1.0, 100.1)]
    changed = after_quotes(deed, (1, 99.9, 2.0, 100.1, 4.0))
    assert changed == [("buy", 2.0, 100.1), ("buy", 1.0, 100.1), ("buy", 1.5, 100.1)]


def test_a_quote_without_sizes_gives_any_quantity() -> None:
    quotes = quotes_of((0, 99.9, 0.0, 100.1, 0.0), (1, 99.9, 0.0, 100.1, 0.0))
    result, _ = run_ticks(on_ticks({0: lambda s: s.buy(500.0)}), quotes=(quotes,))
    assert told(result) == [("buy", 500.0, 100.1)]


def test_a_resting_limit_fills_at_its_price_when_the_other_side_reaches_it() -> None:
    rows = [(1, 99.5, 1.0, 99.81, 1.0), (2, 99.5, 1.0, 99.7, 0.6)]
    result, _ = run_ticks(
        on_ticks({0: lambda s: s.buy(1.0, 99.8)}), quotes=(quotes_of((0, 99.9, 2.0, 100.1, 3.0), *rows),)
    )
    assert told(result) == [("buy", 0.6, 99.8)]
    assert result.trades[0].liquidity is Liquidity.MAKER


def test_a_limit_that_arrives_beyond_the_quote_takes_it() -> None:
    assert after_quotes(lambda s: s.buy(1.0, 100.5), (1, 99.9, 2.0, 100.1, 3.0)) == [("buy", 1.0, 100.1)]


def test_post_only_ioc_and_fok_are_judged_by_the_quote() -> None:
    row = (1, 99.9, 2.0, 100.2, 3.0)
    assert after_quotes(lambda s: s.buy(1.0, 100.1, post_only=True), row) == []
    assert after_quotes(lambda s: s.buy(5.0, 100.1, time_in_force=TimeInForce.FOK), row) == []
    assert after_quotes(lambda s: s.buy(5.0, 100.1, time_in_force=TimeInForce.IOC), row) == [("buy", 3.0, 100.1)]


def test_without_prints_a_stop_is_set_off_by_the_quote_it_would_take() -> None:
    assert after_quotes(lambda s: s.buy(1.0, trigger_price=100.5), (1, 100.2, 1.0, 100.49, 1.0)) == []
    assert after_quotes(lambda s: s.buy(1.0, trigger_price=100.5), (1, 100.2, 1.0, 100.6, 1.0)) == [("buy", 1.0, 100.6)]


def test_with_both_a_market_order_takes_the_quote_and_a_print_through_a_limit_fills_it() -> None:
    quotes = quotes_of((0, 99.9, 2.0, 100.1, 3.0), (5, 99.9, 2.0, 100.1, 3.0))
    trades = trades_of((1, 99.4, 0.25, -1), (2, 100.0, 1.0, 1))
    result, _ = run_ticks(on_ticks({0: lambda s: (s.buy(1.0), s.buy(1.0, 99.5))}), quotes=(quotes,), trades=(trades,))
    assert told(result) == [("buy", 1.0, 100.1), ("buy", 0.25, 99.5)]


# --- latency ------------------------------------------------------------------------------------------------------------


def test_an_order_meets_the_market_as_it_is_when_the_order_arrives() -> None:
    rows = [(1, 99.9, 2.0, 100.2, 3.0), (2, 99.9, 2.0, 100.3, 3.0)]
    assert after_quotes(lambda s: s.buy(1.0), *rows, latency_ns=1_500_000_000) == [("buy", 1.0, 100.2)]


def test_feed_latency_lets_the_strategy_see_the_past() -> None:
    heard: list[tuple[int, int]] = []

    class Late(Strategy):
        def on_tick(self, tick: TickData) -> None:
            heard.append((self.clock.now_ns() - tick.venue_time_ns, tick.local_time_ns - tick.venue_time_ns))
            if len(heard) == 1:
                self.buy(1.0)

    quotes = quotes_of((0, 99.9, 2.0, 100.1, 3.0), (1, 99.9, 2.0, 100.2, 3.0), (3, 99.9, 2.0, 100.3, 3.0))
    result, _ = run_ticks(Late, quotes=(quotes,), feed_latency_ns=2 * SECOND_NS)
    assert heard == [(2 * SECOND_NS, 2 * SECOND_NS)] * 3
    assert told(result) == [("buy", 1.0, 100.2)]


# --- what the strategy hears --------------------------------------------------------------------------------------------


def test_ticks_carry_the_latest_quote_the_last_print_and_the_volume() -> None:
    quotes = quotes_of((0, 99.9, 2.0, 100.1, 3.0), (2, 99.8, 2.0, 100.1, 3.0))
    _, strategy = run_ticks(on_ticks({}), quotes=(quotes,), trades=(trades_of((1, 100.1, 0.5, 1), (3, 100.0, 1.5, 0)),))
    last = strategy.events[-1]
    assert isinstance(last, TickData)
    assert (len(strategy.events), last.bid_price, last.last_price, last.last_size, last.volume) == (
        4,
        99.8,
        100.0,
        1.5,
        2.0,
    )


def test_a_print_without_a_side_is_judged_by_the_tick_test() -> None:
    rows = [(0, 100.0, 1.0, 0), (1, 99.0, 1.0, 0), (2, 99.0, 1.0, 0), (3, 99.5, 1.0, 0), (4, 99.0, 1.0, 1)]
    _, strategy = run_ticks(on_prints({}), trades=(trades_of(*rows),))
    sides = [event.aggressor for event in strategy.events if isinstance(event, MarketTrade)]
    assert sides == [Side.BUY, Side.SELL, Side.SELL, Side.BUY, Side.BUY]


def test_bars_are_built_from_prints_when_no_bars_are_given() -> None:
    prints = [(0, 100.0, 1.0, 1), (59, 101.0, 2.0, 1), (61, 102.0, 1.0, 1), (119, 99.0, 1.0, 1), (130, 98.0, 1.0, 1)]
    _, strategy = run_ticks(on_bars({}), trades=(trades_of(*prints),))
    bars = [event for event in strategy.events if isinstance(event, BarData)]
    assert [(b.open_time_ns - T0, b.open, b.high, b.low, b.close, b.volume) for b in bars] == [
        (0, 100.0, 101.0, 100.0, 101.0, 3.0),
        (60 * SECOND_NS, 102.0, 102.0, 99.0, 99.0, 2.0),
    ]


def test_bars_of_quotes_are_built_from_the_middle() -> None:
    quotes = [
        (0, 99.0, 1.0, 101.0, 1.0),
        (30, 100.0, 1.0, 102.0, 1.0),
        (70, 97.0, 1.0, 99.0, 1.0),
        (130, 97.0, 1.0, 99.0, 1.0),
    ]
    _, strategy = run_ticks(on_bars({}), quotes=(quotes_of(*quotes),))
    bars = [event for event in strategy.events if isinstance(event, BarData)]
    assert [(b.open, b.high, b.low, b.close) for b in bars] == [(100.0, 101.0, 100.0, 101.0), (98.0, 98.0, 98.0, 98.0)]


def test_bars_and_ticks_of_different_instruments_are_replayed_in_time_order() -> None:
    seen: list[tuple[str, int]] = []

    class Both(Strategy):
        def on_bar(self, bar: BarData) -> None:
            seen.append((f"bar {bar.instrument_id}", (self.clock.now_ns() - T0) // SECOND_NS))
            if len(seen) == 2:
                self.buy(1.0, instrument="ETH.HISTORY")
                self.buy(1.0, instrument="BTCUSDT.HISTORY")

        def on_market_trade(self, trade: MarketTrade) -> None:
            seen.append((trade.instrument_id, (self.clock.now_ns() - T0) // SECOND_NS))

    bars = bars_of([(100.0, 101.0, 99.0, 100.0), (102.0, 103.0, 101.0, 102.0)])
    trades = trades_of((59, 50.0, 5.0, 1), (60, 51.0, 5.0, 1), (110, 52.0, 5.0, 1), name="ETH.HISTORY")
    result, _ = run_ticks(Both, bars=(bars,), trades=(trades,))
    btc, eth = "BTCUSDT.HISTORY", "ETH.HISTORY"
    assert seen == [(eth, 59), (f"bar {btc}", 60), (eth, 60), (f"bar {eth}", 60), (eth, 110), (f"bar {btc}", 120)]
    assert sorted(told(result)) == [("buy", 1.0, 51.0), ("buy", 1.0, 102.0)]
    assert result.equity.tolist() == [1_000_000.0, 1_000_001.0]


def test_ioc_that_finds_nothing_is_told_as_expired() -> None:
    deed: Deed = lambda s: s.buy(1.0, 99.0, time_in_force=TimeInForce.IOC)  # noqa: E731
    _, strategy = run_ticks(
        on_ticks({0: deed}), quotes=(quotes_of((0, 99.9, 2.0, 100.1, 3.0), (1, 99.9, 2.0, 100.1, 3.0)),)
    )
    assert strategy.orders[-1].status is OrderStatus.EXPIRED
    assert strategy.orders[-1].reason == "ioc"
