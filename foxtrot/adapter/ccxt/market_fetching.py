"""What market data has to ask for: the snapshot a book begins with, the present quote, and everything where there is no stream."""

from collections.abc import Callable
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.base_adapter import ExactBook
from foxtrot.adapter.book_stream import BookStream
from foxtrot.adapter.ccxt import ccxt_facts
from foxtrot.adapter.ccxt.entry import Entry
from foxtrot.adapter.ccxt.errors import UNREADABLE, clean
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.adapter.ccxt.topics import Topics
from foxtrot.adapter.ccxt.venue import Stream
from foxtrot.domain.errors import AdapterError, BadMessage, FoxtrotError, OffGrid
from foxtrot.domain.market import REST, DepthData

RESYNC_PAUSE_S: Final = 0.5
ATTEMPTS_AT_ONCE: Final = 3
LONGEST_PAUSE_S: Final = 30.0
SNAPSHOT_WITHIN_S: Final = 5.0
"""How long a snapshot of the stream may take after its subscription."""
SETTLE_S: Final = 2.0
"""How long a change may take by the stream after a request has shown it."""
TRADES: Final = 100


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
        limit = self._limit(levels)
        book = await self._session.ask(lambda exchange: exchange.fetch_order_book(unified, limit))
        try:
            return ccxt_facts.exact_of(book, instrument_id, levels)
        except UNREADABLE as error:
            raise BadMessage(self._session.name, "order_book", clean(error)) from error

    def need_snapshot(self, entry: Entry) -> None:
        """Fetch a snapshot of a book until it is taken in."""
        book = entry.book
        if book is None or not book.streams:
            return
        wanted = self.life, book.generation
        if entry.syncing != wanted:
            entry.syncing = wanted
            self._session.spawn(self._synchronise(entry, book, wanted), f"snapshot of {entry.request.instrument_id}")

    def need_subscription(self, entry: Entry, topics: Topics) -> None:
        """Subscribe a book anew, since its snapshot comes with that only; unless it was subscribed just now."""
        now_ns = self._session.clock.monotonic_ns()
        if entry.subscribed:
            entry.subscribed, entry.renewed_ns = False, now_ns
            return
        entry.renewals += 1
        entry.renewed_ns = now_ns
        self._session.spawn(self._renew(entry, topics, self.life), f"snapshot of {entry.request.instrument_id}")

    def look_at_snapshot(self, entry: Entry, topics: Topics) -> None:
        """Subscribe anew where the snapshot did not come with the subscription; called by the beat."""
        book, now_ns = entry.book, self._session.clock.monotonic_ns()
        if book is None or not entry.book_is_ours or not book.streams or book.is_loaded or not entry.renewed_ns:
            return
        if now_ns - entry.renewed_ns > (SNAPSHOT_WITHIN_S + _pause_s(entry.renewals)) * 1e9:
            self.need_subscription(entry, topics)

    async def has_fallen_behind(self, entry: Entry, *, of_book: bool) -> bool:
        """Tell whether a stream that is silent misses something: the venue's best prices are others, and it does not say so."""
        before, ours = (self.life, _mark(entry, of_book)), self._best_levels(entry, of_book=of_book)
        try:
            now = await self.read_book(entry.request.instrument_id, 1)
        except AdapterError as error:
            self._log(f"book of {entry.unified}", error)
            return False
        if ours is None or ours == (now.bids[:1], now.asks[:1]):
            return False
        await self._session.wait_s(SETTLE_S)
        return before == (self.life, _mark(entry, of_book))

    # --- ticks ------------------------------------------------------------------------------------------------------

    def fresh_tick(self, entry: Entry) -> None:
        """Fetch the present quote and tell it, unless the stream is quicker."""
        self._session.spawn(self._fresh_tick(entry, self.life), f"tick of {entry.request.instrument_id}")

    async def poll(self, entry: Entry, *, book: bool, quote: bool, trades: bool) -> None:
        """Ask once for what is wanted of an instrument and no stream brings."""
        life = self.life
        try:
            if book or quote:
                depth = await self._depth(entry)
                if life == self.life and entry.wanted:
                    self._take_polled(entry, depth, book=book, quote=quote)
            if trades:
                await self._poll_trades(entry, life)
        except OffGrid as error:
            if not entry.off_grid:
                entry.off_grid = True
                self._fail(f"book of {entry.request.instrument_id}", error)
        except AdapterError as error:
            self._log(entry.unified, error)

    def _take_polled(self, entry: Entry, depth: DepthData, *, book: bool, quote: bool) -> None:
        if book and entry.book is not None and entry.wants_book:
            entry.book.load_polled(depth)
            entry.book.publish()
        if quote:
            entry.quotes.forget_quote()
            entry.quotes.quote(ccxt_facts.best_of(depth))
            entry.quotes.publish(depth.local_time_ns, REST)

    async def _poll_trades(self, entry: Entry, life: int) -> None:
        venue = self._session.venue
        if not self._session.exchange.has.get("fetchTrades") or (venue is not None and not venue.rest_trades):
            return
        unified, name = entry.unified, entry.request.instrument_id
        rows: list[Any] = await self._session.ask(lambda exchange: exchange.fetch_trades(unified, None, TRADES))
        now_ns = self._session.clock.now_ns()
        try:
            found = [ccxt_facts.trade_of(row, name, now_ns, REST) for row in rows]
        except UNREADABLE as error:
            raise BadMessage(self._session.name, "trades", clean(error)) from error
        if life == self.life and entry.wanted:
            entry.quotes.past(sorted(found, key=lambda one: one.venue_time_ns))
            entry.quotes.publish(now_ns, REST)

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _fresh_tick(self, entry: Entry, life: int) -> None:
        before = entry.quotes.mark
        try:
            depth = await self._depth(entry)
        except AdapterError as error:
            self._log(f"quote of {entry.unified}", error)
        else:
            if life == self.life and entry.wanted and entry.quotes.mark == before:
                self._take_polled(entry, depth, book=False, quote=True)
        entry.told.set()

    async def _depth(self, entry: Entry, levels: int = 0) -> DepthData:
        unified, name = entry.unified, entry.request.instrument_id
        limit = self._limit(levels or entry.request.depth_levels or 5)
        book = await self._session.ask(lambda exchange: exchange.fetch_order_book(unified, limit))
        try:
            return ccxt_facts.polled_depth(book, name, self._session.clock.now_ns())
        except UNREADABLE as error:
            raise BadMessage(self._session.name, "order_book", clean(error)) from error

    def _limit(self, levels: int) -> int | None:
        """Return the limit of a request: what the row says is the most, or ccxt's own for a venue that was not looked at."""
        venue = self._session.venue
        if venue is None or not venue.rest_levels:
            return None
        fitting = [limit for limit in venue.rest_limits if limit >= levels]
        return min(fitting) if fitting else (venue.rest_levels if venue.rest_limits else min(levels, venue.rest_levels))

    async def _synchronise(self, entry: Entry, book: BookStream, wanted: tuple[int, int]) -> None:
        """Ask until the book has a snapshot, or begins anew or loses its stream: then that is another's to do, if anybody's."""
        attempt = 0
        try:
            while wanted == (self.life, book.generation) and not book.is_loaded:
                attempt += 1
                if attempt > ATTEMPTS_AT_ONCE:
                    await self._session.wait_s(min(RESYNC_PAUSE_S * attempt, LONGEST_PAUSE_S))
                if not await self._load(entry, book, wanted):
                    await self._session.wait_s(min(RESYNC_PAUSE_S * attempt, LONGEST_PAUSE_S))
        except OffGrid as error:
            self._fail(f"book of {entry.request.instrument_id}", error)
        finally:
            if entry.syncing == wanted:
                entry.syncing = (0, 0)

    async def _load(self, entry: Entry, book: BookStream, wanted: tuple[int, int]) -> bool:
        """Ask once; False when it failed, so that asking again needs a pause."""
        try:
            snapshot = await self._depth(entry, ccxt_facts.LEVELS)
        except AdapterError as error:
            self._log(f"snapshot of {entry.unified}", error)
            return False
        life, generation = wanted
        if life == self.life and book.load(snapshot, generation, self._limit(ccxt_facts.LEVELS) or 0):
            book.publish()
            entry.told.set()
        return True

    async def _renew(self, entry: Entry, topics: Topics, life: int) -> None:
        if entry.renewals > 1:
            await self._session.wait_s(_pause_s(entry.renewals))
        if life == self.life and entry.wanted and entry.book is not None and not entry.book.is_loaded:
            topics.renew(topics.of(entry.request.instrument_id, Stream.BOOK), "its book needs a snapshot")

    def _best_levels(self, entry: Entry, *, of_book: bool) -> tuple[Any, Any] | None:
        now_ns = self._session.clock.now_ns()
        if of_book:
            exact = entry.book.exact(now_ns) if entry.book is not None else None
            return None if exact is None else (exact.bids[:1], exact.asks[:1])
        best = entry.quotes.best(now_ns)
        return None if best is None else (((best.bid, best.bid_size),), ((best.ask, best.ask_size),))

    def _log(self, what: str, error: AdapterError) -> None:
        """Say what could not be had, more and more seldom."""
        times = self._failures[what] = self._failures.get(what, 0) + 1
        level = "DEBUG" if times & (times - 1) else "WARNING"
        logger.bind(account=self._session.account).log(level, "{} could not be had ({}): {}", what, times, error)


def _mark(entry: Entry, of_book: bool) -> object:
    """Return what changes whenever a stream says something."""
    if not of_book:
        return entry.quotes.mark
    return None if entry.book is None else (entry.book.update_id, entry.book.generation)


def _pause_s(renewals: int) -> float:
    """Return how long to wait before a subscription begins anew once more."""
    return 0.0 if renewals <= 1 else min(RESYNC_PAUSE_S * 2.0 ** (renewals - 2), LONGEST_PAUSE_S)
