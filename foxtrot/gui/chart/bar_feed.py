"""Brings a chart its bars: past ones asked of the venue page by page, the open one made of what is streamed."""

from collections.abc import Callable
from itertools import count
from typing import Final
from uuid import uuid4

import numpy as np
from PySide6.QtCore import QObject, Signal

from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.commands import AskHistory, WatchMarket
from foxtrot.core.notices import HistoryLoaded
from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from foxtrot.gui.chart.bar_series import Bars, BarSeries, aggregated, bars_of, bounds_at, merged
from foxtrot.gui.chart.frames import BEGUN_BY, MINUTE, MOST_BARS, PAGE, interval_of
from foxtrot.gui.chart.live_bar import LiveBar
from foxtrot.gui.desk import Desk

_NUMBERS: Final = count(1)
_RUN: Final = uuid4().hex[:8]
"""Tells the questions of this program from those of another that looks at the same platform."""


class BarFeed(QObject):
    """Fills a series with the bars of one instrument and frame.

    `older` tells how many bars came before the first one, `changed` that `busy` or `error` is another.

    Thread: the desktop's.

    Args:
        desk: the way to the platform.
        series: what is filled.
        clock: tells what time it is.
    """

    older = Signal(int)
    newest = Signal()
    changed = Signal()

    def __init__(
        self, desk: Desk, series: BarSeries, clock: Clock | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.series = series
        self.error = ""
        self.busy = False
        self.has_all = False
        self._desk = desk
        self._clock = clock or SystemClock()
        self._account = self._instrument_id = ""
        self._frame = MINUTE
        self._calendar: TradingCalendar = calendar_named("24x7")
        self._live = LiveBar(series, interval_of(MINUTE), self._calendar)
        self._asked: dict[str, Callable[[HistoryLoaded], None]] = {}
        self._minutes: Bars | None = None
        """The minutes of which the bars are made, where the venue has none of this frame."""

    def open(self, instrument: Instrument, account: str, frame: str) -> None:
        """Show another instrument or frame: forget what was, stream it, ask for its newest bars."""
        self._account, self._instrument_id, self._frame = account, instrument.instrument_id, frame
        self._calendar = calendar_named(instrument.calendar)
        self._live = LiveBar(self.series, interval_of(frame), self._calendar)
        self.series.clear()
        self._asked, self._minutes, self.error, self.has_all = {}, None, "", False
        wish = SubscribeRequest(instrument.instrument_id, ticks=True, trades=True, bars=(frame,))
        self._desk.put(WatchMarket(account, wish))
        self.renew()

    def close(self) -> None:
        """Hear of nothing any more."""
        self._instrument_id, self._asked = "", {}
        self.series.clear()

    def renew(self) -> None:
        """Ask for the newest bars again, after the link was lost."""
        if self._instrument_id:
            if not len(self.series):
                self._minutes = None  # that there are no bars of a frame may have been the link's fault
            self._ask_newest()

    def ask_older(self) -> None:
        """Ask for the bars before the first one, unless that is being done or there are none."""
        if self.busy or self.error or self.has_all or not len(self.series) or len(self.series) >= MOST_BARS:
            return
        bars = self._minutes if self._minutes is not None and len(self._minutes.times) else self.series.bars
        self._set_busy()
        self._ask(self._source(), PAGE, int(bars.times[0]), self._take_older)

    # --- facts ------------------------------------------------------------------------------------------------------

    def hear_history(self, loaded: HistoryLoaded) -> None:
        """Take an answer, if this feed has asked."""
        take = self._asked.pop(loaded.request_id, None)
        if take is not None:
            take(loaded)

    def hear_trade(self, trade: MarketTrade) -> None:
        """Take a public print."""
        if trade.instrument_id == self._instrument_id:
            self._live.hear_trade(trade)

    def hear_tick(self, tick: TickData) -> None:
        """Take a quote."""
        if tick.instrument_id == self._instrument_id:
            self._live.hear_tick(tick)

    def hear_bar(self, bar: BarData) -> None:
        """Take a closed bar."""
        if bar.instrument_id == self._instrument_id:
            self._live.hear_bar(bar)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _ask_newest(self) -> None:
        self._set_busy()
        self._ask(self._source(), PAGE, self._clock.now_ns(), self._take_newest)

    def _source(self) -> str:
        return self._frame if self._minutes is None else MINUTE

    def _ask(self, interval: str, most: int, end_ns: int, take: Callable[[HistoryLoaded], None]) -> None:
        request_id = f"chart-{_RUN}-{next(_NUMBERS)}"
        self._asked[request_id] = take
        request = HistoryRequest(request_id, self._instrument_id, interval, most, end_ns)
        if not self._desk.put(AskHistory(self._account, request)):
            del self._asked[request_id]
            self._set_busy(busy=False)

    def _take_newest(self, loaded: HistoryLoaded) -> None:
        if loaded.error and self._frame != MINUTE and self._minutes is None:
            self._minutes = bars_of(())  # the venue has none of this frame: they are made of minutes
            self._ask_newest()
            return
        self._take(loaded)
        if self._minutes is None and self._frame in BEGUN_BY and not loaded.error:
            self._ask_beginning()
        self._set_busy(busy=False)
        self.newest.emit()

    def _take_older(self, loaded: HistoryLoaded) -> None:
        before = len(self.series)
        came = self._take(loaded)
        self.has_all = not loaded.error and len(self.series) == before
        self._set_busy(busy=False)
        if came:
            self.older.emit(came)

    def _take(self, loaded: HistoryLoaded) -> int:
        self.error = loaded.error
        if not loaded.bars:
            return 0
        bars = bars_of(loaded.bars)
        if self._minutes is not None:
            self._minutes = merged(self._minutes, bars)
            bars = self._made_of_minutes(self._minutes)
        return self.series.merge(bars)

    def _made_of_minutes(self, minutes: Bars) -> Bars:
        """Return closed bars; what is open still goes to the live bar as its beginning."""
        whole = aggregated(minutes, interval_of(self._frame), self._calendar)
        now_ns = self._clock.now_ns()
        is_open = bool(whole.times[-1] + interval_of(self._frame).duration_ns > now_ns)
        if is_open and self._live.wants_beginning:
            self._live.take_beginning(minutes, interval_of(MINUTE).duration_ns)
        return whole.part(0, len(whole.times) - 1) if is_open else whole

    def _ask_beginning(self) -> None:
        now_ns, part = self._clock.now_ns(), BEGUN_BY[self._frame]
        opened, _ = bounds_at(now_ns, interval_of(self._frame), self._calendar)
        most = (now_ns - opened) // interval_of(part).duration_ns
        if most > 0:
            self._ask(part, min(PAGE, int(most)), now_ns, self._take_beginning)

    def _take_beginning(self, loaded: HistoryLoaded) -> None:
        if loaded.bars:
            bars = bars_of(loaded.bars)
            length = interval_of(self._frame)
            last = aggregated(bars, length, self._calendar).times[-1]
            of_last = np.searchsorted(bars.times, last)
            minutes = bars.part(int(of_last), len(bars.times))
            self._live.take_beginning(minutes, interval_of(loaded.interval).duration_ns)

    def _set_busy(self, *, busy: bool = True) -> None:
        self.busy = busy
        self.changed.emit()
