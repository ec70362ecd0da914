"""An engine that is stuck or buried: the window still paints, says what is late and where, and KILL closes the gate at once."""

import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest
from loguru import logger
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from foxtrot.core.notices import RequestFailed, StrategyLog
from foxtrot.domain.enums import GateState, OrderStatus
from foxtrot.domain.market import TickData
from foxtrot.gui import fact_store, main_window
from foxtrot.gui.fact_store import FactStore
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.panels.log import LogPanel
from foxtrot.gui.workspaces import WorkspaceFiles
from tests.support.builders import T0, a_tick
from tests.support.desktop_platform import ACCOUNT, PERPETUAL, DesktopPlatform
from tests.support.desktop_rig import DesktopRig

QUEUED = 100_000
FLOOD_S = 10.0
WAITING = 30_000
"""More than the log keeps."""


class Jam:
    """A handler of ticks that holds the engine's thread from when it is told to until it is freed."""

    def __init__(self) -> None:
        self.holds = False
        self.entered, self.freed, self.left = threading.Event(), threading.Event(), threading.Event()

    def on_tick(self, _tick: TickData) -> None:
        if self.holds:
            self.entered.set()
            self.freed.wait(60)
            self.left.set()


class Scene:
    """A window over a platform whose engine can be jammed."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.qtbot, self.jam = qtbot, Jam()
        self.platform = DesktopPlatform(folder, qtbot)
        self.platform.engine.line.dispatcher.subscribe(TickData, self.jam.on_tick, owner="slow")
        desk, files = self.platform.desk, WorkspaceFiles(folder / "workspaces")
        self.window = MainWindow(desk, self.platform.actions, PanelKinds(()), files)
        self.window.kill_asked.connect(lambda: self.platform.link.kill("a test's"))
        qtbot.addWidget(self.window)
        self.window.show()
        self.platform.start()

    def stick(self) -> None:
        """Let the engine be stuck."""
        self.jam.holds = True
        assert self.jam.entered.wait(10)

    def free(self) -> None:
        self.jam.holds = False
        self.jam.freed.set()

    def press_kill(self) -> None:
        """Press the button; the window is not busy with it until the engine is free."""
        stuck = self.jam.entered.is_set() and not self.jam.left.is_set()
        self.qtbot.mouseClick(self.window.findChild(QPushButton, "kill"), Qt.MouseButton.LeftButton)
        assert stuck == (self.jam.entered.is_set() and not self.jam.left.is_set())

    @property
    def permit(self) -> GateState:
        return self.platform.engine.permit.state

    def flushes(self) -> int:
        return self.platform.bridge.statistics().flushes


@pytest.fixture
def scene(tmp_path: Path, qtbot: QtBot) -> Iterator[Scene]:
    made = Scene(tmp_path, qtbot)
    try:
        yield made
    finally:
        made.free()
        made.platform.end()
        logger.enable("foxtrot.app.event_log")


def test_a_blocked_handler_is_named_while_the_window_lives_and_kill_closes_the_gate(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_window, "LATE_S", 0.3)
    order_id = scene.platform.resting()
    scene.stick()
    flushes = scene.flushes()
    scene.qtbot.waitUntil(lambda: "late" in scene.window.status.engine.text(), timeout=10_000)
    assert "test_saturated.py" in scene.window.status.engine.text()
    assert "on_tick" in scene.window.status.engine.text()
    scene.qtbot.waitUntil(lambda: scene.flushes() > flushes + 10, timeout=5_000)
    assert scene.permit is GateState.ACTIVE
    scene.press_kill()
    assert scene.permit is GateState.HALTED
    assert not scene.jam.freed.is_set()
    scene.free()
    scene.platform.until(lambda: scene.platform.orders[order_id].status is OrderStatus.CANCELLED)
    scene.qtbot.waitUntil(lambda: "late" not in scene.window.status.engine.text(), timeout=10_000)


def test_with_a_queue_of_events_the_window_flushes_and_kill_is_not_behind_them(scene: Scene) -> None:
    engine = scene.platform.engine
    told: list[StrategyLog] = []
    scene.platform.bridge.on(StrategyLog, told.append)
    scene.stick()
    logger.disable("foxtrot.app.event_log")  # a hundred thousand lines of it are not what is looked at
    for number in range(QUEUED):
        engine.put(StrategyLog("double_ma", "INFO", str(number), T0))
    scene.press_kill()
    assert scene.permit is GateState.HALTED
    flushes = scene.flushes()
    scene.free()
    scene.qtbot.waitUntil(lambda: len(told) >= QUEUED, timeout=60_000)
    assert [line.text for line in told[:QUEUED]] == [str(number) for number in range(QUEUED)]
    assert scene.flushes() > flushes + 10
    assert scene.platform.place(scene.platform.request()).status is OrderStatus.DENIED


def test_facts_that_wait_are_shown_as_backlog_and_states_are_not_behind_them(rig: DesktopRig, qtbot: QtBot) -> None:
    window = MainWindow(rig.desk, rig.actions, PanelKinds((LogPanel,)), rig.files)
    qtbot.addWidget(window)
    window.show()
    rig.open()
    store: FactStore = rig.store
    for number in range(WAITING):
        store.hear(RequestFailed(ACCOUNT, str(number), "", T0))
    store.hear(a_tick("BTCUSDT.PERP"))
    rig.bridge.flush()
    assert "BTCUSDT.PERP" in rig.desk.ticks
    window.look()
    waits = rig.bridge.statistics().backlog
    assert waits > WAITING / 2
    assert f"backlog {waits:,}" in window.status.window_figures.text()
    rig.bridge.start()
    qtbot.waitUntil(lambda: not rig.bridge.statistics().backlog, timeout=60_000)
    assert rig.bridge.statistics().flush_p50_ms < 100  # it was 300 when a full log lost its oldest lines one by one


def test_lines_that_were_shed_are_said_in_the_log(
    rig: DesktopRig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_store, "MOST_LINES", 100)
    panel = LogPanel(rig.desk)
    qtbot.addWidget(panel)
    panel.show()
    for number in range(1_350):
        rig.store.hear(StrategyLog("flood", "INFO", str(number), T0))
    rig.bridge.flush()
    panel.flush()
    panel.flush()
    texts = [line.text for line in panel.model.shown()]
    assert sum(text.startswith("1,250 lines") for text in texts) == 1
    assert [text for text in texts if text.isdecimal()] == [str(number) for number in range(1_250, 1_350)]


def test_a_kill_before_the_engine_runs_holds_when_it_does(tmp_path: Path, qtbot: QtBot) -> None:
    platform = DesktopPlatform(tmp_path, qtbot)
    try:
        platform.link.kill("while it starts")
        assert platform.engine.permit.state is GateState.HALTED
        platform.start()
        assert platform.engine.permit.state is GateState.HALTED
        assert platform.place(platform.request()).status is OrderStatus.DENIED
    finally:
        platform.end()


def test_a_kill_while_the_platform_stops_and_after_it_closes_the_gate(scene: Scene) -> None:
    scene.stick()
    stopping = threading.Thread(target=scene.platform.engine.stop, args=(5.0,))
    stopping.start()
    assert scene.permit is GateState.ACTIVE
    scene.press_kill()
    assert scene.permit is GateState.HALTED
    scene.free()
    scene.qtbot.waitUntil(lambda: not stopping.is_alive(), timeout=20_000)
    scene.press_kill()  # there is no engine to tell: nothing is raised into the window
    assert scene.permit is GateState.HALTED


def test_a_hand_over_that_does_not_end_holds_up_kill_and_not_the_window(scene: Scene) -> None:
    heard: list[RequestFailed] = []
    scene.platform.bridge.on(RequestFailed, heard.append)
    entered, ended = threading.Event(), threading.Event()

    def hand_over() -> None:
        entered.set()
        ended.wait(60)

    sender = threading.Thread(target=scene.platform.engine.permit.hold, args=(hand_over,))
    sender.start()
    assert entered.wait(10)
    try:
        flushes = scene.flushes()
        scene.press_kill()
        assert sender.is_alive()
        scene.qtbot.waitUntil(lambda: scene.flushes() > flushes + 5, timeout=5_000)
        assert [(fact.what, "handed to its venue" in fact.error) for fact in heard] == [("KILL", True)]
    finally:
        ended.set()
        sender.join(10)
    scene.platform.until(lambda: scene.permit is GateState.HALTED)
    assert scene.platform.place(scene.platform.request()).status is OrderStatus.DENIED


@pytest.mark.slow
def test_in_a_flood_of_ticks_the_window_lives_and_kill_cancels(scene: Scene) -> None:
    """Ten seconds of ticks as fast as a thread can put them; prints how long each part took."""
    order_id = scene.platform.resting()
    last = scene.platform.desk.ticks[PERPETUAL]
    ended, put = threading.Event(), 0

    def flood() -> None:
        nonlocal put
        while not ended.is_set():
            for _ in range(1_000):
                scene.platform.engine.put(last)
            put += 1_000
            ended.wait(0.01)

    flooder = threading.Thread(target=flood)
    began_s, flushes = perf_counter(), scene.flushes()
    flooder.start()
    try:
        scene.qtbot.waitUntil(lambda: perf_counter() - began_s > FLOOD_S, timeout=60_000)
        before, pressed_s = put, perf_counter()
        scene.press_kill()
        closed_s = perf_counter()
        assert scene.permit is GateState.HALTED
        scene.platform.until(lambda: scene.platform.orders[order_id].status is OrderStatus.CANCELLED)
        cancelled_s = perf_counter()
    finally:
        ended.set()
        flooder.join(10)
    assert scene.flushes() > flushes + 10
    print(
        f"{before / FLOOD_S:,.0f} ticks/s put, {(scene.flushes() - flushes) / (cancelled_s - began_s):.0f} flushes/s; KILL closed the gate after "
        f"{(closed_s - pressed_s) * 1e3:.1f} ms, the order was cancelled after {(cancelled_s - pressed_s) * 1e3:.0f} ms"
    )
