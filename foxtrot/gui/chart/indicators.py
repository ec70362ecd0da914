"""What a chart can compute of its bars: over the price, or in a pane of its own below."""

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from foxtrot.domain.interval import SECOND_NS
from foxtrot.gui.chart.bar_series import Bars, FloatArray
from foxtrot.strategy import array_indicators as arrays

DAY_NS: Final = 86_400 * SECOND_NS
Lines = tuple[FloatArray, ...]
MOST_PERIOD: Final = 999


class Indicator(msgspec.Struct, frozen=True):
    """One indicator; a text has its name.

    `period` is the usual one, 0 where it has none; `pane`: it stands below the price, where `levels` are marked.
    """

    key: str
    lines: tuple[str, ...]
    compute: Callable[[Bars, int], Lines]
    period: int = 0
    pane: bool = False
    levels: tuple[float, ...] = ()


def _bands(bars: Bars, period: int) -> Lines:
    found = arrays.bollinger(bars.close, period)
    return found.lower, found.middle, found.upper


def _channel(bars: Bars, period: int) -> Lines:
    found = arrays.donchian(bars.high, bars.low, period)
    return found.lower, found.middle, found.upper


def _macd(bars: Bars, _period: int) -> Lines:
    return tuple(arrays.macd(bars.close))


def _adx(bars: Bars, period: int) -> Lines:
    return tuple(arrays.adx(bars.high, bars.low, bars.close, period))


def _stochastic(bars: Bars, period: int) -> Lines:
    return tuple(arrays.stochastic(bars.high, bars.low, bars.close, period))


def day_vwap(bars: Bars, _period: int = 0) -> Lines:
    """Return the average price of each day (UTC) so far, weighted by volume."""
    if not len(bars.times):
        return (np.empty(0),)
    day = bars.times // DAY_NS
    starts = np.flatnonzero(np.concatenate(([True], day[1:] != day[:-1])))
    parts = np.split(np.arange(len(day)), starts[1:])
    found = [arrays.vwap(bars.high[p], bars.low[p], bars.close[p], bars.volume[p]) for p in parts]
    return (np.concatenate(found),)


ALL: Final[dict[str, Indicator]] = {
    one.key: one
    for one in (
        Indicator("sma", ("SMA",), lambda bars, period: (arrays.sma(bars.close, period),), 20),
        Indicator("ema", ("EMA",), lambda bars, period: (arrays.ema(bars.close, period),), 50),
        Indicator("bollinger", ("−2σ", "MA", "+2σ"), _bands, 20),
        Indicator("donchian", ("LOW", "MID", "HIGH"), _channel, 20),
        Indicator("vwap", ("VWAP",), day_vwap),
        Indicator("rsi", ("RSI",), lambda bars, period: (arrays.rsi(bars.close, period),), 14, True, (30.0, 70.0)),
        Indicator("macd", ("MACD", "SIGNAL", "DIFF"), _macd, 0, True, (0.0,)),
        Indicator("stochastic", ("%K", "%D"), _stochastic, 14, True, (20.0, 80.0)),
        Indicator("adx", ("ADX", "+DI", "−DI"), _adx, 14, True, (25.0,)),
        Indicator(
            "atr", ("ATR",), lambda bars, period: (arrays.atr(bars.high, bars.low, bars.close, period),), 14, True
        ),
        Indicator("obv", ("OBV",), lambda bars, _period: (arrays.obv(bars.close, bars.volume),), 0, True),
    )
}
"""Every indicator by its key, in the order of the menu."""


class Chosen(msgspec.Struct, frozen=True):
    """An indicator that is shown, and over how many bars."""

    key: str
    period: int

    @property
    def indicator(self) -> Indicator:
        """Return which one."""
        return ALL[self.key]


def chosen(key: object, period: object = 0) -> Chosen | None:
    """Return a choice, with the usual period where none that makes sense is given; None for a key that nobody knows."""
    known = ALL.get(key) if isinstance(key, str) else None
    if known is None:
        return None
    usable = isinstance(period, int) and 2 <= period <= MOST_PERIOD and known.period
    return Chosen(known.key, int(period) if usable and isinstance(period, int) else known.period)


def computed(bars: Bars, wanted: tuple[Chosen, ...]) -> dict[Chosen, Lines]:
    """Return the lines of indicators over bars, each as long as those; an empty series has empty lines."""
    if not len(bars.times):
        return {one: tuple(np.empty(0) for _ in one.indicator.lines) for one in wanted}
    return {one: one.indicator.compute(bars, one.period) for one in wanted}
