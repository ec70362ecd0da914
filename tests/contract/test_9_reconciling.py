"""Promise 9: what a reconciliation asks is answered: one order, all open orders, fills since a cursor; absence only when proved."""

from foxtrot.core.notices import OpenOrdersLoaded, OrderMissing, RequestFailed, TradesLoaded
from foxtrot.domain.enums import OrderStatus, Side
from foxtrot.domain.order import OrderData
from tests.support.contract_rig import ContractRig

NOBODYS = "F-tester-0000000001-z"
"""An id of ours that no venue has ever seen."""


def told(rig: ContractRig, order_id: str, instrument_id: str = "") -> OrderData:
    """Ask for one order, and return the last of what is told of it."""
    before = len(rig.heard)
    rig.adapter.query_order(order_id, instrument_id or rig.spot.instrument_id)
    rig.settle()
    return [order for order in rig.heard.of(OrderData, before) if order.order_id == order_id][-1]


def test_9_one_order_that_rests_is_told_though_nothing_of_it_is_new(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send()
    assert told(rig, order_id).status is OrderStatus.ACCEPTED
    assert told(rig, order_id).status is OrderStatus.ACCEPTED


def test_9_one_order_that_was_filled_is_told_with_what_was_filled(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send(Side.BUY, 1_000, 10_100)
    order = told(rig, order_id)
    assert (order.status, order.filled_quantity, order.quantity) == (OrderStatus.FILLED, 1.0, 1.0)


def test_9_one_order_that_was_cancelled_while_nobody_listened_is_told(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send()
    rig.lose_link("cable pulled")
    rig.cancel_elsewhere(order_id)
    rig.restore_link()
    assert told(rig, order_id).status is OrderStatus.CANCELLED


def test_9_one_order_of_an_earlier_adapter_is_told(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send()
    rig.adapter.close()
    rig.new_adapter()
    rig.connect()
    order = told(rig, order_id)
    assert (order.status, order.order_id, order.side, order.quantity) == (
        OrderStatus.ACCEPTED, order_id, Side.BUY, 1.0,
    )  # fmt: skip


def test_9_one_order_that_somebody_else_placed_is_told(rig: ContractRig) -> None:
    rig.connect()
    rig.place_elsewhere("web_1", Side.BUY, 9_950, 1_000)
    rig.settle()
    assert told(rig, "web_1").status is OrderStatus.ACCEPTED


def test_9_that_there_is_no_such_order_is_told_only_past_the_bound(rig: ContractRig) -> None:
    rig.connect()
    before, bound_s, waited_s = len(rig.heard), rig.capabilities.unknown_bound_s, 0.0
    name = rig.spot.instrument_id
    rig.adapter.query_order(NOBODYS, name)
    rig.settle()
    while waited_s < bound_s:
        assert rig.heard.of(OrderMissing, before) == []
        assert rig.heard.of(RequestFailed, before)[-1].what == f"order {NOBODYS}"
        rig.advance(bound_s / 2 + 0.1)
        waited_s += bound_s / 2 + 0.1
        rig.adapter.query_order(NOBODYS, name)
        rig.settle()
    (missing,) = rig.heard.of(OrderMissing, before)
    assert (missing.order_id, missing.account, missing.instrument_id) == (NOBODYS, rig.account, name)
    assert [order for order in rig.heard.of(OrderData, before) if order.order_id == NOBODYS] == []


def test_9_one_order_cannot_be_asked_for_without_a_link(rig: ContractRig) -> None:
    rig.adapter.query_order(NOBODYS, rig.spot.instrument_id)
    rig.settle()
    assert [failure.what for failure in rig.heard.of(RequestFailed)] == [f"order {NOBODYS}"]


def test_9_the_question_for_one_order_returns_at_once(rig: ContractRig) -> None:
    rig.connect()
    with rig.held():
        assert rig.returns(lambda: rig.adapter.query_order(NOBODYS, rig.spot.instrument_id))


def test_9_the_list_of_open_orders_is_complete(rig: ContractRig) -> None:
    rig.connect()
    ours = {rig.send(), rig.send(Side.SELL, 1_000, 10_150)}
    rig.place_elsewhere("web_1", Side.BUY, 9_940, 1_000)
    rig.settle()
    before = len(rig.heard)
    rig.adapter.query_orders()
    rig.settle()
    (listed,) = rig.heard.of(OpenOrdersLoaded, before)
    assert {order.order_id for order in listed.orders} == {*ours, "web_1"} == rig.open_orders()


def test_9_fills_since_a_cursor_begin_with_that_of_the_cursor(rig: ContractRig) -> None:
    rig.connect()
    for _ in range(3):
        rig.send(Side.BUY, 1_000, 10_100)
        rig.advance(1.0)
    rig.adapter.query_trades(0)
    rig.settle()
    every = rig.heard.of(TradesLoaded)[-1].trades
    ours = [trade for trade in every if trade.order_id.startswith("t-1-")]
    assert len(ours) == 3
    before = len(rig.heard)
    rig.adapter.query_trades(ours[1].venue_time_ns)
    rig.settle()
    (loaded,) = rig.heard.of(TradesLoaded, before)
    assert loaded.since_ns == ours[1].venue_time_ns
    assert [trade.trade_id for trade in loaded.trades] == [trade.trade_id for trade in ours[1:]]
