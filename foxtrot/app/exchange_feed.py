"""A recorded market as a feed of the embedded exchange: a file of bars, trades, quotes or raw depth, at a chosen speed.

Recorded times are shifted to the start of the replay and divided by the speed; prices and sizes are as recorded:

    bars      four prints a bar (open, the nearer extreme, the other one, close), a quarter of its volume each; the book is made up
    trades    every print; the book around it is made up
    quotes    the best bid and ask, one level a side; nothing is printed
    depth     every recorded level, and every print of the capture
"""

from collections.abc import Callable, Iterator

import numpy as np
from loguru import logger

from foxtrot.app.recorded_market import Commands, RecordedMarket, UnitLevel, opening_commands
from foxtrot.backtest.columns import BarColumns, QuoteColumns, TradeColumns
from foxtrot.backtest.depth_capture import DepthCapture
from foxtrot.books.depth_book import DepthBook
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BookOutOfSync, InputError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData, Level, MarketTrade
from foxtrot.exchange.commands import VenueCommand

Recording = BarColumns | TradeColumns | QuoteColumns | DepthCapture
Step = tuple[int, Callable[[int], Commands]]
"""(recorded time in ns, what the venue is told at a time)."""
MAX_SPEED = 0.0
"""As fast as the exchange takes it."""
MOST_COMMANDS = 500
"""In one round: others must be served as well, however fast the replay."""
ROWS = 8_192


class RecordedFeed:
    """Gives the venue what was recorded, when it is due.

    Thread: exchange-io. Made before it starts.

    Args:
        recording: what was read.
        instrument: as it is listed; its grid must hold every recorded price and size.
        speed: recorded seconds per second, or MAX_SPEED.
    """

    def __init__(self, recording: Recording, instrument: Instrument, speed: float) -> None:
        self.instrument = instrument
        self._speed = speed
        self._replay = _Replay(recording, instrument)
        self._steps = self._replay.steps()
        self._next: Step | None = None
        self._start_ns = 0
        self._first_ns = 0
        self.ended = False

    @property
    def counters(self) -> dict[str, int]:
        """Return how many prints and changes of the book were given, and how many gaps the recording had."""
        return dict(self._replay.counters)

    def __call__(self, now_ns: int) -> tuple[VenueCommand, ...]:
        """Return what is due.

        Blocks: for the disk where a capture is read.
        """
        if self.ended:
            return ()
        commands: Commands = []
        if not self._start_ns:
            self._begin(now_ns)
            commands += opening_commands(now_ns)
        while self._next is not None and len(commands) < MOST_COMMANDS and self._due_ns(self._next[0]) <= now_ns:
            commands += self._next[1](now_ns)
            self._next = self._following()
        self.ended = self._next is None
        return tuple(commands)

    def _begin(self, now_ns: int) -> None:
        self._next = self._following()
        self._start_ns = now_ns
        self._first_ns = self._next[0] if self._next is not None else 0

    def _due_ns(self, recorded_ns: int) -> int:
        if not self._speed:
            return 0
        return self._start_ns + int((recorded_ns - self._first_ns) / self._speed)

    def _following(self) -> Step | None:
        try:
            step = next(self._steps, None)
        except InputError as error:
            logger.error("replay: {}; it ends here", error)
            return None
        if step is None:
            logger.info("replay: the recording has ended: {}", self.counters)
        return step


