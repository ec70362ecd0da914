"""A disk that is full or read-only under the desktop: what is its own is said and stays whole, and a journal that fails closes the gate in words."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from foxtrot.domain.enums import GateState, OrderStatus
from foxtrot.gui.alerts import AlertBook, AlertKind
from foxtrot.gui.application import Desktop
from foxtrot.gui.csv_rows import write_csv
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.panels.log import LogPanel
from foxtrot.gui.panels.risk import RiskPanel
from foxtrot.gui.settings import DesktopSettings, SettingsFile
from foxtrot.gui.workspaces import WorkspaceFiles
from tests.support.desktop_platform import PERPETUAL, DesktopPlatform
from tests.support.desktop_rig import DesktopRig
from tests.support.small_disk import SmallDisk, small_disk

MOST_ORDERS = 2_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file but the one that takes the room."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "filler")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_on_a_full_disk_everything_of_the_desktop_says_so_and_what_was_there_stays_whole(
    rig: DesktopRig, qtbot: QtBot, disk: SmallDisk
) -> None:
    rig.files = WorkspaceFiles(disk.folder / "workspaces")
    window = MainWindow(rig.desk, rig.actions, PanelKinds(()), rig.files)
    qtbot.addWidget(window)
    alerts, settings, table = AlertBook(rig.desk, disk.folder), SettingsFile(disk.folder), disk.folder / "table.csv"
    rig.open()
    alerts.add(AlertKind.CONNECTION, "main", 5.0)
    settings.save(DesktopSettings(zone="UTC"))
    write_csv(table, [["price"], ["1"]])
    assert window.save_workspace("mine")
    window.menu_actions.ask_save = lambda _name: str(disk.folder / "given.layout")
    window.menu_actions.export()
    before = contents(disk.folder)
    assert len(before) == 5
    disk.fill()
    rig.said.clear()
    alerts.add(AlertKind.CONNECTION, "main", 9.0)
    assert len(alerts.all()) == 2  # it is watched all the same
    assert not window.save_workspace()
    window.menu_actions.export()
    window.switch_workspace("monitor")
    assert window.workspace == "monitor"
    with pytest.raises(OSError, match="No space left"):
        write_csv(table, [["price"], *([str(number)] for number in range(1_000))])
    desktop_says = [text for level, text in rig.said if level == "WARNING"]
    assert len(desktop_says) == 4, rig.said
    assert all("No space left" in text for text in desktop_says)
    assert contents(disk.folder) == before
    disk.make_room()
    assert window.save_workspace("mine")


def test_in_a_home_that_is_read_only_the_desktop_opens_works_and_ends(
    qtbot: QtBot, qapp: QApplication, disk: SmallDisk
) -> None:
    folder = disk.folder / "desktop"
    (folder / "workspaces").mkdir(parents=True)
    (folder / "desktop.json").write_text("{broken")
    (folder / "workspaces" / "discretionary.json").write_text("{broken")
    (folder / "workspaces" / "mine.json").write_text("{}")
    before = contents(disk.folder)
    disk.protect(on=True)
    desktop = Desktop(qapp, disk.folder, None)
    said: list[tuple[str, str]] = []
    failed: list[str] = []
    desktop.desk.said.connect(lambda level, text: said.append((level, text)))
    desktop.attendants.failures.failed.connect(failed.append)
    try:
        desktop.start()
        window = desktop.window
        assert window is not None
        assert any("discretionary" in text for _, text in said), said  # what is shown is not what was saved
        first = [text for _, text in said]
        said.clear()
        window.switch_workspace("monitor")
        window.reset_workspace()
        window.open_workspace("mine")
        desktop.actions.confirm = lambda _title, _text: True
        window.menu_actions.remove()
        AlertBook.of(desktop.desk).add(AlertKind.CONNECTION, "main", 5.0)
        window._choose("language", "zh")
        qtbot.waitUntil(lambda: desktop.window is not window)
        qtbot.waitUntil(lambda: desktop.bridge.statistics().flushes > 3)
    finally:
        late = desktop.end()
        disk.protect(on=False)
    assert (late, failed) == ("", [])
    assert any("desktop.json" in text for text in first), first
    assert sum("Read-only file system" in text for level, text in said if level == "WARNING") >= 3, said
    assert contents(disk.folder) == before


def test_a_journal_on_a_full_disk_closes_the_gate_in_words_and_prices_and_kill_go_on(
    qtbot: QtBot, disk: SmallDisk
) -> None:
    platform = DesktopPlatform(disk.folder, qtbot, journal=True)
    window = MainWindow(platform.desk, platform.actions, PanelKinds(()), WorkspaceFiles(disk.folder / "workspaces"))
    log, risk = LogPanel(platform.desk), RiskPanel(platform.desk)
    for widget in (window, log, risk):
        qtbot.addWidget(widget)
        widget.show()
    platform.start()
    try:
        resting = platform.resting()
        disk.fill()
        refused = next(order for order in map(platform.place, requests(platform)) if order.status is OrderStatus.DENIED)
        assert refused.rule == "journal"
        platform.until(lambda: platform.desk.gate is GateState.HALTED)
        assert platform.engine.permit.state is GateState.HALTED
        assert window.bar.gate.isVisible()
        assert "FULL" in window.bar.gate.toolTip()
        platform.until(lambda: any(line.source == "journal" and "FULL" in line.text for line in log.model.shown()))
        platform.until(lambda: any("FULL" in row.reason for row in risk.blocks.shown()))
        ticks = platform.desk.ticks[PERPETUAL].local_time_ns
        platform.until(lambda: platform.desk.ticks[PERPETUAL].local_time_ns > ticks)
        assert platform.place(platform.request()).status is OrderStatus.DENIED
        platform.link.kill("a test's")
        platform.until(lambda: platform.orders[resting].status is OrderStatus.CANCELLED)
    finally:
        disk.make_room()
        platform.end()


def requests(platform: DesktopPlatform) -> Iterator[object]:
    """Return orders, one after the other, until the journal has no room in its pages any more."""
    for _ in range(MOST_ORDERS):
        yield platform.request()
