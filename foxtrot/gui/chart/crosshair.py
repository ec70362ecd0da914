"""The cross that follows the mouse, and the names of what is drawn in a pane."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from foxtrot.gui.chart.candle_item import PlotItem
from foxtrot.gui.chart.candle_shapes import Scale
from foxtrot.gui.theme import Theme


class CrossItem(PlotItem):
    """A line at a bar, and where the mouse is in this pane another at its height.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.bar: int | None = None
        self.value: float | None = None
        self._pen = QPen(QColor(theme.colours.dim), 1, Qt.PenStyle.DashLine)
        self.setZValue(30)

    def point(self, bar: int | None, value: float | None) -> None:
        """Point at a bar and a value; None for neither."""
        if (bar, value) != (self.bar, self.value):
            self.bar, self.value = bar, value
            self.update()

    def draw(self, painter: QPainter, scale: Scale) -> None:
        """Draw the lines."""
        rect = self.seen()
        painter.setPen(self._pen)
        if self.bar is not None:
            x = round(self.bar * scale.kx + scale.dx)
            painter.drawLine(
                QPointF(x, rect.top() * scale.ky + scale.dy), QPointF(x, rect.bottom() * scale.ky + scale.dy)
            )
        if self.value is not None:
            y = round(self.value * scale.ky + scale.dy)
            painter.drawLine(
                QPointF(rect.left() * scale.kx + scale.dx, y), QPointF(rect.right() * scale.kx + scale.dx, y)
            )


Name = tuple[str, str]
"""A text and its colour."""


class NamesItem(PlotItem):
    """The names and values of what is drawn, at the top of a pane; goes on in the next row where there is no room."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.names: tuple[Name, ...] = ()
        self._theme = theme
        self._font = theme.font()
        self._metrics = QFontMetricsF(self._font)
        self._ground = QColor(theme.colours.panel)
        self._ground.setAlpha(190)
        self.setZValue(25)

    def show_names(self, names: tuple[Name, ...]) -> None:
        """Write these from the next repaint on."""
        if names != self.names:
            self.names = names
            self.update()

    def draw(self, painter: QPainter, scale: Scale) -> None:
        """Write them."""
        rect = self.seen()
        left, right = rect.left() * scale.kx + scale.dx + 6, rect.right() * scale.kx + scale.dx
        x, y = left, rect.bottom() * scale.ky + scale.dy + self._metrics.ascent() + 3
        painter.setFont(self._font)
        for text, colour in self.names:
            wide = self._metrics.horizontalAdvance(text)
            if x > left and x + wide > right:
                x, y = left, y + self._metrics.height()
            painter.fillRect(QRectF(x - 3, y - self._metrics.ascent(), wide + 6, self._metrics.height()), self._ground)
            painter.setPen(QColor(colour))
            painter.drawText(QPointF(x, y), text)
            x += wide + self._theme.pixels(12)
