"""One instrument's order book as an adapter streams it: kept by books.CachedBook, published as depth and changes, exact for everybody."""

import threading
from collections.abc import Callable, Iterable
from decimal import Decimal
from math import inf
from typing import Protocol

import msgspec

from foxtrot.adapter.base_adapter import ExactBook
from foxtrot.adapter.book_paths import BookFigures
from foxtrot.adapter.health import StreamHealth
from foxtrot.books.audit import AuditResult
from foxtrot.books.book_state import HAS_LEVELS
from foxtrot.books.cached_book import BookCounters, CachedBook
from foxtrot.books.depth_book import DepthBook
from foxtrot.books.level_book import UnitLevel
from foxtrot.books.sequence import SequenceRule
from foxtrot.domain.enums import BookState
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import REST, DepthChange, DepthData

FULL_BOOK_LEVELS = 1000
_USABLE = frozenset({BookState.LIVE, BookState.CROSSED})


class BookPublisher(Protocol):
    """The adapter's way up.

    Thread: the venue's.
    """

    def on_depth(self, depth: DepthData) -> None:
        """Publish a depth snapshot."""

    def on_depth_change(self, change: DepthChange) -> None:
        """Publish a depth change."""

    def on_book_state(self, instrument_id: str, state: BookState, cause: str = "") -> None:
        """Publish a change of the book's state."""


