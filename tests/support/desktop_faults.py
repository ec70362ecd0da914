"""What is wrong with the looks of a window: numbers without room, words that are cut, docks that are too small, characters that no font has."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QFont, QFontDatabase, QRawFont
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTabBar,
    QWidget,
)

from foxtrot.gui.columns import Align
from foxtrot.gui.dock_area import PanelDock
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import CellDelegate, FactView

ORIENTATION: Final = Qt.Orientation.Horizontal
FONTS: Final = ("Inter", "DejaVu Sans", "DejaVu Sans Mono", "JetBrains Mono", "Noto Sans CJK SC")
"""Those that docs/desktop.md says to install; DejaVu comes with fontconfig."""
PARTS: Final = (QAbstractButton, QLabel, QLineEdit, QComboBox, QAbstractSpinBox)
VIEWPORT: Final = "qt_scrollarea_viewport"
ARROW: Final = 18
"""What the arrow of a choice takes up, at a scale of 1."""


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


def cut_tabs(window: QWidget) -> list[str]:
    """Bars of tabs that need more room than there is, so that the last can only be scrolled to."""
    found = []
    for bar in window.findChildren(QTabBar):
        needs = sum(bar.tabRect(place).width() for place in range(bar.count()) if bar.isTabVisible(place))
        if is_seen(bar) and needs > bar.width() + 1:
            found.append(f"{name_of(bar)}: tabs need {needs} of {bar.width()}")
    return found


def cut_headings(window: QWidget) -> list[str]:
    """Headings of columns that are wider than their column."""
    found = []
    for view in window.findChildren(FactView):
        header = view.horizontalHeader()
        for place, column in enumerate(view.model().columns):  # type: ignore[attr-defined]
            needs = header.fontMetrics().horizontalAdvance(str(view.model().headerData(place, ORIENTATION)))
            if is_seen(view) and not view.isColumnHidden(place) and needs > view.columnWidth(place):
                found.append(f"{name_of(view)}.{column.key}: the heading needs {needs} of {view.columnWidth(place)}")
    return found


def cut_fields(window: QWidget) -> list[str]:
    """Figures in boxes, and choices, that have too little room."""
    found = []
    for field in window.findChildren(QLineEdit):
        text = field.text() or field.placeholderText()
        if is_seen(field) and any(letter.isdigit() for letter in text):
            needs = field.fontMetrics().horizontalAdvance(text)
            if needs > field.width() - 4:
                found.append(f"{name_of(field)}: {text!r} needs {needs} of {field.width()}")
    for choice in window.findChildren(QComboBox):
        needs = choice.fontMetrics().horizontalAdvance(choice.currentText())
        if is_seen(choice) and not choice.isEditable() and needs > choice.width() - ARROW:
            found.append(f"{name_of(choice)}: {choice.currentText()!r} needs {needs} of {choice.width()}")
    return found


def misplaced(window: QWidget) -> list[str]:
    """Parts that are squeezed, stick out of what they stand in, or cover each other."""
    found = []
    seen = [one for one in window.findChildren(QWidget) if isinstance(one, PARTS) and is_seen(one)]
    for part in seen:
        where, parent = part.geometry(), part.parentWidget()
        if part.height() < part.fontMetrics().height() - 2:
            found.append(f"{name_of(part)} is squeezed to {part.size().toTuple()}")
        scrolled = parent is not None and parent.objectName() == VIEWPORT
        if parent is not None and not scrolled and (where.left() < 0 or where.right() > parent.width()):
            found.append(f"{name_of(part)} sticks out: {where.getRect()} of {parent.size().toTuple()}")
        for other in seen:
            if other is not part and other.parentWidget() is parent and id(part) < id(other):
                both = where.intersected(other.geometry())
                if both.width() > 2 and both.height() > 2:
                    found.append(f"{name_of(part)} and {name_of(other)} cover each other at {both.getRect()}")
    return found + [_beyond(area) for area in window.findChildren(QScrollArea) if is_seen(area) and _beyond(area)]


def _beyond(area: QScrollArea) -> str:
    """Return by how much what stands in an area is wider than it, "" where it is not, or can be scrolled to."""
    scrolls = area.horizontalScrollBarPolicy() != Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    inside, room = area.widget(), area.viewport().width()
    if scrolls or inside is None or inside.width() <= room:
        return ""
    return f"{name_of(area)}: what stands in it needs {inside.width()} of {room}"


def faults(window: QWidget) -> list[str]:
    """All that is wrong with a window."""
    looks = (collapsed_docks, clipped_cells, clipped_words, cut_tabs, cut_headings, cut_fields, misplaced)
    return [fault for look in looks for fault in look(window)] + sorted(missing_glyphs(window))
