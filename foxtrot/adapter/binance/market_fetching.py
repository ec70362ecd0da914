"""What market data has to ask for: the snapshot a book begins with, the present quote, and prints that did not come."""

import asyncio
from collections.abc import Callable

from loguru import logger

from foxtrot.adapter.binance.partial_books import PartialBook
from foxtrot.adapter.binance.rest_polling import SNAPSHOT_LEVELS, RestMarket, RestPoller, missing_trades
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.tick_stream import TickStream
from foxtrot.adapter.binance.topics import TopicKind
from foxtrot.adapter.book_stream import BookStream
from foxtrot.adapter.health import StreamHealth
from foxtrot.domain.errors import AdapterError, FoxtrotError, OffGrid
from foxtrot.domain.market import DepthData
from foxtrot.domain.subscription import SubscribeRequest

RESYNC_PAUSE_S = 0.2
ATTEMPTS_AT_ONCE = 3
SNAPSHOT_TRIES, PATIENCE_S = 8, 30.0
"""After so many requests for a snapshot in vain, and so long, it is held not to be had."""
OFF_GRID_PAUSE_S = 30.0
"""How long a snapshot off the instrument's grid is left alone: the next one is most likely no better."""
CALM_S = 10.0
"""A book that lasts so long is held to be well: its next loss is its first."""
LONGEST_PAUSE_S = 30.0
SETTLE_S = 2.0
"""How long a change may take by the stream after a request has shown it."""


class Entry:
    """One wanted instrument: what is wanted, its streams, and whether fresh facts were told since they were opened.

    Thread: binance-io.
    """

    def __init__(self, request: SubscribeRequest, symbol: str, ticks: TickStream) -> None:
        self.request = request
        self.symbol = symbol
        self.ticks = ticks
        self.book: BookStream | None = None
        self.wanted = True
        self.tick_told = asyncio.Event()
        self.book_told = asyncio.Event()
        self.syncing = (0, 0)
        """For which life of the streams, and which generation of the book, a snapshot is being fetched."""
        self.losses = 0
        """How often in a row the book was lost without having lasted for CALM_S."""
        self.synced_ns = -(2**62)
        """When a snapshot of it was last taken in, or first asked for."""
        self.off_grid = False
        """Whether it was told that its snapshot lies off the grid."""

    def healths(self) -> list[StreamHealth]:
        """Return the figures of its streams."""
        both = self.ticks.health, None if self.book is None else self.book.health
        return [health for health in both if health is not None]

    def end(self) -> None:
        """Tell nothing more: what is still being asked for comes too late."""
        self.ticks.ticks = self.ticks.trades = self.wanted = False
        if self.book is not None:
            self.book.stale("nobody wants it any more")
            self.book.end()
        for health in self.healths():
            health.down()

    def note_loss(self, now_ns: int) -> float:
        """Note that the book needs a snapshot; return how long to wait with it: not at all, unless it is lost again and again."""
        self.losses = self.losses + 1 if now_ns - self.synced_ns < CALM_S * 1e9 else 0
        self.synced_ns = now_ns
        over = self.losses - ATTEMPTS_AT_ONCE
        return min(RESYNC_PAUSE_S * 2.0 ** min(over, 10), LONGEST_PAUSE_S) if over > 0 else 0.0

    def restart(self) -> None:
        """Begin anew after a loss."""
        self.losses = 0
        self.ticks.restart()
        self.tick_told.clear()
        self.book_told.clear()


