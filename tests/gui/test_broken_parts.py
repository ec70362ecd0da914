"""Parts that break under the desktop: hearers that raise, answers that fail or never come, an engine that has ended, wishes behind a backlog."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from foxtrot.app.config import load_config
from foxtrot.app.control_requests import Cancel, ListPositions
from foxtrot.app.desktop_requests import Overview
from foxtrot.app.live import RunOrder
from foxtrot.core import commands
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import GateState
from foxtrot.domain.market import TickData
from foxtrot.gui import main_window, platform_host
from foxtrot.gui.application import Desktop
from foxtrot.gui.desk import Desk
from foxtrot.gui.fact_store import FactStore
from foxtrot.gui.link import Answered
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.panels.positions import PositionsPanel
from foxtrot.gui.platform_host import PlatformHost
from foxtrot.gui.polling import LATE_S, Polling
from foxtrot.gui.workspaces import WorkspaceFiles
from tests.support.builders import T0, a_tick
from tests.support.desktop_platform import ACCOUNT, CONFIG, DesktopPlatform
from tests.support.desktop_rig import DesktopRig, ScriptedLink

MANY = 30_000


@pytest.fixture
def platform(tmp_path: Path, qtbot: QtBot) -> Iterator[DesktopPlatform]:
    made = DesktopPlatform(tmp_path, qtbot)
    made.start()
    try:
        yield made
    finally:
        made.end()


def a_window(qtbot: QtBot, desk: Desk, actions: object, folder: Path) -> MainWindow:
    window = MainWindow(desk, actions, PanelKinds(()), WorkspaceFiles(folder / "workspaces"))  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.show()
    return window


# --- hearers ----------------------------------------------------------------------------------------------------------


def test_a_hearer_that_always_raises_is_told_once_and_the_others_hear_all(rig: DesktopRig) -> None:
    told: list[str] = []
    heard: list[TickData] = []

    def broken(tick: TickData) -> None:
        raise ValueError("a fault of one panel")

    rig.bridge.failed.connect(told.append)
    rig.bridge.on(TickData, broken)
    rig.bridge.on(TickData, heard.append)
    for _ in range(3):
        for number in range(500):
            rig.store.hear(a_tick(f"S{number}.PERP"))
        rig.bridge.flush()
    figures = rig.bridge.statistics()
    assert (len(heard), told, figures.failures) == (1_500, ["ValueError: a fault of one panel"], 1_500)
    assert figures.flush_p99_ms < 500  # a trace for each of them was seconds


# --- wishes -----------------------------------------------------------------------------------------------------------


def test_a_cancel_is_not_behind_the_facts_that_wait_to_be_shown(platform: DesktopPlatform) -> None:
    order_id = platform.resting()
    platform.bridge.stop()
    for number in range(MANY):
        platform.store.hear(RequestFailed(ACCOUNT, str(number), "", T0))
    platform.actions.cancel(order_id)
    platform.until(lambda: platform.store.backlog > MANY)
    platform.bridge.flush()
    assert platform.store.backlog > MANY / 10  # most waits still
    platform.until(lambda: not platform.engine.ask(lambda: platform.engine.line.desk.open_count))


def test_a_wish_whose_command_is_not_taken_any_more_says_so(rig: DesktopRig) -> None:
    rig.open()
    heard: list[tuple[msgspec.Struct | None, str]] = []
    rig.desk.ask(Cancel(order_id="1", who="ann"), lambda found, error: heard.append((found, error)))
    rig.link.is_open = False
    rig.hear(Answered(1, None, command=commands.CancelOrder("1")))
    assert heard == [(None, "the platform has stopped before this could be done")]


def test_the_late_answer_of_a_platform_that_was_closed_is_nobody_else_s(rig: DesktopRig) -> None:
    rig.open()
    heard: list[object] = []
    rig.desk.ask(Cancel(order_id="1", who="ann"), lambda found, error: heard.append(found))
    rig.open()  # another platform
    rig.hear(Answered(1, None, command=commands.CancelOrder("1")))
    assert (heard, rig.link.sent) == ([], [])


def test_numbers_of_questions_are_those_of_one_platform_only(tmp_path: Path, qtbot: QtBot) -> None:
    numbers = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made = DesktopPlatform(tmp_path / name, qtbot)
        numbers.append(made.link.ask(Overview()))
        made.end()
    assert numbers[0] != numbers[1]


# --- answers ----------------------------------------------------------------------------------------------------------


def test_an_answer_that_does_not_come_is_said_and_is_not_asked_for_twice(rig: DesktopRig) -> None:
    rig.open()
    seconds = [0.0]
    polling = Polling(rig.desk, ListPositions, lambda _: None, clock=lambda: seconds[0])
    for seconds[0] in (1.0, LATE_S + 1):
        polling.look()
        polling.hasten()
        polling.look()
        assert polling.error == ""
    seconds[0] = LATE_S + 2
    polling.look()
    assert polling.error == "not answered for 6 s"
    assert len(rig.link.of(ListPositions)) == 1
    rig.hear(Answered(1, None))
    assert polling.error == ""


def test_what_is_asked_once_is_asked_again_when_it_was_refused(rig: DesktopRig) -> None:
    rig.open()
    seconds = [0.0]
    polling = Polling(rig.desk, ListPositions, lambda _: None, 0.0, clock=lambda: seconds[0])
    polling.look()
    rig.hear(Answered(1, None, "the engine is busy"))
    for seconds[0] in (1.0, LATE_S + 1, LATE_S + 2):
        polling.look()
    assert len(rig.link.of(ListPositions)) == 2
    rig.hear(Answered(2, None))
    seconds[0] = 1_000.0
    polling.look()
    assert (len(rig.link.of(ListPositions)), polling.error) == (2, "")


def test_a_panel_says_that_its_question_is_not_answered(
    rig: DesktopRig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foxtrot.gui.polling.LATE_S", 0.05)
    panel = PositionsPanel(rig.desk)
    qtbot.addWidget(panel)
    panel.show()
    rig.open()
    rig.bridge.start()
    qtbot.waitUntil(lambda: "not answered for" in panel.bar.text, timeout=5_000)


def test_an_overview_that_fails_is_named_and_nothing_old_is_shown_as_new(
    platform: DesktopPlatform, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_window, "LATE_S", 0.2)
    window = a_window(qtbot, platform.desk, platform.actions, tmp_path)
    window.take_platform()
    platform.until(lambda: ACCOUNT in window.bar.lights)
    assert window.bar.lights[ACCOUNT].meaning == "good"

    def broken() -> GateState:
        raise KeyError("a figure of the overview")

    with monkeypatch.context() as patched:
        patched.setattr(platform.engine.events, "statistics", broken)
        platform.until(lambda: "a figure of the overview" in window.status.engine.text())
        assert platform.desk.late_s > 0
        assert window.bar.lights[ACCOUNT].meaning == "dim"
        assert window.bar.lights[ACCOUNT].text.endswith("?")
    platform.until(lambda: window.bar.lights[ACCOUNT].meaning == "good" and platform.desk.late_s == 0.0)
    assert "late" not in window.status.engine.text()


def test_an_engine_that_has_died_is_said_and_kill_still_closes_the_gate(
    platform: DesktopPlatform, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_window, "LATE_S", 0.2)
    monkeypatch.setattr("threading.excepthook", lambda _failure: None)
    window = a_window(qtbot, platform.desk, platform.actions, tmp_path)
    window.take_platform()
    platform.until(lambda: ACCOUNT in window.bar.lights)
    said: list[tuple[str, str]] = []
    platform.desk.said.connect(lambda level, text: said.append((level, text)))

    def broken() -> float:
        raise MemoryError

    monkeypatch.setattr(platform.engine.events._loop, "seconds_to_timer", broken)
    platform.engine.events.wake()
    platform.until(lambda: not platform.engine.events.running)
    platform.until(lambda: "late" in window.status.engine.text() and window.bar.lights[ACCOUNT].text.endswith("?"))
    assert platform.engine.permit.state is not GateState.ACTIVE  # nothing leaves without an engine
    assert not platform.actions.place(platform.request(), "a test's")
    assert said[-1][0] == "WARNING"
    assert "takes no command" in said[-1][1]
    platform.link.kill("a test's")
    assert platform.engine.permit.state is GateState.HALTED


# --- the platform's thread --------------------------------------------------------------------------------------------


def an_order(folder: Path, mode: str = "paper") -> RunOrder:
    file = folder / "foxtrot.toml"
    file.write_text(f'[platform]\nmode = "{mode}"\n\n{CONFIG}')
    return RunOrder(load_config(file), folder, live=mode == "live")


def test_a_platform_s_thread_that_is_ended_from_inside_is_told(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(*_: object) -> None:
        raise SystemExit(3)

    monkeypatch.setattr(platform_host, "run_order", leave)
    host = PlatformHost(an_order(tmp_path), FactStore(), "ann")
    with qtbot.waitSignal(host.ended, timeout=5_000) as told:
        host.start()
    assert told.args[0] is None
    assert "asked for the end of the program (SystemExit: 3)" in told.args[1]
    assert host.join(5.0) == ""


class Builds:
    """A platform that is still being built."""

    running = True

    def stop(self) -> None:
        self.running = False

    def join(self, _deadline_s: float) -> str:
        return ""


def test_a_kill_while_the_platform_is_built_is_kept_and_the_mode_is_said_from_the_first_moment(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    desktop = Desktop(qapp, tmp_path, an_order(tmp_path, "live"))
    said: list[str] = []
    desktop.desk.said.connect(lambda _level, text: said.append(text))
    try:
        desktop.show_window()
        assert desktop.window is not None
        assert desktop.window.bar.banner.text().strip() == "LIVE"
        desktop.kill()
        assert said[-1] == "There is no platform whose gate could be closed"
        desktop.host = Builds()  # type: ignore[assignment]
        desktop.window.bar.kill.click()
        assert "gate is closed as soon as it is there" in said[-1]
        link = ScriptedLink(desktop.store)
        desktop._open(link)
        assert len(link.kills) == 1
    finally:
        desktop.end()
