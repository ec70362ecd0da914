"""Every order type and time in force, told as small stories; each runs on the fast venue and on its naive twin."""

import pytest

from foxtrot.domain.enums import OrderStatus, OrderType, Side, TimeInForce
from foxtrot.exchange.events import OrderCancelled, OrderExpired, OrderTriggered, TradePrinted
from foxtrot.exchange.result import ResultCode
from foxtrot.exchange.tape import DAY_NS
from tests.support.instruments import a_spot
from tests.support.trading_floor import TradingFloor
from tests.support.twin_venue import TwinVenue

STOP, STOP_LIMIT, TRAILING = OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP
PROFIT, PROFIT_LIMIT = OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT


@pytest.fixture
def floor() -> TradingFloor:
    return TradingFloor(a_spot(), venue_class=TwinVenue)


def last_price(floor: TradingFloor, price: int) -> None:
    """Make a trade of one unit at a price between two bystanders."""
    floor.sell("left", 1, price)
    floor.buy("right", 1, price)


def status(floor: TradingFloor, account: str, order_id: int) -> OrderStatus:
    report = floor.venue.order(account, floor.name, order_id)
    assert report is not None
    return report.status


def test_a_limit_trades_at_the_resting_price_and_the_older_order_comes_first(floor: TradingFloor) -> None:
    floor.sell("first", 5, 100)
    floor.sell("second", 5, 100)
    floor.sell("cheap", 5, 99)
    floor.buy("taker", 12, 101)
    assert floor.trades() == [(99, 5), (100, 5), (100, 2)]
    assert floor.book() == ([], [("second", 3, 100)])


def test_a_limit_that_is_not_filled_rests_with_what_is_left(floor: TradingFloor) -> None:
    floor.sell("maker", 5, 100)
    floor.buy("taker", 8, 100)
    assert floor.book() == ([("taker", 3, 100)], [])


def test_a_market_order_sweeps_and_what_finds_nobody_expires(floor: TradingFloor) -> None:
    floor.sell("maker", 5, 100)
    floor.sell("maker", 5, 103)
    order = floor.buy("taker", 12).order_id
    assert floor.trades() == [(100, 5), (103, 5)]
    assert status(floor, "taker", order) is OrderStatus.EXPIRED
    assert floor.told(OrderExpired)[0].reason == "no_liquidity"


def test_an_immediate_or_cancel_order_never_rests(floor: TradingFloor) -> None:
    floor.sell("maker", 5, 100)
    floor.buy("taker", 8, 100, time_in_force=TimeInForce.IOC)
    assert floor.trades() == [(100, 5)]
    assert floor.book() == ([], [])


def test_a_fill_or_kill_order_is_filled_whole_or_refused(floor: TradingFloor) -> None:
    floor.sell("maker", 5, 100)
    floor.sell("maker", 5, 101)
    assert floor.buy("taker", 11, 101, time_in_force=TimeInForce.FOK).code is ResultCode.MATCHING_FOK
    assert floor.trades() == []
    assert floor.buy("taker", 10, 101, time_in_force=TimeInForce.FOK).ok
    assert floor.trades() == [(100, 5), (101, 5)]


def test_a_fill_or_kill_order_counts_what_icebergs_hide(floor: TradingFloor) -> None:
    floor.sell("maker", 50, 100, display_quantity=5)
    assert floor.buy("taker", 50, 100, time_in_force=TimeInForce.FOK).ok
    assert floor.book() == ([], [])


def test_a_good_till_date_order_ends_at_its_time_and_not_before(floor: TradingFloor) -> None:
    order = floor.buy("a", 5, 100, time_in_force=TimeInForce.GTD, expire_time_ns=1_000).order_id
    assert floor.venue.next_timer_ns() == 1_000
    floor.wait_until(999)
    assert status(floor, "a", order) is OrderStatus.ACCEPTED
    floor.wait_until(5_000)
    assert status(floor, "a", order) is OrderStatus.EXPIRED
    assert floor.told(OrderExpired)[0].time_ns == 1_000
    assert floor.venue.next_timer_ns() is None


def test_a_day_order_of_a_market_without_closing_ends_at_midnight(floor: TradingFloor) -> None:
    order = floor.buy("a", 5, 100, time_in_force=TimeInForce.DAY).order_id
    floor.wait_until(DAY_NS - 1)
    assert status(floor, "a", order) is OrderStatus.ACCEPTED
    floor.wait_until(DAY_NS)
    assert status(floor, "a", order) is OrderStatus.EXPIRED


def test_a_post_only_order_rests_or_is_refused(floor: TradingFloor) -> None:
    floor.sell("maker", 5, 100)
    assert floor.buy("a", 5, 100, post_only=True).code is ResultCode.MATCHING_POST_ONLY
    assert floor.buy("a", 5, 99, post_only=True).ok
    assert floor.trades() == []


def test_an_iceberg_shows_a_part_and_every_refill_goes_to_the_back(floor: TradingFloor) -> None:
    floor.sell("ice", 12, 100, display_quantity=5)
    floor.sell("plain", 5, 100)
    assert floor.book()[1] == [("ice", 5, 100), ("plain", 5, 100)]
    floor.buy("taker", 5, 100)
    assert floor.book()[1] == [("plain", 5, 100), ("ice", 5, 100)]
    floor.buy("taker", 11, 100)
    assert floor.book()[1] == [("ice", 1, 100)]
    assert [row[1] for row in floor.venue.depth(floor.name)[2]] == [1]


