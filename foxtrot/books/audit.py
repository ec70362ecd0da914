"""An audit of a live book: a fresh snapshot, brought up to the same id by the changes that came meanwhile, must hold the same levels."""

import enum

import msgspec

from foxtrot.books.depth_book import DepthBook
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BookOutOfSync
from foxtrot.domain.market import DepthChange, DepthData


class AuditVerdict(enum.StrEnum):
    """What an audit found."""

    EQUAL = "equal"
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    """The two could not be brought to the same id."""


class AuditResult(msgspec.Struct, frozen=True, gc=False):
    """How many levels were compared and how many were equal; only where both books are known."""

    levels: int
    equal: int
    verdict: AuditVerdict
    cause: str = ""
    is_early: bool = False
    """The snapshot is ahead of the stream: compare it again after the next change."""

    @property
    def score(self) -> float:
        """Return the part of the levels that are equal; 1.0 where there are none."""
        return self.equal / self.levels if self.levels else 1.0


class Audit:
    """Keeps the changes of a book from now on, for a twin that starts from another snapshot.

    Thread: belongs to the book's.
    """

    def __init__(self, book: DepthBook) -> None:
        self._book = book
        self._twin = book.twin()

    def keep(self, change: DepthChange) -> None:
        """Keep a change, before the book takes it."""
        try:
            self._twin.apply(change)
        except BookOutOfSync:  # its ids began anew: the book finds it too, and drops this audit
            self._twin.drop()

    def compare(self, snapshot: DepthData, limit: int) -> AuditResult:
        """Compare the book with a snapshot and the changes that follow it; one that is equal takes over what the snapshot knows.

        Raises:
            OffGrid: a price or size lies off the instrument's grid.
        """
        book, twin = self._book, self._book.twin()
        for change in self._twin.waiting():
            twin.apply(change)
        try:
            twin.load(snapshot, limit)
        except BookOutOfSync as error:
            return AuditResult(0, 0, AuditVerdict.UNKNOWN, str(error))
        if twin.update_id != book.update_id:
            where = f"the snapshot reaches {twin.update_id}, the book is at {book.update_id}"
            return AuditResult(0, 0, AuditVerdict.UNKNOWN, where, is_early=twin.update_id > book.update_id)
        levels = equal = 0
        for side in Side:
            ours, theirs = _known(book, twin, side), _known(twin, book, side)
            levels += len(ours.keys() | theirs.keys())
            equal += sum([theirs.get(price) == size for price, size in ours.items()])
        if levels != equal:
            return AuditResult(levels, equal, AuditVerdict.DIFFERS)
        book.adopt(twin)
        return AuditResult(levels, equal, AuditVerdict.EQUAL)


def _known(book: DepthBook, other: DepthBook, side: Side) -> dict[int, int]:
    """Return the levels of a side where both books know them all."""
    return {p: s for p, s in book.levels.levels(side) if book.knows(side, p) and other.knows(side, p)}
