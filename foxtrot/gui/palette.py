"""The command palette: a few letters find an instrument, a panel, a workspace or an action; the keyboard is enough."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from foxtrot.gui.fuzzy import best
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

MOST: Final = 40
ROWS: Final = 12
WIDTH: Final = 560
RECENT: Final = 8
RECENT_BONUS: Final = 12.0
Index = QModelIndex | QPersistentModelIndex
ENTRY_ROLE: Final = int(Qt.ItemDataRole.UserRole)

_STAYS: Final = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)
"""Why the keyboard may go elsewhere for a while without closing it: a menu, another window of the desktop."""


class Entry(msgspec.Struct, frozen=True):
    """One line of the palette.

    `words` is what is searched, in small letters; `kind` says what it is, `key` which keys do the same.
    """

    name: str
    text: str
    words: str
    kind: str
    do: Callable[[], object]
    key: str = ""


Offers = Callable[[str], Iterable[Entry]]
"""Gives all entries that could fit what was typed; which do, and how well, is the palette's."""


class EntryList(QAbstractListModel):
    """The entries that are offered now."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []

    def fill(self, entries: list[Entry]) -> None:
        """Offer others."""
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802
        """Return how many are offered."""
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the text of an entry, or the entry."""
        if not 0 <= index.row() < len(self.entries):
            return None
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.text
        return entry if role == ENTRY_ROLE else None


class EntryDelegate(QStyledItemDelegate):
    """Paints an entry: what it is called to the left, its keys and its kind to the right."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chosen = QColor(theme.colours.accent)
        self._chosen.setAlpha(70)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """Return the height of a line."""
        return QSize(10, self._theme.pixels(26))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one entry."""
        entry: Entry | None = index.data(ENTRY_ROLE)
        if entry is None:
            return
        colours, px = self._theme.colours, self._theme.pixels
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, self._chosen)
            painter.fillRect(option.rect.adjusted(0, 0, px(3) - option.rect.width(), 0), QColor(colours.accent))
        inner = option.rect.adjusted(px(12), 0, -px(12), 0)
        right = f"{entry.key}    {entry.kind}" if entry.key else entry.kind
        painter.setPen(QColor(colours.dim))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), right)
        room = inner.adjusted(0, 0, -option.fontMetrics.horizontalAdvance(right) - px(12), 0)
        painter.setPen(QColor(colours.text))
        text = option.fontMetrics.elidedText(entry.text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)


class Palette(QFrame):
    """Lies over the window until something was chosen, Escape was pressed or something else was clicked.

    Thread: the desktop's.

    Args:
        offers: what can be chosen.
        theme: the looks.
        window: over which it lies.
    """

    def __init__(self, offers: Offers, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._offers = offers
        self._theme = theme
        self._recent: list[str] = []
        self.setObjectName("palette")
        self.setAutoFillBackground(True)
        colours = theme.colours
        self.setStyleSheet(f"#palette{{background:{colours.panel};border:1px solid {colours.accent}}}")
        self.line = QLineEdit(self)
        self.line.setObjectName("palette_line")
        self.line.setPlaceholderText(tr("palette.hint"))
        self.line.textChanged.connect(self._search)
        self.line.installEventFilter(self)
        self.model = EntryList(self)
        self.list = QListView(self)
        self.list.setObjectName("palette_list")
        self.list.setModel(self.model)
        self.list.setItemDelegate(EntryDelegate(theme, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(lambda _index: self.take())
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.pixels(8),) * 4)
        column.setSpacing(theme.pixels(6))
        column.addWidget(self.line)
        column.addWidget(self.list)
        self.hide()

    def open(self) -> None:
        """Show it, empty, with what was chosen last on top; once more closes it."""
        if self.isVisible():
            self.close_up()
            return
        self.line.clear()
        self._search("")
        self.show()
        self.raise_()
        self.line.setFocus()

    def close_up(self) -> None:
        """Put it away, and give the keyboard back to the window."""
        self.hide()
        window = self.parentWidget()
        if window is not None:
            window.setFocus()

    def take(self) -> None:
        """Do what the marked entry says."""
        entry: Entry | None = self.list.currentIndex().data(ENTRY_ROLE)
        if entry is None:
            return
        self._recent = [entry.name, *(name for name in self._recent if name != entry.name)][:RECENT]
        self.close_up()
        entry.do()

    def _search(self, typed: str) -> None:
        offered = list(self._offers(typed))
        if typed.strip():
            scored = best(typed, ((entry.words, entry) for entry in offered), MOST)
            scored.sort(key=lambda one: -one[0] - (RECENT_BONUS if one[1].name in self._recent else 0.0))
            entries = [entry for _score, entry in scored]
        else:
            places = {name: place for place, name in enumerate(self._recent)}
            entries = sorted(offered, key=lambda entry: places.get(entry.name, RECENT))[:MOST]
        self.model.fill(entries)
        self.list.setCurrentIndex(self.model.index(0))
        self._place()

    def _place(self) -> None:
        """Stand below the bar, in the middle, as high as the entries need."""
        window = self.parentWidget()
        if window is None:
            return
        px = self._theme.pixels
        rows = min(max(self.model.rowCount(), 1), ROWS)
        self.list.setFixedHeight(rows * px(26) + 2)
        width = min(px(WIDTH), window.width() - px(20))
        self.setGeometry((window.width() - width) // 2, px(64), width, self.sizeHint().height())

    # --- keys -------------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Let the line keep letters, and the list have the keys that move, take and leave."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._press(event)
        if isinstance(event, QFocusEvent) and event.type() == QEvent.Type.FocusOut and event.reason() not in _STAYS:
            self.hide()
        return super().eventFilter(watched, event)

    def _press(self, event: QKeyEvent) -> bool:
        keys: dict[Any, int] = {
            Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: ROWS, Qt.Key.Key_PageUp: -ROWS,
            Qt.Key.Key_Tab: 1, Qt.Key.Key_Backtab: -1,
        }  # fmt: skip
        key = event.key()
        if key in keys:
            self._go(keys[Qt.Key(key)], round_about=abs(keys[Qt.Key(key)]) == 1)
        elif key == Qt.Key.Key_Escape:
            self.close_up()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():  # a key that is held takes one entry
                self.take()
        else:
            return False
        return True

    def _go(self, by: int, *, round_about: bool) -> None:
        count = self.model.rowCount()
        if count:
            place = self.list.currentIndex().row() + by
            place = place % count if round_about else min(max(place, 0), count - 1)
            self.list.setCurrentIndex(self.model.index(place))
