"""The limits that risk enforces, per scope; 0 means no limit unless said otherwise."""

from decimal import Decimal

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one scope (platform, an account or a strategy).

    Rates are fractions; money is in the base currency. Those with built-in defaults hold for everybody; a scope may only be
    stricter than the platform.
    """

    price_collar: float = 0.05
    market_sweep: float = 0.01
    quote_age_s: float = 10.0
    messages_per_s: int = 10
    duplicate_window_s: float = 1.0
    check_funds: bool = True
    repeated_executions: int = 30
    repeated_window_s: float = 10.0
    orders_per_minute: int = 450
    roll_days: float = 3.0
    max_order_quantity: float = 0.0
    max_order_notional: Decimal = Decimal(0)
    max_open_orders: int = 0
    max_position: float = 0.0
    max_exposure: Decimal = Decimal(0)
    max_daily_loss: Decimal = Decimal(0)
    max_drawdown: Decimal = Decimal(0)


class Scope(msgspec.Struct, frozen=True):
    """Whom limits hold for: an empty owner means all owners, an empty account all accounts."""

    name: str
    owner: str
    account: str
    limits: Limits

    def __str__(self) -> str:
        return self.name


class LimitTable(msgspec.Struct, frozen=True):
    """Limits by scope: the platform's, then those of accounts and strategies by name."""

    platform: Limits = Limits()
    accounts: dict[str, Limits] = {}
    strategies: dict[str, Limits] = {}

    def scopes(self, account: str, strategy_id: str) -> tuple[Scope, ...]:
        """Return the scopes that an order falls under; only those that have limits."""
        found = [Scope("platform", "", "", self.platform)]
        if account in self.accounts:
            found.append(Scope(f"account {account}", "", account, self.accounts[account]))
        if strategy_id in self.strategies:
            found.append(Scope(f"strategy {strategy_id}", strategy_id, "", self.strategies[strategy_id]))
        return tuple(found)

    def all_scopes(self) -> tuple[Scope, ...]:
        """Return every scope that has limits, the platform first."""
        accounts = (scope for name in self.accounts for scope in self.scopes(name, "")[1:])
        strategies = (scope for name in self.strategies for scope in self.scopes("", name)[1:])
        return (*self.scopes("", ""), *accounts, *strategies)
