"""Nothing grows: every panel opened and closed fifty times, windows made anew, and half an hour of the demo."""

import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from foxtrot.exchange import history
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.panels import ALL
from foxtrot.gui.theme import Theme
from foxtrot.gui.workspaces import CAME_WITH, WorkspaceFiles
from tests.support.desktop_platform import DesktopPlatform
from tests.support.real_window import RealWindow, missing_programs

pytestmark = pytest.mark.slow
TIMES = 50
FIRST = 10
"""What is made once, caches and fonts, is there after so many times."""
MOST_GROWTH_MB = 6.0
VENUE_KEEPS = 200
"""So many ended orders and fills, instead of what takes it minutes to fill at half a megabyte a second, in this process too."""
DEMO_S = 1_800.0
DEMO_FIRST_S = 300.0
DEMO_GROWTH_MB = 120.0
"""Orders, records and the recorder's buffers of half an hour are kept; a leak of the window's would be more."""


def memory_mb(pid: int | str = "self") -> float:
    """What a process has in memory now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def threads_of(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())


@pytest.fixture
def platform(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[DesktopPlatform]:
    for name in ("KEPT_ORDERS", "KEPT_FILLS"):
        monkeypatch.setattr(history, name, VENUE_KEEPS)
    made = DesktopPlatform(tmp_path, qtbot)
    try:
        made.start()
        yield made
    finally:
        made.end()


class Counted:
    """How much there is of what must not grow."""

    def __init__(self, platform: DesktopPlatform) -> None:
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        self.widgets = len(QApplication.allWidgets())
        self.hearers = sum(len(found) for found in platform.bridge._hearers.values())
        self.threads = threading.active_count()
        self.memory_mb = memory_mb()


def grows(platform: DesktopPlatform, once: Callable[[], None]) -> str:
    """Do something many times; return what grew, "" for nothing."""
    for _ in range(FIRST):
        once()
    before = Counted(platform)
    for _ in range(TIMES):
        once()
    after = Counted(platform)
    found = [
        f"{name}: {getattr(before, name)}, then {getattr(after, name)}"
        for name in ("widgets", "hearers", "threads")
        if getattr(after, name) > getattr(before, name)
    ]
    if after.memory_mb > before.memory_mb + MOST_GROWTH_MB:
        found.append(f"memory: {before.memory_mb:.1f} MB, then {after.memory_mb:.1f} MB")
    return "; ".join(found)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ALL.names())
def test_a_panel_that_is_opened_and_closed_leaves_nothing(
    kind: str, platform: DesktopPlatform, qtbot: QtBot, tmp_path: Path
) -> None:
    window = MainWindow(platform.desk, platform.actions, ALL, WorkspaceFiles(tmp_path / "workspaces"))
    qtbot.addWidget(window)
    window.show()
    window.docks.clear()

    def once() -> None:
        panel = window.docks.open(kind)
        assert panel is not None
        flushes = platform.bridge.statistics().flushes
        qtbot.waitUntil(lambda: platform.bridge.statistics().flushes > flushes + 1, timeout=5_000)
        dock = panel.parentWidget()
        assert dock is not None
        dock.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    grown = grows(platform, once)
    window.docks.clear()
    assert not grown


@pytest.mark.timeout(600)
def test_a_window_that_is_made_anew_leaves_nothing(platform: DesktopPlatform, qtbot: QtBot, tmp_path: Path) -> None:
    files = WorkspaceFiles(tmp_path / "workspaces")
    platform.desk.theme = Theme()

    def once() -> None:
        window = MainWindow(platform.desk, platform.actions, ALL, files)
        window.show()
        for workspace in CAME_WITH:
            window.docks.show_default(workspace)
        flushes = platform.bridge.statistics().flushes
        qtbot.waitUntil(lambda: platform.bridge.statistics().flushes > flushes + 1, timeout=5_000)
        window.docks.clear()
        window.close()
        window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    assert not grows(platform, once)


@pytest.mark.skipif(bool(missing_programs()), reason=missing_programs() or "a real window")
@pytest.mark.timeout(DEMO_S + 300)
def test_half_an_hour_of_the_demo_grows_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    window = RealWindow(home, tmp_path / "pictures")
    try:
        window.start()
        window.wait_for("light-demo", within_s=120)
        assert window.desktop is not None
        pid, began_s = window.desktop.pid, monotonic()
        window.until(lambda: monotonic() - began_s > DEMO_FIRST_S, DEMO_S)
        before_mb, threads = memory_mb(pid), threads_of(pid)
        window.until(lambda: monotonic() - began_s > DEMO_S, DEMO_S)
        after_mb = memory_mb(pid)
        assert after_mb < before_mb + DEMO_GROWTH_MB, f"{before_mb:.0f} MB, then {after_mb:.0f} MB"
        assert threads_of(pid) <= threads
        assert window.close() == 0, window.log()[-2000:]
    finally:
        window.end()
