"""The bridge: one timer of the desktop's own takes what the platform has told, and hands it to whoever shows it."""

from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final, NamedTuple, TypeVar

from loguru import logger
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from foxtrot.core.statistics import percentiles_us
from foxtrot.gui.fact_store import FactStore

INTERVAL_MS: Final = 33
BUDGET_S: Final = 0.008
"""How long the facts of one flush may take; the rest is carried over and shown as backlog."""
PORTION: Final = 200
LATE_BEAT_S: Final = 0.25
"""A beat that comes later than this after the one before is a stall that the user has felt."""
KEPT: Final = 2_000
Fact = TypeVar("Fact")
Hear = Callable[[Any], None]


class BridgeStatistics(NamedTuple):
    """How the desktop keeps up: milliseconds of the latest flushes and beats, facts that wait, stalls since the start."""

    flush_p50_ms: float
    flush_p99_ms: float
    beat_p50_ms: float
    beat_p99_ms: float
    flushes: int
    backlog: int
    stalls: int
    failures: int
    heard: int


class Bridge(QObject):
    """Applies what a FactStore holds, 30 times a second.

    `flushed` comes after each flush, for those who paint what changed. A handler that raises is counted, and logged and told by `failed` the
    first time that it does for that reason; the others hear the fact all the same.

    Thread: the desktop's.

    Args:
        store: where the platform writes.
        interval_ms: between two flushes.
    """

    flushed = Signal()
    failed = Signal(str)
    stalled = Signal(float)

    def __init__(self, store: FactStore, interval_ms: int = INTERVAL_MS, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self._hearers: dict[type, tuple[Hear, ...]] = {}
        self._flush_s: deque[float] = deque(maxlen=KEPT)
        self._beats_s: deque[float] = deque(maxlen=KEPT)
        self._backlog = self._flushes = self._failures = self._stalls = 0
        self._told: set[str] = set()
        self._last_s = 0.0
        self._interval_s = interval_ms / 1000
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(interval_ms)
        self._timer.timeout.connect(self.flush)

    def on(self, kind: type[Fact], hear: Callable[[Fact], None]) -> Callable[[], None]:
        """Hear every fact of a class from now on; call what is returned to hear no more."""
        self._hearers[kind] = (*self._hearers.get(kind, ()), hear)

        def forget() -> None:
            hearers = self._hearers[kind]
            if hear in hearers:
                place = hearers.index(hear)
                self._hearers[kind] = hearers[:place] + hearers[place + 1 :]

        return forget

    def start(self) -> None:
        """Begin to flush."""
        self._last_s = perf_counter()
        self._timer.start()

    def stop(self) -> None:
        """Flush no more."""
        self._timer.stop()

    def flush(self) -> None:
        """Apply the newest states, then facts in their order until the budget is spent."""
        began_s = perf_counter()
        self._note_beat(began_s)
        self._tell(self.store.take_states())
        while facts := self.store.take_facts(PORTION):
            self._tell(facts)
            if perf_counter() - began_s > BUDGET_S:
                break
        self._backlog = self.store.backlog
        self._flushes += 1
        self.flushed.emit()
        self._flush_s.append(perf_counter() - began_s)

    def statistics(self) -> BridgeStatistics:
        """Return the figures as they are now."""
        flush_p50_us, flush_p99_us = percentiles_us(self._flush_s, 0.50, 0.99)
        beat_p50_us, beat_p99_us = percentiles_us(self._beats_s, 0.50, 0.99)
        return BridgeStatistics(
            flush_p50_us / 1000, flush_p99_us / 1000, beat_p50_us / 1000, beat_p99_us / 1000, self._flushes, self._backlog,
            self._stalls, self._failures, self.store.heard,
        )  # fmt: skip

    def _note_beat(self, now_s: float) -> None:
        if self._last_s:
            beat_s = now_s - self._last_s
            self._beats_s.append(beat_s)
            if beat_s > LATE_BEAT_S + self._interval_s:
                self._stalls += 1
                self.stalled.emit(beat_s)
        self._last_s = now_s

    def try_out(self, show: Callable[[], object]) -> str:
        """Let somebody show what came; returns why that failed, "" where it did not. The same failure at each flush is told once."""
        try:
            show()
        except Exception as error:  # 30 times a second: what is said again and again would bury what else is in the log
            self._note_failure("a panel could not show what came", why := _words(error), error)
            return why
        return ""

    def _note_failure(self, what: str, why: str, error: Exception) -> None:
        """Count a failure; it is logged and told the first time only: a trace costs more than the flush that it stands in."""
        self._failures += 1
        place = f"{what}: {why}"
        if place not in self._told:
            if len(self._told) >= KEPT:
                self._told.clear()
            self._told.add(place)
            logger.opt(exception=error).error("{}", what)
            self.failed.emit(why)

    def _tell(self, facts: list[object]) -> None:
        """Tell facts in their order; who is told is looked up anew for each, for a hearer may leave while others are told."""
        hearers = self._hearers
        for fact in facts:
            for hear in hearers.get(type(fact), ()):
                try:
                    hear(fact)
                except Exception as error:  # one panel's fault is not the others'
                    self._note_failure(f"{_name(hear)} could not hear a {type(fact).__name__}", _words(error), error)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _name(hear: Hear) -> str:
    return str(getattr(hear, "__qualname__", type(hear).__name__))
