"""Translation between the embedded venue's words and the platform's facts."""

from decimal import Decimal

import msgspec
import pytest

from foxtrot.adapter.simulated import codec
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.order import ApprovedOrder
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.events import (
    ChargeBooked,
    FundingPaid,
    OrderAmended,
    OrderCancelled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
)
from tests.support.instruments import a_perpetual, a_spot

SPOT = a_spot()
FACTS = (
    "acc", SPOT.instrument_id, 12, "t-1", Side.SELL, OrderType.STOP_LIMIT, 1_000, 9_950, 9_960, TimeInForce.GTD, True,
    False, PositionSide.SHORT,
)  # fmt: skip


def test_every_order_event_of_the_venue_has_a_status() -> None:
    assert set(codec.STATUS_OF) == set(OrderEvent.__subclasses__())


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (OrderTriggered(1, 5, *FACTS, 0, 0), OrderStatus.ACCEPTED),
        (OrderAmended(1, 5, *FACTS, 400, 400 * 9_950, "amended"), OrderStatus.PARTIALLY_FILLED),
        (OrderCancelled(1, 5, *FACTS, 400, 400 * 9_950, "cancelled"), OrderStatus.CANCELLED),
        (OrderExpired(1, 5, *FACTS, 400, 400 * 9_950, "gtd"), OrderStatus.EXPIRED),
        (OrderAmended(1, 5, *FACTS, 1_000, 1_000 * 9_950, "decrement"), OrderStatus.FILLED),
    ],
)
def test_an_order_is_told_with_what_it_has_filled(event: OrderEvent, status: OrderStatus) -> None:
    order = codec.order_data(event, SPOT, 9)
    assert order.status is status
    assert order.filled_quantity == event.filled / 1_000
    assert order.average_price == (99.5 if event.filled else 0.0)
    assert (order.trigger_price, order.time_in_force, order.reduce_only) == (99.6, TimeInForce.GTD, True)
    assert (order.position_side, order.venue_order_id) == (PositionSide.SHORT, "12")
    assert (order.venue_time_ns, order.local_time_ns) == (5, 9)


def test_a_refusal_is_told_with_code_and_reason_and_no_venue_id() -> None:
    rejected = OrderRejected(1, 5, *FACTS, 0, 0, "filter.lot", "not a lot")
    order = codec.order_data(msgspec.structs.replace(rejected, order_id=0), SPOT, 9)
    assert (order.status, order.rule, order.reason) == (OrderStatus.REJECTED, "filter.lot", "not a lot")
    assert order.venue_order_id == ""


def test_an_average_price_over_two_fills_is_their_weighted_mean() -> None:
    event = OrderAmended(1, 5, *FACTS, 3, 2 * 9_950 + 9_960, "amended")
    assert codec.order_data(event, SPOT, 9).average_price == pytest.approx(99.5 + 0.1 / 3, rel=1e-15)


def test_an_order_without_a_customers_id_is_named_by_the_venues() -> None:
    event = msgspec.structs.replace(OrderTriggered(1, 5, *FACTS, 0, 0), client_order_id="")
    assert codec.order_data(event, SPOT, 9).order_id == "venue12"


def test_a_rebate_stays_negative() -> None:
    from foxtrot.domain.enums import Liquidity

    fill = OrderFilled(1, 5, *FACTS, 400, 400 * 9_950, 77, 9_950, 400, Liquidity.MAKER, Decimal("-0.01"), "USDT")
    trade = codec.trade_data(fill, SPOT, 9)
    assert (trade.trade_id, trade.price, trade.quantity, trade.fee) == ("77", 99.5, 0.4, Decimal("-0.01"))


def test_an_approved_order_becomes_a_command_field_by_field() -> None:
    order = ApprovedOrder(
        "t-1", "s", "acc", SPOT.instrument_id, Side.SELL, OrderType.TRAILING_STOP, 7, 9_950, 9_960, TimeInForce.GTD, True,
        True, PositionSide.LONG, 11, 3, 99, 1,
    )  # fmt: skip
    assert codec.place_order(order, 5) == PlaceOrder(
        5, "acc", SPOT.instrument_id, "t-1", Side.SELL, OrderType.TRAILING_STOP, 7, price=9_950, trigger_price=9_960,
        time_in_force=TimeInForce.GTD, reduce_only=True, post_only=True, position_side=PositionSide.LONG,
        trailing_offset=11, display_quantity=3, expire_time_ns=99,
    )  # fmt: skip


def test_an_order_of_an_unknown_instrument_is_denied_without_figures() -> None:
    order = ApprovedOrder(
        "t-1", "s", "acc", "NOPE.X", Side.BUY, OrderType.LIMIT, 7, 9_950, 0, TimeInForce.GTC, False, False,
        PositionSide.NET, 0, 0, 0, 1,
    )  # fmt: skip
    denied = codec.denied_order(order, None, 5, "instrument", "not listed")
    assert (denied.status, denied.quantity, denied.price) == (OrderStatus.DENIED, 0.0, 0.0)
    assert (denied.strategy_id, denied.rule, denied.reason) == ("s", "instrument", "not listed")


def test_funding_and_deposits_are_charges_with_their_own_ids() -> None:
    contract = a_perpetual().instrument_id
    paid = FundingPaid(8, 5, "acc", contract, PositionSide.NET, 10, 9_950, Decimal("0.0001"), "USDT", Decimal("-0.5"))
    funding, deposit = codec.charge(paid, 9), codec.charge(ChargeBooked(9, 5, "acc", "BTC", Decimal(2), "deposit"), 9)
    assert (funding.kind, funding.instrument_id, funding.amount, funding.charge_id) == (
        "funding", contract, Decimal("-0.5"), "8",
    )  # fmt: skip
    assert (deposit.kind, deposit.asset, deposit.amount, deposit.charge_id) == ("deposit", "BTC", Decimal(2), "9")


def test_a_book_becomes_floats_best_first() -> None:
    depth = codec.depth_data((7, ((9_937, 333), (9_900, 5_000)), ((10_063, 1_117),)), SPOT, 9)
    assert (depth.update_id, depth.bids, depth.asks) == (7, ((99.37, 0.333), (99.0, 5.0)), ((100.63, 1.117),))
