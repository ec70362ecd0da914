"""The form of a strategy's parameters: a field for each, of its type, with its bounds, its default and what it is for."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from math import floor, isfinite, log10

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from foxtrot.app.control_requests import Value
from foxtrot.app.desktop_requests import ParameterForm
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

FIELD_PIXELS = 130


class ExactBox(QLineEdit):
    """A number as text, so that none is rounded; the arrow keys step by one, or by a tenth of its size where it has decimals.

    Thread: the desktop's.

    Args:
        form: its type and its bounds.
    """

    def __init__(self, form: ParameterForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = form.kind == "int"
        self._least, self._most = _bound(form.minimum), _bound(form.maximum)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)

    def set_text(self, text: str) -> None:
        """Show a number; a long one from its first digit on."""
        self.setText(text)
        self.setCursorPosition(0)

    def step_by(self, steps: int) -> None:
        """Step up or down, not over a bound."""
        try:
            value = Decimal(self.text().strip())
        except InvalidOperation:
            return
        if not value.is_finite():
            return
        moved = value + steps * self._step(value)
        if self._least is not None:
            moved = max(moved, Decimal(repr(self._least)))
        if self._most is not None:
            moved = min(moved, Decimal(repr(self._most)))
        self.set_text(f"{moved.normalize():f}" if moved else "0")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Step by the arrow keys."""
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
        if steps:
            self.step_by(steps)
        else:
            super().keyPressEvent(event)

    def _step(self, value: Decimal) -> Decimal:
        if self._whole:
            return Decimal(1)
        return Decimal(1).scaleb(floor(log10(abs(value))) - 1) if value else Decimal("0.1")


Editor = QCheckBox | QLineEdit


class ParametersWidget(QScrollArea):
    """The fields of all parameters. `changed` comes with each change.

    Thread: the desktop's.

    Args:
        theme: its looks.
        narrow: whether what a parameter is for stands below its field, not beside it.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, narrow: bool = False) -> None:
        super().__init__(parent)
        self._theme = theme
        self._narrow = narrow
        self._nothing = ""
        self._forms: tuple[ParameterForm, ...] = ()
        self.fields: dict[str, Editor] = {}
        self._notes: dict[str, QLabel] = {}
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def show_parameters(self, forms: Sequence[ParameterForm], values: Mapping[str, Value], nothing: str = "") -> None:
        """Make a field for each parameter; one without a value has its default. `nothing` is said where there is none."""
        self._nothing = nothing or tr("parameters.none")
        if tuple(forms) != self._forms or not self.fields:
            self._forms = tuple(forms)
            self._build()
        self.set_values(values)

    def set_values(self, values: Mapping[str, Value]) -> None:
        """Show values; what is not named gets its default."""
        for form in self._forms:
            _show(self.fields[form.name], values.get(form.name, form.default))
        self._look()

    def values(self) -> dict[str, Value]:
        """Return what is in the fields, of those that are right."""
        found = {form.name: _read(self.fields[form.name], form) for form in self._forms}
        return {name: value for name, value in found.items() if value is not None}

    def texts(self) -> dict[str, str]:
        """Return what stands in the fields, as a command line has it."""
        return {name: _text(value) for name, value in self.values().items()}

    def faults(self) -> dict[str, str]:
        """Return what is wrong, by name."""
        found = {form.name: fault(self.fields[form.name], form) for form in self._forms}
        return {name: text for name, text in found.items() if text}

    def differing(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the fields that differ from values."""
        return {name: value for name, value in self.values().items() if values.get(name) != value}

    def set_locked(self, why: str) -> None:
        """Let nothing be changed, and say why; "" lets it be changed."""
        for name, field in self.fields.items():
            field.setEnabled(not why)
            field.setToolTip(why or self._form(name).description)

    def _form(self, name: str) -> ParameterForm:
        return next(form for form in self._forms if form.name == name)

    def _build(self) -> None:
        px = self._theme.pixels
        inner = QWidget(self)
        inner.setObjectName("parameters")
        column = QVBoxLayout(inner)
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(10))
        grid.setColumnStretch(2, 1)
        self.fields, self._notes = {}, {}
        for line, form in enumerate(self._forms):
            self._add_line(grid, line, form, inner)
        column.addLayout(grid)
        if not self._forms:
            column.addWidget(QLabel(self._nothing, inner))
        column.addStretch(1)
        self.setWidget(inner)

    def _add_line(self, grid: QGridLayout, line: int, form: ParameterForm, inner: QWidget) -> None:
        field = self._editor(form, inner)
        field.setObjectName(f"parameter_{form.name}")
        field.setFixedWidth(self._theme.pixels(FIELD_PIXELS))
        name = QLabel(form.name, inner)
        name.setTextFormat(Qt.TextFormat.PlainText)
        name.setBuddy(field)
        note = QLabel(inner)
        note.setTextFormat(Qt.TextFormat.PlainText)
        note.setWordWrap(True)
        self.fields[form.name], self._notes[form.name] = field, note
        grid.addWidget(name, 2 * line, 0)
        grid.addWidget(field, 2 * line, 1)
        if self._narrow:
            grid.addWidget(note, 2 * line + 1, 0, 1, 3)
        else:
            grid.addWidget(note, 2 * line, 2)

    def _editor(self, form: ParameterForm, inner: QWidget) -> Editor:
        if form.kind == "bool":
            box = QCheckBox(_said(on=False), inner)
            box.toggled.connect(lambda on: box.setText(_said(on=on)))  # not by colour alone
            box.toggled.connect(self._look)
            return box
        if form.kind in ("int", "float"):
            number = ExactBox(form, inner)
            number.textChanged.connect(self._look)
            return number
        text = QLineEdit(inner)
        text.textChanged.connect(self._look)
        return text

    def _look(self, *_: object) -> None:
        """Say beside each field what is wrong with it, else what it is for."""
        colours = self._theme.colours
        for form in self._forms:
            wrong = fault(self.fields[form.name], form)
            note = self._notes[form.name]
            note.setText(f"⚠ {wrong}" if wrong else described(form))
            note.setStyleSheet(f"color:{colours.warning if wrong else colours.dim}")
        self.changed.emit()


