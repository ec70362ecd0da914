"""The desktop as a program: makes the window over a platform, and ends both in order."""

import os
import sys
from pathlib import Path
from typing import Final

from loguru import logger
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from foxtrot.app.live import Json, RunOrder
from foxtrot.app.logging_setup import LogWriter
from foxtrot.app.stop_signals import StopSignal
from foxtrot.domain.errors import ConfigError
from foxtrot.gui import texts
from foxtrot.gui.attendants import Attendants
from foxtrot.gui.bridge import Bridge
from foxtrot.gui.close_guard import CloseGuard
from foxtrot.gui.demo_venue import DemoVenue
from foxtrot.gui.desk import Desk
from foxtrot.gui.dialogs import CloseChoice, ask_yes
from foxtrot.gui.fact_store import FactStore
from foxtrot.gui.link import PlatformLink
from foxtrot.gui.log_lines import LogLines
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.order_actions import OrderActions
from foxtrot.gui.panels import ALL
from foxtrot.gui.platform_host import PlatformHost
from foxtrot.gui.settings import FOLDER, DesktopSettings, SettingsFile
from foxtrot.gui.signal_watch import SignalWatch
from foxtrot.gui.strategy_log import StrategyLogs
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import apply_theme
from foxtrot.gui.widget_map import map_asked_for
from foxtrot.gui.workspaces import WorkspaceFiles

STOP_S: Final = 30.0


