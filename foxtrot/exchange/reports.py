"""What the venue answers to questions: frozen pictures of orders and positions."""

from decimal import Decimal

import msgspec

from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.exchange.market import Market
from foxtrot.exchange.working_order import WorkingOrder


class OrderReport(msgspec.Struct, frozen=True, gc=False):
    """One order as it stands; the fields of an order event, then its status and when it was entered."""

    account: str
    instrument_id: str
    order_id: int
    client_order_id: str
    side: Side
    order_type: OrderType
    quantity: int
    price: int
    trigger_price: int
    time_in_force: TimeInForce
    reduce_only: bool
    post_only: bool
    position_side: PositionSide
    filled: int
    cost: int
    status: OrderStatus
    reason: str
    time_ns: int
    pending: bool
    display_quantity: int
    expire_time_ns: int
    trailing_offset: int
    pair: int = 0
    pair_name: str = ""

    @classmethod
    def of(cls, order: WorkingOrder) -> "OrderReport":
        """Return the picture of an order."""
        return cls(
            order.account,
            order.instrument_id,
            order.order_id,
            order.client_order_id,
            order.side,
            order.order_type,
            order.quantity,
            order.price,
            order.trigger_price,
            order.time_in_force,
            order.reduce_only,
            order.post_only,
            order.position_side,
            order.filled,
            order.cost,
            order.status,
            order.reason,
            order.time_ns,
            order.pending,
            order.display,
            order.expire_time_ns,
            order.trailing_offset,
            order.pair,
            order.pair_name,
        )


class PositionReport(msgspec.Struct, frozen=True, gc=False):
    """One position; `quantity` is signed units, prices and profits are in quote (settle) money."""

    account: str
    instrument_id: str
    position_side: PositionSide
    quantity: int
    average_price: float
    realised_profit: Decimal
    unrealised_profit: Decimal
    reference_price: int


class MarginReport(msgspec.Struct, frozen=True, gc=False):
    """Equity and margin of one account in one settle asset."""

    account: str
    asset: str
    equity: Decimal
    initial: Decimal
    maintenance: Decimal


class PositionMargin(msgspec.Struct, frozen=True, gc=False):
    """Initial margin of a position alone and of its open orders on top, and its maintenance margin."""

    position: Decimal
    orders: Decimal
    maintenance: Decimal


class RestingReport(msgspec.Struct, frozen=True, gc=False):
    """One order in the book (L3), in units."""

    order_id: int
    account: str
    side: Side
    price: int
    shown: int
    hidden: int


class DepthChanges(msgspec.Struct, frozen=True, gc=False):
    """Levels changed by updates `first_id` to `last_id` with their totals now (0: gone); none when last < first."""

    first_id: int
    last_id: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]


def l3_of(market: Market) -> tuple[RestingReport, ...]:
    """Return every order in a book: bids best first, then asks best first; oldest first within a price."""
    rows: list[RestingReport] = []
    for is_buy, side in ((True, Side.BUY), (False, Side.SELL)):
        for order in market.book.queue(is_buy):
            hidden = order.leaves - order.visible
            rows.append(RestingReport(order.order_id, order.account, side, order.price, order.visible, hidden))
    return tuple(rows)
