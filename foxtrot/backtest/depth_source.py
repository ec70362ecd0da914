"""A recorded capture as history: depth, prints and quotes reach the venue when they happened, the platform when received."""

from collections import deque
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from foxtrot.backtest.depth_capture import DepthCapture, StreamFact
from foxtrot.backtest.feed import Feed
from foxtrot.backtest.sources import EVENT, Moment, quote_units
from foxtrot.backtest.tick_fills import TickFills
from foxtrot.backtest.top_of_book import TopOfBook
from foxtrot.books.depth_book import DepthBook
from foxtrot.core.notices import BookStateChanged
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import BookOutOfSync
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade, TickData

FULL_BOOK_LEVELS = 1_000
BookFact = TypeVar("BookFact", DepthChange, DepthData)


class DepthWishes(msgspec.Struct, frozen=True):
    """What the strategies want of a capture: levels of each snapshot, and whether changes come too."""

    account: str
    levels: int
    changes: bool
    recorded_latency: bool


class DepthSource:
    """One capture. `marks` is the middle of book or quote over time, by which positions are valued.

    Thread: the backtest's.
    """

    def __init__(
        self, capture: DepthCapture, book: DepthBook, fills: TickFills, feed: Feed, wishes: DepthWishes
    ) -> None:
        self._capture = capture
        self.book = book
        self._fills = fills
        self._feed = feed
        self._wishes = wishes
        self._top = TopOfBook(capture.instrument_id)
        self._rows: deque[tuple[int, StreamFact]] = deque()
        self._seen = BookState.EMPTY
        self.marks: list[tuple[int, float]] = []
        self.gaps = 0

    def moments(self) -> Iterator[Moment]:
        """Yield when each fact happened at the venue."""
        for moment_ns, received_ns, fact in self._capture.facts():
            self._rows.append((received_ns, fact))
            yield moment_ns, EVENT

    def happen(self, time_ns: int, rank: int) -> None:
        """Show a fact to the orders at the venue, and send it on its way to the platform."""
        received_ns, fact = self._rows.popleft()
        heard_ns = (received_ns if self._wishes.recorded_latency else time_ns) + self._feed.latency_ns
        if isinstance(fact, TickData):
            self._quote(fact, time_ns, heard_ns)
        elif isinstance(fact, MarketTrade):
            self._trade(fact, time_ns, heard_ns)
        elif isinstance(fact, DepthData):
            self._fills.on_snapshot(self._renamed(fact), time_ns)
            self._publish_book(None, time_ns, heard_ns)
        else:
            self._change(fact, time_ns, heard_ns)

    def _quote(self, tick: TickData, time_ns: int, heard_ns: int) -> None:
        row = (tick.bid_price, tick.bid_size, tick.ask_price, tick.ask_size)
        self._fills.on_quote(*quote_units(self._fills.instrument, *row), time_ns)
        self._top.quote(*row)
        self._mark(time_ns, tick.bid_price, tick.ask_price)
        self._feed.publish(self._top.tick(tick.venue_time_ns, heard_ns), heard_ns)

    def _trade(self, trade: MarketTrade, time_ns: int, heard_ns: int) -> None:
        instrument = self._fills.instrument
        price, size = instrument.price_grid.from_float(trade.price), instrument.quantity_grid.from_float(trade.size)
        self._fills.on_print(price, size, trade.aggressor.sign, time_ns)
        self._top.trade(trade.price, trade.size)
        name = self._capture.instrument_id
        heard = MarketTrade(
            name, trade.venue_time_ns, heard_ns, trade.trade_id, trade.price, trade.size, trade.aggressor
        )
        self._feed.publish(heard, heard_ns)

    def _change(self, change: DepthChange, time_ns: int, heard_ns: int) -> None:
        change = self._renamed(change)
        try:
            if self._fills.on_change(change, time_ns):
                self._publish_book(change, time_ns, heard_ns)
        except BookOutOfSync as gap:
            self.gaps += 1
            self._tell_state(str(gap), heard_ns)

    def _publish_book(self, change: DepthChange | None, time_ns: int, heard_ns: int) -> None:
        """Publish the book, and the change it came from where somebody follows changes."""
        follows = change is not None and self._seen in (BookState.LIVE, BookState.CROSSED)
        self._tell_state("", heard_ns)
        if self._wishes.changes and follows and change is not None:
            self._feed.publish(msgspec.structs.replace(change, local_time_ns=heard_ns), heard_ns)
        depth = self.book.depth(FULL_BOOK_LEVELS if self._wishes.changes and not follows else self._wishes.levels)
        if depth.bids and depth.asks:
            self._mark(time_ns, depth.bids[0][0], depth.asks[0][0])
        name, venue_ns, last_id = depth.instrument_id, depth.venue_time_ns, depth.update_id
        self._feed.publish(DepthData(name, venue_ns, heard_ns, last_id, depth.bids, depth.asks), heard_ns)

    def _mark(self, time_ns: int, bid: float, ask: float) -> None:
        middle = (bid + ask) / 2
        if bid and ask and (not self.marks or self.marks[-1][1] != middle):
            self.marks.append((time_ns, middle))

    def _tell_state(self, cause: str, heard_ns: int) -> None:
        state = self.book.state
        if state is not self._seen:
            self._seen = state
            notice = BookStateChanged(self._wishes.account, self._capture.instrument_id, state, cause, heard_ns)
            self._feed.publish(notice, heard_ns)

    def _renamed(self, fact: BookFact) -> BookFact:
        if fact.instrument_id == self._capture.instrument_id:
            return fact
        return msgspec.structs.replace(fact, instrument_id=self._capture.instrument_id)
