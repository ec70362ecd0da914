"""What a ticket says, without Qt: the order that it stands for, and why it is none yet."""

from typing import Final

import msgspec

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.domain.enums import OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderRequest

TYPES: Final = (
    OrderType.LIMIT, OrderType.MARKET, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT,
    OrderType.TRAILING_STOP,
)  # fmt: skip
TIMES: Final = (TimeInForce.GTC, TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK)
"""What may be chosen; an order until a moment (GTD) needs a moment, which a ticket does not ask for."""


class Ticket(msgspec.Struct, frozen=True):
    """The figures of a ticket as they stand; 0.0 is not given."""

    instrument_id: str = ""
    account: str = ""
    order_type: OrderType = OrderType.LIMIT
    quantity: float = 0.0
    price: float = 0.0
    trigger: float = 0.0
    offset: float = 0.0
    time: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    stop_loss: float = 0.0
    take_profit: float = 0.0
    hedges: bool = False

    @property
    def has_bracket(self) -> bool:
        """Tell whether the entry brings its own protection."""
        return not self.reduce_only and bool(self.stop_loss or self.take_profit)

    def request(self, side: Side) -> OrderRequest:
        """Return the order of one side; figures that its type does not take are left out."""
        kind = self.order_type
        return OrderRequest(
            self.instrument_id, self.account, side, kind, self.quantity, self.price if kind.needs_price else 0.0,
            self.trigger if kind.needs_trigger else 0.0, self.time, self.reduce_only, self.post_only and kind is OrderType.LIMIT,
            self._position_side(side), self.offset if kind is OrderType.TRAILING_STOP else 0.0,
        )  # fmt: skip

    def missing(self) -> str:
        """Return which figure is missing, as the last part of a text's key; "" where the order is whole."""
        kind = self.order_type
        lacks = (
            ("instrument", not self.instrument_id), ("account", not self.account), ("quantity", self.quantity <= 0.0),
            ("price", kind.needs_price and self.price <= 0.0), ("trigger", kind.needs_trigger and self.trigger <= 0.0),
            ("offset", kind is OrderType.TRAILING_STOP and self.offset <= 0.0),
        )  # fmt: skip
        return next((name for name, lack in lacks if lack), "")

    def entry(self, side: Side, bid: float, ask: float) -> float:
        """Return the price at which the order would trade: its own, else what stands on the other side; 0.0 when nothing does."""
        if self.order_type.needs_price:
            return self.price
        if self.order_type.needs_trigger:
            return self.trigger
        return ask if side is Side.BUY else bid

    def _position_side(self, side: Side) -> PositionSide:
        """Return the position that is meant where long and short are held apart: what reduces is of the other one."""
        if not self.hedges:
            return PositionSide.NET
        opens = side is Side.BUY
        return PositionSide.LONG if opens != self.reduce_only else PositionSide.SHORT


def types_of(capabilities: Capabilities | None) -> list[OrderType]:
    """Return the order types of a venue, in the order in which they are offered; a limit until it has told."""
    known = frozenset({OrderType.LIMIT}) if capabilities is None else capabilities.order_types
    return [kind for kind in TYPES if kind in known]


def times_of(capabilities: Capabilities | None, kind: OrderType) -> list[TimeInForce]:
    """Return the times in force that a venue has for an order type."""
    if capabilities is None:
        return [TimeInForce.GTC]
    priced = kind.needs_price
    found: list[TimeInForce] = [
        time
        for time in TIMES
        if time in capabilities.times_in_force and (priced or time not in capabilities.limit_only)
    ]
    return found if found else [TimeInForce.GTC]


def may_reduce_only(capabilities: Capabilities | None, instrument: Instrument | None) -> bool:
    """Tell whether an order can be held to reduce: by the venue, or by risk alone where what is held is owned."""
    if capabilities is None or instrument is None:
        return False
    return capabilities.reduce_only or instrument.product in (Product.SPOT, Product.STOCK, Product.FOREX)
