"""Which strategies may start: each with its own account, whatever becomes of the others."""

from foxtrot.core.notices import AccountReconciled, AdapterStatus
from foxtrot.domain.enums import AdapterState
from foxtrot.strategy.host import Stage, StrategyHost
from foxtrot.strategy.line import Line


class StrategyStarts:
    """Starts every strategy once, when its account is READY and reconciled, and its instruments are known.

    An instrument may be another account's: then the strategy waits for that account too, until all accounts have either become
    READY or failed for good. A bare symbol waits likewise, for only then is it known to fit one instrument alone. A strategy whose
    account has failed for good stays stopped and says why; it starts if the account becomes READY after all.

    Thread: foxtrot-engine.
    """

    def __init__(self, line: Line, failures: list[str]) -> None:
        self._line = line
        self._failures = failures
        self._ready: set[str] = set()
        self._failed: dict[str, str] = {}
        self._begun: set[str] = set()

    @property
    def all_ready(self) -> bool:
        """Tell whether every account has been READY and reconciled once."""
        return self._ready >= set(self._line.adapters)

    def hear(self, status: AdapterStatus) -> None:
        """Take a change of a connection and start what it allows."""
        account = status.account
        reconciler = self._line.reconciler
        if status.state is AdapterState.READY and (reconciler is None or reconciler.is_reconciled(account)):
            self._take_ready(account)
        elif status.state is AdapterState.FAILED and account not in self._ready:
            self._failed[account] = status.cause
            self._look_at_all()

    def hear_reconciled(self, notice: AccountReconciled) -> None:
        """Take that an account was reconciled and start what it allows."""
        if not notice.error:
            self._take_ready(notice.account)

    def _take_ready(self, account: str) -> None:
        if account not in self._ready:
            self._ready.add(account)
            self._failed.pop(account, None)
            self._look_at_all()

    def _look_at_all(self) -> None:
        for host in self._line.strategies.hosts.values():
            self._look_at(host)

    def _look_at(self, host: StrategyHost) -> None:
        account, strategy_id = host.settings.account, host.strategy_id
        if strategy_id in self._begun or not host.settings.autostart:
            return
        if account in self._ready and self._has_instruments(host):
            self._begun.add(strategy_id)
            self._line.strategies.start(strategy_id)
        elif account in self._failed and host.stage is Stage.LOADED:
            reason = f"account {account} failed: {self._failed[account]}"
            self._failures.append(f"{strategy_id} was not started: {reason}")
            host.move(Stage.STOPPED, reason)

    def _has_instruments(self, host: StrategyHost) -> bool:
        settled = self._ready | set(self._failed) >= set(self._line.adapters)
        return settled or all(name in self._line.instruments for name in host.settings.symbols)
