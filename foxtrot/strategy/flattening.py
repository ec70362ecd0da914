"""Flattening: the positions that a kill closes, each by the exit that a strategy's own end would take."""

from foxtrot.domain.account import PEOPLE
from foxtrot.domain.enums import AdapterState
from foxtrot.strategy.engine import StrategyEngine
from foxtrot.strategy.exits import is_sellable
from foxtrot.strategy.host import Stage
from foxtrot.strategy.seat import Seat, TradingParts
from foxtrot.strategy.settings import ExitPolicy, PositionExit
from foxtrot.trading.gate import Gate
from foxtrot.trading.kill_switch import RECONCILE

OCCASION = "on_stop"
POLICY = ExitPolicy(position={OCCASION: PositionExit.FLATTEN})


class Flattening:
    """Closes positions by market orders that only reduce, once every order of their owner on that account is done.

    An account that is not ready or not reconciled waits until it is. A strategy that runs is stopped first, without its on_stop:
    nothing may act beside the exit. While the kill stands no exit gives up, for what protected the position has been cancelled.

    Thread: the dispatcher's.
    """

    def __init__(self, parts: TradingParts, gate: Gate, engine: StrategyEngine) -> None:
        self._parts = parts
        self._gate = gate
        self._engine = engine
        self._due: set[tuple[str, str]] = set()

    @property
    def owners(self) -> frozenset[str]:
        """Return whose positions are being closed."""
        return self._engine.leaving

    @property
    def waiting(self) -> tuple[str, ...]:
        """Return which positions wait for their account, in words."""
        return tuple(f"{owner} waits until account {account} is reconciled" for owner, account in sorted(self._due))

    def begin(self, *, everything: bool) -> None:
        """Close what strategies own, and with `everything` what the accounts hold besides, spot balances apart."""
        for owner in [name for name in self._engine.hosts if name not in PEOPLE]:
            self._stop(owner)
        for (owner, account, _, _), position in self._parts.portfolio.positions():
            if position.exact_quantity and is_sellable(position) and (everything or owner not in PEOPLE):
                self._due.add((owner, account))

    def look(self) -> bool:
        """Begin what could not be begun before; tells whether nothing is left to do."""
        for owner, account in sorted(self._due):
            if self._is_certain(account):
                self._due.discard((owner, account))
                self._engine.exits.begin(self._seat(owner, account), POLICY, OCCASION, self._is_killed)
        return not self._due and not self._engine.leaving

    def _is_killed(self) -> bool:
        return self._gate.killed is not None

    def _stop(self, strategy_id: str) -> None:
        host = self._engine.hosts[strategy_id]
        host.auto_start = False
        if host.stage not in (Stage.STOPPED, Stage.FAILED) and host.move(
            Stage.STOPPED, "the kill switch closes its position"
        ):
            host.save_variables()

    def _seat(self, owner: str, account: str) -> Seat:
        host = self._engine.hosts.get(owner)
        if host is not None and host.seat.account == account:
            return host.seat
        return Seat(self._parts, owner, account, (), "1m")

    def _is_certain(self, account: str) -> bool:
        adapter = self._parts.adapters.get(account)
        ready = adapter is not None and adapter.state_now() is AdapterState.READY
        return ready and self._gate.blocked(account, "", RECONCILE) is None
