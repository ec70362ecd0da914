"""One instrument's order book as IB sends it: rows that are inserted, changed and deleted by their place, for each side."""

from decimal import Decimal
from typing import Any, Final, Protocol

from foxtrot.adapter.base_adapter import BestBidOffer, ExactBook
from foxtrot.adapter.book_paths import BookFigures
from foxtrot.adapter.health import StreamHealth
from foxtrot.adapter.ib.codec import VENUE, price_of, size_of
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthData, Level

MOST_ROWS: Final = 20
"""How many rows a side are asked for at most. Source: TWS API, Market Depth Data: what comes depends on the exchange; many send 5 or 10."""
INSERT, UPDATE, DELETE = 0, 1, 2
"""Source: TWS API, Market Depth Data, operation."""
ASK, BID = 0, 1
"""Source: TWS API, Market Depth Data, side."""
SETTLED_NS: Final = 50_000_000
"""How long no row must come before a new book that is not full counts as whole: nothing says that the last of its rows was sent."""
CROSSED_NS: Final = 200_000_000
"""How long bid and ask must be crossed before that is told: between two rows of one change they are for a moment."""
NO_CHANGES: Final = "IB's rows have no number by which changes could be told to follow each other. Ask for depth_levels"
TOP_ONLY: Final = "IB gives no more depth subscriptions: the best bid and ask stand in for the book"
IMPLEMENTATION: Final = "venue"

_Rows = list[Level]


class BookPublisher(Protocol):
    """The adapter's way up.

    Thread: ib-run or ib-io.
    """

    def on_depth(self, depth: DepthData) -> None:
        """Publish a depth snapshot."""

    def on_book_state(self, instrument_id: str, state: BookState, cause: str = "") -> None:
        """Publish a change of the book's state."""


