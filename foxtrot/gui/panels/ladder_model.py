"""The rows of a ladder: prices around a middle with what stands at each, worked out without Qt."""

from collections import defaultdict
from collections.abc import Iterable
from math import isfinite
from typing import Final

import msgspec

from foxtrot.domain.enums import OrderStatus, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthData, TickData
from foxtrot.gui.chart.own_marks import OrderLevel
from foxtrot.gui.numbers import size_decimals, size_text

GROUPS: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
"""How many ticks a row may gather."""
PRESETS: Final = (1, 2, 5, 10, 25)
"""Sizes on the buttons, in the least size that makes sense."""
FINEST: Final = 2.5e-5
"""Of the price: most that a row spans at first. A dozen rows are then what a market walks in some seconds, not in one."""
_NICE: Final = (1, 2, 5)


class OwnMark(msgspec.Struct, frozen=True):
    """What of ours stands in a row on one side: how much, of which orders, whether some is a stop, not the person's, or on its way."""

    text: str
    order_ids: tuple[str, ...]
    is_stop: bool = False
    is_foreign: bool = False
    is_pending: bool = False


class LadderRow(msgspec.Struct, frozen=True):
    """One row, ready to be painted; a share is a bar's length between 0 and 1."""

    index: int
    price: str
    bid: str = ""
    bid_share: float = 0.0
    ask: str = ""
    ask_share: float = 0.0
    buys: OwnMark | None = None
    sells: OwnMark | None = None
    is_last: bool = False
    is_average: bool = False
    is_round: bool = False


class Sizes(msgspec.Struct, frozen=True):
    """Sizes by row of the two sides of a book."""

    bids: dict[int, float] = {}
    asks: dict[int, float] = {}


