"""Paints an order book as two flights of steps, with what the mouse points at in figures."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QWidget

from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthData
from foxtrot.gui.chart.axis import round_step, short_text
from foxtrot.gui.chart.depth_shapes import Side, side_of, span_of, stairs
from foxtrot.gui.numbers import money_text, price_decimals, price_text, size_decimals, size_text
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

FAINT: Final = 70
LEAST_SHARE: Final = 0.02


class DepthView(QWidget):
    """One book; the wheel looks nearer or farther.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.share = 1.0
        """How much of the book is seen, of 1."""
        self.instrument: Instrument | None = None
        self.bids, self.asks = side_of((), falls=True), side_of((), falls=False)
        self._theme = theme
        self._font = theme.font()
        self._metrics = QFontMetricsF(self._font)
        self._mouse: float | None = None
        self.setMouseTracking(True)

    def show_book(self, book: DepthData | None) -> None:
        """Show a book, or none."""
        self.bids = side_of(book.bids if book is not None else (), falls=True)
        self.asks = side_of(book.asks if book is not None else (), falls=False)
        self.update()

    def words_at(self, price: float) -> str:
        """Return what could be traded down to a price: how much, for how much, and how far that is from the middle."""
        if not len(self.bids.prices) or not len(self.asks.prices):
            return ""
        middle = float(self.bids.prices[0] + self.asks.prices[0]) / 2
        side, name = (self.bids, "bids") if price < middle else (self.asks, "asks")
        place = side.at(price)
        sizes, amounts = (side.sizes[place], side.amounts[place]) if place >= 0 else (0.0, 0.0)
        quote = "" if self.instrument is None else self.instrument.quote_asset
        return tr(
            f"depth.{name}",
            price=price_text(price, price_decimals(self.instrument)),
            size=size_text(float(sizes), size_decimals(self.instrument)),
            amount=f"{short_text(float(amounts))} {quote}".strip(),
            away=money_text((price / middle - 1) * 100, 2, signed=True),
        )

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the steps, the axes and the figures."""
        painter = QPainter(self)
        painter.setFont(self._font)
        colours = self._theme.colours
        painter.fillRect(self.rect(), QColor(colours.panel))
        low, high, most = span_of(self.bids, self.asks, self.share)
        if not high > low or most <= 0.0:
            painter.setPen(QColor(colours.dim))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("depth.none"))
            return
        area = self._area(most)
        for side, edge, colour in ((self.bids, low, colours.up), (self.asks, high, colours.down)):
            self._paint_side(painter, side, (edge, low, high, most * 1.08), area, colour)
        self._paint_axes(painter, area, (low, high, most * 1.08))
        if self._mouse is not None and area.left() <= self._mouse <= area.right():
            price = low + (self._mouse - area.left()) / area.width() * (high - low)
            painter.setPen(QPen(QColor(colours.dim), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(self._mouse, area.top()), QPointF(self._mouse, area.bottom()))
            self._paint_words(painter, self.words_at(self.on_grid(price)), area)

    def on_grid(self, price: float) -> float:
        """Return the legal price next to any."""
        one = self.instrument
        return price if one is None or price <= 0 else one.price(one.round_price_units(price))

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Look nearer or farther."""
        self.share = min(1.0, max(LEAST_SHARE, self.share * 1.2 ** (-event.angleDelta().y() / 120)))
        self.update()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Point at a price."""
        self._mouse = event.position().x()
        self.update()

    def leaveEvent(self, event: object) -> None:  # noqa: N802
        """Point at nothing."""
        self._mouse = None
        self.update()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _area(self, most: float) -> QRectF:
        wide = self._metrics.horizontalAdvance(short_text(most * 0.88)) + self._theme.pixels(14)
        high = self._metrics.height() + self._theme.pixels(6)
        return QRectF(0, 0, max(1.0, self.width() - wide), max(1.0, self.height() - high))

    def _paint_side(
        self, painter: QPainter, side: Side, span: tuple[float, float, float, float], area: QRectF, colour: str
    ) -> None:
        edge, low, high, most = span
        corners = stairs(side, edge)
        corners[:, 0] = area.left() + (corners[:, 0] - low) / (high - low) * area.width()
        corners[:, 1] = area.bottom() - corners[:, 1] / most * area.height()
        points = [QPointF(x, y) for x, y in corners.tolist()]
        fill = QColor(colour)
        fill.setAlpha(FAINT)
        painter.save()
        painter.setClipRect(area)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF([*points, QPointF(points[-1].x(), area.bottom())]))
        painter.setPen(QPen(QColor(colour), self._theme.pixels(1)))
        painter.drawPolyline(QPolygonF(points))
        painter.restore()

    def _paint_axes(self, painter: QPainter, area: QRectF, span: tuple[float, float, float]) -> None:
        low, high, most = span
        colours = self._theme.colours
        painter.setPen(QColor(colours.line))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topRight(), area.bottomRight())
        painter.setPen(QColor(colours.dim))
        decimals = price_decimals(self.instrument)
        room = self._metrics.horizontalAdvance(price_text(high, decimals)) * 1.5
        step = round_step((high - low) * room / area.width(), 10.0**-decimals)
        place = -(-low // step) * step
        while place <= high:
            x = area.left() + (place - low) / (high - low) * area.width()
            self._paint_label(painter, price_text(place, decimals), x, area)
            place += step
        rise = round_step(most * self._metrics.height() * 2.5 / area.height())
        size = rise
        while size < most * 0.95:
            y = area.bottom() - size / most * area.height()
            painter.drawText(QPointF(area.right() + 6, y + self._metrics.ascent() / 2 - 1), short_text(size, rise))
            size += rise

    def _paint_label(self, painter: QPainter, text: str, x: float, area: QRectF) -> None:
        wide = self._metrics.horizontalAdvance(text)
        if x - wide / 2 >= 0 and x + wide / 2 <= self.width():
            painter.drawText(QPointF(x - wide / 2, area.bottom() + self._metrics.ascent() + 3), text)

    def _paint_words(self, painter: QPainter, text: str, area: QRectF) -> None:
        ground = QColor(self._theme.colours.raised)
        ground.setAlpha(235)
        how = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
        room = QRectF(12, 7, self.width() - 24, area.height())
        words = self._metrics.boundingRect(room, how, text)
        box = QRectF(0, 4, words.width() + 14, words.height() + 6)
        box.moveLeft(min(max(4.0, area.center().x() - box.width() / 2), max(4.0, self.width() - 4 - box.width())))
        painter.fillRect(box, ground)
        painter.setPen(QColor(self._theme.colours.text))
        painter.drawText(box, how, text)
