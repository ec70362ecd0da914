"""The items that paint bars: only those that are seen, and no more shapes than there are pixels."""

from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QTransform

from foxtrot.gui.chart.bar_series import BarSeries, FloatArray
from foxtrot.gui.chart.candle_shapes import Scale, candles, columns, dashed, polyline, visible
from foxtrot.gui.theme import Theme

FAINT: Final = 150
"""How opaque the bars of volume are, of 255."""


FEW_PIECES: Final = 400
"""Lines of fewer pieces are drawn smoothly."""


class PlotItem(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph tells no types
    """An item as large as what is seen of its plot, painted in pixels.

    Thread: the desktop's.
    """

    def boundingRect(self) -> QRectF:  # noqa: N802
        """Return what is seen of the plot."""
        box = self.getViewBox()
        return QRectF(0, 0, 1, 1) if box is None else QRectF(box.viewRect())

    def viewTransformChanged(self) -> None:  # noqa: N802
        """Take the new view as the item's size."""
        self.prepareGeometryChange()

    def seen(self) -> QRectF:
        """Return what is seen, in places and values."""
        return self.boundingRect()

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint in pixels."""
        into = painter.worldTransform()
        painter.save()
        painter.setClipRect(self.boundingRect())
        painter.setWorldTransform(QTransform())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self.draw(painter, Scale(into.m11(), into.dx(), into.m22(), into.dy()))
        painter.restore()

    def draw(self, painter: QPainter, scale: Scale) -> None:
        """Draw what the item shows; the painter counts in pixels."""
        raise TypeError(f"{type(self).__name__} draws nothing: it must have a draw method of its own")


class Pieces:
    """Rectangles and lines that are drawn by one call each."""

    def __init__(self) -> None:
        self._rectangles = PrimitiveArray(QRectF, 4)
        self._lines = PrimitiveArray(QLineF, 4)

    def rectangles(self, painter: QPainter, rows: FloatArray) -> None:
        """Draw rectangles of x, y, width, height."""
        if len(rows):
            self._rectangles.resize(len(rows))
            self._rectangles.ndarray()[:] = rows
            painter.drawRects(*self._rectangles.drawargs())

    def lines(self, painter: QPainter, rows: FloatArray) -> None:
        """Draw lines of x1, y1, x2, y2."""
        if len(rows):
            self._lines.resize(len(rows))
            self._lines.ndarray()[:] = rows
            painter.drawLines(*self._lines.drawargs())


class CandleItem(PlotItem):
    """Candles: hollow where the price rose, filled where it fell, so that colour alone tells nothing."""

    def __init__(self, series: BarSeries, theme: Theme) -> None:
        super().__init__()
        self.series = series
        self._pieces = Pieces()
        self._up, self._down = QColor(theme.colours.up), QColor(theme.colours.down)
        self._ground = QBrush(QColor(theme.colours.panel))
        self._width = theme.pixels(1)

    def draw(self, painter: QPainter, scale: Scale) -> None:
        """Draw the candles that are seen."""
        rect = self.seen()
        first, end = visible(len(self.series), rect.left(), rect.right())
        shapes = candles(self.series.bars, first, end, scale)
        for colour, bodies, wicks, brush in (
            (self._up, shapes.up_bodies, shapes.up_wicks, self._ground),
            (self._down, shapes.down_bodies, shapes.down_wicks, QBrush(self._down)),
        ):
            painter.setPen(QPen(colour, self._width))
            painter.setBrush(brush)
            self._pieces.lines(painter, wicks)
            self._pieces.rectangles(painter, bodies)


class VolumeItem(PlotItem):
    """Volume: a column a bar, hollow where the price rose."""

    def __init__(self, series: BarSeries, theme: Theme) -> None:
        super().__init__()
        self.series = series
        self._pieces = Pieces()
        self._colours = []
        for name in (theme.colours.up, theme.colours.down):
            colour = QColor(name)
            colour.setAlpha(FAINT)
            self._colours.append(colour)

    def draw(self, painter: QPainter, scale: Scale) -> None:
        """Draw the columns that are seen."""
        rect = self.seen()
        first, end = visible(len(self.series), rect.left(), rect.right())
        rose, fell = columns(self.series.bars, first, end, scale)
        painter.setPen(QPen(self._colours[0]) if scale.kx >= 4 else Qt.PenStyle.NoPen)
        painter.setBrush(Qt.BrushStyle.NoBrush if scale.kx >= 4 else QBrush(self._colours[0]))
        self._pieces.rectangles(painter, rose - np.array([0.0, 0.0, 1.0, 0.0]) if scale.kx >= 4 else rose)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(self._colours[1]))
        self._pieces.rectangles(painter, fell)


class LineItem(PlotItem):
    """One line of an indicator; fainter, dashed or dotted, so that lines of one indicator are told apart without colour."""

    def __init__(self, colour: str, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> None:
        super().__init__()
        self.values: FloatArray = np.empty(0)
        self._pieces = Pieces()
        self._pen = QPen(QColor(colour), width, style)

    def show_values(self, values: FloatArray) -> None:
        """Draw these from the next repaint on."""
        self.values = values
        self.update()

    def draw(self, painter: QPainter, scale: Scale) -> None:
        """Draw the part that is seen."""
        rect = self.seen()
        first, end = visible(len(self.values), rect.left(), rect.right())
        rows = polyline(self.values, first, end, scale)
        few = len(rows) < FEW_PIECES
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, few)
        painter.setPen(self._pen)
        if self._pen.style() is Qt.PenStyle.SolidLine or not len(rows):
            self._pieces.lines(painter, rows)
        elif few:  # a dash goes on from piece to piece
            ends = np.concatenate((rows[:, :2], rows[-1:, 2:]))
            painter.drawPolyline([QPointF(x, y) for x, y in ends.tolist()])
        else:  # Qt measures the way of every dash, which takes seconds for steep lines
            painter.setPen(QPen(self._pen.color(), self._pen.widthF()))
            self._pieces.lines(painter, dashed(rows, dotted=self._pen.style() is Qt.PenStyle.DotLine))


class LevelItem(PlotItem):
    """Levels that mean something in an indicator's pane, such as 30 and 70."""

    def __init__(self, levels: tuple[float, ...], colour: str) -> None:
        super().__init__()
        self._levels = levels
        self._pen = QPen(QColor(colour), 1, Qt.PenStyle.DotLine)

    def draw(self, painter: QPainter, scale: Scale) -> None:
        """Draw them over the whole width."""
        rect = self.seen()
        painter.setPen(self._pen)
        for level in self._levels:
            y = level * scale.ky + scale.dy
            painter.drawLine(
                QPointF(rect.left() * scale.kx + scale.dx, y), QPointF(rect.right() * scale.kx + scale.dx, y)
            )
