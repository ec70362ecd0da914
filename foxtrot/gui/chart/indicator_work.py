"""Computes indicators: at once where that is little, else on a thread of its own, so that the window never waits."""

from functools import partial
from typing import Final

from PySide6.QtCore import QElapsedTimer, QObject, QThreadPool, Signal

from foxtrot.gui.chart.bar_series import Bars, BarSeries
from foxtrot.gui.chart.indicators import Chosen, Lines, computed

AT_ONCE: Final = 4_000
"""So many bars are computed within a flush: below a millisecond for an indicator."""
EVERY_MS: Final = 400
"""A long series that changes is computed anew so often at most."""
WAIT_MS: Final = 2_000
Found = dict[Chosen, Lines]


class IndicatorWork(QObject):
    """Keeps the lines of the chosen indicators up to date.

    `found` has them; lines may be shorter than the series by the bars that came since. `changed` tells that there are new ones.

    Thread: the desktop's; long series are computed on a thread of the pool, from copies.

    Args:
        series: the bars.
    """

    changed = Signal()
    _done = Signal(object, object)

    def __init__(self, series: BarSeries, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.found: Found = {}
        self.wanted: tuple[Chosen, ...] = ()
        self._series = series
        self._shown: object = None
        self._busy = False
        self._since = QElapsedTimer()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._done.connect(self._take)

    def want(self, wanted: tuple[Chosen, ...]) -> None:
        """Compute these from now on."""
        self.wanted = wanted
        self.found = {one: lines for one, lines in self.found.items() if one in wanted}
        self._since.invalidate()
        self.look()

    def look(self) -> None:
        """Compute anew if bars have changed; called once a flush."""
        series = self._series
        state = (series.rebuilt, series.revision, self.wanted)
        if state == self._shown or self._busy:
            return
        if self._shown is not None and isinstance(self._shown, tuple) and self._shown[0] != series.rebuilt:
            self.found = {}  # their places are others now
            self._since.invalidate()
        if not self.wanted or len(series) <= AT_ONCE:
            self._shown, self.found = state, computed(series.bars, self.wanted)
            self.changed.emit()
        elif not self._since.isValid() or self._since.elapsed() >= EVERY_MS:
            self._begin(state)

    def leave(self) -> None:
        """Compute no more.

        Blocks: for what is being computed, mostly some hundredths of a second.
        """
        self._pool.clear()
        self._pool.waitForDone(WAIT_MS)

    def _begin(self, state: object) -> None:
        self._busy, self._shown = True, state
        self._since.restart()
        copies = self._series.bars.copied()
        self._pool.start(partial(self._compute, state, copies, self.wanted))

    def _compute(self, state: object, bars: Bars, wanted: tuple[Chosen, ...]) -> None:
        found: Found | None = None
        try:
            found = computed(bars, wanted)
        finally:
            self._done.emit(state, found)

    def _take(self, state: object, found: Found | None) -> None:
        self._busy = False
        if found is not None and isinstance(state, tuple) and state[0] == self._series.rebuilt:
            self.found = {one: lines for one, lines in found.items() if one in self.wanted}
            self.changed.emit()
        if not isinstance(state, tuple) or state[2] != self.wanted or state[0] != self._series.rebuilt:
            self._shown = None
            self._since.invalidate()
