"""Fewer points that draw the same picture: equity keeps its extremes, candles are merged into longer candles."""

import msgspec
import numpy as np

from foxtrot.backtest.columns import BarColumns, Float64Column, Int64Column

MOST_EQUITY_POINTS = 5_000
MOST_CANDLES = 20_000

_USUAL_SIZES = (1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 240)


class Candles(msgspec.Struct, frozen=True, eq=False):
    """Candles to draw; each stands for `merged` bars, the last one perhaps for fewer."""

    open_time_ns: Int64Column
    open: Float64Column
    high: Float64Column
    low: Float64Column
    close: Float64Column
    merged: int


def points_to_keep(values: Float64Column, most: int = MOST_EQUITY_POINTS) -> Int64Column:
    """Return the rows, rising, that keep the first, the last and the extremes of every stretch: at most `most` of them."""
    if len(values) <= most:
        return np.arange(len(values), dtype=np.int64)
    stretch = -(-len(values) // ((most - 2) // 2))
    whole = len(values) // stretch * stretch
    stretches = values[:whole].reshape(-1, stretch)
    starts = np.arange(0, whole, stretch)
    keep = [starts + stretches.argmin(axis=1), starts + stretches.argmax(axis=1), np.array([0, len(values) - 1])]
    if whole < len(values):
        keep += [np.array([whole + values[whole:].argmin(), whole + values[whole:].argmax()])]
    return np.unique(np.concatenate(keep)).astype(np.int64)


def merged_candles(bars: BarColumns, most: int = MOST_CANDLES) -> Candles:
    """Return at most `most` candles, each of the same number of bars in a row."""
    least = max(1, -(-len(bars) // most))
    size = next((usual for usual in _USUAL_SIZES if usual >= least), least)
    starts = np.arange(0, len(bars), size)
    ends = np.minimum(starts + size, len(bars)) - 1
    return Candles(
        bars.open_time_ns[starts],
        bars.open[starts],
        np.maximum.reduceat(bars.high, starts),
        np.minimum.reduceat(bars.low, starts),
        bars.close[ends],
        size,
    )


def drawdowns(equity: Float64Column, starting_balance: float) -> Float64Column:
    """Return the fall from the highest equity so far at each sample, as a fraction of it, 0 or less."""
    peaks = np.maximum(np.maximum.accumulate(equity), starting_balance)
    return equity / peaks - 1.0
