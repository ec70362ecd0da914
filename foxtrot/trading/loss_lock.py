"""What follows when a loss limit is reached: entries are cancelled and refused until the next trading day, or until a person resumes."""

from collections.abc import Iterable

import msgspec

from foxtrot.core.clock import Clock
from foxtrot.domain.enums import GateState
from foxtrot.domain.errors import OrderRefused
from foxtrot.storage.journal_records import GateMoved, StrategyHalted, StrategyRearmed
from foxtrot.trading.gate import Gate
from foxtrot.trading.gate_moves import PLATFORM, DecisionJournal
from foxtrot.trading.limits import Scope
from foxtrot.trading.locked_entries import LockedEntries
from foxtrot.trading.losses import LossTracker, TradingDay

WHO = "loss limit"
DAILY, DRAWDOWN = "max_daily_loss", "max_drawdown"
RULES = frozenset({DAILY, DRAWDOWN})


class LossLocks:
    """The scopes whose loss limit was reached, and since when; what only reduces is let through and left alone.

    The locks of platform and accounts are blocks of the gate, those of strategies are kept as StrategyHalted: both outlive a
    restart. A daily loss unlocks when the next trading day begins, a drawdown by a person alone; a person begins either anew.

    Thread: the dispatcher's.
    """

    def __init__(self, clock: Clock, day: TradingDay, losses: LossTracker, gate: Gate, entries: LockedEntries) -> None:
        self._clock = clock
        self._day = day
        self._losses = losses
        self._gate = gate
        self._entries = entries
        self._locks: dict[str, _Lock] = {}
        self.journal: DecisionJournal | None = None

    def lock(self, scope: Scope, refusal: OrderRefused) -> None:
        """Lock a scope: no entry of it is let through any more, those that are open are cancelled until none is."""
        if scope.name in self._locks:
            return
        now_ns, reason = self._clock.now_ns(), str(refusal)
        self._locks[scope.name] = _Lock(scope.owner, scope.account, refusal.rule, reason, now_ns)
        if scope.owner:
            self._keep(StrategyHalted(now_ns, scope.owner, refusal.rule, reason))
        else:
            self._gate.block(scope.account, "", GateState.REDUCING, reason, WHO, lasting=True)
        self._entries.hold(scope.owner, scope.account)
        self._entries.look()

    def check(self, scope: Scope) -> None:
        """Refuse an entry of a scope that is locked.

        Raises:
            OrderRefused: it is; the rule is that of the limit.
        """
        locked = self._locks.get(scope.name)
        if locked is not None:
            until = "the next trading day or `foxtrot resume`" if locked.rule == DAILY else "`foxtrot resume`"
            raise OrderRefused(locked.rule, f"locked until {until}", locked.reason)

    def reason(self, scope: str) -> str:
        """Return why a scope is locked, "" when it is not."""
        locked = self._locks.get(scope)
        return "" if locked is None else locked.reason

    def look(self) -> None:
        """Unlock what a new trading day frees, and ask again for the entries of what stays locked; called by a timer."""
        today_ns = self._day.start_of(self._clock.now_ns())
        for name, locked in list(self._locks.items()):
            if locked.rule == DAILY and locked.since_ns < today_ns:
                self._unlock(name, locked, WHO, "a new trading day has begun")
        self._entries.look()

    def resume(self, owner: str, account: str, who: str, why: str) -> bool:
        """Unlock what a person has resumed, and let its losses count from now on; False when that was not locked."""
        found = [(name, one) for name, one in self._locks.items() if (one.owner, one.account) == (owner, account)]
        for name, locked in found:
            self._unlock(name, locked, who, why)
            self._losses.forget(name, self._clock.now_ns())
        return bool(found)

    def restore(self, moves: Iterable[GateMoved], halted: Iterable[StrategyHalted]) -> None:
        """Put back what an earlier run left; the gate has its blocks already, and nothing is journaled again."""
        for move in moves:
            if move.who == WHO and move.state is not GateState.ACTIVE and not move.instrument_id:
                name = f"account {move.account}" if move.account else "platform"
                rule = DRAWDOWN if move.reason.startswith(DRAWDOWN) else DAILY
                self._put(name, _Lock("", move.account, rule, move.reason, move.time_ns))
        for record in halted:
            if record.rule in RULES:
                name = f"strategy {record.strategy_id}"
                self._put(name, _Lock(record.strategy_id, "", record.rule, record.reason, record.time_ns))

    def _put(self, name: str, lock: "_Lock") -> None:
        if name not in self._locks:
            self._entries.hold(lock.owner, lock.account)
        self._locks[name] = lock

    def _unlock(self, name: str, locked: "_Lock", who: str, why: str) -> None:
        del self._locks[name]
        self._entries.release(locked.owner, locked.account)
        if locked.owner:
            self._keep(StrategyRearmed(self._clock.now_ns(), locked.owner, who, why))
        elif (locked.account, "") == PLATFORM:
            self._gate.withdraw(WHO, why)
        else:
            self._gate.block(locked.account, "", GateState.ACTIVE, why, WHO)

    def _keep(self, record: StrategyHalted | StrategyRearmed) -> None:
        if self.journal is not None and self.journal.keeps_reports:
            self.journal.append(record)


class _Lock(msgspec.Struct, frozen=True):
    """One locked scope: of which owner or account, by which rule and why, since when."""

    owner: str
    account: str
    rule: str
    reason: str
    since_ns: int
