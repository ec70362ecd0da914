"""What market data has to ask for: the snapshot a book begins with, the present quote, and what a silent stream may have missed."""

from collections.abc import Callable
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.base_adapter import ExactBook
from foxtrot.adapter.book_stream import BookStream
from foxtrot.adapter.ccxt import ccxt_facts
from foxtrot.adapter.ccxt.entry import Entry
from foxtrot.adapter.ccxt.errors import UNREADABLE, clean
from foxtrot.adapter.ccxt.patience import LONGEST_PAUSE_S
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.adapter.ccxt.topics import Topics
from foxtrot.adapter.ccxt.venue import Stream
from foxtrot.domain.errors import AdapterError, BadMessage, FoxtrotError, OffGrid
from foxtrot.domain.market import REST, DepthData

RESYNC_PAUSE_S: Final = 0.5
ATTEMPTS_AT_ONCE: Final = 3
OFF_GRID_PAUSE_S: Final = 30.0
"""How long a book is left alone whose snapshot lies off the grid, which may be mended there or here by then."""
SNAPSHOT_WITHIN_S: Final = 5.0
"""How long a snapshot of the stream may take after its subscription."""
SETTLE_S: Final = 2.0
"""How long a change may take by the stream after a request has shown it."""


class Fetching:
    """Asks for what streams do not bring by themselves.

    Thread: the session's.

    Args:
        session: who asks.
        fail: tells of a request that failed for good.
    """

    def __init__(self, session: CcxtSession, fail: Callable[[str, FoxtrotError | str], None]) -> None:
        self.life = 0
        """Which opening of the streams this is; what was asked for in an earlier one is left alone. 0 while they are closed."""
        self._lives = 0
        self._session = session
        self._fail = fail
        self._failures: dict[str, int] = {}

    def begin(self) -> int:
        """Begin a new life of the streams and return its number."""
        self._lives += 1
        self.life = self._lives
        return self.life

    def end(self) -> None:
        """Let nothing that was asked for be told."""
        self.life = 0

    # --- books ------------------------------------------------------------------------------------------------------

    async def read_book(self, instrument_id: str, levels: int) -> ExactBook:
        """Ask the venue for a book.

        Raises:
            AdapterError: it could not be had.
        """
        unified = self._session.unified(instrument_id)
        limit = self.limit(levels)
        book = await self._session.ask(lambda exchange: exchange.fetch_order_book(unified, limit))
        try:
            return ccxt_facts.exact_of(book, instrument_id, levels, self._orders)
        except UNREADABLE as error:
            raise BadMessage(self._session.name, "order_book", clean(error)) from error

    async def depth(self, entry: Entry, levels: int = 0) -> DepthData:
        """Ask the venue for a book, of as many levels as are wanted unless that is said.

        Raises:
            AdapterError: it could not be had.
        """
        unified, name = entry.unified, entry.request.instrument_id
        limit = self.limit(levels or entry.request.depth_levels or 5)
        book = await self._session.ask(lambda exchange: exchange.fetch_order_book(unified, limit))
        try:
            return ccxt_facts.polled_depth(book, name, self._session.clock.now_ns(), self._orders)
        except UNREADABLE as error:
            raise BadMessage(self._session.name, "order_book", clean(error)) from error

    def limit(self, levels: int) -> int | None:
        """Return the limit of a request: what the row says is the most, or ccxt's own for a venue that was not looked at."""
        venue = self._session.venue
        if venue is None or not venue.rest_levels:
            return None
        if venue.rest_lists_orders:
            return venue.rest_levels  # how many of them make a level nobody knows
        fitting = [limit for limit in venue.rest_limits if limit >= levels]
        return min(fitting) if fitting else (venue.rest_levels if venue.rest_limits else min(levels, venue.rest_levels))

    def need_snapshot(self, entry: Entry) -> None:
        """Fetch a snapshot of a book until it is taken in."""
        book = entry.book
        if book is None or not book.streams:
            return
        wanted = self.life, book.generation
        if entry.syncing != wanted:
            entry.syncing = wanted
            pause_s = self._note_need(entry)
            synchronised = self._synchronise(entry, book, wanted, pause_s)
            self._session.spawn(synchronised, f"snapshot of {entry.request.instrument_id}")

    def need_subscription(self, entry: Entry, topics: Topics) -> None:
        """Subscribe a book anew, since its snapshot comes with that only; unless it was subscribed just now."""
        subscribed, entry.renewed_ns = entry.subscribed, self._session.clock.monotonic_ns()
        pause_s = self._note_need(entry)
        if not subscribed:
            renewed = self._renew(entry, topics, self.life, pause_s)
            self._session.spawn(renewed, f"snapshot of {entry.request.instrument_id}")

    def look_at_snapshot(self, entry: Entry, topics: Topics) -> None:
        """Subscribe anew where the snapshot did not come with the subscription; called by the beat."""
        book, now_ns = entry.book, self._session.clock.monotonic_ns()
        if book is None or not entry.book_is_ours or not book.streams or book.is_loaded or not entry.renewed_ns:
            return
        if now_ns - entry.renewed_ns > (SNAPSHOT_WITHIN_S + entry.recovery.pause_s) * 1e9:
            self.need_subscription(entry, topics)

    async def has_fallen_behind(self, entry: Entry, *, of_book: bool) -> bool:
        """Tell whether a stream that is silent misses something: the venue's best prices are others, and it does not say so."""
        before, ours = (self.life, _mark(entry, of_book)), self._best_levels(entry, of_book=of_book)
        try:
            now = await self.read_book(entry.request.instrument_id, 1)
        except AdapterError as error:
            self.log(f"book of {entry.unified}", error)
            return False
        if ours is None or ours == (now.bids[:1], now.asks[:1]):
            return False
        await self._session.wait_s(SETTLE_S)
        return before == (self.life, _mark(entry, of_book))

    # --- ticks ------------------------------------------------------------------------------------------------------

    def fresh_tick(self, entry: Entry) -> None:
        """Fetch the present quote and tell it, unless the stream is quicker."""
        self._session.spawn(self._fresh_tick(entry, self.life), f"tick of {entry.request.instrument_id}")

    def take_quote(self, entry: Entry, depth: DepthData) -> None:
        """Tell the best bid and ask of a book that was asked for."""
        entry.quotes.forget_quote()
        entry.quotes.quote(ccxt_facts.best_of(depth))
        entry.quotes.publish(depth.local_time_ns, REST)

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _fresh_tick(self, entry: Entry, life: int) -> None:
        before = entry.quotes.mark
        try:
            depth = await self.depth(entry)
        except AdapterError as error:
            self.log(f"quote of {entry.unified}", error)
        else:
            if life == self.life and entry.wanted and entry.quotes.mark == before:
                self.take_quote(entry, depth)
        entry.told.set()

    @property
    def _orders(self) -> int:
        """Return how many orders a side a request lists at most, 0 where it lists levels."""
        venue = self._session.venue
        return venue.rest_levels if venue is not None and venue.rest_lists_orders else 0

    def _note_need(self, entry: Entry) -> float:
        """Note that a book was given up, and return how long to wait for its snapshot; not at all after its subscription."""
        now_ns, subscribed, entry.subscribed = self._session.clock.monotonic_ns(), entry.subscribed, False
        if subscribed:
            entry.recovery.gone(now_ns)
            return 0.0
        entry.recovery.need(now_ns)
        return entry.recovery.pause_s

    async def _synchronise(self, entry: Entry, book: BookStream, wanted: tuple[int, int], pause_s: float) -> None:
        """Ask until the book has a snapshot, or begins anew or loses its stream: then that is another's to do, if anybody's."""
        attempt = 0
        try:
            if pause_s:
                await self._session.wait_s(pause_s)
            while wanted == (self.life, book.generation) and not book.is_loaded:
                attempt += 1
                if attempt > ATTEMPTS_AT_ONCE:
                    await self._session.wait_s(min(RESYNC_PAUSE_S * attempt, LONGEST_PAUSE_S))
                try:
                    if not await self._load(entry, book, wanted):
                        await self._session.wait_s(min(RESYNC_PAUSE_S * attempt, LONGEST_PAUSE_S))
                except OffGrid as error:
                    self.tell_off_grid(entry, error)
                    await self._session.wait_s(OFF_GRID_PAUSE_S)
        finally:
            if entry.syncing == wanted:
                entry.syncing = (0, 0)

    async def _load(self, entry: Entry, book: BookStream, wanted: tuple[int, int]) -> bool:
        """Ask once; False when it failed, so that asking again needs a pause."""
        try:
            snapshot = await self.depth(entry, ccxt_facts.LEVELS)
        except AdapterError as error:
            self.log(f"snapshot of {entry.unified}", error)
            return False
        life, generation = wanted
        if life == self.life and book.load(snapshot, generation, self.limit(ccxt_facts.LEVELS) or 0):
            entry.off_grid = False
            entry.recovery.whole(self._session.clock.monotonic_ns())
            book.publish()
            entry.told.set()
        return True

    async def _renew(self, entry: Entry, topics: Topics, life: int, pause_s: float) -> None:
        if pause_s:
            await self._session.wait_s(pause_s)
        if life == self.life and entry.wanted and entry.book is not None and not entry.book.is_loaded:
            topics.renew(topics.of(entry.request.instrument_id, Stream.BOOK), "its book needs a snapshot")

    def _best_levels(self, entry: Entry, *, of_book: bool) -> tuple[Any, Any] | None:
        now_ns = self._session.clock.now_ns()
        if of_book:
            exact = entry.book.exact(now_ns) if entry.book is not None else None
            return None if exact is None else (exact.bids[:1], exact.asks[:1])
        best = entry.quotes.best(now_ns)
        return None if best is None else (((best.bid, best.bid_size),), ((best.ask, best.ask_size),))

    def tell_off_grid(self, entry: Entry, error: OffGrid) -> None:
        """Tell once that a book lies off the grid."""
        if not entry.off_grid:
            entry.off_grid = True
            self._fail(f"book of {entry.request.instrument_id}", error)

    def log(self, what: str, error: AdapterError) -> None:
        """Say what could not be had, more and more seldom."""
        times = self._failures[what] = self._failures.get(what, 0) + 1
        level = "DEBUG" if times & (times - 1) else "WARNING"
        logger.bind(account=self._session.account).log(level, "{} could not be had ({}): {}", what, times, error)


def _mark(entry: Entry, of_book: bool) -> object:
    """Return what changes whenever a stream says something."""
    if not of_book:
        return entry.quotes.mark
    return None if entry.book is None else (entry.book.update_id, entry.book.generation)
