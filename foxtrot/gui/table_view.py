"""The view of a FactTable: fixed row heights, its own painter, a filter box, copy and CSV."""

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFontMetrics, QKeySequence, QPainter, QPaintEvent, QResizeEvent
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

from foxtrot.gui.column_fit import fitting
from foxtrot.gui.columns import Align, Cell, Tone
from foxtrot.gui.table_model import CELL_ROLE, FactTable
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Colours, Theme

Index = QModelIndex | QPersistentModelIndex
ROW_PIXELS: Final = 22
MARGIN_PIXELS: Final = 6
RESORT_MS: Final = 500
FITS: Final = ""
"""The key in saved columns under which it is said that they fit themselves; no column has it."""


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

    empty_fit = ""
    """What is said where there are rows, but none that is to be shown; "": that none fits the filter."""

    def __init__(self, model: FactTable[Any], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._theme = theme
        self.fits_itself = True
        """Whether the columns that fit are shown, until somebody arranges them; then they are as they were left."""
        self.empty = ""
        """What is said where there is no row at all: why, and what to do about it."""
        self._dim = QColor(theme.colours.dim)
        self._wide: dict[int, int] = {}
        """How wide each column wants to be."""
        self._hidden: set[int] = set()
        """Columns that are not to be shown, whatever room there is."""
        self._before: list[int] = []
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

    def forget(self) -> None:
        """Let go of the table's rows: the panel was closed."""
        self._model.forget()

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
        """Return widths, places and hidden columns by key, to be saved; nothing while they fit themselves and are in their places."""
        header = self.horizontalHeader()
        places = range(len(self._model.columns))
        if self.fits_itself and not self._hidden and all(header.visualIndex(place) == place for place in places):
            return {}
        widths = [self._wide[place] if self.fits_itself else self.columnWidth(place) for place in places]
        state: dict[str, object] = {
            column.key: [header.visualIndex(place), widths[place], self._is_away(place)]
            for place, column in enumerate(self._model.columns)
        }
        return {FITS: self.fits_itself, **state}

    def places(self) -> list[int]:
        """Return the columns from left to right, those too for which there is no room, but none that was put away."""
        header = self.horizontalHeader()
        order = [header.logicalIndex(visual) for visual in range(header.count())]
        return [place for place in order if not self._is_away(place)]

    def setColumnHidden(self, place: int, hide: bool) -> None:  # noqa: N802
        """Put a column away, or show it; one for which there was no room is shown all the same, and the table scrolls then."""
        (self._hidden.add if hide else self._hidden.discard)(place)
        if not hide and self.isColumnHidden(place) and self.isVisible():
            self.fits_itself = False
        super().setColumnHidden(place, hide)
        self.fit()

    def setColumnWidth(self, place: int, width: int) -> None:  # noqa: N802
        """Make a column so wide; then the columns no longer fit themselves."""
        self.fits_itself = False
        super().setColumnWidth(place, width)

    def fit(self) -> None:
        """Show the columns that fit."""
        if not self.fits_itself or not self.isVisible():
            return
        widths = {place: width for place, width in self._wide.items() if place not in self._hidden}
        found = fitting(self._model.columns, widths, self._theme.scale, self.viewport().width())
        for place in range(len(self._model.columns)):
            if self.isColumnHidden(place) == (place in found):
                super().setColumnHidden(place, place not in found)
            if place in found and self.columnWidth(place) != found[place]:
                super().setColumnWidth(place, found[place])

    def fit_again(self) -> None:
        """Let the columns fit themselves again, as they came, in the order that they have."""
        self.fits_itself = True
        self._hidden.clear()
        self.fit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Say why there is nothing to be seen, where that is so."""
        super().paintEvent(event)
        text = self.why_empty()
        if text:
            painter = QPainter(self.viewport())
            painter.setPen(self._dim)
            side = self._theme.pixels(4 * MARGIN_PIXELS)
            room = self.viewport().rect().adjusted(side, side, -side, -side)
            painter.drawText(room, int(Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap), text)
            painter.end()

    def why_empty(self) -> str:
        """Return why no row is shown, "" where one is, or nobody knows."""
        if not self.empty or self._model.rowCount():
            return ""
        return (self.empty_fit or tr("empty.no_fit")) if self._model.count else self.empty

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Let the columns fit the new room."""
        super().resizeEvent(event)
        self.fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Leave the columns alone once a person has taken hold of the headings and moved one."""
        if event.type() is QEvent.Type.MouseButtonPress:
            header = self.horizontalHeader()
            self._before = [header.sectionSize(place) for place in range(header.count())]
        elif event.type() is QEvent.Type.MouseButtonRelease:
            header = self.horizontalHeader()
            self.fits_itself &= self._before == [header.sectionSize(place) for place in range(header.count())]
        return super().eventFilter(watched, event)

    def _is_away(self, place: int) -> bool:
        return place in self._hidden if self.fits_itself else self.isColumnHidden(place)

    def restore_columns(self, state: dict[str, object], least: Callable[[int], int] = lambda _place: 30) -> None:
        """Take up what was saved; what it does not name stays, and what makes no sense is passed over."""
        header = self.horizontalHeader()
        fits = state.get(FITS) is True
        for place, column in enumerate(self._model.columns):
            match state.get(column.key):
                case [int(visual), int(width), bool(hidden)] if 0 <= visual < header.count():
                    header.moveSection(header.visualIndex(place), visual)
                    if not fits:
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
            self._wide[place] = max(theme.pixels(column.width), heading)
            super().setColumnWidth(place, self._wide[place])
            if column.align is Align.LEFT and place == len(self._model.columns) - 1:
                header.setStretchLastSection(True)
        header.viewport().installEventFilter(self)

    def _texts(self, lines: list[int]) -> list[list[str]]:
        places = self.places()
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
