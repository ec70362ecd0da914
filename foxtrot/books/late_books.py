"""Whole books by stream that come after a newer one: late ones, or a venue that begins anew, or whose clock went back."""

from foxtrot.books.book_state import HAS_LEVELS
from foxtrot.books.depth_book import DepthBook
from foxtrot.domain.market import DepthData

LATE_NS = 1_000_000_000
"""For so long books that are older than the last one are held to be late ones, by when they arrive."""

LATE_LIMIT = 20
"""So many of them in a row are no late ones either."""


class LateBooks:
    """Whole books in a row that were older than the one that is known.

    Thread: belongs to the book's.
    """

    __slots__ = ("_began_ns", "_length")

    def __init__(self) -> None:
        self._length = 0
        self._began_ns = 0

    def clear(self) -> None:
        """Note that a book was taken."""
        self._length = 0

    def is_late(self, whole: DepthData, book: DepthBook) -> bool:
        """Tell whether a whole book is to be dropped, because it is older than what is known, and such ones have not come for long."""
        if not _is_older(whole, book):
            return False
        if not self._length:
            self._began_ns = whole.local_time_ns
        self._length += 1
        return self._length <= LATE_LIMIT and whole.local_time_ns - self._began_ns <= LATE_NS


def _is_older(whole: DepthData, book: DepthBook) -> bool:
    """Tell whether a whole book is older than the one that is known: by its id, or by its time where that says otherwise.

    A lower id of a later time is of a venue that counts anew. A higher one is newer whatever the clocks say, for not all times of books are
    by the same clock. Where ids say nothing the times do, if both have one.
    """
    id_, time_ns = whole.update_id, whole.venue_time_ns
    if book.state not in HAS_LEVELS or id_ > book.update_id:
        return False
    if 0 < id_ < book.update_id:
        return not time_ns > book.venue_time_ns > 0
    return 0 < time_ns < book.venue_time_ns
