"""One instrument's order book: kept by id from a snapshot and changes, published as depth and changes, exact for everybody."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

import msgspec

from foxtrot.adapter.base_adapter import ExactBook
from foxtrot.adapter.binance.frames import DepthUpdateFrame, to_ns
from foxtrot.adapter.health import StreamHealth
from foxtrot.books.book_state import HAS_LEVELS
from foxtrot.books.depth_book import DepthBook
from foxtrot.books.sequence import ContiguousIds, PreviousId, SequenceRule
from foxtrot.domain.enums import BookState, Product
from foxtrot.domain.errors import BookOutOfSync, OffGrid
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import REST, DepthChange, DepthData

FULL_BOOK_LEVELS = 1000
CROSSED_LIMIT = 10
"""After so many changes in a row that leave the book crossed it is not the venue's any more: it is fetched anew."""

RULES: dict[Product, Callable[[], SequenceRule]] = {Product.SPOT: ContiguousIds, Product.PERPETUAL: PreviousId}


class BookPublisher(Protocol):
    """The adapter's way up.

    Thread: binance-io.
    """

    def on_depth(self, depth: DepthData) -> None:
        """Publish a depth snapshot."""

    def on_depth_change(self, change: DepthChange) -> None:
        """Publish a depth change."""

    def on_book_state(self, instrument_id: str, state: BookState, cause: str = "") -> None:
        """Publish a change of the book's state."""


