"""The menus of the main window beyond its panels and looks: workspaces by name, accounts, keys, habits, the demo's faults."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QFileDialog, QInputDialog, QMenu, QMessageBox, QWidget

from foxtrot import __version__
from foxtrot.domain.errors import ConfigError
from foxtrot.gui.aside import Aside
from foxtrot.gui.cancel_all import CancelAll
from foxtrot.gui.config_form import AccountForm
from foxtrot.gui.shortcut_editor import ShortcutEditor
from foxtrot.gui.shortcuts import Shortcuts
from foxtrot.gui.texts import tr
from foxtrot.gui.workspaces import CAME_WITH, WorkspaceFiles

if TYPE_CHECKING:
    from foxtrot.gui.demo_venue import DemoVenue
    from foxtrot.gui.main_window import MainWindow

ENDING: Final = "workspace.json"


class AskText(Protocol):
    """Asks for a line of text; a test answers instead."""

    def __call__(self, title: str, label: str, text: str) -> str:
        """Return it, "" where the person went back."""
        ...


class WindowMenus(QObject):
    """Fills the menus of a window and does what they say.

    Thread: the desktop's.

    Args:
        window: whose menus.
        files: the saved workspaces.
    """

    def __init__(self, window: "MainWindow", files: WorkspaceFiles) -> None:
        super().__init__(window)
        self._window = window
        self._files = files
        self._aside = Aside(self)
        self.cancel_all = CancelAll(window.desk, self)
        self.ask_text: AskText = self._ask_text
        self.ask_open: Callable[[], str] = self._ask_open
        self.ask_save: Callable[[str], str] = self._ask_save
        self.dialog: QDialog | None = None
        self.demo_menu: QMenu | None = None
        window.desk.account_form_asked.connect(self.make_account)

    # --- filling ----------------------------------------------------------------------------------------------------

    def fill_file(self, menu: QMenu) -> None:
        """Add what has to do with files."""
        menu.addAction(tr("menu.new_account"), self.make_account)
        menu.addSeparator()

    def fill_view(self, menu: QMenu) -> None:
        """Add what fills the screen, and what cancels; both have keys, which are shown as they are now."""
        menu.addSeparator()
        self.full = menu.addAction(tr("menu.full_screen"), self.fill_screen)
        self.cancels = menu.addAction(tr("menu.cancel_all"), self.cancel_all.begin)
        menu.aboutToShow.connect(self._show_keys)

    def bind_keys(self, shortcuts: Shortcuts) -> None:
        """Bind the keys of what these menus do."""
        shortcuts.bind("cancel_all", self.cancel_all.begin)
        shortcuts.bind("fullscreen", self.fill_screen)

    def fill_screen(self) -> None:
        """Fill the whole screen, or be a window again."""
        window = self._window
        if window.isFullScreen():
            window.showNormal()
        else:
            window.showFullScreen()

    def _show_keys(self) -> None:
        keys = self._window.shortcuts
        self.full.setText(f"{tr('menu.full_screen')}\t{keys.key_of('fullscreen')}")
        self.cancels.setText(f"{tr('menu.cancel_all')}\t{keys.key_of('cancel_all')}")

    def fill_workspaces(self, menu: QMenu) -> None:
        """Add what is done with workspaces."""
        menu.addAction(tr("menu.save_workspace"), self.save_as)
        self.remove_action = menu.addAction(tr("menu.remove_workspace"), self.remove)
        menu.addSeparator()
        menu.addAction(tr("menu.export_workspace"), self.export)
        menu.addAction(tr("menu.import_workspace"), self.take_in)
        menu.aboutToShow.connect(self._allow)

    def fill_settings(self, menu: QMenu) -> None:
        """Add keys and habits."""
        settings, actions = self._window.desk.settings, self._window.actions_door
        menu.addSeparator()
        menu.addAction(tr("menu.shortcuts"), self.edit_shortcuts)
        sound = QAction(tr("menu.sound"), menu, checkable=True, checked=settings.sound)
        sound.toggled.connect(lambda on: setattr(settings, "sound", on))
        self.asks = QAction(tr("menu.asks"), menu, checkable=True, checked=actions.asks_in_live)
        self.asks.setToolTip(tr("menu.asks_hint"))
        self.asks.toggled.connect(self._set_asks)
        menu.setToolTipsVisible(True)
        menu.addActions([sound, self.asks])

    def fill_help(self, menu: QMenu) -> None:
        """Add who we are."""
        menu.addAction(tr("menu.diagnostics"), partial(self._window.docks.show, "diagnostics"))
        menu.addAction(tr("menu.about"), self._about)

    def offer_demo(self, demo: "DemoVenue") -> None:
        """Add what can go wrong at the demo's venue; each is done beside the desktop's thread."""
        menu = self.demo_menu = self._window.menus.addMenu(tr("menu.demo"))
        for key, do in (("cut_cable", demo.cut_cable), ("gap_feed", demo.gap_feed), ("restart_venue", demo.restart)):
            action = menu.addAction(tr(f"menu.{key}"), partial(self._do_demo, key, do))
            action.setObjectName(key)

    # --- workspaces -------------------------------------------------------------------------------------------------

    def save_as(self) -> None:
        """Save the workspace under a name that is asked for."""
        name = self.ask_text(tr("menu.save_workspace").replace("&", ""), tr("workspace.name"), self._window.workspace)
        if name and self._window.save_workspace(name):
            self._window.desk.settings.workspace = name
            self._say("INFO", tr("workspace.saved", name=name))

    def remove(self) -> None:
        """Forget the workspace that is shown, after asking; one that came with the desktop is only reset."""
        name = self._window.workspace
        question = tr("workspace.remove", name=name)
        if name not in CAME_WITH and self._window.actions_door.confirm(tr("workspace.remove_title"), question):
            self._window.open_workspace(CAME_WITH[0])
            self._try(lambda: self._files.remove(name))
            self._window.bar.fill_workspaces(CAME_WITH[0])

    def export(self) -> None:
        """Write the workspace that is shown into a file that is asked for."""
        name = self._window.workspace
        place = self.ask_save(f"{name}.{ENDING}")
        if place:
            self._try(lambda: self._files.give_out(self._window.docks.saved(name), Path(place)))

    def take_in(self) -> None:
        """Read a workspace from a file that is asked for, and show it."""
        place = self.ask_open()
        if place:
            name = self._try(lambda: self._files.take_in(Path(place)))
            if name:
                self._window.save_workspace()
                self._window.open_workspace(name)

    def _allow(self) -> None:
        own = self._window.workspace not in CAME_WITH
        self.remove_action.setEnabled(own)
        self.remove_action.setToolTip("" if own else tr("workspace.came"))

    # --- dialogs ----------------------------------------------------------------------------------------------------

    def edit_shortcuts(self) -> None:
        """Show the keys."""
        self._open(ShortcutEditor(self._window.shortcuts, self._window.desk.settings, self._window))

    def make_account(self) -> None:
        """Show the form of a new account."""
        self._open(AccountForm(self._window.desk, self._window))

    def _open(self, dialog: QDialog) -> None:
        if self.dialog is not None:
            self.dialog.close()
            self.dialog.deleteLater()
        self.dialog = dialog
        dialog.open()

    def _about(self) -> None:
        box = QMessageBox(self._window)
        box.setWindowTitle(tr("menu.about").replace("&", ""))
        box.setText(tr("window.about", version=__version__))
        self._open(box)

    # --- the rest ---------------------------------------------------------------------------------------------------

    def _set_asks(self, on: bool) -> None:
        actions = self._window.actions_door
        if on or actions.confirm(tr("menu.asks_title"), tr("menu.asks_text")):
            actions.asks_in_live = on
        else:
            self.asks.setChecked(True)

    def _do_demo(self, key: str, do: Callable[[], None]) -> None:
        self._say("WARNING", tr(f"demo.{key}"))
        self._aside.run(do, lambda _none, why: self._say("WARNING", why) if why else None)

    def _try(self, do: Callable[[], str | None]) -> str:
        try:
            return do() or ""
        except ConfigError as error:
            self._say("WARNING", str(error))
            return ""

    def _say(self, level: str, text: str) -> None:
        self._window.desk.said.emit(level, text)

    def _ask_text(self, title: str, label: str, text: str) -> str:
        found, agreed = QInputDialog.getText(self._window, title, label, text=text)
        return found.strip() if agreed else ""

    def _ask_open(self) -> str:
        return QFileDialog.getOpenFileName(
            _parent(self), tr("menu.import_workspace").replace("&", ""), "", f"*.{ENDING}"
        )[0]

    def _ask_save(self, name: str) -> str:
        return QFileDialog.getSaveFileName(
            _parent(self), tr("menu.export_workspace").replace("&", ""), name, f"*.{ENDING}"
        )[0]


def _parent(menus: WindowMenus) -> QWidget | None:
    found = menus.parent()
    return found if isinstance(found, QWidget) else None