class RowBook:
    """The newest book of one instrument; it is begun anew whenever rows must have been missed.

    IB's books have no number: `update_id` counts those that were told, and goes on after a lost link. Rows of several market makers or
    exchanges at one price are one level.

    Thread: whoever holds its entry's lock; `exact`, `best` and `figures` any, since what they read is frozen.

    Args:
        instrument: whose book.
        publisher: hears of it.
        snap: puts prices on the grid.
        multiplier: how many units one counted in a size is.
    """

    def __init__(
        self, instrument: Instrument, publisher: BookPublisher, snap: PriceSnap, multiplier: float = 1.0
    ) -> None:
        self.levels = 0
        """How many levels a side are told as DepthData; 0 tells none, for who only asks for the book."""
        self.rows = 0
        """How many rows a side IB was asked for."""
        self.is_top = False
        """Whether the best bid and ask of the quote stand in, because IB gives no depth."""
        self.health: StreamHealth | None = None
        self.last: DepthData | None = None
        self.state = BookState.EMPTY
        self.stalls = self.crossings = 0
        self._instrument = instrument
        self._instrument_id = instrument.instrument_id
        self._publisher = publisher
        self._snap = snap
        self._multiplier = multiplier
        self._sides: tuple[_Rows, _Rows] = ([], [])  # by IB's number of the side
        self._merges = False
        self._heard_ns = 0
        self._crossed_ns = 0
        self._update_id = 0
        self._ended = False

    # --- what comes -------------------------------------------------------------------------------------------------

    def begin(self, rows: int) -> None:
        """Begin with nothing: inserts of a new subscription follow."""
        if self._ended:
            return
        self.rows, self.is_top = rows, False
        self._empty()
        self._turn(BookState.SYNCING)

    def reset(self, now_ns: int) -> None:
        """Begin with nothing, as IB says by 317; inserts follow."""
        if self._ended or self.state in (BookState.EMPTY, BookState.STALE):
            return
        self._empty()
        self._heard_ns = now_ns
        self._turn(BookState.SYNCING, "IB has reset it")

    def take(self, row: tuple[int, int, int, Any, Any], now_ns: int, *, merges: bool = False) -> None:
        """Take a row: its place, the operation, the side, price and size.

        Raises:
            BadMessage: it does not follow from the rows before, so that the book must be begun anew, or has a number that is none.
        """
        if self._ended:
            return
        place, operation, side, price, size = row
        rows = self._sides[side]
        if operation == DELETE:
            if place < len(rows):
                del rows[place]
        elif operation in (UPDATE, INSERT):
            if not 0 <= place <= len(rows):
                raise BadMessage(
                    VENUE, "depth", f"row {place} of {self._instrument_id} does not follow {len(rows)} rows"
                )
            level = self._snap.known.get(price) or price_of(price, self._snap), size_of(size, self._multiplier)
            if operation == INSERT or place == len(rows):
                rows.insert(place, level)
                del rows[self.rows :]
            else:
                rows[place] = level
        else:
            raise BadMessage(VENUE, "depth", f"operation {operation} of {self._instrument_id} is none of 0, 1 and 2")
        self._merges = merges
        self._heard_ns = now_ns
        self._look(now_ns)

    def take_top(self, quote: tuple[float, float, float, float], now_ns: int) -> None:
        """Take best bid, its size, best ask, its size in place of a book, where IB gives no depth."""
        if self._ended or not self.is_top:
            return
        bid, bid_size, ask, ask_size = quote
        bids: _Rows = [(bid, bid_size)] if bid > 0.0 else []
        asks: _Rows = [(ask, ask_size)] if ask > 0.0 else []
        if self.state is BookState.STALE:
            self._empty()
            self._turn(BookState.SYNCING, TOP_ONLY)
        if (asks, bids) == self._sides:
            return
        self._sides = asks, bids
        self._heard_ns = now_ns
        self._look(now_ns)

    def beat(self, now_ns: int) -> None:
        """Look by the clock whether a new book is whole, and whether one is crossed for longer than a moment."""
        if self.state is BookState.SYNCING and (self._sides[ASK] or self._sides[BID]):
            if now_ns - self._heard_ns >= SETTLED_NS:
                self._go_live(now_ns)
        elif self._crossed_ns and self.state is BookState.LIVE and now_ns - self._crossed_ns >= CROSSED_NS:
            self._turn(BookState.CROSSED, "the best bid is not below the best ask, as in an auction")

    def settle(self, now_ns: int) -> None:
        """Take a new book to be whole as far as it was heard: what was asked after it is answered."""
        if self.state is BookState.SYNCING and (self._sides[ASK] or self._sides[BID]):
            self._go_live(now_ns)

    def _look(self, now_ns: int) -> None:
        """Tell the book as it is now, unless it is not whole or crossed."""
        asks, bids = self._sides
        if asks and bids and bids[0][0] >= asks[0][0]:
            self._crossed_ns = self._crossed_ns or now_ns
            return
        self._crossed_ns = 0
        state = self.state
        if state is BookState.LIVE:
            self._tell(now_ns)
        elif state is BookState.CROSSED or (state is BookState.SYNCING and self._is_full()):
            self._go_live(now_ns)

    def _is_full(self) -> bool:
        asks, bids = self._sides
        return (self.is_top and bool(asks) and bool(bids)) or min(len(asks), len(bids)) >= self.rows > 0

    def _go_live(self, now_ns: int) -> None:
        asks, bids = self._sides
        if asks and bids and bids[0][0] >= asks[0][0]:
            self._turn(BookState.CROSSED, "the best bid is not below the best ask, as in an auction")
            return
        self._turn(BookState.LIVE, TOP_ONLY if self.is_top else "")
        self._tell(now_ns)

    # --- what is wanted ---------------------------------------------------------------------------------------------

    def want(self, levels: int) -> None:
        """Set how many levels to tell."""
        self.levels = min(levels, MOST_ROWS)

    def stand_in(self, quote: tuple[float, float, float, float], now_ns: int) -> None:
        """Let the best bid and ask stand in for a book that IB does not give."""
        if self._ended:
            return
        self.is_top, self.rows = True, 1
        self._empty()
        self._turn(BookState.SYNCING, TOP_ONLY)
        self.take_top(quote, now_ns)

    def publish(self, now_ns: int) -> None:
        """Tell the book as it is now, if it may be believed."""
        if self.state is BookState.LIVE and not self._crossed_ns:
            self._tell(now_ns)

    def stale(self, cause: str) -> None:
        """Let nobody believe the book until it is begun anew."""
        if self.state in (BookState.EMPTY, BookState.STALE):
            return
        self.stalls += 1
        self._turn(BookState.STALE, cause)

    def end(self) -> None:
        """Take and say nothing more: nobody wants the book."""
        self._ended, self.levels = True, 0
        self.state, self.last = BookState.EMPTY, None

    # --- what it has ------------------------------------------------------------------------------------------------

    def exact(self, now_ns: int) -> ExactBook | None:
        """Return the book with exact figures, or None when there is none that may be believed."""
        last = self.last
        if last is None or self.state is not BookState.LIVE:
            return None
        bids, asks = _exact(last.bids, self._instrument), _exact(last.asks, self._instrument)
        age_ms = max(0, now_ns - last.local_time_ns) / 1e6
        return ExactBook(self._instrument_id, last.update_id, bids, asks, "stream", age_ms)

    def best(self, now_ns: int) -> BestBidOffer | None:
        """Return the best bid and ask, or None when there are none that may be believed."""
        last = self.last
        if last is None or self.state is not BookState.LIVE or not last.bids or not last.asks:
            return None
        (bid, bid_size), (ask, ask_size) = (_exact(rows[:1], self._instrument)[0] for rows in (last.bids, last.asks))
        age_ms = max(0, now_ns - last.local_time_ns) / 1e6
        return BestBidOffer(self._instrument_id, bid, bid_size, ask, ask_size, "stream", age_ms)

    def figures(self, now_ns: int) -> BookFigures:
        """Return how the book does."""
        last = self.last
        return BookFigures(
            implementation=IMPLEMENTATION,
            state=self.state,
            update_id=0 if last is None else last.update_id,
            age_ms=None if last is None else max(0, now_ns - last.local_time_ns) / 1e6,
            resyncs=self.stalls,
            crossings=self.crossings,
        )

    # --- inside -----------------------------------------------------------------------------------------------------

    def _empty(self) -> None:
        self._sides = ([], [])
        self._crossed_ns = 0

    def _turn(self, state: BookState, cause: str = "") -> None:
        if state is self.state:
            return
        self.crossings += state is BookState.CROSSED
        self.state = state
        self._publisher.on_book_state(self._instrument_id, state, cause)

    def _tell(self, now_ns: int) -> None:
        """Keep the levels and tell as many as are wanted: with an id of their own, since IB gives none, and our time, for the same reason."""
        asks, bids = self._sides
        if self._merges:
            bids, asks = _merged(bids), _merged(asks)
        self._update_id += 1
        depth = DepthData(self._instrument_id, now_ns, now_ns, self._update_id, tuple(bids), tuple(asks))
        self.last = depth
        wanted = self.levels
        if not wanted:
            return
        if len(bids) > wanted or len(asks) > wanted:
            depth = DepthData(
                self._instrument_id, now_ns, now_ns, self._update_id, tuple(bids[:wanted]), tuple(asks[:wanted])
            )
        self._publisher.on_depth(depth)


def _merged(rows: _Rows) -> _Rows:
    """Return rows of several makers as levels: those at one price stand one after the other."""
    levels: _Rows = []
    before = None
    for row in rows:
        if row[0] == before:
            levels[-1] = before, levels[-1][1] + row[1]
        else:
            levels.append(row)
            before = row[0]
    return levels


def _exact(rows: tuple[Level, ...], instrument: Instrument) -> tuple[tuple[Decimal, Decimal], ...]:
    price, size = instrument.price_grid, instrument.quantity_grid
    return tuple((price.to_decimal(price.round(p)), _size(s, size.to_decimal(size.round(s)))) for p, s in rows)


def _size(size: float, on_grid: Decimal) -> Decimal:
    """Return a size exactly, a part of a share too, which lies between two points of the grid."""
    return on_grid if float(on_grid) == size else Decimal(str(size))
