"""How a price level is shared among the orders resting on it: price, then time; or pro rata."""

from typing import Protocol

from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.resting_order import Level, RestingOrder

Slice = tuple[RestingOrder, int]
"""An order and the quantity, in units, that it gives."""


class MatchingRule(Protocol):
    """Decides who gives how much when a quantity is taken from one level; never changes anything itself."""

    name: str
    first_in_first_out: bool

    def take(self, level: Level, quantity: int) -> list[Slice]:
        """Return the slices of `quantity` units, at most each order's visible quantity.

        They add up to the smaller of `quantity` and the level's total.
        """
        ...


class PriceTime:
    """The oldest order of a level gives first."""

    name = "price_time"
    first_in_first_out = True

    def take(self, level: Level, quantity: int) -> list[Slice]:
        """Return slices, oldest first."""
        slices: list[Slice] = []
        for order in level.orders.values():
            visible = order.visible
            if visible >= quantity:
                slices.append((order, quantity))
                return slices
            slices.append((order, visible))
            quantity -= visible
        return slices


class ProRata:
    """Every order gives in proportion to its size, rounded down; what rounding leaves goes by time, oldest first."""

    name = "pro_rata"
    first_in_first_out = False

    def take(self, level: Level, quantity: int) -> list[Slice]:
        """Return slices, oldest first."""
        total = level.total
        if quantity >= total:
            return [(order, order.visible) for order in level.orders.values()]
        shares = [order.visible * quantity // total for order in level.orders.values()]
        rest = quantity - sum(shares)
        for index, order in enumerate(level.orders.values()):
            extra = min(rest, order.visible - shares[index])
            shares[index] += extra
            rest -= extra
            if not rest:
                break
        return [(order, share) for order, share in zip(level.orders.values(), shares, strict=True) if share]


PRICE_TIME = PriceTime()
PRO_RATA = ProRata()
_RULES: dict[str, MatchingRule] = {rule.name: rule for rule in (PRICE_TIME, PRO_RATA)}


def matching_rule(name: str) -> MatchingRule:
    """Return the rule of a name.

    Raises:
        ConfigError: there is no such rule.
    """
    if name not in _RULES:
        raise ConfigError(f"matching rule {name} is not known; use one of {', '.join(_RULES)}")
    return _RULES[name]
