"""What strategies have said since the desktop was opened: a ring of lines each, and their last error."""

from collections import deque
from itertools import count
from typing import Final

from PySide6.QtCore import QObject, Signal

from foxtrot.core.notices import HandlerFailed, StrategyLog, StrategyStatus
from foxtrot.gui.desk import Desk
from foxtrot.gui.log_lines import LINES, Line

MOST: Final = 2_000
"""Lines that are kept of one strategy."""
NAME: Final = "strategy_logs"


class StrategyLogs(QObject):
    """Kept by the desk, so that they outlive the panels that show them. `said` comes with each line.

    Thread: the desktop's.
    """

    said = Signal(object)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.setObjectName(NAME)
        self._lines: dict[str, deque[Line]] = {}
        self.errors: dict[str, Line] = {}
        """Strategy → the last line that told of a failure."""
        self._numbers = count(1)
        desk.bridge.on(StrategyLog, self._hear)
        desk.bridge.on(StrategyStatus, self._hear)
        desk.bridge.on(HandlerFailed, self._hear_failure)

    @classmethod
    def of(cls, desk: Desk) -> "StrategyLogs":
        """Return those of a desk, which are begun where there are none yet."""
        return desk.the(cls)

    def lines(self, strategy_id: str) -> list[Line]:
        """Return the lines of a strategy, oldest first."""
        return list(self._lines.get(strategy_id, ()))

    def _hear(self, fact: StrategyLog | StrategyStatus) -> None:
        line = self._keep(*LINES[type(fact)](fact))
        if isinstance(fact, StrategyStatus) and fact.state == "failed":
            self.errors[fact.strategy_id] = line
        self.said.emit(line)

    def _hear_failure(self, fact: HandlerFailed) -> None:
        """Keep a failure of a handler under its owner; the status that follows tells the same of a strategy with its time."""
        line = self._keep(*LINES[HandlerFailed](fact))
        self.errors[fact.owner] = line
        self.said.emit(line)

    def _keep(self, time_ns: int, level: str, source: str, text: str) -> Line:
        line = Line(next(self._numbers), time_ns, level, source, text)
        self._lines.setdefault(source, deque(maxlen=MOST)).append(line)
        return line
