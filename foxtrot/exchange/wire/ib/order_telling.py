"""What clients are told of their orders and fills: openOrder, orderStatus, execDetails, commissionReport and errors."""

from collections.abc import Callable, Mapping

from foxtrot.exchange.events import OrderFilled
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.connection_layouts import ERROR
from foxtrot.exchange.wire.ib.endpoint import Send
from foxtrot.exchange.wire.ib.holdings import Holdings
from foxtrot.exchange.wire.ib.ib_order import NO_CLIENT, PRE_SUBMITTED, SUBMITTED, IbOrder
from foxtrot.exchange.wire.ib.layout import UNSET_FLOAT, Value
from foxtrot.exchange.wire.ib.order_book_of_client import IbOrders
from foxtrot.exchange.wire.ib.order_echo import execution_id, execution_values, open_values, rounded, status_values
from foxtrot.exchange.wire.ib.order_layouts import COMMISSION_REPORT, EXEC_DETAILS, OPEN_ORDER, ORDER_STATUS
from foxtrot.exchange.wire.ib.order_texts import text_of_order
from foxtrot.exchange.wire.ib.venue_side import IbContract, IbSide


class OrderTelling:
    """Tells the client whose order it is. Orders entered in TWS itself belong to client 0 once they have an id.

    Thread: exchange-io.

    Args:
        side: the venue as the surface needs it.
        orders: what is known of orders.
        holdings: tells what a fill realised.
        send: the way out; it tells nothing while TWS has no link to IB's servers.
        clients: returns the connections that have started.
    """

    def __init__(
        self,
        side: IbSide,
        orders: IbOrders,
        holdings: Holdings,
        send: Send,
        clients: Callable[[], tuple[IbClient, ...]],
    ) -> None:
        self._side = side
        self._orders = orders
        self._holdings = holdings
        self._send = send
        self._clients = clients

    def accepted(self, order: IbOrder) -> None:
        """Tell that an order was accepted, or changed: first as submitted to TWS, then, if it is, to the exchange.

        Source: TWS API documentation, Order Status; sequence as seen with ibapi 9.81.
        """
        self.open(order, PRE_SUBMITTED)
        if order.status == SUBMITTED:
            self.open(order, SUBMITTED)

    def open(self, order: IbOrder, status: str = "") -> None:
        """Tell an order as it stands, or in a status that it passes through.

        Source: TWS API documentation, openOrder, orderStatus.
        """
        for client in self._listeners(order):
            self.open_to(client, order, status)

    def open_to(self, client: IbClient, order: IbOrder, status: str = "") -> None:
        """Tell one client an order as it stands.

        Source: TWS API documentation, openOrder, orderStatus.
        """
        more: Mapping[str, Value] = {"status": status} if status else {}
        if order.is_pending and order.is_open:
            self._follow(order)
        values = open_values(order, self.contract(order), self.parent_id(order), more)
        self._send(client, OPEN_ORDER, values)
        self._send(client, ORDER_STATUS, status_values(order, self.contract(order), self.parent_id(order), status))

    def status(self, order: IbOrder, status: str = "") -> None:
        """Tell the status of an order alone.

        Source: TWS API documentation, orderStatus.
        """
        values = status_values(order, self.contract(order), self.parent_id(order), status)
        for client in self._listeners(order):
            self._send(client, ORDER_STATUS, values)

    def error(self, order: IbOrder, key: str, **values: object) -> None:
        """Tell an error or a notice about an order.

        Source: TWS API documentation, Error Handling.
        """
        self.say(order, *text_of_order(key, **values))

    def say(self, order: IbOrder, code: int, text: str) -> None:
        """Tell a code and its text about an order.

        Source: TWS API documentation, Error Handling.
        """
        for client in self._listeners(order):
            self._send(client, ERROR, {"request_id": order.order_id, "code": code, "text": text})

    def fill(self, order: IbOrder, fill: OrderFilled) -> None:
        """Tell a fill: its details, the order as it stands, what it cost.

        Source: TWS API documentation, execDetails, commissionReport; sequence as seen with ibapi 9.81.
        """
        contract = self.contract(order)
        values = execution_values(order, contract, fill, (order.filled, order.cost))
        for client in self._listeners(order):
            self._send(client, EXEC_DETAILS, values)
        self.open(order)
        for client in self._listeners(order):
            self.commission_to(client, fill)

    def execution_to(
        self, client: IbClient, request_id: int, row: tuple[IbOrder, OrderFilled, tuple[int, int]]
    ) -> None:
        """Tell one client a fill that it asked for, and what it cost.

        Source: TWS API documentation, reqExecutions.
        """
        order, fill, done = row
        self._send(client, EXEC_DETAILS, execution_values(order, self.contract(order), fill, done, request_id))
        self.commission_to(client, fill)

    def commission_to(self, client: IbClient, fill: OrderFilled) -> None:
        """Tell one client what a fill cost and realised.

        Source: TWS API documentation, CommissionReport.
        """
        profit = self._holdings.profit(fill)
        values: dict[str, Value] = {"execId": execution_id(fill), "commission": fill.fee, "currency": fill.fee_asset}
        values["realizedPNL"] = UNSET_FLOAT if profit is None else rounded(profit)
        self._send(client, COMMISSION_REPORT, values)

    def contract(self, order: IbOrder) -> IbContract:
        """Return the contract of an order.

        Source: TWS API documentation, openOrder.
        """
        found = self._side.contracts.of_instrument(order.instrument_id)
        if found is None:
            raise LookupError(f"order {order.perm_id} is of {order.instrument_id}, which is not listed")
        return found

    def parent_id(self, order: IbOrder) -> int:
        """Return the id of an order's parent, 0 without one.

        Source: TWS API documentation, Order: parentId.
        """
        parent = self._orders.of_perm_id(order.parent_perm_id) if order.parent_perm_id else None
        return 0 if parent is None else parent.order_id

    def _follow(self, order: IbOrder) -> None:
        """Note where the trigger of a trailing stop is now; the venue tells no event of it."""
        report = self._side.venue.order(order.account, order.instrument_id, order.venue_id)
        if report is not None:
            order.trigger = report.trigger_price

    def _listeners(self, order: IbOrder) -> list[IbClient]:
        if order.client_id == NO_CLIENT and not order.order_id:
            return []
        return [client for client in self._clients() if client.client_id == order.client_id]
