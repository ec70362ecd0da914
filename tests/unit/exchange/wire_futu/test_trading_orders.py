"""Orders: the path of their statuses, each type and time in force, modifying and cancelling."""

from decimal import Decimal
from importlib.util import find_spec

import pytest

from foxtrot.domain.enums import OrderType, TimeInForce
from tests.support.futu_trade_rig import (
    BOB,
    FILL_PUSH,
    MODIFY,
    ORDER_PUSH,
    PLACE,
    REAL,
    SELL,
    SIMULATE,
    TradeRig,
)

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")


@pytest.fixture
def rig() -> TradeRig:
    one = TradeRig()
    one.unlock()
    one.listen(REAL, SIMULATE)
    return one


def ask(rig: TradeRig, price: float = 400, qty: int = 100, **fields: object) -> str:
    """Let Bob offer stock."""
    return rig.place(BOB, trdSide=SELL, price=price, qty=qty, **fields)


def bid(rig: TradeRig, price: float = 400, qty: int = 100) -> str:
    return rig.place(BOB, price=price, qty=qty)


def test_the_answer_comes_before_the_pushes_that_the_order_causes(rig: TradeRig) -> None:
    rig.log.clear()
    rig.place()
    assert [(kind, proto_id) for kind, _, proto_id, _ in rig.log] == [
        ("answer", PLACE),
        ("push", ORDER_PUSH),
        ("push", ORDER_PUSH),
    ]


def test_a_resting_order_is_submitted_then_filled_in_parts_then_whole(rig: TradeRig) -> None:
    order_id = rig.place(qty=300)
    ask(rig, qty=100)
    ask(rig, qty=200)
    assert rig.path() == [2, 5, 10, 11]
    assert [s2c.order.fillQty for s2c in rig.told(ORDER_PUSH)] == [0, 0, 100, 300]
    assert {s2c.order.orderIDEx for s2c in rig.told(ORDER_PUSH)} == {order_id}
    fills = rig.told(FILL_PUSH)
    assert [(s2c.orderFill.qty, s2c.orderFill.price, s2c.orderFill.orderIDEx) for s2c in fills] == [
        (100, 400, order_id),
        (200, 400, order_id),
    ]
    assert len({s2c.orderFill.fillID for s2c in fills}) == 2


def test_an_order_is_pushed_before_its_fill(rig: TradeRig) -> None:
    ask(rig)
    rig.log.clear()
    rig.place()
    assert [proto_id for _, _, proto_id, _ in rig.log] == [PLACE, ORDER_PUSH, ORDER_PUSH, ORDER_PUSH, FILL_PUSH]


def test_a_simulate_account_is_told_of_orders_but_never_of_fills(rig: TradeRig) -> None:
    ask(rig)
    rig.place(SIMULATE)
    assert rig.path() == [2, 5, 11]
    assert rig.told(FILL_PUSH) == []
    assert rig.told(ORDER_PUSH)[-1].order.fillAvgPrice == 400


def test_the_row_of_an_order_says_all_that_the_sdk_reads(rig: TradeRig) -> None:
    order_id = rig.place(qty=300, price=399.8, remark="mine 一")
    ask(rig, price=399.8, qty=100)
    row = rig.row(order_id)
    assert (row.trdSide, row.orderType, row.orderStatus, row.code, row.qty, row.price) == (
        1,
        1,
        10,
        "00700",
        300,
        399.8,
    )
    assert (row.fillQty, row.fillAvgPrice, row.secMarket, row.trdMarket, row.currency) == (100, 399.8, 1, 1, 1)
    assert (row.remark, row.timeInForce, row.lastErrMsg) == ("mine 一", 0, "")
    assert (row.createTime, row.createTimestamp) == ("2026-03-10 10:00:00.000", rig.now_ns / 1e9)
    apple = rig.row(rig.place(code="AAPL"))
    assert (apple.secMarket, apple.trdMarket, apple.currency, apple.createTime[:19]) == (2, 2, 2, "2026-03-09 22:00:00")


@pytest.mark.parametrize(("filled", "path"), [(0, [13, 15]), (100, [12, 14])])
def test_a_cancel_passes_through_cancelling(rig: TradeRig, filled: int, path: list[int]) -> None:
    order_id = rig.place(qty=300)
    if filled:
        ask(rig, qty=filled)
    rig.log.clear()
    answer = rig.cancel(order_id)
    assert (answer.orderIDEx, answer.header.accID) == (order_id, REAL)
    assert rig.log[0][0] == "answer"
    assert rig.path() == path
    assert rig.row(order_id).orderStatus == path[-1]
    assert rig.refusal(MODIFY, rig.change(order_id)) == f"Order {order_id} has ended; it cannot be changed"


