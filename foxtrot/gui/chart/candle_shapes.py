"""Where candles, volume bars and lines stand on the screen: arrays in, arrays of rectangles and lines out, no Qt."""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from foxtrot.gui.chart.bar_series import Bars, FloatArray, IntArray

LEAST_PIXELS: Final = 2.0
"""With less room than this for a candle, all candles of a pixel are drawn as one line."""
BODY: Final = 0.7
"""How much of its room a body takes."""


class Scale(NamedTuple):
    """How places become pixels: x * kx + dx, y * ky + dy (ky is negative, for pixels count downwards)."""

    kx: float
    dx: float
    ky: float
    dy: float


class Candles(NamedTuple):
    """Rows of x, y, width, height for bodies and of x1, y1, x2, y2 for wicks, of bars that rose (or stood) and that fell."""

    up_bodies: FloatArray
    down_bodies: FloatArray
    up_wicks: FloatArray
    down_wicks: FloatArray


def visible(count: int, left: float, right: float) -> tuple[int, int]:
    """Return from where to where (exclusive) bars are seen between two places; one more on either side."""
    return max(0, min(count, int(np.floor(left)) - 1)), max(0, min(count, int(np.ceil(right)) + 2))


def reduced(bars: Bars, first: int, end: int, kx: float) -> tuple[Bars, FloatArray]:
    """Return one bar for all that fall onto the same pixel, and the place of each in the middle."""
    starts = _starts(first, end, kx)
    last = np.concatenate((starts[1:], [end - first])) - 1
    part = bars.part(first, end)
    whole = Bars(
        part.times[starts],
        part.open[starts],
        np.maximum.reduceat(part.high, starts),
        np.minimum.reduceat(part.low, starts),
        part.close[last],
        np.maximum.reduceat(part.volume, starts),
    )
    return whole, (starts + last) / 2 + first


def candles(bars: Bars, first: int, end: int, scale: Scale) -> Candles:
    """Return the shapes of the bars from `first` to `end`: hollow bodies keep their wicks outside."""
    none = np.empty((0, 4))
    if end <= first:
        return Candles(none, none, none, none)
    if scale.kx < LEAST_PIXELS:
        whole, places = reduced(bars, first, end, scale.kx)
        return _as_lines(whole, places, scale)
    part = bars.part(first, end)
    x = np.floor(np.arange(first, end) * scale.kx + scale.dx)
    half = max(1.0, np.floor(scale.kx * BODY / 2)) if scale.kx >= 3 else 0.0
    top = np.round(np.maximum(part.open, part.close) * scale.ky + scale.dy)
    bottom = np.round(np.minimum(part.open, part.close) * scale.ky + scale.dy)
    high, low = np.round(part.high * scale.ky + scale.dy), np.round(part.low * scale.ky + scale.dy)
    bodies = np.column_stack((x - half, top, np.full_like(x, 2 * half), bottom - top))
    rose = part.close >= part.open
    above, below = np.column_stack((x, high, x, top)), np.column_stack((x, bottom, x, low))
    return Candles(
        np.ascontiguousarray(bodies[rose]),
        np.ascontiguousarray(bodies[~rose]),
        np.concatenate((above[rose & (high < top)], below[rose & (low > bottom)])),
        np.concatenate((above[~rose & (high < top)], below[~rose & (low > bottom)])),
    )


def columns(bars: Bars, first: int, end: int, scale: Scale) -> tuple[FloatArray, FloatArray]:
    """Return the rectangles of volume of bars that rose and that fell."""
    none = np.empty((0, 4))
    if end <= first:
        return none, none
    part, places = bars.part(first, end), np.arange(first, end, dtype=np.float64)
    if scale.kx < LEAST_PIXELS:
        part, places = reduced(bars, first, end, scale.kx)
    x = np.floor(places * scale.kx + scale.dx)
    half = max(1.0, np.floor(scale.kx * BODY / 2)) if scale.kx >= 3 else 0.0
    top, ground = part.volume * scale.ky + scale.dy, scale.dy
    rows = np.column_stack((x - half, top, np.full_like(x, 2 * half + 1), ground - top))
    rose = part.close >= part.open
    return np.ascontiguousarray(rows[rose]), np.ascontiguousarray(rows[~rose])


def polyline(values: FloatArray, first: int, end: int, scale: Scale) -> FloatArray:
    """Return the pieces x1, y1, x2, y2 of a line through values, with gaps where there are none; highest and lowest of each pixel."""
    part, places = values[first:end], np.arange(first, end, dtype=np.float64)
    if len(part) and scale.kx < LEAST_PIXELS / 2:
        starts = _starts(first, end, scale.kx)
        part = np.column_stack((np.fmax.reduceat(part, starts), np.fmin.reduceat(part, starts))).ravel()
        places = np.repeat(starts + first, 2).astype(np.float64)
    x, y = places * scale.kx + scale.dx, part * scale.ky + scale.dy
    rows = np.column_stack((x[:-1], y[:-1], x[1:], y[1:]))
    return np.ascontiguousarray(rows[np.isfinite(rows).all(axis=1)])


def dashed(rows: FloatArray, *, dotted: bool) -> FloatArray:
    """Return the pieces of a line of many short ones that are left when it is dashed, or dotted, along x."""
    place = np.floor(rows[:, 0])
    return np.ascontiguousarray(rows[place % 4 < 2 if dotted else place % 10 < 6])


@lru_cache(maxsize=4)
def _starts(first: int, end: int, kx: float) -> IntArray:
    """Return with which bar every pixel begins; the items of a chart ask one after the other for the same."""
    pixel = np.floor(np.arange(first, end) * kx)
    return np.flatnonzero(np.concatenate(([True], pixel[1:] != pixel[:-1])))


def _as_lines(bars: Bars, places: FloatArray, scale: Scale) -> Candles:
    x = np.floor(places * scale.kx + scale.dx)
    high, low = np.round(bars.high * scale.ky + scale.dy), np.round(bars.low * scale.ky + scale.dy)
    rows = np.column_stack((x, high, x, np.maximum(low, high + 1)))
    rose, none = bars.close >= bars.open, np.empty((0, 4))
    return Candles(none, none, np.ascontiguousarray(rows[rose]), np.ascontiguousarray(rows[~rose]))
