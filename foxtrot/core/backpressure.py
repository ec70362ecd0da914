"""What happens to market events when the lane is full: conflate per instrument, or shed and announce a gap."""

import threading
from collections import deque

from foxtrot.core.lanes import Overflow
from foxtrot.core.notices import Gap

Key = tuple[type, str]


class PendingToken:
    """Stands in the lane for the newest event of one class and instrument."""

    __slots__ = ("key",)

    def __init__(self, key: Key) -> None:
        self.key = key


class GapToken:
    """Stands in the lane for all events of one class and instrument that were shed at this place."""

    __slots__ = ("count", "key")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.count = 0


class MarketOverflow:
    """The waiting room of a full market lane.

    Thread: any; `_lock` guards `_pending`, `gaps` and `conflated`, and is held for a few dictionary operations.
    """

    def __init__(self, lane: deque[object]) -> None:
        self._lane = lane
        self._lock = threading.Lock()
        self._pending: dict[Key, object] = {}
        self.gaps: dict[Key, GapToken] = {}
        self.conflated = 0

    def take(self, event: object, overflow: Overflow) -> None:
        """Take an event that found the lane full."""
        key = (type(event), str(getattr(event, "instrument_id", "")))
        with self._lock:
            if overflow is Overflow.CONFLATE:
                if key in self._pending:
                    self.conflated += 1
                else:
                    self._lane.append(PendingToken(key))
                self._pending[key] = event
                return
            token = self.gaps.get(key)
            if token is None:
                token = self.gaps[key] = GapToken(key)
                self._lane.append(token)
            token.count += 1
            self.conflated += 1

    def end_gap(self, event: object) -> None:
        """Note that an event of this class and instrument is kept again: the next shed one opens a new gap."""
        key = (type(event), str(getattr(event, "instrument_id", "")))
        with self._lock:
            self.gaps.pop(key, None)

    def unwrap(self, entry: object) -> tuple[object, ...]:
        """Return the event an entry of the lane stands for: itself, the newest pending one, or a Gap."""
        if isinstance(entry, PendingToken):
            with self._lock:
                return (self._pending.pop(entry.key),)
        if isinstance(entry, GapToken):
            with self._lock:
                if self.gaps.get(entry.key) is entry:
                    del self.gaps[entry.key]
                return (Gap(entry.key[1], entry.key[0].__name__, entry.count),)
        return (entry,)
