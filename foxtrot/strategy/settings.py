"""How one strategy is set up: class, account, symbols, parameters and what happens to its orders and position at its end."""

import enum
from decimal import Decimal

import msgspec

from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.parameters import Value

OCCASIONS = ("on_stop", "on_error", "on_shutdown")
RESERVED_NAMES = frozenset(
    {
        "audit", "backtest", "bar_feed", "control", "demo", "desktop", "engine", "event_log", "exits", "external", "gate", "guardian", "gui",
        "halt_file", "health", "instruments", "journal", "kill_switch", "line", "link_renewals", "locked_entries", "loss_lock", "main_engine", "manual",
        "market_view", "order_desk", "portfolio", "protection", "quote_bars", "reconcile", "recorder", "restore", "risk", "run",
        "cold_flatten", "final_audit", "runaway", "standstill", "strategy_engine", "supervision",
    }
)  # fmt: skip
"""Owners that are no strategies, in lower case: parts of the platform, people, and what an account held before."""


class OrderExit(enum.StrEnum):
    """What happens to the open orders of a strategy that ends."""

    CANCEL_ENTRIES = "cancel_entries"
    CANCEL_ALL = "cancel_all"
    KEEP = "keep"


class PositionExit(enum.StrEnum):
    """What happens to the position of a strategy that ends."""

    KEEP = "keep"
    FLATTEN = "flatten"


class ExitPolicy(msgspec.Struct, frozen=True):
    """What a strategy leaves behind, by occasion (on_stop, on_error, on_shutdown).

    `flatten` closes with market orders once every order of the strategy is done, so it cancels all of them whatever `orders`
    says: a resting exit beside a closing order would sell twice.

    Raises:
        ConfigError: there is no such occasion.
    """

    orders: dict[str, OrderExit] = {}
    position: dict[str, PositionExit] = {}

    def __post_init__(self) -> None:
        """Refuse an occasion that never comes."""
        for occasion in (*self.orders, *self.position):
            if occasion not in OCCASIONS:
                raise ConfigError(f"exit policy has no occasion {occasion!r}; there are: {', '.join(OCCASIONS)}")

    def orders_on(self, occasion: str) -> OrderExit:
        """Return what happens to open orders; entries are cancelled unless told otherwise."""
        return self.orders.get(occasion, OrderExit.CANCEL_ENTRIES)

    def position_on(self, occasion: str) -> PositionExit:
        """Return what happens to the position; it is kept unless told otherwise."""
        return self.position.get(occasion, PositionExit.KEEP)


def check_strategy_name(name: str) -> None:
    """Refuse a name under which a part of the platform hears events, sets timers or holds positions.

    Raises:
        ConfigError: the name is reserved.
    """
    if name.casefold() in RESERVED_NAMES:
        raise ConfigError(f"strategy name {name!r} is the platform's own; rename it, such as my_{name.casefold()}")


class StrategySettings(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy of a platform. `class_name` is an entry-point name, `module:Class` or `file.py[:Class]`.

    `symbols` are instrument ids or bare symbols; these are resolved when the strategy starts. `capital` is money of the base
    currency that it counts as its own.
    """

    strategy_id: str
    class_name: str
    account: str
    symbols: tuple[str, ...]
    interval: str = "1m"
    capital: Decimal = Decimal(0)
    parameters: dict[str, Value] = {}
    exit_policy: ExitPolicy = ExitPolicy()
    depth_levels: int = 20
    autostart: bool = True
