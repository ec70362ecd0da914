"""Timers by deadline: a heap that somebody else looks at; no thread and no sleep."""

from heapq import heapify, heappop, heappush

from foxtrot.core.notices import TimerFired
from foxtrot.domain.errors import ConfigError

NEVER_NS = 1 << 62
"""A deadline that does not come."""

_CANCELLED_KEPT = 64


class TimerQueue:
    """One-shot and repeating timers, on whatever monotonic time the caller passes.

    A repeating timer that was missed several times fires once and goes on at the next multiple of its interval. Timers due
    at the same time fire in the order they were set.

    Thread: the dispatcher's.
    """

    __slots__ = ("_active", "_heap", "_next_id", "next_due_ns")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._active: dict[int, tuple[str, str, int]] = {}
        self._next_id = 0
        self.next_due_ns = NEVER_NS

    def __len__(self) -> int:
        return len(self._active)

    def set(self, owner: str, name: str, due_ns: int, interval_ns: int = 0) -> int:
        """Add a timer and return its id; an interval of 0 fires once.

        Raises:
            ConfigError: the interval is negative.
        """
        if interval_ns < 0:
            raise ConfigError(f"timer {name} of {owner}: interval {interval_ns} ns is negative; use 0 to fire once")
        self._next_id += 1
        self._active[self._next_id] = (owner, name, interval_ns)
        heappush(self._heap, (due_ns, self._next_id))
        self.next_due_ns = self._heap[0][0]
        return self._next_id

    def cancel(self, timer_id: int) -> None:
        """Remove a timer; one that has fired or never was is ignored."""
        self._active.pop(timer_id, None)
        self._forget_cancelled()

    def cancel_owner(self, owner: str) -> None:
        """Remove all timers of an owner."""
        for timer_id in [key for key, (name, _, _) in self._active.items() if name == owner]:
            del self._active[timer_id]
        self._forget_cancelled()

    def pop_due(self, now_ns: int) -> TimerFired | None:
        """Return the next timer that is due, or None."""
        heap = self._heap
        fired = None
        while fired is None and heap and heap[0][0] <= now_ns:
            due_ns, timer_id = heappop(heap)
            entry = self._active.get(timer_id)
            if entry is None:
                continue
            owner, name, interval_ns = entry
            if interval_ns:
                missed = (now_ns - due_ns) // interval_ns
                heappush(heap, (due_ns + (missed + 1) * interval_ns, timer_id))
            else:
                del self._active[timer_id]
            fired = TimerFired(owner, name, timer_id, due_ns, now_ns)
        self.next_due_ns = heap[0][0] if heap else NEVER_NS
        return fired

    def _forget_cancelled(self) -> None:
        """Clear cancelled timers away once they are the greater part of the heap."""
        if len(self._heap) > 2 * len(self._active) + _CANCELLED_KEPT:
            self._heap = [entry for entry in self._heap if entry[1] in self._active]
            heapify(self._heap)
            self.next_due_ns = self._heap[0][0] if self._heap else NEVER_NS
