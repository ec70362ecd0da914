"""What follows on the engine's thread when a part has failed: the account is blocked, the strategy is stopped."""

from foxtrot.core.commands import StopStrategy
from foxtrot.core.notices import AccountReconciled, PartFailed, PartRecovered
from foxtrot.domain.enums import GateState
from foxtrot.strategy.line import Line

WHO = "supervision"
"""Who set the blocks and closings that stand in the gate by this name."""

REGULAR = "regular"
"""The cause of a look that may be at the orders alone, which is not enough to trade again."""


class PartHalts:
    """Halts what a failed part serves; the platform itself is halted by who found it, for the engine may be what failed.

    An account is let go when all its parts move again and it has been reconciled since.

    Thread: the dispatcher's; all that is decided here follows from events alone.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._sick: dict[str, set[str]] = {}
        line.dispatcher.subscribe(PartFailed, self._on_failed, owner=WHO, core=True)
        line.dispatcher.subscribe(PartRecovered, self._on_recovered, owner=WHO, core=True)
        line.dispatcher.subscribe(AccountReconciled, self._on_reconciled, owner=WHO, core=True)

    def _on_failed(self, failed: PartFailed) -> None:
        if failed.serves in self._line.adapters:
            self._sick.setdefault(failed.serves, set()).add(failed.part)
            self._line.gate.block(failed.serves, "", GateState.HALTED, failed.reason, WHO)
        elif failed.serves in self._line.strategies.hosts:
            self._line.dispatcher.put(StopStrategy(failed.serves, "on_error"))

    def _on_recovered(self, recovered: PartRecovered) -> None:
        self._sick.get(recovered.serves, set()).discard(recovered.part)

    def _on_reconciled(self, reconciled: AccountReconciled) -> None:
        account, gate = reconciled.account, self._line.gate
        if reconciled.error or reconciled.cause == REGULAR or self._sick.get(account):
            return
        if gate.blocked(account, "", WHO) is None:
            return
        gate.block(account, "", GateState.ACTIVE, f"reconciled: {reconciled.cause}", WHO)
