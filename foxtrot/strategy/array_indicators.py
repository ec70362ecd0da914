"""Indicators over a whole history at once, by TA-Lib: arrays in, arrays of the same length out, NaN where there is no value yet.

Each equals its running twin, value by value.
"""

from collections.abc import Sequence

import numpy as np
import talib
from numpy.typing import NDArray

from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.indicator_values import Adx, Bands, Macd, Stochastic

FloatArray = NDArray[np.float64]
Values = FloatArray | Sequence[float]


def sma(values: Values, period: int) -> FloatArray:
    """Return the simple moving average."""
    return _array(talib.SMA(_array(values), check_period(period)))


def ema(values: Values, period: int) -> FloatArray:
    """Return the exponential moving average, weight 2 / (period + 1), begun with a simple one."""
    return _array(talib.EMA(_array(values), check_period(period)))


def wma(values: Values, period: int) -> FloatArray:
    """Return the linearly weighted moving average."""
    return _array(talib.WMA(_array(values), check_period(period)))


def std(values: Values, period: int) -> FloatArray:
    """Return the standard deviation of the last `period` values (population, ddof 0)."""
    return _array(talib.STDDEV(_array(values), check_period(period)))


def rsi(values: Values, period: int = 14) -> FloatArray:
    """Return Wilder's relative strength index, 0 to 100; 0 where nothing moved."""
    return _array(talib.RSI(_array(values), check_period(period)))


def macd(values: Values, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd[FloatArray]:
    """Return MACD from averages that each begin as early as they can; TA-Lib's own MACD delays the fast one."""
    check_order(fast, slow)
    line = ema(values, fast) - ema(values, slow)
    smoothed = np.full_like(line, np.nan)
    smoothed[slow - 1 :] = ema(line[slow - 1 :], signal)
    line = np.where(np.isnan(smoothed), np.nan, line)
    return Macd(line, smoothed, line - smoothed)


def bollinger(values: Values, period: int = 20, width: float = 2.0) -> Bands[FloatArray]:
    """Return the average and the lines `width` standard deviations from it."""
    middle, deviation = sma(values, period), std(values, period)
    return Bands(middle - width * deviation, middle, middle + width * deviation)


def atr(high: Values, low: Values, close: Values, period: int = 14) -> FloatArray:
    """Return Wilder's average true range; the range of the first bar, which has no close before it, is high - low."""
    highs, lows, closes = _array(high), _array(low), _array(close)
    if not len(highs):
        return highs
    # TA-Lib begins with the second bar: one more in front, closing inside the first bar's range, makes that the first.
    return _array(talib.ATR(_led(highs, highs), _led(lows, lows), _led(closes, highs), check_period(period)))[1:]


def adx(high: Values, low: Values, close: Values, period: int = 14) -> Adx[FloatArray]:
    """Return Wilder's average directional index and the directional indices, all from the first bar that has all."""
    bars = _array(high), _array(low), _array(close)
    strength = _array(talib.ADX(*bars, check_period(period)))
    missing = np.isnan(strength)
    plus, minus = _array(talib.PLUS_DI(*bars, period)), _array(talib.MINUS_DI(*bars, period))
    return Adx(strength, np.where(missing, np.nan, plus), np.where(missing, np.nan, minus))


def donchian(high: Values, low: Values, period: int = 20) -> Bands[FloatArray]:
    """Return the highest high, the lowest low and their mean over the last `period` bars, this one included."""
    upper = _array(talib.MAX(_array(high), check_period(period)))
    lower = _array(talib.MIN(_array(low), period))
    return Bands(lower, (upper + lower) / 2, upper)


def stochastic(
    high: Values, low: Values, close: Values, period: int = 14, smoothing: int = 3
) -> Stochastic[FloatArray]:
    """Return %K and its simple average %D; %K is 0 where the range is zero."""
    check_period(period), check_period(smoothing)
    k, d = talib.STOCHF(_array(high), _array(low), _array(close), period, smoothing)
    return Stochastic(_array(k), _array(d))


def cci(high: Values, low: Values, close: Values, period: int = 20) -> FloatArray:
    """Return the commodity channel index; 0 where the typical price did not move."""
    return _array(talib.CCI(_array(high), _array(low), _array(close), check_period(period)))


def obv(close: Values, volume: Values) -> FloatArray:
    """Return on-balance volume, beginning with the first bar's volume."""
    return _array(talib.OBV(_array(close), _array(volume)))


def vwap(high: Values, low: Values, close: Values, volume: Values) -> FloatArray:
    """Return the average of typical prices weighted by volume since the first bar (TA-Lib has none); NaN before volume."""
    weights = _array(volume)
    typical = (_array(high) + _array(low) + _array(close)) / 3
    traded = np.cumsum(weights)
    sums = np.cumsum(typical * weights)
    return np.divide(sums, traded, out=np.full_like(sums, np.nan), where=traded > 0)


def check_period(period: int) -> int:
    """Return a period that an indicator can have.

    Raises:
        ConfigError: it is not a whole number from 2 up.
    """
    if period != int(period) or not 2 <= period <= 100_000:
        raise ConfigError(f"indicator period {period} must be a whole number from 2 to 100000")
    return period


def check_order(fast: int, slow: int) -> None:
    """Refuse a fast period that is not shorter than the slow one.

    Raises:
        ConfigError: they are the wrong way round, or equal.
    """
    if check_period(fast) >= check_period(slow):
        raise ConfigError(f"fast period {fast} must be shorter than slow period {slow}")


def _array(values: object) -> FloatArray:
    return np.ascontiguousarray(values, dtype=np.float64)


def _led(values: FloatArray, lead: FloatArray) -> FloatArray:
    return np.concatenate((lead[:1], values))
