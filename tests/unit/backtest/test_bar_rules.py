"""How bars fill orders: one test per rule of docs/backtest_rules.md. Rows are open, high, low, close, volume."""

from decimal import Decimal

import pytest

from foxtrot.backtest.fill_settings import FillOn, FillSettings
from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, TimeInForce
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.order import TradeData
from foxtrot.strategy.base import Strategy
from tests.unit.backtest.scripted import MINUTE_NS, T0, Deed, on_bars, run_bars, told

FLAT = (100.0, 101.0, 99.0, 100.0)
PLAIN = FillSettings()
SLIP = FillSettings(slippage=0.3)


def fills(deed: Deed, *rows: tuple[float, ...], settings: FillSettings = PLAIN) -> list[tuple[str, float, float]]:
    """Do one thing at the close of a flat bar, then let the rows come."""
    result, _ = run_bars(on_bars({0: deed}), [FLAT, *rows], fills=settings)
    return told(result)


def statuses(strategy: Strategy) -> list[tuple[OrderStatus, str]]:
    return [(order.status, order.reason) for order in strategy.orders]


# --- market orders ------------------------------------------------------------------------------------------------------


def test_a_market_order_fills_at_the_next_open() -> None:
    result, _ = run_bars(on_bars({0: lambda s: s.buy(1.0)}), [FLAT, (102.5, 103.0, 102.0, 102.5)])
    assert told(result) == [("buy", 1.0, 102.5)]
    assert result.trades[0].venue_time_ns == T0 + MINUTE_NS
    assert result.trades[0].liquidity is Liquidity.TAKER


def test_slippage_makes_a_market_order_worse_on_either_side() -> None:
    row = (102.5, 103.0, 102.0, 102.5)
    assert fills(lambda s: s.buy(1.0), row, settings=SLIP) == [("buy", 1.0, 102.8)]
    assert fills(lambda s: s.sell(1.0), row, settings=SLIP) == [("sell", 1.0, 102.2)]


def test_slippage_is_rounded_against_us_to_a_legal_price() -> None:
    rows = [FLAT, (102.5, 103.0, 102.0, 102.5)]
    for slippage, bought, sold in ((0.3, 103.0, 102.0), (0.5, 103.0, 102.0), (0.0, 102.5, 102.5)):
        for deed, price in ((lambda s: s.buy(1.0), bought), (lambda s: s.sell(1.0), sold)):
            result, _ = run_bars(on_bars({0: deed}), rows, tick="0.5", fills=FillSettings(slippage=slippage))
            assert result.trades[0].price == price


def test_slippage_obeys_the_legal_step_of_a_price_band() -> None:
    for deed, price in ((lambda s: s.buy(1.0), 102.75), (lambda s: s.sell(1.0), 102.0)):
        result, _ = run_bars(
            on_bars({0: deed}), [FLAT, (102.5, 103.0, 102.0, 102.5)], step=25, fills=FillSettings(slippage=0.2)
        )
        assert result.trades[0].price == (price if price > 102.5 else 102.25)


def test_an_order_of_the_last_close_is_not_filled() -> None:
    result, _ = run_bars(on_bars({1: lambda s: s.buy(1.0)}), [FLAT, FLAT])
    assert result.orders == 1
    assert told(result) == []


# --- limit orders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "filled"), [(98.5, False), (98.49, True)])
def test_a_limit_needs_the_bar_to_trade_through_it_by_a_step(low: float, filled: bool) -> None:
    assert fills(lambda s: s.buy(1.0, 98.5), (100.0, 101.0, low, 100.0)) == [("buy", 1.0, 98.5)] * filled


@pytest.mark.parametrize(("high", "filled"), [(101.5, False), (101.51, True)])
def test_a_selling_limit_likewise(high: float, filled: bool) -> None:
    assert fills(lambda s: s.sell(1.0, 101.5), (100.0, high, 99.0, 100.0)) == [("sell", 1.0, 101.5)] * filled


