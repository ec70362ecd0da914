"""The log: what strategies, connections and the platform say, by level, source and text; the newest 20,000 lines."""

from collections.abc import Callable
from itertools import count
from typing import Any, ClassVar, Final

import msgspec
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from foxtrot.core.notices import (
    AdapterStatus,
    AmendAnswered,
    DifferenceFound,
    GateChanged,
    HandlerFailed,
    JournalFailed,
    PartFailed,
    RequestFailed,
    StrategyLog,
    StrategyStatus,
)
from foxtrot.domain.enums import AdapterState, GateState
from foxtrot.domain.outcome import Outcome
from foxtrot.gui.columns import Cell, Column, Tone, number, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import time_text
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr

MOST: Final = 20_000
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
_TONES: Final = {"DEBUG": Tone.DIM, "WARNING": Tone.WARNING, "ERROR": Tone.DANGER}


class Line(msgspec.Struct, frozen=True):
    """One line."""

    number: int
    time_ns: int
    level: str
    source: str
    text: str


Said = tuple[int, str, str, str]
"""Time, level, source and text."""


def _of_status(fact: AdapterStatus) -> Said:
    bad = fact.state in (AdapterState.LOST, AdapterState.BACKING_OFF, AdapterState.FAILED)
    return fact.local_time_ns, "WARNING" if bad else "INFO", fact.account, f"{fact.state} {fact.cause}".strip()


def _of_gate(fact: GateChanged) -> Said:
    level = "INFO" if fact.state is GateState.ACTIVE else "WARNING"
    place = f" {fact.account} {fact.instrument_id}".rstrip()
    return fact.local_time_ns, level, "gate", f"{fact.state}{place}: {fact.reason}"


def _of_amend(fact: AmendAnswered) -> Said:
    level = "INFO" if fact.outcome is Outcome.CONFIRMED else "WARNING"
    return fact.local_time_ns, level, fact.account, f"{fact.order_id} change {fact.outcome} {fact.reason}".strip()


def _of_difference(fact: DifferenceFound) -> Said:
    text = f"{fact.kind} of {fact.subject}: {fact.ours} here, {fact.venue} at the venue"
    return fact.local_time_ns, "ERROR" if fact.halts else "WARNING", fact.account, text


def _of_strategy(fact: StrategyStatus) -> Said:
    level = "ERROR" if fact.state == "failed" else "INFO"
    return fact.local_time_ns, level, fact.strategy_id, f"{fact.state} {fact.reason}".strip()


LINES: Final[dict[type, Callable[[Any], Said]]] = {
    StrategyLog: lambda fact: (fact.local_time_ns, fact.level.upper(), fact.strategy_id, fact.text),
    StrategyStatus: _of_strategy,
    AdapterStatus: _of_status,
    RequestFailed: lambda fact: (fact.local_time_ns, "WARNING", fact.account, f"{fact.what}: {fact.error}"),
    GateChanged: _of_gate,
    AmendAnswered: _of_amend,
    DifferenceFound: _of_difference,
    HandlerFailed: lambda fact: (0, "ERROR", fact.owner, f"{fact.handler} on {fact.event_class}: {fact.error}"),
    JournalFailed: lambda fact: (0, "ERROR", "journal", fact.error),
    PartFailed: lambda fact: (fact.local_time_ns, "ERROR", fact.part, fact.reason),
}
"""Class of a fact → the line that it is."""


def _level_cell(line: Line) -> Cell:
    return number(
        float(LEVELS.index(line.level)) if line.level in LEVELS else 1.0, line.level, _TONES.get(line.level, Tone.PLAIN)
    )


COLUMNS: Final = (
    Column[Line](
        "time",
        "log.time",
        lambda line: number(float(line.number), time_text(line.time_ns), Tone.DIM),
        width=104,
        rank=1,
    ),
    Column[Line]("level", "log.level", _level_cell, width=80, rank=3),
    Column[Line]("source", "log.source", lambda line: word(line.source), width=130, rank=2),
    Column[Line]("text", "log.text", lambda line: word(line.text, _TONES.get(line.level, Tone.PLAIN)), width=700),
)


class LogPanel(Panel):
    """Shows the log; a level and words narrow it.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "log"
    least_size: ClassVar[tuple[int, int]] = (270, 140)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._numbers = count(1)
        self._shed = 0
        self.model = FactTable(COLUMNS, lambda line: line.number, MOST)
        self.view = FactView(self.model, desk.theme, self)
        self.view.empty = tr("empty.log")
        self.level = QComboBox(self)
        self.level.setObjectName("log_level")
        self.level.addItems(LEVELS)
        self.level.setCurrentText("INFO")
        self.level.currentTextChanged.connect(self._filter)
        self.words = QLineEdit(self)
        self.words.setObjectName("log_words")
        self.words.setPlaceholderText(tr("log.filter"))
        self.words.setClearButtonEnabled(True)
        self.words.setMinimumWidth(desk.theme.pixels(110))
        self.words.textChanged.connect(self.model.set_words)
        row = QHBoxLayout()
        row.setContentsMargins(*(desk.theme.pixels(4),) * 4)
        row.addWidget(self.level)
        row.addWidget(self.words, 1)
        self.body.addLayout(row)
        self.body.addWidget(self.view, 1)
        self._filter("INFO")
        for kind in LINES:
            self.hear(kind, self._hear)
        desk.said.connect(self._say)

    def flush(self) -> None:
        """Show what came; the last line stays in view if it was."""
        self._say_what_was_shed(self.desk.bridge.store.shed_lines)
        bar = self.view.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 2
        self.model.apply()
        if at_end:
            self.view.scrollToBottom()

    def save_state(self) -> State:
        """Return level and columns."""
        return {**super().save_state(), "level": self.level.currentText(), "columns": self.view.columns_state()}

    def restore_state(self, state: State) -> None:
        """Take up level and columns."""
        super().restore_state(state)
        if state.get("level") in LEVELS:
            self.level.setCurrentText(str(state["level"]))
        if isinstance(state.get("columns"), dict):
            self.view.restore_columns(state["columns"])

    def _hear(self, fact: object) -> None:
        self._put(*LINES[type(fact)](fact))

    def _say(self, level: str, text: str) -> None:
        self._put(0, level, "desktop", text)

    def _say_what_was_shed(self, lines: int) -> None:
        if lines > self._shed:
            self._put(0, "WARNING", "desktop", tr("log.shed", lines=f"{lines - self._shed:,}"))
            self._shed = lines

    def _put(self, time_ns: int, level: str, source: str, text: str) -> None:
        self.model.put(Line(next(self._numbers), time_ns, level, source, text.replace("\n", " ⏎ ")))

    def _filter(self, level: str) -> None:
        least = LEVELS.index(level)
        self.model.set_filter(lambda line: line.level not in LEVELS or LEVELS.index(line.level) >= least)
