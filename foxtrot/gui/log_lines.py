"""What strategies, connections and the platform have said since the desktop was opened: the newest 20,000 lines, whichever panel shows them."""

from collections import deque
from collections.abc import Callable
from itertools import count, islice
from typing import Any, Final

import msgspec
from PySide6.QtCore import QObject

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
from foxtrot.gui.desk import Desk
from foxtrot.gui.texts import tr

MOST: Final = 20_000
NAME: Final = "log_lines"


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


class LogLines(QObject):
    """Kept by the desk, so that a log that is opened later, or in another workspace, has what was said before.

    Thread: the desktop's.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.setObjectName(NAME)
        self.newest = 0
        """The number of the newest line; the first one is 1."""
        self._store = desk.bridge.store
        self._shed = 0
        self._numbers = count(1)
        self._lines: deque[Line] = deque(maxlen=MOST)
        for kind in LINES:
            desk.bridge.on(kind, self._hear)
        desk.said.connect(self._say)

    @classmethod
    def of(cls, desk: Desk) -> "LogLines":
        """Return those of a desk, which are begun where there are none yet."""
        return desk.the(cls)

    def after(self, number: int) -> list[Line]:
        """Return the lines that came after the one of a number and are still kept, oldest first."""
        self._say_what_was_shed()
        found = list(islice(reversed(self._lines), max(0, self.newest - number)))
        found.reverse()
        return found

    def _hear(self, fact: object) -> None:
        self._put(*LINES[type(fact)](fact))

    def _say(self, level: str, text: str) -> None:
        self._put(0, level, "desktop", text)

    def _say_what_was_shed(self) -> None:
        shed = self._store.shed_lines
        if shed > self._shed:
            self._put(0, "WARNING", "desktop", tr("log.shed", lines=f"{shed - self._shed:,}"))
            self._shed = shed

    def _put(self, time_ns: int, level: str, source: str, text: str) -> None:
        self.newest = next(self._numbers)
        self._lines.append(Line(self.newest, time_ns, level, source, text.replace("\n", " ⏎ ")))
