"""Where the window's parts are on the screen, as a file: for programs that drive the real window with a mouse, as its own test does."""

import os
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
from loguru import logger
from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMenu, QMenuBar, QTabBar, QTableView, QWidget

VARIABLE: Final = "FOXTROT_GUI_MAP"
"""Names the file; without it nothing is written."""
INTERVAL_MS: Final = 1_000
MOST_ROWS: Final = 60
_OF_QT: Final = "qt_"


class Place(msgspec.Struct, frozen=True):
    """One part of the window: its rectangle in pixels of the screen, what it says, and whether it can be used."""

    x: int
    y: int
    width: int
    height: int
    text: str = ""
    enabled: bool = True
    tip: str = ""


class WidgetMap(QObject):
    """Writes all places once a second, by name.

    `kill` is a widget of that name, `kill#2` a second one; `table/3` a row in view, `tabs/Orders` a tab, `menu/Quit` an entry of an open
    menu, `ladder/bid` what a widget tells by a method `places_on_map`. What is typed is never told.

    Thread: the desktop's.

    Args:
        file: where to; replaced as a whole each time.
    """

    def __init__(self, file: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.file = file
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.write)
        self._timer.start()

    def write(self) -> None:
        """Write the places as they are now; a file that cannot be written ends it, and the log says so."""
        beside = self.file.with_name(self.file.name + ".new")
        try:
            beside.write_bytes(msgspec.json.format(msgspec.json.encode(places())))
            beside.replace(self.file)
        except OSError as error:
            self._timer.stop()
            logger.warning("{} {} cannot be written: {}", VARIABLE, self.file, error)


def map_asked_for(parent: QObject | None = None) -> WidgetMap | None:
    """Return the map that the environment asks for; None where it asks for none."""
    file = os.environ.get(VARIABLE, "")
    return WidgetMap(Path(file), parent) if file else None


def places() -> dict[str, Place]:
    """Return where everything is that has a name and can be seen."""
    found: dict[str, Place] = {}
    seen: Counter[str] = Counter()
    for widget in sorted(QApplication.allWidgets(), key=_reading_order):
        name = widget.objectName()
        if isinstance(widget, QMenu) and not name:
            name = "menu"
        if isinstance(widget, QMenuBar) and not name:
            name = "menus"
        if isinstance(widget, QTabBar) and (not name or name.startswith(_OF_QT)):
            name = "tabs"
        if not name or name.startswith(_OF_QT) or not widget.isVisible() or widget.visibleRegion().isEmpty():
            continue
        seen[name] += 1
        full = name if seen[name] == 1 else f"{name}#{seen[name]}"
        found[full] = _place(widget, widget.rect(), _text(widget), widget.isEnabled(), widget.toolTip())
        for part, rect in _parts(widget).items():
            found[f"{full}/{part}"] = _place(widget, rect, part)
    return found


def _reading_order(widget: QWidget) -> tuple[int, int]:
    """Order from above to below, then from left to right: Qt lists widgets in no order of its own."""
    at = widget.mapToGlobal(widget.rect().topLeft())
    return at.y(), at.x()


def _place(widget: QWidget, rect: QRect, text: str, enabled: bool = True, tip: str = "") -> Place:
    at: QPoint = widget.mapToGlobal(rect.topLeft())
    return Place(at.x(), at.y(), rect.width(), rect.height(), text, enabled, tip)


def _text(widget: QWidget) -> str:
    """Return what a widget says by itself: labels and buttons, never what somebody has typed."""
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and hasattr(widget, "setReadOnly"):
        return ""
    text: Any = getattr(widget, "currentText", None) or getattr(widget, "text", "")
    said = text() if callable(text) else text
    return said if isinstance(said, str) else ""


def _parts(widget: QWidget) -> dict[str, QRect]:
    """Return the rectangles of a widget's parts, in its own pixels."""
    if isinstance(widget, QTabBar):
        return {widget.tabText(tab): widget.tabRect(tab) for tab in range(widget.count())}
    if isinstance(widget, QMenu | QMenuBar):
        return {one.text().replace("&", ""): widget.actionGeometry(one) for one in widget.actions() if one.text()}
    if isinstance(widget, QTableView):
        return _rows(widget)
    tell = getattr(widget, "places_on_map", None)
    return dict(tell()) if callable(tell) else {}


def _rows(table: QTableView) -> dict[str, QRect]:
    port = table.viewport()
    rows: dict[str, QRect] = {}
    for line in range(min(table.verticalHeader().count(), MOST_ROWS)):
        top = table.rowViewportPosition(line)
        if 0 <= top < port.height():
            corner = port.mapTo(table, QPoint(0, top))
            rows[str(line)] = QRect(corner.x(), corner.y(), port.width(), table.rowHeight(line))
    return rows