class Desktop(QObject):
    """One platform and its window.

    Thread: the desktop's, which is main.

    Args:
        application: Qt's.
        home: where state lives.
        order: what is to run; None for a window without a platform.
        demo: the demo's venue, None where the platform is the user's own.
        log: the log of this process.
    """

    def __init__(
        self,
        application: QApplication,
        home: Path,
        order: RunOrder | None,
        demo: DemoVenue | None = None,
        log: LogWriter | None = None,
    ) -> None:
        super().__init__()
        self.application = application
        self.home = home
        self.order = order
        self.demo = demo
        self.store = FactStore()
        self.bridge = Bridge(self.store, parent=self)
        self.file = SettingsFile(home / FOLDER)
        self.settings: DesktopSettings = self.file.load()
        self.files = WorkspaceFiles(home / FOLDER / "workspaces")
        self.desk = Desk(self.bridge, self.settings, self)
        self.desk.home = home
        self.desk.is_live = order is not None and order.config.platform.mode == "live"  # said before anything runs
        StrategyLogs.of(self.desk)  # from the first on, whoever looks
        LogLines.of(self.desk)
        self.actions = OrderActions(self.desk, self._confirm)
        self.attendants = Attendants(self.desk, home / FOLDER, self)
        self.guard = CloseGuard(self.desk, lambda: self.window, self)
        self.window: MainWindow | None = None
        self.host: PlatformHost | None = None
        self.summary: Json | None = None
        self.error = ""
        self._log = log
        self._link: PlatformLink | None = None
        self._ending = False
        self._kill_waits = False

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Show the window, and begin to build the platform."""
        self.show_window()
        self.attendants.start()
        self.bridge.start()
        if self.file.unread:
            place = self.file.set_aside or self.file.path
            self.desk.said.emit("WARNING", tr("window.settings_unread", file=place, error=self.file.unread))
        if self.order is not None:
            self.host = PlatformHost(self.order, self.store, self.actions.who, self._log, self)
            self.host.opened.connect(self._open, Qt.ConnectionType.QueuedConnection)
            self.host.ended.connect(self._hear_end, Qt.ConnectionType.QueuedConnection)
            self.host.start()

    def show_window(self) -> None:
        """Make the window anew, in the looks and the language in force."""
        texts.choose(self.settings.language)
        self.desk.theme = self.settings.theme
        apply_theme(self.application, self.desk.theme)
        old, self.window = self.window, MainWindow(self.desk, self.actions, ALL, self.files)
        self.window.kill_asked.connect(self.kill)
        self.window.looks_changed.connect(self._look_anew, Qt.ConnectionType.QueuedConnection)
        self.window.may_close = self._may_close
        if old is not None:
            self.window.restoreGeometry(old.saveGeometry())
            self._throw_away(old)
        if self.demo is not None:
            self.window.menu_actions.offer_demo(self.demo)
        self.attendants.attend(self.window)
        if self.desk.questions is not None:
            self.window.take_platform()
        self.window.show()

    def kill(self) -> None:
        """Throw the kill switch; nobody is asked, for asking costs the second that it is for."""
        if self._link is None:
            self._kill_waits = self.host is not None and self.host.running
            self.desk.said.emit("WARNING", tr("kill.waits" if self._kill_waits else "kill.no_platform"))
            return
        self.attendants.show_kill(self._link.kill(tr("window.kill_reason")), self._link)

    def stop(self) -> None:
        """Stop the platform, then leave; the window stays until that is done."""
        self._ending = True
        if self.host is not None and self.host.running:
            self.host.stop()
        else:
            self._leave()

    def end(self) -> str:
        """Release everything after the last event; returns the name of a thread that overran, or "".

        Blocks: for the platform's stop, at most STOP_S, and the demo's venue.
        """
        self.bridge.stop()
        late = ""
        if self.host is not None:
            self.host.stop()
            late = self.host.join(STOP_S)
        if self.demo is not None:
            late = late or self.demo.stop()
        self.attendants.stop()
        self._drop_window()
        self._save_settings()
        return late

    # --- the platform -----------------------------------------------------------------------------------------------

    def _open(self, link: PlatformLink) -> None:
        self._link = link
        assert self.order is not None  # noqa: S101  (a host was made of it)
        self.desk.open(link, is_live=self.order.config.platform.mode == "live")
        if self._kill_waits:  # thrown while it was built
            self._kill_waits = False
            self.kill()

    def _hear_end(self, summary: Json | None, error: str) -> None:
        self.summary, self.error = summary, error
        if error:
            logger.error("the platform has ended: {}", error)
            self.desk.said.emit("ERROR", error)
        if self._ending or summary is not None:
            self._leave()

    def _leave(self) -> None:
        if self.window is not None:
            self.window.may_close = lambda: True
            self.window.close()
        self.application.exit(0)  # quit() asks every window first, and one that says no would keep the program

    # --- the window -------------------------------------------------------------------------------------------------

    def _may_close(self) -> bool:
        if self.host is None or not self.host.running:
            QTimer.singleShot(0, self, self._leave)
            return True
        choice = CloseChoice.CANCEL if self._ending else self.guard.choice()
        if choice is CloseChoice.STOP:
            self.stop()
        elif choice is CloseChoice.HEADLESS:
            QTimer.singleShot(0, self, self.go_headless)  # the window is in the middle of an event of its own
        return False

    def go_headless(self) -> None:
        """Let the window go; the platform goes on until a signal asks for its end."""
        if self.window is not None:
            self.window.save_workspace()
        self.attendants.attend(None)
        self._drop_window()
        self._save_settings()
        logger.warning(
            "the window is closed and the platform goes on; SIGTERM or Ctrl+C stops it (process {})", os.getpid()
        )

    def _drop_window(self) -> None:
        if self.window is not None:
            self._throw_away(self.window)
            self.window = None

    def _look_anew(self) -> None:
        if self.window is not None:
            self.window.save_workspace()
        self._save_settings()
        self.show_window()

    def _throw_away(self, window: MainWindow) -> None:
        window.may_close = lambda: True
        window.docks.clear()
        window.close()
        window.deleteLater()

    def _save_settings(self) -> None:
        try:
            (self.home / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
            self.file.save(self.settings)
        except (OSError, ConfigError) as error:
            logger.warning("the choices of the desktop could not be saved: {}", error)
            self.desk.said.emit("WARNING", str(error))

    def _confirm(self, title: str, text: str) -> bool:
        return ask_yes(self.window, title, text, title.rstrip("?？"))


def run_desktop(
    home: Path,
    order: RunOrder | None,
    demo: DemoVenue | None,
    log: LogWriter | None,
    stopped: StopSignal | None = None,
) -> tuple[Json | None, str]:
    """Show the desktop until it is closed, and return the platform's summary and why it ended early, "" where it did not.

    Thread: main.

    Blocks: until the window is closed, or SIGINT or SIGTERM asks for it.
    """
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)  # noqa: S101  (nobody else makes one)
    application.setApplicationName("Foxtrot")
    application.setQuitOnLastWindowClosed(False)
    desktop = Desktop(application, home, order, demo, log)
    map_asked_for(desktop)
    with SignalWatch(desktop.stop, stopped):
        try:
            desktop.start()
            application.exec()
        finally:
            late = desktop.end()
    if late:
        logger.warning("{} did not end in time", late)
    return desktop.summary, desktop.error
