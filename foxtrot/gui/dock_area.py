"""Docks: panels that can be moved, floated, put into tabs and closed, behind an interface of our own."""

from collections.abc import Iterable
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QColor, QPainter, QPixmap
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QTabWidget,
    QToolButton,
    QWidget,
)

from foxtrot.gui.desk import CHIP_COLOURS, CHIPS, Desk
from foxtrot.gui.icons import icon
from foxtrot.gui.panel import Panel, PanelKinds
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme
from foxtrot.gui.workspaces import DEFAULTS, DefaultPanel, PlacedPanel, Workspace, encoded

ICON: Final = 16
_TABS: Final = QTabWidget.TabPosition.North
_AREAS: Final = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "top": Qt.DockWidgetArea.TopDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}


class PanelDock(QDockWidget):
    """A dock with a panel in it, a title, the chip of its link group, and a button that closes it."""

    closed = Signal(str)

    def __init__(self, name: str, panel: Panel, parent: QWidget) -> None:
        super().__init__(parent)
        self.panel = panel
        self.setObjectName(name)
        self.setWidget(panel)
        self.setTitleBarWidget(self._bar())
        panel.windowTitleChanged.connect(self.setWindowTitle)  # a panel may count in its tab
        self.name_anew()

    def name_anew(self) -> None:
        """Take the title in the language in force."""
        title = self.panel.title
        self.setWindowTitle(title)
        self._title.setText(title)

    def _bar(self) -> QWidget:
        theme = self.panel.desk.theme
        bar = QWidget(self)
        row = QHBoxLayout(bar)
        row.setContentsMargins(theme.pixels(8), theme.pixels(2), theme.pixels(4), theme.pixels(2))
        row.setSpacing(theme.pixels(6))
        self._title = QLabel(bar)
        row.addWidget(self._title)
        row.addStretch(1)
        self._chip = QToolButton(bar)
        self._chip.setAutoRaise(True)
        self._chip.setIconSize(QSize(theme.pixels(ICON), theme.pixels(ICON)))
        self._chip.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._chip.setToolTip(tr("dock.chip_hint"))
        self._chip.setMenu(self._chip_menu())
        self._chip.setVisible(self.panel.follows)
        row.addWidget(self._chip)
        for name, tip, act in (("float", "dock.float_hint", self._float), ("close", "dock.close_hint", self.close)):
            button = QToolButton(bar)
            button.setAutoRaise(True)
            button.setIcon(icon(name, theme))
            button.setIconSize(QSize(theme.pixels(ICON), theme.pixels(ICON)))
            button.setToolTip(tr(tip))
            button.clicked.connect(act)
            row.addWidget(button)
        self._paint_chip()
        return bar

    def _float(self) -> None:
        self.setFloating(not self.isFloating())

    def _chip_menu(self) -> QMenu:
        menu = QMenu(self)
        for chip in CHIPS:
            action = QAction(_dot(CHIP_COLOURS[chip], self.panel.desk.theme), tr(f"dock.chip_{chip or 'none'}"), menu)
            action.triggered.connect(partial(self._take_chip, chip))
            menu.addAction(action)
        return menu

    def _take_chip(self, chip: str) -> None:
        self.panel.set_chip(chip)
        self._paint_chip()

    def _paint_chip(self) -> None:
        self._chip.setIcon(_dot(CHIP_COLOURS.get(self.panel.chip, ""), self.panel.desk.theme))

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Let go of the panel."""
        super().closeEvent(event)
        self.closed.emit(self.objectName())


class DockArea(QObject):
    """The panels of one window.

    Thread: the desktop's.

    Args:
        window: where they stand.
        kinds: what can be opened.
        desk: what panels are given.
    """

    changed = Signal()

    def __init__(self, window: QMainWindow, kinds: PanelKinds, desk: Desk) -> None:
        super().__init__(window)
        self._window = window
        self._kinds = kinds
        self._desk = desk
        self._docks: dict[str, PanelDock] = {}
        window.setDockNestingEnabled(True)
        middle = QWidget(
            window
        )  # without one Qt shares the room anew, a little more evenly, each time that a hint changes
        middle.setFixedHeight(0)
        middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        window.setCentralWidget(middle)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, _TABS)
        for corner, area in (  # panels at the sides are as high as the window, the chart stands between them
            (Qt.Corner.TopLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea),
            (Qt.Corner.TopRightCorner, Qt.DockWidgetArea.RightDockWidgetArea),
            (Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea),
            (Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea),
        ):
            window.setCorner(corner, area)

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Return the open panels."""
        return tuple(dock.panel for dock in self._docks.values())

    def find(self, kind: str) -> Panel | None:
        """Return the first open panel of a kind."""
        return next((panel for panel in self.panels if panel.kind == kind), None)

    def open(self, kind: str, state: dict[str, object] | None = None) -> Panel | None:
        """Open a panel of a kind beside those that are open; where there is no room, in a tab or floating. None where there is no such kind."""
        dock = self._add(kind, self._free_name(kind))
        if dock is None:
            return None
        before = self._window.size()
        self._window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        dock.panel.restore_state(dict(state or {}))
        dock.show()
        self._find_room(dock, before)
        dock.raise_()
        self.changed.emit()
        return dock.panel

    def show(self, kind: str, instrument_id: str = "") -> Panel | None:
        """Raise the first open panel of a kind, or open one, and let it and its group show an instrument."""
        dock = next((one for one in self._docks.values() if one.panel.kind == kind), None)
        panel = self.open(kind) if dock is None else dock.panel
        if dock is not None:
            dock.show()
            dock.raise_()
        if panel is not None and instrument_id:
            panel.choose_instrument(instrument_id)
        return panel

    def clear(self) -> None:
        """Close every panel."""
        for name in tuple(self._docks):
            self._drop(name)

    def show_default(self, name: str) -> None:
        """Show a workspace as it came."""
        self.clear()
        made: dict[str, PanelDock] = {}
        for placed in DEFAULTS.get(name, DEFAULTS["discretionary"]):
            dock = self._add(placed.kind, self._free_name(placed.kind))
            if dock is not None:
                made[placed.kind] = dock
                self._place(placed, dock, made)
        self._take_sizes(name, made)
        QTimer.singleShot(0, self, partial(self._take_sizes, name, made))  # once more when there is a window to share
        for first in {one.tab_with for one in DEFAULTS.get(name, ()) if one.tab_with in made}:
            made[first].raise_()
        self.changed.emit()

    def show_saved(self, workspace: Workspace) -> bool:
        """Show a saved workspace; False where Qt could not place its docks, and the panels stand side by side."""
        self.clear()
        for placed in workspace.panels:
            dock = self._add(placed.kind, placed.name)
            if dock is not None:
                self._window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
                dock.panel.restore_state(dict(placed.state))
        restored = self._window.restoreState(workspace.layout_bytes())
        self.changed.emit()
        return restored

    def unknown_in(self, workspace: Workspace) -> list[str]:
        """Return the kinds of panels of a workspace that this desktop does not have."""
        return sorted({placed.kind for placed in workspace.panels} - set(self._kinds.names()))

    def saved(self, name: str) -> Workspace:
        """Return the workspace as it is now, under a name."""
        panels = tuple(
            PlacedPanel(dock.panel.kind, dock.objectName(), dock.panel.save_state()) for dock in self._docks.values()
        )
        layout, geometry = self._window.saveState(), self._window.saveGeometry()
        return Workspace(name, panels, encoded(layout), encoded(geometry))

    def name_anew(self) -> None:
        """Take the titles in the language in force."""
        for dock in self._docks.values():
            dock.name_anew()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _add(self, kind: str, name: str) -> PanelDock | None:
        panel = self._kinds.make(kind, self._desk)
        if panel is None or name in self._docks:
            return None
        dock = self._docks[name] = PanelDock(name, panel, self._window)
        dock.closed.connect(self._drop)
        return dock

    def _find_room(self, dock: PanelDock, size: QSize) -> None:
        """Put a panel into the tabs of the largest, else let it float, where the window would have to grow: out of the screen, mostly."""
        if self._fits(size) or not self._window.isVisible():
            return
        hosts = [one for one in self._docks.values() if one is not dock and one.panel.is_seen and not one.isFloating()]
        host = max(hosts, key=lambda one: one.width() * one.height(), default=None)
        if host is not None:
            self._window.tabifyDockWidget(host, dock)
        if not self._fits(size):
            dock.setFloating(True)
        layout = self._window.layout()
        if layout is not None:
            layout.activate()  # else Qt keeps the least size of before
        self._window.resize(size)

    def _fits(self, size: QSize) -> bool:
        least = self._window.minimumSizeHint()
        return least.width() <= size.width() and least.height() <= size.height()

    def _drop(self, name: str) -> None:
        dock = self._docks.pop(name, None)
        if dock is not None:
            dock.panel.leave()
            for view in dock.findChildren(FactView):
                view.forget()
            self._window.removeDockWidget(dock)
            dock.setObjectName(
                ""
            )  # it is there until the next event, and Qt would restore it for the new one of its name
            dock.deleteLater()
            self.changed.emit()

    def _take_sizes(self, name: str, made: dict[str, PanelDock]) -> None:
        """Give every panel of a default workspace its share; what stands in the centre has the rest."""
        standing = {id(dock) for dock in self._docks.values()}
        if any(id(dock) not in standing for dock in made.values()):
            return  # another workspace is shown, or one was closed
        px, alone = (
            self._desk.theme.pixels,
            [one for one in DEFAULTS.get(name, ()) if one.kind in made and not one.tab_with],
        )
        sides = [one for one in alone if one.area in ("left", "right") and not one.below]
        centre = [one for one in alone if one.area == "centre"]
        rest = max(px(200), self._window.width() - sum(px(one.size) for one in sides))
        columns = [(made[one.kind], px(one.size)) for one in sides] + [(made[one.kind], rest) for one in centre]
        self._window.resizeDocks(
            [dock for dock, _ in columns], [size for _, size in columns], Qt.Orientation.Horizontal
        )
        lower = [(centre[0].kind, one) for one in alone if one.area == "bottom" and centre]
        lower += [(one.below, one) for one in alone if one.below in made]
        height = self._window.height() - px(120)  # menus, bar and status line
        for above, one in lower:  # Qt shares the room of all that it is told at once, so each pair is told alone
            heights = [max(px(200), height - px(one.size)), px(one.size)]
            self._window.resizeDocks([made[above], made[one.kind]], heights, Qt.Orientation.Vertical)

    def _place(self, placed: DefaultPanel, dock: PanelDock, made: dict[str, PanelDock]) -> None:
        if placed.area == "centre":
            self._window.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, dock)
        elif placed.tab_with in made:
            self._window.tabifyDockWidget(made[placed.tab_with], dock)
        elif placed.below in made:
            self._window.splitDockWidget(made[placed.below], dock, Qt.Orientation.Vertical)
        else:
            self._window.addDockWidget(_AREAS[placed.area], dock)

    def _free_name(self, kind: str) -> str:
        numbers: Iterable[int] = range(1, 10_000)
        return next(name for number in numbers if (name := f"{kind}-{number}") not in self._docks)


def _dot(colour: str, theme: Theme) -> QPixmap:
    side = theme.pixels(12)
    pixmap = QPixmap(side, side)
    pixmap.fill(QColor(0, 0, 0, 0))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if colour:
        painter.setBrush(QColor(colour))
        painter.setPen(QColor(colour))
    else:
        painter.setPen(QColor("#888888"))
    edge = theme.pixels(2)
    painter.drawEllipse(edge, edge, side - 2 * edge, side - 2 * edge)
    painter.end()
    return pixmap
