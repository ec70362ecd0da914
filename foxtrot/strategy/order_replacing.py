"""Changes of orders where a venue changes none: the order is cancelled, and what was left of it is placed anew once that is told."""

from typing import Final, NamedTuple

from foxtrot.core.commands import CancelAllOrders, CancelOrder, KillSwitch, ReplaceOrder
from foxtrot.core.notices import OrderChanged, RequestFailed
from foxtrot.domain.enums import OrderStatus, OrderType, TimeInForce
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import AmendRequest, OrderData, OrderRequest
from foxtrot.domain.order_state import OPEN
from foxtrot.strategy.seat import TradingParts
from foxtrot.trading.order_record import OrderRecord

OWNER: Final = "manual"
PATIENCE_NS: Final = 5_000_000_000
"""A cancel that is told later than this was not ours any more: nothing is placed after it."""


class Waiting(NamedTuple):
    """A change whose cancel is under way, whose it is, and until when it is waited for, on the monotonic clock."""

    request: AmendRequest
    owner: str
    until_ns: int


class OrderReplacing:
    """Takes ReplaceOrder; at no time do both orders stand.

    Whatever cancels the order besides (a person, the kill switch) takes back the wish: nothing is placed then. A restart forgets it, and
    the order stays cancelled.

    Thread: the dispatcher's.
    """

    def __init__(self, parts: TradingParts) -> None:
        self._parts = parts
        self._waiting: dict[str, Waiting] = {}
        dispatcher = parts.dispatcher
        dispatcher.subscribe(ReplaceOrder, self.on_replace, owner=OWNER, core=True)
        dispatcher.subscribe(OrderChanged, self.on_order_changed, owner=OWNER, core=True)
        dispatcher.subscribe(CancelOrder, self.on_cancel, owner=OWNER, core=True)
        dispatcher.subscribe(CancelAllOrders, self.on_cancel_many, owner=OWNER, core=True)
        dispatcher.subscribe(KillSwitch, self.on_cancel_many, owner=OWNER, core=True)

    def on_replace(self, command: ReplaceOrder) -> None:
        """Cancel the order that is to be another; RequestFailed says why that cannot be."""
        request = command.request
        record = self._parts.desk.index.open.get(request.order_id)
        try:
            found = self._replaceable(request.order_id, record)
        except OrderRefused as refusal:
            account = "" if record is None else record.terms.account
            self._fail(account, request.order_id, str(refusal))
            return
        until_ns = self._parts.clock.monotonic_ns() + PATIENCE_NS
        self._waiting[found.key] = Waiting(request, found.owner, until_ns)
        self._parts.desk.cancel(found.key)

    def on_order_changed(self, change: OrderChanged) -> None:
        """Place what is left of an order whose cancel was told; one that ended otherwise is not placed again."""
        order = change.order
        waiting = self._waiting.get(order.order_id)
        if waiting is None or order.status in OPEN:
            return
        del self._waiting[order.order_id]
        left = order.remaining_quantity
        if order.status is not OrderStatus.CANCELLED or left <= 0.0:
            self._fail(order.account, order.order_id, f"the order has ended: {order.status}")
        elif self._parts.clock.monotonic_ns() > waiting.until_ns:
            self._fail(order.account, order.order_id, "its cancel took too long; nothing was placed")
        else:
            self._parts.desk.submit(self._other(order, waiting.request, left), waiting.owner)

    def on_cancel(self, command: CancelOrder) -> None:
        """Take back the wish for an order that somebody cancels."""
        self._waiting.pop(command.order_id, None)

    def on_cancel_many(self, _command: CancelAllOrders | KillSwitch) -> None:
        """Take back every wish."""
        self._waiting.clear()

    def _replaceable(self, order_id: str, record: OrderRecord | None) -> OrderRecord:
        """Return the order if it may be replaced.

        Raises:
            OrderRefused: it has ended, is being cancelled, follows a protection or the market, or is part of a pair.
        """
        if record is None:
            raise OrderRefused("replace", "an open order", order_id)
        terms = record.terms
        if record.cancel_asked or record.status not in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED):
            raise OrderRefused("replace", "an order that rests at its venue", str(record.status))
        if record.key in self._parts.protections.orders_of(record.owner) or record.partner is not None:
            raise OrderRefused("replace", "no order of a protection", order_id, "the order follows its protection")
        if terms.order_type is OrderType.TRAILING_STOP or terms.time_in_force is TimeInForce.GTD:
            raise OrderRefused("replace", "no trailing stop and none until a moment", str(terms.order_type))
        return record

    def _other(self, order: OrderData, request: AmendRequest, left: float) -> OrderRequest:
        instrument = self._parts.instruments[order.instrument_id]
        filled = order.filled_quantity
        quantity = max(0.0, request.quantity - filled) if request.quantity else left
        quantity = instrument.quantity(instrument.round_quantity_units(quantity, "nearest"))
        return OrderRequest(
            order.instrument_id, order.account, order.side, order.order_type, quantity, request.price or order.price,
            request.trigger_price or order.trigger_price, order.time_in_force, order.reduce_only, order.post_only, order.position_side,
        )  # fmt: skip

    def _fail(self, account: str, order_id: str, why: str) -> None:
        now_ns = self._parts.clock.now_ns()
        self._parts.dispatcher.put(RequestFailed(account, f"change of {order_id}", why, now_ns))
