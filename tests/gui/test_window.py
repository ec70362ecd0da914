"""The main window: workspaces that survive, lights that tell, a kill that is one click, a close that is asked about."""

from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from foxtrot.adapter.health import AdapterHealth
from foxtrot.app.desktop_requests import (
    AccountOverview,
    ListedInstruments,
    ListInstruments,
    Overview,
    OverviewFound,
    Worth,
)
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.notices import AdapterStatus, RequestFailed
from foxtrot.domain.enums import AdapterState
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.panels import ALL
from foxtrot.gui.panels.log import LogPanel
from tests.support.builders import T0, a_perpetual
from tests.support.desktop_rig import ACCOUNT, DesktopRig


def an_overview(state: AdapterState = AdapterState.READY, cause: str = "") -> OverviewFound:
    """How a platform with one account stands."""
    status = AdapterStatus(ACCOUNT, "scripted", state, cause, 0, 0.0, T0)
    account = AccountOverview(
        ACCOUNT, "scripted", "", False, None, Decimal(5), AdapterHealth(ACCOUNT).snapshot(0), status, Worth(Decimal(5000)), Decimal(-2),
    )  # fmt: skip
    statistics = EventEngine().statistics()
    return OverviewFound(
        "USDT", "paper", T0, (account,), {}, Decimal("1234.5"), Decimal(-2), 0, 0, "active", "", statistics
    )


@pytest.fixture
def window(qtbot: QtBot, rig: DesktopRig) -> MainWindow:
    rig.link.answers[Overview] = an_overview()
    rig.link.answers[ListInstruments] = ListedInstruments({ACCOUNT: (a_perpetual(),)})
    made = MainWindow(rig.desk, rig.actions, ALL, rig.files)
    qtbot.addWidget(made)
    made.show()
    rig.open()
    made.look()
    rig.bridge.flush()
    rig.bridge.flush()
    return made


def test_it_shows_how_the_platform_stands(window: MainWindow, rig: DesktopRig) -> None:
    assert window.bar.money.text() == "Equity  5,000.00 USDT  Day  −2.00"
    assert (window.bar.lights[ACCOUNT].meaning, window.bar.banner.text().strip()) == ("good", "PAPER")
    assert "BTCUSDT.PERP" in rig.desk.instruments
    rig.link.answers[Overview] = an_overview(AdapterState.LOST, "cable pulled")
    rig.bridge.flush()  # what the window has asked by itself meanwhile
    window.look()
    rig.bridge.flush()
    assert window.bar.lights[ACCOUNT].meaning == "danger"
    assert "cable pulled" in window.bar.lights[ACCOUNT].toolTip()


def test_an_engine_that_does_not_answer_is_named(
    window: MainWindow, rig: DesktopRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    del rig.link.answers[Overview]
    window.look()
    window._asked_s -= 10.0
    window._answered_s -= 10.0
    window.look()
    assert "late" in window.status.engine.text()


def test_kill_is_one_click_and_a_key(qtbot: QtBot, window: MainWindow) -> None:
    with qtbot.waitSignal(window.kill_asked):
        qtbot.mouseClick(window.findChild(QPushButton, "kill"), Qt.MouseButton.LeftButton)
    with qtbot.waitActive(window):
        window.activateWindow()
    with qtbot.waitSignal(window.kill_asked):
        qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)


def test_no_button_of_the_bar_is_pressed_by_a_key(window: MainWindow) -> None:
    for name in ("kill", "arm", "search"):
        button = window.findChild(QPushButton, name)
        assert button is not None
        assert button.focusPolicy() is Qt.FocusPolicy.NoFocus


def test_a_workspace_is_found_again_as_it_was_left(qtbot: QtBot, window: MainWindow, rig: DesktopRig) -> None:
    log = window.docks.find("log")
    assert isinstance(log, LogPanel)
    log.level.setCurrentText("ERROR")
    window.docks.open("log")
    window.switch_workspace("monitor")
    assert rig.settings.workspace == "monitor"
    window.switch_workspace("discretionary")
    logs = [panel for panel in window.docks.panels if isinstance(panel, LogPanel)]
    assert [panel.level.currentText() for panel in logs] == ["ERROR", "INFO"]
    window.reset_workspace()
    assert [panel.kind for panel in window.docks.panels].count("log") == 1


def test_a_broken_layout_is_set_aside_and_said(window: MainWindow, rig: DesktopRig) -> None:
    rig.files.folder.mkdir(parents=True, exist_ok=True)
    (rig.files.folder / "research.json").write_bytes(b"{ broken")
    window.switch_workspace("research")
    assert rig.said
    assert "set aside" in rig.said[-1][1]
    assert (rig.files.folder / "research.json.broken").exists()
    assert window.docks.panels


def test_panels_open_and_close_and_leave_nothing(qtbot: QtBot, window: MainWindow, rig: DesktopRig) -> None:
    before = len(rig.bridge._hearers.get(RequestFailed, ()))
    for _ in range(20):
        panel = window.docks.open("log")
        assert panel is not None
        dock = panel.parentWidget()
        assert dock is not None
        dock.close()
    assert len(rig.bridge._hearers.get(RequestFailed, ())) == before


def test_it_closes_only_when_it_may(qtbot: QtBot, window: MainWindow) -> None:
    window.may_close = lambda: False
    with qtbot.waitSignal(window.close_asked):
        window.close()
    assert window.isVisible()
    window.may_close = lambda: True
    window.close()
    assert not window.isVisible()


def test_the_log_has_what_was_said_by_level_and_words(window: MainWindow, rig: DesktopRig) -> None:
    log = window.docks.find("log")
    assert isinstance(log, LogPanel)
    log.parentWidget().raise_()  # type: ignore[union-attr]
    rig.hear(RequestFailed(ACCOUNT, "subscribe X", "not listed", T0), RequestFailed(ACCOUNT, "cancel of Y", "gone", T0))
    log.flush()
    texts = [line.text for line in log.model.shown()]
    assert "subscribe X: not listed" in texts
    log.words.setText("cancel gone")
    assert [line.text for line in log.model.shown()] == ["cancel of Y: gone"]
    log.words.setText("")
    log.level.setCurrentText("ERROR")
    assert log.model.shown() == []


def test_workspaces_of_nonsense_names_are_refused(rig: DesktopRig, window: MainWindow, tmp_path: Path) -> None:
    assert not window.save_workspace("../evil")
    assert not (tmp_path / "evil.json").exists()
    assert rig.said[-1][0] == "WARNING"