def test_the_order_is_found_by_its_extended_id_alone(rig: TradeRig) -> None:
    order_id = rig.place(code="AAPL")
    assert rig.change(order_id).header.trdMarket == 1, "the SDK names the account's first market, whatever the order's"
    rig.cancel(order_id)
    assert rig.refusal(MODIFY, rig.change("nonsense")) == "Order nonsense does not exist"
    bobs = bid(rig)
    assert rig.refusal(MODIFY, rig.change(bobs)) == f"Order {bobs} does not exist"
    assert rig.row(bobs, BOB).orderStatus == 5


def test_a_modification_sets_the_total_quantity_and_the_price(rig: TradeRig) -> None:
    order_id = rig.place(qty=300, price=390)
    ask(rig, price=390, qty=100)
    rig.log.clear()
    answer = rig.send(MODIFY, rig.change(order_id, operation=1, qty=500, price=391))
    assert answer.orderIDEx == order_id
    assert [(s2c.order.orderStatus, s2c.order.qty, s2c.order.price) for s2c in rig.told(ORDER_PUSH)] == [(10, 500, 391)]
    rig.send(MODIFY, rig.change(order_id, operation=1, qty=200, price=391))
    assert rig.row(order_id).qty == 200
    refused = rig.refusal(MODIFY, rig.change(order_id, operation=1, qty=100, price=391))
    assert refused.startswith(f"Order {order_id} cannot be modified")
    assert "lot size 100" in rig.refusal(MODIFY, rig.change(order_id, operation=1, qty=150, price=391))
    assert "price spread" in rig.refusal(MODIFY, rig.change(order_id, operation=1, qty=300, price=391.03))
    assert rig.refusal(MODIFY, rig.change(order_id, operation=3)) == "Modify operation 3 is not supported"


def test_a_modification_may_trade_at_once(rig: TradeRig) -> None:
    order_id = rig.place(price=390)
    ask(rig, price=400)
    rig.log.clear()
    rig.send(MODIFY, rig.change(order_id, operation=1, qty=100, price=400))
    assert rig.log[0][0] == "answer"
    assert rig.path() == [5, 11]


def test_all_orders_are_cancelled_or_those_of_a_market(rig: TradeRig) -> None:
    tencent, apple = rig.place(), rig.place(code="AAPL")
    bobs = bid(rig, price=390)
    answer = rig.send(MODIFY, rig.change(forAll=True, trdMarket=2))
    assert (answer.orderID, rig.row(tencent).orderStatus, rig.row(apple).orderStatus) == (0, 5, 15)
    rig.send(MODIFY, rig.change(forAll=True))
    assert rig.row(tencent).orderStatus == 15
    assert rig.row(bobs, BOB).orderStatus == 5
    simulated = rig.place(SIMULATE)
    refused = rig.refusal(MODIFY, rig.change(acc_id=SIMULATE, forAll=True))
    assert refused == "Simulated trade does not support cancelling all orders"
    assert rig.row(simulated, SIMULATE).orderStatus == 5


def test_a_packet_that_comes_again_is_dropped(rig: TradeRig) -> None:
    c2s = rig.order()
    rig.send(PLACE, c2s)
    assert (
        rig.refusal(PLACE, c2s)
        == f"Packet {c2s.packetID.serialNo} of connection 7001 was handled before; it is dropped"
    )
    assert len(rig.venue.open_orders("alice")) == 1
    c2s = rig.order()
    c2s.packetID.connID = 9
    assert rig.refusal(PLACE, c2s) == "Packet of connection 9, but this is connection 7001"


def test_a_market_order_takes_what_is_there_and_rests_never(rig: TradeRig) -> None:
    ask(rig, price=401, qty=100)
    order_id = rig.place(orderType=2, qty=300, price=0)
    row = rig.row(order_id)
    assert (row.orderStatus, row.fillQty, row.fillAvgPrice, row.lastErrMsg) == (
        14,
        100,
        401,
        "Nothing stands on the other side",
    )


@pytest.mark.parametrize(("order_type", "time_in_force"), [(1, 2), (8, 0)])
def test_immediate_orders_cancel_their_rest(rig: TradeRig, order_type: int, time_in_force: int) -> None:
    ask(rig, qty=100)
    order_id = rig.place(orderType=order_type, timeInForce=time_in_force, qty=300)
    assert (rig.row(order_id).orderStatus, rig.row(order_id).fillQty) == (14, 100)
    assert rig.path() == [2, 5, 10, 14]


