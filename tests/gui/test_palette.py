"""The command palette: few letters find, the keyboard is enough, a key that is held takes one entry."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from foxtrot.core.commands import SendOrder
from foxtrot.gui import texts
from foxtrot.gui.fuzzy import Query, best
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.palette import Entry, EntryList, Palette
from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.panels.log import LogPanel
from foxtrot.gui.panels.watchlist import WatchlistPanel
from foxtrot.gui.theme import Mode, Theme
from tests.support.builders import a_perpetual, a_spot
from tests.support.desktop_rig import DesktopRig


def found(typed: str, *names: str) -> list[str]:
    return [name for _score, name in best(typed, ((name.casefold(), name) for name in names), 10)]


def test_whole_words_go_before_letters_in_their_order() -> None:
    assert found("btc", "WBTCUSDT", "BTCUSDT", "Back to charts") == ["BTCUSDT", "WBTCUSDT", "Back to charts"]
    assert found("usdt eth", "ETHUSDT", "ETHBTC", "BTCUSDT") == ["ETHUSDT"]
    assert found("wl", "Watchlist", "Log") == ["Watchlist"]
    assert found("", "A", "B") == ["A", "B"]
    assert found("a.*(", "abc") == []
    assert Query("x").score("abc") is None


def test_a_name_that_begins_so_goes_before_one_that_has_it_inside() -> None:
    assert found("eth", "Seth Corp", "ETHUSDT.BINANCE") == ["ETHUSDT.BINANCE", "Seth Corp"]


# --- alone --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def palette(qtbot: QtBot, done: list[str]) -> Iterator[Palette]:
    """A palette of four entries over an empty window."""
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(800, 600)
    names = ("Chart", "Ladder", "Watchlist", "Log")
    entries = [Entry(name, name, name.casefold(), "Panel", lambda name=name: done.append(name)) for name in names]
    made = Palette(lambda _typed: entries, Theme(), window)
    tester = QAbstractItemModelTester(made.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    tester.setParent(made.model)
    window.show()
    yield made
    window.close()


def texts_of(model: EntryList) -> list[str]:
    return [entry.text for entry in model.entries]


def test_letters_narrow_and_enter_takes_what_is_marked(qtbot: QtBot, palette: Palette, done: list[str]) -> None:
    palette.open()
    assert palette.isVisible()
    qtbot.keyClicks(palette.line, "l")
    assert texts_of(palette.model)[:2] == ["Log", "Ladder"] or texts_of(palette.model)[:2] == ["Ladder", "Log"]
    qtbot.keyClicks(palette.line, "og")
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert (done, palette.isVisible()) == (["Log"], False)


def test_arrows_move_round_about_and_escape_takes_nothing(qtbot: QtBot, palette: Palette, done: list[str]) -> None:
    palette.open()
    qtbot.keyClick(palette.line, Qt.Key.Key_Up)
    assert palette.list.currentIndex().data() == "Log"
    qtbot.keyClick(palette.line, Qt.Key.Key_Down)
    qtbot.keyClick(palette.line, Qt.Key.Key_Tab)
    assert palette.list.currentIndex().data() == "Ladder"
    qtbot.keyClick(palette.line, Qt.Key.Key_PageDown)
    assert palette.list.currentIndex().data() == "Log"
    qtbot.keyClick(palette.line, Qt.Key.Key_Escape)
    assert (done, palette.isVisible()) == ([], False)


def test_a_held_enter_takes_nothing_and_nothing_that_fits_is_no_fault(
    qtbot: QtBot, palette: Palette, done: list[str]
) -> None:
    palette.open()
    held = QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", True)
    QCoreApplication.sendEvent(palette.line, held)
    assert (done, palette.isVisible()) == ([], True)
    qtbot.keyClicks(palette.line, "zzz")
    qtbot.keyClick(palette.line, Qt.Key.Key_Down)
    qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert (done, palette.isVisible()) == ([], True)


def test_what_was_chosen_last_stands_on_top(qtbot: QtBot, palette: Palette) -> None:
    for name in ("watch", "log"):
        palette.open()
        qtbot.keyClicks(palette.line, name)
        qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    palette.open()
    assert texts_of(palette.model) == ["Log", "Watchlist", "Chart", "Ladder"]
    palette.open()
    assert not palette.isVisible()


def test_it_is_taken_by_a_click_too(qtbot: QtBot, palette: Palette, done: list[str]) -> None:
    palette.open()
    where = palette.list.visualRect(palette.model.index(1)).center()
    qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert done == ["Ladder"]


# --- of a window --------------------------------------------------------------------------------------------------------


@pytest.fixture
def window(qtbot: QtBot, rig: DesktopRig, tmp_path: Path) -> Iterator[MainWindow]:
    rig.open(a_perpetual(), a_spot(), a_perpetual("ETHUSDT"))
    made = MainWindow(rig.desk, rig.actions, PanelKinds((WatchlistPanel, LogPanel)), rig.files)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.docks.clear()


def choose(qtbot: QtBot, window: MainWindow, typed: str) -> None:
    if not window.command_palette.isVisible():
        window.search_asked.emit()
    window.command_palette.line.setText(typed)
    qtbot.keyClick(window.command_palette.line, Qt.Key.Key_Return)


def test_ctrl_k_opens_it(qtbot: QtBot, window: MainWindow) -> None:
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(window.command_palette.isVisible)
    assert window.command_palette.line.hasFocus()


def test_it_shows_instruments_panels_workspaces_and_looks(qtbot: QtBot, rig: DesktopRig, window: MainWindow) -> None:
    choose(qtbot, window, "ethusdt")
    assert rig.desk.groups.shown("blue") == "ETHUSDT.PERP"
    window.docks.clear()
    choose(qtbot, window, "watchlist")
    assert [panel.kind for panel in window.docks.panels] == ["watchlist"]
    choose(qtbot, window, "monit")
    assert window.workspace == "monitor"
    looks: list[int] = []
    window.looks_changed.connect(lambda: looks.append(1))
    choose(qtbot, window, "theme light")
    assert (rig.settings.mode, looks) == (Mode.LIGHT, [1])
    assert rig.link.of(SendOrder) == []


def test_instruments_that_come_later_are_found(qtbot: QtBot, rig: DesktopRig, window: MainWindow) -> None:
    choose(qtbot, window, "sol")
    window.command_palette.close_up()
    rig.desk.take_contracts("main", [a_perpetual("SOLUSDT")])
    choose(qtbot, window, "solusdt")
    assert rig.desk.groups.shown("blue") == "SOLUSDT.PERP"


def test_english_finds_in_another_language_too(qtbot: QtBot, rig: DesktopRig) -> None:
    texts.choose("zh")
    rig.open()
    window = MainWindow(rig.desk, rig.actions, PanelKinds((WatchlistPanel, LogPanel)), rig.files)
    qtbot.addWidget(window)
    window.show()
    window.docks.clear()
    choose(qtbot, window, "自选")
    window.docks.clear()
    choose(qtbot, window, "watchl")
    assert [panel.title for panel in window.docks.panels] == ["自选"]
    window.docks.clear()
