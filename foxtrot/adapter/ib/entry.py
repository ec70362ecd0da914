"""One instrument of which something is wanted: what is wanted, the streams that it is made of, and IB's ids of them."""

import threading
from typing import Final, Protocol

from foxtrot.adapter.book_access import BestBidOffer
from foxtrot.adapter.health import AdapterHealth, StreamHealth
from foxtrot.adapter.ib.bar_sizes import BarSize
from foxtrot.adapter.ib.bar_stream import BarPublisher, BarStream, reader
from foxtrot.adapter.ib.books import MOST_ROWS, BookPublisher, RowBook
from foxtrot.adapter.ib.codec import TYPES
from foxtrot.adapter.ib.print_stream import PrintPublisher, PrintStream
from foxtrot.adapter.ib.resolving import Resolved
from foxtrot.adapter.ib.tick_stream import TickPublisher, TickStream
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.core.clock import Clock
from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.subscription import SubscribeRequest

TICKS_OF, BOOK_OF = "ticks ", "book "
"""What the names of an instrument's streams begin with in the figures of health."""
SMART_ROWS: Final = 2
"""How many times more rows are asked for than levels where several exchanges have rows at one price."""


class Publisher(TickPublisher, BookPublisher, PrintPublisher, BarPublisher, Protocol):
    """The adapter's way up.

    Thread: ib-run and ib-io.
    """

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        """Publish that a query or subscription failed."""


class Entry:
    """The streams of one instrument.

    Thread: ids, `bars` and `request` ib-io; `ticks`, `prints` and `book` whoever holds `lock`, which is held for one callback.

    Args:
        resolved: its contract.
        publisher: the way up.
        health: has the figures of its streams.
        data_type: IB's number of the kind of market data that is asked for, which holds until IB says otherwise.
    """

    def __init__(self, resolved: Resolved, publisher: Publisher, health: AdapterHealth, data_type: int = 1) -> None:
        instrument, multiplier = resolved.instrument, resolved.multiplier
        self.resolved = resolved
        self.instrument = instrument
        self.instrument_id = instrument.instrument_id
        self.calendar: TradingCalendar = calendar_named(instrument.calendar)
        self.snap = PriceSnap(instrument)
        self.lock = threading.Lock()
        self.request = SubscribeRequest(self.instrument_id, ticks=False)
        self.ticks = TickStream(self.instrument_id, publisher, self.snap, multiplier)
        self.prints = PrintStream(self.instrument_id, publisher, self.snap, multiplier)
        self.book = RowBook(instrument, publisher, self.snap, multiplier)
        self.bars: dict[str, BarStream] = {}
        self.quote_id = self.depth_id = self.prints_id = 0
        """IB's ids of the streams that stand; 0 is none."""
        self.refused: set[str] = set()
        """Kinds of streams that IB does not give: they are not asked for again over this link."""
        self.health = health
        self._publisher = publisher
        self._assumed = TYPES[data_type]
        self.assume()

    @property
    def wants_quote(self) -> bool:
        """Tell whether the quote is needed: for ticks, for the side of prints, or in place of prints or depth."""
        return self.request.ticks or self.request.trades or (self.wants_book and self.book.is_top)

    @property
    def wants_book(self) -> bool:
        """Tell whether depth is wanted in any form."""
        return bool(self.request.depth_levels or self.request.depth_changes)

    def best_of_ticks(self, now_ns: int) -> BestBidOffer | None:
        """Return the best bid and ask of the quote, None while there are not both, or they are delayed or frozen; from any thread."""
        with self.lock:
            (bid, bid_size, ask, ask_size), told_ns = self.ticks.quote, self.ticks.quote_ns
            is_live = self.ticks.is_live
        if not is_live or not bid or not ask or not self.request.ticks:
            return None
        price, size = self.instrument.price_grid, self.instrument.quantity_grid
        exact = [
            grid.to_decimal(grid.round(value))
            for grid, value in ((price, bid), (size, bid_size), (price, ask), (size, ask_size))
        ]
        return BestBidOffer(
            self.instrument_id, exact[0], exact[1], exact[2], exact[3], "stream", max(0, now_ns - told_ns) / 1e6
        )

    def rows(self, *, smart: bool) -> int:
        """Return how many rows a side to ask for."""
        wanted = self.book.levels or MOST_ROWS
        return min(MOST_ROWS, wanted * SMART_ROWS if smart else wanted)

    def assume(self) -> None:
        """Take the data to be of the kind that is asked for, until IB says what it is."""
        self.ticks.take_type(self._assumed)

    def want(self, request: SubscribeRequest, sizes: dict[str, BarSize]) -> None:
        """Take what is wanted in all.

        Args:
            request: everything of the instrument.
            sizes: of its intervals that IB has, by text.
        """
        with self.lock:
            self.request = request
            self.ticks.is_told = request.ticks
            self.prints.is_told = request.trades
            self.book.want(MOST_ROWS if request.depth_changes else request.depth_levels)
        for text, size in sizes.items():
            stream = self.bars.get(size.name)
            if stream is None:
                read = reader(self.snap, self.resolved.multiplier)
                stream = self.bars[size.name] = BarStream(
                    self.instrument_id, size, self.calendar, self._publisher, read
                )
            if text not in stream.texts:
                stream.texts.append(text)

    def up(self, clock: Clock) -> None:
        """Begin to listen to what is subscribed now."""
        if self.request.ticks or self.request.trades:
            self.ticks.health = self.ticks.health or self._figures(TICKS_OF)
        if self.wants_book and self.book.health is None:
            self.book.health = self._figures(BOOK_OF)
            self.health.books[self.instrument_id] = lambda: self.book.figures(clock.now_ns())
        for health in (self.ticks.health, self.book.health):
            if health is not None:
                health.up(clock.monotonic_ns())

    def lost(self, cause: str) -> None:
        """Believe nothing of what the link kept up to date."""
        with self.lock:
            self.book.stale(cause)
            self.ticks.forget()
            self.prints.lost()
        for health in (self.ticks.health, self.book.health):
            if health is not None:
                health.down()

    def end(self) -> None:
        """Tell nothing more: nobody wants anything of it."""
        with self.lock:
            self.prints.is_told = self.ticks.is_told = False
            self.book.end()
        for stream in self.bars.values():
            stream.texts.clear()
        self.health.books.pop(self.instrument_id, None)
        for health in (self.ticks.health, self.book.health):
            if health is not None:
                health.down()
                self.health.streams.pop(health.name, None)

    def _figures(self, kind: str) -> StreamHealth:
        """Return the figures of a stream, whose silence counts while the instrument trades."""
        return self.health.stream(
            f"{kind}{self.instrument_id}", lambda name: StreamHealth(name, calendar=self.calendar)
        )
