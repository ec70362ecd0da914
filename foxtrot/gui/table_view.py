"""The view of a FactTable: fixed row heights, its own painter, a filter box, copy and CSV."""

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFontMetrics, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from foxtrot.gui.columns import Align, Cell, Tone
from foxtrot.gui.table_model import CELL_ROLE, FactTable
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Colours, Theme

Index = QModelIndex | QPersistentModelIndex
ROW_PIXELS: Final = 22
MARGIN_PIXELS: Final = 6
RESORT_MS: Final = 500


def tone_colours(colours: Colours) -> dict[Tone, QColor]:
    """Return the colour of each tone."""
    names = {
        Tone.PLAIN: colours.text, Tone.DIM: colours.dim, Tone.UP: colours.up, Tone.DOWN: colours.down, Tone.GOOD: colours.good,
        Tone.WARNING: colours.warning, Tone.DANGER: colours.danger,
    }  # fmt: skip
    return {tone: QColor(name) for tone, name in names.items()}


class CellDelegate(QStyledItemDelegate):
    """Paints cells that are ready; a number that does not fit is elided at its right end, so that no first digit is lost."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._margin = theme.pixels(MARGIN_PIXELS)
        self._tones = tone_colours(theme.colours)
        self._chosen = QColor(theme.colours.accent)
        self._chosen.setAlpha(60)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one cell."""
        rect: QRect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self._chosen)
        cell: Cell | None = index.data(CELL_ROLE)
        if cell is None or not cell.text:
            return
        inner = rect.adjusted(self._margin, 0, -self._margin, 0)
        metrics: QFontMetrics = option.fontMetrics
        text = cell.text
        if metrics.horizontalAdvance(text) > inner.width():
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, inner.width())
        painter.setPen(self._tones[cell.tone])
        painter.drawText(inner, int(index.data(Qt.ItemDataRole.TextAlignmentRole)), text)


class FactView(QTableView):
    """Shows a FactTable. `chosen` comes with the row under a double click or Enter; `asked` with one under a right click."""

    chosen = Signal(object)
    asked = Signal(object, object)

    def __init__(self, model: FactTable[Any], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setItemDelegate(CellDelegate(theme, self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAlternatingRowColors(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._ask)
        self.doubleClicked.connect(self._choose)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(theme.pixels(ROW_PIXELS))
        self._set_up_header(theme)
        copy = QAction(self)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy)
        self.addAction(copy)

    def selected(self) -> list[Any]:
        """Return the chosen rows, from above to below."""
        lines = sorted({index.row() for index in self.selectionModel().selectedRows()})
        rows = [self._model.row_of(self._model.index(line, 0)) for line in lines]
        return [row for row in rows if row is not None]

    def copy(self) -> None:
        """Put the chosen rows, with headings, into the clipboard; without any, all that are shown."""
        lines = sorted({index.row() for index in self.selectionModel().selectedRows()})
        rows = self._texts(lines or list(range(self._model.rowCount())))
        QApplication.clipboard().setText("\n".join("\t".join(row) for row in rows))

    def columns_state(self) -> dict[str, object]:
        """Return widths, places and hidden columns by key, to be saved."""
        header = self.horizontalHeader()
        return {
            column.key: [header.visualIndex(place), self.columnWidth(place), self.isColumnHidden(place)]
            for place, column in enumerate(self._model.columns)
        }

    def restore_columns(self, state: dict[str, object], least: Callable[[int], int] = lambda _place: 30) -> None:
        """Take up what was saved; what it does not name stays, and what makes no sense is passed over."""
        header = self.horizontalHeader()
        for place, column in enumerate(self._model.columns):
            match state.get(column.key):
                case [int(visual), int(width), bool(hidden)] if 0 <= visual < header.count():
                    header.moveSection(header.visualIndex(place), visual)
                    self.setColumnWidth(place, max(least(place), width))
                    self.setColumnHidden(place, hidden)

    def _set_up_header(self, theme: Theme) -> None:
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setStretchLastSection(False)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(theme.pixels(30))
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setSortingEnabled(True)
        header.setSortIndicatorClearable(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        metrics = header.fontMetrics()
        for place, column in enumerate(self._model.columns):
            heading = metrics.horizontalAdvance(tr(column.title)) + theme.pixels(4 * MARGIN_PIXELS)
            self.setColumnWidth(place, max(theme.pixels(column.width), heading))
            if column.align is Align.LEFT and place == len(self._model.columns) - 1:
                header.setStretchLastSection(True)

    def _texts(self, lines: list[int]) -> list[list[str]]:
        header = self.horizontalHeader()
        places = [header.logicalIndex(visual) for visual in range(header.count())]
        places = [place for place in places if not self.isColumnHidden(place)]
        headings = [tr(self._model.columns[place].title) for place in places]
        cells = [[str(self._model.index(line, place).data()) for place in places] for line in lines]
        return [headings, *cells]

    def _ask(self, where: Any) -> None:
        row = self._model.row_of(self.indexAt(where))
        self.asked.emit(row, self.viewport().mapToGlobal(where))

    def _choose(self, index: QModelIndex) -> None:
        row = self._model.row_of(index)
        if row is not None:
            self.chosen.emit(row)