def test_with_touch_a_limit_fills_when_the_bar_reaches_it() -> None:
    touch = FillSettings(fill_on=FillOn.TOUCH)
    assert fills(lambda s: s.buy(1.0, 98.5), (100.0, 101.0, 98.5, 100.0), settings=touch) == [("buy", 1.0, 98.5)]
    assert fills(lambda s: s.buy(1.0, 98.5), (100.0, 101.0, 98.51, 100.0), settings=touch) == []


def test_a_limit_that_the_open_has_passed_fills_at_the_open() -> None:
    assert fills(lambda s: s.buy(1.0, 98.5), (97.0, 99.0, 96.0, 98.0)) == [("buy", 1.0, 97.0)]
    assert fills(lambda s: s.sell(1.0, 98.5), (99.5, 100.0, 99.0, 99.0)) == [("sell", 1.0, 99.5)]


def test_a_limit_that_takes_at_its_first_open_is_a_taker_and_one_that_rested_a_maker() -> None:
    fees = FeeSchedule.percentage(Decimal("0.001"), Decimal("0.002"))
    rows = [FLAT, (98.0, 99.0, 97.0, 98.0), FLAT, (96.0, 97.0, 95.0, 96.0)]
    deeds: dict[int, Deed] = {0: lambda s: s.buy(1.0, 98.5), 1: lambda s: s.buy(1.0, 97.5)}
    result, _ = run_bars(on_bars(deeds), rows, fees=fees)
    assert [(trade.price, trade.liquidity) for trade in result.trades] == [
        (98.0, Liquidity.TAKER),
        (96.0, Liquidity.MAKER),
    ]
    assert [trade.fee for trade in result.trades] == [Decimal("0.196"), Decimal("0.096")]


def test_slippage_does_not_touch_limits() -> None:
    assert fills(lambda s: s.buy(1.0, 98.5), (100.0, 101.0, 97.0, 100.0), settings=SLIP) == [("buy", 1.0, 98.5)]


def test_a_post_only_order_that_would_take_ends_unfilled() -> None:
    deed: Deed = lambda s: s.buy(1.0, 98.5, post_only=True)  # noqa: E731
    result, strategy = run_bars(on_bars({0: deed}), [FLAT, (98.0, 99.0, 97.0, 98.0)])
    assert told(result) == []
    assert statuses(strategy)[-1] == (OrderStatus.EXPIRED, "post_only")


# --- stops and targets --------------------------------------------------------------------------------------------------


def test_a_stop_fills_at_its_trigger() -> None:
    assert fills(lambda s: s.buy(1.0, trigger_price=101.5), (100.0, 102.0, 99.0, 101.0)) == [("buy", 1.0, 101.5)]
    assert fills(lambda s: s.sell(1.0, trigger_price=98.5), (100.0, 101.0, 98.5, 99.0)) == [("sell", 1.0, 98.5)]
    assert fills(lambda s: s.sell(1.0, trigger_price=98.5), (100.0, 101.0, 98.51, 99.0)) == []


def test_a_stop_that_the_open_has_passed_fills_at_the_open() -> None:
    assert fills(lambda s: s.buy(1.0, trigger_price=101.5), (103.0, 104.0, 102.0, 103.0)) == [("buy", 1.0, 103.0)]
    assert fills(lambda s: s.sell(1.0, trigger_price=98.5), (97.0, 98.0, 96.0, 97.0)) == [("sell", 1.0, 97.0)]


def test_slippage_makes_a_stop_worse() -> None:
    assert fills(lambda s: s.buy(1.0, trigger_price=101.5), (100.0, 102.0, 99.0, 101.0), settings=SLIP) == [
        ("buy", 1.0, 101.8)
    ]


def test_a_stop_limit_set_off_inside_a_bar_rests_from_the_next_bar_on() -> None:
    deed: Deed = lambda s: s.buy(1.0, 101.6, trigger_price=101.5)  # noqa: E731
    assert fills(deed, (100.0, 102.0, 99.0, 101.0)) == []
    assert fills(deed, (100.0, 102.0, 99.0, 101.0), (102.0, 103.0, 101.0, 102.0)) == [("buy", 1.0, 101.6)]
    assert fills(deed, (100.0, 102.0, 99.0, 101.0), (101.0, 103.0, 101.0, 102.0)) == [("buy", 1.0, 101.0)]


