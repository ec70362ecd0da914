"""Timers by deadline: a heap that somebody else looks at; no thread and no sleep."""

from heapq import heappop, heappush

from foxtrot.core.notices import TimerFired

NEVER_NS = 1 << 62
"""A deadline that does not come."""


class TimerQueue:
    """One-shot and repeating timers, on whatever monotonic time the caller passes.

    A repeating timer that was missed several times fires once and goes on from now.

    Thread: the dispatcher's.
    """

    __slots__ = ("_active", "_heap", "_next_id", "next_due_ns")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._active: dict[int, tuple[str, str, int]] = {}
        self._next_id = 0
        self.next_due_ns = NEVER_NS

    def set(self, owner: str, name: str, due_ns: int, interval_ns: int = 0) -> int:
        """Add a timer and return its id; an interval of 0 fires once."""
        self._next_id += 1
        self._active[self._next_id] = (owner, name, interval_ns)
        heappush(self._heap, (due_ns, self._next_id))
        self.next_due_ns = self._heap[0][0]
        return self._next_id

    def cancel(self, timer_id: int) -> None:
        """Remove a timer; one that has fired or never was is ignored."""
        self._active.pop(timer_id, None)

    def cancel_owner(self, owner: str) -> None:
        """Remove all timers of an owner."""
        for timer_id in [key for key, (name, _, _) in self._active.items() if name == owner]:
            del self._active[timer_id]

    def pop_due(self, now_ns: int) -> TimerFired | None:
        """Return the next timer that is due, or None."""
        heap = self._heap
        while heap and heap[0][0] <= now_ns:
            due_ns, timer_id = heappop(heap)
            entry = self._active.get(timer_id)
            if entry is None:
                continue
            owner, name, interval_ns = entry
            if interval_ns:
                heappush(heap, (max(due_ns + interval_ns, now_ns + 1), timer_id))
            else:
                del self._active[timer_id]
            self.next_due_ns = heap[0][0] if heap else NEVER_NS
            return TimerFired(owner, name, timer_id, due_ns, now_ns)
        self.next_due_ns = heap[0][0] if heap else NEVER_NS
        return None
