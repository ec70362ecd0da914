"""Strategies that may not trade until a person re-arms them: who, by which rule and why; also after a restart."""

from collections.abc import Iterable

from foxtrot.core.clock import Clock
from foxtrot.storage.journal_records import StrategyHalted, StrategyRearmed
from foxtrot.trading.gate_moves import DecisionJournal


class HaltedStrategies:
    """The disabled strategies by id; the first reason of each stays.

    Thread: the dispatcher's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._halted: dict[str, StrategyHalted] = {}
        self.journal: DecisionJournal | None = None
        """Where it is kept who was halted and re-armed; without one that is forgotten at the end of the process."""

    def halt(self, strategy_id: str, rule: str, reason: str) -> None:
        """Disable a strategy."""
        if strategy_id not in self._halted:
            self._halted[strategy_id] = halted = StrategyHalted(self._clock.now_ns(), strategy_id, rule, reason)
            self._keep(halted)

    def rearm(self, strategy_id: str, who: str, why: str) -> bool:
        """Enable a strategy again by a person's decision; False when it was not disabled."""
        if self._halted.pop(strategy_id, None) is None:
            return False
        self._keep(StrategyRearmed(self._clock.now_ns(), strategy_id, who, why))
        return True

    def why(self, strategy_id: str) -> str:
        """Return why a strategy may not trade, "" when it may."""
        halted = self._halted.get(strategy_id)
        return "" if halted is None else halted.reason

    def all(self) -> tuple[StrategyHalted, ...]:
        """Return every disabled strategy."""
        return tuple(self._halted.values())

    def restore(self, records: Iterable[StrategyHalted | StrategyRearmed]) -> None:
        """Put back what an earlier run left; nothing is journaled again."""
        for record in records:
            if isinstance(record, StrategyHalted):
                self._halted.setdefault(record.strategy_id, record)
            else:
                self._halted.pop(record.strategy_id, None)

    def _keep(self, record: StrategyHalted | StrategyRearmed) -> None:
        if self.journal is not None and self.journal.keeps_reports:
            self.journal.append(record)