def test_a_stop_limit_set_off_by_the_open_takes_at_the_open_within_its_limit() -> None:
    result, _ = run_bars(
        on_bars({0: lambda s: s.buy(1.0, 103.5, trigger_price=101.5)}), [FLAT, (103.0, 104.0, 102.0, 103.0)]
    )
    assert told(result) == [("buy", 1.0, 103.0)]
    assert result.trades[0].venue_time_ns == T0 + MINUTE_NS
    assert fills(lambda s: s.buy(1.0, 102.0, trigger_price=101.5), (103.0, 104.0, 102.5, 103.0)) == []


def test_a_take_profit_fills_at_its_trigger_or_a_better_open() -> None:
    deed: Deed = lambda s: s.sell(1.0, trigger_price=102.0, order_type=OrderType.TAKE_PROFIT)  # noqa: E731
    assert fills(deed, (100.0, 102.0, 99.0, 100.0)) == [("sell", 1.0, 102.0)]
    assert fills(deed, (103.0, 104.0, 102.0, 103.0)) == [("sell", 1.0, 103.0)]


def test_a_trailing_stop_follows_the_best_price_and_takes_a_bars_bad_end_first() -> None:
    deed: Deed = lambda s: s.sell(1.0, trailing_offset=2.0)  # noqa: E731
    rising = (100.0, 105.0, 99.0, 104.0)
    assert fills(deed, rising) == []
    assert fills(deed, rising, (104.0, 104.0, 102.9, 103.0)) == [("sell", 1.0, 103.0)]
    assert fills(deed, (100.0, 105.0, 98.0, 104.0)) == [("sell", 1.0, 98.0)]
    assert fills(deed, rising, (102.0, 103.0, 101.0, 102.0)) == [("sell", 1.0, 102.0)]
    assert fills(deed, (100.0, 100.0, 99.0, 100.0), (110.0, 110.0, 107.5, 108.0)) == [("sell", 1.0, 108.0)]


def bracket(strategy: Strategy) -> None:
    strategy.sell(1.0, trigger_price=98.0)
    strategy.sell(1.0, 102.0)


def cancel_rest(strategy: Strategy, trade: TradeData) -> None:
    if str(trade.side) == "sell":
        strategy.cancel_all()


def test_stop_and_target_in_one_bar_are_filled_stop_first_and_the_strategy_can_cancel_the_target() -> None:
    deeds: dict[int, Deed] = {0: lambda s: s.buy(1.0), 1: bracket}
    rows = [FLAT, FLAT, (100.0, 103.0, 97.0, 100.0)]
    result, strategy = run_bars(on_bars(deeds, cancel_rest), rows)
    assert told(result) == [("buy", 1.0, 100.0), ("sell", 1.0, 98.0)]
    assert statuses(strategy)[-1][0] is OrderStatus.CANCELLED
    result, _ = run_bars(on_bars(deeds), rows)
    assert told(result) == [("buy", 1.0, 100.0), ("sell", 1.0, 98.0), ("sell", 1.0, 102.0)]


def test_a_bracket_sent_when_the_entry_fills_at_the_open_works_in_the_same_bar() -> None:
    def enter(strategy: Strategy, trade: TradeData) -> None:
        if str(trade.side) == "buy":
            bracket(strategy)

    result, _ = run_bars(on_bars({0: lambda s: s.buy(1.0)}, enter), [FLAT, (100.0, 103.0, 99.0, 100.0)])
    assert told(result) == [("buy", 1.0, 100.0), ("sell", 1.0, 102.0)]


def test_a_bracket_sent_at_the_open_that_the_open_has_passed_already_fills_at_the_open() -> None:
    for terms in ({"trigger_price": 100.5}, {"price": 99.5}):

        def enter(strategy: Strategy, trade: TradeData, terms: dict[str, float] = terms) -> None:
            if str(trade.side) == "buy":
                strategy.sell(1.0, **terms)  # type: ignore[arg-type]

        result, _ = run_bars(on_bars({0: lambda s: s.buy(1.0)}, enter), [FLAT, FLAT])
        assert told(result) == [("buy", 1.0, 100.0), ("sell", 1.0, 100.0)]


