"""The main window: bar, docks, status line; it asks how the platform stands and opens what the user wants to see."""

from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any, Final

import msgspec
from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QGuiApplication, QScreen
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar, QVBoxLayout, QWidget

from foxtrot.app.desktop_requests import ListedInstruments, ListInstruments, Overview, OverviewFound
from foxtrot.domain.errors import ConfigError
from foxtrot.gui.desk import Desk
from foxtrot.gui.dock_area import DockArea
from foxtrot.gui.kill_key import KillKey
from foxtrot.gui.order_actions import OrderActions
from foxtrot.gui.palette import Palette
from foxtrot.gui.palette_entries import PaletteEntries
from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.settings import SCALES
from foxtrot.gui.shortcuts import Shortcuts
from foxtrot.gui.status_line import LATE_S, StatusLine
from foxtrot.gui.texts import LANGUAGES, tr
from foxtrot.gui.theme import Direction, Mode
from foxtrot.gui.top_bar import TopBar
from foxtrot.gui.trading_keys import TradingKeys
from foxtrot.gui.window_menus import WindowMenus
from foxtrot.gui.workspaces import CAME_WITH, WorkspaceFiles

LOOK_MS: Final = 500
BASE_SIZE: Final = (1500, 900)
FRAME: Final = 28
"""Pixels that a window manager puts around a window, before it can be asked how many."""


