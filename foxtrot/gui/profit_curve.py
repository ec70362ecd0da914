"""The curve of what was made, live."""

from collections import deque
from typing import Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from foxtrot.app.blotter_requests import ProfitPoint
from foxtrot.gui.theme import Theme

MOST: Final = 8_192


class ProfitCurve(pg.PlotWidget):  # type: ignore[misc]
    """A ring of points over time, with a line at zero; painted again only when a point came.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        axes = {"bottom": pg.DateAxisItem(orientation="bottom", utcOffset=0)}
        super().__init__(parent, background=QColor(theme.colours.panel), axisItems=axes)
        self.setObjectName("profit_curve")
        self._points: deque[ProfitPoint] = deque(maxlen=MOST)
        colours = theme.colours
        plot = self.getPlotItem()
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)  # all of it stays in view as it grows
        plot.setClipToView(True)
        plot.setDownsampling(auto=True, mode="peak")
        plot.setContentsMargins(*(theme.pixels(4),) * 4)
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setPen(colours.line)
            axis.setTextPen(colours.dim)
            axis.setTickFont(theme.font())
            axis.enableAutoSIPrefix(False)
        fill = QColor(colours.accent)
        fill.setAlpha(40)
        plot.addItem(pg.InfiniteLine(0.0, 0, pg.mkPen(colours.line, style=Qt.PenStyle.DashLine)))
        self._line = plot.plot([], [], pen=pg.mkPen(colours.accent), fillLevel=0.0, brush=fill)

    @property
    def count(self) -> int:
        """Return how many points there are."""
        return len(self._points)

    @property
    def last_ns(self) -> int:
        """Return when the newest point was, 0 without one."""
        return self._points[-1].time_ns if self._points else 0

    def add(self, points: tuple[ProfitPoint, ...]) -> None:
        """Add newer points."""
        newer = [point for point in points if point.time_ns > self.last_ns]
        if newer:
            self._points.extend(newer)
            self._paint()

    def clear_points(self) -> None:
        """Forget all points."""
        self._points.clear()
        self._paint()

    def _paint(self) -> None:
        times = np.fromiter((point.time_ns / 1e9 for point in self._points), float, len(self._points))
        profits = np.fromiter((float(point.profit) for point in self._points), float, len(self._points))
        self._line.setData(times, profits)
