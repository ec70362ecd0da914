"""Rules about losses: what each scope is worth, noted over time, against its daily loss and drawdown."""

from contextlib import suppress
from decimal import Decimal

from foxtrot.domain.errors import OrderRefused
from foxtrot.trading.limits import LimitTable, Scope
from foxtrot.trading.loss_lock import LossLocks
from foxtrot.trading.losses import LossTracker
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.position import ZERO


class LossRules:
    """Marks and judges strategies and accounts by their profit, the platform by that of all owners.

    Capital is no part of it: a configuration that gives another in the next run has neither won nor lost anything.

    Thread: the dispatcher's.
    """

    def __init__(self, portfolio: Portfolio, table: LimitTable, losses: LossTracker) -> None:
        self._portfolio = portfolio
        self._losses = losses
        self.locks: LossLocks | None = None
        """What is locked once its limit was reached; without it each order is judged by the losses of its moment."""
        self._watched = tuple(scope for scope in table.all_scopes() if _has_limit(scope))

    @property
    def watches(self) -> bool:
        """Tell whether any scope has a loss limit."""
        return bool(self._watched)

    def mark(self, now_ns: int) -> None:
        """Note what every scope with a loss limit is worth."""
        for scope in self._watched:
            worth = self.worth(scope)
            if worth is not None:
                self._losses.mark(scope.name, worth, now_ns, scope.limits)

    def check(self, scopes: tuple[Scope, ...], now_ns: int) -> None:
        """Refuse when a scope has lost more than it may, or when that cannot be told.

        Raises:
            OrderRefused: rule max_daily_loss or max_drawdown.
        """
        for scope in scopes:
            if not _has_limit(scope):
                continue
            if self.locks is not None:
                self.locks.check(scope)
            worth = self.worth(scope)
            if worth is None:
                rule = "max_daily_loss" if scope.limits.max_daily_loss else "max_drawdown"
                limit = scope.limits.max_daily_loss or scope.limits.max_drawdown
                raise OrderRefused(rule, f"{limit} of {scope}", "n/a: a price or rate is missing")
            self._judge(scope, worth, now_ns)

    def check_locks(self, scopes: tuple[Scope, ...]) -> None:
        """Refuse where a scope is locked, and mark nothing.

        Raises:
            OrderRefused: rule max_daily_loss or max_drawdown.
        """
        for scope in scopes:
            if self.locks is not None and _has_limit(scope):
                self.locks.check(scope)

    def look(self, now_ns: int) -> None:
        """Mark every scope with a loss limit, and lock those that have reached theirs; called by a timer."""
        if self.locks is None:
            self.mark(now_ns)
            return
        self.locks.look()
        for scope in self._watched:
            worth = self.worth(scope)
            if worth is not None:
                with suppress(OrderRefused):  # the lock is what follows
                    self._judge(scope, worth, now_ns)

    def _judge(self, scope: Scope, worth: Decimal, now_ns: int) -> None:
        self._losses.mark(scope.name, worth, now_ns, scope.limits)
        try:
            self._losses.check(scope.name, scope.limits, worth)
        except OrderRefused as refusal:
            if self.locks is not None:
                self.locks.lock(scope, refusal)
            raise

    def worth(self, scope: Scope) -> Decimal | None:
        """Return what a scope has made since it began, None without a price or rate."""
        if scope.owner:
            return self._profit(scope.owner)
        if scope.account:
            return self._portfolio.account_profit(scope.account)
        total = ZERO
        for owner in sorted(self._portfolio.owners()):
            profit = self._profit(owner)
            if profit is None:
                return None
            total += profit
        return total

    def _profit(self, owner: str) -> Decimal | None:
        equity = self._portfolio.equity(owner)
        return None if equity is None else equity - self._portfolio.capital.get(owner, ZERO)


def _has_limit(scope: Scope) -> bool:
    return bool(scope.limits.max_daily_loss or scope.limits.max_drawdown)
