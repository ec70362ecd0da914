"""The bar that is not closed yet, made of prints and quotes, and set right by the venue's bar at its close."""

from typing import Final

from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.gui.chart.bar_series import Bars, BarSeries, aggregated, bounds_at
from foxtrot.gui.chart.frames import MINUTE

MOST_KEPT: Final = 200_000
"""Prints of the open bar that are kept until its beginning is known."""
Print = tuple[int, float, float]
"""Time, price, size."""


class LiveBar:
    """Puts what is traded now at the end of a series.

    Where prints are streamed they make the bar; else the last prices of quotes do, which know no volume.

    Thread: the desktop's.

    Args:
        series: where the bar goes.
        interval: of the series.
        calendar: when bars begin and end.
    """

    def __init__(self, series: BarSeries, interval: Interval, calendar: TradingCalendar) -> None:
        self._series = series
        self._interval = interval
        self._calendar = calendar
        self._bounds = (0, 0)
        self._closed_ns = 0
        self._has_prints = False
        self._kept: list[Print] = []
        self.wants_beginning = interval.text != MINUTE
        """Whether what was traded in the open bar before the chart was opened is not known yet."""

    def hear_trade(self, trade: MarketTrade) -> None:
        """Take a public print."""
        self._has_prints = True
        self._take((trade.venue_time_ns or trade.local_time_ns, trade.price, trade.size))

    def hear_tick(self, tick: TickData) -> None:
        """Take the last price of a quote, where no prints are streamed."""
        if tick.last_price and not self._has_prints:
            self._take((tick.venue_time_ns or tick.local_time_ns, tick.last_price, 0.0))

    def hear_bar(self, bar: BarData) -> None:
        """Take a bar that the venue has closed."""
        if bar.interval != self._interval.text:
            return
        self._series.put(bar.open_time_ns, (bar.open, bar.high, bar.low, bar.close, bar.volume))
        if bar.close_time_ns > self._closed_ns:
            self._closed_ns = bar.close_time_ns
            if bar.close_time_ns > self._bounds[0] > 0:
                self._forget_beginning()

    def take_beginning(self, minutes: Bars, minute_ns: int) -> None:
        """Take the shorter closed bars of which the open bar has begun; the prints after them come on top."""
        self.wants_beginning = False
        whole = aggregated(minutes, self._interval, self._calendar)
        if not len(whole.times) or whole.times[-1] < self._closed_ns or whole.times[-1] < self._series.last_time:
            return
        opened = int(whole.times[-1])
        known_ns = int(minutes.times[-1]) + minute_ns
        kept = [one for one in self._kept if one[0] >= known_ns]
        figures = [float(column[-1]) for column in whole[1:]]
        self._series.put(opened, (figures[0], figures[1], figures[2], figures[3], figures[4]))
        self._kept = []
        for one in kept:
            self._add(opened, one)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _take(self, one: Print) -> None:
        moment = one[0]
        if moment < self._closed_ns or moment < self._bounds[0]:  # of a bar that is over
            return
        if moment >= self._bounds[1]:
            self._move_to(moment)
        if self._bounds[0] < self._series.last_time:
            return
        if self.wants_beginning and len(self._kept) < MOST_KEPT:
            self._kept.append(one)
        self._add(self._bounds[0], one)

    def _move_to(self, moment: int) -> None:
        if self._bounds[0]:  # the next bar is heard from its beginning
            self._forget_beginning()
        self._bounds = bounds_at(moment, self._interval, self._calendar)

    def _forget_beginning(self) -> None:
        self.wants_beginning = False
        self._kept = []

    def _add(self, opened_ns: int, one: Print) -> None:
        _, price, size = one
        if opened_ns != self._series.last_time:
            self._series.put(opened_ns, (price, price, price, price, size))
            return
        opened, high, low, _, volume = self._series.figures(len(self._series) - 1)
        self._series.put(opened_ns, (opened, max(high, price), min(low, price), price, volume + size))
