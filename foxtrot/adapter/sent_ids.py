"""The ids that were handed over to be sent: no id goes twice, and a cancel waits until the venue was heard of its order."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from foxtrot.domain.order import ApprovedOrder


class SentIds:
    """Remembers the newest ids, and which of them are under way.

    Thread: the adapter's own.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._under_way: dict[str, asyncio.Event] = {}

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def remember(self, order_id: str) -> None:
        """Remember an id, and forget the oldest one when there are too many."""
        self._ids[order_id] = None
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)

    def forget(self, order_id: str) -> None:
        """Let an id be sent later: its order did not leave."""
        del self._ids[order_id]

    def begin(self, orders: Iterable[ApprovedOrder]) -> None:
        """Remember orders, and that they are under way."""
        for order in orders:
            self.remember(order.order_id)
            self._under_way[order.order_id] = asyncio.Event()

    def end(self, orders: Iterable[ApprovedOrder]) -> None:
        """Note that what could be heard of orders was heard; whoever waits goes on."""
        for order in orders:
            self._under_way.pop(order.order_id).set()

    def note_heard(self, order_id: str) -> None:
        """Let the cancels go that wait until an order under way is heard of."""
        under_way = self._under_way.get(order_id)
        if under_way is not None:
            under_way.set()

    async def until_heard(self, order_id: str) -> None:
        """Wait until an order that is under way is heard of."""
        under_way = self._under_way.get(order_id)
        if under_way is not None:
            await under_way.wait()
