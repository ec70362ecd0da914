"""The tabs of a watchlist: a list each, a button that makes another, a menu that renames and removes."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QInputDialog, QMenu, QTabBar, QToolButton, QWidget

from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme
from foxtrot.gui.watch_lists import WatchLists


class WatchTabs(QWidget):
    """Shows which lists there are. `changed` comes when another is shown, made, renamed or removed.

    Thread: the desktop's.

    Args:
        lists: the lists.
        theme: the looks.
    """

    changed = Signal()

    def __init__(self, lists: WatchLists, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lists = lists
        self._filling = False
        self.ask_name: Callable[[str, str], str] = self._ask_name
        self.bar = QTabBar(self)
        self.bar.setObjectName("watchlist_tabs")
        self.bar.setExpanding(False)
        self.bar.setDrawBase(False)
        self.bar.setElideMode(Qt.TextElideMode.ElideRight)
        self.bar.setUsesScrollButtons(True)
        self.bar.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.bar.currentChanged.connect(self._show)
        self.bar.tabBarDoubleClicked.connect(self.rename)
        self.bar.customContextMenuRequested.connect(self._offer)
        self.more = QToolButton(self)
        self.more.setObjectName("watchlist_new")
        self.more.setText("+")
        self.more.setAutoRaise(True)
        self.more.setToolTip(tr("watchlist.new"))
        self.more.clicked.connect(self.make)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, theme.pixels(4), 0)
        row.setSpacing(0)
        row.addWidget(self.bar, 1)
        row.addWidget(self.more)

    def fill(self, names: Sequence[str], shown: str) -> None:
        """Show the tabs of these lists, one of them chosen."""
        self._filling = True
        if [self.bar.tabText(place) for place in range(self.bar.count())] != list(names):
            while self.bar.count():
                self.bar.removeTab(0)
            for name in names:
                self.bar.addTab(name)
        self.bar.setCurrentIndex(list(names).index(shown))
        self._filling = False

    def make(self) -> None:
        """Ask for a name, and make a list of it."""
        name = self.ask_name(tr("watchlist.new"), "")
        if name and self._lists.make(name):
            self.changed.emit()

    def rename(self) -> None:
        """Ask for another name of the list that is shown."""
        name = self.ask_name(tr("watchlist.rename"), self._lists.shown)
        if name and self._lists.rename(name):
            self.changed.emit()

    def remove(self) -> None:
        """Remove the list that is shown."""
        if self._lists.remove():
            self.changed.emit()

    def _show(self, place: int) -> None:
        if not self._filling and place >= 0:
            self._lists.show(self.bar.tabText(place))
            self.changed.emit()

    def _offer(self, where: QPoint) -> None:
        place = self.bar.tabAt(where)
        if place >= 0:
            self.bar.setCurrentIndex(place)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("watchlist.new"), self.make)
        menu.addAction(tr("watchlist.rename"), self.rename)
        menu.addAction(tr("watchlist.remove"), self.remove).setEnabled(len(self._lists.names) > 1)
        menu.popup(self.bar.mapToGlobal(where))

    def _ask_name(self, title: str, before: str) -> str:
        name, agreed = QInputDialog.getText(self, title, tr("watchlist.name_of_list"), text=before)
        return name if agreed else ""
