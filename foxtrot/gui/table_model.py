"""A table of rows that change many times a second: texts are made once a flush, only rows in view are painted again."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from foxtrot.gui.columns import Align, Cell, Column
from foxtrot.gui.outer_text import hint_text
from foxtrot.gui.texts import tr

Row = TypeVar("Row")
Index = QModelIndex | QPersistentModelIndex
CELL_ROLE = int(Qt.ItemDataRole.UserRole)
"""The cell itself, for the delegate."""
LONG = 12
"""A text of more letters may be elided: all of it is in its tooltip."""
SPARE = 1.25
"""So many times the rows that are kept may be there until the next `apply`, which shows nothing of what is over."""
_ALIGN = {
    Align.LEFT: Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
    Align.RIGHT: Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
}


class FactTable(QAbstractTableModel, Generic[Row]):
    """Rows by key, in the order in which they came or by the value of a column; a filter hides what does not fit.

    `put` and `remove` only note; `apply`, once a flush, makes cells and tells views. What is hidden is not made.

    Thread: the desktop's.

    Args:
        columns: what is shown of a row.
        key: what a row is filed under.
        most: how many rows are kept; the oldest go first. 0: all.
    """

    def __init__(self, columns: Sequence[Column[Row]], key: Callable[[Row], Hashable], most: int = 0) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self._key = key
        self._most = most
        self._rows: dict[Hashable, Row] = {}
        self._cells: dict[Hashable, tuple[Cell, ...]] = {}
        self._order: list[Hashable] = []
        self._places: dict[Hashable, int] = {}
        self._changed: dict[Hashable, None] = {}
        self._gone: set[Hashable] = set()
        self._fits: Callable[[Row], bool] = _all
        self._words: tuple[str, ...] = ()
        self._sort: tuple[int, bool] | None = None
        self.arranges_itself = True
        """Whether every `apply` puts the lines in order; else whoever owns the table calls `arrange`, now and then."""
        self.version = 0
        """Counts what was applied, for whoever shows totals."""

    # --- what is told -----------------------------------------------------------------------------------------------

    def put(self, row: Row) -> None:
        """Add a row, or replace the one of its key."""
        key = self._key(row)
        self._rows[key] = row
        self._changed[key] = None
        self._gone.discard(key)
        if self._most and len(self._rows) > self._most * SPARE:  # a table that nobody sees is not applied
            self._trim()

    def remove(self, key: Hashable) -> None:
        """Take a row out."""
        if self._rows.pop(key, None) is not None:
            self._changed.pop(key, None)
            if key in self._cells:
                self._gone.add(key)

    def replace_all(self, rows: Iterable[Row]) -> None:
        """Let the table have exactly these rows."""
        wanted = {self._key(row): row for row in rows}
        for key in [key for key in self._rows if key not in wanted]:
            self.remove(key)
        for key, row in wanted.items():
            if self._rows.get(key) != row:
                self.put(row)

    def forget(self) -> None:
        """Let go of every row at once: its panel was closed, and may be in the collector's keeping for as long as the window is there."""
        self.beginResetModel()
        for kept in (self._rows, self._cells, self._order, self._places, self._changed, self._gone):
            kept.clear()
        self.endResetModel()

    def row_of(self, index: Index) -> Row | None:
        """Return the row that is shown at an index."""
        return self._rows.get(self._order[index.row()]) if 0 <= index.row() < len(self._order) else None

    def row_by(self, key: Hashable) -> Row | None:
        """Return the row of a key, shown or not."""
        return self._rows.get(key)

    def key_at(self, line: int) -> Hashable:
        """Return the key of the row on a line."""
        return self._order[line]

    def line_of(self, key: Hashable) -> int:
        """Return the line of a key, -1 where it is not shown."""
        return self._places.get(key, -1)

    def shown(self) -> list[Row]:
        """Return the rows that are shown, in their order."""
        return [self._rows[key] for key in self._order if key in self._rows]

    def texts(self, places: Sequence[int]) -> list[list[str]]:
        """Return the texts of some columns of all rows that are shown."""
        return [[self._cells[key][place].text for place in places] for key in self._order]

    def cells(self, places: Sequence[int]) -> list[list[Cell]]:
        """Return the cells of some columns of all rows that are shown."""
        return [[self._cells[key][place] for place in places] for key in self._order]

    @property
    def count(self) -> int:
        """Return how many rows there are, shown or not."""
        return len(self._rows)

    # --- once a flush -----------------------------------------------------------------------------------------------

    def apply(self) -> None:
        """Make the cells of what changed and tell the views."""
        if not self._changed and not self._gone:
            return
        self._trim()
        made = {key: tuple(column.cell(self._rows[key]) for column in self.columns) for key in self._changed}
        fits = {key for key, cells in made.items() if self._is_shown(key, cells)}
        away = [key for key in made if key in self._places and key not in fits]
        self._take_out([key for key in self._gone if key in self._places] + away)
        for key in self._gone:
            self._cells.pop(key, None)
        self._cells.update(made)
        self._gone, self._changed = set(), {}
        self._tell_changed([self._places[key] for key in fits if key in self._places])
        self._append([key for key in made if key in fits and key not in self._places])
        if self.arranges_itself:
            self.arrange()
        self.version += 1

    def arrange(self) -> None:
        """Put the lines in order by what they are now, where a column to sort by was chosen."""
        if self._sort is not None:
            self._arrange()

    def _trim(self) -> None:
        over = len(self._rows) - self._most if self._most else 0
        for key in list(islice(self._rows, max(0, over))):
            self.remove(key)

    def _take_out(self, keys: list[Hashable]) -> None:
        """Take lines out, from below to above, so that the lines before them stay what they are."""
        for first, last in _runs(sorted((self._places[key] for key in keys), reverse=True)):
            self.beginRemoveRows(QModelIndex(), first, last)
            del self._order[first : last + 1]
            self.endRemoveRows()
        if keys:
            self._places = {key: line for line, key in enumerate(self._order)}

    def _tell_changed(self, lines: list[int]) -> None:
        last = len(self.columns) - 1
        for line in lines:
            self.dataChanged.emit(self.index(line, 0), self.index(line, last))

    def _append(self, keys: list[Hashable]) -> None:
        if not keys:
            return
        first = len(self._order)
        self.beginInsertRows(QModelIndex(), first, first + len(keys) - 1)
        for key in keys:
            self._places[key] = len(self._order)
            self._order.append(key)
        self.endInsertRows()

    def _arrange(self) -> None:
        """Put the lines in order; what is chosen stays chosen by its key."""
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        places = [(self._order[index.row()], index.column()) for index in before]
        self._order = self._in_order(self._order)
        self._places = {key: line for line, key in enumerate(self._order)}
        self.changePersistentIndexList(before, [self.index(self._places[key], column) for key, column in places])
        self.layoutChanged.emit()

    def _in_order(self, keys: list[Hashable]) -> list[Hashable]:
        if self._sort is None:
            wanted = set(keys)
            return [key for key in self._rows if key in wanted]
        column, descending = self._sort
        values = {key: self._cells[key][column].sort for key in keys}
        try:
            return sorted(keys, key=values.__getitem__, reverse=descending)
        except TypeError:  # numbers and words in one column
            return sorted(keys, key=lambda key: _by_value(self._cells[key][column]), reverse=descending)

    def _refill(self) -> None:
        """Show what fits now."""
        self.apply()
        self.beginResetModel()
        self._order = self._in_order([key for key in self._rows if self._is_shown(key, self._cells[key])])
        self._places = {key: line for line, key in enumerate(self._order)}
        self.endResetModel()

    # --- filter and order -------------------------------------------------------------------------------------------

    def set_words(self, text: str) -> None:
        """Show only rows that have every word of a text in some cell."""
        self._words = tuple(text.casefold().split())
        self._refill()

    def set_filter(self, fits: Callable[[Row], bool] | None) -> None:
        """Show only rows that fit."""
        self._fits = fits or _all
        self._refill()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by the values of a column; by -1 as the rows came."""
        self._sort = None if column < 0 else (column, order == Qt.SortOrder.DescendingOrder)
        self.apply()  # what is gone has no place in the new order
        self._arrange()

    def _is_shown(self, key: Hashable, cells: tuple[Cell, ...]) -> bool:
        if not self._fits(self._rows[key]):
            return False
        if not self._words:
            return True
        text = " ".join(cell.text for cell in cells).casefold()
        return all(word in text for word in self._words)

    # --- Qt ---------------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802
        """Return how many rows are shown."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what is ready of a cell."""
        if not index.isValid() or index.row() >= len(self._order):
            return None
        cell = self._cells[self._order[index.row()]][index.column()]
        if role == CELL_ROLE:
            return cell
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return hint_text(cell.hint or (cell.text if len(cell.text) > LONG else "")) or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_ALIGN[self.columns[index.column()].align])
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the heading of a column."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(self.columns[section].title)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_ALIGN[self.columns[section].align])
        return None


def _runs(lines: list[int]) -> list[tuple[int, int]]:
    """Return lines that stand together as first and last, from below to above as they are given."""
    runs: list[tuple[int, int]] = []
    for line in lines:
        if runs and runs[-1][0] == line + 1:
            runs[-1] = (line, runs[-1][1])
        else:
            runs.append((line, line))
    return runs


def _all(_row: object) -> bool:
    return True


def _by_value(cell: Cell) -> tuple[bool, float, str]:
    """Order numbers before words, each by its value."""
    return (True, 0.0, cell.sort) if isinstance(cell.sort, str) else (False, cell.sort, "")
