"""What we know of an order ourselves, before or without a word of its venue."""

from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder, OrderData


def denied_order(order: ApprovedOrder, instrument: Instrument | None, now_ns: int, rule: str, reason: str) -> OrderData:
    """Return an order that never left; without an instrument, which no grid can be known of, its figures are 0.0."""
    return own_order(order, instrument, now_ns, OrderStatus.DENIED, rule, reason)


def own_order(
    order: ApprovedOrder, instrument: Instrument | None, now_ns: int, status: OrderStatus, rule: str, reason: str
) -> OrderData:
    """Return what we know of an order ourselves, with a status that the venue did not report."""
    quantity = instrument.quantity(order.quantity_units) if instrument else 0.0
    price = instrument.price(order.price_units) if instrument else 0.0
    trigger = instrument.price(order.trigger_units) if instrument else 0.0
    return OrderData(
        order.order_id, order.account, order.instrument_id, order.side, order.order_type, quantity, price, status, 0.0, 0.0,
        "", now_ns, now_ns, order.strategy_id, trigger, order.time_in_force, order.reduce_only, order.post_only,
        order.position_side, rule, reason,
    )  # fmt: skip
