"""Saved layouts on other screens, and files that are none."""

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QDockWidget
from pytestqt.qtbot import QtBot

from foxtrot.gui.dock_area import PanelDock
from foxtrot.gui.log_lines import Line
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.panels import ALL
from foxtrot.gui.panels.alerts import AlertsPanel
from foxtrot.gui.panels.log import LogPanel
from foxtrot.gui.panels.watchlist import WatchlistPanel
from foxtrot.gui.settings import DesktopSettings, SettingsFile
from foxtrot.gui.workspaces import PlacedPanel, Workspace
from tests.support.desktop_rig import DesktopRig

LARGE, SMALL = (2400, 1300), (1100, 760)


FEW = PanelKinds((LogPanel, AlertsPanel))


def a_window(qtbot: QtBot, rig: DesktopRig, size: tuple[int, int], kinds: PanelKinds = FEW) -> MainWindow:
    made = MainWindow(rig.desk, rig.actions, kinds, rig.files)
    qtbot.addWidget(made)
    made.resize(*size)
    made.show()
    qtbot.waitUntil(lambda: made.width() >= size[0], timeout=5_000)
    return made


def settled(qtbot: QtBot, window: MainWindow) -> list[PanelDock]:
    """The docks that are seen, once Qt has given them their places."""
    QApplication.processEvents()
    docks = window.findChildren(PanelDock)
    qtbot.waitUntil(lambda: any(dock.panel.is_seen for dock in docks), timeout=5_000)
    return [dock for dock in docks if dock.panel.is_seen]


def test_a_layout_of_a_large_screen_stands_on_a_small_one(qtbot: QtBot, rig: DesktopRig) -> None:
    large = a_window(qtbot, rig, LARGE, ALL)
    names = sorted(dock.objectName() for dock in settled(qtbot, large))
    assert large.save_workspace()
    large.docks.clear()
    small = a_window(qtbot, rig, SMALL, ALL)
    docks = settled(qtbot, small)
    assert sorted(dock.objectName() for dock in docks) == names
    for dock in docks:
        panel = dock.panel
        assert panel.width() >= panel.minimumWidth(), dock.objectName()
        assert panel.height() >= panel.minimumHeight(), dock.objectName()
        assert small.rect().contains(dock.geometry().topLeft() + QPoint(10, 10)), dock.objectName()
    small.docks.clear()


def test_a_panel_that_is_closed_lets_go_of_its_rows_before_any_collector_comes(qtbot: QtBot, rig: DesktopRig) -> None:
    window = a_window(qtbot, rig, LARGE, PanelKinds((LogPanel,)))
    panel = window.docks.find("log")
    assert isinstance(panel, LogPanel)
    panel.model.put(Line(1, 0, "INFO", "desktop", "something"))
    panel.model.apply()
    panel.view.selectRow(0)
    assert panel.model.count
    window.docks.clear()
    assert panel.model.count == panel.model.rowCount() == 0
    assert panel.view.selected() == []


def test_a_workspace_has_the_sizes_that_it_was_left_with(qtbot: QtBot, rig: DesktopRig) -> None:
    window = a_window(qtbot, rig, LARGE, PanelKinds((WatchlistPanel, LogPanel)))
    window.docks.open("log")
    window.switch_workspace("monitor")  # so that both are saved ones from here on
    window.switch_workspace("discretionary")
    settled(qtbot, window)
    docks = [dock for dock in window.findChildren(PanelDock) if dock.objectName() in ("watchlist-1", "log-2")]
    window.resizeDocks(
        docks, [900 if dock.objectName() == "log-2" else 1200 for dock in docks], Qt.Orientation.Horizontal
    )
    before = {dock.objectName(): dock.size().toTuple() for dock in settled(qtbot, window)}
    window.switch_workspace("monitor")
    window.switch_workspace("discretionary")
    qtbot.waitUntil(
        lambda: {dock.objectName(): dock.size().toTuple() for dock in settled(qtbot, window)} == before, timeout=5_000
    )
    window.docks.clear()


def test_a_panel_that_floated_on_a_screen_that_is_gone_comes_into_view(qtbot: QtBot, rig: DesktopRig) -> None:
    window = a_window(qtbot, rig, SMALL)
    panel = window.docks.open("log")
    assert panel is not None
    dock = panel.parentWidget()
    assert isinstance(dock, QDockWidget)
    dock.setFloating(True)
    dock.move(5_000, 4_000)
    assert window.save_workspace()
    name = dock.objectName()
    window.open_workspace(window.workspace)
    again = window.findChild(QDockWidget, name)
    assert again is not None
    assert again.isFloating()
    screen = QApplication.primaryScreen().availableGeometry()
    assert screen.intersects(again.frameGeometry()), again.frameGeometry()
    window.docks.clear()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{ broken",
        b"[]",
        b'{"name": 7, "panels": []}',
        b"\xff\xfe\x00",
        b'{"name":"research","panels":[],"layout":"?"}',
    ],
    ids=["empty", "cut off", "another thing", "a wrong type", "no text", "no base 64"],
)
def test_a_broken_layout_is_set_aside_with_a_message(qtbot: QtBot, rig: DesktopRig, content: bytes) -> None:
    rig.files.folder.mkdir(parents=True)
    (rig.files.folder / "research.json").write_bytes(content)
    window = a_window(qtbot, rig, SMALL)
    window.switch_workspace("research")
    level, text = rig.said[-1]
    assert level == "WARNING"
    assert "research" in text
    assert "research.json.broken" in text
    assert (rig.files.folder / "research.json.broken").read_bytes() == content
    assert window.docks.panels
    window.docks.clear()


def test_a_layout_of_another_version_is_set_aside(qtbot: QtBot, rig: DesktopRig) -> None:
    rig.files.save(Workspace("research", (), version=99))
    window = a_window(qtbot, rig, SMALL)
    window.switch_workspace("research")
    assert (rig.files.folder / "research.json.broken").exists()
    window.docks.clear()


def test_places_that_qt_cannot_read_leave_the_panels_open(qtbot: QtBot, rig: DesktopRig) -> None:
    window = a_window(qtbot, rig, SMALL)
    saved = msgspec.structs.replace(window.docks.saved("research"), layout="bm90IG9uZQ==")
    rig.files.save(saved)
    window.switch_workspace("research")
    assert len(window.docks.panels) == len(saved.panels)
    window.docks.clear()


def test_a_panel_of_an_unknown_kind_costs_the_others_nothing(qtbot: QtBot, rig: DesktopRig) -> None:
    window = a_window(qtbot, rig, SMALL)
    saved = window.docks.saved("research")
    strange = PlacedPanel("hologram", "hologram-9", {"depth": 3})
    rig.files.save(msgspec.structs.replace(saved, panels=(strange, PlacedPanel("log", "log-8", {}))))
    window.switch_workspace("research")
    assert [panel.kind for panel in window.docks.panels] == ["log"]
    level, text = rig.said[-1]
    assert level == "WARNING"
    assert "hologram" in text
    window.docks.clear()


def test_choices_that_cannot_be_read_are_set_aside(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path)
    file.path.write_bytes(b"{ broken")
    assert file.load() == DesktopSettings()
    assert file.set_aside == tmp_path / "desktop.json.broken"
