"""The life of the desktop: what closing asks, what a kill reports, failures that are told without holding anything up, menus, keys, signals."""

import gc
import os
import signal
import sys
import threading
import weakref
from pathlib import Path
from time import perf_counter

import pytest
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QDialog, QPushButton
from pytestqt.qtbot import QtBot

from foxtrot.app.control_requests import FollowKill, KillProgress, OrderRow, PositionRow
from foxtrot.app.desktop_requests import Overview
from foxtrot.app.stop_signals import StopSignal
from foxtrot.core.notices import StrategyStatus
from foxtrot.gui import dialogs
from foxtrot.gui.application import Desktop, run_desktop
from foxtrot.gui.attendants import Attendants
from foxtrot.gui.close_guard import CloseGuard
from foxtrot.gui.dialogs import CloseChoice, CloseDialog, CrashNotice
from foxtrot.gui.failure_watch import FailureWatch
from foxtrot.gui.kill_report import KillReport
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.panels.log import LogPanel
from foxtrot.gui.shortcut_editor import ShortcutEditor
from foxtrot.gui.signal_watch import SignalWatch
from foxtrot.gui.watchdog import SETTLED_AFTER, BeatWatch, Collector
from tests.gui.test_window import an_overview
from tests.support.builders import T0
from tests.support.desktop_rig import ACCOUNT, DesktopRig

KINDS = PanelKinds((LogPanel,))


def an_order(order_id: str) -> OrderRow:
    return OrderRow(
        order_id, "one", ACCOUNT, "BTCUSDT.PERP", "buy", "limit", 1.0, 0.0, 100.0, 0.0, "accepted", False, True, "", T0, T0, None, ""
    )  # fmt: skip


def progress(still_open: int = 1, positions: tuple[PositionRow, ...] = ()) -> KillProgress:
    rows = tuple(an_order(f"F-{number}") for number in range(still_open))
    return KillProgress(3, still_open, 3, 3 - still_open, 0, 0, 1, 0, rows, (), positions)


def a_position(owner: str = "manual") -> PositionRow:
    return PositionRow(owner, ACCOUNT, "BTCUSDT.PERP", "net", 2.0, 100.0, None, "naked")


@pytest.fixture
def window(qtbot: QtBot, rig: DesktopRig) -> MainWindow:
    rig.link.answers[Overview] = an_overview()
    made = MainWindow(rig.desk, rig.actions, KINDS, rig.files)
    qtbot.addWidget(made)
    made.show()
    rig.open()
    return made


# --- closing --------------------------------------------------------------------------------------------------------


def test_nobody_is_asked_while_nothing_is_alive(rig: DesktopRig) -> None:
    guard = CloseGuard(rig.desk, lambda: None)
    guard.ask = lambda _strategies, _orders: pytest.fail("asked")
    rig.hear(StrategyStatus("one", "stopped", "", T0))
    assert guard.choice() is CloseChoice.STOP


def test_a_running_strategy_or_an_open_order_is_asked_about_and_a_second_close_waits(rig: DesktopRig) -> None:
    guard = CloseGuard(rig.desk, lambda: None)
    asked: list[tuple[int, int]] = []

    def ask(strategies: int, orders: int) -> CloseChoice:
        asked.append((strategies, orders))
        assert guard.choice() is CloseChoice.CANCEL
        return CloseChoice.HEADLESS

    guard.ask = ask
    rig.hear(StrategyStatus("one", "running", "", T0), StrategyStatus("two", "ready", "", T0))
    assert guard.choice() is CloseChoice.HEADLESS
    assert asked == [(2, 0)]


def test_the_question_says_cancel_unless_somebody_chooses(qtbot: QtBot) -> None:
    dialog = CloseDialog(1, 2)
    qtbot.addWidget(dialog)
    assert dialog.choice is CloseChoice.CANCEL
    QTimer.singleShot(0, dialog.reject)
    dialog.buttons[CloseChoice.STOP].setChecked(True)
    assert dialog.ask() is CloseChoice.CANCEL
    QTimer.singleShot(0, dialog.accept)
    assert dialog.ask() is CloseChoice.STOP


