"""The chart itself: panes below each other over the same bars, moved together."""

from typing import Any, Final

import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from foxtrot.gui.chart.axis import Tag, TimeAxis
from foxtrot.gui.chart.bar_series import BarSeries
from foxtrot.gui.chart.candle_item import CandleItem, VolumeItem
from foxtrot.gui.chart.candle_shapes import visible
from foxtrot.gui.chart.fill_marks import FillsItem
from foxtrot.gui.chart.indicator_panes import IndicatorPanes
from foxtrot.gui.chart.line_drag import LineDrag
from foxtrot.gui.chart.order_lines import LinesItem, line_at
from foxtrot.gui.chart.pane import ChartBox, Pane, span, with_lines, with_room
from foxtrot.gui.chart.view_range import ViewRange
from foxtrot.gui.numbers import time_text
from foxtrot.gui.theme import Theme

CANDLE_PIXELS: Final = 8
_PAN_KEYS: Final = {Qt.Key.Key_Left: -0.2, Qt.Key.Key_Right: 0.2, Qt.Key.Key_PageUp: -0.9, Qt.Key.Key_PageDown: 0.9}
_ZOOM_KEYS: Final = {Qt.Key.Key_Plus: 1 / 1.25, Qt.Key.Key_Equal: 1 / 1.25, Qt.Key.Key_Minus: 1.25}


