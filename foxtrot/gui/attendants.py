"""Everything that attends a desktop beside its window: alerts and how they are told, failures, the watchdog, the collector, reports of kills."""

from pathlib import Path

from loguru import logger
from PySide6.QtCore import QObject, Qt

from foxtrot.gui.alerts import Alert, AlertBook, AlertWatch
from foxtrot.gui.desk import Desk
from foxtrot.gui.dialogs import CrashNotice
from foxtrot.gui.failure_watch import FailureWatch
from foxtrot.gui.kill_report import KillReport
from foxtrot.gui.link import PlatformLink
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.notifications import Notifier, Toasts
from foxtrot.gui.sounds import Sounder
from foxtrot.gui.texts import tr
from foxtrot.gui.watchdog import BeatWatch, Collector


class Attendants(QObject):
    """Made once for a desktop, told of each window that is made anew.

    Thread: the desktop's.

    Args:
        desk: the way to facts.
        folder: where alerts and their sound are kept.
    """

    def __init__(self, desk: Desk, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.alerts = AlertBook(desk, folder)
        self.watch = AlertWatch(desk, self.alerts)
        self.sounder = Sounder(folder, self)
        self.notifier = Notifier(self)
        self.failures = FailureWatch(self)
        self.beat = BeatWatch(desk.bridge)
        self.collector = Collector(self)
        self.notice: CrashNotice | None = None
        self.toasts: Toasts | None = None
        self.report: KillReport | None = None
        self._window: MainWindow | None = None
        self.alerts.rang.connect(self._tell_alert)
        desk.said.connect(self._tell)
        desk.bridge.failed.connect(self._tell_failure)
        self.failures.failed.connect(self._tell_failure, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Begin to watch."""
        self.failures.start()
        self.beat.start()
        self.collector.start()

    def stop(self) -> None:
        """Watch no more.

        Blocks: for a player of sounds and the watchdog, at most some tenths of a second.
        """
        self.attend(None)
        self.collector.stop()
        self.beat.stop()
        self.failures.stop()
        self.notifier.stop()
        self.sounder.stop()

    def attend(self, window: MainWindow | None) -> None:
        """Take another window in place of the one before; None where there is none any more."""
        followed = 0 if self.report is None or not self.report.isVisible() else self.report.kill_id
        for part in (self.notice, self.toasts, self.report):
            if part is not None:
                part.hide()
                part.deleteLater()
        self.notice = self.toasts = self.report = None
        self._window = window
        self.collector.renew()
        if window is not None:
            self.toasts = Toasts(window, self._desk.theme)
            if followed and self._desk.questions is not None:
                self.show_kill(followed, self._desk.questions.link)

    def show_kill(self, kill_id: int, link: PlatformLink) -> None:
        """Say beside the window what becomes of a kill."""
        if self._window is None:
            return
        if self.report is None:
            self.report = KillReport(self._desk, kill_id, link, self._window)
            self.report.flatten_asked.connect(lambda: self._flatten(link))
        else:
            self.report.follow(kill_id)
        self.report.show()
        self.report.raise_()

    def _flatten(self, link: PlatformLink) -> None:
        self.show_kill(link.kill(tr("kill.flatten_reason"), flatten=True), link)

    def _tell_alert(self, _alert: Alert, text: str) -> None:
        logger.warning("alert: {}", text)
        self._desk.said.emit("WARNING", f"{tr('panel.alerts')}: {text}")
        self.notifier.tell(text)
        if self._desk.settings.sound:
            self.sounder.play()

    def _tell(self, level: str, text: str) -> None:
        if self.toasts is not None:
            self.toasts.show_text(level, text)

    def _tell_failure(self, text: str) -> None:
        if self._window is None:
            return
        if self.notice is None:
            self.notice = CrashNotice(self._window)
        self.notice.tell(text)
