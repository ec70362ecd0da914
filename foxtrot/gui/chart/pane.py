"""One pane of a chart: a stretch of values over the bars, its axis, the cross and the names in it."""

from typing import Any, Final, Protocol

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF

from foxtrot.gui.chart.axis import FigureAxis, Tag
from foxtrot.gui.chart.bar_series import FloatArray
from foxtrot.gui.chart.candle_shapes import Scale
from foxtrot.gui.chart.crosshair import CrossItem, NamesItem
from foxtrot.gui.theme import Theme

ROOM: Final = 0.06
"""How much of its height a pane leaves free above and below."""


FAR: Final = 1.0
"""A line of ours that is at most so many heights of the candles away is brought into view."""


class Hand(Protocol):
    """Takes what the mouse does in a pane."""

    def drag(self, box: "ChartBox", event: Any) -> None:
        """Take a drag, from its start to its end."""
        ...

    def wheel(self, box: "ChartBox", event: Any) -> None:
        """Take a turn of the wheel."""
        ...

    def click(self, box: "ChartBox", event: Any) -> None:
        """Take a click."""
        ...


class ChartBox(pg.ViewBox):  # type: ignore[misc]  # pyqtgraph tells no types
    """A view box that hands the mouse on, and never chooses a range itself."""

    def __init__(self, hand: Hand, theme: Theme) -> None:
        super().__init__(enableMenu=False, enableMouse=False, border=pg.mkPen(theme.colours.line), defaultPadding=0)
        self.disableAutoRange()
        self._hand = hand

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: N802
        """Hand it on."""
        event.accept()
        self._hand.drag(self, event)

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: N802
        """Hand it on."""
        event.accept()
        self._hand.wheel(self, event)

    def mouseClickEvent(self, event: Any) -> None:  # noqa: N802
        """Hand it on."""
        self._hand.click(self, event)

    def pixels(self) -> Scale:
        """Return how places and values become pixels of this box."""
        nought, one = self.mapFromView(QPointF(0, 0)), self.mapFromView(QPointF(1, 1))
        return Scale(one.x() - nought.x(), nought.x(), one.y() - nought.y(), nought.y())


class Pane:
    """One pane.

    Thread: the desktop's.
    """

    def __init__(self, hand: Hand, theme: Theme) -> None:
        self.box = ChartBox(hand, theme)
        self.axis = FigureAxis(theme)
        self.axis.linkToView(self.box)
        self.cross, self.names = CrossItem(theme), NamesItem(theme)
        self.range = (0.0, 1.0)
        for item in (self.cross, self.names):
            self.box.addItem(item, ignoreBounds=True)
        self._theme = theme

    def add(self, item: Any) -> None:
        """Put an item into the pane."""
        self.box.addItem(item, ignoreBounds=True)

    def show(self, left: float, right: float, low: float, high: float) -> None:
        """Show these bars and values."""
        self.range = (low, high)
        self.box.setRange(xRange=(left, right), yRange=(low, high), padding=0, disableAutoRange=False)

    def point(self, bar: int | None, value: float | None) -> None:
        """Point the cross at a bar, and at a value where the mouse is in this pane."""
        self.cross.point(bar, value)
        colour = self._theme.colours.raised
        tag = None if value is None else Tag(value, self.axis.text(value, self._fine()), colour, arrow=False)
        if tag is not None or "cross" in self.axis.tags:
            self.axis.put_tag("cross", tag)

    def _fine(self) -> float:
        return (self.range[1] - self.range[0]) / 100


def span(columns: tuple[FloatArray, ...], first: int, end: int) -> tuple[float, float] | None:
    """Return the lowest and the highest value of columns between two places, None where there is none."""
    low, high = np.inf, -np.inf
    for column in columns:
        part = column[first:end]
        part = part[np.isfinite(part)]
        if len(part):
            low, high = min(low, float(part.min())), max(high, float(part.max()))
    return (low, high) if low <= high else None


def with_lines(stretch: tuple[float, float], prices: list[float]) -> tuple[float, float]:
    """Return a stretch that has those prices in it that are not far away; the others would make the candles flat."""
    low, high = stretch
    most = (high - low) * FAR
    near = [price for price in prices if low - most <= price <= high + most]
    return min(low, *near, low), max(high, *near, high)


def with_room(low: float, high: float, least: float = 0.0, head: float = ROOM) -> tuple[float, float]:
    """Return a stretch with some room below and above (`head`, for names), never without height."""
    height = max(high - low, least, abs(high) * 1e-9, 1e-12)
    middle = (low + high) / 2
    return middle - height * (0.5 + ROOM), middle + height * (0.5 + head)
