"""What one account streams of a venue: ticks, prints, bars, depth and depth changes of the instruments it wants.

Streams come by ccxt.pro. Where the venue's row has a tap, raw messages become facts before ccxt sees them; everything else is made of
what ccxt's watchers return. Where no stream can be had the same facts are asked for by REST.
"""

from functools import partial
from typing import Any, Final, Protocol

from loguru import logger

from foxtrot.adapter.base_adapter import BestBidOffer, ExactBook
from foxtrot.adapter.book_stream import BookPublisher, BookStream
from foxtrot.adapter.capabilities import BookKind
from foxtrot.adapter.ccxt.capabilities import has_quotes, way_for
from foxtrot.adapter.ccxt.config import BookWay
from foxtrot.adapter.ccxt.entry import Entry, streams_of
from foxtrot.adapter.ccxt.errors import UNREADABLE
from foxtrot.adapter.ccxt.fact_desk import FactDesk
from foxtrot.adapter.ccxt.live_bars import BarPublisher, LiveBars
from foxtrot.adapter.ccxt.market_fetching import Fetching
from foxtrot.adapter.ccxt.market_upkeep import StatusPublisher, Upkeep
from foxtrot.adapter.ccxt.quotes import QuoteStream, TickPublisher
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.adapter.ccxt.topic import Listener, Topic
from foxtrot.adapter.ccxt.topics import Topics
from foxtrot.adapter.ccxt.venue import Snapshots, Stream, Venue, Watcher
from foxtrot.adapter.ccxt.watching import unwatcher_of, watcher_of
from foxtrot.adapter.health import StreamHealth
from foxtrot.books.checksums import Checksum
from foxtrot.books.sequence import FullSnapshot, SequenceRule
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.subscription import SubscribeRequest

TICKS_OF, BOOK_OF = "ticks ", "book "
"""What the names of an instrument's streams begin with in the figures of health."""
_BAD: Final = (*UNREADABLE, FoxtrotError)


class Publisher(TickPublisher, BookPublisher, BarPublisher, StatusPublisher, Protocol):
    """The adapter's way up.

    Thread: the session's.
    """