class BookStream:
    """The book of one instrument.

    Thread: binance-io, except `exact`, from any: the lock is held for one change, or for the copy of the levels.

    A snapshot is of the generation it was asked for in: when the stream has begun anew or gone since, nothing says what has
    changed after it, so it is dropped. Without a stream a book is LIVE by `load_polled` only.

    Args:
        need_snapshot: begins to fetch a snapshot, which comes by `load`; called whenever the book has none.
    """

    def __init__(
        self, instrument: Instrument, product: Product, publisher: BookPublisher, need_snapshot: Callable[[], None]
    ) -> None:
        self.instrument_id = instrument.instrument_id
        self.book = DepthBook(instrument, RULES[product]())
        self.levels = 0
        self.changes = False
        self.dirty = False
        """Whether there is a change that no DepthData has told."""
        self.health: StreamHealth | None = None
        self.gaps = 0
        self.syncs = 0
        self.generation = 0
        """Raised whenever the stream begins, goes, or requests take its place."""
        self.streams = False
        """Whether changes come, by which a snapshot can be kept up to date."""
        self.polled = False
        """Whether it is filled by requests, because no stream can be had; `exact` then has no book."""
        self._publisher = publisher
        self._need_snapshot = need_snapshot
        self._lock = threading.Lock()
        self._told = BookState.EMPTY
        self._chained = False
        self._crossed = 0

    @property
    def state(self) -> BookState:
        """Return the state that was told last."""
        return self._told

    @property
    def update_id(self) -> int:
        """Return the id as of which the book is known."""
        return self.book.update_id

    @property
    def is_loaded(self) -> bool:
        """Tell whether a snapshot was taken in that changes follow."""
        return self.book.state in (BookState.LIVE, BookState.CROSSED)

    def want(self, levels: int, *, changes: bool) -> None:
        """Set what to publish: changes follow a full snapshot, not one of the best levels."""
        if changes and not self.changes:
            self._chained = False
            self.dirty = self.book.state in HAS_LEVELS
        if levels > self.levels:
            self.dirty = self.book.state in HAS_LEVELS
        self.levels, self.changes = levels, changes

    def begin(self, cause: str = "") -> None:
        """Start from nothing: the changes stream from now on, and a snapshot is needed."""
        self._renew(streams=True)
        with self._lock:
            self.book.drop()
            self.polled = False
        self.dirty = self._chained = False
        self._tell(BookState.SYNCING, cause)
        self._need_snapshot()

    def take(self, frame: DepthUpdateFrame, now_ns: int) -> None:
        """Take a change; what does not follow is told as SYNCING before anything else, and fetched anew.

        What comes while the stream is held to be gone is left alone: the book begins anew with the stream.
        """
        if not self.streams:
            return
        book = self.book
        first, last = frame.U, frame.u
        previous = first - 1 if frame.pu is None else frame.pu
        time_ns = to_ns(frame.E if frame.T is None else frame.T)
        change = DepthChange(self.instrument_id, time_ns, now_ns, first, last, previous, frame.b, frame.a)
        before = book.update_id
        try:
            with self._lock:
                changed = book.apply(change)
        except BookOutOfSync as gap:
            self._lose(str(gap))
            return
        except OffGrid as error:
            self.begin(f"{self.instrument_id}: {error}")
            return
        if not changed:
            return
        if book.state is not self._told or self._crossed:
            self._look_at_crossing()
        self.dirty = True
        if self._chained and last > before:
            if previous != before:
                change = DepthChange(
                    self.instrument_id, time_ns, now_ns, max(first, before + 1), last, before, frame.b, frame.a
                )
            self._publisher.on_depth_change(change)

    def load(self, snapshot: DepthData, generation: int) -> bool:
        """Take a snapshot.

        Args:
            snapshot: the book.
            generation: that of this book when the snapshot was asked for.

        Returns:
            False when it is dropped: it is of another generation, or too old for the changes that are waiting.

        Raises:
            OffGrid: a price or size lies off the instrument's grid.
        """
        if not self.streams or generation != self.generation:
            return False
        return self._load(snapshot)

    def load_polled(self, snapshot: DepthData) -> None:
        """Take a snapshot that was asked for because there is no stream; changes do not follow it.

        Raises:
            OffGrid: a price or size lies off the instrument's grid.
        """
        self._renew(streams=False)
        with self._lock:
            self.book.drop()
            self.polled = True
        self._load(snapshot)

    def publish(self) -> None:
        """Tell the levels as they are now: all of them to begin a chain of changes, else as many as are wanted."""
        self.dirty = False
        book = self.book
        if book.state is not BookState.LIVE or self._told is not BookState.LIVE:
            return
        if self.levels or not self._chained:
            full = self.changes and not self._chained
            depth = book.depth(FULL_BOOK_LEVELS if full else self.levels)
            self._publisher.on_depth(msgspec.structs.replace(depth, source=REST) if self.polled else depth)
        self._chained = self.changes

    def restart_chain(self) -> bool:
        """Tell a fresh snapshot on which changes go on; False while there is no book, when one follows by itself."""
        self._chained = False
        if self.book.state is not BookState.LIVE:
            return False
        self.publish()
        return True

    def stale(self, cause: str) -> None:
        """Say that the stream is gone or silent: nobody may believe the book until it is fetched anew."""
        self._renew(streams=False)
        with self._lock:
            self.book.mark_stale()
        self.dirty = self._chained = False
        if self._told in HAS_LEVELS:
            self._tell(BookState.STALE, cause)

    def end(self) -> None:
        """Take nothing more and say nothing: nobody wants the book."""
        self._renew(streams=False)

    def exact(self, now_ns: int) -> ExactBook | None:
        """Return the book with exact prices and sizes, or None when it is not LIVE; from any thread."""
        with self._lock:
            book = self.book
            if self.polled or book.state is not BookState.LIVE or self._told is not BookState.LIVE:
                return None
            levels, update_id, heard_ns = book.levels.snapshot(FULL_BOOK_LEVELS), book.update_id, book.local_time_ns
        price, size = book.instrument.price_grid.to_decimal, book.instrument.quantity_grid.to_decimal
        bids: tuple[tuple[Decimal, Decimal], ...] = tuple((price(p), size(q)) for p, q in levels.bids)
        asks: tuple[tuple[Decimal, Decimal], ...] = tuple((price(p), size(q)) for p, q in levels.asks)
        return ExactBook(self.instrument_id, update_id, bids, asks, "stream", max(0, now_ns - heard_ns) / 1e6)

    def _load(self, snapshot: DepthData) -> bool:
        self.syncs += 1
        try:
            with self._lock:
                self.book.load(snapshot)
        except BookOutOfSync:
            return False
        self._crossed = 0
        self._chained = False
        self.dirty = True
        self._tell(self.book.state)
        return True

    def _renew(self, *, streams: bool) -> None:
        self.generation += 1
        self.streams = streams

    def _lose(self, cause: str) -> None:
        """Go on after a gap: the change that showed it waits in the book for the snapshot."""
        self.gaps += 1
        self.dirty = self._chained = False
        self._tell(BookState.SYNCING, cause)
        self._need_snapshot()

    def _look_at_crossing(self) -> None:
        state = self.book.state
        self._crossed = self._crossed + 1 if state is BookState.CROSSED else 0
        if self._crossed > CROSSED_LIMIT:
            self._crossed = 0
            self.begin(f"{self.instrument_id}: crossed for {CROSSED_LIMIT} changes")
            return
        self._tell(state)

    def _tell(self, state: BookState, cause: str = "") -> None:
        if state is not self._told:
            self._told = state
            self._publisher.on_book_state(self.instrument_id, state, cause)