class BookStream:
    """The book of one instrument, and what is told of it.

    What the book itself says, and its wish for a snapshot, are kept while the lock is held and handed on once it is free, so that
    whoever is told may look at the book. Without a stream a book is LIVE by `load_polled` only.

    Thread: the venue's, except `exact`, from any: the lock is held for one change, or for the copy of the levels.

    Args:
        instrument: whose book.
        rule: how its changes follow each other.
        publisher: hears of it.
        need_snapshot: begins to fetch a snapshot, which comes by `load`; called whenever the book has none.
        window: how many levels a side the stream tells of, 0 for all.
    """

    def __init__(
        self,
        instrument: Instrument,
        rule: SequenceRule,
        publisher: BookPublisher,
        need_snapshot: Callable[[], None],
        *,
        window: int = 0,
    ) -> None:
        self.instrument_id = instrument.instrument_id
        self.levels = 0
        self.changes = False
        self.dirty = False
        """Whether there is a change that no DepthData has told."""
        self.health: StreamHealth | None = None
        self.polled = False
        """Whether it is filled by requests, because no stream can be had; `exact` then has no book."""
        self._publisher = publisher
        self._ask_for_snapshot = need_snapshot
        self._cached = CachedBook(instrument, rule, self, self._note_need, window)
        self._lock = threading.Lock()
        self._bounds = _Bounds()
        self._untold: list[tuple[BookState, str]] = []
        self._needs = False
        self._chained = False

    @property
    def book(self) -> DepthBook:
        """Return the levels with their ids and times."""
        return self._cached.book

    @property
    def state(self) -> BookState:
        """Return what the book may be believed to be."""
        return self._cached.state

    @property
    def update_id(self) -> int:
        """Return the id as of which the book is known."""
        return self._cached.book.update_id

    @property
    def is_loaded(self) -> bool:
        """Tell whether a snapshot was taken in that changes follow."""
        return self._cached.book.state in _USABLE

    @property
    def generation(self) -> int:
        """Return the number that is raised whenever the stream begins, goes, or requests take its place."""
        return self._cached.generation

    @property
    def streams(self) -> bool:
        """Tell whether changes come, by which a snapshot can be kept up to date."""
        return self._cached.streams

    @property
    def counters(self) -> BookCounters:
        """Return what happened to the book."""
        return self._cached.counters

    # --- what is wanted ---------------------------------------------------------------------------------------------

    def want(self, levels: int, *, changes: bool) -> None:
        """Set what to publish: changes follow a full snapshot, not one of the best levels."""
        begins = changes and not self.changes
        self._chained = self._chained and not begins
        if begins or levels > self.levels:
            self.dirty = self.book.state in HAS_LEVELS
        self.levels, self.changes = levels, changes

    # --- what comes -------------------------------------------------------------------------------------------------

    def begin(self, cause: str = "", *, same_stream: bool = False) -> None:
        """Start from nothing: the changes stream from now on, and a snapshot is needed. See CachedBook.begin."""
        with self._lock:
            self.polled = False
            self._cached.begin(cause, same_stream=same_stream)
        self.dirty = self._chained = False
        self._tell()

    def take(self, change: DepthChange) -> bool:
        """Take a change; True when the levels changed.

        What does not follow is told as SYNCING before anything else, and fetched anew. What comes while the stream is held to be
        gone is left alone: the book begins anew with the stream.
        """
        cached = self._cached
        before = cached.book.update_id
        with self._lock:
            changed = cached.apply(change)
        if self._untold or self._needs:
            self._tell()
        if changed and self._chained and change.last_update_id != before:
            if change.last_update_id > before:
                self._publisher.on_depth_change(_told(change, before, cached.book))
            else:  # the venue counts on from a lower id: the chain begins anew with the whole book
                self._chained = False
        return changed

    def load(self, snapshot: DepthData, generation: int, limit: int = 0) -> bool:
        """Take a snapshot.

        Args:
            snapshot: the book, asked for in `generation`.
            generation: that of this book then.
            limit: how many levels a side were asked for, 0 for all: what lies beyond that is not known.

        Returns:
            False when it is dropped: it is of another generation, or too old for the changes that are waiting.

        Raises:
            OffGrid: a price or size lies off the instrument's grid.
        """
        with self._lock:
            loaded = self._cached.load(snapshot, generation, limit)
        if loaded:
            self._chained = False
            self._tell()
        return loaded

    def load_polled(self, snapshot: DepthData) -> None:
        """Take a snapshot that was asked for because there is no stream; changes do not follow it.

        Raises:
            OffGrid: a price or size lies off the instrument's grid.
        """
        cached = self._cached
        with self._lock:
            self.polled = True
            cached.book.drop()
            cached.streams = True  # for a moment: what is asked for here needs no stream
            try:
                cached.load(snapshot, cached.generation)
            finally:
                cached.end()
        self._chained = False
        self._tell()

    def replace(self, whole: DepthData, change: DepthChange | None = None, *, limit: int = 0) -> bool:
        """Take a whole book that the stream itself brought.

        Args:
            whole: the book.
            change: how it differs from the one before, where that is known, for those who follow changes: else they get the whole.
            limit: how many levels a side the stream gives, 0 for all.

        Returns:
            False when it is dropped: the stream is held to be gone, or the book is older than what is known, or off the grid.
        """
        before = self.update_id
        with self._lock:
            replaced = self._cached.replace(whole, limit)
        self._tell()
        if not replaced:
            return False
        if self._chained and change is not None and change.previous_update_id == before:
            self._publisher.on_depth_change(change)
        else:
            self._chained = False
        return True

    def stale(self, cause: str) -> None:
        """Say that the stream is gone or silent: nobody may believe the book until it is fetched anew."""
        with self._lock:
            self._cached.silence(cause)
        self.dirty = self._chained = False
        self._tell()

    def end(self) -> None:
        """Take nothing more and say nothing: nobody wants the book."""
        self._cached.end()

    # --- what is told -----------------------------------------------------------------------------------------------

    def publish(self) -> None:
        """Tell the levels as they are now: all of them to begin a chain of changes, else as many as are wanted."""
        self.dirty = False
        book = self.book
        if book.state is not BookState.LIVE or self.state is not BookState.LIVE:
            return
        if self.streams and not book.is_best_known:
            self.begin(f"{self.instrument_id}: the market has gone beyond the levels that are known", same_stream=True)
            return
        if self.levels or not self._chained:
            is_first = self.changes and not self._chained
            depth = self._bounds.known(book, book.depth(FULL_BOOK_LEVELS if is_first else self.levels))
            self._publisher.on_depth(msgspec.structs.replace(depth, source=REST) if self.polled else depth)
        self._chained = self.changes

    def restart_chain(self) -> bool:
        """Tell a fresh snapshot on which changes go on; False while there is no book, when one follows by itself."""
        self._chained = False
        if self.book.state is not BookState.LIVE:
            return False
        self.publish()
        return True

    def exact(self, now_ns: int) -> ExactBook | None:
        """Return the book with exact prices and sizes as far as it is known, or None when it is not LIVE; from any thread."""
        with self._lock:
            book = self.book
            if self.polled or book.state is not BookState.LIVE or self.state is not BookState.LIVE:
                return None
            levels, update_id, heard_ns = book.levels.snapshot(FULL_BOOK_LEVELS), book.update_id, book.local_time_ns
            lowest, highest = book.lowest_known or 0, book.highest_known or inf
        bids = _exact(book.instrument, (level for level in levels.bids if level[0] >= lowest))
        asks = _exact(book.instrument, (level for level in levels.asks if level[0] <= highest))
        return ExactBook(self.instrument_id, update_id, bids, asks, "stream", max(0, now_ns - heard_ns) / 1e6)

    def begin_audit(self) -> None:
        """Keep what changes from now on; ask for a snapshot after this, and give it to `finish_audit`."""
        self._cached.begin_audit()

    def drop_audit(self) -> None:
        """Keep changes no longer: nobody will finish the audit."""
        self._cached.drop_audit()

    def finish_audit(self, snapshot: DepthData, limit: int) -> AuditResult:
        """Compare the book with a fresh snapshot; one that differs begins anew. See CachedBook.finish_audit, for what it raises too."""
        with self._lock:
            result = self._cached.finish_audit(snapshot, limit)
        self._tell()
        return result

    def on_state(self, book: CachedBook, cause: str) -> None:
        """Keep what is to be told."""
        self._untold.append((book.state, cause))

    def on_change(self, book: CachedBook, change: DepthChange | None) -> None:
        """Note that there is something to tell."""
        self.dirty = True

    def _note_need(self, _book: CachedBook) -> None:
        self._needs = True

    def _tell(self) -> None:
        """Tell each new state, then ask for the snapshot that is needed."""
        untold, self._untold = self._untold, []
        for state, cause in untold:
            if state not in _USABLE:
                self.dirty = self._chained = False
            self._publisher.on_book_state(self.instrument_id, state, cause)
        if self._needs:
            self._needs = False
            self._ask_for_snapshot()


