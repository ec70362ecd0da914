"""What accounts are told of their orders and fills, on every connection that asked to hear of them."""

from typing import Any, Final

from foxtrot.exchange.events import (
    OrderAccepted,
    OrderCancelled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    VenueEvent,
)
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.endpoint import Push
from foxtrot.exchange.wire.futu.message_types import new_answer
from foxtrot.exchange.wire.futu.trade_accounts import TradeAccounts
from foxtrot.exchange.wire.futu.trade_orders import (
    CANCELLING_ALL,
    CANCELLING_PART,
    FILLED_ALL,
    FILLED_PART,
    SUBMITTED,
    SUBMITTING,
    OrderState,
    TradeOrder,
    TradeOrders,
    end_text,
    ended_status,
)
from foxtrot.exchange.wire.futu.trade_rows import fill_deal, fill_order
from foxtrot.exchange.wire.futu.venue_side import FutuAccount, FutuSide

_ORDER, _FILL = 2208, 2218
_BY_OWNER: Final = "cancelled"


class TradePushes:
    """Turns what the venue tells into order and fill pushes; fills are told of REAL accounts only.

    Thread: exchange-io.
    """

    def __init__(self, side: FutuSide, accounts: TradeAccounts, orders: TradeOrders, push: Push) -> None:
        self._side = side
        self._accounts = accounts
        self._orders = orders
        self._push = push
        self._clients: dict[int, FutuClient] = {}
        self._named: dict[str, FutuAccount] = {}
        self._waiting: list[tuple[TradeOrder, OrderState, int | None]] = []

    def add(self, client: FutuClient) -> None:
        """Note a connection that asked to be told.

        Source: Futu OpenAPI documentation, Subscribe to Transaction Push.
        """
        self._clients[client.number] = client

    def drop(self, client: FutuClient) -> None:
        """Forget a connection that is gone.

        Source: none; Foxtrot's own clean-up.
        """
        self._clients.pop(client.number, None)

    def tell(self, order: TradeOrder, status: int | None) -> None:
        """Keep what is to be told of an order of which the venue knows nothing, as it stands now.

        Source: Futu OpenAPI documentation, Order Push Callback.
        """
        self._waiting.append((order, self._orders.state(order), status))

    def flush(self) -> None:
        """Tell what was kept; the answer of the request that caused it is out.

        Source: Futu OpenAPI documentation, Order Push Callback.
        """
        waiting, self._waiting = self._waiting, []
        for order, state, status in waiting:
            self._tell_order(order, state, status)

    def hear(self, event: VenueEvent) -> None:
        """Tell of one event of an order.

        Source: Futu OpenAPI documentation, Order Push Callback, Deal Push Callback; OrderStatus.
        """
        if not isinstance(event, OrderEvent) or isinstance(event, OrderRejected):
            return
        order = self._order_of(event)
        if order is None:
            return
        order.updated_ns = max(order.updated_ns, event.time_ns)
        for status in _passed(event, order):
            self._tell_order(order, _state_of(order, event, status), None)
        if isinstance(event, OrderFilled) and order.account.real:
            self._tell_fill(order, event)

    def _order_of(self, event: OrderEvent) -> TradeOrder | None:
        if len(self._named) != len(self._side.accounts):
            self._named = {one.account: one for one in self._side.accounts.values()}
        account = self._named.get(event.account)
        if account is None:
            return None
        for instrument in self._side.stocks().values():
            if instrument.instrument_id == event.instrument_id:
                return self._orders.by_venue_id(account, instrument, event.order_id)
        return None

    def _tell_order(self, order: TradeOrder, state: OrderState, status: int | None) -> None:
        listeners = self._listeners(order)
        if listeners:
            s2c = new_answer(_ORDER)
            self._accounts.header(order.account, self._side.trd_market_of(order.instrument), s2c.header)
            fill_order(s2c.order, self._side, order, state, status)
            self._send(listeners, _ORDER, s2c)

    def _tell_fill(self, order: TradeOrder, fill: OrderFilled) -> None:
        listeners = self._listeners(order)
        if listeners:
            s2c = new_answer(_FILL)
            self._accounts.header(order.account, self._side.trd_market_of(order.instrument), s2c.header)
            fill_deal(s2c.orderFill, self._side, order, fill)
            self._send(listeners, _FILL, s2c)

    def _listeners(self, order: TradeOrder) -> list[FutuClient]:
        return [client for client in self._clients.values() if order.account.acc_id in client.accounts]

    def _send(self, listeners: list[FutuClient], proto_id: int, s2c: Any) -> None:
        for client in listeners:
            self._push(client, proto_id, s2c, "")


def _passed(event: OrderEvent, order: TradeOrder) -> tuple[int, ...]:
    """Return the statuses that an event takes an order through; one that was modified was submitted before."""
    if isinstance(event, OrderAccepted):
        return (SUBMITTED,) if order.is_entered_again else (SUBMITTING, SUBMITTED)
    if isinstance(event, OrderFilled):
        return (FILLED_PART if event.remaining else FILLED_ALL,)
    if isinstance(event, OrderCancelled) and event.reason == _BY_OWNER:
        return CANCELLING_PART if event.filled else CANCELLING_ALL, ended_status(event.filled)
    if isinstance(event, OrderCancelled | OrderExpired):
        return (ended_status(event.filled),)
    return (FILLED_PART if event.filled else SUBMITTED,)


def _state_of(order: TradeOrder, event: OrderEvent, status: int) -> OrderState:
    ended = isinstance(event, OrderCancelled | OrderExpired) and status == ended_status(event.filled)
    error = end_text(event.reason) if ended and isinstance(event, OrderCancelled | OrderExpired) else order.error
    return OrderState(
        status, event.quantity, event.price, event.trigger_price, event.filled, event.cost, event.time_ns, error
    )
