"""What a change makes of an order's terms, and what no change may do."""

from typing import Final

from msgspec.structs import replace

from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import AmendRequest, ApprovedOrder, OrderRequest
from foxtrot.trading.candidate import Candidate
from foxtrot.trading.order_record import OrderRecord

RULE: Final = "amend"


def amended_request(record: OrderRecord, request: AmendRequest) -> tuple[OrderRequest, ApprovedOrder]:
    """Return the wish that an order would have come from had it been as it is to be, and the order as it was approved.

    Raises:
        OrderRefused: rule amend: nothing would change, or a figure is given that the order does not have.
    """
    terms, approved = record.terms, record.approved
    if approved is None:
        raise OrderRefused(RULE, "an order that this platform has sent", terms.order_id)
    for name in ("price", "trigger_price"):
        if getattr(request, name) and not getattr(terms, name):
            raise OrderRefused(RULE, f"an order with a {name}", f"{terms.order_type} {terms.order_id}")
    quantity, price = request.quantity or terms.quantity, request.price or terms.price
    trigger = request.trigger_price or terms.trigger_price
    if (quantity, price, trigger) == (terms.quantity, terms.price, terms.trigger_price):
        raise OrderRefused(RULE, "a figure that differs from the order's", f"{quantity} at {price or trigger}")
    instrument = record.instrument
    offset = approved.trailing_offset_units
    display = min(approved.display_units, instrument.quantity_grid.round(quantity))
    wish = OrderRequest(
        terms.instrument_id, terms.account, terms.side, terms.order_type, quantity, price, trigger, terms.time_in_force,
        terms.reduce_only, terms.post_only, terms.position_side, instrument.price_grid.to_float(offset),
        instrument.quantity(display), approved.expire_time_ns,
    )  # fmt: skip
    return wish, approved


def amended_order(approved: ApprovedOrder, order: Candidate) -> ApprovedOrder:
    """Return an order as it is to be: its id, owner and role stay."""
    return replace(
        approved,
        quantity_units=order.quantity_units,
        price_units=order.price_units,
        trigger_units=order.trigger_units,
        display_units=order.display_units,
    )


def left_units(record: OrderRecord, quantity_units: int) -> int:
    """Return what would be left to trade of an order of another quantity.

    Raises:
        OrderRefused: rule amend: nothing, for as much is filled.
    """
    left = quantity_units - record.filled_units
    if left <= 0:
        grid = record.instrument.quantity_grid
        limit = f"a quantity above the {grid.to_text(record.filled_units)} that are filled; cancel the order instead"
        raise OrderRefused(RULE, limit, grid.to_text(quantity_units))
    return left


def check_role(record: OrderRecord, order: Candidate) -> None:
    """Refuse a change by which an order that only reduces could do more: its id says that it does not, after a restart too.

    Raises:
        OrderRefused: rule amend.
    """
    if record.reduces and not order.reduces:
        limit = f"an order that still only reduces the position of {record.owner}"
        raise OrderRefused(RULE, limit, str(order.request.quantity))