class _Bounds:
    """The prices between which a book is known, as facts have them; they are made anew only when they have moved.

    Thread: the venue's.
    """

    __slots__ = ("_highest", "_lowest", "_prices")

    def __init__(self) -> None:
        self._lowest: int | None = None
        self._highest: int | None = None
        self._prices = -inf, inf

    def known(self, book: DepthBook, depth: DepthData) -> DepthData:
        """Return a depth as far as the book is known: beyond that, levels stand between which others may be missing."""
        if book.lowest_known != self._lowest or book.highest_known != self._highest:
            self._lowest, self._highest, to_float = (
                book.lowest_known,
                book.highest_known,
                book.instrument.price_grid.to_float,
            )
            lowest = -inf if self._lowest is None else to_float(self._lowest)
            self._prices = lowest, inf if self._highest is None else to_float(self._highest)
        lowest, highest = self._prices
        bids, asks = depth.bids, depth.asks
        if bids and bids[-1][0] < lowest:
            bids = tuple([level for level in bids if level[0] >= lowest])
        if asks and asks[-1][0] > highest:
            asks = tuple([level for level in asks if level[0] <= highest])
        return (
            depth if bids is depth.bids and asks is depth.asks else msgspec.structs.replace(depth, bids=bids, asks=asks)
        )


def _told(change: DepthChange, before: int, book: DepthBook) -> DepthChange:
    """Return what of a change is new after an id, with the removal of what it has pushed out of the window of the stream."""
    told = change if change.previous_update_id == before else _cut(change, before)
    if not book.fallen[0] and not book.fallen[1]:
        return told
    to_float = book.instrument.price_grid.to_float
    bids, asks = ([(to_float(price), 0.0) for price in side] for side in book.fallen)
    return msgspec.structs.replace(told, bids=(*told.bids, *bids), asks=(*told.asks, *asks))


def figures_of(stream: BookStream, implementation: str, now_ns: int, match_score: float | None = None) -> BookFigures:
    """Return how a book does at a time, for health; from any thread."""
    counters, book = stream.counters, stream.book
    return BookFigures(
        implementation="rest" if stream.polled else implementation,
        state=str(stream.state),
        update_id=book.update_id,
        age_ms=max(0, now_ns - book.local_time_ns) / 1e6 if book.state in HAS_LEVELS else None,
        gaps=counters.gaps,
        resyncs=max(0, counters.snapshots - 1),
        crossings=counters.crossings,
        audits=counters.audits,
        audits_failed=counters.audits_failed,
        match_score=match_score,
    )


def _exact(instrument: Instrument, levels: Iterable[UnitLevel]) -> tuple[tuple[Decimal, Decimal], ...]:
    price, size = instrument.price_grid.to_decimal, instrument.quantity_grid.to_decimal
    return tuple((price(p), size(q)) for p, q in levels)


def _cut(change: DepthChange, before: int) -> DepthChange:
    """Return a change that reaches back behind the book as one that follows it: sizes are absolute, so nothing else differs."""
    first = max(change.first_update_id, before + 1)
    return msgspec.structs.replace(change, first_update_id=first, previous_update_id=before)
