"""Changes in a row that are older than the book: repeats, or a venue that counts its ids anew."""

from foxtrot.domain.market import DepthChange

OLD_LIMIT = 100
"""So many old changes in a row, without one that follows, are no repeats."""

CATCH_UP_NS = 1_000_000_000
"""For so long by the venue's clock a stream may lag behind a snapshot before the two are held to be of different counts."""


class OldRun:
    """Old changes since the last one that followed.

    By ids alone the changes of a venue that has restarted with lower ids look like repeats. A book that ignores them stands still for ever,
    or takes them for what follows once they reach its own id. They are told apart so:

    - lower id, later by the venue's clock than what was heard before it: restarted. One change is enough.
    - after a snapshot, old for longer than CATCH_UP_NS by the venue's clock: the snapshot is of another count.
    - OLD_LIMIT in a row: whatever it is, the book does not get on. It serves venues without a clock, or whose clock went back.

    Thread: belongs to the book's.
    """

    __slots__ = ("_began_ns", "_newest_id", "_newest_ns", "length")

    def __init__(self) -> None:
        self.clear()

    def clear(self, newest: DepthChange | None = None) -> None:
        """Forget the run; `newest` is the last change that was heard, where that is not the one the book is at."""
        self.length = 0
        self._began_ns = 0
        self._newest_id, self._newest_ns = (newest.last_update_id, newest.venue_time_ns) if newest else (0, 0)

    def is_restart(self, change: DepthChange) -> bool:
        """Take an old change after a snapshot that none has followed yet; True when the ids have begun anew."""
        back = is_back(change, self._newest_id, self._newest_ns)
        self._newest_id, self._newest_ns = change.last_update_id, change.venue_time_ns
        if not self.length:
            self._began_ns = change.venue_time_ns
        self.length += 1
        return back or self.length > OLD_LIMIT or change.venue_time_ns - self._began_ns > CATCH_UP_NS

    def is_restart_after(self, change: DepthChange, last_id: int, time_ns: int) -> bool:
        """Take an old change after one that followed, with its id and time; True when the ids have begun anew."""
        self.length += 1
        return self.length > OLD_LIMIT or is_back(change, last_id, time_ns)


def is_back(change: DepthChange, last_id: int, time_ns: int) -> bool:
    """Tell whether a change has a lower id than an earlier one, and a later time."""
    return change.last_update_id < last_id and change.venue_time_ns > time_ns > 0
