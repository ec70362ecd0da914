"""The rule of venues that number their changes and not their snapshots."""

from foxtrot.books.level_book import LevelBook
from foxtrot.books.sequence import SequenceRule, Verdict
from foxtrot.domain.market import DepthChange


class UnnumberedSnapshot:
    """A rule of ids for venues whose snapshots come by the stream and without an id: what comes first after one follows it.

    Only the order of the connection says so, so the changes that came before a snapshot are dropped when it is taken in, as a whole book
    by stream is.

    Args:
        inner: how changes follow each other.

    Source: GRVT API docs, WSSubscribeResult: "All snapshot payloads will have a sequence number of 0. All delta payloads will have a
    sequence number of 1+".
    """

    def __init__(self, inner: SequenceRule) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        """Return the rule's name, for messages."""
        return f"UnnumberedSnapshot({self._inner.name})"

    @property
    def numbers_snapshots(self) -> bool:
        """Say that they have no ids."""
        return False

    def after_snapshot(self, snapshot_id: int, change: DepthChange) -> Verdict:
        """Believe the first change after a snapshot."""
        return Verdict.FOLLOWS

    def after_change(self, last_id: int, change: DepthChange) -> Verdict:
        """Judge as the rule of ids does."""
        return self._inner.after_change(last_id, change)

    def matches(self, levels: LevelBook, change: DepthChange) -> bool:
        """Judge as the rule of ids does."""
        return self._inner.matches(levels, change)
