"""Many local order books on one connection: opened by instrument, fed with changes and snapshots, heard by callback or looked at."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

import msgspec

from foxtrot.books.cached_book import BookCounters, BookView, CachedBook
from foxtrot.books.follower import BookFollower
from foxtrot.books.sequence import SequenceRule
from foxtrot.domain.enums import BookState
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange

B = TypeVar("B", bound=CachedBook)
Hear = Callable[[BookView], None]
"""What a listener is called with: the book after a change, or after it became usable or unusable."""


class DepthCache:
    """The books of one connection.

    Four ways to read it: `listen` calls back on the venue's thread at every change and every state; `follow` gives the same views to an
    iterator, on any thread; `latest` returns the last one, from any thread; `CachedBook` itself, on the venue's thread.

    Thread: the venue's, except `latest`, from any: it reads one reference.

    Args:
        need_snapshot: begins to fetch a snapshot of a book, which is given to its `load` with the generation it has now.
        levels: how many levels a side a view has.
    """

    def __init__(self, need_snapshot: Callable[[CachedBook], None], levels: int = 20) -> None:
        self.levels = levels
        self._need_snapshot = need_snapshot
        self._books: dict[str, CachedBook] = {}
        self._views: dict[str, BookView] = {}
        self._hearers: dict[str, list[Hear]] = {}

    def open(self, instrument: Instrument, rule: SequenceRule, window: int = 0) -> CachedBook:
        """Return the book of an instrument, made the first time; `begin` it once its changes stream.

        Args:
            instrument: whose book.
            rule: how its changes follow each other.
            window: how many levels a side the stream tells of, 0 for all.
        """
        found = self._books.get(instrument.instrument_id)
        if found is None:
            found = self.add(CachedBook(instrument, rule, self, self._need_snapshot, window))
        return found

    def add(self, book: B) -> B:
        """Take in a book that was made elsewhere, with this cache as its owner, in the place of one of the same instrument."""
        self.close(book.instrument_id)
        self._books[book.instrument_id] = book
        self._views[book.instrument_id] = book.view(self.levels)
        return book

    def close(self, instrument_id: str) -> None:
        """Forget a book; who listens to it hears that it is EMPTY, stays, and hears of it again when it is opened again."""
        book = self._books.pop(instrument_id, None)
        if book is None:
            return
        del self._views[instrument_id]
        was_told = book.state is not BookState.EMPTY
        book.close()
        if was_told:
            self._tell(instrument_id, book.view(self.levels))

    def book(self, instrument_id: str) -> CachedBook | None:
        """Return an open book, None where there is none."""
        return self._books.get(instrument_id)

    def latest(self, instrument_id: str) -> BookView | None:
        """Return the last view of a book, None where it is not open; from any thread."""
        return self._views.get(instrument_id)

    def listen(self, instrument_id: str, hear: Hear) -> Callable[[], None]:
        """Call `hear` after each change of a book and each change of its state; returns what ends that."""
        hearers = self._hearers.setdefault(instrument_id, [])
        hearers.append(hear)

        def end() -> None:
            if hear in hearers:
                hearers.remove(hear)

        return end

    def follow(self, instrument_id: str, keep: int = 1_000) -> BookFollower:
        """Return an iterator over the views of a book from now on, of which so many wait to be taken; `end` it when done."""
        return BookFollower(keep).begin(lambda hear: self.listen(instrument_id, hear))

    def silence(self, cause: str) -> None:
        """Say that the connection is gone: no book may be believed until it has begun anew."""
        with (
            ExitStack() as told
        ):  # whoever fails at hearing of one, or closes some: of each one that is left it is told
            for book in reversed(tuple(self._books.values())):
                told.callback(book.silence, cause)

    def counters(self) -> dict[str, BookCounters]:
        """Return a copy of what was counted, by instrument."""
        return {name: msgspec.structs.replace(book.counters) for name, book in self._books.items()}

    # --- what books say ---------------------------------------------------------------------------------------------

    def on_state(self, book: CachedBook, cause: str) -> None:
        """Renew the view before anybody can look at a book that may not be believed."""
        self._renew(book)

    def on_change(self, book: CachedBook, change: DepthChange | None) -> None:
        """Renew the view: reading it is then one reference, and making it costs less than asking who reads."""
        self._renew(book)

    def _renew(self, book: CachedBook) -> None:
        if self._books.get(book.instrument_id) is not book:
            return
        view = self._views[book.instrument_id] = book.view(self.levels)
        self._tell(book.instrument_id, view)

    def _tell(self, instrument_id: str, view: BookView) -> None:
        hearers = self._hearers.get(instrument_id)
        for hear in tuple(hearers) if hearers else ():
            hear(view)
