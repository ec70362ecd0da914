"""A small screen: no workspace needs more than it has, and no panel that is opened makes the window grow out of it."""

from typing import Final

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from foxtrot.gui.dock_area import PanelDock
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.panels import ALL
from foxtrot.gui.workspaces import CAME_WITH
from tests.support.desktop_rig import DesktopRig

SCREEN: Final = (1280, 720)
FRAME: Final = 26
"""What a window manager puts around."""


@pytest.fixture
def window(qtbot: QtBot, rig: DesktopRig) -> MainWindow:
    made = MainWindow(rig.desk, rig.actions, ALL, rig.files)
    qtbot.addWidget(made)
    rig.open()
    made.resize(SCREEN[0], SCREEN[1] - FRAME)
    made.show()
    QApplication.processEvents()
    return made


@pytest.mark.parametrize("name", CAME_WITH)
def test_every_workspace_stands_on_a_small_screen(window: MainWindow, name: str) -> None:
    window.docks.show_default(name)
    QApplication.processEvents()
    assert (window.width() <= SCREEN[0], window.height() <= SCREEN[1] - FRAME) == (True, True), window.size()
    window.docks.clear()


def test_a_panel_that_is_opened_is_seen_and_the_window_stays_as_large_as_it_was(window: MainWindow) -> None:
    before = window.size()
    for kind in ("depth", "tape", "risk", "performance", "connections", "ticket"):
        panel = window.docks.open(kind)
        QApplication.processEvents()
        assert window.size() == before, kind
        assert panel is not None
        assert panel.is_seen, kind
        dock = panel.parentWidget()
        assert isinstance(dock, PanelDock)
        assert dock.isFloating() or window.rect().contains(dock.geometry()), kind
    window.docks.clear()