class Fetching:
    """Asks for what streams do not bring by themselves.

    Thread: binance-io.

    Args:
        session: who asks.
        fail: tells of a request that failed for good.
    """

    def __init__(self, session: BinanceSession, fail: Callable[[str, FoxtrotError | str], None]) -> None:
        self.market = RestMarket(session)
        self.poller = RestPoller(self.market, session.clock.now_ns)
        self.give_up: Callable[[Entry, str], None] = _go_on
        """Hears that a book's snapshot cannot be had."""
        self.life = 0
        """Which opening of the streams this is; what was asked for in an earlier one is left alone. 0 while they are closed."""
        self._lives = 0
        self._session = session
        self._fail = fail

    def begin(self) -> int:
        """Begin a new life of the streams and return its number."""
        self._lives += 1
        self.life = self._lives
        return self.life

    def end(self) -> None:
        """Let nothing that was asked for be told."""
        self.life = 0

    def need_snapshot(self, entry: Entry) -> None:
        """Fetch a snapshot of a book until it is taken in."""
        book = entry.book
        if book is None or not book.streams:
            return
        wanted = self.life, book.generation
        if entry.syncing != wanted:
            entry.syncing = wanted
            pause_s = entry.note_loss(self._session.clock.monotonic_ns())
            self._session.spawn(
                self._synchronise(entry, book, wanted, pause_s), f"snapshot of {entry.request.instrument_id}"
            )

    def fresh_tick(self, entry: Entry) -> None:
        """Fetch the present quote and tell it, unless the stream is quicker."""
        self._session.spawn(self._fresh_tick(entry, self.life), f"tick of {entry.request.instrument_id}")

    def find_missing(self, ticks: TickStream, first: int, last: int) -> None:
        """Fetch prints that did not come."""
        self._session.spawn(self._fill(ticks, self.life), f"prints {first} to {last} of {ticks.instrument_id}")

    async def poll(self, entry: Entry, lacks: Callable[[TopicKind], bool]) -> None:
        """Ask once for everything that is wanted of an instrument and whose stream is lacking."""
        life = self.life
        await self.poller.poll(
            entry.request,
            entry.symbol,
            entry.ticks,
            entry.book,
            lambda kind: life == self.life and entry.wanted and lacks(kind),
        )

    async def has_fallen_behind(self, entry: Entry) -> bool:
        """Tell whether a book whose stream is silent misses something, or its market is just quiet."""
        book = entry.book
        if book is None or not book.is_loaded:
            return False
        before = self.life, book.generation
        try:
            now = await self.market.snapshot(entry.symbol, 5)
        except AdapterError as error:
            self._log(f"snapshot of {entry.symbol}", error)
            return False
        if not _is_ahead(now, book):
            return False
        await self._session.wait_s(SETTLE_S)
        return before == (self.life, book.generation) and _is_ahead(now, book)

    async def _synchronise(self, entry: Entry, book: BookStream, wanted: tuple[int, int], pause_s: float) -> None:
        """Ask until the book has a snapshot, or begins anew or loses its stream: then that is another's to do, if anybody's."""
        try:
            if pause_s:
                await self._session.wait_s(pause_s)
            attempt, began_ns = 0, self._session.clock.monotonic_ns()
            while wanted == (self.life, book.generation) and not book.is_loaded:
                attempt += 1
                if attempt > ATTEMPTS_AT_ONCE:
                    await self._session.wait_s(RESYNC_PAUSE_S * attempt)
                failed_s = await self._load(entry, book, wanted)
                if failed_s:
                    await self._session.wait_s(max(failed_s, RESYNC_PAUSE_S * attempt))
                waited_s = (self._session.clock.monotonic_ns() - began_ns) / 1e9
                is_tried = (
                    attempt >= SNAPSHOT_TRIES and waited_s > PATIENCE_S and wanted == (self.life, book.generation)
                )
                if is_tried and _still_lacks(entry, book):
                    self.give_up(entry, f"no snapshot by {attempt} requests in {waited_s:.0f} s")
        finally:
            if entry.syncing == wanted:
                entry.syncing = (0, 0)

    async def _load(self, entry: Entry, book: BookStream, wanted: tuple[int, int]) -> float:
        """Ask once; return how long to wait at least before asking again, 0 where the venue has answered with a book."""
        life, generation = wanted
        try:
            snapshot = await self.market.snapshot(entry.symbol)
            if life == self.life and book.load(snapshot, generation, SNAPSHOT_LEVELS):
                entry.off_grid, entry.synced_ns = False, self._session.clock.monotonic_ns()
                book.publish()
                entry.book_told.set()
        except AdapterError as error:
            self._log(f"snapshot of {entry.symbol}", error)
            return RESYNC_PAUSE_S
        except OffGrid as error:
            if not entry.off_grid:
                entry.off_grid = True
                self._fail(f"book of {entry.request.instrument_id}", error)
            return OFF_GRID_PAUSE_S
        return 0.0

    async def _fresh_tick(self, entry: Entry, life: int) -> None:
        try:
            await self.poller.tick(
                entry.symbol, entry.ticks, fresh=True, wanted=lambda: life == self.life and entry.wanted
            )
        except AdapterError as error:
            self._log(f"quote of {entry.symbol}", error)
        entry.tick_told.set()

    async def _fill(self, ticks: TickStream, life: int) -> None:
        try:
            frames = await self.market.trades(self._session.market_symbol(ticks.instrument_id))
        except AdapterError as error:
            self._log(f"prints of {ticks.instrument_id}", error)
            frames = []
        if life == self.life:
            ticks.fill(missing_trades(frames, ticks.instrument_id, self._session.clock.now_ns()))

    def _log(self, what: str, error: AdapterError) -> None:
        logger.bind(account=self._session.account).warning("{} could not be had: {}", what, error)


def _is_ahead(snapshot: DepthData, book: BookStream) -> bool:
    """Tell whether the venue's book is newer than ours; a partial one hears of nothing below its levels, and need not know its id."""
    if snapshot.update_id <= book.update_id:
        return False
    ours = book.book.depth(len(snapshot.bids))
    return not isinstance(book, PartialBook) or (ours.bids, ours.asks) != (snapshot.bids, snapshot.asks)


def _still_lacks(entry: Entry, book: BookStream) -> bool:
    """Tell whether a book has no snapshot because none can be had; those off the grid are the same by every way."""
    return not book.is_loaded and not entry.off_grid


def _go_on(_entry: Entry, _cause: str) -> None:
    """Ask on."""
