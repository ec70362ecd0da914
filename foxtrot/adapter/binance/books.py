"""The books of one account: by which way each is had, what takes its place when it cannot be had, and how well it does.

A book goes from one way to the next (see BookWay) when the stream is refused, or a snapshot was asked for SNAPSHOT_TRIES times in
vain. It goes back when the venue gives snapshots again, which is tried after a pause that doubles, and with each new link.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Protocol

import msgspec
from loguru import logger

from foxtrot.adapter.binance import ccxt_facts
from foxtrot.adapter.binance.book_audit import BookAudits
from foxtrot.adapter.binance.book_choice import PARTIAL_LEVELS, BookWay
from foxtrot.adapter.binance.book_comparison import BookComparison
from foxtrot.adapter.binance.book_rules import RULES
from foxtrot.adapter.binance.ccxt_books import CcxtBooks
from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.adapter.binance.frame_stream import FrameStream
from foxtrot.adapter.binance.market_fetching import Entry, Fetching
from foxtrot.adapter.binance.market_upkeep import MarketOptions
from foxtrot.adapter.binance.partial_books import NO_CHANGES, PartialBook, PartialBooks, is_partial
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.stream_board import StreamBoard
from foxtrot.adapter.binance.topics import TopicKind, Topics
from foxtrot.adapter.book_paths import BookFigures
from foxtrot.adapter.book_stream import BookPublisher, BookStream, figures_of
from foxtrot.adapter.health import AdapterHealth, StreamHealth
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import AdapterError, FoxtrotError

BEAT_S: Final = 1.0
CCXT_TRIES: Final = 3
"""How often ccxt's book may end before it has levels."""
RETRY_S, LONGEST_RETRY_S = 60.0, 3600.0
_NEXT: Final = {BookWay.DEPTH_CACHE: BookWay.CCXT, BookWay.CCXT: BookWay.PARTIAL}


class Publisher(BookPublisher, Protocol):
    """The adapter's way up.

    Thread: binance-io.
    """

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        """Publish that something asked for cannot be had."""


class _Use:
    """By which way one book is had now."""

    def __init__(self, entry: Entry, way: BookWay, unified: str) -> None:
        self.entry = entry
        self.way = way
        self.unified = unified
        self.failures = 0
        self.retry_s = RETRY_S
        self.retry_ns = 0
        self.comparison: BookComparison | None = None
        self.keeps = False
        """Whether our book goes on although ccxt's, which is compared with it, begins anew."""


