"""Lines of what is ours over the candles: open orders, stops, the average of a position."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from foxtrot.gui.chart.candle_item import PlotItem
from foxtrot.gui.chart.candle_shapes import Scale
from foxtrot.gui.chart.own_marks import OrderLevel
from foxtrot.gui.theme import Theme

NEAR_PIXELS: Final = 6
"""So near to a line the mouse has hold of it."""


class PriceLine:
    """A line at a price with words on it; `level` is the order that can be moved by it."""

    def __init__(
        self, price: float, text: str, colour: str, style: Qt.PenStyle, level: OrderLevel | None = None
    ) -> None:
        self.price = price
        self.text = text
        self.colour = QColor(colour)
        self.style = style
        self.level = level


class LinesItem(PlotItem):
    """Draws price lines, and over them the line that is being moved.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.lines: tuple[PriceLine, ...] = ()
        self.moving: PriceLine | None = None
        self._theme = theme
        self._font = theme.font()
        self._metrics = QFontMetricsF(self._font)
        self._ground = QColor(theme.colours.panel)
        self._ground.setAlpha(225)
        self.setZValue(20)

    def show_lines(self, lines: tuple[PriceLine, ...]) -> None:
        """Draw these from the next repaint on."""
        self.lines = lines
        self.update()

    def move(self, line: PriceLine | None) -> None:
        """Draw the line that is being moved, or none."""
        self.moving = line
        self.update()

    def draw(self, painter: QPainter, scale: Scale) -> None:
        """Draw every line that is seen; words that would cover others stand beside them."""
        rect = self.seen()
        left, right = rect.left() * scale.kx + scale.dx, rect.right() * scale.kx + scale.dx
        painter.setFont(self._font)
        seen = sorted(
            (line for line in self.lines if rect.top() <= line.price <= rect.bottom()), key=lambda line: -line.price
        )
        shown = [(line, self._colour(line)) for line in seen]
        if self.moving is not None:
            shown.append((self.moving, self.moving.colour))
        for line, colour in shown:
            y = round(line.price * scale.ky + scale.dy)
            painter.setPen(QPen(colour, self._theme.pixels(1), line.style))
            painter.drawLine(QPointF(left, y), QPointF(right, y))
        taken: list[QRectF] = []
        for line, colour in reversed(shown) if self.moving is not None else shown:
            self._draw_label(painter, line.text, colour, (left, right, line.price * scale.ky + scale.dy), taken)

    def _colour(self, line: PriceLine) -> QColor:
        """Return the colour of a line: fainter where it is being moved away."""
        colour = QColor(line.colour)
        if self.moving is not None and line.level is not None and self.moving.level == line.level:
            colour.setAlpha(90)
        return colour

    def _draw_label(
        self, painter: QPainter, text: str, colour: QColor, where: tuple[float, float, float], taken: list[QRectF]
    ) -> None:
        left, right, y = where
        high, wide = self._metrics.height() + 2, self._metrics.horizontalAdvance(text) + 10
        box = free_box(QRectF(left + 6, y - high / 2, wide, high), taken, right)
        taken.append(box)
        painter.setPen(QPen(colour, 1))
        painter.setBrush(self._ground)
        painter.drawRect(box)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def free_box(box: QRectF, taken: list[QRectF], right: float) -> QRectF:
    """Return where a box covers none that was placed before: to the right of them, below where there is no room."""
    beside = QRectF(box)
    while (hit := _first_hit(beside, taken)) is not None and beside.right() <= right:
        beside.moveLeft(hit.right() + 4)
    if hit is None and beside.right() <= right:
        return beside
    below = QRectF(box)
    while (hit := _first_hit(below, taken)) is not None:
        below.moveTop(hit.bottom() + 1)
    return below


def _first_hit(box: QRectF, taken: list[QRectF]) -> QRectF | None:
    return next((other for other in taken if box.intersects(other)), None)


def line_at(lines: tuple[PriceLine, ...], y: float, scale: Scale) -> PriceLine | None:
    """Return the line that can be moved and is nearest to a height in pixels, None where none is near."""
    near = [(abs(line.price * scale.ky + scale.dy - y), line) for line in lines if line.level is not None]
    near = [(far, line) for far, line in near if far <= NEAR_PIXELS]
    return min(near, key=lambda one: one[0])[1] if near else None
