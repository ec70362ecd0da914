"""A view for tables whose every row changes all the time: it paints its lines itself, in one go, and only those that changed.

A delegate is called for each cell, and each call asks the model again; where another thread is busy every one of these calls may wait for it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QAbstractItemView, QWidget

from foxtrot.gui.columns import Align, Cell
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import MARGIN_PIXELS, FactView, tone_colours
from foxtrot.gui.theme import Theme

Index = QModelIndex | QPersistentModelIndex


class Strip(NamedTuple):
    """A column as it stands on the screen: which one, from where, how wide its text may be, whether it ends at the right."""

    place: int
    left: int
    width: int
    at_right: bool


class FastTable(FactTable[Any]):
    """A FactTable that tells all lines that changed by one signal; `changed_lines` has them then.

    Thread: the desktop's.
    """

    changed_lines: Sequence[int] = ()

    def cells_at(self, line: int) -> tuple[Cell, ...]:
        """Return what a line says."""
        return self._cells[self._order[line]]

    def _tell_changed(self, lines: list[int]) -> None:
        if lines:
            self.changed_lines = lines
            first, last = self.createIndex(min(lines), 0), self.createIndex(max(lines), len(self.columns) - 1)
            self.dataChanged.emit(first, last)
            self.changed_lines = ()


class FastView(FactView):
    """Shows a FastTable.

    Thread: the desktop's.

    Args:
        model: the table.
        theme: the looks.
    """

    def __init__(self, model: FastTable, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(model, theme, parent)
        self._table = model
        self._margin = theme.pixels(MARGIN_PIXELS)
        self._tones = tone_colours(theme.colours)
        self._marked = QColor(theme.colours.accent)
        self._marked.setAlpha(60)
        self._widths: dict[str, int] = {}

    def dataChanged(self, first: Index, last: Index, roles: Sequence[int] = ()) -> None:  # noqa: N802
        """Paint anew what changed and can be seen."""
        lines = self._table.changed_lines or range(first.row(), last.row() + 1)
        viewport, height = self.viewport(), self.rowHeight(0)
        top, width, room = self.rowViewportPosition(0), viewport.width(), viewport.height()
        for line in lines:
            y = top + line * height
            if -height < y < room:
                viewport.update(0, y, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the lines of what is to be painted anew."""
        if self.state() is QAbstractItemView.State.DraggingState:
            super().paintEvent(event)  # it shows where a row would be dropped
            return
        count, height = self._table.rowCount(), self.rowHeight(0)
        if not count or height <= 0:
            return
        painter = QPainter(self.viewport())
        region, around = event.region(), event.rect()
        top = self.rowViewportPosition(0)
        first = max(0, (around.top() - top) // height)
        last = min(count - 1, (around.bottom() - top) // height)
        self._paint_lines(painter, region, range(first, last + 1), top)
        painter.end()

    def _paint_lines(self, painter: QPainter, region: QRegion, lines: range, top: int) -> None:
        strips, height, width = self._strips(), self.rowHeight(0), self.viewport().width()
        marked = {index.row() for index in self.selectionModel().selectedRows()}
        metrics = self.fontMetrics()
        whole = region.rectCount() == 1
        for line in lines:
            y = top + line * height
            if not whole and not region.intersects(QRect(0, y, width, height)):
                continue
            if line in marked:
                painter.fillRect(0, y, width, height, self._marked)
            self._paint_cells(painter, strips, y, height, metrics, self._table.cells_at(line))

    def _paint_cells(
        self, painter: QPainter, strips: list[Strip], y: int, height: int, metrics: QFontMetrics, cells: tuple[Cell, ...]
    ) -> None:  # fmt: skip
        pen = None
        base = y + (height + metrics.ascent() - metrics.descent()) // 2
        for place, left, room, at_right in strips:
            cell = cells[place]
            text = cell.text
            if not text:
                continue
            width = self._width(text, metrics)
            if width > room:
                text, width = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room), room
            if cell.tone is not pen:
                pen = cell.tone
                painter.setPen(self._tones[pen])
            painter.drawText(left + room - width if at_right else left, base, text)

    def _strips(self) -> list[Strip]:
        """Return the columns that can be seen."""
        header, room, found = self.horizontalHeader(), self.viewport().width(), []
        for place, column in enumerate(self._table.columns):
            width = header.sectionSize(place)  # 0 for one that is hidden
            left = header.sectionViewportPosition(place)
            if width > 0 and left < room and left + width > 0:
                found.append(Strip(place, left + self._margin, width - 2 * self._margin, column.align is Align.RIGHT))
        return found

    def _width(self, text: str, metrics: QFontMetrics) -> int:
        """Return how wide a text is, by the widths of its characters."""
        try:
            return sum(map(self._widths.__getitem__, text))
        except KeyError:
            self._widths |= {letter: metrics.horizontalAdvance(letter) for letter in text}
            return self._width(text, metrics)