class ChartView(pg.GraphicsLayoutWidget):  # type: ignore[misc]  # pyqtgraph tells no types
    """Paints a series with volume and indicators; `refresh` takes up what has changed, once a flush.

    Drag pans, the wheel zooms, a double click goes to the newest bar; a line of an order is dragged by `drag`.

    Thread: the desktop's.
    """

    pointed = Signal(object)
    """The bar at which the cross points, None where the mouse is outside."""
    moved = Signal()
    menu_asked = Signal(float, QPoint)

    def __init__(self, series: BarSeries, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.series = series
        self.theme = theme
        self.view = ViewRange()
        self.bar: int | None = None
        self._placed: list[Any] = []
        self._seen_state: object = None
        self._seen_lines: tuple[float, ...] = ()
        self.setBackground(theme.colours.panel)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.ci.layout.setSpacing(0)
        self.ci.layout.setContentsMargins(0, 0, 0, 0)
        self.price, self.volume = Pane(self, theme), Pane(self, theme)
        self.times = TimeAxis(series, theme)
        self.times.linkToView(self.price.box)
        self.candles, self.lines, self.fills = CandleItem(series, theme), LinesItem(theme), FillsItem(series, theme)
        for item in (self.candles, self.fills, self.lines):
            self.price.add(item)
        self.columns = VolumeItem(series, theme)
        self.volume.add(self.columns)
        self.panes = IndicatorPanes(self, self.price, theme)
        self.drag_line = LineDrag(self.lines, self.price.axis, theme, self)
        self._place()
        self.scene().sigMouseMoved.connect(self._hover)

    def set_grid(self, tick: float, decimals: int) -> None:
        """Take the step and the decimals of the instrument's prices."""
        self.price.axis.tick, self.price.axis.decimals = tick, decimals
        self.panes.decimals = decimals

    def all_panes(self) -> list[Pane]:
        """Return the panes from top to bottom."""
        return [self.price, self.volume, *self.panes.below]

    def arrange(self) -> None:
        """Put the panes below each other, after their number has changed."""
        for item in self._placed:
            self.ci.removeItem(item)
        self._place()
        self._seen_state = None

    def show_newest(self) -> None:
        """Go to the newest bar."""
        bars = max(20.0, self.price.box.width() / (CANDLE_PIXELS * self.theme.scale))
        self.view.free(self._words_share(), shrinks=True)
        self.view.show_newest(len(self.series), bars)
        self._seen_state = None
        self.refresh()

    def look_at(self, time_ns: int) -> bool:
        """Bring the bar of a moment into the middle; False where the bars that are here begin later."""
        times = self.series.bars.times
        if not len(times) or time_ns < times[0]:
            return False
        self.view.take_count(len(times))
        self.view.pan(float(times.searchsorted(time_ns, side="right")) - 1.0 - (self.view.left + self.view.right) / 2)
        self._moved()
        return True

    def tag_last(self, price: float, colour: str) -> None:
        """Mark the last price on its axis."""
        self.price.axis.put_tag("last", Tag(price, self.price.axis.text(price), colour) if price else None)

    def refresh(self) -> None:
        """Show bars and lines as they are now; does nothing where nothing has changed."""
        self.view.take_count(len(self.series))
        held = self.drag_line.line is not None  # the scale stands still under the hand
        lines = self._seen_lines if held else tuple(line.price for line in self.lines.lines)
        state = (self.series.revision, self.view.left, self.view.right, self.panes.revision, lines)
        if state == self._seen_state:
            return
        if lines != self._seen_lines:
            self.view.free(self._words_share())
        self._seen_state, self._seen_lines = state, lines
        if not held:
            self._fit()
        for item in (self.candles, self.columns, self.fills):
            item.update()

    # --- the mouse --------------------------------------------------------------------------------------------------

    def drag(self, box: ChartBox, event: Any) -> None:
        """Pan, or move the line of an order that was taken hold of."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if event.isStart() and box is self.price.box:
            self.drag_line.take(line_at(self.lines.lines, event.buttonDownPos().y(), box.pixels()))
        if self.drag_line.line is not None:
            price = float(box.mapToView(event.pos()).y())
            self.drag_line.move(price, released=event.isFinish())
        elif not self.drag_line.given_up:
            self.view.pan((event.lastPos().x() - event.pos().x()) / max(box.pixels().kx, 1e-9))
            self._moved()
        if event.isFinish():
            self.drag_line.let_go()

    def wheel(self, box: ChartBox, event: Any) -> None:
        """Zoom around what is under the pointer."""
        at = float(box.mapToView(event.pos()).x())
        self.view.zoom(1.15 ** (-event.delta() / 120), at)
        self._moved()

    def click(self, box: ChartBox, event: Any) -> None:
        """Go to the newest bar by a double click; ask for the menu by the right button."""
        if event.button() == Qt.MouseButton.RightButton and box is self.price.box:
            event.accept()
            self.menu_asked.emit(float(box.mapToView(event.pos()).y()), event.screenPos().toPoint())
        elif event.button() == Qt.MouseButton.LeftButton and event.double():
            event.accept()
            self.show_newest()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Pan by the arrows, zoom by + and −, End goes to the newest, Escape lets go of a line."""
        key = Qt.Key(event.key())
        if key in _PAN_KEYS:
            self.view.pan(_PAN_KEYS[key] * self.view.width)
        elif key in _ZOOM_KEYS:
            self.view.zoom(_ZOOM_KEYS[key], (self.view.left + self.view.right) / 2)
        elif key == Qt.Key.Key_End:
            self.show_newest()
        elif key == Qt.Key.Key_Escape and self.drag_line.line is not None:
            self.drag_line.give_up()
        else:
            event.ignore()
            return
        self._moved()

    def leaveEvent(self, event: Any) -> None:  # noqa: N802
        """Take the cross away."""
        super().leaveEvent(event)
        self._point(None, None, 0.0)

    def _moved(self) -> None:
        self.refresh()
        self.moved.emit()

    def _hover(self, place: QPointF) -> None:
        for pane in self.all_panes():
            if pane.box.sceneBoundingRect().contains(place):
                at = pane.box.mapSceneToView(place)
                self._point(pane, round(at.x()), float(at.y()))
                near = pane is self.price and line_at(
                    self.lines.lines, pane.box.mapFromScene(place).y(), pane.box.pixels()
                )
                self.setCursor(Qt.CursorShape.SizeVerCursor if near else Qt.CursorShape.CrossCursor)
                return
        self._point(None, None, 0.0)

    def _point(self, inside: Pane | None, bar: int | None, value: float) -> None:
        known = bar if bar is not None and 0 <= bar < len(self.series) else None
        if inside is self.price and self.price.axis.tick:
            value = round(value / self.price.axis.tick) * self.price.axis.tick
        for pane in self.all_panes():
            pane.point(known, value if pane is inside else None)
        tag = None
        if known is not None:
            text = time_text(int(self.series.bars.times[known]), with_date=True)[:16]
            tag = Tag(float(known), text, self.theme.colours.raised, arrow=False)
        self.times.put_tag("cross", tag)
        if known != self.bar:
            self.bar = known
            self.pointed.emit(known)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        layout, panes = self.ci.layout, self.all_panes()
        places = [
            (item, row, column) for row, pane in enumerate(panes) for column, item in enumerate((pane.box, pane.axis))
        ]
        for item, row, column in (*places, (self.times, len(panes), 0)):
            self.ci.addItem(item, row, column)
        self._placed = [*(item for item, _, _ in places), self.times]
        for row in range(layout.rowCount()):
            layout.setRowStretchFactor(row, 9 if row == 0 else 2 if row < len(panes) else 0)
        layout.setColumnStretchFactor(0, 1)

    def _words_share(self) -> float:
        """Return how much of the width the words of lines take up at the axis."""
        room = max(1.0, float(self.price.box.width()))
        return self.lines.words_width(room) / room

    def _fit(self) -> None:
        view, bars = self.view, self.series.bars
        first, end = visible(len(self.series), view.left, view.right)
        prices = span((bars.low, bars.high, *self.panes.over()), first, end) or (0.0, 1.0)
        prices = with_lines(prices, [line.price for line in self.lines.lines])
        self.price.show(view.left, view.right, *with_room(*prices, least=4 * self.price.axis.tick, head=0.12))
        most = span((bars.volume,), first, end)
        self.volume.show(view.left, view.right, 0.0, max(most[1], 1e-9) * 1.15 if most else 1.0)
        self.panes.fit(view.left, view.right, first, end)
        wide = max(self._axis_width(pane) for pane in self.all_panes())
        for pane in self.all_panes():
            if pane.axis.width() != wide:
                pane.axis.setWidth(wide)

    def _axis_width(self, pane: Pane) -> int:
        low, high = pane.range
        step = (high - low) / 4
        texts = [pane.axis.text(value, step) for value in (low, high, (low + high) / 2)]
        wide = max(pane.axis.metrics.horizontalAdvance(text) for text in texts)
        unit = self.theme.pixels(16)  # in steps, so that the axis does not jump about
        return int(-(-(wide + self.theme.pixels(14)) // unit) * unit)
