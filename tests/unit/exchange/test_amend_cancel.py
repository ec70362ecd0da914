"""Amending, cancelling and self-trade prevention; each story runs on the fast venue and on its naive twin."""

from decimal import Decimal

import pytest

from foxtrot.domain.enums import OrderStatus, OrderType, SelfTradePrevention
from foxtrot.exchange.commands import AmendOrder, CancelOrder
from foxtrot.exchange.events import OrderAmended, OrderCancelled
from foxtrot.exchange.result import ResultCode
from tests.support.instruments import a_spot
from tests.support.trading_floor import TradingFloor
from tests.support.twin_venue import TwinVenue

STP = SelfTradePrevention


@pytest.fixture
def floor() -> TradingFloor:
    return TradingFloor(a_spot(), venue_class=TwinVenue)


def test_a_smaller_quantity_keeps_the_place(floor: TradingFloor) -> None:
    order = floor.buy("a", 10, 100).order_id
    floor.buy("b", 10, 100)
    assert floor.amend("a", order, quantity=4).ok
    assert floor.book()[0] == [("a", 4, 100), ("b", 10, 100)]


@pytest.mark.parametrize("change", [{"quantity": 11}, {"price": 101}, {"quantity": 5, "price": 99}])
def test_a_larger_quantity_or_another_price_loses_the_place(floor: TradingFloor, change: dict[str, int]) -> None:
    order = floor.buy("a", 10, 100).order_id
    floor.buy("b", 10, change.get("price", 100))
    assert floor.amend("a", order, **change).ok
    assert [row[0] for row in floor.book()[0]] == ["b", "a"]
    assert floor.told(OrderAmended)[0].price == change.get("price", 100)


def test_an_amended_price_may_trade_at_once(floor: TradingFloor) -> None:
    floor.sell("b", 4, 105)
    order = floor.buy("a", 10, 100).order_id
    floor.amend("a", order, price=105)
    assert floor.trades() == [(105, 4)]
    assert floor.book() == ([("a", 6, 105)], [])


def test_an_amended_post_only_order_may_not_take(floor: TradingFloor) -> None:
    floor.sell("b", 4, 105)
    order = floor.buy("a", 10, 100, post_only=True).order_id
    assert floor.amend("a", order, price=105).code is ResultCode.MATCHING_POST_ONLY
    assert floor.book()[0] == [("a", 10, 100)]


def test_the_quantity_may_not_fall_to_what_is_filled(floor: TradingFloor) -> None:
    order = floor.buy("a", 10, 100).order_id
    floor.sell("b", 4, 100)
    assert floor.amend("a", order, quantity=4).code is ResultCode.FILTER_QUANTITY_LOW
    assert floor.amend("a", order, quantity=5).ok
    assert floor.book()[0] == [("a", 1, 100)]


def test_amending_moves_the_lock_exactly(floor: TradingFloor) -> None:
    order = floor.buy("a", 10, 100).order_id
    assert floor.locked("a", "USDT") == Decimal("0.01")
    floor.amend("a", order, quantity=20, price=150)
    assert floor.locked("a", "USDT") == Decimal("0.03")
    floor.amend("a", order, quantity=1)
    assert floor.locked("a", "USDT") == Decimal("0.0015")
    assert floor.amend("a", order, quantity=10**15).code is ResultCode.ACCOUNT_INSUFFICIENT_BALANCE
    assert floor.locked("a", "USDT") == Decimal("0.0015")


def test_a_waiting_order_can_be_amended_and_cancelled(floor: TradingFloor) -> None:
    order = floor.buy("a", 10, 100, order_type=OrderType.STOP_LIMIT, trigger_price=99).order_id
    assert floor.amend("a", order, quantity=5, price=101).ok
    assert floor.locked("a", "USDT") == Decimal("0.00505")
    assert floor.cancel("a", order).ok
    assert floor.locked("a", "USDT") == 0


def test_a_cancelled_order_releases_its_lock_and_is_remembered(floor: TradingFloor) -> None:
    order = floor.buy("a", 10, 100).order_id
    floor.sell("b", 3, 100)
    assert floor.cancel("a", order).ok
    assert floor.locked("a", "USDT") == 0
    report = floor.venue.order("a", floor.name, order)
    assert report is not None
    assert (report.status, report.filled, report.cost) == (OrderStatus.CANCELLED, 3, 300)
    assert floor.cancel("a", order).code is ResultCode.ORDER_NOT_FOUND


def test_orders_are_found_by_the_customers_own_id_but_not_by_strangers(floor: TradingFloor) -> None:
    order = floor.buy("a", 10, 100, client_order_id="mine").order_id
    floor.open("b")
    assert floor.cancel("b", order).code is ResultCode.ORDER_NOT_FOUND
    assert floor.venue.execute(AmendOrder(9, "a", floor.name, 0, "mine", 4)).order_id == order
    assert floor.venue.execute(CancelOrder(9, "a", floor.name, 0, "mine")).ok


def test_cancel_all_leaves_other_accounts_alone(floor: TradingFloor) -> None:
    floor.buy("a", 10, 100)
    floor.sell("a", 10, 110, order_type=OrderType.STOP_LIMIT, trigger_price=90)
    floor.buy("b", 10, 100)
    assert floor.cancel_all("a").ok
    assert [event.order_id for event in floor.told(OrderCancelled)] == [1, 2]
    assert floor.book() == ([("b", 10, 100)], [])


@pytest.mark.parametrize(
    ("stp", "trades", "bids", "asks"),
    [
        (STP.NONE, [(100, 5), (100, 5)], [], [("other", 3, 100)]),
        (STP.CANCEL_NEWEST, [], [], [("me", 5, 100), ("other", 8, 100)]),
        (STP.CANCEL_OLDEST, [(100, 8)], [("me", 2, 100)], []),
        (STP.CANCEL_BOTH, [], [], [("other", 8, 100)]),
        (STP.DECREMENT, [(100, 5)], [], [("other", 3, 100)]),
    ],
)
def test_self_trade_prevention(
    floor: TradingFloor,
    stp: STP,
    trades: list[tuple[int, int]],
    bids: list[tuple[str, int, int]],
    asks: list[tuple[str, int, int]],
) -> None:
    floor.sell("me", 5, 100)
    floor.sell("other", 8, 100)
    floor.buy("me", 10, 100, stp=stp)
    assert floor.trades() == trades
    assert floor.book() == (bids, asks)


def test_decrement_lowers_the_larger_resting_order_in_its_place(floor: TradingFloor) -> None:
    floor.sell("me", 9, 100)
    floor.sell("other", 8, 100)
    floor.buy("me", 4, 100, stp=STP.DECREMENT)
    assert floor.book() == ([], [("me", 5, 100), ("other", 8, 100)])
    assert floor.told(OrderAmended)[0].quantity == 5


def test_the_accounts_own_setting_holds_where_the_order_says_nothing() -> None:
    floor = TradingFloor(a_spot(), venue_class=TwinVenue, account={"stp": STP.CANCEL_NEWEST})
    floor.sell("me", 5, 100)
    floor.buy("me", 5, 100)
    assert floor.trades() == []
    floor.buy("me", 5, 100, stp=STP.NONE)
    assert floor.trades() == [(100, 5)]
