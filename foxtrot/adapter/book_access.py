"""The ways to an order book: the stream's own in memory, a copy that was requested shortly before, a request; each one counted."""

import threading
from decimal import Decimal
from typing import ClassVar

import msgspec
from loguru import logger

from foxtrot.adapter.book_paths import BookPath, BookPaths
from foxtrot.adapter.capabilities import Capabilities
from foxtrot.core.clock import Clock
from foxtrot.core.notices import BookLoaded
from foxtrot.domain.errors import AdapterError, InvariantBroken

ENGINE_THREAD = "foxtrot-engine"
ANSWERS = (BookPath.STREAM, BookPath.CACHE, BookPath.REST)
"""What the `source` of a book can be."""


class ExactBook(msgspec.Struct, frozen=True):
    """An order book with exact prices and sizes, best first, and where it came from (stream, cache or rest)."""

    instrument_id: str
    update_id: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    source: str
    age_ms: float


class BestBidOffer(msgspec.Struct, frozen=True):
    """The best bid and ask with exact prices and sizes, as the stream told them (`source` "stream") and how long ago."""

    instrument_id: str
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    source: str
    age_ms: float


class BookAccess:
    """What every adapter offers to whoever wants a book, with working defaults; the half of BaseAdapter that answers at once or waits.

    Thread: any.
    """

    adapter_name: ClassVar[str] = ""
    capabilities: ClassVar[Capabilities]
    book_cache_ms: ClassVar[float] = 1_000.0
    """How old a book that was requested before may be to answer `get_order_book_depth` again."""

    def __init__(self, account: str, clock: Clock, paths: BookPaths) -> None:
        self.account = account
        self.clock = clock
        self.book_paths = paths
        self._fetched: dict[str, tuple[int, int, ExactBook]] = {}  # levels asked for, when, and the answer
        self._ways: dict[str, str] = {}  # the way by which each instrument's book was had last

    def get_order_book_from_websocket(self, instrument_id: str) -> ExactBook | None:
        """Return the book from memory, or None when there is no full book, no connection or no valid snapshot.

        Blocks: never.
        """
        began_ns = self.clock.monotonic_ns()
        book = self.book_in_memory(instrument_id)
        self._note(BookPath.NOT_IN_MEMORY if book is None else BookPath.MEMORY, began_ns, book)
        return book

    def get_best_bid_offer(self, instrument_id: str) -> BestBidOffer | None:
        """Return the best bid and ask from memory, or None when they are not subscribed, not connected or not valid.

        Blocks: never.
        """
        began_ns = self.clock.monotonic_ns()
        best = self.best_in_memory(instrument_id)
        self._note(BookPath.NO_BEST if best is None else BookPath.BEST, began_ns, best)
        return best

    def get_order_book_depth(self, instrument_id: str, levels: int, deadline_s: float = 5.0) -> ExactBook:
        """Return a book from the stream, else from a young cached copy, else from a request; `source` says which.

        Blocks: at most `deadline_s`.

        Raises:
            InvariantBroken: called on the engine's thread, where nothing may wait.
            AdapterError: the venue gives no book by any way.
        """
        if threading.current_thread().name == ENGINE_THREAD:
            raise InvariantBroken("get_order_book_depth waits; strategies use self.book() or self.request_book()")
        began_ns = self.clock.monotonic_ns()
        try:
            book = self._nearest_book(instrument_id, levels, deadline_s)
        except AdapterError as error:
            self._note(BookPath.FAILED, began_ns)
            self._say_way(instrument_id, f"could not be had: {error}", BookPath.FAILED)
            raise
        self._note(BookPath(book.source), began_ns, book)
        self._say_way(instrument_id, f"from {book.source}, {book.age_ms:.0f} ms old", BookPath(book.source))
        return msgspec.structs.replace(book, bids=book.bids[:levels], asks=book.asks[:levels])

    def book_in_memory(self, instrument_id: str) -> ExactBook | None:
        """Return the stream's full book: what an adapter whose stream has one overrides."""
        return None

    def best_in_memory(self, instrument_id: str) -> BestBidOffer | None:
        """Return the best prices of the stream; by default those of the full book, if there is one."""
        book = self.book_in_memory(instrument_id)
        if book is None or not book.bids or not book.asks:
            return None
        return BestBidOffer(instrument_id, *book.bids[0], *book.asks[0], book.source, book.age_ms)

    def _nearest_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
        book = self.get_order_book_from_websocket(instrument_id) or self._cached_book(instrument_id, levels)
        if book is None:
            book = self.fetch_order_book(instrument_id, levels, deadline_s)
            self._fetched[instrument_id] = (levels, self.clock.monotonic_ns(), book)
        return book

    def _note(self, path: BookPath, began_ns: int, found: ExactBook | BestBidOffer | None = None) -> None:
        latency_ms = (self.clock.monotonic_ns() - began_ns) / 1e6
        self.book_paths.note(path, latency_ms, None if found is None else found.age_ms)

    def _say_way(self, instrument_id: str, words: str, way: BookPath) -> None:
        """Log how a book was had: in every log when the way is another one than before, else for who looks closely."""
        level = "DEBUG" if self._ways.get(instrument_id) == way else "INFO"
        self._ways[instrument_id] = way
        logger.bind(account=self.account).log(level, "book of {}: {}", instrument_id, words)

    def _cached_book(self, instrument_id: str, levels: int) -> ExactBook | None:
        cached = self._fetched.get(instrument_id)
        if cached is None or cached[0] < levels:
            return None
        age_ms = (self.clock.monotonic_ns() - cached[1]) / 1e6 + cached[2].age_ms
        if age_ms > self.book_cache_ms:
            return None
        return msgspec.structs.replace(cached[2], source="cache", age_ms=age_ms)

    def fetch_order_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
        """Request a book from the venue.

        Blocks: at most `deadline_s`.

        Raises:
            AdapterError: this venue has no such request, or it failed.
        """
        kind = self.capabilities.book
        raise AdapterError(self.adapter_name, "no_book", f"no order book for {instrument_id}: capability is {kind}")

    def note_answer(self, book: BookLoaded) -> None:
        """Count the answer to a book request that nobody waited for."""
        known = book.book is not None and book.source in ANSWERS
        self.book_paths.note(book.source if known else BookPath.FAILED, None, book.age_ms if known else None)

    def forget_requested_books(self) -> None:
        """Let no book that was requested before answer again."""
        self._fetched.clear()
