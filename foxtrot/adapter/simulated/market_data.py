"""What one simulated account streams: ticks, prints, bars, depth and depth changes of the instruments it wants."""

from typing import Protocol

import msgspec

from foxtrot.adapter.base_adapter import BestBidOffer, ExactBook
from foxtrot.adapter.health import BookFigures, StreamHealth
from foxtrot.adapter.simulated import codec
from foxtrot.adapter.simulated.live_bars import BarPublisher, LiveBars
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.events import TradePrinted

FULL_BOOK_LEVELS = 1000


Rows = tuple[tuple[int, int], ...]


class RawBook(msgspec.Struct, frozen=True):
    """A full book in units, as of one update id."""

    instrument: Instrument
    update_id: int
    bids: Rows
    asks: Rows
    time_ns: int

    def exact(self, source: str, age_ms: float) -> ExactBook:
        """Return the book with exact prices and sizes."""
        price, quantity = self.instrument.price_grid.to_decimal, self.instrument.quantity_grid.to_decimal
        bids = tuple((price(p), quantity(q)) for p, q in self.bids)
        asks = tuple((price(p), quantity(q)) for p, q in self.asks)
        return ExactBook(self.instrument.instrument_id, self.update_id, bids, asks, source, age_ms)

    def snapshot(self, levels: int) -> DepthData:
        """Return the best levels as a fact."""
        bids, asks = (
            codec.levels(self.bids[:levels], self.instrument),
            codec.levels(self.asks[:levels], self.instrument),
        )
        return DepthData(self.instrument.instrument_id, self.time_ns, self.time_ns, self.update_id, bids, asks)

    def change_since(self, before: "RawBook") -> DepthChange:
        """Return what changed since an earlier book."""
        bids = codec.levels(_changed(before.bids, self.bids), self.instrument)
        asks = codec.levels(_changed(before.asks, self.asks), self.instrument)
        name, first = self.instrument.instrument_id, before.update_id + 1
        return DepthChange(name, self.time_ns, self.time_ns, first, self.update_id, before.update_id, bids, asks)


def _changed(old: Rows, new: Rows) -> Rows:
    was, now = dict(old), dict(new)
    rows = [(price, size) for price, size in new if was.get(price) != size]
    return tuple(rows + [(price, 0) for price, _ in old if price not in now])


