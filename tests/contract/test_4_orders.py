"""Promise 4: the order id is the desk's, no id is sent twice, an unknown outcome is UNKNOWN; reports and fills agree."""

from decimal import Decimal
from itertools import pairwise

import pytest

from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, PositionMode, PositionSide, Side, TimeInForce
from foxtrot.domain.market import DepthData
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.order_state import may_move
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.contract_rig import ContractRig

REFUSED = {OrderStatus.REJECTED, OrderStatus.DENIED}
HOUR_NS = 3_600 * 10**9

TERMS: dict[OrderType, dict[str, object]] = {
    OrderType.LIMIT: {"price": 9_950},
    OrderType.MARKET: {"price": 0},
    OrderType.STOP: {"price": 0, "trigger_units": 10_500},
    OrderType.STOP_LIMIT: {"price": 10_500, "trigger_units": 10_500},
    OrderType.TAKE_PROFIT: {"price": 0, "trigger_units": 9_500},
    OrderType.TAKE_PROFIT_LIMIT: {"price": 9_500, "trigger_units": 9_500},
    OrderType.TRAILING_STOP: {"price": 0, "trailing_offset_units": 100},
}
"""What a buy of each type needs, so that it does not trade at once unless it is a market order."""


def _merged(rig: ContractRig, order_id: str) -> list[OrderStatus]:
    """The statuses told, in order, without repetitions."""
    told = [order.status for order in rig.heard.reports(order_id)]
    return [status for n, status in enumerate(told) if n == 0 or told[n - 1] is not status]


