"""Bars as arrays: what a chart shows, in the order of their opening."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_FIRST_ROOM: Final = 1_024


class Bars(NamedTuple):
    """Columns of equal length, oldest bar first; `times` are the openings in UTC ns."""

    times: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def part(self, first: int, end: int) -> "Bars":
        """Return the bars from a place to another (exclusive): views, not copies."""
        return Bars(
            self.times[first:end], self.open[first:end], self.high[first:end], self.low[first:end], self.close[first:end],
            self.volume[first:end],
        )  # fmt: skip

    def copied(self) -> "Bars":
        """Return copies that another thread may read while these change."""
        return Bars(
            self.times.copy(), self.open.copy(), self.high.copy(), self.low.copy(), self.close.copy(), self.volume.copy()
        )  # fmt: skip


def bars_of(facts: Iterable[BarData]) -> Bars:
    """Return facts as columns, in the order of time, the last one of those that open at the same moment."""
    by_time = {bar.open_time_ns: bar for bar in facts}
    rows = [by_time[time] for time in sorted(by_time)]
    figures = np.array([(b.open, b.high, b.low, b.close, b.volume) for b in rows], np.float64).reshape(-1, 5)
    return Bars(np.array([bar.open_time_ns for bar in rows], np.int64), *np.ascontiguousarray(figures.T))


def bounds_at(ns: int, interval: Interval, calendar: TradingCalendar) -> tuple[int, int]:
    """Return when the bar of a moment opens and closes; cut by the clock out of hours, and in years that the calendar does not know."""
    opened = ns // interval.duration_ns * interval.duration_ns
    by_clock = (opened, opened + interval.duration_ns)
    if calendar.always_open:
        return by_clock
    try:
        return calendar.bar_bounds(ns, interval) or by_clock
    except ConfigError:
        return by_clock


def opening_times(times: IntArray, interval: Interval, calendar: TradingCalendar) -> IntArray:
    """Return when the bar of an interval opens in which each moment lies; a moment out of hours is cut by the clock."""
    length = interval.duration_ns
    if calendar.always_open:
        return times // length * length
    found, bounds = np.empty_like(times), (0, 0)
    for place, moment in enumerate(times.tolist()):
        if not bounds[0] <= moment < bounds[1]:
            bounds = bounds_at(moment, interval, calendar)
        found[place] = bounds[0]
    return found


def aggregated(bars: Bars, interval: Interval, calendar: TradingCalendar) -> Bars:
    """Return bars of a longer interval."""
    if not len(bars.times):
        return bars
    opened = opening_times(bars.times, interval, calendar)
    first = np.flatnonzero(np.concatenate(([True], opened[1:] != opened[:-1])))
    last = np.concatenate((first[1:], [len(opened)])) - 1
    return Bars(
        opened[first],
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[last],
        np.add.reduceat(bars.volume, first),
    )


def merged(older: Bars, newer: Bars) -> Bars:
    """Return the bars of both, `newer` where both have one that opens at the same moment."""
    times = np.concatenate((newer.times, older.times))
    _, first = np.unique(times, return_index=True)
    columns = (np.concatenate((new, old))[first] for new, old in zip(newer[1:], older[1:], strict=True))
    return Bars(times[first], *columns)


class BarSeries:
    """The bars of one chart. What is appended costs no copy of the rest; `revision` tells that something has changed.

    Thread: the desktop's.
    """

    def __init__(self) -> None:
        self.count = 0
        self.revision = 0
        self.rebuilt = 0
        """Counts the changes after which the places of bars are others: older ones came, or all were replaced."""
        self._times = np.empty(_FIRST_ROOM, np.int64)
        self._figures = np.empty((5, _FIRST_ROOM), np.float64)

    def __len__(self) -> int:
        """Return the number of bars."""
        return self.count

    @property
    def bars(self) -> Bars:
        """Return the columns as they are now: views, not copies."""
        return Bars(self._times[: self.count], *self._figures[:, : self.count])

    @property
    def last_time(self) -> int:
        """Return when the last bar opens, 0 where there is none."""
        return int(self._times[self.count - 1]) if self.count else 0

    def clear(self) -> None:
        """Forget all bars, and let go of their room."""
        self.count = 0
        self._times, self._figures = np.empty(_FIRST_ROOM, np.int64), np.empty((5, _FIRST_ROOM), np.float64)
        self._changed(rebuilt=True)

    def merge(self, bars: Bars) -> int:
        """Put bars among those that are here, in whose place they come; returns how many were put before the first one."""
        before = int(self._times[0]) if self.count else 0
        whole = merged(self.bars, bars)
        self.count = len(whole.times)
        room = max(_FIRST_ROOM, self.count + self.count // 4)
        self._times, self._figures = np.empty(room, np.int64), np.empty((5, room), np.float64)
        self._times[: self.count] = whole.times
        for place, column in enumerate(whole[1:]):
            self._figures[place, : self.count] = column
        self._changed(rebuilt=True)
        return int(np.searchsorted(whole.times, before)) if before else 0

    def put(self, time_ns: int, figures: tuple[float, float, float, float, float]) -> None:
        """Put one bar: in the place of the one that opens then, else where it belongs; mostly at the end."""
        last = self.last_time
        if time_ns == last and self.count:
            self._figures[:, self.count - 1] = figures
        elif time_ns > last:
            self._make_room()
            self._times[self.count] = time_ns
            self._figures[:, self.count] = figures
            self.count += 1
        else:
            place = int(np.searchsorted(self._times[: self.count], time_ns))
            if self._times[place] != time_ns:
                self.merge(Bars(np.array([time_ns], np.int64), *(np.array([one], np.float64) for one in figures)))
                return
            self._figures[:, place] = figures
        self._changed()

    def figures(self, place: int) -> tuple[float, float, float, float, float]:
        """Return open, high, low, close and volume of one bar."""
        opened, high, low, close, volume = self._figures[:, place].tolist()
        return opened, high, low, close, volume

    def _make_room(self) -> None:
        if self.count == len(self._times):
            self._times = np.concatenate((self._times, np.empty_like(self._times)))
            self._figures = np.concatenate((self._figures, np.empty_like(self._figures)), axis=1)

    def _changed(self, *, rebuilt: bool = False) -> None:
        self.revision += 1
        self.rebuilt += rebuilt
