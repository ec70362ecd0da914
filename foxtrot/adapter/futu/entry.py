"""One instrument of which something is wanted: what is wanted, and the streams that it is made of."""

import threading
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from foxtrot.adapter.futu.bar_stream import BarPublisher, BarStream
from foxtrot.adapter.futu.books import LEVELS, BookPublisher, SnapshotBook
from foxtrot.adapter.futu.codec import MARKETS
from foxtrot.adapter.futu.kline_types import KlineType
from foxtrot.adapter.futu.print_stream import PrintPublisher, PrintStream
from foxtrot.adapter.futu.tick_stream import TickPublisher, TickStream
from foxtrot.adapter.health import AdapterHealth, StreamHealth
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.core.clock import Clock
from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthData
from foxtrot.domain.subscription import SubscribeRequest

QUOTE: Final = "QUOTE"
ORDER_BOOK: Final = "ORDER_BOOK"
TICKER: Final = "TICKER"
"""Kinds of subscriptions by the SDK's names. Source: Futu OpenAPI, Quote Definitions, SubType."""
TICKS_OF, BOOK_OF = "ticks ", "book "
"""What the names of an instrument's streams begin with in the figures of health."""


class Publisher(TickPublisher, BookPublisher, PrintPublisher, BarPublisher, Protocol):
    """The adapter's way up.

    Thread: the SDK's and futu-io.
    """

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        """Publish that a query or subscription failed."""


class Entry:
    """The streams of one instrument.

    Thread: `bars` and `request` futu-io; `ticks`, `prints` and `book` whoever holds `lock`, which is held for one push, so that what
        comes by a push and by an answer is told one after the other.

    Args:
        instrument: which one.
        code: Futu's of it.
        publisher: the way up.
        health: has the figures of its streams.
    """

    def __init__(self, instrument: Instrument, code: str, publisher: Publisher, health: AdapterHealth) -> None:
        self.instrument = instrument
        self.instrument_id = instrument.instrument_id
        self.code = code
        self.zone: ZoneInfo = MARKETS[code.partition(".")[0]].zone
        self.calendar: TradingCalendar = calendar_named(instrument.calendar)
        self.snap = PriceSnap(instrument)
        self.lock = threading.Lock()
        self.request = SubscribeRequest(self.instrument_id, ticks=False)
        self.wants_ticks = False
        self.ticks = TickStream(self.instrument_id, publisher)
        self.prints = PrintStream(self.instrument_id, publisher, self.zone, self.snap)
        self.book = SnapshotBook(instrument, publisher, self.zone, self.snap)
        self.bars: dict[int, BarStream] = {}
        self.health = health
        self._publisher = publisher

    @property
    def key(self) -> tuple[int, str]:
        """Return market and code, as pushes name it."""
        prefix, _, code = self.code.partition(".")
        return MARKETS[prefix].qot_market, code

    @property
    def wants_book(self) -> bool:
        """Tell whether depth is wanted in any form."""
        return bool(self.request.depth_levels or self.request.depth_changes)

    @property
    def wants_prints(self) -> bool:
        """Tell whether prints are wanted, for themselves or for ticks."""
        return self.request.ticks or self.request.trades

    def want(self, request: SubscribeRequest, kinds: dict[str, KlineType]) -> None:
        """Take what is wanted in all.

        Args:
            request: everything of the instrument.
            kinds: of its intervals that Futu has, by text.
        """
        with self.lock:
            self.request = request
            self.wants_ticks = request.ticks
            self.prints.is_told = request.trades
            self.prints.hear = self.ticks.take_trade if request.ticks else None
            self.book.want(LEVELS if request.depth_changes else request.depth_levels)
        for text, kind in kinds.items():
            stream = self.bars.get(kind.number)
            if stream is None:
                stream = self.bars[kind.number] = BarStream(self.instrument_id, kind, self.calendar, self._publisher)
            if text not in stream.texts:
                stream.texts.append(text)

    def subscriptions(self) -> tuple[str, ...]:
        """Return the kinds of data that it needs of Futu: a tick is made of quote, best prices and last print."""
        wanted = dict.fromkeys([QUOTE, ORDER_BOOK, TICKER] if self.request.ticks else [])
        if self.wants_book:
            wanted[ORDER_BOOK] = None
        if self.request.trades:
            wanted[TICKER] = None
        wanted |= dict.fromkeys(stream.kind.name for stream in self.bars.values())
        return tuple(wanted)

    def up(self, clock: Clock) -> None:
        """Begin to listen to what is subscribed now."""
        if self.wants_prints:
            self.prints.since_ns = self.prints.since_ns or clock.now_ns()
            self.ticks.health = self.ticks.health or self._figures(TICKS_OF)
        if self.wants_book and self.book.health is None:
            self.book.health = self._figures(BOOK_OF)
            self.health.books[self.instrument_id] = lambda: self.book.figures(clock.now_ns())
        for health in (self.ticks.health, self.book.health):
            if health is not None:
                health.up(clock.monotonic_ns())

    def lost(self, cause: str) -> None:
        """Believe nothing of what the link kept up to date; prints wait after it for those that were missed."""
        with self.lock:
            self.book.stale(cause)
            self.ticks.forget_book()
            self.prints.hold()
        for health in (self.ticks.health, self.book.health):
            if health is not None:
                health.down()

    def end(self) -> None:
        """Tell nothing more: nobody wants anything of it."""
        with self.lock:
            self.prints.is_told, self.prints.hear, self.wants_ticks = False, None, False
            self.book.end()
        for stream in self.bars.values():
            stream.texts.clear()
        self.health.books.pop(self.instrument_id, None)
        for health in (self.ticks.health, self.book.health):
            if health is not None:
                health.down()
                self.health.streams.pop(health.name, None)

    def take_book(self, message: Any, now_ns: int) -> DepthData | None:
        """Take a book, for depth and for ticks; whoever calls holds the lock.

        Raises:
            BadMessage: its time cannot be read.
        """
        depth = self.book.take(message, now_ns)
        if depth is not None and self.wants_ticks:
            if self.book.state is BookState.LIVE:
                self.ticks.take_book(depth)
            else:
                self.ticks.forget_book()
        return depth

    def _figures(self, kind: str) -> StreamHealth:
        """Return the figures of a stream, whose silence counts while the instrument trades."""
        return self.health.stream(
            f"{kind}{self.instrument_id}", lambda name: StreamHealth(name, calendar=self.calendar)
        )
