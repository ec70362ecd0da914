"""One strategy in detail: its parameters as a form, its log, and its last error with the traceback."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QTabWidget, QVBoxLayout, QWidget

from foxtrot.app.control_requests import Value
from foxtrot.app.desktop_requests import ParameterForm
from foxtrot.gui.desk import Desk
from foxtrot.gui.log_lines import Line
from foxtrot.gui.numbers import money_text
from foxtrot.gui.panels.log import COLUMNS
from foxtrot.gui.parameter_form import ParametersWidget
from foxtrot.gui.strategy_log import MOST, StrategyLogs
from foxtrot.gui.strategy_steps import AT_REST, policy_text, stage_name
from foxtrot.gui.strategy_table import StrategyLine
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr


class StrategyDetail(QWidget):
    """Shows one strategy. `apply_asked` comes with its name and the parameters that were changed.

    Thread: the desktop's.
    """

    apply_asked = Signal(str, dict)

    def __init__(self, desk: Desk, logs: StrategyLogs, currency: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.currency = currency
        self.line: StrategyLine | None = None
        self.is_waiting = False
        """Whether what was applied has not been answered yet."""
        self._desk = desk
        self._logs = logs
        self._told: dict[str, Value] = {}
        self._forms: tuple[ParameterForm, ...] = ()
        self.model: FactTable[Line] = FactTable(COLUMNS, lambda line: line.number, MOST)
        self._build()
        logs.said.connect(self._hear)
        self.show_line(None)

    @property
    def strategy_id(self) -> str:
        """Return whose details are shown, "" for nobody's."""
        return "" if self.line is None else self.line.row.strategy_id

    def show_line(self, line: StrategyLine | None) -> None:
        """Show a strategy, or how the one that is shown stands now; what somebody has typed stays."""
        other = self.strategy_id != ("" if line is None else line.row.strategy_id)
        self.line = line
        self.tabs.setEnabled(line is not None)
        self.about.setText(self._about())
        if other:
            self.is_waiting = False
            self.model.replace_all(self._logs.lines(self.strategy_id))
        if line is not None and line.form is not None:
            self._show_parameters(other=other)
        self._show_error()
        self._look()

    def flush(self) -> None:
        """Show lines that came; the last one stays in view if it was."""
        bar = self.log.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 2
        self.model.apply()
        if at_end:
            self.log.scrollToBottom()

    def leave(self) -> None:
        """Hear nothing any more."""
        self._logs.said.disconnect(self._hear)

    def revert(self) -> None:
        """Show the parameters that are in force."""
        if self.line is not None:
            self.parameters.set_values(self.line.row.parameters)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _about(self) -> str:
        line = self.line
        if line is None:
            return tr("strategies.choose")
        if line.form is None:
            return line.row.strategy_id
        form, capital = line.form, f"{money_text(line.form.capital)} {self.currency}".rstrip()
        text = tr(
            "strategies.about", name=form.strategy_id, source=form.source, interval=form.interval, capital=capital
        )
        return f"{text}\n{tr('strategies.on_stop', policy=policy_text(form))}"

    def _show_parameters(self, *, other: bool) -> None:
        assert self.line is not None  # noqa: S101  (the caller has looked)
        assert self.line.form is not None  # noqa: S101
        values = dict(self.line.row.parameters)
        if other or self._told != values or self._forms != self.line.form.parameters:
            self._told, self._forms = values, self.line.form.parameters
            self.parameters.show_parameters(self._forms, values)
        at_rest = self.line.row.stage in AT_REST
        why = "" if at_rest else tr("strategies.why_stop_first", stage=stage_name(self.line.row.stage))
        self.parameters.set_locked(why)

    def _show_error(self) -> None:
        line, known = self.line, self._logs.errors.get(self.strategy_id)
        failed = line is not None and line.row.stage == "failed"
        parts = [known.text if known is not None else line.row.reason if failed and line is not None else ""]
        parts.append("" if line is None or line.form is None else line.form.trace)
        text = "\n\n".join(part for part in parts if part)
        if self.error.toPlainText() != (text or tr("strategies.no_error")):
            self.error.setPlainText(text or tr("strategies.no_error"))
        self.tabs.setTabText(2, f"⚠ {tr('strategies.error')}" if text else tr("strategies.error"))

    def _look(self) -> None:
        """Let the form be applied, or say why not."""
        self.apply.setToolTip(self._why_not())
        self.apply.setEnabled(not self._why_not())
        self.back.setEnabled(bool(self._changed()))
        self.back.setToolTip("" if self._changed() else tr("strategies.why_same"))

    def _why_not(self) -> str:
        line = self.line
        if line is None or line.form is None:
            return tr("strategies.why_none")
        if line.row.stage not in AT_REST:
            return tr("strategies.why_stop_first", stage=stage_name(line.row.stage))
        if self.is_waiting:
            return tr("strategies.why_waits")
        if self.parameters.faults():
            return tr("strategies.why_faults")
        return "" if self._changed() else tr("strategies.why_same")

    def _changed(self) -> dict[str, Value]:
        return {} if self.line is None else self.parameters.differing(self.line.row.parameters)

    def _apply(self) -> None:
        if not self._why_not():
            changed = self._changed()
            self.is_waiting = True
            self._look()
            self.apply_asked.emit(self.strategy_id, changed)

    def _hear(self, line: Line) -> None:
        if line.source == self.strategy_id:
            self.model.put(line)

    def _build(self) -> None:
        px = self._desk.theme.pixels
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.about = QLabel(self)
        self.about.setTextFormat(Qt.TextFormat.PlainText)
        self.about.setWordWrap(True)
        self.about.setContentsMargins(px(8), px(5), px(8), px(5))
        column.addWidget(self.about)
        self.tabs = QTabWidget(self)
        self.tabs.setObjectName("strategy_tabs")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._form_page(), tr("strategies.parameters"))
        self.log = FactView(self.model, self._desk.theme, self)
        self.log.setColumnHidden(2, True)
        self.tabs.addTab(self.log, tr("strategies.log"))
        self.error = QPlainTextEdit(self)
        self.error.setReadOnly(True)
        self.error.setFont(self._desk.theme.number_font())
        self.error.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.tabs.addTab(self.error, tr("strategies.error"))
        column.addWidget(self.tabs, 1)

    def _form_page(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        self.parameters = ParametersWidget(self._desk.theme, page)
        self.parameters.changed.connect(self._look)
        column.addWidget(self.parameters, 1)
        row = QHBoxLayout()
        row.setContentsMargins(*(self._desk.theme.pixels(6),) * 4)
        self.apply = QPushButton(tr("strategies.apply"), page)
        self.apply.setObjectName("strategy_apply")
        self.apply.clicked.connect(self._apply)
        self.back = QPushButton(tr("strategies.revert"), page)
        self.back.setObjectName("strategy_revert")
        self.back.clicked.connect(self.revert)
        row.addStretch(1)
        row.addWidget(self.back)
        row.addWidget(self.apply)
        column.addLayout(row)
        return page
