"""Brackets in a backtest: the same protections as live, over bars and over ticks."""

from foxtrot.domain.enums import OrderType
from foxtrot.strategy.base import Strategy
from tests.unit.backtest.scripted import on_bars, run_bars, told

FLAT = (100.0, 101.0, 99.0, 100.0)
ENTRY = (100.0, 101.0, 99.0, 100.0)


def bracket(strategy: Strategy) -> None:
    strategy.buy(1.0, stop_loss=95.0, take_profit=110.0)


def test_the_stop_of_a_bracket_rests_at_the_venue_and_fills_inside_a_bar() -> None:
    result, strategy = run_bars(on_bars({0: bracket}), [FLAT, ENTRY, (99.0, 99.0, 94.0, 98.0), FLAT])
    assert told(result) == [("buy", 1.0, 100.0), ("sell", 1.0, 95.0)]
    assert strategy.position == 0.0
    assert strategy.open_orders() == []


def test_a_take_profit_is_taken_at_its_price_or_better_once_the_market_is_there() -> None:
    rows = [FLAT, ENTRY, (105.0, 111.0, 104.0, 110.5), (110.5, 112.0, 110.0, 111.0), FLAT]
    result, strategy = run_bars(on_bars({0: bracket}), rows)
    assert told(result) == [("buy", 1.0, 100.0), ("sell", 1.0, 110.5)]
    assert strategy.open_orders() == []


def test_a_take_profit_that_the_market_left_again_leaves_the_stop_in_place() -> None:
    rows = [FLAT, ENTRY, (105.0, 111.0, 104.0, 110.5), (105.0, 106.0, 104.0, 105.0), (100.0, 100.0, 94.0, 96.0), FLAT]
    result, strategy = run_bars(on_bars({0: bracket}), rows)
    assert told(result) == [("buy", 1.0, 100.0), ("sell", 1.0, 95.0)]
    kinds = [order.order_type for order in strategy.orders if order.order_id.startswith("R-")]
    assert kinds.count(OrderType.STOP) > 1


def test_the_same_bracket_gives_the_same_result_twice() -> None:
    rows = [FLAT, ENTRY, (105.0, 111.0, 104.0, 110.5), (105.0, 106.0, 104.0, 105.0), (100.0, 100.0, 94.0, 96.0), FLAT]
    runs = [run_bars(on_bars({0: bracket}), rows) for _ in range(2)]
    assert [o.order_id for o in runs[0][1].orders] == [o.order_id for o in runs[1][1].orders]


def test_a_local_trailing_stop_follows_bars() -> None:
    def trail(strategy: Strategy) -> None:
        strategy.buy(1.0, stop_loss=90.0, trailing_stop=5.0)

    rows = [FLAT, ENTRY, (101.0, 108.0, 101.0, 107.0), (106.0, 106.0, 104.0, 105.0), (102.0, 103.0, 101.0, 102.0), FLAT]
    result, strategy = run_bars(on_bars({0: trail}), rows)
    assert told(result)[0] == ("buy", 1.0, 100.0)
    assert told(result)[1][:2] == ("sell", 1.0)
    assert strategy.position == 0.0
    assert strategy.open_orders() == []