class MarketData(Listener):
    """The desired streams of one account; they survive a lost link.

    Thread: the session's; `exact_book` and `best` from any.
    """

    def __init__(self, publisher: Publisher, session: CcxtSession) -> None:
        self._publisher = publisher
        self._session = session
        self._venue: Venue | None = session.venue
        self._wanted: dict[str, SubscribeRequest] = {}
        self._entries: dict[str, Entry] = {}
        self._live = False
        self.topics = Topics(session, self, self._watcher, self._unwatcher)
        self.fetching = Fetching(session, publisher.on_request_failed)
        self.bars = LiveBars(publisher, session, self.topics)
        self.desk = FactDesk(session, self._entries, self.topics)
        self._upkeep = Upkeep(session, self._entries, self.topics, self.fetching, publisher)
        session.tap = self._tap

    # --- what is wanted ---------------------------------------------------------------------------------------------

    @property
    def wanted(self) -> dict[str, SubscribeRequest]:
        """Return the desired streams by instrument."""
        return dict(self._wanted)

    def add(self, request: SubscribeRequest) -> None:
        """Add to the desired streams and begin at once when the link is up."""
        before = self._wanted.get(request.instrument_id)
        if before is not None:
            request = before.with_also(request)
        self._wanted[request.instrument_id] = request
        if self._live:
            self._open(request)

    def remove(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams."""
        self._wanted.pop(instrument_id, None)
        self.bars.remove(instrument_id)
        entry = self._entries.pop(instrument_id, None)
        self._session.health.books.pop(instrument_id, None)
        if entry is not None:
            entry.end()
            for topic in self.topics.of(instrument_id):
                self.topics.close(topic)

    async def resume(self) -> None:
        """Open every desired stream once, and return when fresh facts of all of them are published."""
        self._live = True
        life = self.fetching.begin()
        for entry in self._entries.values():
            entry.told.clear()
            entry.quotes.forget_quote()
        for request in list(self._wanted.values()):
            self._open(request)
        self._session.spawn(self._upkeep.beat(life), "market data beat")
        self.bars.resume(life)
        await self._upkeep.poll()
        await self._upkeep.wait_until_fresh()

    def stop(self) -> None:
        """Close every stream; the wishes stay."""
        self._live = False
        self.fetching.end()
        self.bars.stop()
        self.topics.stop()
        for entry in self._entries.values():
            entry.quotes.forget_quote()
            if entry.book is not None:
                entry.book.stale("the link is lost")

    # --- books ------------------------------------------------------------------------------------------------------

    def exact_book(self, instrument_id: str) -> ExactBook | None:
        """Return the full book of a stream, or None when there is none that may be believed; from any thread."""
        entry = self._entries.get(instrument_id)
        whole = self._venue is not None and self._venue.book is BookKind.FULL
        if entry is None or entry.book is None or not self._live or not whole or entry.way is BookWay.PARTIAL:
            return None
        return entry.book.exact(self._session.clock.now_ns())

    def best(self, instrument_id: str) -> BestBidOffer | None:
        """Return the best bid and ask of a stream, or None when there are none; from any thread."""
        entry = self._entries.get(instrument_id)
        return entry.quotes.best(self._session.clock.now_ns()) if entry is not None and self._live else None

    def publish_snapshot(self, instrument_id: str) -> None:
        """Publish a fresh snapshot; changes go on from it. While the book is being fetched it comes by itself."""
        entry = self._entries.get(instrument_id)
        if entry is None or entry.book is None:
            self._publisher.on_request_failed(f"snapshot of {instrument_id}", "its depth is not subscribed")
            return
        entry.book.restart_chain()

    # --- what topics say --------------------------------------------------------------------------------------------

    def on_up(self, topic: Topic) -> None:
        """Begin what the stream keeps up to date."""
        entry = self._entries.get(topic.instrument_id)
        if topic.stream is Stream.BARS:
            self.bars.on_up(topic)
        if entry is None or topic.stream is Stream.BARS:
            return
        now_ns = self._session.clock.monotonic_ns()
        if topic.stream is Stream.BOOK and entry.book is not None:
            entry.book.health = self._figures(BOOK_OF, topic.instrument_id)
            entry.book.health.up(now_ns)
            entry.subscribed = True
            entry.book.begin()
            return
        entry.quotes.health = self._figures(TICKS_OF, topic.instrument_id)
        entry.quotes.health.up(now_ns)
        if topic.stream is Stream.QUOTE and entry.request.ticks:
            self.fetching.fresh_tick(entry)

    def on_down(self, topic: Topic, cause: str, *, gap: bool) -> None:
        """Let nobody believe what the stream kept up to date."""
        entry = self._entries.get(topic.instrument_id)
        if topic.stream is Stream.BARS:
            self.bars.on_down(topic)
            return
        if entry is None or not self._live:
            return
        part: QuoteStream | BookStream | None = entry.book if topic.stream is Stream.BOOK else entry.quotes
        if part is not None and part.health is not None:
            part.health.down()
        if topic.stream is Stream.QUOTE or (topic.stream is Stream.BOOK and entry.best_by_book):
            entry.quotes.forget_quote()
        if topic.stream is Stream.BOOK and entry.book is not None:
            (entry.book.begin if gap else entry.book.stale)(cause)

    def on_refused(self, topic: Topic, cause: str) -> None:
        """Say that a stream cannot be had."""
        what = f"{topic.stream} {topic.detail}".strip()
        self._publisher.on_request_failed(f"stream {what} of {topic.instrument_id}", cause)
        entry = self._entries.get(topic.instrument_id)
        if entry is not None:
            entry.told.set()

    def on_item(self, topic: Topic, item: Any) -> None:
        """Take what a watcher of ccxt returned; what cannot be read is counted and left out."""
        entry = self._entries.get(topic.instrument_id)
        if topic.stream is Stream.BARS:
            self.bars.on_item(topic, item)
            return
        if entry is None or not self._live:
            return
        try:
            self.desk.take_item(entry, topic.stream, item)
        except _BAD as error:
            self.desk.note_bad(error, item)

    def _tap(self, connection: Any, message: Any) -> bool:
        tap = self._venue.tap if self._venue is not None else None
        if tap is None or not self._live:
            return False
        try:
            return self.desk.take_message(tap, connection.url, message)
        except _BAD as error:
            self.desk.note_bad(error, message)
            return True

    # --- opening ----------------------------------------------------------------------------------------------------

    def _open(self, request: SubscribeRequest) -> None:
        instrument_id = request.instrument_id
        instrument = self._session.find_instrument(instrument_id)
        if instrument is None:
            self._wanted.pop(instrument_id, None)
            why = f"{self._session.name} does not list {instrument_id}"
            self._publisher.on_request_failed(f"subscribe {instrument_id}", why)
            return
        entry = self._entries.get(instrument_id)
        if entry is None:
            quotes = QuoteStream(instrument_id, self._publisher)
            entry = self._entries[instrument_id] = Entry(request, self._session.unified(instrument_id), quotes)
            self._choose_way(entry, instrument.symbol)
        entry.request = request
        entry.quotes.ticks, entry.quotes.trades = request.ticks, request.trades
        if entry.wants_book or (request.ticks and entry.best_by_book):
            self._open_book(entry)
        by_stream = self._session.settings.streams(instrument.symbol)
        self.bars.open(request, by_stream=by_stream)
        if by_stream:
            for stream in streams_of(entry, self._venue, self._session.exchange.has):
                self.topics.open(stream, instrument_id)

    def _choose_way(self, entry: Entry, symbol: str) -> None:
        settings, has = self._session.settings, self._session.exchange.has
        wanted = settings.way_of(symbol) if settings.streams(symbol) else BookWay.REST
        entry.way, why = way_for(self._venue, wanted, has)
        entry.best_by_book = not has_quotes(self._venue, has)
        words = f" instead of {wanted}: {why}" if why else ""
        logger.bind(account=self._session.account).info(
            "book of {}: {}{}", entry.request.instrument_id, entry.way, words
        )

    def _open_book(self, entry: Entry) -> None:
        name = entry.request.instrument_id
        if entry.book is None:
            instrument = self._session.listed.instruments[name]
            need, window = partial(self._need_snapshot, entry), self._venue.window if self._venue is not None else 0
            rule = self._rule(entry, instrument)
            entry.book = BookStream(instrument, rule, self._publisher, need, window=window if entry.book_is_ours else 0)
            self._session.health.books[name] = lambda: entry.figures(self._session.clock.now_ns())
        entry.book.want(entry.request.depth_levels, changes=entry.request.depth_changes)
        if entry.book.dirty:
            entry.book.publish()

    def _rule(self, entry: Entry, instrument: Instrument) -> SequenceRule:
        """Return the venue's rule, with its checksum where it has one."""
        venue = self._venue
        if venue is None or venue.rule is None or not entry.book_is_ours:
            return FullSnapshot()
        return venue.rule() if venue.checksum is None else Checksum(venue.rule(), venue.checksum(instrument))

    def _need_snapshot(self, entry: Entry) -> None:
        """Begin to get the snapshot that a book needs, where it does not come by itself."""
        if entry.book is None or not entry.book.streams or not entry.book_is_ours or self._venue is None:
            return
        if self._venue.snapshots is Snapshots.REST:
            self.fetching.need_snapshot(entry)
        elif self._venue.snapshots is Snapshots.STREAM:
            self.fetching.need_subscription(entry, self.topics)

    def _watcher(self, topic: Topic) -> Watcher:
        return watcher_of(topic, self._venue, self._way(topic))

    def _unwatcher(self, topic: Topic) -> Watcher | None:
        return unwatcher_of(topic, self._venue, self._way(topic), self._session.exchange.has)

    def _way(self, topic: Topic) -> BookWay:
        entry = self._entries.get(topic.instrument_id)
        return BookWay.DEPTH_CACHE if entry is None else entry.way

    def _figures(self, kind: str, instrument_id: str) -> StreamHealth:
        """Return the figures of a stream, whose silence counts while the instrument trades."""
        calendar = calendar_named(self._session.listed.instruments[instrument_id].calendar)
        return self._session.health.stream(f"{kind}{instrument_id}", lambda name: StreamHealth(name, calendar=calendar))
