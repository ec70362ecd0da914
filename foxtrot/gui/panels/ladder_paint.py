"""The brush of a ladder: how a row looks, in the colours of a theme."""

from enum import IntEnum
from typing import Final

from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from foxtrot.domain.enums import Side
from foxtrot.gui.panels.ladder_model import LadderRow, OwnMark
from foxtrot.gui.theme import Theme

ROW_HEIGHT: Final = 18


class Place(IntEnum):
    """The columns, from the left."""

    BUYS = 0
    BIDS = 1
    PRICE = 2
    ASKS = 3
    SELLS = 4


SHARES: Final = (0.21, 0.29, 0.0, 0.29, 0.21)
"""How much of the width beside the prices each column has."""
PRICE_PADDING: Final = 22


class LadderBrush:
    """Paints rows and frames.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme) -> None:
        self.font = theme.number_font()
        metrics = QFontMetrics(self.font)
        self._char = metrics.horizontalAdvance("0")
        self.row_height = max(theme.pixels(ROW_HEIGHT), metrics.height() + 2)
        self._base = (self.row_height + metrics.ascent() - metrics.descent()) // 2
        self.edges = [0] * (len(SHARES) + 1)
        self._take_colours(theme)

    def take_width(self, width: int, price_letters: int) -> None:
        """Give the prices the room that they need, and each other column its share of the rest."""
        prices = min(width // 2, price_letters * self._char + PRICE_PADDING)
        done = 0.0
        for place, share in enumerate(SHARES):
            self.edges[place] = int(done)
            done += prices if place == Place.PRICE else (width - prices) * share
        self.edges[-1] = width

    def place_at(self, x: int) -> Place:
        """Return the column at a distance from the left."""
        return next((place for place in Place if x < self.edges[place + 1]), Place.SELLS)

    def row(self, painter: QPainter, row: LadderRow, top: int, *, lit: bool) -> None:
        """Paint one row; `lit` where the mouse is."""
        x, height, base = self.edges, self.row_height, top + self._base
        if lit:
            painter.fillRect(x[0], top, x[5], height, self._lit)
        painter.fillRect(x[2], top, x[3] - x[2], height, self._accent if row.is_last else self._raised)
        if row.bid:
            length = max(1, int((x[2] - x[1]) * row.bid_share))
            painter.fillRect(x[2] - length, top + 1, length, height - 2, self._bid_bar)
            painter.setPen(self._text)
            self._right(painter, row.bid, x[1], x[2] - 5, base)
        if row.ask:
            length = max(1, int((x[4] - x[3]) * row.ask_share))
            painter.fillRect(x[3], top + 1, length, height - 2, self._ask_bar)
            painter.setPen(self._text)
            self._left(painter, row.ask, x[3] + 5, x[4], base)
        self._price(painter, row, base)
        if row.buys is not None:
            self._own(painter, row.buys, QRect(x[0] + 2, top + 1, x[1] - x[0] - 4, height - 2), self.up)
        if row.sells is not None:
            self._own(painter, row.sells, QRect(x[4] + 2, top + 1, x[5] - x[4] - 4, height - 2), self.down)
        if row.is_average:
            painter.fillRect(x[0], top + height - 2, x[5], 2, self._average)

    def columns(self, painter: QPainter, bottom: int) -> None:
        """Paint the lines between the columns."""
        painter.setPen(self._line)
        for edge in self.edges[1:-1]:
            painter.drawLine(edge, 0, edge, bottom)

    def marked(self, painter: QPainter, side: Side, top: int) -> None:
        """Frame a cell that waits for a yes."""
        left, right = (self.edges[0], self.edges[2]) if side is Side.BUY else (self.edges[3], self.edges[5])
        painter.setPen(self._text)
        painter.drawRect(left, top, right - left - 1, self.row_height - 1)
        painter.drawRect(left + 1, top + 1, right - left - 3, self.row_height - 3)

    def target(self, painter: QPainter, side: Side, top: int) -> None:
        """Frame the row to which an order is dragged."""
        painter.setPen(self.up if side is Side.BUY else self.down)
        painter.drawRect(0, top, self.edges[5] - 1, self.row_height - 1)

    def _price(self, painter: QPainter, row: LadderRow, base: int) -> None:
        x = self.edges
        if row.is_last:
            painter.setPen(self._on_colour)
            painter.drawText(x[2] + 4, base, "▸")
        else:
            painter.setPen(self._text if row.bid or row.ask or row.is_round else self._dim)
        self._right(painter, row.price, x[2], x[3] - 6, base)

    def _own(self, painter: QPainter, mark: OwnMark, room: QRect, colour: QColor) -> None:
        if mark.is_foreign or mark.is_pending:
            painter.setPen(colour)
            painter.drawRect(room.adjusted(0, 0, -1, -1))
            painter.setPen(self._text)
        else:
            painter.fillRect(room, colour)
            painter.setPen(self._on_colour)
        self._right(painter, mark.text, room.left(), room.right() - 2, room.top() - 1 + self._base)

    def _right(self, painter: QPainter, text: str, left: int, right: int, base: int) -> None:
        """Write to the right; what has no room loses its end and says so, never its beginning."""
        room = (right - left) // self._char
        if len(text) > room:
            text = text[: max(0, room - 1)] + "…"
        painter.drawText(right - len(text) * self._char, base, text)

    def _left(self, painter: QPainter, text: str, left: int, right: int, base: int) -> None:
        room = (right - left) // self._char
        painter.drawText(left, base, text if len(text) <= room else text[: max(0, room - 1)] + "…")

    def _take_colours(self, theme: Theme) -> None:
        colours = theme.colours
        self.panel, self._raised, self._line = (QColor(c) for c in (colours.panel, colours.window, colours.line))
        self._text, self._dim, self._accent = (QColor(c) for c in (colours.text, colours.dim, colours.accent))
        self.up, self.down, self._average = QColor(colours.up), QColor(colours.down), QColor(colours.warning)
        self._on_colour = QColor("#ffffff")
        self._lit = QColor(colours.accent)
        self._lit.setAlpha(34)
        self._bid_bar, self._ask_bar = QColor(colours.up), QColor(colours.down)
        for bar in (self._bid_bar, self._ask_bar):
            bar.setAlpha(95)
