"""Wilder's average directional index one bar at a time, begun as TA-Lib begins it (talipp's begins otherwise)."""

from foxtrot.domain.market import BarData
from foxtrot.strategy.array_indicators import check_period
from foxtrot.strategy.indicator_values import Adx

_ZERO = 1e-14


class RunningAdx:
    """Strength of a trend and the directional indices, 0 to 100.

    Thread: belongs to its owner.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978), Directional Movement; TA-Lib, ta_ADX.c, for
    the sums it starts from: movements of the first period - 1 bars, then the mean of the first `period` indices.
    """

    def __init__(self, period: int = 14) -> None:
        self._period = check_period(period)
        self._last: BarData | None = None
        self._moves = 0
        self._plus = self._minus = self._range = 0.0
        self._strength = 0.0

    def update(self, bar: BarData) -> Adx[float] | None:
        """Take in the next bar; returns the indices, or None until there are enough."""
        last, self._last = self._last, bar
        if last is None:
            return None
        self._moves += 1
        self._smooth(*_movement(last, bar))
        if self._moves < self._period:
            return None
        return self._strengthen()

    def _smooth(self, plus: float, minus: float, true_range: float) -> None:
        if self._moves >= self._period:
            self._plus -= self._plus / self._period
            self._minus -= self._minus / self._period
            self._range -= self._range / self._period
        self._plus += plus
        self._minus += minus
        self._range += true_range

    def _strengthen(self) -> Adx[float] | None:
        period = self._period
        moved = self._range >= _ZERO
        plus = 100.0 * self._plus / self._range if moved else 0.0
        minus = 100.0 * self._minus / self._range if moved else 0.0
        both = plus + minus
        index = 100.0 * abs(plus - minus) / both if both >= _ZERO else None
        started = self._moves - period + 1
        if started <= period:
            self._strength += (index or 0.0) / period
        elif index is not None:
            self._strength = (self._strength * (period - 1) + index) / period
        return None if started < period else Adx(self._strength, plus, minus)


def _movement(last: BarData, bar: BarData) -> tuple[float, float, float]:
    up, down = bar.high - last.high, last.low - bar.low
    plus = up if up > 0 and up > down else 0.0
    minus = down if down > 0 and down > up else 0.0
    return plus, minus, max(bar.high - bar.low, abs(bar.high - last.close), abs(bar.low - last.close))