def test_special_limit_all_fills_whole_or_not_at_all(rig: TradeRig) -> None:
    ask(rig, qty=200)
    order_id = rig.place(orderType=9, qty=300)
    assert (rig.row(order_id).orderStatus, rig.row(order_id).fillQty) == (15, 0)
    order_id = rig.place(orderType=9, qty=200)
    assert rig.row(order_id).orderStatus == 11


def test_an_absolute_limit_order_needs_exactly_its_price_or_fails_after_it_was_taken(rig: TradeRig) -> None:
    ask(rig, price=399.8)
    order_id = rig.place(orderType=5, price=400)
    row = rig.row(order_id)
    assert (row.orderStatus, row.fillQty) == (21, 0)
    assert row.lastErrMsg == "The opposite price is not exactly the price of the absolute limit order"
    assert rig.path() == [21]
    assert rig.row(rig.place(orderType=5, price=399.8)).orderStatus == 11


@pytest.mark.parametrize(
    ("order_type", "fields", "venue_type"),
    [
        (10, {"auxPrice": 410}, OrderType.STOP),
        (11, {"auxPrice": 410, "price": 411}, OrderType.STOP_LIMIT),
        (12, {"auxPrice": 390}, OrderType.TAKE_PROFIT),
        (13, {"auxPrice": 390, "price": 391}, OrderType.TAKE_PROFIT_LIMIT),
        (14, {"trailType": 2, "trailValue": 5}, OrderType.TRAILING_STOP),
    ],
)
def test_conditional_orders_wait_for_their_price(
    rig: TradeRig, order_type: int, fields: dict[str, float], venue_type: OrderType
) -> None:
    order_id = rig.place(orderType=order_type, **fields)
    (report,) = rig.venue.open_orders("alice")
    assert (report.order_type, report.pending) == (venue_type, True)
    row = rig.row(order_id)
    assert (row.orderType, row.orderStatus) == (order_type, 5)
    assert row.auxPrice == fields.get("auxPrice", 0)
    rig.cancel(order_id)


def test_a_stop_is_triggered_by_a_trade_and_filled(rig: TradeRig) -> None:
    order_id = rig.place(orderType=10, auxPrice=410, price=0)
    ask(rig, price=410, qty=200)
    bid(rig, price=410)
    assert rig.path() == [2, 5, 5, 11]
    assert rig.row(order_id).fillAvgPrice == 410


@pytest.mark.parametrize("order_type", [10, 11])
def test_the_trigger_of_a_waiting_stop_can_be_moved_and_the_order_keeps_its_id(rig: TradeRig, order_type: int) -> None:
    order_id = rig.place(orderType=order_type, auxPrice=410, price=411, remark="stop")
    rig.log.clear()
    answer = rig.send(MODIFY, rig.change(order_id, operation=1, qty=200, price=421, auxPrice=420))
    assert answer.orderIDEx == order_id
    (pushed,) = rig.told(ORDER_PUSH)
    told = (
        pushed.order.orderStatus,
        pushed.order.orderIDEx,
        pushed.order.qty,
        pushed.order.auxPrice,
        pushed.order.remark,
    )
    assert told == (5, order_id, 200, 420, "stop")
    (row,) = rig.send(2201, rig.asked(2201)).orderList
    assert (row.orderIDEx, row.auxPrice, row.price) == (order_id, 420, 421 if order_type == 11 else 0)
    (report,) = rig.venue.open_orders("alice")
    assert (report.client_order_id, report.trigger_price, report.quantity) == ("stop", 420_000, 200)
    rig.cancel(order_id)
    assert rig.path() == [5, 13, 15]
    assert len(rig.send(2201, rig.asked(2201)).orderList) == 1


def test_a_trigger_that_cannot_be_had_leaves_the_order_as_it_was(rig: TradeRig) -> None:
    order_id = rig.place(orderType=11, auxPrice=410, price=411, remark="stop")
    for fields, text in (
        ({"qty": 100, "price": 421, "auxPrice": 420.1}, "Trigger price 420.1 does not fit"),
        ({"qty": 100, "price": 421.1, "auxPrice": 420}, "does not fit the price spread"),
        ({"qty": 9900, "price": 421, "auxPrice": 420}, "购买力不足"),
    ):
        assert text in rig.refusal(MODIFY, rig.change(order_id, operation=1, **fields))
        row = rig.row(order_id)
        assert (row.orderStatus, row.qty, row.price, row.auxPrice) == (5, 100, 411, 410)
        assert len(rig.venue.open_orders("alice")) == 1
    ask(rig, price=410, qty=200)
    bid(rig, price=410)
    assert rig.row(order_id).orderStatus == 11


