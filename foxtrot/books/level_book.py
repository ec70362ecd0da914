"""One order book by price level, in integer units: absolute sizes in, best prices, depth and sweeps out."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

import msgspec

from foxtrot.domain.enums import Side

UnitLevel = tuple[int, int]
"""One price level in units: (price, size)."""


class BookSnapshot(msgspec.Struct, frozen=True, gc=False):
    """A frozen copy of the best levels, best first, in units."""

    bids: tuple[UnitLevel, ...]
    asks: tuple[UnitLevel, ...]


class Sweep(msgspec.Struct, frozen=True, gc=False):
    """What taking a size from one side would give: units filled, sum of price x size, and the last price reached."""

    filled: int
    cost: int
    worst_price: int

    @property
    def average_price(self) -> float:
        """Return the volume-weighted price in units of price; 0.0 when nothing could be filled."""
        return self.cost / self.filled if self.filled else 0.0


class LevelBook:
    """Sizes by price on two sides, each with its prices sorted; about 5 µs for 20 changes near the top, 1.5 µs for the best 20.

    Thread: belongs to whoever feeds it; hand `top` or `snapshot` to others.
    """

    __slots__ = ("_ask_prices", "_asks", "_bid_prices", "_bids")

    def __init__(self) -> None:
        self._bids: dict[int, UnitLevel] = {}
        self._asks: dict[int, UnitLevel] = {}
        self._bid_prices: list[int] = []
        self._ask_prices: list[int] = []

    def clear(self) -> None:
        """Forget every level."""
        for side in (self._bids, self._asks, self._bid_prices, self._ask_prices):
            side.clear()

    def load(self, bids: Iterable[UnitLevel], asks: Iterable[UnitLevel]) -> None:
        """Replace every level; sizes of zero are left out."""
        self._bids = {level[0]: level for level in bids if level[1]}
        self._asks = {level[0]: level for level in asks if level[1]}
        self._bid_prices = sorted(self._bids)
        self._ask_prices = sorted(self._asks)

    def apply(self, bids: Iterable[UnitLevel], asks: Iterable[UnitLevel]) -> None:
        """Set sizes by price; a size of zero removes the level, also one that is not there."""
        _set_levels(self._bids, self._bid_prices, bids)
        _set_levels(self._asks, self._ask_prices, asks)

    def best_bid(self) -> UnitLevel | None:
        """Return the highest bid, or None when there is none."""
        if not self._bid_prices:
            return None
        return self._bids[self._bid_prices[-1]]

    def best_ask(self) -> UnitLevel | None:
        """Return the lowest ask, or None when there is none."""
        if not self._ask_prices:
            return None
        return self._asks[self._ask_prices[0]]

    @property
    def is_crossed(self) -> bool:
        """Tell whether the best bid reaches the best ask."""
        return bool(self._bid_prices and self._ask_prices) and self._bid_prices[-1] >= self._ask_prices[0]

    def is_best_within(self, lowest: int | None, highest: int | None) -> bool:
        """Tell whether the best bid is not below `lowest` and the best ask not above `highest`; a side that is empty lies beyond.

        None stands for no bound.
        """
        if lowest is not None and not (self._bid_prices and self._bid_prices[-1] >= lowest):
            return False
        return highest is None or bool(self._ask_prices and self._ask_prices[0] <= highest)

    def beyond(self, levels: int) -> tuple[list[int], list[int]]:
        """Return the prices of bids and asks that are not among the best levels, in no particular order."""
        return self._bid_prices[:-levels], self._ask_prices[levels:]

    def cut(self, levels: int) -> tuple[int | None, int | None]:
        """Drop all but the best levels of each side.

        Returns:
            The prices of the last level of bids and asks where a side is full, None where it has fewer.
        """
        for price in self._bid_prices[:-levels]:
            del self._bids[price]
        del self._bid_prices[:-levels]
        for price in self._ask_prices[levels:]:
            del self._asks[price]
        del self._ask_prices[levels:]
        lowest = self._bid_prices[0] if len(self._bid_prices) == levels else None
        return lowest, self._ask_prices[-1] if len(self._ask_prices) == levels else None

    def size_at(self, side: Side, price: int) -> int:
        """Return the size resting on a side at a price; 0 where there is none."""
        level = (self._bids if side is Side.BUY else self._asks).get(price)
        return level[1] if level else 0

    def top(self, levels: int) -> tuple[tuple[UnitLevel, ...], tuple[UnitLevel, ...]]:
        """Return the best levels of bids and asks, best first."""
        bid_prices = self._bid_prices[: -levels - 1 : -1] if levels else ()
        return _at(self._bids, bid_prices), _at(self._asks, self._ask_prices[:levels])

    def snapshot(self, levels: int | None = None) -> BookSnapshot:
        """Return a frozen copy of the best levels, of all of them by default."""
        every = max(len(self._bid_prices), len(self._ask_prices))
        return BookSnapshot(*self.top(every if levels is None else levels))

    def depth_to(self, side: Side, price: int) -> int:
        """Return the size resting on a side from its best price to `price`, both included."""
        if side is Side.BUY:
            start = bisect_left(self._bid_prices, price)
            return sum([self._bids[level][1] for level in self._bid_prices[start:]])
        end = bisect_right(self._ask_prices, price)
        return sum([self._asks[level][1] for level in self._ask_prices[:end]])

    def sweep(self, taker: Side, size: int) -> Sweep:
        """Return what an order of `size` taking from the other side would get; less than `size` when it runs dry."""
        left, cost, worst = size, 0, 0
        for price, resting in self.levels(taker.opposite):
            if left <= 0:
                break
            taken = min(left, resting)
            left -= taken
            cost += taken * price
            worst = price
        return Sweep(size - left, cost, worst)

    def volume_weighted_price(self, taker: Side, size: int) -> float | None:
        """Return the average price, in units, of taking a size from the other side; None when it does not hold so much."""
        sweep = self.sweep(taker, size)
        return sweep.average_price if sweep.filled == size > 0 else None

    def imbalance(self, levels: int = 1) -> float:
        """Return (bid size - ask size) / (bid size + ask size) over the best levels; 0.0 for an empty book."""
        bids, asks = self.top(levels)
        bid_size = sum([size for _, size in bids])
        ask_size = sum([size for _, size in asks])
        total = bid_size + ask_size
        return (bid_size - ask_size) / total if total else 0.0

    def levels(self, side: Side) -> Iterator[UnitLevel]:
        """Yield the levels of a side, best first; the book must not change meanwhile."""
        levels, prices = (
            (self._bids, reversed(self._bid_prices)) if side is Side.BUY else (self._asks, self._ask_prices)
        )
        for price in prices:
            yield levels[price]

    def __len__(self) -> int:
        return len(self._bids) + len(self._asks)


def _at(levels: dict[int, UnitLevel], prices: Sequence[int]) -> tuple[UnitLevel, ...]:
    """Return the levels at prices: itemgetter looks them all up at once, but gives no tuple of fewer than two."""
    if len(prices) > 1:
        found: tuple[UnitLevel, ...] = itemgetter(*prices)(levels)
        return found
    return tuple([levels[price] for price in prices])


def _set_levels(levels: dict[int, UnitLevel], prices: list[int], changes: Iterable[UnitLevel]) -> None:
    """Set levels; the tuples that come in are those that go out, so that reading the best makes none."""
    for level in changes:
        price, size = level
        if size:
            if price not in levels:
                insort(prices, price)
            levels[price] = level
        elif price in levels:
            del levels[price]
            del prices[bisect_left(prices, price)]
