"""A layout that puts widgets side by side, and the rest below when there is no room, so that no button is cut off."""

from itertools import accumulate

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLabel, QLayout, QLayoutItem, QWidget, QWidgetItem


class FlowLayout(QLayout):
    """Rows of widgets, each as wide as it wants to be; the first may take what room is left, up to its maximum.

    Where there are several rows, the widgets of each fill it, but words, which stay as they are.

    Thread: the desktop's.
    """

    def __init__(self, margin: int, spacing: int) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(margin, margin, margin, margin)
        self.setSpacing(spacing)

    def insert_widget(self, place: int, widget: QWidget) -> None:
        """Put a widget between others."""
        self.addChildWidget(widget)
        self._items.insert(place, QWidgetItem(widget))
        self.invalidate()

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802
        """Add an item at the end."""
        self._items.append(item)

    def count(self) -> int:
        """Return how many items there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: N802
        """Return an item, None where there is none."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # noqa: N802
        """Take an item out."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: N802
        """Take no more room than is needed."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """Tell that a narrow one is higher."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Return how high it is at a width."""
        return self._arrange(QRect(0, 0, width, 0), moves=False)

    def setGeometry(self, rect: QRect) -> None:  # noqa: N802
        """Put everything in its place."""
        super().setGeometry(rect)
        self._arrange(rect, moves=True)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size at which all is in one row."""
        hints = [item.sizeHint() for item in self._items]
        width = sum(hint.width() for hint in hints) + self.spacing() * max(0, len(hints) - 1)
        return self._with_margins(QSize(width, max((hint.height() for hint in hints), default=0)))

    def minimumSize(self) -> QSize:  # noqa: N802
        """Return the size of the largest item."""
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.sizeHint() if item is not self.itemAt(0) else item.minimumSize())
        return self._with_margins(size)

    def _with_margins(self, size: QSize) -> QSize:
        margins = self.contentsMargins()
        return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom())

    def _arrange(self, rect: QRect, *, moves: bool) -> int:
        """Put items into rows; returns how high they are together."""
        margins = self.contentsMargins()
        inner = rect.marginsRemoved(margins)
        top = inner.top()
        rows = self._rows(inner.width())
        for row in rows:
            height = max(item.sizeHint().height() for item in row)
            if moves:
                self._place(row, inner, top, height, fills=len(rows) > 1)
            top += height + self.spacing()
        return top - self.spacing() - rect.top() + margins.bottom()

    def _least(self, item: QLayoutItem) -> int:
        """Return how wide an item is at least: as it wants to be, but the first, which may be narrower before another goes below."""
        return (item.minimumSize() if item is self._items[0] else item.sizeHint()).width()

    def _rows(self, width: int) -> list[list[QLayoutItem]]:
        rows: list[list[QLayoutItem]] = [[]]
        used = 0
        for item in self._items:
            wide = self._least(item)
            if rows[-1] and used + wide > width:
                rows.append([])
                used = 0
            rows[-1].append(item)
            used += wide + self.spacing()
        return [row for row in rows if row]

    def _place(self, row: list[QLayoutItem], inner: QRect, top: int, height: int, *, fills: bool) -> None:
        widths = [min(self._least(item), inner.width()) for item in row]
        spare = max(0, inner.width() - sum(widths) - self.spacing() * (len(row) - 1))
        if row[0] is self._items[0]:
            more = max(0, min(spare, row[0].maximumSize().width() - widths[0]))
            widths[0] += more
            spare -= more
        elif fills and 2 * spare < inner.width():  # else they would be out of all proportion
            growing = [place for place, item in enumerate(row) if not isinstance(item.widget(), QLabel)]
            for number, place in enumerate(growing):
                widths[place] += spare * (number + 1) // len(growing) - spare * number // len(growing)
        lefts = accumulate(widths[:-1], lambda left, width: left + width + self.spacing(), initial=inner.left())
        for item, left, width in zip(row, lefts, widths, strict=True):
            item.setGeometry(QRect(QPoint(left, top), QSize(width, height)))
