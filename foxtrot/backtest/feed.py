"""The way of recorded facts to the platform: at once, or when the feed latency is over."""

from heapq import heappop, heappush

from foxtrot.core.clock import Clock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.timers import NEVER_NS


class Feed:
    """Facts on their way from the venue to the platform.

    Thread: the backtest's.
    """

    def __init__(self, dispatcher: Dispatcher, clock: Clock, latency_ns: int = 0) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self.latency_ns = latency_ns
        self._waiting: list[tuple[int, int, object]] = []
        self._count = 0

    @property
    def next_due_ns(self) -> int:
        """Return when the next fact is heard; never without one."""
        return self._waiting[0][0] if self._waiting else NEVER_NS

    def publish(self, fact: object, due_ns: int) -> None:
        """Let the platform hear a fact at a time, or now if that is past."""
        if due_ns <= self._clock.now_ns():
            self._dispatcher.dispatch(fact)
            return
        self._count += 1
        heappush(self._waiting, (due_ns, self._count, fact))

    def deliver(self, now_ns: int) -> None:
        """Let the platform hear what is due, each fact with all that follows from it."""
        waiting, dispatcher = self._waiting, self._dispatcher
        while waiting and waiting[0][0] <= now_ns:
            dispatcher.dispatch(heappop(waiting)[2])
            dispatcher.drain()
