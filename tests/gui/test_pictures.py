"""The whole window, painted: English and Chinese, dark and light, at 1x and 2x, with a running platform behind it.

Numbers are whole, docks have room, every character is in a font that the desktop names or that comes with Qt's system packages, and Qt
warns of nothing. FOXTROT_PICTURES names a folder where what was painted is kept.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QWidget,
)
from pytestqt.qtbot import QtBot

from foxtrot.core.notices import RequestFailed, StrategyLog
from foxtrot.domain.enums import OrderStatus, OrderType, Side
from foxtrot.domain.order import OrderRequest
from foxtrot.gui import texts
from foxtrot.gui.dock_area import PanelDock
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.panels import ALL
from foxtrot.gui.theme import Mode, Theme, apply_theme
from foxtrot.gui.workspaces import CAME_WITH, DEFAULTS, WorkspaceFiles
from tests.support.builders import T0
from tests.support.desktop_faults import clipped_words, faults, missing_glyphs
from tests.support.desktop_platform import ACCOUNT, PERPETUAL, DesktopPlatform

LOOKS: Final = [(language, mode, scale) for language in ("en", "zh") for mode in Mode for scale in (1.0, 2.0)]
ALWAYS: Final = {("en", Mode.DARK, 1.0), ("zh", Mode.LIGHT, 2.0)}
"""Looked at in every run; the others with the slow tests."""
EACH: Final = pytest.mark.parametrize(
    "look", [pytest.param(look, marks=() if look in ALWAYS else pytest.mark.slow) for look in LOOKS], ids=str
)
Look = tuple[str, Mode, float]
ALONE: Final = (640, 420)
"""The size of a panel that floats."""
SIZE: Final = (1600, 950)
BY_THEMSELVES: Final = tuple(
    kind for kind in ALL.names() if not any(one.kind == kind for panels in DEFAULTS.values() for one in panels)
)


@dataclass
class Scene:
    """A platform that has traded, and where windows over it keep their workspaces."""

    platform: DesktopPlatform
    files: WorkspaceFiles
    qtbot: QtBot

    def window(self, language: str, mode: Mode, scale: float) -> MainWindow:
        """A window in some looks, filled."""
        texts.choose(language)
        desk = self.platform.desk
        desk.settings.mode, desk.settings.scale, desk.settings.language = mode, scale, language
        desk.theme = Theme(mode, scale=scale)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, desk.theme)
        made = MainWindow(desk, self.platform.actions, ALL, self.files)
        made.resize(*(desk.theme.pixels(length) for length in SIZE))
        made.take_platform()
        made.show()
        return made

    def show(self, window: MainWindow, workspace: str) -> None:
        """Show a workspace as it came, until its panels have been told."""
        window.docks.show_default(workspace)
        self.settle()

    def settle(self) -> None:
        """Let questions be answered and painted."""
        questions, flushes = self.platform.desk.questions, self.platform.bridge.statistics().flushes
        assert questions is not None
        self.qtbot.waitUntil(lambda: self.platform.bridge.statistics().flushes > flushes + 3, timeout=10_000)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)

    def close(self, window: MainWindow) -> None:
        window.docks.clear()
        window.close()
        window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def scene(tmp_path: Path, qtbot: QtBot) -> Iterator[Scene]:
    platform = DesktopPlatform(tmp_path, qtbot)
    try:
        platform.start()
        bought = platform.place(OrderRequest(PERPETUAL, ACCOUNT, Side.BUY, OrderType.MARKET, 0.5))
        platform.until(lambda: platform.orders[bought.order_id].status is OrderStatus.FILLED)
        platform.resting()
        for number in range(30):
            platform.store.hear(StrategyLog("double_ma", "INFO", f"line {number}", T0))
        platform.store.hear(RequestFailed(ACCOUNT, "subscribe X", "not listed", T0))
        yield Scene(platform, WorkspaceFiles(tmp_path / "workspaces"), qtbot)
    finally:
        platform.end()


def keep(window: QWidget, name: str) -> None:
    """Paint a window, and keep that where somebody wants to look."""
    picture = window.grab()
    assert not picture.isNull()
    folder = os.environ.get("FOXTROT_PICTURES", "")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        picture.save(str(Path(folder) / f"{name}.png"))


@EACH
def test_every_workspace_is_whole(scene: Scene, look: Look) -> None:
    window, wrong = scene.window(*look), {}
    for workspace in CAME_WITH:
        scene.show(window, workspace)
        keep(window, f"{workspace}-{named(look)}")
        wrong[workspace] = faults(window)
    scene.close(window)
    assert not any(wrong.values()), listed(wrong)


@EACH
def test_every_tab_and_every_other_panel_is_whole(scene: Scene, look: Look) -> None:
    window, wrong = scene.window(*look), {}
    window.docks.show_default("discretionary")
    size = [scene.platform.desk.theme.pixels(length) for length in ALONE]
    for kind in (*(one.kind for one in DEFAULTS["discretionary"] if one.tab_with), *BY_THEMSELVES):
        panel = window.docks.show(kind)
        dock = panel.parentWidget() if panel is not None else None
        assert isinstance(dock, PanelDock), kind
        dock.setFloating(True)
        dock.resize(*size)
        scene.settle()
        keep(dock, f"{kind}-{named(look)}")
        wrong[kind] = faults(dock)
        dock.close()
    scene.close(window)
    assert not any(wrong.values()), listed(wrong)


def named(look: Look) -> str:
    language, mode, scale = look
    return f"{language}-{mode}-{scale:.0f}x"


def listed(wrong: dict[str, list[str]]) -> str:
    return "\n".join(f"{where}: {fault}" for where, found in wrong.items() for fault in found)


def test_a_character_that_no_font_has_is_found(qapp: QApplication) -> None:
    label = QLabel("price \U000f1234 ▲")
    assert missing_glyphs(label) == {"\U000f1234 U+F1234"}


def test_words_without_room_are_found(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    label = QLabel("1,234,567.89", window)
    window.show()
    label.resize(20, 20)
    assert len(clipped_words(window)) == 1
    label.resize(200, 20)
    assert clipped_words(window) == []
