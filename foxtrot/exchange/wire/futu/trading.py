"""The trading part of the surface: accounts, orders, fills, money, and the pushes about them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.endpoint import Handler, Push
from foxtrot.exchange.wire.futu.trade_accounts import TradeAccounts
from foxtrot.exchange.wire.futu.trade_desk import TradeDesk
from foxtrot.exchange.wire.futu.trade_funds import TradeFunds
from foxtrot.exchange.wire.futu.trade_hours import TradeHours
from foxtrot.exchange.wire.futu.trade_limits import LIMITS, FrequencyLimit, TradeLimits
from foxtrot.exchange.wire.futu.trade_orders import TradeOrders
from foxtrot.exchange.wire.futu.trade_pushes import TradePushes
from foxtrot.exchange.wire.futu.trade_queries import TradeQueries
from foxtrot.exchange.wire.futu.venue_side import FutuSide

_NO_LIMITS: Final[Mapping[int, FrequencyLimit]] = {}
_SUBSCRIBE: Final = 2008


class Trading:
    """Answers every request about trading and tells accounts what happens to their orders.

    Thread: exchange-io.

    Args:
        side: the venue as the surface needs it; its settings switch the frequency limits off.
        push: sends a push to a connection.
        limits: how often requests may be made, by protocol id; None for those of a real OpenD.
    """

    def __init__(self, side: FutuSide, push: Push, limits: Mapping[int, FrequencyLimit] | None = None) -> None:
        if limits is None:
            limits = LIMITS if side.settings.limits else _NO_LIMITS
        self._side = side
        self._hours = TradeHours(side)
        self._limits = TradeLimits(limits)
        self._orders = TradeOrders(side)
        self.accounts = TradeAccounts(side)
        self._pushes = TradePushes(side, self.accounts, self._orders, push)
        self._desk = TradeDesk(side, self.accounts, self._orders, self._hours, self._pushes.tell)
        self._queries = TradeQueries(side, self.accounts, self._orders, self._hours)
        self._funds = TradeFunds(side, self.accounts, self._orders, self._hours)

    def lock(self) -> None:
        """Lock trading from outside; REAL orders are refused until somebody unlocks it again.

        Source: Futu OpenAPI documentation, Unlock Trade.
        """
        self.accounts.lock()

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by protocol id.

        Source: Futu OpenAPI documentation, Protocol ID Introduction: trading.
        """
        answers: dict[int, Handler] = {
            2001: self.accounts.listed,
            2005: self.accounts.unlock,
            _SUBSCRIBE: self._subscribe,
            2101: self._funds.funds,
            2102: self._funds.positions,
            2111: self._funds.most,
            2201: self._queries.orders,
            2202: self._desk.place,
            2205: self._desk.modify,
            2211: self._queries.fills,
            2221: self._queries.past_orders,
            2222: self._queries.past_fills,
            2225: self._queries.fees,
        }
        return {proto_id: partial(self._counted, proto_id, handler) for proto_id, handler in answers.items()}

    def on_event(self, event: VenueEvent) -> None:
        """Tell the accounts of an event of the venue.

        Source: Futu OpenAPI documentation, Order Push Callback, Deal Push Callback.
        """
        self._pushes.hear(event)

    def after_answer(self, client: FutuClient, proto_id: int) -> None:
        """Tell what a request caused that the venue does not tell.

        Source: seen with futu-api 10.11.7108: the reply comes before the pushes that its request causes.
        """
        self._pushes.flush()

    def tick(self, now_ns: int) -> None:
        """Open and close markets, and enter the orders that waited for it.

        Source: Futu OpenAPI documentation, Market State Definition; OrderStatus: WAITING_SUBMIT.
        """
        self._hours.tick(now_ns)
        self._desk.tick(now_ns)
        self._pushes.flush()

    def closed(self, client: FutuClient) -> None:
        """Hear that a connection is gone.

        Source: none; Foxtrot's own clean-up.
        """
        self._pushes.drop(client)
        self._limits.closed(client)

    def _subscribe(self, client: FutuClient, c2s: Any) -> None:
        self.accounts.subscribe(client, c2s)
        self._pushes.add(client)

    def _counted(self, proto_id: int, handler: Callable[[FutuClient, Any], Any], client: FutuClient, c2s: Any) -> Any:
        self._limits.take(client, proto_id, c2s, self._side.now_ns())
        return handler(client, c2s)
