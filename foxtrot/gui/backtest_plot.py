"""Prices with trades, equity and its fall, one above the other over the same time."""

from math import floor, log10
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from foxtrot.backtest.details import BacktestDetails
from foxtrot.domain.enums import Side
from foxtrot.gui.numbers import MINUS
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

SECOND_NS: Final = 1_000_000_000
MARK_PIXELS: Final = 9
AXIS_PIXELS: Final = 84
WINDOW_SHARE: Final = 0.06
"""How much of all time is shown around a trade that was chosen."""


class PlainAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph tells no types
    """An axis whose figures are written out, never as a power of ten."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        """Return the figures with as many decimals as their distance needs."""
        decimals = max(0, -floor(log10(spacing * scale))) if spacing > 0 else 0
        return [f"{value * scale:,.{min(decimals, 8)}f}".replace("-", MINUS) for value in values]


class BacktestPlot(pg.GraphicsLayoutWidget):  # type: ignore[misc]  # pyqtgraph tells no types
    """Draws one backtest.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.moment_ns = 0
        """What was looked at last."""
        self._span = (0.0, 1.0)
        self.setBackground(theme.colours.panel)
        colours = theme.colours
        self.prices = self._plot(0, tr("backtest.prices"))
        self.equity = self._plot(1, tr("backtest.equity"))
        self.fall = self._plot(2, tr("backtest.drawdown"))
        for plot in (self.equity, self.fall):
            plot.setXLink(self.prices)
        for plot in (self.prices, self.equity):
            plot.getAxis("bottom").setStyle(showValues=False)
        for row, stretch in enumerate((4, 4, 2)):
            self.ci.layout.setRowStretchFactor(row, stretch)
        self.price_line = self.prices.plot(pen=pg.mkPen(colours.dim))
        self.marks = pg.ScatterPlotItem(pxMode=True)
        self.prices.addItem(self.marks)
        self.equity_line = self.equity.plot(pen=pg.mkPen(colours.accent, width=theme.pixels(1.5)))
        ground = QColor(colours.danger)
        ground.setAlpha(70)
        self.fall_line = self.fall.plot(pen=pg.mkPen(colours.danger), fillLevel=0.0, brush=ground)
        for line in (self.price_line, self.equity_line, self.fall_line):
            line.setClipToView(True)
            line.setDownsampling(auto=True, method="peak")
        self._cursors = [self._cursor(plot) for plot in (self.prices, self.equity, self.fall)]

    def show_details(self, details: BacktestDetails | None) -> None:
        """Draw a backtest, or nothing."""
        self.moment_ns = 0
        for cursor in self._cursors:
            cursor.hide()
        if details is None:
            for line in (self.price_line, self.equity_line, self.fall_line):
                line.setData([], [])
            self.marks.clear()
            return
        times = np.asarray(details.time_ns, np.float64) / SECOND_NS
        self.equity_line.setData(times, np.asarray(details.equity))
        self.fall_line.setData(times, 100.0 * np.asarray(details.drawdown))
        self._draw_prices(details)
        self._span = (float(times[0]), float(times[-1]))
        self.show_all()

    def show_all(self) -> None:
        """Show all of the time."""
        low, high = self._span
        self.prices.setXRange(low, high if high > low else low + 1.0, padding=0.01)

    def look_at(self, moment_ns: int) -> None:
        """Mark a moment, and bring it into view."""
        self.moment_ns = moment_ns
        at = moment_ns / SECOND_NS
        for cursor in self._cursors:
            cursor.setValue(at)
            cursor.show()
        half = max((self._span[1] - self._span[0]) * WINDOW_SHARE / 2, 1.0)
        self.prices.setXRange(at - half, at + half, padding=0.0)

    def _draw_prices(self, details: BacktestDetails) -> None:
        prices = details.prices
        self.prices.setVisible(prices is not None)
        if prices is None:
            self.price_line.setData([], [])
            self.marks.clear()
            return
        self.price_line.setData(np.asarray(prices.time_ns, np.float64) / SECOND_NS, np.asarray(prices.close))
        colours, size = self._theme.colours, self._theme.pixels(MARK_PIXELS)
        spots: list[dict[str, Any]] = []
        for fill in details.fills:
            if fill.instrument_id not in ("", prices.instrument_id):
                continue
            buys = fill.side is Side.BUY
            colour = colours.up if buys else colours.down
            spots.append(
                {
                    "pos": (fill.time_ns / SECOND_NS, fill.price), "symbol": "t1" if buys else "t", "size": size,
                    "brush": pg.mkBrush(colour), "pen": pg.mkPen(colours.panel),
                }
            )  # fmt: skip
        self.marks.setData(spots)

    def _plot(self, row: int, title: str) -> Any:
        colours = self._theme.colours
        axes = {"bottom": pg.DateAxisItem(utcOffset=0), "left": PlainAxis("left")}
        plot = self.addPlot(row=row, col=0, axisItems=axes)
        for axis in axes.values():
            axis.setPen(colours.line)
            axis.setTextPen(colours.dim)
            axis.setStyle(tickFont=self._theme.font())
            axis.enableAutoSIPrefix(False)
        axes["left"].setWidth(self._theme.pixels(AXIS_PIXELS))
        axes["left"].setLabel(title, color=colours.dim)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=True, y=False)
        plot.enableAutoRange("y", True)
        plot.setAutoVisible(y=True)
        return plot

    def _cursor(self, plot: Any) -> Any:
        cursor = pg.InfiniteLine(angle=90, pen=pg.mkPen(self._theme.colours.warning, style=Qt.PenStyle.DashLine))
        cursor.hide()
        plot.addItem(cursor, ignoreBounds=True)
        return cursor