class _Replay:
    """The steps of one recording.

    Thread: belongs to its feed.
    """

    def __init__(self, recording: Recording, instrument: Instrument) -> None:
        self._recording = recording
        self._instrument = instrument
        self._market = RecordedMarket(instrument)
        self._usual = max(self._size(_usual_size(recording)), instrument.lot_units)
        self._last = (0.0, True)
        self.counters = {"prints": 0, "book_changes": 0, "gaps": 0}

    def steps(self) -> Iterator[Step]:
        """Yield what happens, in time order."""
        found = self._recording
        if isinstance(found, BarColumns):
            return self._bars(found)
        if isinstance(found, TradeColumns):
            return self._trades(found)
        return self._quotes(found) if isinstance(found, QuoteColumns) else self._depth(found)

    # --- steps of each kind -----------------------------------------------------------------------------------------

    def _bars(self, bars: BarColumns) -> Iterator[Step]:
        for start in range(0, len(bars), ROWS):
            part = bars[start : start + ROWS]
            columns = (part.open_time_ns, part.close_time_ns, part.open, part.high, part.low, part.close, part.volume)
            for opens, closes, first, high, low, last, volume in zip(*(c.tolist() for c in columns), strict=True):
                path = (first, low, high, last) if first - low <= high - first else (first, high, low, last)
                quarter = (closes - opens) // 4
                for number, price in enumerate(path):
                    yield opens + number * quarter, self._made_up(price, volume / 4, 0)

    def _trades(self, trades: TradeColumns) -> Iterator[Step]:
        for start in range(0, len(trades), ROWS):
            part = trades[start : start + ROWS]
            columns = (part.time_ns, part.price, part.size, part.side)
            for time_ns, price, size, side in zip(*(c.tolist() for c in columns), strict=True):
                yield time_ns, self._made_up(price, size, side)

    def _quotes(self, quotes: QuoteColumns) -> Iterator[Step]:
        for start in range(0, len(quotes), ROWS):
            part = quotes[start : start + ROWS]
            columns = (part.time_ns, part.bid, part.bid_size, part.ask, part.ask_size)
            for time_ns, bid, bid_size, ask, ask_size in zip(*(c.tolist() for c in columns), strict=True):
                if bid < ask:  # a crossed quote would trade with itself
                    yield time_ns, self._quote((bid, bid_size), (ask, ask_size))

    def _depth(self, capture: DepthCapture) -> Iterator[Step]:
        book = DepthBook(self._instrument, capture.sequence_rule)
        for time_ns, _, fact in capture.facts():
            if isinstance(fact, MarketTrade):
                yield time_ns, self._print(fact.price, fact.size, fact.aggressor is Side.BUY)
            elif isinstance(fact, DepthChange | DepthData):
                yield time_ns, self._follow(book, fact)

    # --- what one step does -----------------------------------------------------------------------------------------

    def _made_up(self, price: float, size: float, side: int) -> Callable[[int], Commands]:
        def act(now_ns: int) -> Commands:
            units, is_buy = self._price(price), self._is_buy(price, side)
            quantity = self._size(size)
            ladder = self._market.ladder(now_ns, units, self._usual, is_buy)
            self.counters["book_changes"] += bool(ladder)
            if not quantity:
                return ladder  # a bar in which nothing was traded moves the book alone
            self.counters["prints"] += 1
            return ladder + self._market.trade(now_ns, units, quantity, is_buy)

        return act

    def _quote(self, bid: tuple[float, float], ask: tuple[float, float]) -> Callable[[int], Commands]:
        def act(now_ns: int) -> Commands:
            self.counters["book_changes"] += 1
            # A size that the file does not tell is a lot: something must be there to be seen.
            lot = self._instrument.lot_units
            levels = [[(self._price(price), self._size(size) or lot)] for price, size in (bid, ask)]
            return self._market.replace(now_ns, *levels)

        return act

    def _print(self, price: float, size: float, is_buy: bool) -> Callable[[int], Commands]:
        def act(now_ns: int) -> Commands:
            self.counters["prints"] += 1
            return self._market.trade(now_ns, self._price(price), self._size(size), is_buy)

        return act

    def _follow(self, book: DepthBook, fact: DepthChange | DepthData) -> Callable[[int], Commands]:
        def act(now_ns: int) -> Commands:
            try:
                if isinstance(fact, DepthData):
                    book.load(fact)
                elif not book.apply(fact):
                    return []
            except BookOutOfSync:
                self.counters["gaps"] += 1  # the levels stay as they are until the capture's next snapshot
                return []
            self.counters["book_changes"] += 1
            if isinstance(fact, DepthData):
                return self._market.replace(now_ns, book.levels.levels(Side.BUY), book.levels.levels(Side.SELL))
            return self._market.change(now_ns, self._levels(fact.bids), self._levels(fact.asks))

        return act

    # --- numbers ----------------------------------------------------------------------------------------------------

    def _levels(self, levels: tuple[Level, ...]) -> list[UnitLevel]:
        return [(self._price(price), self._size(size)) for price, size in levels]

    def _price(self, price: float) -> int:
        return self._instrument.price_grid.from_float(price)

    def _size(self, size: float) -> int:
        return self._instrument.quantity_grid.round(size)

    def _is_buy(self, price: float, side: int) -> bool:
        """Tell who took; where the file does not, by the tick test: a higher price is a buyer's, a lower a seller's."""
        last_price, was_buy = self._last
        is_buy = side > 0 if side else was_buy if price == last_price else price > last_price
        self._last = (price, is_buy)
        return is_buy


def _usual_size(recording: Recording) -> float:
    """Return the size of the levels that are made up: the median of what was traded at a time."""
    if isinstance(recording, TradeColumns):
        return float(np.median(recording.size))
    return float(np.median(recording.volume)) / 4 if isinstance(recording, BarColumns) else 0.0
