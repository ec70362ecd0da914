"""Strategies: one table of all of them with their state and profit, what can be done to them, and one of them in detail."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSplitter, QVBoxLayout, QWidget

from foxtrot.app.control_requests import ListStrategies, Request, Resume, SetValues, Step, Strategies, Value
from foxtrot.app.desktop_requests import DescribedStrategies, DescribeStrategies, StrategyForm
from foxtrot.core.notices import StrategyStatus
from foxtrot.gui.columns import Tone
from foxtrot.gui.desk import Desk
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.polling import Polling
from foxtrot.gui.strategy_detail import StrategyDetail
from foxtrot.gui.strategy_log import StrategyLogs
from foxtrot.gui.strategy_steps import Action, flattens, policy_text, why_not
from foxtrot.gui.strategy_table import StrategyLine, columns_of, totals_of
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr
from foxtrot.gui.totals_bar import Piece, TotalsBar

FORMS_EVERY_S: Final = 5.0
LEAST_TABLE: Final = 90
REARMED: Final = "re-armed at the desktop"


class StrategiesPanel(Panel):
    """Manages every strategy of the platform; the buttons act on those that are chosen in the table.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "strategies"
    least_size: ClassVar[tuple[int, int]] = (420, 330)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._currency = ""
        self._forms: dict[str, StrategyForm] = {}
        self._waiting: dict[str, bool] = {}
        """Strategy → whether what was asked of it was answered; gone when how it stands was told after that."""
        self._logs = StrategyLogs.of(desk)
        self.model: FactTable[StrategyLine] = FactTable(columns_of(desk), lambda line: line.row.strategy_id)
        self._build()
        self._strategies = Polling(desk, ListStrategies, self._hear_strategies)
        self._described = Polling(desk, DescribeStrategies, self._hear_forms, FORMS_EVERY_S)
        self.hear(StrategyStatus, lambda _status: self._look_again())
        desk.connected.connect(self._look_again)
        self._look_at_buttons()

    # --- panel ------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Ask how they stand, and show it."""
        self._described.look()
        self._strategies.look()
        version = self.model.version
        self.model.apply()
        self.detail.flush()
        if self.model.version != version:
            self.totals.show_pieces(totals_of(self.model.shown(), self._currency))
            if not self.view.selected() and self.model.rowCount():
                self.view.selectRow(0)
            self._look_at_chosen()

    def save_state(self) -> State:
        """Return columns and the share of the details."""
        return {**super().save_state(), "columns": self.view.columns_state(), "sizes": self.split.sizes()}

    def restore_state(self, state: State) -> None:
        """Take up columns and the share of the details."""
        super().restore_state(state)
        if isinstance(state.get("columns"), dict):
            self.view.restore_columns(state["columns"])
        match state.get("sizes"):
            case [int(above), int(below)] if above >= 0 and below >= 0 and above + below:
                self.split.setSizes([above, below])

    def leave(self) -> None:
        """Hear nothing any more."""
        self._strategies.end()
        self._described.end()
        self.detail.leave()
        self.desk.connected.disconnect(self._look_again)
        super().leave()

    # --- what is heard ----------------------------------------------------------------------------------------------

    def _look_again(self) -> None:
        self._strategies.begin_anew()
        self._described.begin_anew()

    def _hear_strategies(self, found: msgspec.Struct) -> None:
        if isinstance(found, Strategies):
            self._waiting = {name: done for name, done in self._waiting.items() if not done}
            self.model.replace_all([StrategyLine(row, self._forms.get(row.strategy_id)) for row in found.strategies])
            self._look_at_buttons()

    def _hear_forms(self, found: msgspec.Struct) -> None:
        if isinstance(found, DescribedStrategies):
            self._currency = self.detail.currency = found.base_currency
            self._forms = {form.strategy_id: form for form in found.strategies}
            self._strategies.begin_anew()

    # --- what is done -----------------------------------------------------------------------------------------------

    def act(self, action: Action) -> None:
        """Do something to every chosen strategy that it can be done to, after asking where it is grave."""
        lines = [line for line in self._chosen() if not self._why_not(action, line)]
        if not lines or not self._agreed(action, lines):
            return
        for line in lines:
            self._ask(line.row.strategy_id, tr(f"strategies.{action}"), self._request(action, line.row.strategy_id))

    def _request(self, action: Action, strategy_id: str) -> Request:
        who = self.desk.actions.who
        if action is Action.REARM:
            return Resume(who=who, why=REARMED, strategy=strategy_id)
        if action is Action.START:
            return Step(strategy_id=strategy_id, step="start", who=who)
        return Step(strategy_id=strategy_id, step="reload" if action is Action.RELOAD else "stop", who=who)

    def _apply(self, strategy_id: str, values: dict[str, Value]) -> None:
        request = SetValues(strategy_id=strategy_id, values=values, who=self.desk.actions.who)
        self._ask(strategy_id, tr("strategies.apply"), request)

    def _ask(self, strategy_id: str, what: str, request: Request) -> None:
        self._waiting[strategy_id] = False
        self.desk.ask(request, partial(self._hear_answer, strategy_id, what))
        self._look_at_buttons()

    def _hear_answer(self, strategy_id: str, what: str, _found: msgspec.Struct | None, error: str) -> None:
        if strategy_id == self.detail.strategy_id:
            self.detail.is_waiting = False
        if error:
            self._waiting.pop(strategy_id, None)
            self._note(tr("strategies.refused", name=strategy_id, error=error), Tone.WARNING)
            self.desk.said.emit("WARNING", f"{strategy_id}: {error}")
        else:
            self._waiting[strategy_id] = True
            self._note(tr("strategies.asked", name=strategy_id, what=what))
            self._look_again()
        self._look_at_chosen()

    def _agreed(self, action: Action, lines: list[StrategyLine]) -> bool:
        """Ask before real money is traded, before a position is closed at market, and before a lock-out is lifted."""
        names = ", ".join(line.row.strategy_id for line in lines)
        title = tr(f"strategies.confirm_{action}", names=names) if action is not Action.RELOAD else ""
        if action is Action.START and self.desk.is_live:
            return self.desk.actions.confirm(title, tr("strategies.text_start"))
        if action is Action.REARM:
            reasons = "; ".join(line.row.needs_rearm for line in lines)
            return self.desk.actions.confirm(title, tr("strategies.text_rearm", reason=reasons))
        closes = action is Action.FLATTEN or (action is Action.STOP and any(flattens(line.form) for line in lines))
        return self.desk.actions.confirm(title, tr("strategies.text_stop")) if closes else True

    # --- inside -----------------------------------------------------------------------------------------------------

    def _chosen(self) -> list[StrategyLine]:
        return self.view.selected()

    def _why_not(self, action: Action, line: StrategyLine) -> str:
        if line.row.strategy_id in self._waiting:
            return tr("strategies.why_waits")
        return why_not(action, line.row, line.form)

    def _look_at_chosen(self) -> None:
        chosen = self._chosen()
        self.detail.show_line(chosen[0] if len(chosen) == 1 else None)
        self._look_at_buttons()

    def _look_at_buttons(self) -> None:
        chosen = self._chosen()
        for action, button in self.buttons.items():
            reasons = [self._why_not(action, line) for line in chosen]
            can = "" in reasons
            button.setEnabled(can)
            button.setToolTip(self._hint(action, chosen) if can else reasons[0] if reasons else self._why_nobody())

    def _why_nobody(self) -> str:
        return tr("strategies.why_none" if self.desk.questions is not None else "strategies.why_no_platform")

    def _note(self, text: str, tone: Tone = Tone.DIM) -> None:
        self.note.show_pieces([Piece(" ".join(text.split()), tone)])

    def _hint(self, action: Action, chosen: list[StrategyLine]) -> str:
        policy = policy_text(chosen[0].form)
        return tr(f"strategies.{action}_hint", policy=policy, reason=chosen[0].row.needs_rearm)

    # --- building ---------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.view = FactView(self.model, self.desk.theme, self)
        self.view.empty = tr("empty.strategies")
        self.view.setObjectName("strategies_table")
        self.view.setMinimumHeight(self.desk.theme.pixels(LEAST_TABLE))
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._look_at_chosen())
        self.totals = TotalsBar(self.desk.theme, self)
        self.note = TotalsBar(self.desk.theme, self)
        self.note.setObjectName("strategies_note")
        self._note(tr("strategies.add_hint"))
        upper = QWidget(self)
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget, stretch in ((self._tools(upper), 0), (self.view, 1), (self.totals, 0), (self.note, 0)):
            column.addWidget(widget, stretch)
        self.detail = StrategyDetail(self.desk, self._logs, parent=self)
        self.detail.apply_asked.connect(self._apply)
        self.split = QSplitter(Qt.Orientation.Vertical, self)
        self.split.addWidget(upper)
        self.split.addWidget(self.detail)
        self.split.setChildrenCollapsible(False)
        self.split.setSizes([260, 320])
        self.body.addWidget(self.split)

    def _tools(self, parent: QWidget) -> QWidget:
        bar = QWidget(parent)
        row = QHBoxLayout(bar)
        row.setContentsMargins(*(self.desk.theme.pixels(4),) * 4)
        self.buttons: dict[Action, QPushButton] = {}
        for action in Action:
            button = self._button(bar, action, partial(self.act, action))
            row.addWidget(button)
        self.words = QLineEdit(bar)
        self.words.setObjectName("strategies_words")
        self.words.setPlaceholderText(tr("strategies.filter"))
        self.words.setClearButtonEnabled(True)
        self.words.textChanged.connect(self.model.set_words)
        row.addWidget(self.words, 1)
        return bar

    def _button(self, parent: QWidget, action: Action, do: Callable[[], None]) -> QPushButton:
        button = self.buttons[action] = QPushButton(tr(f"strategies.{action}"), parent)
        button.setObjectName(f"strategy_{action}")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _checked=False: do())
        return button
