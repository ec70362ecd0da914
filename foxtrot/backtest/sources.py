"""History of every kind as moments in time: what happens at the venue then, and what the platform hears of it.

A source gives its moments in time order; the replay merges the sources and calls `happen` once for each moment, in order.
"""

from collections import deque
from collections.abc import Iterator
from typing import Protocol

from foxtrot.backtest.bar_fills import BarFills
from foxtrot.backtest.bar_rows import Row, chunks
from foxtrot.backtest.columns import BarColumns, QuoteColumns, TradeColumns
from foxtrot.backtest.feed import Feed
from foxtrot.backtest.start_moment import rows_until
from foxtrot.backtest.tick_fills import TickFills
from foxtrot.backtest.top_of_book import TopOfBook
from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import BarData, MarketTrade

CLOSE, OPEN, EVENT = 0, 1, 2
"""What comes first at one time: bars that close, bars that open, ticks."""

Moment = tuple[int, int]
"""(UTC ns, one of CLOSE, OPEN and EVENT)."""

CHUNK = 8_192


class Source(Protocol):
    """One stream of history.

    Thread: the backtest's.
    """

    def moments(self) -> Iterator[Moment]:
        """Yield the moments in time order."""
        ...

    def happen(self, time_ns: int, rank: int) -> None:
        """Let the oldest moment that has not yet happened happen; the clock stands at its time."""
        ...


class BarSource:
    """Bars that close after the start: their opens and closes, and what lies between as two moments, stops and then targets.

    A bar that was open already at the start is heard at its close and fills nothing.

    Thread: the backtest's.
    """

    def __init__(self, columns: BarColumns, start_ns: int, fills: BarFills, feed: Feed) -> None:
        self._columns = columns
        self._start_ns = start_ns
        self._fills = fills
        self._feed = feed
        self._rows: deque[Row] = deque()

    def moments(self) -> Iterator[Moment]:
        """Yield the open, the last nanosecond and the close of each bar."""
        for chunk in chunks(self._columns, rows_until(self._columns, self._start_ns)):
            for row in chunk:
                self._rows.append(row)
                if row[0] >= self._start_ns:
                    yield row[0], OPEN
                    yield row[1] - 1, EVENT
                    yield row[1] - 1, EVENT + 1
                yield row[1], CLOSE

    def happen(self, time_ns: int, rank: int) -> None:
        """Fill at the open, then inside the bar, stops first; publish the bar at its close."""
        row = self._rows[0]
        fills = self._fills
        if rank == CLOSE:
            self._rows.popleft()
            name, interval = self._columns.instrument_id, self._columns.interval
            bar = BarData(name, interval, row[0], row[1], *row[2:], 0.0, 0, time_ns + self._feed.latency_ns)
            self._feed.publish(bar, time_ns + self._feed.latency_ns)
        elif not fills.parked:
            return
        elif rank == OPEN:
            fills.at_open(row[0], row[2:6], row[6])
        elif rank == EVENT:
            fills.stops(time_ns)
        else:
            fills.targets(time_ns)


class TradeSource:
    """Prints. Ticks are made of them where somebody listens to ticks.

    Thread: the backtest's.
    """

    def __init__(self, columns: TradeColumns, fills: TickFills, feed: Feed, top: TopOfBook | None) -> None:
        self._columns = columns
        self._fills = fills
        self._feed = feed
        self._top = top
        self._last = (0.0, 1)
        self._rows: deque[tuple[float, float, int, int]] = deque()

    def moments(self) -> Iterator[Moment]:
        """Yield the time of each print."""
        columns = self._columns
        for start in range(0, len(columns), CHUNK):
            part = columns[start : start + CHUNK]
            lists = (part.price.tolist(), part.size.tolist(), part.side.tolist(), part.id.tolist())
            for time_ns, row in zip(part.time_ns.tolist(), zip(*lists, strict=True), strict=True):
                self._rows.append(row)
                yield time_ns, EVENT

    def happen(self, time_ns: int, rank: int) -> None:
        """Show a print to the orders at the venue, then to the platform."""
        price, size, side, number = self._rows.popleft()
        instrument, heard_ns = self._fills.instrument, time_ns + self._feed.latency_ns
        units = instrument.price_grid.from_float(price), instrument.quantity_grid.from_float(size)
        self._fills.on_print(*units, side, time_ns)
        name = self._columns.instrument_id
        aggressor = self._aggressor(price, side)
        self._feed.publish(MarketTrade(name, time_ns, heard_ns, str(number), price, size, aggressor), heard_ns)
        if self._top is not None:
            self._top.trade(price, size)
            self._feed.publish(self._top.tick(time_ns, heard_ns), heard_ns)

    def _aggressor(self, price: float, side: int) -> Side:
        """Return who took; where the file does not say, by the tick test: a higher price is a buyer's, a lower a seller's."""
        last_price, last_side = self._last
        if not side:
            side = last_side if price == last_price else 1 if price > last_price else -1
        self._last = (price, side)
        return Side.BUY if side > 0 else Side.SELL


class QuoteSource:
    """Best bids and asks, published as ticks.

    Thread: the backtest's.
    """

    def __init__(self, columns: QuoteColumns, fills: TickFills, feed: Feed, top: TopOfBook) -> None:
        self._columns = columns
        self._fills = fills
        self._feed = feed
        self._top = top
        self._rows: deque[tuple[float, float, float, float]] = deque()

    def moments(self) -> Iterator[Moment]:
        """Yield the time of each quote."""
        columns = self._columns
        for start in range(0, len(columns), CHUNK):
            part = columns[start : start + CHUNK]
            lists = (part.bid.tolist(), part.bid_size.tolist(), part.ask.tolist(), part.ask_size.tolist())
            for time_ns, row in zip(part.time_ns.tolist(), zip(*lists, strict=True), strict=True):
                self._rows.append(row)
                yield time_ns, EVENT

    def happen(self, time_ns: int, rank: int) -> None:
        """Show a quote to the orders at the venue, then to the platform."""
        row = self._rows.popleft()
        heard_ns = time_ns + self._feed.latency_ns
        self._fills.on_quote(*quote_units(self._fills.instrument, *row), time_ns)
        self._top.quote(*row)
        self._feed.publish(self._top.tick(time_ns, heard_ns), heard_ns)


def quote_units(
    instrument: Instrument, bid: float, bid_size: float, ask: float, ask_size: float
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return a best bid and ask in units."""
    price, size = instrument.price_grid.from_float, instrument.quantity_grid.from_float
    return (price(bid), size(bid_size)), (price(ask), size(ask_size))