def described(form: ParameterForm) -> str:
    """Return what a parameter is for, its default and its bounds."""
    bounds = ""
    if form.minimum is not None and form.maximum is not None:
        bounds = f"{_text(form.minimum)} – {_text(form.maximum)}"
    elif form.minimum is not None:
        bounds = f"≥ {_text(form.minimum)}"
    elif form.maximum is not None:
        bounds = f"≤ {_text(form.maximum)}"
    first = _said(on=form.default) if isinstance(form.default, bool) else _text(form.default)
    default = tr("parameters.default", value=first) if first else ""
    return "  ·  ".join(text for text in (form.description, default, bounds) if text)


def fault(field: Editor, form: ParameterForm) -> str:
    """Return what is wrong with what stands in a field, "" when nothing is."""
    value = _read(field, form)
    if value is None:
        return tr("parameters.whole" if form.kind == "int" else "parameters.number")
    if isinstance(value, bool | str):
        return ""
    low, high = _bound(form.minimum), _bound(form.maximum)
    if low is not None and value < low:
        return tr("parameters.least", value=_text(low))
    if high is not None and value > high:
        return tr("parameters.most", value=_text(high))
    return ""


def _said(*, on: bool) -> str:
    return tr("dialog.yes" if on else "dialog.no")


def _bound(value: Value | None) -> float | None:
    return None if value is None or isinstance(value, str) else value


def _show(field: Editor, value: Value) -> None:
    if isinstance(field, QCheckBox):
        field.setChecked(bool(value))
    elif isinstance(field, ExactBox):
        field.set_text(_text(value))
    else:
        field.setText(str(value))


def _read(field: Editor, form: ParameterForm) -> Value | None:
    if isinstance(field, QCheckBox):
        return field.isChecked()
    text = field.text()
    if form.kind == "str":
        return text
    try:
        number = Decimal(text.strip())
        if form.kind == "int":
            return int(number) if number.is_finite() and number == int(number) else None
        return float(number) if isfinite(float(number)) else None
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _text(value: Value) -> str:
    """Return a value exactly, never in scientific notation."""
    if isinstance(value, bool | str):
        return str(value)
    exact = Decimal(repr(value))
    return f"{exact.normalize():f}" if exact else "0"