class Books:
    """See the module.

    Thread: binance-io, except the figures it gives to health.
    """

    def __init__(
        self, publisher: Publisher, session: BinanceSession, options: MarketOptions, board: StreamBoard, topics: Topics,
        fetching: Fetching,
    ) -> None:  # fmt: skip
        self.audits = BookAudits(session, fetching.market, options.books.audit_interval_s)
        self._publisher = publisher
        self._session = session
        self._options = options
        self._board = board
        self._topics = topics
        self._fetching = fetching
        self._uses: dict[str, _Use] = {}
        self._ccxt = CcxtBooks(session, board)
        self._partials = PartialBooks(MarketCodec(session.product), board.books, session.clock.now_ns, board.note_bad)
        self._health: AdapterHealth | None = getattr(session, "health", None)
        fetching.give_up = self._fall

    # --- what is wanted ---------------------------------------------------------------------------------------------

    def open(self, entry: Entry) -> None:
        """Make a book the first time, and have it publish what is wanted."""
        request = entry.request
        use = self._uses.get(request.instrument_id)
        if use is None:
            use = self._uses[request.instrument_id] = _Use(
                entry, self._chosen(entry.symbol), self._session.unified(request.instrument_id)
            )
            if self._health is not None:
                self._health.books[request.instrument_id] = partial(self._figures, use)
        if entry.book is None:
            entry.book = self._new_book(use)
        if use.way is BookWay.PARTIAL and request.depth_changes:
            self._publisher.on_request_failed(f"depth changes of {request.instrument_id}", NO_CHANGES)
        entry.book.want(request.depth_levels, changes=request.depth_changes)
        self._board.books[entry.symbol] = entry.book
        if entry.book.dirty:
            entry.book.publish()

    def detail(self, entry: Entry) -> str:
        """Return what a book's topic is called besides its symbol."""
        return _detail(self._uses[entry.request.instrument_id].way)

    def forget(self, instrument_id: str) -> None:
        """Forget a book that nobody wants any more."""
        use = self._uses.pop(instrument_id, None)
        if use is not None:
            self._board.books.pop(use.entry.symbol, None)
            self._ccxt.leave(use.unified, use.entry.symbol)
            self.audits.forget(instrument_id)
            if self._health is not None:
                self._health.books.pop(instrument_id, None)

    def restart(self) -> None:
        """Go back to what is chosen: the streams begin anew."""
        for use in self._uses.values():
            use.keeps = False
            if use.way is not self._chosen(use.entry.symbol):
                self._change(use, self._chosen(use.entry.symbol), "a new link")
        self._warn_of_strangers()

    def prepare(self, exchange: Any) -> None:
        """Let a new instance of ccxt's begin a book only where it is to keep one; the other snapshots are ours to fetch."""
        self._ccxt.prepare(exchange)

    async def keep(self, life: int) -> None:
        """Audit books, and try again what could not be had, until the streams are closed."""
        while life == self._fetching.life:
            await self._session.wait_s(BEAT_S)
            if life == self._fetching.life:
                await self.audits.beat({name: use.entry for name, use in self._uses.items()})
                await self._retry()

    # --- what comes -------------------------------------------------------------------------------------------------

    def hear(self, message: Mapping[str, Any]) -> bool:
        """Look at a message before ccxt does; True when it is of a partial book."""
        if not is_partial(message):
            ccxt_facts.hear_change(message, self._board.books)
            return False
        book = self._partials.hear(message) if self._board.live else None
        if book is not None:
            self._note_heard(book)
            if book.dirty:
                book.publish()
            self._uses[book.instrument_id].entry.book_told.set()
        return True

    def on_item(self, entry: Entry, item: Any) -> None:
        """Take the book that ccxt keeps, or compare it with ours."""
        use, book = self._uses[entry.request.instrument_id], entry.book
        if isinstance(book, ccxt_facts.CcxtBook):
            if not self._options.hot_path:
                self._note_heard(book)
            book.take_book(item, self._session.clock.now_ns())
            if book.dirty:
                book.publish()
            if book.is_loaded:
                use.failures = 0
                entry.book_told.set()
        elif book is not None and use.comparison is not None:
            self._ccxt.compare(use.comparison, book, item)

    def on_up(self, entry: Entry, health: StreamHealth) -> None:
        """Begin a book whose stream stands."""
        use, book = self._uses[entry.request.instrument_id], entry.book
        if book is not None:
            book.health = health
            keeps, use.keeps = use.keeps, False
            if not (keeps and book.streams):
                book.begin()

    def on_down(self, entry: Entry, cause: str, *, gap: bool) -> None:
        """Let nobody believe a book whose stream is gone; one that is only compared with another goes on."""
        use, book = self._uses[entry.request.instrument_id], entry.book
        if book is None:
            return
        if gap and use.comparison is not None:
            use.keeps = True
            logger.bind(account=self._session.account).info("ccxt's book of {} begins anew: {}", entry.symbol, cause)
            return
        fails = use.way is BookWay.CCXT and book.streams and not book.is_loaded
        if gap:
            book.begin(cause)
        else:
            book.stale(cause)
        use.failures += fails
        if use.failures >= CCXT_TRIES:
            self._fall(entry, f"ccxt's book had no levels {CCXT_TRIES} times: {cause}")

    def on_refused(self, entry: Entry, cause: str) -> bool:
        """Have the partial book where the stream of changes, which ccxt's book needs too, is refused; False when there is nothing left."""
        use = self._uses[entry.request.instrument_id]
        if use.way is BookWay.PARTIAL:
            return False
        self._put_off(use)
        self._change(use, BookWay.PARTIAL, f"the stream of changes is refused: {cause}")
        return True

    # --- ways -------------------------------------------------------------------------------------------------------

    def _chosen(self, symbol: str) -> BookWay:
        way = self._options.books.way(symbol)
        return BookWay.CCXT if way is BookWay.DEPTH_CACHE and not self._options.hot_path else way

    def _fall(self, entry: Entry, cause: str) -> None:
        """Go on by the next way; the last one is kept."""
        use = self._uses.get(entry.request.instrument_id)
        following = None if use is None else _NEXT.get(use.way)
        if use is not None and following is not None:
            self._put_off(use)
            self._change(use, following, cause)

    def _put_off(self, use: _Use) -> None:
        """Note when what is chosen is tried again."""
        use.retry_ns = self._session.clock.monotonic_ns() + int(use.retry_s * 1e9)
        use.retry_s = min(2 * use.retry_s, LONGEST_RETRY_S)

    async def _retry(self) -> None:
        for use in list(self._uses.values()):
            chosen, now_ns = self._chosen(use.entry.symbol), self._session.clock.monotonic_ns()
            if use.way is chosen or now_ns < use.retry_ns or not self._options.streams(use.entry.symbol):
                continue
            try:
                await self._fetching.market.snapshot(use.entry.symbol, 5)
            except AdapterError:
                self._put_off(use)
                continue
            if use.entry.wanted and self._fetching.life:
                self._change(use, chosen, "the venue gives snapshots again")

    def _change(self, use: _Use, way: BookWay, cause: str) -> None:
        entry, before = use.entry, use.way
        name = entry.request.instrument_id
        logger.bind(account=self._session.account).warning(
            "the book of {} is now {}, was {}: {}", name, way, before, cause
        )
        self._ccxt.leave(use.unified, entry.symbol)
        use.way, use.failures, use.keeps = way, 0, False
        if entry.book is not None:
            entry.book.stale(cause)  # the next one may be long in coming, and says nothing before its stream stands
            entry.book.end()
            entry.book = None
        self.open(entry)
        if self._fetching.life:
            self._change_stream(use, before, cause)

    def _change_stream(self, use: _Use, before: BookWay, cause: str) -> None:
        """Begin the new book: at once where its stream is the one that stands."""
        entry, name = use.entry, use.entry.request.instrument_id
        if _detail(before) != _detail(use.way):
            self._topics.close(TopicKind.BOOK, name, _detail(before))
            self._topics.open(TopicKind.BOOK, name, _detail(use.way))
            return
        topic = next((one for one in self._topics.of(name) if one.kind is TopicKind.BOOK), None)
        if topic is None or not topic.up.is_set() or entry.book is None:
            return
        entry.book.begin(cause)
        self._ccxt.begin(topic.key)

    def _new_book(self, use: _Use) -> BookStream:
        entry = use.entry
        instrument = self._session.instruments[entry.request.instrument_id]
        rule, way = RULES[self._session.product](), use.way
        need = partial(self._fetching.need_snapshot, entry)
        if not self._options.streams(entry.symbol):
            return BookStream(instrument, rule, self._publisher, need)
        use.comparison = BookComparison() if self._is_compared(use) else None
        if way is BookWay.CCXT or use.comparison is not None:
            self._ccxt.keep(use.unified, entry.symbol)
        if way is BookWay.PARTIAL:
            return PartialBook(instrument, self._publisher)
        if way is BookWay.CCXT:
            return ccxt_facts.CcxtBook(instrument, rule, self._publisher, _fetched_by_ccxt)
        if self._options.books.compiled:
            return FrameStream(instrument, rule, self._publisher, need)
        return BookStream(instrument, rule, self._publisher, need)

    def _is_compared(self, use: _Use) -> bool:
        return use.way is BookWay.DEPTH_CACHE and self._options.books.is_compared(use.entry.symbol)

    # --- figures ----------------------------------------------------------------------------------------------------

    def _note_heard(self, book: BookStream) -> None:
        if book.health is not None:
            book.health.heard(self._session.clock.monotonic_ns())

    def _warn_of_strangers(self) -> None:
        """Name the symbols of the settings that the venue does not list."""
        strangers = self._options.books.named() - {one.symbol for one in self._session.instruments.values()}
        if strangers and self._session.instruments:
            logger.bind(account=self._session.account).warning(
                "book_of or compare_books names {}, which Binance does not list", ", ".join(sorted(strangers))
            )

    def _figures(self, use: _Use) -> BookFigures:
        book, beside = use.entry.book, use.comparison
        if book is None:
            return BookFigures(implementation=use.way, state=BookState.EMPTY)
        figures = figures_of(book, use.way, self._session.clock.now_ns(), self.audits.score(book.instrument_id))
        if beside is None:
            return figures
        return msgspec.structs.replace(figures, compared=beside.compared, differences=beside.differences)


def _detail(way: BookWay) -> str:
    return str(PARTIAL_LEVELS) if way is BookWay.PARTIAL else ""


def _fetched_by_ccxt() -> None:
    """Ask for nothing: ccxt fetches the snapshot of a book that it keeps."""