def test_what_happens_inside_a_bar_is_dated_just_before_its_close() -> None:
    result, _ = run_bars(on_bars({0: lambda s: s.buy(1.0, 98.5)}), [FLAT, (100.0, 101.0, 97.0, 100.0)])
    assert result.trades[0].venue_time_ns == T0 + 2 * MINUTE_NS - 1


# --- volume, time in force, reduce-only ---------------------------------------------------------------------------------


def test_an_order_gets_at_most_its_share_of_each_bars_volume() -> None:
    share = FillSettings(max_volume_share=0.1)
    rows = [(100.0, 101.0, 99.0, 100.0, 20.0), (101.0, 102.0, 99.0, 100.0, 5.0)]
    assert fills(lambda s: s.buy(2.25), *rows, settings=share) == [("buy", 2.0, 100.0), ("buy", 0.25, 101.0)]
    assert fills(lambda s: s.buy(2.75), *rows, settings=share) == [("buy", 2.0, 100.0), ("buy", 0.5, 101.0)]


def test_an_order_takes_its_share_of_a_bar_once() -> None:
    share, rows = FillSettings(max_volume_share=0.1), [(98.0, 99.0, 97.0, 98.0, 10.0), (98.0, 99.0, 97.0, 98.0, 10.0)]
    assert fills(lambda s: s.buy(3.0, 99.5), *rows, settings=share) == [("buy", 1.0, 98.0)] * 2


def test_ioc_takes_what_the_open_gives_and_ends() -> None:
    share = FillSettings(max_volume_share=0.1)
    rows = [FLAT, (100.0, 101.0, 97.0, 100.0, 10.0), FLAT]
    for price in (0.0, 100.5):
        deed: Deed = lambda s, price=price: s.buy(2.0, price, time_in_force=TimeInForce.IOC)  # noqa: E731
        result, strategy = run_bars(on_bars({0: deed}), rows, fills=share)
        assert told(result) == [("buy", 1.0, 100.0)]
        assert statuses(strategy)[-1] == (OrderStatus.EXPIRED, "ioc")
    missed, strategy = run_bars(on_bars({0: lambda s: s.buy(2.0, 98.0, time_in_force=TimeInForce.IOC)}), rows)
    assert told(missed) == []
    assert statuses(strategy)[-1] == (OrderStatus.EXPIRED, "ioc")


def test_fok_takes_all_or_nothing() -> None:
    deed: Deed = lambda s: s.buy(2.0, time_in_force=TimeInForce.FOK)  # noqa: E731
    share = FillSettings(max_volume_share=0.1)
    assert fills(deed, (100.0, 101.0, 97.0, 100.0, 10.0), settings=share) == []
    assert fills(deed, (100.0, 101.0, 97.0, 100.0, 20.0), settings=share) == [("buy", 2.0, 100.0)]


def test_gtd_ends_before_a_bar_that_outlasts_it_can_fill_inside() -> None:
    expiry = T0 + 2 * MINUTE_NS + 30_000_000_000
    deed: Deed = lambda s: s.buy(1.0, 98.5, time_in_force=TimeInForce.GTD, expire_time_ns=expiry)  # noqa: E731
    low = (100.0, 101.0, 97.0, 100.0)
    assert fills(deed, low) == [("buy", 1.0, 98.5)]
    result, strategy = run_bars(on_bars({0: deed}), [FLAT, FLAT, low])
    assert told(result) == []
    assert statuses(strategy)[-1] == (OrderStatus.EXPIRED, "gtd")
    assert strategy.orders[-1].venue_time_ns == expiry
    assert fills(deed, FLAT, (98.0, 101.0, 97.0, 100.0)) == [("buy", 1.0, 98.0)]


def test_day_orders_end_at_midnight_utc() -> None:
    minutes = 1440 - T0 // MINUTE_NS % 1440
    deed: Deed = lambda s: s.buy(1.0, 98.5, time_in_force=TimeInForce.DAY)  # noqa: E731
    low = (100.0, 101.0, 97.0, 100.0)
    result, strategy = run_bars(on_bars({0: deed}), [FLAT] * minutes + [low])
    assert told(result) == []
    assert statuses(strategy)[-1] == (OrderStatus.EXPIRED, "day")
    result, _ = run_bars(on_bars({0: deed}), [FLAT] * (minutes - 1) + [low])
    assert told(result) == [("buy", 1.0, 98.5)]


