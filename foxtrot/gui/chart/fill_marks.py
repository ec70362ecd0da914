"""Marks of our fills on the candles: one for all fills of a bar and side, beside the candle and never over it."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.chart.bar_series import BarSeries
from foxtrot.gui.chart.candle_item import PlotItem
from foxtrot.gui.chart.candle_shapes import Scale
from foxtrot.gui.chart.own_marks import OwnFill
from foxtrot.gui.numbers import price_decimals, price_text, size_decimals, size_text
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

ARROWS: Final = {Side.BUY: "▲", Side.SELL: "▼"}
_HALF_WIDE, _HIGH, _GAP = 3.5, 6.0, 3.0
_LEAST_HALF_WIDE = 2.0


class FillMark(msgspec.Struct, frozen=True):
    """The fills of one bar and side: how many, how much, at which average."""

    side: Side
    count: int
    quantity: float
    average_price: float

    def text(self, instrument: Instrument) -> str:
        """Return it in words."""
        size = size_text(self.quantity, size_decimals(instrument))
        at = price_text(self.average_price, price_decimals(instrument))
        name = "chart.fill" if self.count == 1 else "chart.fills"
        return f"{ARROWS[self.side]} " + tr(
            name, count=self.count, side=tr(f"chart.{self.side}"), quantity=size, price=at
        )


def marks_of(fills: Sequence[OwnFill], times: np.ndarray) -> dict[tuple[int, Side], FillMark]:
    """Return the mark of each bar and side; fills before the first bar have none."""
    if not len(times) or not fills:
        return {}
    places = np.searchsorted(times, np.array([fill.time_ns for fill in fills], np.int64), side="right") - 1
    sums: dict[tuple[int, Side], list[float]] = {}
    for place, fill in zip(places.tolist(), fills, strict=True):
        if place >= 0:
            found = sums.setdefault((place, fill.side), [0, 0.0, 0.0])
            found[0] += 1
            found[1] += fill.quantity
            found[2] += fill.quantity * fill.price
    return {
        key: FillMark(key[1], int(count), quantity, worth / quantity if quantity else 0.0)
        for key, (count, quantity, worth) in sums.items()
    }


class FillsItem(PlotItem):
    """Marks bars with fills: a triangle under the candle for what was bought, over it for what was sold.

    Thread: the desktop's.
    """

    def __init__(self, series: BarSeries, theme: Theme) -> None:
        super().__init__()
        self._series = series
        self._fills: tuple[OwnFill, ...] = ()
        self._marks: dict[tuple[int, Side], FillMark] = {}
        self._grouped: object = None
        self._scale = theme.scale
        self._colours = {Side.BUY: QColor(theme.colours.up), Side.SELL: QColor(theme.colours.down)}
        self._edge = QPen(QColor(theme.colours.text), 1)
        self.setZValue(15)

    @property
    def marks(self) -> dict[tuple[int, Side], FillMark]:
        """Return the marks by the place of their bar, and side."""
        times = self._series.bars.times
        state = (len(times), int(times[0]) if len(times) else 0, id(self._fills))
        if state != self._grouped:
            self._grouped, self._marks = state, marks_of(self._fills, times)
        return self._marks

    def show_fills(self, fills: tuple[OwnFill, ...]) -> None:
        """Mark these from the next repaint on."""
        self._fills, self._grouped = fills, None
        self.update()

    def words(self, place: int, instrument: Instrument) -> str:
        """Return what was filled in a bar, in words, a line for each side; "" where nothing was."""
        found = (self.marks.get((place, side)) for side in (Side.BUY, Side.SELL))
        return "\n".join(mark.text(instrument) for mark in found if mark is not None)

    def draw(self, painter: QPainter, scale: Scale) -> None:
        """Draw the marks that are seen."""
        rect, bars = self.seen(), self._series.bars
        wide = max(_LEAST_HALF_WIDE, min(_HALF_WIDE, abs(scale.kx) * 0.45)) * self._scale
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(self._edge)
        for place, side in self.marks:
            if not rect.left() - 1 <= place <= rect.right() + 1:
                continue
            way = 1 if side is Side.BUY else -1
            price = float(bars.low[place] if side is Side.BUY else bars.high[place])
            x, y = place * scale.kx + scale.dx, price * scale.ky + scale.dy + way * _GAP * self._scale
            base = y + way * _HIGH * self._scale
            painter.setBrush(self._colours[side])
            painter.drawPolygon(QPolygonF([QPointF(x, y), QPointF(x - wide, base), QPointF(x + wide, base)]))