def test_4_one_order_sent_is_one_order_at_the_venue_under_the_desks_id(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send()
    assert rig.received() == [order_id]
    assert rig.open_orders() == {order_id}
    assert {order.order_id for order in rig.heard.of(OrderData)} == {order_id}


def test_4_the_longest_id_the_venue_carries_comes_back_whole(rig: ContractRig) -> None:
    rig.connect()
    length = min(32, rig.capabilities.client_order_id_limit)
    order_id = rig.send(price=0, order_id="Ab-_9" + "x" * (length - 5))
    assert rig.received() == [order_id]
    assert rig.heard.fills(order_id)[0].order_id == order_id


def test_4_an_id_is_never_sent_twice(rig: ContractRig) -> None:
    rig.connect()
    order = rig.order()
    for _ in range(3):
        rig.adapter.send_order(order)
    rig.settle()
    assert rig.received() == [order.order_id]
    assert not REFUSED & {report.status for report in rig.heard.reports(order.order_id)}
    assert len(rig.heard.of(RequestFailed)) == 2


def test_4_an_id_that_is_done_is_never_sent_again(rig: ContractRig) -> None:
    rig.connect()
    order = rig.order(price=0)
    rig.adapter.send_order(order)
    rig.settle()
    rig.adapter.send_order(order)
    rig.settle()
    assert rig.received() == [order.order_id]
    assert rig.heard.reports(order.order_id)[-1].status is OrderStatus.FILLED


def test_4_an_id_is_not_sent_again_after_a_loss(rig: ContractRig) -> None:
    rig.connect()
    order = rig.order()
    rig.adapter.send_order(order)
    rig.settle()
    rig.lose_link("cable pulled")
    rig.restore_link()
    rig.adapter.send_order(order)
    rig.settle()
    assert rig.received() == [order.order_id]


def test_4_an_id_from_several_threads_at_once_is_sent_once(rig: ContractRig) -> None:
    rig.connect()
    order = rig.order()
    with rig.together([lambda: rig.adapter.send_order(order)] * 4):
        pass
    rig.settle()
    assert rig.received() == [order.order_id]


def test_4_an_order_without_an_answer_is_unknown_and_never_rejected(rig: ContractRig) -> None:
    rig.require("network")
    rig.connect()
    with rig.silence():
        order = rig.order()
        rig.adapter.send_order(order)
        rig.advance(60)
        assert _merged(rig, order.order_id)[-1] is OrderStatus.UNKNOWN
    rig.restore_link(60)
    assert rig.heard.reports(order.order_id)[-1].status is OrderStatus.ACCEPTED


def test_4_a_resting_order_is_told_with_all_its_terms(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send(price=9_950, quantity=1_234)
    (told,) = rig.heard.reports(order_id)
    assert (told.account, told.instrument_id, told.side) == (rig.account, rig.spot.instrument_id, Side.BUY)
    assert (told.order_type, told.time_in_force) == (OrderType.LIMIT, TimeInForce.GTC)
    assert (told.price, told.quantity, told.filled_quantity, told.average_price) == (99.5, 1.234, 0.0, 0.0)
    assert told.status is OrderStatus.ACCEPTED
    assert told.venue_order_id


def test_4_the_filled_quantity_is_cumulative_and_ends_filled(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send(price=9_950)
    for quantity in (200, 300, 500):
        rig.take(Side.SELL, quantity)
    rig.settle()
    reports = rig.heard.reports(order_id)
    assert [report.filled_quantity for report in reports] == [0.0, 0.2, 0.5, 1.0]
    assert [report.status for report in reports] == [
        OrderStatus.ACCEPTED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.FILLED,
    ]


def test_4_the_fills_add_up_to_what_the_order_says(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send(quantity=7_000, price=10_200)
    last, fills = rig.heard.reports(order_id)[-1], rig.heard.fills(order_id)
    assert sum(round(fill.quantity * 1000) for fill in fills) == 7_000
    assert [fill.price for fill in fills] == [101.0, 102.0]
    value = sum(Decimal(str(fill.price)) * Decimal(str(fill.quantity)) for fill in fills)
    assert last.average_price == pytest.approx(float(value / 7), rel=1e-12)
    assert last.status is OrderStatus.FILLED


def test_4_every_fill_of_the_venue_is_told_once_with_its_id_and_fee(rig: ContractRig) -> None:
    rig.connect()
    rig.send(quantity=7_000, price=10_200)
    rig.send(side=Side.SELL, price=10_050, quantity=1_000)
    rig.take(Side.BUY, 400)
    rig.take(Side.BUY, 600)
    rig.settle()
    told = [(trade.trade_id, trade.order_id, trade.fee, trade.fee_asset) for trade in rig.heard.of(TradeData)]
    assert told == rig.fills()
    assert len(told) == 4
    assert all(isinstance(fee, Decimal) and fee > 0 for _, _, fee, _ in told)


def test_4_an_orders_state_is_told_before_the_fill_it_counts(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send(price=9_950)
    rig.take(Side.SELL, 400)
    rig.take(Side.SELL, 600)
    rig.settle()
    kinds = [event for event in rig.heard.events() if isinstance(event, OrderData | TradeData)]
    filled = 0
    for event in kinds:
        if isinstance(event, OrderData):
            counted = round(event.filled_quantity * 1000)
        else:
            filled += round(event.quantity * 1000)
            assert filled <= counted
    assert filled == 1_000
    assert {event.order_id for event in kinds} == {order_id}


def test_4_a_fill_says_whether_it_made_or_took(rig: ContractRig) -> None:
    rig.connect()
    maker = rig.send(price=9_950)
    rig.take(Side.SELL, 1_000)
    taker = rig.send(price=0)
    rig.settle()
    assert rig.heard.fills(maker)[0].liquidity is Liquidity.MAKER
    assert rig.heard.fills(taker)[0].liquidity is Liquidity.TAKER


def test_4_orders_and_fills_carry_both_times(rig: ContractRig) -> None:
    rig.connect()
    started = rig.clock.now_ns()
    rig.send(price=0)
    for event in [*rig.heard.of(OrderData), *rig.heard.of(TradeData)]:
        assert started <= event.venue_time_ns <= rig.clock.now_ns()
        assert started <= event.local_time_ns <= rig.clock.now_ns()


def test_4_fills_and_reports_name_the_same_venue_order(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send(price=0)
    ids = {event.venue_order_id for event in [*rig.heard.reports(order_id), *rig.heard.fills(order_id)]}
    assert len(ids) == 1
    assert ids != {""}


def test_4_what_is_told_of_an_order_follows_the_table_of_legal_moves(rig: ContractRig) -> None:
    rig.connect()
    orders = [rig.send(), rig.send(price=0), rig.send(quantity=5), rig.send(time_in_force=TimeInForce.IOC)]
    rig.cancel(orders[0])
    for order_id in orders:
        statuses = _merged(rig, order_id)
        assert may_move(OrderStatus.SUBMITTED, statuses[0])
        assert all(may_move(a, b) for a, b in pairwise(statuses))


def test_4_a_cancelled_order_keeps_what_it_had_filled(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send(price=9_950)
    rig.take(Side.SELL, 300)
    rig.cancel(order_id)
    last = rig.heard.reports(order_id)[-1]
    assert (last.status, last.filled_quantity, last.average_price) == (OrderStatus.CANCELLED, 0.3, 99.5)
    assert rig.open_orders() == set()


def test_4_the_rest_of_an_immediate_order_ends(rig: ContractRig) -> None:
    rig.require("times_in_force", TimeInForce.IOC)
    rig.connect()
    order_id = rig.send(quantity=7_000, price=10_100, time_in_force=TimeInForce.IOC)
    last = rig.heard.reports(order_id)[-1]
    assert last.status in (OrderStatus.EXPIRED, OrderStatus.CANCELLED)
    assert last.filled_quantity == 5.0
    assert rig.open_orders() == set()


@pytest.mark.parametrize("time_in_force", list(TimeInForce))
@pytest.mark.parametrize("order_type", list(OrderType))
def test_4_each_order_type_of_the_table_is_taken_with_each_time_in_force(
    rig: ContractRig, order_type: OrderType, time_in_force: TimeInForce
) -> None:
    rig.require("order_types", order_type)
    rig.require("times_in_force", time_in_force)
    if time_in_force in rig.capabilities.limit_only and not order_type.needs_price:
        pytest.skip(f"{rig.name}: the capability table says that only limit orders may be {time_in_force}")
    rig.connect()
    terms = dict(TERMS[order_type])
    if order_type is OrderType.LIMIT and time_in_force is TimeInForce.FOK:
        terms["price"] = 10_100
    expiry = rig.clock.now_ns() + HOUR_NS if time_in_force is TimeInForce.GTD else 0
    order_id = rig.send(order_type=order_type, time_in_force=time_in_force, expire_time_ns=expiry, **terms)
    statuses = _merged(rig, order_id)
    assert statuses[0] is OrderStatus.ACCEPTED
    assert not REFUSED & set(statuses)
    assert rig.received() == [order_id]


def test_4_an_order_with_an_end_expires_at_it(rig: ContractRig) -> None:
    rig.require("times_in_force", TimeInForce.GTD)
    rig.connect()
    order_id = rig.send(time_in_force=TimeInForce.GTD, expire_time_ns=rig.clock.now_ns() + rig.shortest_life_s * 10**9)
    rig.advance(rig.shortest_life_s - 2)
    assert rig.open_orders() == {order_id}
    rig.advance(3)
    assert rig.heard.reports(order_id)[-1].status is OrderStatus.EXPIRED


def test_4_a_stop_waits_for_its_trigger_and_then_trades(rig: ContractRig) -> None:
    rig.require("order_types", OrderType.STOP)
    rig.connect()
    order_id = rig.send(price=0, order_type=OrderType.STOP, trigger_units=10_100)
    assert _merged(rig, order_id) == [OrderStatus.ACCEPTED]
    assert rig.heard.reports(order_id)[0].trigger_price == 101.0
    rig.take(Side.BUY, 100)
    rig.settle()
    assert rig.heard.reports(order_id)[-1].status is OrderStatus.FILLED
    assert rig.heard.fills(order_id)[0].price == 101.0


def test_4_a_post_only_order_rests_or_is_refused(rig: ContractRig) -> None:
    rig.require("post_only")
    rig.connect()
    resting = rig.send(price=9_950, post_only=True)
    crossing = rig.send(price=10_100, post_only=True)
    assert rig.heard.reports(resting)[-1].status is OrderStatus.ACCEPTED
    assert rig.heard.reports(resting)[-1].post_only
    assert rig.heard.reports(crossing)[-1].status in REFUSED | {OrderStatus.EXPIRED, OrderStatus.CANCELLED}
    assert rig.fills() == []


def test_4_an_iceberg_shows_its_tip_and_fills_whole(rig: ContractRig) -> None:
    rig.require("iceberg")
    rig.connect().subscribe(SubscribeRequest(rig.spot.instrument_id, depth_levels=1))
    order_id = rig.send(price=9_950, quantity=5_000, display_units=1_000)
    assert rig.heard.of(DepthData)[-1].bids == ((99.5, 1.0),)
    rig.take(Side.SELL, 5_000)
    rig.settle()
    assert rig.heard.reports(order_id)[-1].status is OrderStatus.FILLED
    assert sum(round(fill.quantity * 1000) for fill in rig.heard.fills(order_id)) == 5_000


def test_4_a_reduce_only_order_closes_and_never_turns_a_position(rig: ContractRig) -> None:
    rig.require("reduce_only")
    rig.connect()
    name = rig.contract.instrument_id
    rig.send(price=0, quantity=1_000, instrument_id=name)
    order_id = rig.send(side=Side.SELL, price=0, quantity=5_000, instrument_id=name, reduce_only=True)
    assert rig.heard.reports(order_id)[-1].filled_quantity == 1.0
    assert rig.positions() == {}
    second = rig.send(side=Side.SELL, price=0, quantity=1_000, instrument_id=name, reduce_only=True)
    assert rig.heard.reports(second)[-1].status in REFUSED


def test_4_a_hedging_account_holds_long_and_short_apart(rig: ContractRig) -> None:
    rig.require("position_modes", PositionMode.HEDGING)
    with rig.sibling(PositionMode.HEDGING) as hedged:
        hedged.connect()
        name = hedged.contract.instrument_id
        long_id = hedged.send(price=0, instrument_id=name, position_side=PositionSide.LONG)
        short_id = hedged.send(
            side=Side.SELL, price=0, quantity=400, instrument_id=name, position_side=PositionSide.SHORT
        )
        assert hedged.positions() == {(name, PositionSide.LONG): 1.0, (name, PositionSide.SHORT): -0.4}
        assert hedged.heard.fills(long_id)[0].position_side is PositionSide.LONG
        assert hedged.heard.reports(short_id)[-1].position_side is PositionSide.SHORT


def test_4_an_order_placed_by_another_client_is_told_with_its_own_id(rig: ContractRig) -> None:
    rig.connect()
    rig.place_elsewhere("web-7", Side.BUY, 9_950, 1_000)
    rig.take(Side.SELL, 1_000)
    rig.settle()
    assert _merged(rig, "web-7") == [OrderStatus.ACCEPTED, OrderStatus.FILLED]
    assert len(rig.heard.fills("web-7")) == 1
    rig.place_elsewhere("web-8", Side.BUY, 9_950, 1_000)
    rig.cancel("web-8")
    assert _merged(rig, "web-8")[-1] is OrderStatus.CANCELLED
