"""What the user stream tells of orders: executionReport, ORDER_TRADE_UPDATE and ALGO_UPDATE."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.order_codec import is_conditional
from foxtrot.adapter.binance.order_queries import OrderQueries
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.order_watch import OrderWatch
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import AdapterError, BadMessage
from foxtrot.domain.order import OrderData, TradeData

Event = Mapping[str, object]
PARKED = 1_000
"""How many reports may wait for the news which conditional order became the order that they speak of."""


class OrderEvents:
    """Hears the user stream and gives the tracker what it says; an event that cannot be read is asked after instead.

    A triggered conditional order becomes an ordinary one with an id of its own. Its reports may come before the news of
    which order it was: they wait until that is known or asked, and are told under the desk's id.

    Thread: binance-io.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        session: BinanceSession,
        tracker: OrderTracker,
        queries: OrderQueries,
        watch: OrderWatch,
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._tracker = tracker
        self._queries = queries
        self._watch = watch
        self._parked: OrderedDict[tuple[str, str], list[tuple[OrderData, TradeData | None]]] = OrderedDict()
        self._handlers: dict[str, Callable[[Event], None]] = {
            "executionReport": self._on_execution_report,
            "ORDER_TRADE_UPDATE": self._on_order_update,
            "ALGO_UPDATE": self._on_algo_update,
        }

    def hear(self, event: Event) -> bool:
        """Take one event, bare; False when it does not speak of orders. Never raises for what an event says."""
        handler = self._handlers.get(str(event.get("e")))
        if handler is None:
            return False
        try:
            handler(event)
        except BadMessage as error:
            self._ask_after(event, error)
        self._watch.note_fills()
        return True

    def _on_execution_report(self, event: Event) -> None:
        self._tell(*self._queries.codec.execution_report(event, self._adapter.clock.now_ns()))

    def _on_order_update(self, event: Event) -> None:
        order, trade = self._queries.codec.order_update(event, self._adapter.clock.now_ns())
        if self._may_be_spawned(order):
            self._park(order, trade)
        else:
            self._tell(order, trade)

    def _on_algo_update(self, event: Event) -> None:
        order, spawned = self._queries.codec.algo_update(event, self._adapter.clock.now_ns())
        if spawned:
            self._tracker.note_id(order.instrument_id, spawned, order.order_id)
        self._tracker.report(order)
        if spawned:
            self._release((order.instrument_id, spawned))

    def _tell(self, order: OrderData, trade: TradeData | None) -> None:
        self._queries.tell(order, *(() if trade is None else (trade,)))

    def _may_be_spawned(self, order: OrderData) -> bool:
        """Tell whether an order we have not heard of may be what one of the waiting conditional orders became."""
        if self._session.product is Product.SPOT or self._tracker.knows(order.order_id):
            return False
        if self._tracker.order_id_of(order.instrument_id, order.venue_order_id):
            return False
        return any(True for _ in self._candidates(order))

    def _candidates(self, order: OrderData) -> list[OrderData]:
        return [
            waiting
            for waiting in self._tracker.open_orders()
            if is_conditional(waiting.order_type, self._session.product)
            and (waiting.instrument_id, waiting.side, waiting.quantity)
            == (order.instrument_id, order.side, order.quantity)
        ]

    def _park(self, order: OrderData, trade: TradeData | None) -> None:
        key = (order.instrument_id, order.venue_order_id)
        first = key not in self._parked
        self._parked.setdefault(key, []).append((order, trade))
        if first:
            self._session.spawn(self._unpark(key), f"what became order {order.venue_order_id}")
        if len(self._parked) > PARKED:
            self._release(next(iter(self._parked)))

    def _release(self, key: tuple[str, str]) -> None:
        for order, trade in self._parked.pop(key, ()):
            self._tell(order, trade)
        self._watch.note_fills()

    async def _unpark(self, key: tuple[str, str]) -> None:
        """Ask the waiting conditional orders whether they became this one, then tell it under whatever id that gives."""
        waiting = self._candidates(self._parked[key][0][0]) if key in self._parked else []
        for order in waiting:
            if key in self._parked and not self._tracker.order_id_of(*key):
                await self._watch.check(order.order_id, order.instrument_id)
        self._release(key)

    def _ask_after(self, event: Event, error: AdapterError) -> None:
        """Report an event that cannot be read, and ask for the order it names, if it does."""
        logger.error("{} {}", self._adapter.account, error)
        self._adapter.on_request_failed(f"user event {event.get('e')}", error)
        body = event.get("o") if isinstance(event.get("o"), Mapping) else event
        if not isinstance(body, Mapping):
            return
        order_id = body.get("C") or body.get("c") or body.get("caid")
        symbol = body.get("s")
        if isinstance(order_id, str) and order_id and isinstance(symbol, str) and symbol:
            check = self._watch.check(order_id, self._queries.codec.instrument_id(symbol))
            self._session.spawn(check, f"ask for {order_id}")


def unwrapped(raw: Event) -> Event:
    """Return the event of a user stream, whatever it is wrapped in."""
    for name in ("event", "data"):
        inner = raw.get(name)
        if isinstance(inner, Mapping) and "e" in inner:
            return inner
    return raw
