"""One order, asked for because we believe it open and the venue's list of open orders lacks it."""

from typing import Final

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.errors import VENUE
from foxtrot.adapter.binance.order_queries import OrderQueries
from foxtrot.adapter.binance.order_tracker import OrderTracker
from foxtrot.domain.errors import AdapterError

LOOK_BACK_NS: Final = 86_400_000_000_000
REMEMBERED: Final = 1_000


class OrderLookUp:
    """Tells what the venue says of an order; that it has none is told only when it has said so for as long as its answers may lag.

    Thread: binance-io.
    """

    def __init__(self, adapter: BaseAdapter, tracker: OrderTracker, queries: OrderQueries) -> None:
        self._adapter = adapter
        self._tracker = tracker
        self._queries = queries
        self._not_found_ns: dict[str, int] = {}

    async def tell(self, order_id: str, instrument_id: str) -> None:
        """Ask once, and tell the order, or that there is none.

        Raises:
            AdapterError: no answer, or one that proves nothing yet.
        """
        if await self._queries.ask(order_id, instrument_id) or await self._is_listed(order_id, instrument_id):
            self._not_found_ns.pop(order_id, None)
            last = self._tracker.last(order_id)
            if last is None:
                raise AdapterError(VENUE, "another_id", f"the venue tells order {order_id} under another id")
            self._adapter.on_order(last)
            return
        now_ns = self._adapter.clock.monotonic_ns()
        first_ns = self._not_found_ns.setdefault(order_id, now_ns)
        bound_s = self._adapter.capabilities.unknown_bound_s
        if now_ns - first_ns < bound_s * 1e9:
            while len(self._not_found_ns) > REMEMBERED:
                del self._not_found_ns[next(iter(self._not_found_ns))]
            text = f"not found, which proves nothing within {bound_s:g} s of the first time; it is asked for again"
            raise AdapterError(VENUE, "not_found_yet", text)
        del self._not_found_ns[order_id]
        self._adapter.on_order_missing(order_id, instrument_id)

    async def _is_listed(self, order_id: str, instrument_id: str) -> bool:
        last = self._tracker.last(order_id)
        since_ns = last.venue_time_ns if last is not None else 0
        return await self._queries.is_listed(
            order_id, instrument_id, since_ns or self._adapter.clock.now_ns() - LOOK_BACK_NS
        )
