"""Rules about losses: what each scope is worth, noted over time, against its daily loss and drawdown."""

from decimal import Decimal

from foxtrot.domain.errors import OrderRefused
from foxtrot.trading.limits import LimitTable, Scope
from foxtrot.trading.losses import LossTracker
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.position import ZERO


class LossRules:
    """Marks and judges strategies by equity, accounts by profit, the platform by the sum of equities.

    Thread: the dispatcher's.
    """

    def __init__(self, portfolio: Portfolio, table: LimitTable, losses: LossTracker) -> None:
        self._portfolio = portfolio
        self._losses = losses
        self._watched = tuple(
            scope
            for scope in (
                *table.scopes("", ""),
                *(scope for name in table.accounts for scope in table.scopes(name, "")[1:]),
                *(scope for name in table.strategies for scope in table.scopes("", name)[1:]),
            )
            if _has_limit(scope)
        )

    @property
    def watches(self) -> bool:
        """Tell whether any scope has a loss limit."""
        return bool(self._watched)

    def mark(self, now_ns: int) -> None:
        """Note what every scope with a loss limit is worth."""
        for scope in self._watched:
            worth = self._worth(scope)
            if worth is not None:
                self._losses.mark(str(scope), worth, now_ns)

    def check(self, scopes: tuple[Scope, ...], now_ns: int) -> None:
        """Refuse when a scope has lost more than it may, or when that cannot be told.

        Raises:
            OrderRefused: rule max_daily_loss or max_drawdown.
        """
        for scope in scopes:
            if not _has_limit(scope):
                continue
            worth = self._worth(scope)
            if worth is None:
                rule = "max_daily_loss" if scope.limits.max_daily_loss else "max_drawdown"
                limit = scope.limits.max_daily_loss or scope.limits.max_drawdown
                raise OrderRefused(rule, f"{limit} of {scope}", "n/a: a price or rate is missing")
            self._losses.mark(str(scope), worth, now_ns)
            self._losses.check(str(scope), scope.limits, worth)

    def _worth(self, scope: Scope) -> Decimal | None:
        portfolio = self._portfolio
        if scope.owner:
            return portfolio.equity(scope.owner)
        if scope.account:
            return portfolio.account_profit(scope.account)
        total = ZERO
        for owner in sorted(portfolio.owners()):
            equity = portfolio.equity(owner)
            if equity is None:
                return None
            total += equity
        return total


def _has_limit(scope: Scope) -> bool:
    return bool(scope.limits.max_daily_loss or scope.limits.max_drawdown)
