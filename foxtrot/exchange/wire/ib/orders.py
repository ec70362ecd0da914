"""Orders and executions: who answers which request, and what is told by itself."""

from collections.abc import Callable, Mapping
from typing import Final

from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.wire.ib.account_figures import AccountBooks
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.endpoint import Handler, Send
from foxtrot.exchange.wire.ib.executions import Executions
from foxtrot.exchange.wire.ib.ib_order import NO_CLIENT
from foxtrot.exchange.wire.ib.layout import FieldReader
from foxtrot.exchange.wire.ib.order_book_of_client import IbOrders
from foxtrot.exchange.wire.ib.order_changes import OrderChanges
from foxtrot.exchange.wire.ib.order_desk import OrderDesk
from foxtrot.exchange.wire.ib.order_echo import completed_values
from foxtrot.exchange.wire.ib.order_entry import OrderEntry
from foxtrot.exchange.wire.ib.order_events import OrderEvents
from foxtrot.exchange.wire.ib.order_hours import OrderHours
from foxtrot.exchange.wire.ib.order_layouts import (
    ALL_OPEN_ORDERS_ID,
    AUTO_OPEN_ORDERS_ID,
    CANCEL_ORDER_ID,
    COMPLETED_ORDER,
    COMPLETED_ORDERS_END,
    COMPLETED_ORDERS_ID,
    EXECUTIONS_ID,
    GLOBAL_CANCEL_ID,
    OPEN_ORDER_END,
    OPEN_ORDERS_ID,
    PLACE_ORDER_ID,
)
from foxtrot.exchange.wire.ib.order_margin import OrderMargin
from foxtrot.exchange.wire.ib.order_telling import OrderTelling
from foxtrot.exchange.wire.ib.order_texts import refused
from foxtrot.exchange.wire.ib.refusal import NO_REQUEST
from foxtrot.exchange.wire.ib.venue_side import IbSide

COMPLETED_NS: Final = 86_400 * 1_000_000_000
"""So far back completed orders are told. Source: TWS API documentation, reqCompletedOrders: those of the day."""


class Orders:
    """The part of the surface that trades.

    Thread: exchange-io.

    Args:
        side: the venue as the surface needs it.
        send: the way out.
        clients: returns the connections that have started.
        books: what accounts have; shared with the part that tells them.
    """

    def __init__(
        self, side: IbSide, send: Send, clients: Callable[[], tuple[IbClient, ...]], books: AccountBooks
    ) -> None:
        self.side = side
        self.orders = IbOrders(side)
        self._send = send
        self._clients = clients
        self._hours = OrderHours(side)
        self._telling = OrderTelling(side, self.orders, books.holdings, send, clients)
        self._desk = OrderDesk(side, self.orders, self._telling, self._hours, OrderMargin(side, books))
        self._changes = OrderChanges(self._desk)
        self._entry = OrderEntry(self._desk, self._changes, send)
        self._events = OrderEvents(self._desk)
        self._executions = Executions(side, self.orders, self._telling, send)
        self._binding: set[int] = set()

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by message id.

        Source: EClient of ibapi 9.81.
        """
        return {
            PLACE_ORDER_ID: self._entry.place,
            CANCEL_ORDER_ID: self._cancel,
            GLOBAL_CANCEL_ID: self._cancel_all,
            OPEN_ORDERS_ID: self._open,
            ALL_OPEN_ORDERS_ID: self._all_open,
            AUTO_OPEN_ORDERS_ID: self._auto_bind,
            COMPLETED_ORDERS_ID: self._completed,
            EXECUTIONS_ID: self._executions.answer,
        }

    def on_event(self, event: VenueEvent) -> None:
        """Hear one event of the venue.

        Source: none; Foxtrot's own distribution.
        """
        self._events.hear(event)

    def tick(self, now_ns: int) -> None:
        """Enter what waited for its market, end what is over, and bind orders of TWS itself where client 0 wants them.

        Source: TWS API documentation, reqAutoOpenOrders; Error Codes (399).
        """
        self.orders.refresh()
        self._hours.tick(now_ns)
        self._desk.tick(now_ns)
        if self._binding:
            for order in self.orders.bind():
                self._telling.open(order)

    def closed(self, client: IbClient) -> None:
        """Hear that a connection is gone; its orders go on.

        Source: TWS API documentation, reqAutoOpenOrders.
        """
        self._binding.discard(client.number)

    # --- requests ---------------------------------------------------------------------------------------------------

    def _cancel(self, client: IbClient, reader: FieldReader) -> None:
        reader.whole()
        order_id = reader.whole()
        if self.side.settings.read_only:
            raise refused(order_id, "read_only")
        self._changes.cancel(client.client_id, order_id)

    def _cancel_all(self, _client: IbClient, _reader: FieldReader) -> None:
        if self.side.settings.read_only:
            raise refused(NO_REQUEST, "read_only")
        self._changes.cancel_all()

    def _open(self, client: IbClient, _reader: FieldReader) -> None:
        """Tell a client its own open orders; client 0 those of TWS itself too, which get ids for that."""
        if client.client_id == NO_CLIENT:
            self.orders.bind()
        for order in self.orders.open():
            if order.client_id == client.client_id:
                self._telling.open_to(client, order)
        self._send(client, OPEN_ORDER_END, {})

    def _all_open(self, client: IbClient, _reader: FieldReader) -> None:
        for order in self.orders.open():
            self._telling.open_to(client, order)
        self._send(client, OPEN_ORDER_END, {})

    def _auto_bind(self, client: IbClient, reader: FieldReader) -> None:
        reader.whole()
        wants = reader.flag()
        if client.client_id != NO_CLIENT:
            raise refused(NO_REQUEST, "auto_bind")
        if wants:
            self._binding.add(client.number)
        else:
            self._binding.discard(client.number)

    def _completed(self, client: IbClient, reader: FieldReader) -> None:
        """Tell the orders that have ended, newest first; on request only those of API clients."""
        api_only, oldest_ns = reader.flag(), self.side.now_ns() - COMPLETED_NS
        ended = [one for one in self.orders.all() if not one.is_open and one.updated_ns >= oldest_ns]
        for order in sorted(ended, key=lambda one: one.updated_ns, reverse=True):
            if not api_only or order.client_id or order.order_id:
                self._send(client, COMPLETED_ORDER, completed_values(order, self._telling.contract(order)))
        self._send(client, COMPLETED_ORDERS_END, {})
