"""What becomes of orders at the venue: told to their clients, and carried on to the orders that depend on them."""

from contextlib import suppress

from foxtrot.exchange.events import (
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
    VenueEvent,
)
from foxtrot.exchange.wire.ib.ib_order import CANCELLED, FILLED, PENDING_CANCEL, IbOrder
from foxtrot.exchange.wire.ib.layout import text_of
from foxtrot.exchange.wire.ib.order_desk import OrderDesk
from foxtrot.exchange.wire.ib.order_texts import text_of_order
from foxtrot.exchange.wire.ib.refusal import IbRefused
from foxtrot.exchange.working_order import CONDITIONAL

_BY_OWNER = "cancelled"
_SILENT = frozenset({_BY_OWNER, "ioc", "fok", "gtd", "day"})
"""Why an order ends without more words: its owner or its time in force ended it."""
CANCEL_ALL_OTHERS = "1"
"""Order: ocaType of groups in which a fill ends the others; in all others it reduces them."""


class OrderEvents:
    """Hears the venue.

    Thread: exchange-io.
    """

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self._orders = desk.orders
        self._telling = desk.telling

    def hear(self, event: VenueEvent) -> None:
        """Tell of one event of an order.

        Source: TWS API documentation, openOrder, orderStatus, execDetails; sequences as seen with ibapi 9.81.
        """
        if not isinstance(event, OrderEvent) or isinstance(event, OrderRejected):
            return
        account = self._desk.side.account_of(event.account)
        if account is None:
            return
        order = self._orders.of_venue(account, event.instrument_id, event.order_id)
        if order is None or order.venue_id != event.order_id:
            return  # another order of the venue has taken its place
        order.updated_ns = max(order.updated_ns, event.time_ns)
        order.filled, order.cost = order.carried_filled + event.filled, order.carried_cost + event.cost
        order.quantity = order.carried_filled + event.quantity
        order.trigger = event.trigger_price
        self._take(order, event)

    def _take(self, order: IbOrder, event: OrderEvent) -> None:
        if isinstance(event, OrderAccepted):
            order.stage, order.is_pending = "working", event.order_type in CONDITIONAL
            self._tell_accepted(order)
        elif isinstance(event, OrderTriggered):
            order.is_pending = False
            self._orders.save(order)
            self._telling.open(order)
        elif isinstance(event, OrderAmended):
            self._amended(order, event)
        elif isinstance(event, OrderFilled):
            self._filled(order, event)
        elif isinstance(event, OrderCancelled | OrderExpired):
            self._ended(order, event)

    def _tell_accepted(self, order: IbOrder) -> None:
        self._orders.save(order)
        self._telling.accepted(order)

    def _amended(self, order: IbOrder, event: OrderAmended) -> None:
        self._desk.set_quantity(order, order.quantity)
        if event.price:
            grid = self._telling.contract(order).instrument.price_grid
            order.asked["lmtPrice"] = text_of(grid.to_decimal(event.price))
        self._tell_accepted(order)

    def _filled(self, order: IbOrder, event: OrderFilled) -> None:
        order.last_price = event.fill_price
        if not event.remaining:
            order.stage, order.end_status = "ended", FILLED
        self._orders.save(order)
        self._telling.fill(order, event)
        if not order.is_open:
            for child in self._orders.children(order):
                if child.stage == "child":
                    self._desk.release(child)
        self._reduce_others(order, event.fill_quantity)

    def _ended(self, order: IbOrder, event: OrderCancelled | OrderExpired) -> None:
        if event.reason == _BY_OWNER:
            self._telling.status(order, PENDING_CANCEL)
        reason = "" if event.reason in _SILENT else event.reason
        order.stage, order.end_status, order.end_reason = "ended", CANCELLED, reason
        self._orders.save(order)
        self._telling.status(order)
        self._telling.say(order, *text_of_order("cancelled", reason=reason))
        self._desk.end_children(order)

    def _reduce_others(self, order: IbOrder, filled: int) -> None:
        """Let a fill end or reduce the others of its group, in proportion to what it is of what was left."""
        group = order.text("ocaGroup")
        if not group:
            return
        lot = self._telling.contract(order).instrument.lot_units
        for other in self._orders.of_group(order.account_id, group):
            if other is order or other.stage == "kept":
                continue
            share = other.remaining
            if order.text("ocaType") != CANCEL_ALL_OTHERS:
                share = -(-share * filled // (order.remaining + filled))
            with suppress(IbRefused):  # the venue ended it in the same breath; its end is told next
                self._desk.resize(other, other.quantity - -(-share // lot) * lot)
