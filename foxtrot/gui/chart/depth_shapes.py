"""The order book as two flights of steps: how much could be bought or sold down to a price. Arrays, no Qt."""

from typing import NamedTuple

import numpy as np

from foxtrot.domain.market import Level
from foxtrot.gui.chart.bar_series import FloatArray


class Side(NamedTuple):
    """One side of a book, best price first: prices, and the sums of sizes and of prices times sizes down to each."""

    prices: FloatArray
    sizes: FloatArray
    amounts: FloatArray
    falls: bool
    """Whether prices fall from level to level: those of bids."""

    def at(self, price: float) -> int:
        """Return the last level that is not beyond a price, −1 where that is better than the best."""
        if self.falls:
            return int(np.searchsorted(-self.prices, -price, side="right")) - 1
        return int(np.searchsorted(self.prices, price, side="right")) - 1


def side_of(levels: tuple[Level, ...], *, falls: bool) -> Side:
    """Return a side of a book, summed."""
    rows = np.array(levels, np.float64).reshape(-1, 2)
    return Side(rows[:, 0], np.cumsum(rows[:, 1]), np.cumsum(rows[:, 0] * rows[:, 1]), falls)


def stairs(side: Side, edge: float) -> FloatArray:
    """Return the corners (price, size) of the steps of a side, from its best price down to `edge`."""
    if not len(side.prices):
        return np.empty((0, 2))
    prices = np.append(side.prices, edge)
    return np.column_stack((np.repeat(prices, 2)[:-1], np.concatenate(([0.0], np.repeat(side.sizes, 2)))))


def span_of(bids: Side, asks: Side, share: float) -> tuple[float, float, float]:
    """Return the lowest and the highest price to show, as far on either side, and the greatest sum within; 0 without a book."""
    if not len(bids.prices) or not len(asks.prices):
        return 0.0, 0.0, 0.0
    middle = (bids.prices[0] + asks.prices[0]) / 2
    reach = max(middle - bids.prices[-1], asks.prices[-1] - middle) * share
    low, high = float(middle - reach), float(middle + reach)
    most = max(float(side.sizes[max(0, side.at(edge))]) for side, edge in ((bids, low), (asks, high)))
    return low, high, most
