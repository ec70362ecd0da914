"""A report or fill under the id of one of our orders that cannot be about it is not believed (a venue that lies)."""

import pytest

from foxtrot.core.notices import OrderChanged, RequestFailed, TradeBooked
from foxtrot.domain.enums import OrderStatus, Side
from tests.support.builders import ACCOUNT, TradingFloor, a_perpetual, a_request, a_tick, a_trade, an_order

ID = "BTCUSDT.PERP"
WRONG = [{"instrument_id": "ETHUSDT.PERP"}, {"side": Side.SELL}, {"quantity": 2.0}]


@pytest.fixture
def floor() -> TradingFloor:
    made = TradingFloor(a_perpetual(), a_perpetual("ETHUSDT"))
    made.put(a_tick(), a_tick("ETHUSDT.PERP"))
    return made


@pytest.mark.parametrize("terms", WRONG)
def test_the_answer_to_an_order_that_speaks_of_another_leaves_its_outcome_unknown(
    floor: TradingFloor, terms: dict[str, object]
) -> None:
    order = floor.send(a_request(Side.BUY, 1.0, 100.0))
    floor.put(an_order(order.order_id, OrderStatus.FILLED, 1.0, 100.0, **terms))
    after = floor.desk.order(order.order_id)
    assert after is not None
    assert (after.status, after.rule, after.filled_quantity) == (OrderStatus.UNKNOWN, "echo", 0.0)
    (alarm,) = floor.heard(RequestFailed)
    assert isinstance(alarm, RequestFailed)
    assert (alarm.account, alarm.what) == (ACCOUNT, f"echo of {order.order_id}")
    assert "where buy 1.0 BTCUSDT.PERP was sent" in alarm.error
    assert floor.send(a_request(Side.BUY, 0.5, 100.0)).rule == "unknown_order"
    floor.put(an_order(order.order_id))
    assert floor.desk.order(order.order_id).status is OrderStatus.ACCEPTED  # type: ignore[union-attr]


def test_an_order_that_was_told_rightly_stays_so_and_the_false_report_changes_nothing(floor: TradingFloor) -> None:
    order = floor.send(a_request(Side.BUY, 1.0, 100.0))
    floor.put(an_order(order.order_id))
    heard = len(floor.heard(OrderChanged))
    floor.put(an_order(order.order_id, OrderStatus.FILLED, 2.0, 100.0, quantity=2.0))
    assert len(floor.heard(OrderChanged)) == heard
    assert floor.desk.order(order.order_id).status is OrderStatus.ACCEPTED  # type: ignore[union-attr]
    assert floor.desk.echo.alarms == 1


@pytest.mark.parametrize("terms", WRONG)
def test_a_fill_that_cannot_be_of_the_order_it_names_is_not_counted(
    floor: TradingFloor, terms: dict[str, object]
) -> None:
    order = floor.send(a_request(Side.BUY, 1.0, 100.0))
    floor.put(a_trade(order.order_id, **({"quantity": 1.0} | terms)))
    assert floor.heard(TradeBooked) == []
    assert floor.portfolio.net_position(ACCOUNT, ID) is None


def test_what_the_adapter_itself_denies_is_believed_though_it_tells_no_figures(floor: TradingFloor) -> None:
    order = floor.send(a_request(Side.BUY, 1.0, 100.0))
    floor.put(an_order(order.order_id, OrderStatus.DENIED, quantity=0.0))
    assert floor.desk.order(order.order_id).status is OrderStatus.DENIED  # type: ignore[union-attr]
    assert floor.desk.echo.alarms == 0


def test_orders_of_other_people_are_told_as_they_please(floor: TradingFloor) -> None:
    floor.put(an_order("web_1"), an_order("web_1", quantity=3.0))
    assert floor.desk.echo.alarms == 0


def test_a_reduce_only_order_may_be_told_smaller_for_venues_make_it_so_when_the_position_shrinks(
    floor: TradingFloor,
) -> None:
    floor.hold(1000)
    order = floor.send(a_request(Side.SELL, 1.0, 110.0, reduce_only=True))
    same = {"side": Side.SELL, "price": 110.0}
    floor.put(an_order(order.order_id, OrderStatus.ACCEPTED, quantity=0.6, **same))
    floor.put(an_order(order.order_id, OrderStatus.CANCELLED, quantity=0.6, **same))
    assert floor.desk.order(order.order_id).status is OrderStatus.CANCELLED  # type: ignore[union-attr]
    assert floor.desk.echo.alarms == 0
    larger = floor.send(a_request(Side.SELL, 1.0, 110.0, reduce_only=True))
    floor.put(an_order(larger.order_id, OrderStatus.ACCEPTED, quantity=1.4, **same))
    assert floor.desk.echo.alarms == 1


def test_that_the_adapter_does_not_know_is_believed_though_it_tells_no_figures(floor: TradingFloor) -> None:
    order = floor.send(a_request(Side.BUY, 1.0, 100.0))
    floor.put(an_order(order.order_id, OrderStatus.UNKNOWN, quantity=0.0))
    assert floor.desk.order(order.order_id).status is OrderStatus.UNKNOWN  # type: ignore[union-attr]
    assert floor.desk.echo.alarms == 0
    assert floor.heard(RequestFailed) == []
