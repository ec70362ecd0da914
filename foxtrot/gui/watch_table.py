"""The table of a watchlist: rows that can be dragged to another place."""

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QModelIndex, QPersistentModelIndex, Qt, Signal

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
