"""Indicators one value at a time, by talipp.

`update` takes the next value or bar and returns the result, or None until there are enough. Each equals its array twin, value by value. Memory is bounded.
"""

from collections import deque
from math import fsum, isnan

from talipp import indicators as talipp
from talipp.ohlcv import OHLCV

from foxtrot.domain.market import BarData
from foxtrot.strategy.array_indicators import check_order, check_period
from foxtrot.strategy.indicator_values import Bands, Macd, Stochastic

_SPARE = 1_024
_ZERO = 1e-14
"""Below this TA-Lib takes a sum for nothing."""


class _Bounded:
    """A talipp indicator that forgets inputs it no longer needs.

    Thread: belongs to its owner.
    """

    def __init__(self, inner: talipp.Indicator, longest: int) -> None:
        self.inner = inner
        self._keep = 4 * longest + 64
        self._held = 0

    def add(self, value: float | OHLCV) -> None:
        self.inner.add(value)
        self._held += 1
        if self._held > self._keep + _SPARE:
            self.inner.purge_oldest(self._held - self._keep)
            self._held = self._keep

    @property
    def last(self) -> float | None:
        value = self.inner[-1]
        return None if value is None else float(value)


class _RunningLine:
    """One line over single values."""

    def __init__(self, inner: talipp.Indicator, period: int) -> None:
        self._line = _Bounded(inner, period)

    def update(self, value: float) -> float | None:
        """Take in the next value; returns the indicator, or None until there are enough."""
        self._line.add(value)
        return self._line.last


class RunningSma(_RunningLine):
    """Simple moving average.

    Thread: its owner's.
    """

    def __init__(self, period: int) -> None:
        super().__init__(talipp.SMA(check_period(period)), period)


class RunningEma(_RunningLine):
    """Exponential moving average, weight 2 / (period + 1), begun with a simple one.

    Thread: its owner's.
    """

    def __init__(self, period: int) -> None:
        super().__init__(talipp.EMA(check_period(period)), period)


class RunningWma(_RunningLine):
    """Linearly weighted moving average.

    Thread: its owner's.
    """

    def __init__(self, period: int) -> None:
        super().__init__(talipp.WMA(check_period(period)), period)


class RunningStd(_RunningLine):
    """Standard deviation of the last values (population, ddof 0).

    Thread: its owner's.
    """

    def __init__(self, period: int) -> None:
        super().__init__(talipp.StdDev(check_period(period)), period)


class RunningRsi:
    """Wilder's relative strength index, 0 to 100; 0 where nothing moved, as in TA-Lib.

    Thread: its owner's.
    """

    def __init__(self, period: int = 14) -> None:
        self._line = _Bounded(talipp.RSI(check_period(period)), period)

    def update(self, value: float) -> float | None:
        """Take in the next value; returns the index, or None until there are enough."""
        self._line.add(value)
        inner = self._line.inner
        if self._line.last is not None and inner.avg_gain[-1] + inner.avg_loss[-1] < _ZERO:
            return 0.0
        return self._line.last


class RunningMacd:
    """Difference of a fast and a slow exponential average, and its own exponential average.

    Thread: its owner's.
    """

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        check_order(fast, slow)
        self._line = _Bounded(talipp.MACD(fast, slow, check_period(signal)), slow + signal)

    def update(self, value: float) -> Macd[float] | None:
        """Take in the next value; returns all three lines, or None until all have a value."""
        self._line.add(value)
        now = self._line.inner[-1]
        if now is None or now.signal is None:
            return None
        return Macd(float(now.macd), float(now.signal), float(now.histogram))


class RunningBollinger:
    """The average and the lines `width` standard deviations from it.

    Thread: its owner's.
    """

    def __init__(self, period: int = 20, width: float = 2.0) -> None:
        self._line = _Bounded(talipp.BB(check_period(period), width), period)

    def update(self, value: float) -> Bands[float] | None:
        """Take in the next value; returns the bands, or None until there are enough."""
        self._line.add(value)
        now = self._line.inner[-1]
        return None if now is None else Bands(float(now.lb), float(now.cb), float(now.ub))


