"""An order as the venue keeps it, from acceptance to its end."""

from decimal import Decimal

from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.exchange.resting_order import RestingOrder

CONDITIONAL = frozenset(
    {
        OrderType.STOP,
        OrderType.STOP_LIMIT,
        OrderType.TAKE_PROFIT,
        OrderType.TAKE_PROFIT_LIMIT,
        OrderType.TRAILING_STOP,
    }
)
"""Order types that wait for a trigger."""

PRICED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT})
"""Order types with a limit price."""


class WorkingOrder(RestingOrder, gc=False):
    """All there is to know about one order. `cost` is the sum of price * quantity of its fills, in units.

    `pending` means that it waits for its trigger; `anchor` is the best price a trailing stop has seen. `locked` is the money
    held for it (quote for a buy, base for a sell), `fee_reserve` the part of it held for fees.

    An order of a pair bears the id of the pair's stop in `pair`; the limit's id is the next one.

    Thread: belongs to its venue.
    """

    instrument_id: str
    client_order_id: str
    side: Side
    order_type: OrderType
    quantity: int
    trigger_price: int
    time_in_force: TimeInForce
    reduce_only: bool
    post_only: bool
    position_side: PositionSide
    trailing_offset: int
    expire_time_ns: int
    time_ns: int
    pending: bool = False
    filled: int = 0
    cost: int = 0
    anchor: int = 0
    locked: int = 0
    fee_reserve: int = 0
    fees_before: Decimal = Decimal(0)
    status: OrderStatus = OrderStatus.ACCEPTED
    reason: str = ""
    pair: int = 0
    pair_name: str = ""

    @property
    def twin_id(self) -> int:
        """Return the id of the order that this one ends and is ended by, 0 when it stands alone."""
        if not self.pair:
            return 0
        return self.pair + 1 if self.order_id == self.pair else self.pair
