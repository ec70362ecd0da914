"""One order, asked for because we believe it open and the venue's list of open orders lacks it."""

from typing import Final

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.order_watch import OrderQuestions
from foxtrot.domain.errors import AdapterError

LOOK_BACK_NS: Final = 86_400_000_000_000
REMEMBERED: Final = 1_000
RECENT: Final = 10.0
"""In so many bounds the venue must have said NOT FOUND before, for that to count: what it said long ago proves nothing about now."""


class OrderLookUp:
    """Tells what the venue says of an order; that it has none is told only when it has said so for as long as its answers may lag.

    It must have said so at least twice, with nothing heard of the order in between.

    Thread: the adapter's own.
    """

    def __init__(self, adapter: BaseAdapter, venue: str, tracker: OrderTracker, queries: OrderQuestions) -> None:
        self._adapter = adapter
        self._venue = venue
        self._tracker = tracker
        self._queries = queries
        self._not_found: dict[str, tuple[int, int]] = {}
        """When an order was not found first and last, since anything was heard of it."""
        tracker.on_told = self._forget

    async def tell(self, order_id: str, instrument_id: str) -> None:
        """Ask once, and tell the order, or that there is none.

        Raises:
            AdapterError: no answer, or one that proves nothing yet.
        """
        if await self._queries.ask(order_id, instrument_id) or await self._is_listed(order_id, instrument_id):
            self._forget(order_id)
            last = self._tracker.last(order_id)
            if last is None:
                raise AdapterError(self._venue, "another_id", f"the venue tells order {order_id} under another id")
            self._adapter.on_order(last)
            return
        self._judge(order_id, instrument_id)

    def _judge(self, order_id: str, instrument_id: str) -> None:
        """Tell that there is no such order, if that is proved by now.

        Raises:
            AdapterError: it is not.
        """
        now_ns, bound_s = self._adapter.clock.monotonic_ns(), self._adapter.capabilities.unknown_bound_s
        first_ns, last_ns = self._not_found.pop(order_id, (now_ns, now_ns))
        if now_ns - last_ns > RECENT * bound_s * 1e9:
            first_ns = now_ns
        if now_ns == first_ns or now_ns - first_ns < bound_s * 1e9:
            self._not_found[order_id] = (first_ns, now_ns)
            while len(self._not_found) > REMEMBERED:
                del self._not_found[next(iter(self._not_found))]
            text = f"not found, which proves nothing within {bound_s:g} s of the first time; it is asked for again"
            raise AdapterError(self._venue, "not_found_yet", text)
        self._adapter.on_order_missing(order_id, instrument_id)

    def _forget(self, order_id: str) -> None:
        """Begin anew with an order of which something was heard."""
        self._not_found.pop(order_id, None)

    async def _is_listed(self, order_id: str, instrument_id: str) -> bool:
        last = self._tracker.last(order_id)
        since_ns = last.venue_time_ns if last is not None else 0
        return await self._queries.is_listed(
            order_id, instrument_id, since_ns or self._adapter.clock.now_ns() - LOOK_BACK_NS
        )
