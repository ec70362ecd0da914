"""One instrument's order book as Futu pushes it: the best ten levels a side, whole in every push."""

from decimal import Decimal
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from foxtrot.adapter.base_adapter import BestBidOffer, ExactBook
from foxtrot.adapter.book_paths import BookFigures
from foxtrot.adapter.futu.codec import book_time_ns, levels
from foxtrot.adapter.health import StreamHealth
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.domain.enums import BookState
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthData, Level

LEVELS: Final = 10
"""How many levels a side there are. Source: Futu OpenAPI, Real-time Order Book Callback: 10 with LV2 quotes of Hong Kong."""
NO_CHANGES: Final = (
    f"Futu brings the best {LEVELS} levels, whole, in every push: no change follows from them. Ask for depth_levels"
)
IMPLEMENTATION: Final = "venue"


class BookPublisher(Protocol):
    """The adapter's way up.

    Thread: the SDK's or futu-io.
    """

    def on_depth(self, depth: DepthData) -> None:
        """Publish a depth snapshot."""

    def on_book_state(self, instrument_id: str, state: BookState, cause: str = "") -> None:
        """Publish a change of the book's state."""


class SnapshotBook:
    """The newest book of one instrument; each push replaces it, so that one that was lost leaves no trace.

    Futu's books have no number: `update_id` counts those that differ, and goes on after a lost link.

    Thread: whoever holds its entry's lock; `exact`, `best` and `figures` any, since what they read is frozen.

    Args:
        instrument: whose book.
        publisher: hears of it.
        zone: in which the market's texts tell the time.
        snap: puts prices on the grid.
    """

    def __init__(self, instrument: Instrument, publisher: BookPublisher, zone: ZoneInfo, snap: PriceSnap) -> None:
        self.levels = 0
        """How many levels a side are told as DepthData; 0 tells none, for who only asks for the book."""
        self.health: StreamHealth | None = None
        self.last: DepthData | None = None
        """The newest book, all its levels, whether it may be believed or not."""
        self.state = BookState.EMPTY
        self.stalls = self.crossings = self.takes = 0
        self._instrument = instrument
        self._publisher = publisher
        self._zone = zone
        self._snap = snap
        self._update_id = 0
        self._ended = False

    def take(self, book: Any, now_ns: int) -> DepthData | None:
        """Take a push or an answer; returns the book when it differs from the one before, None when it is the same or unwanted.

        Raises:
            BadMessage: its time cannot be read.
        """
        if self._ended:
            return None
        self.takes += 1
        bids, asks = levels(book.orderBookBidList, self._snap), levels(book.orderBookAskList, self._snap)
        state = BookState.CROSSED if bids and asks and bids[0][0] >= asks[0][0] else BookState.LIVE
        before, last = self.state, self.last
        if before is state and last is not None and bids == last.bids and asks == last.asks:
            return None
        when_ns = book_time_ns(book, self._zone, now_ns)
        depth = self._keep(when_ns, now_ns, bids, asks)
        self.state = state
        if before is not state:
            self._tell_state(state)
        if state is BookState.LIVE and self.levels:
            self._publisher.on_depth(self._cut(depth))
        return depth

    def want(self, wanted: int) -> None:
        """Set how many levels to tell; more than before are told at once, from the book that is there."""
        more, self.levels = min(wanted, LEVELS) > self.levels, min(wanted, LEVELS)
        if more:
            self.publish()

    def publish(self) -> None:
        """Tell the book as it is now, if it may be believed."""
        last = self.last
        if last is not None and self.state is BookState.LIVE and self.levels:
            again = self._keep(last.venue_time_ns, last.local_time_ns, last.bids, last.asks)
            self._publisher.on_depth(self._cut(again))

    def stale(self, cause: str) -> None:
        """Let nobody believe the book until the next push."""
        if self.state in (BookState.EMPTY, BookState.STALE):
            return
        self.state = BookState.STALE
        self.stalls += 1
        self._publisher.on_book_state(self._instrument.instrument_id, BookState.STALE, cause)

    def end(self) -> None:
        """Take and say nothing more: nobody wants the book."""
        self._ended, self.levels = True, 0
        self.state, self.last = BookState.EMPTY, None

    def exact(self, now_ns: int) -> ExactBook | None:
        """Return the book with exact figures, or None when there is none that may be believed."""
        last = self.last
        if last is None or self.state is not BookState.LIVE:
            return None
        return exact_book(last, self._instrument, "stream", now_ns)

    def best(self, now_ns: int) -> BestBidOffer | None:
        """Return the best bid and ask, or None when there are none that may be believed."""
        last = self.last
        if last is None or self.state is not BookState.LIVE or not last.bids or not last.asks:
            return None
        (bid, bid_size), (ask, ask_size) = (_exact(row[:1], self._instrument)[0] for row in (last.bids, last.asks))
        age_ms = (now_ns - last.local_time_ns) / 1e6
        return BestBidOffer(last.instrument_id, bid, bid_size, ask, ask_size, "stream", age_ms)

    def figures(self, now_ns: int) -> BookFigures:
        """Return how the book does."""
        last = self.last
        return BookFigures(
            implementation=IMPLEMENTATION,
            state=self.state,
            update_id=0 if last is None else last.update_id,
            age_ms=None if last is None else (now_ns - last.local_time_ns) / 1e6,
            resyncs=self.stalls,
            crossings=self.crossings,
        )

    def _keep(self, when_ns: int, now_ns: int, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> DepthData:
        self._update_id += 1
        depth = DepthData(self._instrument.instrument_id, when_ns, now_ns, self._update_id, bids, asks)
        self.last = depth
        return depth

    def _tell_state(self, state: BookState) -> None:
        self.crossings += state is BookState.CROSSED
        cause = "the best bid is not below the best ask, as in an auction" if state is BookState.CROSSED else ""
        self._publisher.on_book_state(self._instrument.instrument_id, state, cause)

    def _cut(self, depth: DepthData) -> DepthData:
        wanted = self.levels
        if wanted >= LEVELS and len(depth.bids) <= LEVELS and len(depth.asks) <= LEVELS:
            return depth
        return DepthData(
            depth.instrument_id, depth.venue_time_ns, depth.local_time_ns, depth.update_id,
            depth.bids[:wanted], depth.asks[:wanted], depth.source,
        )  # fmt: skip


def exact_book(depth: DepthData, instrument: Instrument, source: str, now_ns: int) -> ExactBook:
    """Return a book with exact prices and sizes."""
    age_ms = (now_ns - depth.local_time_ns) / 1e6
    bids, asks = _exact(depth.bids, instrument), _exact(depth.asks, instrument)
    return ExactBook(depth.instrument_id, depth.update_id, bids, asks, source, age_ms)


def _exact(rows: tuple[Level, ...], instrument: Instrument) -> tuple[tuple[Decimal, Decimal], ...]:
    price, size = instrument.price_grid, instrument.quantity_grid
    return tuple((price.to_decimal(price.round(p)), _size(s, size.to_decimal(size.round(s)))) for p, s in rows)


def _size(size: float, on_grid: Decimal) -> Decimal:
    """Return a size exactly, a part of a share too, which lies between two points of the grid."""
    return on_grid if float(on_grid) == size else Decimal(str(size))
