"""The whole window, painted: English and Chinese, dark and light, at 1x and 2x, with a running platform behind it.

Numbers are whole, docks have room, every character is in a font that the desktop names or that comes with Qt's system packages, and Qt
warns of nothing. FOXTROT_PICTURES names a folder where what was painted is kept.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QFont, QFontDatabase, QRawFont
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from foxtrot.core.notices import RequestFailed, StrategyLog
from foxtrot.domain.enums import OrderStatus, OrderType, Side
from foxtrot.domain.order import OrderRequest
from foxtrot.gui import texts
from foxtrot.gui.columns import Align
from foxtrot.gui.dock_area import PanelDock
from foxtrot.gui.main_window import MainWindow
from foxtrot.gui.panels import ALL
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import CellDelegate, FactView
from foxtrot.gui.theme import Mode, Theme, apply_theme
from foxtrot.gui.workspaces import CAME_WITH, DEFAULTS, WorkspaceFiles
from tests.support.builders import T0
from tests.support.desktop_platform import ACCOUNT, PERPETUAL, DesktopPlatform

LOOKS: Final = [(language, mode, scale) for language in ("en", "zh") for mode in Mode for scale in (1.0, 2.0)]
ALWAYS: Final = {("en", Mode.DARK, 1.0), ("zh", Mode.LIGHT, 2.0)}
"""Looked at in every run; the others with the slow tests."""
EACH: Final = pytest.mark.parametrize(
    "look", [pytest.param(look, marks=() if look in ALWAYS else pytest.mark.slow) for look in LOOKS], ids=str
)
ORIENTATION: Final = Qt.Orientation.Horizontal
Look = tuple[str, Mode, float]
ALONE: Final = (640, 420)
"""The size of a panel that floats."""
SIZE: Final = (1600, 950)
FONTS: Final = ("Inter", "DejaVu Sans", "DejaVu Sans Mono", "JetBrains Mono", "Noto Sans CJK SC")
"""Those that docs/desktop.md says to install; DejaVu comes with fontconfig."""
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


# --- what is looked for ---------------------------------------------------------------------------------------------


def clipped_cells(window: QWidget) -> list[str]:
    """Numbers of tables that are wider than their column."""
    found = []
    for view in window.findChildren(FactView):
        model = view.model()
        assert isinstance(model, FactTable)
        delegate, metrics = view.itemDelegate(), view.fontMetrics()
        assert isinstance(delegate, CellDelegate)
        for place, column in enumerate(model.columns):
            if column.align is not Align.RIGHT or view.isColumnHidden(place):
                continue
            room = view.columnWidth(place) - 2 * delegate._margin
            for line in range(min(model.rowCount(), 40)):
                text = str(model.index(line, place).data())
                if metrics.horizontalAdvance(text) > room:
                    found.append(
                        f"{name_of(view)}.{column.key}: {text!r} needs {metrics.horizontalAdvance(text)} of {room}"
                    )
    return found


def clipped_words(window: QWidget) -> list[str]:
    """Labels and buttons with less room than their text needs."""
    found = []
    for widget in window.findChildren(QWidget):
        if not isinstance(widget, QLabel | QPushButton | QCheckBox) or not is_seen(widget):
            continue
        text = widget.text()
        if not text or "<" in text or "\n" in text or (isinstance(widget, QLabel) and widget.wordWrap()):
            continue
        needs = widget.fontMetrics().horizontalAdvance(text.replace("&", ""))
        if needs > widget.width() + 1:
            found.append(f"{name_of(widget)}: {text!r} needs {needs} of {widget.width()}")
    return found


def collapsed_docks(window: QWidget) -> list[str]:
    """Docks with less room than their panel needs."""
    found = []
    for dock in [window] if isinstance(window, PanelDock) else window.findChildren(PanelDock):
        panel = dock.panel
        least, size = panel.minimumSize(), panel.size()
        if is_seen(panel) and (size.width() < least.width() or size.height() < least.height()):
            found.append(f"{dock.objectName()}: {size.toTuple()} of {least.toTuple()}")
    return found


def missing_glyphs(window: QWidget) -> set[str]:
    """Characters that no font has which the desktop names."""
    characters = {character for text in said_by(window) for character in text if not character.isspace()}
    return {f"{character} U+{ord(character):04X}" for character in characters if not has_glyph(character)}


def said_by(window: QWidget) -> Iterator[str]:
    """Every text of a window, hints among them."""
    for widget in [window, *window.findChildren(QWidget)]:
        yield from (widget.windowTitle(), widget.toolTip())
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget.text()
        elif isinstance(widget, QLineEdit):
            yield widget.placeholderText()
        elif isinstance(widget, QComboBox):
            yield from (widget.itemText(place) for place in range(widget.count()))
        elif isinstance(widget, QTabBar):
            yield from (widget.tabText(place) for place in range(widget.count()))
        elif isinstance(widget, FactView):
            model = widget.model()
            yield from (str(model.headerData(place, ORIENTATION)) for place in range(model.columnCount()))
            for line in range(min(model.rowCount(), 40)):
                yield from (str(model.index(line, place).data()) for place in range(model.columnCount()))
    yield from (action.text() for action in window.findChildren(QAction))


@cache
def fonts() -> tuple[QRawFont, ...]:
    known = set(QFontDatabase.families())
    return tuple(QRawFont.fromFont(QFont(family, 12)) for family in FONTS if family in known)


@cache
def has_glyph(character: str) -> bool:
    return any(font.supportsCharacter(ord(character)) for font in fonts())


def is_seen(widget: QWidget) -> bool:
    return widget.isVisible() and not widget.visibleRegion().isEmpty()


def name_of(widget: QObject) -> str:
    """The names that lead to a widget."""
    names: list[str] = []
    one: QObject | None = widget
    while one is not None:
        if one.objectName() and not one.objectName().startswith("qt_"):
            names.append(one.objectName())
        one = one.parent()
    return "/".join(reversed(names[:2])) or type(widget).__name__


def faults(window: QWidget) -> list[str]:
    """All that is wrong with a window."""
    return [*collapsed_docks(window), *clipped_cells(window), *clipped_words(window), *missing_glyphs(window)]


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
