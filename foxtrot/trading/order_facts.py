"""The desk's own facts about an order: as it was approved, and as it was refused."""

from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder, OrderData, OrderRequest


def created_order(approved: ApprovedOrder, instrument: Instrument, *, reduce_only: bool) -> OrderData:
    """Return an approved order before it is sent.

    Args:
        approved: the order.
        instrument: what it is counted in.
        reduce_only: what was wished for; the approved order knows only whether the venue is to be told so.
    """
    price = instrument.price(approved.price_units) if approved.price_units else 0.0
    trigger = instrument.price(approved.trigger_units) if approved.trigger_units else 0.0
    return OrderData(
        approved.order_id, approved.account, approved.instrument_id, approved.side, approved.order_type,
        instrument.quantity(approved.quantity_units), price, OrderStatus.CREATED, 0.0, 0.0, "", approved.created_time_ns,
        approved.created_time_ns, approved.strategy_id, trigger, approved.time_in_force, reduce_only,
        approved.post_only, approved.position_side,
    )  # fmt: skip


def denied_order(request: OrderRequest, owner: str, order_id: str, refusal: OrderRefused, now_ns: int) -> OrderData:
    """Return an order that was refused before it was recorded, with rule and reason."""
    return OrderData(
        order_id, request.account, request.instrument_id, request.side, request.order_type, request.quantity, request.price,
        OrderStatus.DENIED, 0.0, 0.0, "", now_ns, now_ns, owner, request.trigger_price, request.time_in_force,
        request.reduce_only, request.post_only, request.position_side, refusal.rule, str(refusal),
    )  # fmt: skip
