"""The log: what strategies, connections and the platform say, by level, source and text; the newest 20,000 lines."""

from typing import ClassVar, Final

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from foxtrot.gui.columns import Cell, Column, Tone, number, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.log_lines import MOST, Line, LogLines
from foxtrot.gui.numbers import time_text
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
_TONES: Final = {"DEBUG": Tone.DIM, "WARNING": Tone.WARNING, "ERROR": Tone.DANGER}


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
        self._lines = LogLines.of(desk)
        self._taken = 0
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

    def flush(self) -> None:
        """Show what came; the last line stays in view if it was."""
        for line in self._lines.after(self._taken):
            self.model.put(line)
        self._taken = self._lines.newest
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

    def _filter(self, level: str) -> None:
        least = LEVELS.index(level)
        self.model.set_filter(lambda line: line.level not in LEVELS or LEVELS.index(line.level) >= least)
