"""What was heard of the platform that nobody else keeps for people: reconciliations, what strategies said, what was refused."""

from typing import NamedTuple

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled, RequestFailed, StrategyStatus

OWNER = "control"
WISHES = ("resuming", "resolving", "settling", "reconcile")
"""How the refusals of a person's commands begin; other requests are the platform's own."""


class Said(NamedTuple):
    """The last thing a strategy said of itself, or the platform of what it refused, and how many there were."""

    number: int = 0
    text: str = ""


class ReconciledRun(NamedTuple):
    """The last reconciliation of an account, and how many there were."""

    number: int
    notice: AccountReconciled


class ControlNotices:
    """Hears notices from the first on.

    Thread: foxtrot-engine; made before it starts.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.reconciled: dict[str, ReconciledRun] = {}
        self.refused = Said()
        self._said: dict[str, Said] = {}
        dispatcher.subscribe(AccountReconciled, self._on_reconciled, owner=OWNER)
        dispatcher.subscribe(RequestFailed, self._on_request_failed, owner=OWNER)
        dispatcher.subscribe(StrategyStatus, self._on_strategy, owner=OWNER)

    def said(self, strategy_id: str) -> Said:
        """Return what a strategy said last."""
        return self._said.get(strategy_id, Said())

    def runs(self) -> dict[str, int]:
        """Return how often each account was reconciled."""
        return {account: run.number for account, run in self.reconciled.items()}

    def _on_reconciled(self, notice: AccountReconciled) -> None:
        known = self.reconciled.get(notice.account)
        self.reconciled[notice.account] = ReconciledRun(known.number + 1 if known else 1, notice)

    def _on_request_failed(self, failure: RequestFailed) -> None:
        if failure.what.startswith(WISHES):
            self.refused = Said(self.refused.number + 1, failure.error)

    def _on_strategy(self, status: StrategyStatus) -> None:
        self._said[status.strategy_id] = Said(self.said(status.strategy_id).number + 1, status.reason)
