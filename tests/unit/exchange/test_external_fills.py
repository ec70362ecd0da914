"""External matching: nothing meets inside; an outside fill model decides and the venue does the accounts."""

from decimal import Decimal

import pytest

from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, TimeInForce
from foxtrot.domain.fees import FeeSchedule
from foxtrot.exchange.commands import ExpireOrder, FillOrder, TriggerOrder
from foxtrot.exchange.events import Liquidated, OrderAccepted, OrderFilled, OrderTriggered, PositionChanged
from foxtrot.exchange.result import ResultCode as R
from foxtrot.exchange.venue import Venue
from tests.support.instruments import a_perpetual, a_spot
from tests.support.trading_floor import TradingFloor


@pytest.fixture
def floor() -> TradingFloor:
    return TradingFloor(
        a_perpetual(), matching="external", funds={"USDT": Decimal(1_000)}, account={"margin_checked": False}
    )


def fill(floor: TradingFloor, order_id: int, price: int, quantity: int) -> R:
    command = FillOrder(floor.tick(), floor.name, order_id, price, quantity, Liquidity.TAKER)
    code = floor.venue.execute(command).code
    floor.venue.validate()
    return code


def test_a_market_order_parks_until_it_is_filled(floor: TradingFloor) -> None:
    order = floor.buy("a", 1_000).order_id
    assert [type(event) for event in floor.events[-1:]] == [OrderAccepted]
    assert fill(floor, order, 10_000, 400) is R.OK
    assert fill(floor, order, 10_001, 600) is R.OK
    fills = floor.fills("a")
    assert [(e.fill_price, e.fill_quantity, e.filled, e.remaining) for e in fills] == [
        (10_000, 400, 400, 600),
        (10_001, 600, 1_000, 0),
    ]
    assert fills[-1].cost == 10_000 * 400 + 10_001 * 600
    assert len(floor.told(PositionChanged)) == 2
    assert fill(floor, order, 10_000, 1) is R.ORDER_NOT_FOUND


def test_crossing_orders_do_not_meet(floor: TradingFloor) -> None:
    floor.buy("a", 10, 110)
    floor.sell("b", 10, 100)
    assert floor.told(OrderFilled) == []
    assert len(floor.venue.open_orders("a")) == 1


def test_profit_comes_from_outside_and_money_still_adds_up(floor: TradingFloor) -> None:
    fill(floor, floor.buy("a", 1_000).order_id, 10_000, 1_000)
    fill(floor, floor.sell("a", 3_000).order_id, 11_000, 3_000)
    assert floor.total("a", "USDT") == Decimal(1_010)
    assert floor.venue.positions("a")[0].quantity == -2_000


@pytest.mark.parametrize(("price", "quantity", "code"), [
    (100, 11, R.FILTER_QUANTITY_HIGH), (100, 0, R.FILTER_QUANTITY_HIGH), (0, 5, R.FILTER_PRICE_MISSING),
])  # fmt: skip
def test_impossible_fills_are_refused(floor: TradingFloor, price: int, quantity: int, code: R) -> None:
    order = floor.buy("a", 10, 100).order_id
    assert fill(floor, order, price, quantity) is code
    assert floor.told(OrderFilled) == []


def test_a_stop_is_triggered_by_command_or_by_its_fill(floor: TradingFloor) -> None:
    first = floor.buy("a", 10, order_type=OrderType.STOP, trigger_price=105).order_id
    second = floor.buy("a", 10, order_type=OrderType.STOP, trigger_price=106).order_id
    assert floor.venue.execute(TriggerOrder(floor.tick(), floor.name, first)).ok
    assert floor.venue.execute(TriggerOrder(floor.tick(), floor.name, first)).code is R.ORDER_NOT_CONDITIONAL
    assert fill(floor, second, 106, 10) is R.OK
    assert [event.order_id for event in floor.told(OrderTriggered)] == [first, second]


def test_an_order_is_expired_amended_and_cancelled_where_it_parks(floor: TradingFloor) -> None:
    first = floor.buy("a", 10, 100, time_in_force=TimeInForce.IOC).order_id
    assert floor.venue.execute(ExpireOrder(floor.tick(), floor.name, first, "ioc")).ok
    report = floor.venue.order("a", floor.name, first)
    assert report is not None
    assert (report.status, report.reason) == (OrderStatus.EXPIRED, "ioc")
    second = floor.buy("a", 10, 100).order_id
    assert floor.amend("a", second, quantity=20, price=101).ok
    assert floor.cancel("a", second).ok


def test_markets_that_match_inside_take_no_fills() -> None:
    floor = TradingFloor(a_spot())
    order = floor.buy("a", 10, 100).order_id
    assert floor.venue.execute(FillOrder(9, floor.name, order, 100, 10)).code is R.MATCHING_EXTERNAL_ONLY
    assert floor.venue.execute(ExpireOrder(9, floor.name, order)).code is R.MATCHING_EXTERNAL_ONLY


def test_a_spot_market_order_that_cannot_be_paid_is_cancelled_at_its_fill() -> None:
    floor = TradingFloor(a_spot(), matching="external", funds={"USDT": Decimal(10)})
    order = floor.buy("a", 1_000).order_id
    assert fill(floor, order, 10_000, 1_000) is R.ACCOUNT_INSUFFICIENT_BALANCE
    assert floor.venue.open_orders("a") == ()
    fees = FeeSchedule.percentage(Decimal(0), Decimal("0.001"))
    floor = TradingFloor(a_spot(), matching="external", funds={"USDT": Decimal(101)}, fees=fees)
    assert fill(floor, floor.buy("a", 1_000).order_id, 10_000, 1_000) is R.OK
    assert floor.total("a", "USDT") == Decimal("0.9")


def test_a_margin_account_is_liquidated_at_the_last_fill_price() -> None:
    floor = TradingFloor(a_perpetual(), matching="external", funds={"USDT": Decimal(100)})
    fill(floor, floor.buy("a", 8_000).order_id, 10_000, 8_000)
    fill(floor, floor.buy("b", 1).order_id, 9_000, 1)
    assert [event.account for event in floor.told(Liquidated)] == ["a"]
    floor.venue.validate()


def test_a_snapshot_keeps_parked_orders(floor: TradingFloor) -> None:
    order = floor.buy("a", 10, order_type=OrderType.STOP, trigger_price=105).order_id
    restored = Venue.restore(floor.venue.snapshot(), floor.events.append)
    assert restored.state_hash() == floor.venue.state_hash()
    assert restored.execute(FillOrder(9, floor.name, order, 105, 10)).ok
    restored.validate()
