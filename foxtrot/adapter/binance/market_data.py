"""What one Binance account streams: ticks, prints, bars, depth and depth changes of the instruments it wants.

Streams come by ccxt.pro. With the hot path their raw frames are decoded before ccxt sees them, without it the facts are made of
what ccxt's watchers return. Where no stream can be had (the breaker is open, or WebSockets are switched off for the symbol) the
same facts are asked for by REST.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from foxtrot.adapter.base_adapter import BestBidOffer, ExactBook
from foxtrot.adapter.binance import ccxt_facts
from foxtrot.adapter.binance.advice import unlisted
from foxtrot.adapter.binance.best_quote import best_quote
from foxtrot.adapter.binance.books import Books
from foxtrot.adapter.binance.live_bars import LiveBars
from foxtrot.adapter.binance.live_bars import Publisher as BarPublisher
from foxtrot.adapter.binance.market_fetching import Entry, Fetching
from foxtrot.adapter.binance.market_upkeep import BOOK_OF, TICKS_OF, MarketOptions, Upkeep
from foxtrot.adapter.binance.overlap import Overlap
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.stream_board import StreamBoard
from foxtrot.adapter.binance.tick_stream import TickPublisher, TickStream
from foxtrot.adapter.binance.topics import Listener, Topic, TopicKind, Topics
from foxtrot.adapter.book_stream import BookPublisher, BookStream
from foxtrot.adapter.health import AdapterHealth, StreamHealth
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.enums import Product
from foxtrot.domain.subscription import SubscribeRequest

TRADES_LIMIT = 20_000
STREAMS_PER_CONNECTION = 1024
"""Source: Binance spot API, web-socket-streams, Websocket Limits: 1024 streams on a connection."""
HOLD_S = 0.002
"""How long a print waits for the quote it changed, before it is told as a tick by itself."""


__all__ = ["MarketData", "MarketOptions"]


class Publisher(TickPublisher, BookPublisher, BarPublisher, Protocol):
    """The adapter's way up.

    Thread: binance-io.
    """


class MarketData(Listener):
    """The desired streams of one account; they survive a lost link.

    Thread: binance-io; `exact_book` and `best` from any.
    """

    def __init__(self, publisher: Publisher, session: BinanceSession, options: MarketOptions | None = None) -> None:
        self.options = options or MarketOptions()
        self.board = StreamBoard(session.clock, self._hold_ticks)
        self.topics = Topics(session, self, self._prepare)
        self.topics.care.make_overlap = partial(Overlap, self.board, strict=session.product is not Product.SPOT)
        self.fetching = Fetching(session, publisher.on_request_failed)
        self._publisher = publisher
        self._session = session
        self._wanted: dict[str, SubscribeRequest] = {}
        self._entries: dict[str, Entry] = {}
        self._live = False
        self._holding = False
        self.books = Books(publisher, session, self.options, self.board, self.topics, self.fetching)
        self._upkeep = Upkeep(session, self.options, self._entries, self.topics, self.fetching)
        self._health: AdapterHealth = getattr(session, "health", None) or AdapterHealth(session.account)
        self.bars = LiveBars(publisher, session, self.board, self._health)
        session.market_tap = self._hear
        session.on_stale = self._upkeep.hear_stale
        session.on_leaving = self.topics.care.hear_leaving

    # --- what is wanted ---------------------------------------------------------------------------------------------

    @property
    def wanted(self) -> dict[str, SubscribeRequest]:
        """Return the desired streams by instrument."""
        return dict(self._wanted)

    def add(self, request: SubscribeRequest) -> None:
        """Add to the desired streams and begin at once when the link is up."""
        instrument_id = request.instrument_id
        if self._session.instruments and self._session.find_instrument(instrument_id) is None:
            self._refuse_unlisted(instrument_id)
            return
        request = self.bars.known(request)
        before = self._wanted.get(instrument_id)
        if before is not None:
            request = before.with_also(request)
        self._wanted[instrument_id] = request
        if self._live:
            self._open(request)

    def remove(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams."""
        self._wanted.pop(instrument_id, None)
        self.bars.remove(instrument_id)
        entry = self._entries.pop(instrument_id, None)
        if entry is not None:
            self.board.ticks.pop(entry.symbol, None)
            self.books.forget(instrument_id)
            entry.end()
            for topic in self.topics.of(instrument_id):
                self.topics.close(topic.kind, instrument_id, topic.detail)

    async def resume(self) -> None:
        """Open every desired stream once, and return when fresh facts of all of them are published."""
        self._live = self.board.live = True
        self.books.restart()
        life = self.fetching.begin()
        for entry in self._entries.values():
            entry.restart()
        for request in list(self._wanted.values()):
            self._open(request)
        for entry in self._entries.values():
            entry.ticks.ask_again()
        self._session.spawn(self._upkeep.beat(life), "market data beat")
        self._session.spawn(self.books.keep(life), "care of books")
        await self.bars.resume()
        await self._upkeep.poll()
        await self._upkeep.wait_until_fresh()

    def stop(self) -> None:
        """Close every stream; the wishes stay."""
        self._live = self.board.live = False
        self.board.forget()
        self.fetching.end()
        self.bars.stop()
        self.topics.stop()
        for entry in self._entries.values():
            if entry.book is not None:
                entry.book.stale("the link is lost")

    # --- books ------------------------------------------------------------------------------------------------------

    def exact_book(self, instrument_id: str) -> ExactBook | None:
        """Return the full book of a stream, or None when there is none that may be believed; from any thread."""
        entry = self._entries.get(instrument_id)
        book = None if entry is None else entry.book  # read once: its own thread may put another in its place
        return None if book is None or not self._live else book.exact(self._session.clock.now_ns())

    def best(self, instrument_id: str) -> BestBidOffer | None:
        """Return the best prices as the stream of quotes told them last, or None when it tells none; from any thread."""
        entry, instrument = self._entries.get(instrument_id), self._session.find_instrument(instrument_id)
        if entry is None or instrument is None or not self._live:
            return None
        return best_quote(entry.ticks.best, instrument, self._session.clock.now_ns())

    async def read_book(self, instrument_id: str, levels: int) -> ExactBook:
        """Ask the venue for a book.

        Raises:
            AdapterError: it could not be had.
        """
        return await self.fetching.market.exact(instrument_id, levels)

    def publish_snapshot(self, instrument_id: str) -> None:
        """Publish a fresh snapshot; changes go on from it. While the book is being fetched it comes by itself."""
        entry = self._entries.get(instrument_id)
        if entry is None or entry.book is None:
            self._publisher.on_request_failed(f"snapshot of {instrument_id}", "its depth is not subscribed")
            return
        entry.book.restart_chain()

    # --- what topics say --------------------------------------------------------------------------------------------

    def on_up(self, topic: Topic) -> None:
        """Fetch what the stream does not begin with: a snapshot of the book, or the present quote."""
        entry = self._entries.get(topic.instrument_id)
        if topic.kind is TopicKind.KLINE:
            self.bars.on_up(topic)
        if entry is None or topic.kind is TopicKind.KLINE:
            return
        now_ns = self._session.clock.monotonic_ns()
        if topic.kind is TopicKind.BOOK and entry.book is not None:
            health = self._figures(BOOK_OF, topic.instrument_id)
            health.up(now_ns)
            self.books.on_up(entry, health)
            return
        entry.ticks.health = self._figures(TICKS_OF, topic.instrument_id)
        entry.ticks.health.up(now_ns)
        if entry.request.ticks and _ticks_are_up(self.topics.of(entry.request.instrument_id)):
            self.fetching.fresh_tick(entry)

    def on_down(self, topic: Topic, cause: str, *, gap: bool) -> None:
        """Let nobody believe what the stream kept up to date."""
        entry = self._entries.get(topic.instrument_id)
        if topic.kind is TopicKind.KLINE:
            self.bars.on_down(topic)
            return
        if entry is None or not self._live:
            return
        part: TickStream | BookStream | None = entry.book if topic.kind is TopicKind.BOOK else entry.ticks
        if part is not None and part.health is not None:
            part.health.down()
        if topic.kind is TopicKind.QUOTE:
            entry.ticks.restart()
        elif topic.kind is TopicKind.BOOK:
            self.books.on_down(entry, cause, gap=gap)

    def on_refused(self, topic: Topic, cause: str) -> None:
        """Say that a stream cannot be had."""
        entry = self._entries.get(topic.instrument_id)
        if entry is not None and topic.kind is TopicKind.BOOK and self.books.on_refused(entry, cause):
            return
        what = f"{topic.kind.name.lower()} {topic.detail}".strip()
        self._publisher.on_request_failed(f"stream {what} of {topic.instrument_id}", cause)
        if entry is not None:
            (entry.book_told if topic.kind is TopicKind.BOOK else entry.tick_told).set()

    def on_item(self, topic: Topic, item: Any) -> None:
        """Take what a watcher of ccxt returned; with the hot path there is nothing in it that is not known."""
        entry = self._entries.get(topic.instrument_id)
        if entry is None or not self._live or topic.kind is TopicKind.KLINE:
            return
        if self.options.hot_path and topic.kind is not TopicKind.BOOK:
            return
        match topic.kind:
            case TopicKind.TRADE:
                for trade in item:
                    self.board.trade(ccxt_facts.trade_frame(trade, entry.symbol))
            case TopicKind.QUOTE:
                latest = self._session.exchange.bidsasks[topic.unified]  # what was returned is the first of a batch
                self.board.quote(ccxt_facts.quote_frame(latest, entry.symbol))
            case TopicKind.TOTALS:
                self.board.totals(ccxt_facts.ticker_frame(self._session.exchange.tickers[topic.unified]))
            case TopicKind.BOOK:
                self.books.on_item(entry, item)
        self.board.end_batch()

    def _hear(self, client: Any, message: Mapping[str, Any]) -> bool:
        """See a message before ccxt, which drops the flag that says a bar is closed, and takes a book that is too old."""
        self.bars.hear(message)
        if self.topics.care.holds_back(client, message):
            return True
        return self.books.hear(message) or self.topics.hear_answer(client, message)

    def _prepare(self, exchange: Any) -> None:
        """Set up a new instance of ccxt's: few connections, long buffers, and our hooks when the hot path is on."""
        for option, value in (("streamLimits", 1), ("subscriptionLimitByStream", STREAMS_PER_CONNECTION)):
            exchange.options[option] = {**exchange.options[option], "spot": value, "linear": value}
        exchange.options["tradesLimit"] = TRADES_LIMIT
        if self.options.hot_path:
            exchange.raw_hooks = self.board
            self.books.prepare(exchange)

    # --- opening ----------------------------------------------------------------------------------------------------

    def _refuse_unlisted(self, instrument_id: str) -> None:
        words = unlisted(instrument_id, self._session.instruments)
        self._publisher.on_request_failed(f"subscribe {instrument_id}", words)

    def _open(self, request: SubscribeRequest) -> None:
        instrument_id = request.instrument_id
        instrument = self._session.find_instrument(instrument_id)
        if instrument is None:
            self._wanted.pop(instrument_id, None)
            self._refuse_unlisted(instrument_id)
            return
        entry = self._entries.get(instrument_id)
        if entry is None:
            symbol = self._session.market_symbol(instrument_id)
            entry = Entry(request, symbol, TickStream(instrument_id, self._publisher, self.fetching.find_missing))
            self._entries[instrument_id] = entry
        entry.request = request
        entry.ticks.ticks, entry.ticks.trades = request.ticks, request.trades
        if request.ticks or request.trades:
            self.board.ticks[entry.symbol] = entry.ticks
        if request.depth_levels or request.depth_changes:
            self.books.open(entry)
        intervals = self.bars.open(request, entry.symbol)
        if self.options.streams(entry.symbol):
            self._open_topics(entry, intervals)

    def _open_topics(self, entry: Entry, intervals: list[str]) -> None:
        name = entry.request.instrument_id
        known = {topic.kind for topic in self.topics.of(name)}
        for kind in _kinds(entry.request, totals=self.options.totals):
            if kind not in known:
                self.topics.open(kind, name, self.books.detail(entry) if kind is TopicKind.BOOK else "")
        for interval in intervals:
            self.topics.open(TopicKind.KLINE, name, interval)

    def _figures(self, kind: str, instrument_id: str) -> StreamHealth:
        """Return the figures of a stream, whose silence counts while the instrument trades."""
        calendar = calendar_named(self._session.instruments[instrument_id].calendar)
        return self._health.stream(f"{kind}{instrument_id}", lambda name: StreamHealth(name, calendar=calendar))

    def _hold_ticks(self) -> None:
        if not self._holding:
            self._holding = True
            self._session.spawn(self._release_ticks(), "ticks without a quote")

    async def _release_ticks(self) -> None:
        try:
            await self._session.wait_s(HOLD_S)
        finally:
            self._holding = False
        self.board.publish_waiting()


def _ticks_are_up(topics: Iterable[Topic]) -> bool:
    """Tell whether both streams that ticks are made of stand."""
    up = {topic.kind for topic in topics if topic.up.is_set()}
    return {TopicKind.QUOTE, TopicKind.TRADE} <= up


def _kinds(request: SubscribeRequest, *, totals: bool) -> list[TopicKind]:
    """Return what is to be streamed of an instrument, bars left aside."""
    kinds = []
    if request.depth_levels or request.depth_changes:
        kinds.append(TopicKind.BOOK)
    if request.ticks or request.trades:
        kinds.append(TopicKind.TRADE)
    if request.ticks:
        kinds += [TopicKind.QUOTE, TopicKind.TOTALS] if totals else [TopicKind.QUOTE]
    return kinds
