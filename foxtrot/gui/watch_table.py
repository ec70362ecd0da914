"""The table of a watchlist: rows that can be dragged to another place, and the menu by which columns are chosen."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QMimeData, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu, QTableView

from foxtrot.gui.fast_view import FastTable
from foxtrot.gui.watch_rows import COLUMNS

Index = QModelIndex | QPersistentModelIndex
MIME = "application/x-foxtrot-instruments"


class WatchTable(FastTable):
    """Rows in the order of a list. `moved` comes with the instruments that were dropped and the one before which, "" for the end.

    Thread: the desktop's.
    """

    moved = Signal(list, str)

    def __init__(self) -> None:
        super().__init__(COLUMNS, lambda row: row.instrument_id)
        self.arranges_itself = False

    @property
    def is_sorted(self) -> bool:
        """Tell whether the rows stand by the values of a column, and not as the list has them."""
        return self._sort is not None

    def place(self, ids: Sequence[str]) -> None:
        """Let the rows stand in the order of a list."""
        self._rows = {key: self._rows[key] for key in ids if key in self._rows}
        self._refill()

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let rows be dragged, and dropped between rows."""
        flags = super().flags(index)
        return flags | (Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else Qt.ItemFlag.ItemIsDropEnabled)

    def supportedDropActions(self) -> Qt.DropAction:  # noqa: N802
        """Rows move."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:  # noqa: N802
        """Return what is carried."""
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:  # noqa: N802
        """Return the ids of the rows that are carried."""
        lines = sorted({index.row() for index in indexes})
        data = QMimeData()
        data.setData(MIME, "\n".join(str(self.key_at(line)) for line in lines).encode())
        return data

    def dropMimeData(  # noqa: N802
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        """Tell where rows were dropped; whoever keeps the list puts them there.

        False, so that the view takes nothing out by itself.
        """
        if data.hasFormat(MIME) and not self.is_sorted:
            line = row if row >= 0 else parent.row() if parent.isValid() else self.rowCount()
            before = str(self.key_at(line)) if 0 <= line < self.rowCount() else ""
            self.moved.emit(bytes(data.data(MIME).data()).decode().split("\n"), before)
        return False


class ColumnMenu(QMenu):
    """Shows and hides the columns of a table; the first one stays."""

    def __init__(self, view: QTableView) -> None:
        super().__init__(view)
        header = view.horizontalHeader()
        for visual in range(header.count()):
            place = header.logicalIndex(visual)
            title = view.model().headerData(place, Qt.Orientation.Horizontal)
            action = self.addAction(str(title))
            action.setCheckable(True)
            action.setChecked(not view.isColumnHidden(place))
            action.setEnabled(place != 0)
            action.toggled.connect(partial(_show_column, view, place))


def _show_column(view: QTableView, place: int, shown: bool) -> None:
    view.setColumnHidden(place, not shown)


def offer_columns(view: QTableView) -> None:
    """Let a right click on the headings of a table choose its columns."""
    header = view.horizontalHeader()

    def ask(where: QPoint) -> None:
        menu = ColumnMenu(view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(header.mapToGlobal(where))

    header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    header.customContextMenuRequested.connect(ask)