def test_the_distance_of_a_trailing_stop_can_be_changed(rig: TradeRig) -> None:
    ask(rig, price=400, qty=200)
    bid(rig, price=400)
    order_id = rig.place(orderType=14, trailType=2, trailValue=5, price=0)
    rig.send(MODIFY, rig.change(order_id, operation=1, qty=100, trailType=2, trailValue=8))
    (report,) = rig.venue.open_orders("alice")
    assert (report.trailing_offset, report.trigger_price) == (8_000, 408_000)
    assert (rig.row(order_id).trailType, rig.row(order_id).trailValue) == (2, 8)
    rig.send(MODIFY, rig.change(order_id, operation=1, qty=200))
    assert (rig.row(order_id).qty, rig.row(order_id).auxPrice) == (200, 408)


def test_what_was_triggered_keeps_its_trigger(rig: TradeRig) -> None:
    order_id = rig.place(orderType=11, auxPrice=410, price=409)
    ask(rig, price=410)
    bid(rig, price=410)
    assert rig.row(order_id).orderStatus == 5
    refused = rig.refusal(MODIFY, rig.change(order_id, operation=1, qty=100, price=408, auxPrice=420))
    assert refused == f"Order {order_id} cannot be modified: it was triggered already"
    rig.send(MODIFY, rig.change(order_id, operation=1, qty=100, price=408, auxPrice=410))
    assert rig.row(order_id).price == 408


def test_a_trailing_distance_in_per_cent_is_taken_of_the_last_price(rig: TradeRig) -> None:
    assert rig.refused(orderType=14, trailType=1, trailValue=5) == "There is no price yet of which 5.0 % could be taken"
    ask(rig, price=400, qty=200)
    bid(rig, price=400)
    rig.place(orderType=14, trailType=1, trailValue=5, price=0)
    (report,) = rig.venue.open_orders("alice")
    assert report.trailing_offset == 20_000
    row = rig.row("FT0000000003")
    assert (row.trailType, row.trailValue) == (1, 5)


@pytest.mark.parametrize(
    ("time_in_force", "venue_time"), [(0, TimeInForce.GTD), (1, TimeInForce.GTC), (3, TimeInForce.GTD)]
)
def test_times_in_force(rig: TradeRig, time_in_force: int, venue_time: TimeInForce) -> None:
    order_id = rig.place(timeInForce=time_in_force, expireTime="2026-03-12")
    (report,) = rig.venue.open_orders("alice")
    assert report.time_in_force is venue_time
    row = rig.row(order_id)
    assert (row.timeInForce, row.expireTime) == (time_in_force, "2026-03-12" if time_in_force == 3 else "")


def test_a_price_may_be_moved_to_a_legal_one_within_a_limit(rig: TradeRig) -> None:
    order_id = rig.place(price=400.03, adjustPrice=True, adjustSideAndLimit=0.001)
    assert rig.row(order_id).price == 400.2
    order_id = rig.place(price=400.03, adjustPrice=True, adjustSideAndLimit=-0.001)
    assert rig.row(order_id).price == 400
    assert "price spread" in rig.refused(price=400.03, adjustPrice=True, adjustSideAndLimit=0.0001)


def test_the_venue_knows_an_order_by_its_remark_and_two_of_one_remark_by_two_names(rig: TradeRig) -> None:
    first, second = rig.place(remark="same"), rig.place(remark="same")
    assert [order.client_order_id for order in rig.venue.open_orders("alice")] == ["same", "same~1"]
    assert [rig.row(one).remark for one in (first, second)] == ["same", "same"]
    rig.cancel(first)
    rig.place(remark="same")
    assert [order.client_order_id for order in rig.venue.open_orders("alice")] == ["same~1", "same"]


def test_orders_outlive_the_surface(rig: TradeRig) -> None:
    order_id = rig.place(remark="kept", timeInForce=0)
    waiting = rig.place(remark="kept", timeInForce=1, price=390)
    again = TradeRig()
    again.venue.take_up(rig.venue.snapshot())
    again.unlock()
    rows = [again.row(one) for one in (order_id, waiting)]
    assert [(row.remark, row.timeInForce, row.orderStatus) for row in rows] == [("kept", 0, 5), ("kept", 1, 5)]
    again.cancel(order_id)
    assert again.row(order_id).orderStatus == 15


def test_money_is_held_as_the_venue_holds_it(rig: TradeRig) -> None:
    rig.place(qty=100, price=400)
    assert rig.venue.balances("alice")["HKD"] == (Decimal(1_000_000), Decimal(40_000))
