"""Changes in a row that are older than the book: repeats, or a venue that counts its ids anew."""

from foxtrot.domain.market import DepthChange

OLD_LIMIT = 100
"""So many old changes in a row, without one that follows, are no repeats, where the venue gives no time to tell by."""

CATCH_UP_NS = 1_000_000_000
"""For so long a stream may lag behind a snapshot before the two are held to be of different counts, at first."""

CATCH_UP_MOST_NS = 32_000_000_000
"""For so long it may in the end, when it did not reach the snapshots before either."""

REPEATS_NS = 5_000_000_000
"""For so long a stream that was followed may repeat itself, as the second connection of two does that lags behind the first."""


class OldRun:
    """Old changes since the last one that followed.

    By ids alone the changes of a venue that has restarted with lower ids look like repeats. A book that ignores them stands still for ever,
    or takes them for what follows once they reach its own id. They are told apart so:

    - lower id, later by the venue's clock than what was heard before it: restarted. One change is enough.
    - after a snapshot, old for longer than CATCH_UP_NS: the snapshot is of another count, or the stream lags by more than that. Both are
      helped by another snapshot, the second only if it is waited for longer: twice as long each time until a change follows.
    - after a change that followed, old for longer than REPEATS_NS: the venue's clock went back with its ids.
    - after a snapshot, something missing between two of them: the book, which knows the rule, holds them to be of another count.
    - OLD_LIMIT in a row of a venue without a clock: whatever it is, the book does not get on.

    How long is told by when they arrived, for a backlog that comes all at once is long by the venue's clock and soon over.

    Thread: belongs to the book's.
    """

    __slots__ = ("_began_ns", "_catch_up_ns", "_newest_ns", "length", "newest_id")

    def __init__(self) -> None:
        self._catch_up_ns = CATCH_UP_NS
        self._began_ns = 0
        self.clear()

    def clear(self, newest: DepthChange | None = None) -> None:
        """Forget the run; `newest` is the last change that was heard, where that is not the one the book is at."""
        self.length = 0
        self.newest_id, self._newest_ns = (newest.last_update_id, newest.venue_time_ns) if newest else (0, 0)

    def note_followed(self) -> None:
        """Learn that a change has followed the last snapshot: the stream reaches snapshots as soon as it should."""
        self._catch_up_ns = CATCH_UP_NS

    def note_heard(self, change: DepthChange) -> None:
        """Note an old change as the last that was heard, unless it repeats one."""
        if change.last_update_id >= self.newest_id:
            self.newest_id, self._newest_ns = change.last_update_id, change.venue_time_ns

    def is_restart(self, change: DepthChange) -> bool:
        """Take an old change after a snapshot that none has followed yet; True when the ids have begun anew."""
        back = is_back(change, self.newest_id, self._newest_ns)
        if back or not self._is_longer(change, self._catch_up_ns):
            return back
        self._catch_up_ns = min(2 * self._catch_up_ns, CATCH_UP_MOST_NS)
        return True

    def is_restart_after(self, change: DepthChange, last_id: int, time_ns: int) -> bool:
        """Take an old change after one that followed, with its id and time; True when the ids have begun anew."""
        return self._is_longer(change, REPEATS_NS) or is_back(change, last_id, time_ns)

    def _is_longer(self, change: DepthChange, limit_ns: int) -> bool:
        """Add a change to the run, and tell whether that goes on for too long."""
        if not self.length:
            self._began_ns = change.local_time_ns
        self.length += 1
        if change.local_time_ns - self._began_ns > limit_ns:
            return True
        return not change.venue_time_ns and self.length > OLD_LIMIT


def is_back(change: DepthChange, last_id: int, time_ns: int) -> bool:
    """Tell whether a change has a lower id than an earlier one, and a later time."""
    return change.last_update_id < last_id and change.venue_time_ns > time_ns > 0