class Ladder:
    """Prices of one instrument in rows of `group` ticks. Row i is the price of i * step units.

    A bid belongs to the row at or below it, an ask to that at or above, so that nothing seems better than it is.
    The step is the legal one at the price that was heard first: rows do not change under the mouse.

    Args:
        instrument: whose.
        group: ticks of a row.
    """

    def __init__(self, instrument: Instrument, group: int = 1) -> None:
        self.instrument = instrument
        self.group = group
        self.step_units = max(1, instrument.step_units(0) * group)
        self.sizes = Sizes()
        self.middle: int | None = None
        self.last: int | None = None
        self.average: int | None = None
        self.best_bid = self.best_ask = 0.0
        self._levels: tuple[OrderLevel, ...] = ()
        self._buys: dict[int, OwnMark] = {}
        self._sells: dict[int, OwnMark] = {}
        self._decimals = size_decimals(instrument)
        self._texts: dict[int, str] = {}
        self._has_step = False
        self._depth: DepthData | None = None
        self._tick: TickData | None = None

    # --- what is told -----------------------------------------------------------------------------------------------

    def take_market(self, depth: DepthData | None, tick: TickData | None) -> None:
        """Take book and quote as they were heard last; the same ones again change nothing."""
        if depth is self._depth and tick is self._tick:
            return
        self._depth, self._tick = depth, tick
        has_depth = depth is not None and bool(depth.bids or depth.asks)
        if depth is not None and has_depth:
            self.take_depth(depth)
        if tick is not None:
            self.take_tick(tick, has_depth=has_depth)

    def take_depth(self, depth: DepthData) -> None:
        """Take a book."""
        if depth.bids:
            self._settle_step(depth.bids[0][0])
        bids: dict[int, float] = defaultdict(float)
        asks: dict[int, float] = defaultdict(float)
        for price, size in depth.bids:
            bids[self.row_below(price)] += size
        for price, size in depth.asks:
            asks[self.row_above(price)] += size
        self.sizes = Sizes(dict(bids), dict(asks))
        self._take_best(depth.bids[0][0] if depth.bids else 0.0, depth.asks[0][0] if depth.asks else 0.0)

    def take_tick(self, tick: TickData, *, has_depth: bool) -> None:
        """Take a quote: its last price, and without a book its two sides."""
        for price in (tick.last_price, tick.bid_price):
            if price > 0.0:
                self._settle_step(price)
                break
        if tick.last_price > 0.0:
            self.last = self.row_below(tick.last_price)
        if has_depth:
            return
        bids = {self.row_below(tick.bid_price): tick.bid_size} if tick.bid_price > 0.0 else {}
        asks = {self.row_above(tick.ask_price): tick.ask_size} if tick.ask_price > 0.0 else {}
        self.sizes = Sizes(bids, asks)
        self._take_best(tick.bid_price, tick.ask_price)

    def take_orders(self, levels: Iterable[OrderLevel], person: str) -> None:
        """Take our open orders; `person` is in whose name somebody trades by hand."""
        self._levels = tuple(levels)
        found: dict[tuple[Side, int], list[OrderLevel]] = defaultdict(list)
        for level in self._levels:
            side = level.order.side
            row = self.row_below(level.price) if side is Side.BUY else self.row_above(level.price)
            found[side, row].append(level)
        marks = {place: _mark(levels, person, self._decimals) for place, levels in found.items()}
        self._buys = {row: mark for (side, row), mark in marks.items() if side is Side.BUY}
        self._sells = {row: mark for (side, row), mark in marks.items() if side is Side.SELL}

    def take_average(self, price: float) -> None:
        """Take the average price of the position, 0.0 for none."""
        self.average = self.row_below(price) if price > 0.0 else None

    # --- what is asked ----------------------------------------------------------------------------------------------

    def price_of(self, row: int) -> float:
        """Return the price of a row, a legal one."""
        return self.instrument.price(self.instrument.round_price_units(self._exact(row)))

    def row_below(self, price: float) -> int:
        """Return the row at or below a price."""
        return self.instrument.price_grid.round(price, "down") // self.step_units if isfinite(price) else 0

    def row_above(self, price: float) -> int:
        """Return the row at or above a price."""
        return -(-self.instrument.price_grid.round(price, "up") // self.step_units) if isfinite(price) else 0

    def levels_at(self, side: Side, row: int, person: str) -> list[OrderLevel]:
        """Return what of a person's orders stands in a row on one side."""
        marks = self._buys if side is Side.BUY else self._sells
        mark = marks.get(row)
        names = () if mark is None else mark.order_ids
        rows = self.row_below if side is Side.BUY else self.row_above
        return [
            level
            for level in self._levels
            if level.order.order_id in names and level.order.owner == person and rows(level.price) == row
        ]

    def rows(self, top: int, count: int) -> list[LadderRow]:
        """Return rows from `top` down; bars are as long as the largest size among them allows."""
        bids, asks = self.sizes.bids, self.sizes.asks
        places = range(top, top - count, -1)
        largest = max((max(bids.get(row, 0.0), asks.get(row, 0.0)) for row in places), default=0.0) or 1.0
        return [self._row(row, bids.get(row, 0.0), asks.get(row, 0.0), largest) for row in places]

    # --- inside -----------------------------------------------------------------------------------------------------

    def _row(self, row: int, bid: float, ask: float, largest: float) -> LadderRow:
        return LadderRow(
            row, self._price_text(row), size_text(bid, self._decimals) if bid else "", bid / largest,
            size_text(ask, self._decimals) if ask else "", ask / largest, self._buys.get(row), self._sells.get(row), row == self.last,
            row == self.average, row % 10 == 0,
        )  # fmt: skip

    def _price_text(self, row: int) -> str:
        text = self._texts.get(row)
        if text is None:
            if len(self._texts) > 5_000:
                self._texts.clear()
            text = self._texts[row] = f"{self._exact(row):,.{self.instrument.price_grid.decimals}f}" if row >= 0 else ""
        return text

    def _exact(self, row: int) -> float:
        return self.instrument.price(row * self.step_units)

    def _take_best(self, bid: float, ask: float) -> None:
        self.best_bid, self.best_ask = bid, ask
        prices = [price for price in (bid, ask) if price > 0.0]
        if prices:
            self.middle = self.row_below(sum(prices) / len(prices))

    def _settle_step(self, price: float) -> None:
        if self._has_step or not isfinite(price):
            return
        self._has_step = True
        step = self.instrument.step_units(self.instrument.price_grid.round(price, "down")) * self.group
        if step != self.step_units:
            self.step_units = step
            self._texts.clear()
            self.last = self.average = None


def group_for(instrument: Instrument, price: float) -> int:
    """Return how many ticks a row gathers at first, so that a market does not run through the rows: at most FINEST of the price."""
    if not price > 0.0:
        return 1
    units = instrument.price_grid.round(price, "down")
    tick = instrument.price(max(1, instrument.step_units(units)))
    return max((group for group in GROUPS if group * tick <= price * FINEST), default=1)


def sizes_for(instrument: Instrument, price: float) -> list[float]:
    """Return sizes to choose from: the least one that a venue takes at a price, rounded up to a plain number, and multiples of it."""
    units = max(instrument.lot_units, instrument.min_quantity_units)
    least = instrument.quantity(units)
    if instrument.min_notional and price > 0.0:
        least = max(least, float(instrument.min_notional) / (price * float(instrument.multiplier)))
    base = _plain(least)
    sizes = (instrument.round_quantity_units(base * times, "up") for times in PRESETS)
    return [instrument.quantity(units) for units in sizes]


def _plain(value: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at or above a value."""
    power = 1e-12
    while power < 1e12:
        for digit in _NICE:
            if digit * power >= value * (1.0 - 1e-9):
                return digit * power
        power *= 10.0
    return value


def _mark(levels: list[OrderLevel], person: str, decimals: int) -> OwnMark:
    total = sum({level.order.order_id: level.order.remaining for level in levels}.values())
    stop = any(level.field == "trigger_price" for level in levels)
    foreign = all(level.order.owner != person for level in levels)
    pending = any(
        level.order.status in (OrderStatus.CREATED, OrderStatus.SUBMITTED, OrderStatus.UNKNOWN) for level in levels
    )
    text = size_text(total, decimals)
    text = f"⌁{text}" if stop else text
    return OwnMark(
        f"({text})" if foreign else text,
        tuple(dict.fromkeys(level.order.order_id for level in levels)),
        stop,
        foreign,
        pending,
    )