class MainWindow(QMainWindow):
    """One window over one platform.

    Thread: the desktop's; nothing here waits.

    Args:
        desk: the way to the platform.
        actions: by which a person trades.
        kinds: the panels that can be opened.
        files: the saved workspaces.
    """

    kill_asked = Signal()
    search_asked = Signal()
    close_asked = Signal()
    looks_changed = Signal()
    """Theme, language or size was changed: the window is to be made anew."""

    def __init__(
        self, desk: Desk, actions: OrderActions, kinds: PanelKinds, files: WorkspaceFiles, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.desk = desk
        self.actions_door = actions
        self.workspace = desk.settings.workspace
        self.may_close: Callable[[], bool] = lambda: True
        self.overview: OverviewFound | None = None
        self._kinds = kinds
        self._files = files
        self._asked_s = 0.0
        self._answered_s = monotonic()
        self._unanswered = ""  # why the last question was not answered, "" where it was
        self._looked_s = monotonic()
        self.setObjectName("main_window")
        self.setWindowTitle(tr("window.title"))
        self.bar = TopBar(desk, actions, files.names, self)
        self.docks = DockArea(self, kinds, desk)
        self.setMenuWidget(self._head())
        self.status = StatusLine(desk.bridge, desk.theme, self)
        self.setStatusBar(self.status)
        self.shortcuts = Shortcuts(self, desk.settings.shortcuts)
        self.command_palette = Palette(PaletteEntries(self, kinds.names(), files.names), desk.theme, self)
        self.search_asked.connect(self.command_palette.open)
        self._connect()
        self._fit_screen()
        self.open_workspace(self.workspace)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    # --- workspaces -------------------------------------------------------------------------------------------------

    def open_workspace(self, name: str) -> None:
        """Show a workspace: as it was saved, else as it came. What was armed was so for what was seen before."""
        self.actions_door.arm(armed=False)
        saved = self._files.load(name)
        aside = self._files.set_aside.pop(name, None)
        if aside is not None:
            self.desk.said.emit("WARNING", tr("workspace.set_aside", name=name, file=aside.name))
        elif name in self._files.unread:
            self.desk.said.emit("WARNING", tr("workspace.unread", name=name, error=self._files.unread.pop(name)))
        if saved is None:
            self.docks.show_default(name)
        else:
            self.docks.show_saved(saved)
            if unknown := self.docks.unknown_in(saved):
                self.desk.said.emit("WARNING", tr("workspace.unknown", name=name, panels=", ".join(unknown)))
        self.workspace = self.desk.settings.workspace = name
        self.bar.fill_workspaces(name)

    def switch_workspace(self, name: str) -> None:
        """Save the workspace that is shown, and show another."""
        if name != self.workspace:
            self.save_workspace()
            self.open_workspace(name)

    def save_workspace(self, name: str = "") -> bool:
        """Save what is shown, under a name or its own; False where that failed, which is said."""
        try:
            self._files.save(self.docks.saved(name or self.workspace))
        except ConfigError as error:
            self.desk.said.emit("WARNING", str(error))
            return False
        if name:
            self.workspace = name
            self.bar.fill_workspaces(name)
        return True

    def reset_workspace(self) -> None:
        """Show the workspace as it came."""
        try:
            self._files.remove(self.workspace)
        except ConfigError as error:
            self.desk.said.emit("WARNING", str(error))
            return
        self.open_workspace(self.workspace if self.workspace in CAME_WITH else CAME_WITH[0])

    # --- the platform -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Ask how the platform stands, and say how window and engine keep up."""
        now_s = monotonic()
        self.bar.show_clock()
        self.status.show_window(now_s - self._looked_s)
        self._looked_s = now_s
        late_s = now_s - self._answered_s
        is_late = late_s > LATE_S if self._unanswered else bool(self._asked_s) and now_s - self._asked_s > LATE_S
        self.desk.late_s = late_s if is_late else 0.0
        if is_late:
            self.status.show_late(late_s, self._late_in())
            self.bar.show_late()
        if not self._asked_s and self.desk.questions is not None:
            self._asked_s = now_s
            self.desk.ask(Overview(), self._hear_overview)

    def _late_in(self) -> str:
        """Return what is late: why a question is not answered, or the line that the engine's thread is at, where that can be told."""
        if self._unanswered:
            return self._unanswered
        place = "" if self.desk.questions is None else self.desk.questions.link.stands_in()
        return place or tr("status.unanswered")

    def _hear_overview(self, found: msgspec.Struct | None, error: str) -> None:
        self._asked_s, self._unanswered = 0.0, error
        if isinstance(found, OverviewFound):
            self._answered_s = monotonic()
            self.desk.late_s = 0.0
            self.overview = found
            self.desk.take_overview(found)
            self.bar.show_overview(found)
            self.status.show_engine(found)

    def take_platform(self) -> None:
        """Show a platform that was opened: its mode, its instruments."""
        self.bar.show_mode(is_live=self.desk.is_live)
        self._asked_s, self._answered_s, self._unanswered = 0.0, monotonic(), ""
        self.desk.ask(ListInstruments(), self._hear_instruments)

    def _hear_instruments(self, found: msgspec.Struct | None, _error: str) -> None:
        if isinstance(found, ListedInstruments):
            for account, instruments in found.instruments.items():
                self.desk.take_contracts(account, instruments)

    # --- building ---------------------------------------------------------------------------------------------------

    def _head(self) -> QWidget:
        head = QWidget(self)
        column = QVBoxLayout(head)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.menus = QMenuBar(head)
        column.addWidget(self.menus)
        column.addWidget(self.bar)
        self._fill_menus()
        return head

    def _fill_menus(self) -> None:
        self.menu_actions = WindowMenus(self, self._files)
        file_menu = self.menus.addMenu(tr("menu.file"))
        self.menu_actions.fill_file(file_menu)
        file_menu.addAction(tr("menu.quit"), self.close)
        view = self.menus.addMenu(tr("menu.view"))
        panels = view.addMenu(tr("menu.panels"))
        for kind in self._kinds.names():
            panels.addAction(tr(f"panel.{kind}"), partial(self.docks.open, kind))
        self.menu_actions.fill_view(view)
        spaces = self.menus.addMenu(tr("menu.workspaces"))
        self.menu_actions.fill_workspaces(spaces)
        spaces.addAction(tr("menu.reset_workspace"), self.reset_workspace)
        self.settings_menu = self.menus.addMenu(tr("menu.settings"))
        self._fill_settings(self.settings_menu)
        self.menu_actions.fill_settings(self.settings_menu)
        self.menu_actions.fill_help(self.menus.addMenu(tr("menu.help")))

    def _fill_settings(self, menu: QMenu) -> None:
        self._fill_choices(menu, "theme", "mode", {mode: tr(f"menu.{mode}") for mode in Mode})
        self._fill_choices(menu, "colours", "direction", {one: tr(f"menu.{one}") for one in Direction})
        self._fill_choices(menu, "scale", "scale", {scale: f"{scale:.0%}" for scale in SCALES})
        self._fill_choices(menu, "language", "language", LANGUAGES)

    def _fill_choices(self, menu: QMenu, title: str, field: str, choices: Mapping[Any, str]) -> None:
        part, group = menu.addMenu(tr(f"menu.{title}")), QActionGroup(menu)
        for value, text in choices.items():
            action = QAction(text, part, checkable=True, checked=getattr(self.desk.settings, field) == value)
            action.triggered.connect(partial(self._choose, field, value))
            group.addAction(action)
            part.addAction(action)

    def _choose(self, field: str, value: object, _on: bool = True) -> None:
        setattr(self.desk.settings, field, value)
        self.looks_changed.emit()

    def _connect(self) -> None:
        self.bar.workspace_chosen.connect(self.switch_workspace)
        self.bar.kill_asked.connect(self.kill_asked.emit)
        self.bar.search_asked.connect(self.search_asked.emit)
        self.desk.connected.connect(self.take_platform)
        self.desk.panel_asked.connect(self.docks.show)
        self.desk.order_asked.connect(self._show_order)
        self.status.clicked.connect(partial(self.docks.show, "diagnostics"))
        self.shortcuts.bind("kill", self.kill_asked.emit)
        self.kill_key = KillKey(partial(self.shortcuts.key_of, "kill"), self.kill_asked.emit, self)
        self.shortcuts.bind("search", self.search_asked.emit)
        self.menu_actions.bind_keys(self.shortcuts)
        self.trading_keys = TradingKeys(self.shortcuts, self.docks)
        for place, name in enumerate(CAME_WITH, 1):
            self.shortcuts.bind(f"workspace_{place}", partial(self.switch_workspace, name))

    def _show_order(self, order_id: str) -> None:
        panel = self.docks.show("order_life")
        if panel is not None:
            panel.restore_state({"order": order_id})

    def _fit_screen(self) -> None:
        theme = self.desk.theme
        width, height = (theme.pixels(length) for length in BASE_SIZE)
        screen: QScreen | None = QGuiApplication.primaryScreen()
        if screen is not None:
            room = screen.availableGeometry()
            width, height = min(width, room.width()), min(height, room.height() - FRAME)
        self.resize(width, height)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Close only when whoever watches over the platform agrees."""
        if not self.may_close():
            event.ignore()
            self.close_asked.emit()
            return
        self._timer.stop()
        self.save_workspace()
        super().closeEvent(event)
