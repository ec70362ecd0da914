"""An order that waits at the venue for history to reach it, as the fill models see it."""

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.exchange.events import OrderEvent

AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
TARGETS = frozenset({OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})
STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


class Parked:
    """One waiting order, in units.

    `since_ns` is when it could first be filled, `is_new` whether it has not yet met the market. `anchor` is the best price a
    trailing stop has seen. `ahead` is the size estimated before it in its level, -1 while that is not known.

    Thread: the backtest's.
    """

    __slots__ = (
        "account",
        "ahead",
        "anchor",
        "buys",
        "is_new",
        "kind",
        "leaves",
        "order_id",
        "post_only",
        "price",
        "side",
        "since_ns",
        "time_in_force",
        "trailing",
        "trigger",
    )

    def __init__(self, event: OrderEvent, trailing: int) -> None:
        self.order_id = event.order_id
        self.account = event.account
        self.side = event.side
        self.buys = event.side is Side.BUY
        self.kind = event.order_type
        self.price = event.price
        self.trigger = event.trigger_price
        self.leaves = event.quantity - event.filled
        self.post_only = event.post_only
        self.time_in_force = event.time_in_force
        self.since_ns = event.time_ns
        self.trailing = trailing
        self.anchor = 0
        self.is_new = True
        self.ahead = -1

    @property
    def is_conditional(self) -> bool:
        """Tell whether it waits for its trigger."""
        return self.kind in STOPS or self.kind in TARGETS

    @property
    def stop_level(self) -> int:
        """Return the price that sets a stop off."""
        if self.kind is not OrderType.TRAILING_STOP:
            return self.trigger
        return self.anchor + self.trailing if self.buys else self.anchor - self.trailing

    def is_set_off_by(self, price: int) -> bool:
        """Tell whether a price sets a stop or a take-profit off."""
        if self.kind in STOPS:
            return price >= self.stop_level if self.buys else price <= self.stop_level
        return price <= self.trigger if self.buys else price >= self.trigger

    def trail(self, best: int) -> None:
        """Move a trailing stop's anchor to a price if that is better for its owner; the first price is the anchor."""
        if not self.anchor:
            self.anchor = best
        else:
            self.anchor = min(self.anchor, best) if self.buys else max(self.anchor, best)
