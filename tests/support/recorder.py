"""Keeps every event an adapter puts, with the thread that put it."""

import threading
from typing import TypeVar

from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.order import OrderData, TradeData

Event = TypeVar("Event")


class Recorder:
    """An event sink.

    Thread: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: list[tuple[object, str]] = []

    def put(self, event: object) -> None:
        """Keep an event."""
        with self._lock:
            self._heard.append((event, threading.current_thread().name))

    def __len__(self) -> int:
        return len(self._heard)

    def events(self, since: int = 0) -> list[object]:
        """Return what was heard, from a position on."""
        with self._lock:
            return [event for event, _ in self._heard[since:]]

    def threads(self, since: int = 0) -> set[str]:
        """Return the names of the threads that put something, from a position on."""
        with self._lock:
            return {thread for _, thread in self._heard[since:]}

    def of(self, kind: type[Event], since: int = 0) -> list[Event]:
        """Return the events of one class, from a position on."""
        return [event for event in self.events(since) if isinstance(event, kind)]

    def states(self, since: int = 0) -> list[AdapterState]:
        """Return the states of the connection in order, from a position on."""
        return [status.state for status in self.of(AdapterStatus, since)]

    def reports(self, order_id: str) -> list[OrderData]:
        """Return what was said of one order."""
        return [order for order in self.of(OrderData) if order.order_id == order_id]

    def fills(self, order_id: str) -> list[TradeData]:
        """Return the fills of one order."""
        return [trade for trade in self.of(TradeData) if trade.order_id == order_id]
