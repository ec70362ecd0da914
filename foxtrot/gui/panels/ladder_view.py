"""The painted part of a ladder: rows of prices with bars and own orders; tells where somebody clicked, and never trades itself."""

from typing import Final

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from foxtrot.domain.enums import Side
from foxtrot.gui.panels.ladder_model import LadderRow, OwnMark
from foxtrot.gui.panels.ladder_paint import LadderBrush, Place
from foxtrot.gui.theme import Theme

NOWHERE: Final = -(10**15)


class LadderView(QWidget):
    """Rows as they were set, painted in one go.

    Thread: the desktop's.

    Args:
        theme: the looks.
        parent: the panel.
    """

    clicked = Signal(int, object, bool)
    """A row, a side (None for the column of prices) and whether Shift was held."""
    dragged = Signal(object, int, int)
    """A side, the row that an own order was taken from, and that where it was let go."""
    dismissed = Signal(object, int)
    """A side (None for both) and a row whose own orders are to be cancelled."""
    scrolled = Signal(int)
    """So many rows up; the panel then shows other rows."""
    key_pressed = Signal(int)
    touched = Signal()
    """The mouse moves among the rows."""
    resized = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ladder_view")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._theme = theme
        self._brush = LadderBrush(theme)
        self.row_height = self._brush.row_height
        self._rows: list[LadderRow] = []
        self._place_of: dict[int, int] = {}
        self._letters = 7
        self.marked: tuple[int, Side] | None = None
        """A row and a side that wait for a yes."""
        self.is_stale = False
        self._hover = (NOWHERE, Place.PRICE)
        self._drag: tuple[Side, int] | None = None
        self._drag_to = NOWHERE

    # --- for the panel ----------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """Return how many rows there is room for."""
        return max(1, self.height() // self.row_height)

    def show_rows(self, rows: list[LadderRow], *, stale: bool = False) -> None:
        """Paint other rows; nothing happens when they are the same."""
        if rows == self._rows and stale == self.is_stale:
            return
        self._rows, self.is_stale = rows, stale
        self._place_of = {row.index: place for place, row in enumerate(rows)}
        letters = max((len(row.price) for row in rows), default=self._letters)
        if letters != self._letters:
            self._letters = letters
            self._brush.take_width(self.width(), letters)
        self.update()

    def mark(self, marked: tuple[int, Side] | None) -> None:
        """Frame a row that waits for a yes."""
        if marked != self.marked:
            self.marked = marked
            self.update()

    @property
    def is_held(self) -> bool:
        """Tell whether an own order is being dragged."""
        return self._drag is not None

    def let_go(self) -> None:
        """Hold nothing any more, wherever the mouse is let go."""
        if self._drag is not None:
            self._drag, self._drag_to = None, NOWHERE
            self.update()

    def row_at(self, y: int) -> int:
        """Return the row at a height, NOWHERE beside all rows."""
        place = y // self.row_height
        return self._rows[place].index if 0 <= place < len(self._rows) else NOWHERE

    def point_of(self, row: int, place: Place) -> QPoint:
        """Return the middle of a cell."""
        top = self._place_of.get(row, 0) * self.row_height
        return QPoint((self._brush.edges[place] + self._brush.edges[place + 1]) // 2, top + self.row_height // 2)

    def places_on_map(self) -> dict[str, QRect]:
        """Return where rows are, by price, and own orders, by side and price."""
        found: dict[str, QRect] = {}
        for place, row in enumerate(self._rows):
            top = place * self.row_height
            found[row.price] = QRect(0, top, self.width(), self.row_height)
            for side, mark, column in ((Side.BUY, row.buys, Place.BUYS), (Side.SELL, row.sells, Place.SELLS)):
                if mark is not None:
                    left, right = self._brush.edges[column], self._brush.edges[column + 1]
                    found[f"own {side} {row.price}"] = QRect(left, top, right - left, self.row_height)
        return found

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a size that shows some twenty rows."""
        return QSize(self._theme.pixels(300), 20 * self.row_height)

    # --- painting ---------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the rows that are asked for."""
        painter = QPainter(self)
        brush, height = self._brush, self.row_height
        painter.fillRect(event.rect(), brush.panel)
        painter.setFont(brush.font)
        if self.is_stale:
            painter.setOpacity(0.55)
        first, last = max(0, event.rect().top() // height), event.rect().bottom() // height + 1
        for place, row in enumerate(self._rows[first:last], first):
            brush.row(painter, row, place * height, lit=row.index == self._hover[0])
        painter.setOpacity(1.0)
        brush.columns(painter, len(self._rows) * height)
        if self.marked is not None and self.marked[0] in self._place_of:
            brush.marked(painter, self.marked[1], self._place_of[self.marked[0]] * height)
        if self._drag is not None and self._drag_to in self._place_of:
            brush.target(painter, self._drag[0], self._place_of[self._drag_to] * height)
        painter.end()

    # --- mouse and keys ---------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Take hold of an own order, or note where a click began."""
        row, place = self.row_at(int(event.position().y())), self._brush.place_at(int(event.position().x()))
        if row == NOWHERE:
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        side = _side(place)
        if event.button() is Qt.MouseButton.RightButton:
            self.dismissed.emit(side, row)
        elif event.button() is Qt.MouseButton.LeftButton:
            if side is not None and place in (Place.BUYS, Place.SELLS) and self._mark_at(side, row) is not None:
                self._drag, self._drag_to = (side, row), row
                self.update()
                return
            self.clicked.emit(row, side, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Take the second click of two for none: a double click is one order."""
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Follow the mouse with the light, and an own order that is dragged."""
        row, place = self.row_at(int(event.position().y())), self._brush.place_at(int(event.position().x()))
        self.touched.emit()
        if self._drag is not None:
            self._drag_to = row
            self.update()
        elif (row, place) != self._hover:
            before, self._hover = self._hover[0], (row, place)
            self._update_row(before)
            self._update_row(row)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Let go of what was dragged."""
        if event.button() is not Qt.MouseButton.LeftButton or self._drag is None:
            return
        inside = self.rect().contains(event.position().toPoint())
        (side, row), target = self._drag, self.row_at(int(event.position().y())) if inside else NOWHERE
        self.let_go()
        if target not in (NOWHERE, row):
            self.dragged.emit(side, row, target)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Show higher or lower prices."""
        turn = event.angleDelta().y()
        if turn:
            self.scrolled.emit(3 if turn > 0 else -3)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Hand keys to the panel, once for each press; Enter is none of them."""
        if event.isAutoRepeat() and event.key() not in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            return
        if event.key() == Qt.Key.Key_Escape and self._drag is not None:
            self.let_go()
            return
        self.key_pressed.emit(event.key())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Give each column its share."""
        super().resizeEvent(event)
        self._brush.take_width(self.width(), self._letters)
        self.resized.emit()

    def leaveEvent(self, event: object) -> None:  # noqa: N802
        """Put out the light under the mouse."""
        before, self._hover = self._hover[0], (NOWHERE, Place.PRICE)
        self._update_row(before)

    def _mark_at(self, side: Side, row: int) -> OwnMark | None:
        place = self._place_of.get(row)
        if place is None:
            return None
        found = self._rows[place]
        return found.buys if side is Side.BUY else found.sells

    def _update_row(self, row: int) -> None:
        place = self._place_of.get(row)
        if place is not None:
            self.update(0, place * self.row_height, self.width(), self.row_height)


def _side(place: Place) -> Side | None:
    if place is Place.PRICE:
        return None
    return Side.BUY if place < Place.PRICE else Side.SELL
