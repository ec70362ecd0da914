"""Keys of the window: every one that it came with does something, and the guide names them all; cancel all asks, and leaves protection."""

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from pytestqt.qtbot import QtBot

from foxtrot.app.blotter_requests import ListProtections, ProtectionLegs
from foxtrot.app.control_requests import Cancel, ListOrders, Orders
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.panels import ALL
from foxtrot.gui.shortcuts import CAME_WITH
from tests.gui.test_blotters import a_leg, a_row
from tests.support.desktop_rig import DesktopRig

GUIDE = Path(__file__).parents[2] / "docs" / "desktop.md"
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot: QtBot, rig: DesktopRig) -> MainWindow:
    made = MainWindow(rig.desk, rig.actions, ALL, rig.files)
    qtbot.addWidget(made)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    rig.open()
    rig.bridge.flush()
    return made


def in_the_guide() -> set[str]:
    """The keys of the table in the guide; a row of a first and a last one has those between them too."""
    table = GUIDE.read_text("utf-8").partition("| key | does |\n")[2].partition("\n\n")[0]
    found: set[str] = set()
    for line in table.splitlines()[1:]:
        keys = re.findall(r"`([^`]+)`", line.split("|")[1])
        if "…" in line.split("|")[1]:
            first, last = (int(key[-1]) for key in keys)
            keys = [f"{keys[0][:-1]}{number}" for number in range(first, last + 1)]
        found |= {QKeySequence(key).toString() for key in keys}
    return found


def test_keys_that_came_are_bound_and_in_the_guide(window: MainWindow) -> None:
    assert window.shortcuts.bound == set(CAME_WITH)
    assert in_the_guide() == {QKeySequence(key).toString() for key in CAME_WITH.values()}


def test_no_key_but_those_of_a_list_of_symbols_repeats_while_it_is_held(window: MainWindow) -> None:
    bound = window.findChildren(QShortcut)
    assert len(bound) > 10
    assert {one.key().toString() for one in bound if one.autoRepeat()} <= {"Del", "Alt+Up", "Alt+Down"}


def test_f11_fills_the_screen_and_gives_it_back(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F11)
    qtbot.waitUntil(window.isFullScreen)
    qtbot.keyClick(window, Qt.Key.Key_F11)
    qtbot.waitUntil(lambda: not window.isFullScreen())


def cancels(rig: DesktopRig) -> list[str]:
    return [wish.order_id for wish in rig.link.of(Cancel)]  # type: ignore[attr-defined]


def press(qtbot: QtBot, window: MainWindow, rig: DesktopRig) -> None:
    qtbot.keyClick(window, Qt.Key.Key_X, CONTROL | SHIFT)
    for _ in range(3):
        rig.bridge.flush()


def test_cancel_all_names_how_many_and_whose_and_leaves_what_protects(
    qtbot: QtBot, window: MainWindow, rig: DesktopRig
) -> None:
    orders = (a_row("a"), a_row("b", owner="alpha"), a_row("R-1", reduces=True), a_row("c"))
    rig.link.answers[ListOrders] = Orders(orders)
    rig.link.answers[ListProtections] = ProtectionLegs((a_leg(order_id="R-1"), a_leg(order_id="c", kept=False)))
    rig.agrees = False
    press(qtbot, window, rig)
    qtbot.waitUntil(lambda: bool(rig.questions))
    assert cancels(rig) == []
    text = rig.questions[0][1]
    for part in (
        "Cancel 3 orders",
        "All accounts",
        "main · Manual: 2",
        "main · alpha: 1",
        "1 that protect",
        "may place new",
    ):
        assert part in text
    rig.agrees = True
    rig.desk.choose_account("main")
    press(qtbot, window, rig)
    qtbot.waitUntil(lambda: len(cancels(rig)) == 3)
    assert cancels(rig) == ["a", "b", "c"]
    assert [one.account for one in rig.link.of(ListOrders)][-1] == "main"  # type: ignore[attr-defined]


def test_nothing_to_cancel_is_said_and_a_refusal_too(qtbot: QtBot, window: MainWindow, rig: DesktopRig) -> None:
    rig.link.answers[ListOrders] = Orders((a_row("R-1", reduces=True),))
    rig.link.answers[ListProtections] = ProtectionLegs((a_leg(order_id="R-1"),))
    press(qtbot, window, rig)
    qtbot.waitUntil(lambda: any("no order is open" in text and "1 that protect" in text for _, text in rig.said))
    assert not rig.questions
    rig.link.answers[ListProtections] = "the platform has stopped"
    press(qtbot, window, rig)
    qtbot.waitUntil(lambda: ("WARNING", "the platform has stopped") in rig.said)
    rig.link.answers[ListProtections] = ProtectionLegs(())
    press(qtbot, window, rig)  # it is not stuck after that
    qtbot.waitUntil(lambda: bool(rig.questions))