class RunningAtr:
    """Wilder's average true range; the range of the first bar, which has no close before it, is high - low.

    Thread: its owner's.
    """

    def __init__(self, period: int = 14) -> None:
        self._line = _Bounded(talipp.ATR(check_period(period)), period)

    def update(self, bar: BarData) -> float | None:
        """Take in the next bar; returns the range, or None until there are enough."""
        self._line.add(_ohlcv(bar))
        return self._line.last


class RunningDonchian:
    """The highest high, the lowest low and their mean over the last bars, this one included.

    Thread: its owner's.
    """

    def __init__(self, period: int = 20) -> None:
        self._line = _Bounded(talipp.DonchianChannels(check_period(period)), period)

    def update(self, bar: BarData) -> Bands[float] | None:
        """Take in the next bar; returns the bands, or None until there are enough."""
        self._line.add(_ohlcv(bar))
        now = self._line.inner[-1]
        return None if now is None else Bands(float(now.lb), float(now.cb), float(now.ub))


class RunningStochastic:
    """%K and its simple average %D; %K is 0 where the range is zero, as in TA-Lib.

    Thread: its owner's.
    """

    def __init__(self, period: int = 14, smoothing: int = 3) -> None:
        self._range = RunningDonchian(period)
        self._average = RunningSma(smoothing)

    def update(self, bar: BarData) -> Stochastic[float] | None:
        """Take in the next bar; returns both lines, or None until both have a value."""
        bands = self._range.update(bar)
        if bands is None:
            return None
        width = bands.upper - bands.lower
        k = 100 * (bar.close - bands.lower) / width if width else 0.0
        d = self._average.update(k)
        return None if d is None else Stochastic(k, d)


class RunningCci:
    """Commodity channel index; 0 where the typical price did not move, where talipp's would divide by zero.

    Thread: its owner's.
    """

    def __init__(self, period: int = 20) -> None:
        self._prices: deque[float] = deque(maxlen=check_period(period))
        self._period = period

    def update(self, bar: BarData) -> float | None:
        """Take in the next bar; returns the index, or None until there are enough."""
        price = (bar.high + bar.low + bar.close) / 3
        self._prices.append(price)
        if len(self._prices) < self._period:
            return None
        mean = fsum(self._prices) / self._period
        deviation = fsum([abs(value - mean) for value in self._prices]) / self._period
        distance = price - mean
        if abs(distance) < _ZERO or deviation < _ZERO:
            return 0.0
        return distance / (0.015 * deviation)


class RunningObv:
    """On-balance volume, beginning with the first bar's volume.

    Thread: its owner's.
    """

    def __init__(self) -> None:
        self._line = _Bounded(talipp.OBV(), 2)

    def update(self, bar: BarData) -> float:
        """Take in the next bar; returns the balance."""
        self._line.add(_ohlcv(bar))
        return float(self._line.inner[-1])


class RunningVwap:
    """Average of typical prices weighted by volume, since the first bar or the last `reset`.

    Thread: its owner's.
    """

    def __init__(self) -> None:
        self._line = _Bounded(talipp.VWAP(), 2)
        self._started = False

    def update(self, bar: BarData) -> float | None:
        """Take in the next bar; returns the average, or None before any volume."""
        if not self._started and bar.volume <= 0:
            return None
        self._started = True
        self._line.add(_ohlcv(bar))
        value = self._line.last
        return None if value is None or isnan(value) else value

    def reset(self) -> None:
        """Begin anew, as at the start of a session."""
        self._line = _Bounded(talipp.VWAP(), 2)
        self._started = False


def _ohlcv(bar: BarData) -> OHLCV:
    return OHLCV(bar.open, bar.high, bar.low, bar.close, bar.volume)