class Host:
    """A platform that runs until it is stopped."""

    def __init__(self) -> None:
        self.running = True
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1

    def join(self, _seconds: float) -> str:
        return ""


def test_the_window_goes_and_the_platform_stays_where_that_is_chosen(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    gc.enable()  # as in a program, where no test has taken it over
    desktop = Desktop(qapp, tmp_path, None)
    desktop.start()
    host = desktop.host = Host()  # type: ignore[assignment]
    desktop.guard._stages["one"] = "running"
    desktop.guard.ask = lambda *_: CloseChoice.CANCEL
    assert desktop.window is not None
    assert not desktop.window.close()
    assert desktop.window.isVisible()
    desktop.guard.ask = lambda *_: CloseChoice.HEADLESS
    desktop.window.close()
    qtbot.waitUntil(lambda: desktop.window is None)
    assert host.stops == 0
    desktop.bridge.failed.emit("a failure that no window shows")
    desktop.stop()
    assert host.stops == 1
    assert desktop.end() == ""
    assert gc.isenabled()


def test_looks_and_language_change_while_it_runs(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    desktop = Desktop(qapp, tmp_path, None)
    desktop.start()
    first = desktop.window
    assert first is not None
    first._choose("language", "zh")
    qtbot.waitUntil(lambda: desktop.window is not first)
    assert desktop.window is not None
    assert desktop.window.menus.actions()[0].text().startswith("文件")
    desktop.end()


# --- the kill -------------------------------------------------------------------------------------------------------


def test_a_kill_reports_until_all_has_ended_and_flattens_only_after_a_list(qtbot: QtBot, rig: DesktopRig) -> None:
    rig.open()
    rig.link.answers[FollowKill] = progress(1)
    report = KillReport(rig.desk, 1, rig.link)
    qtbot.addWidget(report)
    report.show()
    rig.bridge.flush()
    assert not report.isModal()
    assert "F-0" in report.text.text()
    assert not report.flatten.isEnabled()
    assert report.flatten.toolTip()
    rig.link.answers[FollowKill] = progress(0, (a_position(), a_position("EXTERNAL")))
    report.look()
    rig.bridge.flush()
    assert "All of them have ended" in report.text.text()
    rig.agrees = False
    with qtbot.assertNotEmitted(report.flatten_asked):
        qtbot.mouseClick(report.findChild(QPushButton, "kill_flatten"), Qt.MouseButton.LeftButton)
    assert rig.questions[-1][1].count("BTCUSDT.PERP") == 1
    rig.agrees = True
    with qtbot.waitSignal(report.flatten_asked):
        qtbot.mouseClick(report.findChild(QPushButton, "kill_flatten"), Qt.MouseButton.LeftButton)


def test_a_stuck_engine_is_named_in_the_report(qtbot: QtBot, rig: DesktopRig) -> None:
    rig.open()
    report = KillReport(rig.desk, 1, rig.link)
    qtbot.addWidget(report)
    report._asked_s -= 5.0
    report.look()
    assert "slow.py:7" in report.text.text()


def test_a_report_says_closed_when_the_gate_is_and_goes_on_when_a_person_has_opened_it(
    qtbot: QtBot, rig: DesktopRig
) -> None:
    rig.open()
    rig.link.answers[FollowKill] = progress(1)
    rig.link.gate_closes = False
    report = KillReport(rig.desk, 1, rig.link)
    qtbot.addWidget(report)
    rig.bridge.flush()
    assert "is being handed to its venue" in report.text.text()
    assert not rig.link.of(FollowKill)
    rig.link.gate_closes = True
    report.look()
    rig.bridge.flush()
    assert "The gate is closed" in report.text.text()
    rig.link.gate_closes = False
    report.look()
    rig.bridge.flush()
    assert "is being handed to its venue" not in report.text.text()


def test_the_second_step_throws_the_switch_again_with_flatten(
    qtbot: QtBot, rig: DesktopRig, window: MainWindow, tmp_path: Path
) -> None:
    attendants = Attendants(rig.desk, tmp_path)
    attendants.attend(window)
    rig.link.answers[FollowKill] = progress(0, (a_position(),))
    attendants.show_kill(rig.link.kill("why"), rig.link)
    rig.bridge.flush()
    assert attendants.report is not None
    qtbot.mouseClick(attendants.report.flatten, Qt.MouseButton.LeftButton)
    assert [flatten for _, flatten, _ in rig.link.kills] == [False, True]
    assert attendants.report.kill_id == 2
    attendants.stop()


# --- failures -------------------------------------------------------------------------------------------------------


def test_what_nobody_caught_is_told_from_any_thread(qtbot: QtBot) -> None:
    watch = FailureWatch()
    before = sys.excepthook, threading.excepthook
    watch.start()
    try:
        told: list[str] = []
        watch.failed.connect(told.append, Qt.ConnectionType.QueuedConnection)
        sys.excepthook(ValueError, ValueError("wrong"), None)
        thread = threading.Thread(target=lambda: 1 / 0, name="a-worker")
        thread.start()
        thread.join()
        qtbot.waitUntil(lambda: len(told) == 2)
    finally:
        watch.stop()
    assert told[0] == "ValueError: wrong"
    assert told[1].startswith("a-worker: ZeroDivisionError")
    assert (sys.excepthook, threading.excepthook) == before


def test_the_notice_is_not_modal_and_comes_up_seldom(qtbot: QtBot) -> None:
    now = [0.0]
    notice = CrashNotice(clock=lambda: now[0])
    qtbot.addWidget(notice)
    for _ in range(50):
        notice.tell("one")
    assert notice.isVisible()
    assert not notice.isModal()
    assert "one  ×50" in notice._text.text()
    notice.hide()
    notice.tell("another")
    assert not notice.isVisible()
    now[0] = dialogs.SHOWN_EVERY_S
    notice.tell("a third")
    assert notice.isVisible()
    for number in range(dialogs.MOST_FAILURES + 20):
        notice.tell(f"many {number} " + "x" * 1000)
    assert len(notice.counts) == dialogs.MOST_FAILURES


def test_the_watchdog_says_once_where_the_thread_stands(rig: DesktopRig) -> None:
    watch = BeatWatch(rig.bridge)
    rig.bridge.flush()
    watch.look(perf_counter())
    assert watch.stalls == []
    watch.look(perf_counter() + 1.0)
    watch.look(perf_counter() + 2.0)
    assert len(watch.stalls) == 1
    assert "test_life.py" in watch.stalls[0]
    watch.start()
    watch.stop()


def test_only_the_desktops_thread_collects(qapp: QApplication) -> None:
    gc.enable()
    collector = Collector()
    collector.start()
    assert not gc.isenabled()
    collector.collect()
    collector.stop()
    assert gc.isenabled()


def test_what_stays_is_looked_at_no_more_until_a_window_is_thrown_away(qapp: QApplication) -> None:
    class Ring:
        def __init__(self) -> None:
            self.itself = self

    collector = Collector()
    collector.start()
    try:
        stays = gc.get_freeze_count()
        ring = weakref.ref(kept := Ring())
        for _ in range(SETTLED_AFTER):
            collector.collect()
        assert gc.get_freeze_count() > stays
        assert not any(one is kept for one in gc.get_objects())
        del kept
        gc.collect()
        assert ring() is not None
        collector.renew()
        for _ in range(SETTLED_AFTER):
            collector.collect()
        assert ring() is None
    finally:
        collector.stop()


# --- menus and keys -------------------------------------------------------------------------------------------------


def test_workspaces_are_saved_given_out_taken_in_and_removed(
    rig: DesktopRig, window: MainWindow, tmp_path: Path
) -> None:
    menus, place = window.menu_actions, str(tmp_path / "mine.workspace.json")
    menus.ask_text = lambda *_: "mine"
    menus.ask_save = lambda _name: place
    menus.ask_open = lambda: place
    menus.save_as()
    assert window.workspace == "mine"
    menus.export()
    menus.take_in()
    assert window.workspace == "mine 2"
    menus.remove()
    assert (window.workspace, rig.files.names()[4:]) == ("discretionary", ["mine"])
    menus.remove()
    assert rig.files.names()[4:] == ["mine"]
    Path(place).write_text("{}", "utf-8")
    menus.take_in()
    assert "no workspace" in rig.said[-1][1]


def test_asking_in_live_goes_off_only_when_the_person_agrees(rig: DesktopRig, window: MainWindow) -> None:
    rig.agrees = False
    window.menu_actions.asks.setChecked(False)
    assert rig.actions.asks_in_live
    assert window.menu_actions.asks.isChecked()
    rig.agrees = True
    window.menu_actions.asks.setChecked(False)
    assert not rig.actions.asks_in_live


def test_the_demos_faults_are_done_beside_the_window(qtbot: QtBot, window: MainWindow, rig: DesktopRig) -> None:
    done: list[tuple[str, int]] = []

    class Venue:
        def cut_cable(self) -> None:
            done.append(("cut", threading.get_ident()))

        def gap_feed(self) -> None:
            done.append(("gap", threading.get_ident()))

        def restart(self) -> None:
            raise OSError("no")

    window.menu_actions.offer_demo(Venue())  # type: ignore[arg-type]
    menu = window.menu_actions.demo_menu
    assert menu is not None
    for action in menu.actions():
        action.trigger()
    qtbot.waitUntil(lambda: len(done) == 2 and not window.menu_actions._aside.running)
    assert threading.get_ident() not in {ident for _, ident in done}
    assert rig.said[-1] == ("WARNING", "no")


def test_a_key_of_two_actions_is_refused_and_a_new_one_is_kept(
    qtbot: QtBot, rig: DesktopRig, window: MainWindow
) -> None:
    editor = ShortcutEditor(window.shortcuts, rig.settings, window)
    assert not editor.change("search", "Ctrl+Shift+K")
    assert "Kill switch" in editor.fault.text()
    assert editor.edits["search"].keySequence() == QKeySequence("Ctrl+K")
    assert editor.change("search", "Ctrl+J")
    assert rig.settings.shortcuts == {"search": "Ctrl+J"}
    with qtbot.waitActive(window):
        window.activateWindow()
    with qtbot.waitSignal(window.search_asked):
        qtbot.keyClick(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)


# --- signals --------------------------------------------------------------------------------------------------------


def test_a_signal_asks_for_the_end_and_one_that_came_early_counts(qtbot: QtBot) -> None:
    asked: list[int] = []
    before = signal.getsignal(signal.SIGTERM)
    early = StopSignal()
    early.ask()
    loop = QEventLoop()

    def ask() -> None:
        asked.append(1)
        loop.quit()

    QTimer.singleShot(10_000, loop.quit)
    with SignalWatch(ask, early):
        loop.exec()
        assert asked == [1]
        QTimer.singleShot(0, lambda: os.kill(os.getpid(), signal.SIGTERM))
        loop.exec()
    assert asked == [1, 1]
    assert signal.getsignal(signal.SIGTERM) == before


class Stubborn(QDialog):
    """A dialog that nothing closes."""

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        event.ignore()


@pytest.mark.parametrize("when", ["while the window is made", "over a dialog that does not close"])
def test_a_signal_ends_the_program_whatever_it_is_at(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    show, dialogs_open, too_late_for = Desktop.show_window, [], list[str]()
    too_late = QTimer(singleShot=True, interval=10_000)

    def ask() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def open_dialog() -> None:
        dialogs_open.append(Stubborn())
        QTimer.singleShot(50, ask)
        dialogs_open[0].exec()

    def show_window(desktop: Desktop) -> None:
        show(desktop)
        too_late.timeout.connect(lambda: too_late_for.append(when))
        too_late.timeout.connect(lambda: desktop.application.exit(1))
        too_late.start()
        if when.startswith("while"):
            ask()
        else:
            QTimer.singleShot(0, desktop, open_dialog)

    monkeypatch.setattr(Desktop, "show_window", show_window)
    ended = run_desktop(tmp_path, None, None, None)
    too_late.stop()  # the loops of later tests are not its to end
    assert ended == (None, "")
    assert not too_late_for
    for dialog in dialogs_open:
        dialog.hide()
        qtbot.addWidget(dialog, before_close_func=lambda one: one.setParent(None))