@pytest.mark.parametrize(
    ("side", "order_type", "trigger", "quiet", "loud"),
    [
        (Side.BUY, STOP, 105, 104, 105),
        (Side.SELL, STOP, 95, 96, 95),
        (Side.BUY, PROFIT, 95, 96, 95),
        (Side.SELL, PROFIT, 105, 104, 105),
    ],
)
def test_a_conditional_order_wakes_when_the_last_trade_reaches_its_trigger(
    floor: TradingFloor, side: Side, order_type: OrderType, trigger: int, quiet: int, loud: int
) -> None:
    floor.buy("maker", 10, 50)
    floor.sell("maker", 10, 150)
    last_price(floor, 100)
    floor.place("a", side, 3, order_type=order_type, trigger_price=trigger)
    last_price(floor, quiet)
    assert not floor.told(OrderTriggered)
    last_price(floor, loud)
    assert len(floor.told(OrderTriggered)) == 1
    assert floor.trades()[-1] == (150 if side is Side.BUY else 50, 3)


def test_a_triggered_stop_limit_rests_at_its_limit(floor: TradingFloor) -> None:
    floor.buy("a", 3, 104, order_type=STOP_LIMIT, trigger_price=105)
    floor.sell("b", 3, 96, order_type=PROFIT_LIMIT, trigger_price=110)
    last_price(floor, 105)
    assert floor.book() == ([("a", 3, 104)], [])


def test_a_stop_whose_trigger_is_reached_already_works_at_once(floor: TradingFloor) -> None:
    last_price(floor, 100)
    floor.sell("maker", 5, 110)
    floor.buy("a", 3, order_type=STOP, trigger_price=99)
    assert floor.trades()[-1] == (110, 3)


def test_stops_wake_oldest_first_and_their_trades_wake_others(floor: TradingFloor) -> None:
    for price in (105, 106, 107):
        floor.sell("maker", 1, price)
    floor.buy("late", 1, order_type=STOP, trigger_price=106)
    floor.buy("early", 1, order_type=STOP, trigger_price=105)
    floor.buy("starter", 1, 105)
    assert floor.trades() == [(105, 1), (106, 1), (107, 1)]
    assert [event.account for event in floor.told(OrderTriggered)] == ["early", "late"]


def test_a_sweep_shows_its_first_and_its_last_price_to_waiting_orders(floor: TradingFloor) -> None:
    floor.buy("maker", 9, 90)
    last_price(floor, 100)
    floor.sell("maker", 1, 97)
    floor.sell("maker", 1, 104)
    floor.sell("low", 1, order_type=STOP, trigger_price=98)
    floor.buy("taker", 2, 104)
    assert [event.account for event in floor.told(OrderTriggered)] == ["low"]


def test_a_trailing_stop_follows_the_best_price_and_fires_on_the_way_back(floor: TradingFloor) -> None:
    floor.buy("maker", 10, 50)
    last_price(floor, 100)
    order = floor.sell("a", 3, order_type=TRAILING, trailing_offset=5).order_id
    for price, trigger in ((104, 99), (102, 99), (110, 105)):
        last_price(floor, price)
        report = floor.venue.order("a", floor.name, order)
        assert report is not None
        assert report.trigger_price == trigger
    last_price(floor, 106)
    assert not floor.told(OrderTriggered)
    last_price(floor, 105)
    assert floor.trades()[-1] == (50, 3)


def test_a_trailing_stop_entered_before_any_trade_starts_at_the_first(floor: TradingFloor) -> None:
    floor.sell("maker", 10, 300)
    floor.buy("a", 3, order_type=TRAILING, trailing_offset=5)
    last_price(floor, 100)
    last_price(floor, 90)
    last_price(floor, 95)
    assert floor.trades()[-1] == (300, 3)


def test_a_triggered_order_that_cannot_be_paid_is_cancelled(floor: TradingFloor) -> None:
    floor.open("poor")
    floor.sell("maker", 5, 100)
    floor.buy("poor", 10**15, order_type=STOP, trigger_price=100)
    floor.sell("deep", 10**9, 10**12 + 7)
    floor.buy("starter", 5, 100)
    cancelled = floor.told(OrderCancelled)
    assert [(event.account, event.reason) for event in cancelled] == [("poor", "account.insufficient_balance")]


def test_public_trades_name_the_side_that_took(floor: TradingFloor) -> None:
    floor.sell("maker", 1, 100)
    floor.buy("taker", 1, 100)
    floor.buy("maker", 1, 100)
    floor.sell("taker", 1)
    assert [event.aggressor for event in floor.told(TradePrinted)] == [Side.BUY, Side.SELL]


@pytest.mark.parametrize("quantity", [5, 6])
def test_a_fill_or_kill_order_may_expire_instead_of_being_refused(floor: TradingFloor, quantity: int) -> None:
    floor.sell("maker", 5, 100)
    result = floor.buy("taker", quantity, 100, time_in_force=TimeInForce.FOK, expire_unfillable=True)
    assert result.ok
    filled = quantity == 5
    assert status(floor, "taker", result.order_id) is (OrderStatus.FILLED if filled else OrderStatus.EXPIRED)
    assert [event.reason for event in floor.told(OrderExpired)] == ([] if filled else ["fok"])
    assert floor.trades() == ([(100, 5)] if filled else [])
