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
LEAD_PIXELS: Final = 14
"""So far from the axis words end, which leaves room for what leads to their line."""
WORDS_PIXELS: Final = 10
"""What a box is wider than its words."""
MOST_WORDS: Final = 0.36
"""Words that take up more of the width are made brief."""


class PriceLine:
    """A line at a price with words on it; `level` is the order that can be moved by it, `brief` are the words where there is little room."""

    def __init__(
        self, price: float, text: str, colour: str, style: Qt.PenStyle, level: OrderLevel | None = None, brief: str = ""
    ) -> None:
        self.price = price
        self.text = text
        self.colour = QColor(colour)
        self.style = style
        self.level = level
        self.brief = brief or text


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

    def words_width(self, room: float) -> float:
        """Return how many of so many pixels the words of all lines take up at the axis, 0.0 without any."""
        widths = [self._metrics.horizontalAdvance(self._words(line, room)) for line in self.lines]
        return max(widths) + WORDS_PIXELS + 2 * self._theme.pixels(LEAD_PIXELS) if widths else 0.0

    def draw(self, painter: QPainter, scale: Scale) -> None:
        """Draw every line that is seen, and its words at the axis; those of lines that are close stand above each other."""
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
        floor, top = (value * scale.ky + scale.dy for value in (rect.top(), rect.bottom()))
        boxes = self._boxes(
            [(line.price * scale.ky + scale.dy, self._words(line, right - left)) for line, _ in shown],
            right,
            (top, floor),
        )
        for (line, colour), box in zip(shown, boxes, strict=True):
            end = QPointF(right, line.price * scale.ky + scale.dy)
            self._draw_label(painter, self._words(line, right - left), colour, box, end)

    def _words(self, line: PriceLine, room: float) -> str:
        """Return the words of a line: the brief ones where all of them would cover much of the room."""
        return line.text if self._metrics.horizontalAdvance(line.text) <= room * MOST_WORDS else line.brief

    def _boxes(self, places: list[tuple[float, str]], right: float, stretch: tuple[float, float]) -> list[QRectF]:
        """Return where words stand: at the axis, none over another; the lines of those that had to move lead to them."""
        high, lead = self._metrics.height() + 2, self._theme.pixels(LEAD_PIXELS)
        tops = spread([y for y, _ in places], high + 1, *stretch)
        widths = [self._metrics.horizontalAdvance(text) + WORDS_PIXELS for _, text in places]
        return [QRectF(right - lead - wide, top, wide, high) for top, wide in zip(tops, widths, strict=True)]

    def _colour(self, line: PriceLine) -> QColor:
        """Return the colour of a line: fainter where it is being moved away."""
        colour = QColor(line.colour)
        if self.moving is not None and line.level is not None and self.moving.level == line.level:
            colour.setAlpha(90)
        return colour

    def _draw_label(self, painter: QPainter, words: str, colour: QColor, box: QRectF, end: QPointF) -> None:
        """Draw the words of a line in their box, and what leads from there to the line's end at the axis."""
        painter.setPen(QPen(colour, self._theme.pixels(1)))
        painter.drawLine(QPointF(box.right(), box.center().y()), end)
        painter.setBrush(self._ground)
        painter.drawRect(box)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


def spread(places: list[float], high: float, top: float, floor: float) -> list[float]:
    """Return the upper edges of boxes of one height, each as near to its place as it can be without covering another, in their order.

    All are between `top` and `floor` where there is room for all.
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    groups: list[list[float]] = []  # the middle of what its boxes want, how many they are
    for place in (places[number] for number in order):
        groups.append([place, 1.0])
        while len(groups) > 1 and _edge(groups[-2], high) + groups[-2][1] * high > _edge(groups[-1], high):
            (middle, many), (other, more) = groups[-2], groups.pop()
            groups[-1] = [(middle * many + other * more) / (many + more), many + more]
    found = [0.0] * len(places)
    edges = [_edge(group, high) + high * line for group in groups for line in range(int(group[1]))]
    for number, edge in zip(order, _between(edges, high, top, floor), strict=True):
        found[number] = edge
    return found


def _edge(group: list[float], high: float) -> float:
    """Return the upper edge of boxes that stand close together around their middle."""
    return group[0] - group[1] * high / 2


def _between(edges: list[float], high: float, top: float, floor: float) -> list[float]:
    """Return edges that keep their distances and are pushed in from the floor, then from the top."""
    most = floor - high
    for number in reversed(range(len(edges))):
        edges[number] = min(edges[number], most)
        most = edges[number] - high
    least = top
    for number, edge in enumerate(edges):
        edges[number] = max(edge, least)
        least = edges[number] + high
    return edges


def line_at(lines: tuple[PriceLine, ...], y: float, scale: Scale) -> PriceLine | None:
    """Return the line that can be moved and is nearest to a height in pixels, None where none is near."""
    near = [(abs(line.price * scale.ky + scale.dy - y), line) for line in lines if line.level is not None]
    near = [(far, line) for far, line in near if far <= NEAR_PIXELS]
    return min(near, key=lambda one: one[0])[1] if near else None
