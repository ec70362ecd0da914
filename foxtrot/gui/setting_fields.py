"""The field of one setting: a box of its kind, empty or at its default until somebody changes it."""

from typing import Final

from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from foxtrot.adapter.base_adapter import Setting
from foxtrot.adapter.settings_reader import SettingTerm

MOST: Final = 2_000_000_000


def field_of(term: SettingTerm, parent: QWidget) -> QWidget:
    """Return the box of a setting at its default."""
    field = _made(term, parent)
    field.setObjectName(f"setting_{term.key}")
    return field


def _made(term: SettingTerm, parent: QWidget) -> QWidget:
    if term.kind == "flag":
        box = QCheckBox(parent)
        box.setChecked(bool(term.default))
        return box
    if term.kind == "choice":
        choices = QComboBox(parent)
        for one in term.allowed:
            choices.addItem(one or "–", one)
        choices.setCurrentIndex(max(0, choices.findData(str(term.default))))
        return choices
    if term.kind == "whole":
        whole = QSpinBox(parent)
        bounded = term.lowest < term.highest
        whole.setRange(int(term.lowest) if bounded else -MOST, min(MOST, int(term.highest)) if bounded else MOST)
        whole.setValue(int(term.default))
        return whole
    if term.kind == "seconds":
        seconds = QDoubleSpinBox(parent)
        seconds.setDecimals(3)
        seconds.setRange(term.lowest, term.highest if term.lowest < term.highest else float(MOST))
        seconds.setSuffix(" s")
        seconds.setValue(float(term.default))
        return seconds
    line = QLineEdit(parent)
    line.setText(str(term.default))
    if term.kind == "symbols":
        line.setPlaceholderText("BTCUSDT, ETHUSDT")
    elif term.kind == "ways":
        line.setPlaceholderText(f"BTCUSDT={term.allowed[0]}" if term.allowed else "BTCUSDT=…")
    return line


def value_of(term: SettingTerm, field: QWidget) -> Setting | None:
    """Return what was filled in, None where that is the default."""
    value: Setting
    if isinstance(field, QCheckBox):
        value = field.isChecked()
    elif isinstance(field, QComboBox):
        value = str(field.currentData())
    elif isinstance(field, QSpinBox | QDoubleSpinBox):
        value = field.value()
    else:
        text = field.text().strip() if isinstance(field, QLineEdit) else ""
        value = _typed(text) if term.kind == "any" else text
    return None if value == term.default else value


def _typed(text: str) -> Setting:
    """Return text as what it looks like, for a setting of which only the name is known."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
