"""The form of a search: which values of each parameter are tried, by what the results are sorted."""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from math import prod
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from foxtrot.app.desktop_requests import ParameterForm
from foxtrot.app.verbs.optimise import grid_axis
from foxtrot.gui.panel import State
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

SORTED_BY: Final = ("sharpe", "total_return", "calmar", "sortino", "profit_factor", "win_rate")


class GridForm(QWidget):
    """A line for each parameter: `10:30:5` or `10,20`; an empty one is not varied.

    Thread: the desktop's.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.fields: dict[str, QLineEdit] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.pixels(6),) * 4)
        self._rows = QFormLayout()
        column.addLayout(self._rows)
        self.by = QComboBox(self)
        self.by.setObjectName("grid_by")
        for name in SORTED_BY:
            self.by.addItem(tr(f"figure.{name}"), name)
        self.count = QLabel(self)
        self.count.setWordWrap(True)
        bottom = QFormLayout()
        bottom.addRow(tr("backtest.by"), self.by)
        column.addLayout(bottom)
        column.addWidget(self.count)
        column.addStretch(1)
        self._look()

    def show_parameters(self, forms: Sequence[ParameterForm]) -> None:
        """Make a line for each parameter that is a number or a choice."""
        kept = {name: field.text() for name, field in self.fields.items()}
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self.fields = {}
        for form in forms:
            field = self.fields[form.name] = QLineEdit(kept.get(form.name, ""), self)
            field.setObjectName(f"grid_{form.name}")
            field.setPlaceholderText(tr("backtest.grid_place"))
            field.setToolTip(form.description)
            field.textChanged.connect(self._look)
            self._rows.addRow(form.name, field)
        self._look()

    def varied(self) -> dict[str, tuple[str, ...]]:
        """Return the values of each parameter that is varied and whose line is right."""
        found = {}
        for name, field in self.fields.items():
            if field.text().strip() and not _fault(name, field.text()):
                found[name] = grid_axis(f"{name}={field.text().strip()}")[1]
        return found

    def why_not(self) -> str:
        """Return why no search can be made of it, "" when one can."""
        faults = [_fault(name, field.text()) for name, field in self.fields.items() if field.text().strip()]
        wrong = next((fault for fault in faults if fault), "")
        return wrong or ("" if self.varied() else tr("backtest.why_grid"))

    def arguments(self) -> list[str]:
        """Return the arguments of the verb."""
        lines = [f"{name}={field.text().strip()}" for name, field in self.fields.items() if field.text().strip()]
        return [part for line in lines for part in ("--grid", line)] + ["--by", str(self.by.currentData())]

    def save_state(self) -> State:
        """Return what stands in the form."""
        return {"by": self.by.currentData(), "lines": {name: field.text() for name, field in self.fields.items()}}

    def restore_state(self, state: object) -> None:
        """Take up what was saved; what makes no sense is passed over."""
        if not isinstance(state, dict):
            return
        self.by.setCurrentIndex(max(0, self.by.findData(state.get("by"))))
        lines = state.get("lines")
        for name, text in lines.items() if isinstance(lines, dict) else ():
            if name in self.fields and isinstance(text, str):
                self.fields[name].setText(text)

    def _look(self, *_: object) -> None:
        wrong, varied = self.why_not(), self.varied()
        many = prod(len(values) for values in varied.values())
        self.count.setText(
            f"⚠ {wrong}" if wrong and varied else wrong or tr("backtest.combinations", count=f"{many:,}")
        )
        self.changed.emit()


def _fault(name: str, text: str) -> str:
    try:
        grid_axis(f"{name}={text.strip()}")
    except ArgumentTypeError as error:
        return str(error)
    return ""
