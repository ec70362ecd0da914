"""The form of a backtest: which strategy, on which file, under which assumptions, with which parameters; as a command line has it."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from foxtrot.gui.backtest_run import KnownStrategy
from foxtrot.gui.grid_form import GridForm
from foxtrot.gui.panel import State
from foxtrot.gui.parameter_form import ParametersWidget
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

KINDS: Final = ("bars", "ticks", "depth")
FIELDS: Final = {
    "symbol": ("", ""), "interval": ("--interval", ""), "start": ("--start", ""), "end": ("--end", ""),
    "balance": ("--balance", "1000000"), "currency": ("--currency", "USDT"), "fee": ("--fee", "0.0005"), "slippage": ("--slippage", "0"),
    "latency": ("--latency-ms", "0"), "multiplier": ("--multiplier", "1"), "tick": ("--tick", ""), "lot": ("--lot", ""),
}  # fmt: skip
"""Field → its option of the command line, and what stands in it at first."""
AskFile = Callable[[QWidget, str, str], str]
"""Asks for a file: whose question, its title, which files; "" where none was chosen."""


def ask_file(parent: QWidget, title: str, which: str) -> str:
    """Ask for a file that is there.

    Blocks: the desktop's thread, while Qt goes on.
    """
    return QFileDialog.getOpenFileName(parent, title, "", which)[0]


class BacktestForm(QWidget):
    """What is to be tested. `changed` comes with each change, `folder_chosen` with the folder of a strategy's file.

    Thread: the desktop's.
    """

    changed = Signal()
    folder_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ask_file: AskFile = ask_file
        self._theme = theme
        self._known: dict[str, KnownStrategy] = {}
        self._shown: KnownStrategy | None = None
        self._build()

    # --- what is asked for ------------------------------------------------------------------------------------------

    @property
    def strategy(self) -> str:
        """Return the name of the strategy."""
        return self.strategies.currentText().strip()

    @property
    def is_search(self) -> bool:
        """Tell whether many combinations are to be tested."""
        return self.tabs.currentIndex() == 1

    def why_not(self) -> str:
        """Return why this cannot be run, "" when it can."""
        if not self.strategy:
            return tr("backtest.why_strategy")
        known = self._known.get(self.strategy)
        if known is not None and known.error:
            return known.error
        if not self.file.text().strip():
            return tr("backtest.why_file")
        if self.parameters.faults():
            return tr("strategies.why_faults")
        return self.grid.why_not() if self.is_search else ""

    def arguments(self) -> list[str]:
        """Return the arguments of the verb; those that are empty are left to it."""
        symbol, file = self.fields["symbol"].text().strip(), self.file.text().strip()
        found = ["--strategy", self.strategy, f"--{self.data.currentData()}", f"{symbol}={file}" if symbol else file]
        for name, (option, _) in FIELDS.items():
            text = self.fields[name].text().strip()
            if option and text:
                found += [f"{option}={text}"]
        varied = self.grid.varied() if self.is_search else {}
        for name, text in self.parameters.texts().items():
            if name not in varied and text:
                found += ["--param", f"{name}={text}"]
        return found + (self.grid.arguments() if self.is_search else [])

    # --- what is known ----------------------------------------------------------------------------------------------

    def show_strategies(self, known: dict[str, KnownStrategy]) -> None:
        """Offer strategies; what is chosen stays."""
        chosen = self.strategy
        self._known = dict(known)
        self.strategies.blockSignals(True)
        self.strategies.clear()
        self.strategies.addItems(list(known))
        self.strategies.setCurrentText(chosen or next(iter(known), ""))
        self.strategies.blockSignals(False)
        self._show_parameters()

    def save_state(self) -> State:
        """Return what stands in the form."""
        return {
            "strategy": self.strategy, "data": self.data.currentData(), "file": self.file.text(),
            "fields": {name: field.text() for name, field in self.fields.items()},
            "parameters": self.parameters.values(), "grid": self.grid.save_state(), "search": self.is_search,
        }  # fmt: skip

    def restore_state(self, state: State) -> None:
        """Take up what was saved; what makes no sense is passed over."""
        self.strategies.setCurrentText(_word(state.get("strategy")) or self.strategy)
        self.data.setCurrentIndex(max(0, self.data.findData(state.get("data"))))
        self.file.setText(_word(state.get("file")))
        fields = state.get("fields")
        for name, text in fields.items() if isinstance(fields, dict) else ():
            if name in self.fields:
                self.fields[name].setText(_word(text))
        values = state.get("parameters")
        if isinstance(values, dict) and self.parameters.fields:
            self.parameters.set_values({k: v for k, v in values.items() if isinstance(v, str | int | float)})
        self.grid.restore_state(state.get("grid"))
        self.tabs.setCurrentIndex(int(state.get("search") is True))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _show_parameters(self, *_: object) -> None:
        """Show the parameters of the strategy that is chosen."""
        known = self._known.get(self.strategy)
        if known is None or known != self._shown:
            forms = () if known is None else known.parameters
            self._shown = known
            self.parameters.show_parameters(forms, {}, "" if known else tr("backtest.why_strategy"))
            self.grid.show_parameters(forms)
        self.about.setText("" if known is None else f"⚠ {known.error}" if known.error else known.description)
        self.about.setVisible(bool(self.about.text()))
        self.changed.emit()

    def _choose_strategy(self) -> None:
        path = self.ask_file(self, tr("backtest.choose_strategy"), "Python (*.py)")
        if path:
            self.strategies.setCurrentText(path)
            self.folder_chosen.emit(str(Path(path).parent))

    def _choose_file(self) -> None:
        path = self.ask_file(self, tr("backtest.choose_file"), tr("backtest.files"))
        if path:
            self.file.setText(path)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(*(self._theme.pixels(6),) * 4)
        column.addLayout(self._what())
        self.about = QLabel(self)
        self.about.setWordWrap(True)
        self.about.setTextFormat(Qt.TextFormat.PlainText)
        self.about.setStyleSheet(f"color:{self._theme.colours.dim}")
        self.about.hide()
        column.addWidget(self.about)
        self.tabs = QTabWidget(self)
        self.tabs.setObjectName("backtest_kind")
        self.tabs.setDocumentMode(True)
        self.parameters = ParametersWidget(self._theme, self, narrow=True)
        self.parameters.changed.connect(self.changed)
        self.grid = GridForm(self._theme, self)
        self.grid.changed.connect(self.changed)
        self.tabs.addTab(self.parameters, tr("backtest.one"))
        self.tabs.addTab(_scrolled(self.grid, self), tr("backtest.many"))
        self.tabs.currentChanged.connect(lambda _index: self.changed.emit())
        self.tabs.setMinimumHeight(self._theme.pixels(150))
        column.addWidget(self.tabs, 1)

    def _what(self) -> QFormLayout:
        rows = QFormLayout()
        rows.setVerticalSpacing(self._theme.pixels(4))
        rows.setHorizontalSpacing(self._theme.pixels(8))
        self.strategies = QComboBox(self)
        self.strategies.setObjectName("backtest_strategy")
        self.strategies.setEditable(True)
        self.strategies.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.strategies.setMinimumContentsLength(10)
        self.strategies.currentTextChanged.connect(self._show_parameters)
        rows.addRow(tr("backtest.strategy"), self._with_button(self.strategies, "strategy", self._choose_strategy))
        self.data = QComboBox(self)
        self.data.setObjectName("backtest_data")
        for kind in KINDS:
            self.data.addItem(tr(f"backtest.{kind}"), kind)
            self.data.setItemData(self.data.count() - 1, tr(f"backtest.{kind}_hint"), Qt.ItemDataRole.ToolTipRole)
        rows.addRow(tr("backtest.data"), self.data)
        self.file = QLineEdit(self)
        self.file.setObjectName("backtest_file")
        self.file.textChanged.connect(lambda _text: self.changed.emit())
        rows.addRow(tr("backtest.file"), self._with_button(self.file, "file", self._choose_file))
        self.fields: dict[str, QLineEdit] = {}
        self._add_fields(rows)
        return rows

    def _add_fields(self, rows: QFormLayout) -> None:
        """Add the fields that are text, two in a line, the labels of the second ones under each other."""
        names = list(FIELDS)
        wide = max(self.fontMetrics().horizontalAdvance(tr(f"backtest.{name}")) for name in names[1::2])
        for first, second in zip(names[::2], names[1::2], strict=True):
            row = QHBoxLayout()
            row.setSpacing(self._theme.pixels(6))
            label = QLabel(tr(f"backtest.{second}"), self)
            label.setFixedWidth(wide + 2)
            row.addWidget(self._field(first), 1)
            row.addWidget(label)
            row.addWidget(self._field(second), 1)
            rows.addRow(tr(f"backtest.{first}"), row)

    def _field(self, name: str) -> QLineEdit:
        field = self.fields[name] = QLineEdit(FIELDS[name][1], self)
        field.setObjectName(f"backtest_{name}")
        field.setPlaceholderText(tr(f"backtest.{name}_place"))
        field.setToolTip(tr(f"backtest.{name}_hint"))
        words = max(field.placeholderText(), field.text(), key=len)  # what stands in it is never cut
        field.setMinimumWidth(field.fontMetrics().horizontalAdvance(words) + self._theme.pixels(18))
        return field

    def _with_button(self, field: QWidget, name: str, choose: Callable[[], None]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self._theme.pixels(4))
        button = QPushButton("…", self)
        button.setObjectName(f"backtest_choose_{name}")
        button.setToolTip(tr(f"backtest.choose_{name}"))
        button.setAutoDefault(False)
        button.clicked.connect(choose)
        row.addWidget(field, 1)
        row.addWidget(button)
        return row


def _scrolled(widget: QWidget, parent: QWidget) -> QScrollArea:
    area = QScrollArea(parent)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(widget)
    return area


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