class Publisher(BarPublisher, Protocol):
    """The adapter's way up.

    Thread: the session's.
    """

    def on_tick(self, tick: TickData) -> None:
        """Publish a tick."""

    def on_depth(self, depth: DepthData) -> None:
        """Publish a depth snapshot."""

    def on_depth_change(self, change: DepthChange) -> None:
        """Publish a depth change."""

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Publish a print."""


class MarketData:
    """The desired streams of one account; they survive a lost link.

    Thread: the session's; `exact_book`, `best` and `book_figures` from any, since they read frozen values.
    """

    def __init__(self, publisher: Publisher, session: SimulatedSession) -> None:
        self._publisher = publisher
        self._session = session
        self._wanted: dict[str, SubscribeRequest] = {}
        self._last_update: dict[str, int] = {}
        self._chained: dict[str, int] = {}
        self._books: dict[str, RawBook] = {}
        self._best: dict[str, RawBook] = {}
        self._bars = LiveBars(publisher, session)
        self._live = False
        self._told = 0
        self.health: StreamHealth | None = None
        """Takes how much was told in each step; a backtest leaves it out."""

    @property
    def wanted(self) -> dict[str, SubscribeRequest]:
        """Return the desired streams by instrument."""
        return dict(self._wanted)

    def add(self, request: SubscribeRequest) -> None:
        """Add to the desired streams and begin at once when the link is up."""
        instrument_id = request.instrument_id
        try:
            self._session.instrument(instrument_id)
        except ConfigError as error:
            self._publisher.on_request_failed(f"subscribe {instrument_id}", error)
            return
        request = self._bars.known(request)
        before = self._wanted.get(instrument_id)
        if before is not None:
            if request.depth_changes and not before.depth_changes:
                self._chained.pop(instrument_id, None)  # changes follow a full snapshot, not one of the best levels
            request = before.with_also(request)
        self._wanted[instrument_id] = request
        if self._live:
            self._open(request)

    def remove(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams."""
        if self._wanted.pop(instrument_id, None) is not None:
            self._session.unlisten_prints(instrument_id, self._on_print)
        self._bars.remove(instrument_id)
        for known in (self._books, self._best, self._chained, self._last_update):
            known.pop(instrument_id, None)

    def resume(self) -> None:
        """Open every desired stream once, and publish fresh snapshots."""
        self._live = True
        self._session.do_after_step(self.publish)
        self._last_update.clear()
        self._chained.clear()
        for request in self._wanted.values():
            self._open(request)
        self.publish()

    def stop(self) -> None:
        """Close every stream; the wishes stay."""
        self._live = False
        self._books.clear()
        self._best.clear()
        for instrument_id in self._wanted:
            self._session.unlisten_prints(instrument_id, self._on_print)
        self._session.stop_after_step(self.publish)

    def publish(self) -> None:
        """Publish what changed since the last time; called after each step of the session."""
        self._bars.publish()
        told, self._told = self._told, 0
        venue = self._session.venue
        for instrument_id, request in self._wanted.items():
            update_id, bids, asks = venue.depth(instrument_id, 1)
            if update_id == self._last_update.get(instrument_id):
                continue
            self._last_update[instrument_id] = update_id
            if request.ticks:
                instrument, now_ns = self._session.instrument(instrument_id), self._publisher.clock.now_ns()
                self._best[instrument_id] = RawBook(instrument, update_id, bids, asks, now_ns)
                self._publisher.on_tick(codec.tick_data(venue.ticker(instrument_id), instrument, now_ns))
            if request.depth_levels or request.depth_changes:
                self._publish_depth(instrument_id, request)
            told += 1
        if told and self.health is not None:
            self.health.heard(self._publisher.clock.monotonic_ns(), messages=told)

    def book_figures(self) -> dict[str, BookFigures]:
        """Return how the streamed books do; from any thread."""
        now_ns = self._publisher.clock.now_ns()
        found: dict[str, BookFigures] = {}
        for name, request in tuple(self._wanted.items()):
            book = self._books.get(name)
            if book is not None:
                age_ms = (now_ns - book.time_ns) / 1e6
                found[name] = BookFigures(
                    implementation="venue", state=BookState.LIVE, update_id=book.update_id, age_ms=age_ms
                )
            elif request.depth_levels or request.depth_changes:
                found[name] = BookFigures(implementation="venue", state=BookState.EMPTY)
        return found

    def publish_snapshot(self, instrument_id: str) -> None:
        """Publish a fresh snapshot; changes go on from it."""
        request = self._wanted.get(instrument_id)
        if request is None or not (request.depth_levels or request.depth_changes):
            self._publisher.on_request_failed(f"snapshot of {instrument_id}", "its depth is not subscribed")
            return
        self._chained.pop(instrument_id, None)
        self._publish_depth(instrument_id, request)

    def read_book(self, instrument_id: str, levels: int, source: str) -> ExactBook:
        """Return the book with exact prices and sizes, read from the venue now.

        Raises:
            ConfigError: the venue does not list the instrument.
        """
        instrument = self._session.instrument(instrument_id)
        update_id, bids, asks = self._session.venue.depth(instrument_id, levels)
        raw = RawBook(instrument, update_id, bids, asks, self._publisher.clock.now_ns())
        return raw.exact(source, 0.0)

    def exact_book(self, instrument_id: str) -> ExactBook | None:
        """Return the last full book, or None when none is streamed."""
        raw = self._books.get(instrument_id)
        if raw is None:
            return None
        return raw.exact("stream", (self._publisher.clock.now_ns() - raw.time_ns) / 1e6)

    def best(self, instrument_id: str) -> BestBidOffer | None:
        """Return the best prices, by ticks or else by the book, or None when neither is streamed or a side is empty."""
        raw = self._best.get(instrument_id) or self._books.get(instrument_id)
        if raw is None or not raw.bids or not raw.asks:
            return None
        price, size = raw.instrument.price_grid.to_decimal, raw.instrument.quantity_grid.to_decimal
        (bid, bid_size), (ask, ask_size) = raw.bids[0], raw.asks[0]
        age_ms = (self._publisher.clock.now_ns() - raw.time_ns) / 1e6
        return BestBidOffer(instrument_id, price(bid), size(bid_size), price(ask), size(ask_size), "stream", age_ms)

    def _open(self, request: SubscribeRequest) -> None:
        self._bars.open(request)
        if request.trades:
            self._session.listen_prints(request.instrument_id, self._on_print)
        self._last_update.pop(request.instrument_id, None)

    def _publish_depth(self, instrument_id: str, request: SubscribeRequest) -> None:
        venue = self._session.venue
        update_id, bids, asks = venue.depth(instrument_id, FULL_BOOK_LEVELS)
        now_ns = self._publisher.clock.now_ns()
        book = RawBook(self._session.instrument(instrument_id), update_id, bids, asks, now_ns)
        before = self._books.get(instrument_id)
        self._books[instrument_id] = book
        follows = request.depth_changes and before is not None and self._chained.get(instrument_id) == before.update_id
        if follows and before is not None and before.update_id != update_id:
            self._publisher.on_depth_change(book.change_since(before))
        if not follows or request.depth_levels:
            wanted = request.depth_levels if follows or not request.depth_changes else FULL_BOOK_LEVELS
            self._publisher.on_depth(book.snapshot(wanted))
        self._chained[instrument_id] = update_id

    def _on_print(self, event: TradePrinted) -> None:
        self._told += 1
        instrument = self._session.instrument(event.instrument_id)
        self._publisher.on_market_trade(codec.market_trade(event, instrument, self._publisher.clock.now_ns()))