def test_reduce_only_never_turns_a_position_round() -> None:
    deeds: dict[int, Deed] = {
        0: lambda s: s.buy(1.0),
        1: lambda s: (s.sell(1.0, 102.0, reduce_only=True), s.sell(0.4)),
    }
    result, _ = run_bars(on_bars(deeds), [FLAT, FLAT, FLAT, (100.0, 103.0, 99.0, 100.0)])
    assert told(result) == [("buy", 1.0, 100.0), ("sell", 0.4, 100.0), ("sell", 0.6, 102.0)]


# --- latency ------------------------------------------------------------------------------------------------------------


def test_an_order_that_arrives_after_the_open_waits_for_the_next_one() -> None:
    rows = [FLAT, (101.0, 102.0, 97.0, 101.0), (103.0, 104.0, 102.0, 103.0)]
    for deed, price in ((lambda s: s.buy(1.0), 103.0), (lambda s: s.buy(1.0, 103.5), 103.0)):
        result, _ = run_bars(on_bars({0: deed}), rows, latency_ns=5_000_000)
        assert told(result) == [("buy", 1.0, price)]
        assert result.trades[0].venue_time_ns == T0 + 2 * MINUTE_NS


def test_an_order_that_arrives_while_the_market_is_closed_is_there_at_the_next_open() -> None:
    result, _ = run_bars(
        on_bars({0: lambda s: s.buy(1.0)}), [FLAT, FLAT], latency_ns=5_000_000, open_for_ns=MINUTE_NS // 2
    )
    assert result.trades[0].venue_time_ns == T0 + MINUTE_NS


def test_a_fill_is_heard_after_the_latency() -> None:
    seen: list[int] = []
    strategy = on_bars({0: lambda s: s.buy(1.0)}, lambda s, _trade: seen.append(s.clock.now_ns()))
    run_bars(strategy, [FLAT, FLAT, FLAT], latency_ns=5_000_000)
    assert seen == [T0 + 2 * MINUTE_NS + 5_000_000]


def test_a_cancel_that_arrives_too_late_does_not_save_the_order() -> None:
    deeds: dict[int, Deed] = {0: lambda s: s.buy(1.0, 98.5), 2: lambda s: s.cancel_all()}
    low = (98.0, 101.0, 97.0, 100.0)
    late, _ = run_bars(on_bars(deeds), [FLAT, FLAT, FLAT, low], latency_ns=5_000_000)
    assert told(late) == [("buy", 1.0, 98.0)]
    in_time, _ = run_bars(on_bars(deeds), [FLAT, FLAT, FLAT, low])
    assert told(in_time) == []


def test_bars_heard_late_are_acted_on_late() -> None:
    rows = [FLAT, (101.0, 102.0, 97.0, 101.0), (103.0, 104.0, 102.0, 103.0)]
    result, _ = run_bars(on_bars({0: lambda s: s.buy(1.0)}), rows, feed_latency_ns=1_000_000)
    assert told(result) == [("buy", 1.0, 103.0)]


# --- the end ------------------------------------------------------------------------------------------------------------


def test_an_open_position_is_marked_at_the_last_close_and_not_closed() -> None:
    result, _ = run_bars(on_bars({0: lambda s: s.buy(2.0)}), [FLAT, FLAT, (100.0, 112.0, 99.0, 110.0)])
    assert len(result.trades) == 1
    assert result.end_balance == Decimal(1_000_020)
    assert result.equity.tolist() == [1_000_000.0, 1_000_000.0, 1_000_020.0]


def test_timers_fire_at_their_own_time_between_bars() -> None:
    seen: list[int] = []

    class Timed(Strategy):
        def on_start(self) -> None:
            self.set_timer("late", 90.0)

        def on_bar(self, bar: object) -> None:
            """Hear bars."""

        def on_timer(self, timer: object) -> None:
            seen.append(self.clock.now_ns())

    run_bars(Timed, [FLAT, FLAT, FLAT])
    assert seen == [T0 + 90_000_000_000]
