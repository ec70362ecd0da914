"""What is ours on a chart: open orders, positions and fills of one instrument, as the platform tells them."""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from foxtrot.app.blotter_requests import ProtectionLeg
from foxtrot.app.control_requests import NetRow, OrderRow, TradeRow
from foxtrot.core.notices import OrderChanged, TradeBooked
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side

ENDED: Final = frozenset(
    {OrderStatus.DENIED, OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)
MOVABLE: Final = frozenset({OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED})
TRIGGERED: Final = frozenset(
    {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT, OrderType.TRAILING_STOP}
)
MOST_FILLS: Final = 5_000
Field = Literal["price", "trigger_price"]


class OwnOrder(msgspec.Struct, frozen=True):
    """An open order."""

    order_id: str
    owner: str
    account: str
    side: Side
    order_type: OrderType
    status: OrderStatus
    remaining: float
    price: float
    trigger_price: float


class OrderLevel(msgspec.Struct, frozen=True):
    """A price at which an order stands, and which of its figures that is."""

    order: OwnOrder
    field: Field
    price: float

    @property
    def is_movable(self) -> bool:
        """Tell whether the order rests at its venue, so that it can be changed."""
        return self.order.status in MOVABLE and self.order.order_type is not OrderType.TRAILING_STOP


class OwnFill(msgspec.Struct, frozen=True):
    """A fill."""

    time_ns: int
    side: Side
    price: float
    quantity: float


class Held(msgspec.Struct, frozen=True):
    """A position of an account; `quantity` is negative for a short one."""

    account: str
    quantity: float
    average_price: float

    def profit(self, price: float, multiplier: float) -> float:
        """Return what it has made at a price, in the quote asset."""
        return (price - self.average_price) * self.quantity * multiplier


class OwnMarks:
    """Orders, positions and fills of one instrument; `account` narrows them, "" for all.

    Thread: the desktop's.
    """

    def __init__(self, instrument_id: str, account: str = "") -> None:
        self.instrument_id = instrument_id
        self.account = account
        self.orders: dict[str, OwnOrder] = {}
        self.fills: dict[tuple[str, str, str], OwnFill] = {}
        self.positions: tuple[Held, ...] = ()
        self.legs: tuple[ProtectionLeg, ...] = ()
        """What protects the positions, and has a level."""
        self.revision = 0

    def take_orders(self, rows: tuple[OrderRow, ...]) -> None:
        """Take the open orders as they were listed."""
        self.orders = {row.order_id: _of_row(row) for row in rows if self._is_ours(row.account, row.instrument_id)}
        self.revision += 1

    def hear_order(self, change: OrderChanged) -> None:
        """Take a change of an order."""
        order = change.order
        if not self._is_ours(order.account, order.instrument_id):
            return
        self.revision += 1
        if order.status in ENDED:
            self.orders.pop(order.order_id, None)
            return
        self.orders[order.order_id] = OwnOrder(
            order.order_id, change.strategy_id, order.account, order.side, order.order_type, order.status,
            order.remaining_quantity, order.price, order.trigger_price,
        )  # fmt: skip

    def take_trades(self, rows: tuple[TradeRow, ...]) -> None:
        """Take fills as they were listed."""
        for row in rows:
            if self._is_ours(row.account, row.instrument_id):
                key = (row.account, row.trade_id, row.order_id)
                self._add_fill(key, OwnFill(row.time_ns, Side(row.side), row.price, row.quantity))

    def hear_trade(self, booked: TradeBooked) -> bool:
        """Take a fill; tells whether it is of this instrument."""
        trade = booked.trade
        if not self._is_ours(trade.account, trade.instrument_id):
            return False
        key, time_ns = (trade.account, trade.trade_id, trade.order_id), trade.venue_time_ns or trade.local_time_ns
        self._add_fill(key, OwnFill(time_ns, trade.side, trade.price, trade.quantity))
        return True

    def take_positions(self, rows: tuple[NetRow, ...]) -> None:
        """Take the positions of the accounts."""
        self.positions = tuple(
            _held(row) for row in rows if self._is_ours(row.account, row.instrument_id) and row.quantity
        )
        self.revision += 1

    def take_legs(self, legs: tuple[ProtectionLeg, ...]) -> None:
        """Take what protects the positions."""
        found = tuple(leg for leg in legs if leg.level and leg.where and self._is_ours(leg.account, leg.instrument_id))
        if found != self.legs:
            self.legs = found
            self.revision += 1

    def place_of(self, order_id: str) -> str:
        """Return where an order that protects a position lives, "" for any other order."""
        return next((leg.where for leg in self.legs if leg.order_id == order_id), "")

    def levels(self) -> Iterator[OrderLevel]:
        """Yield every price at which an order stands: its limit, its trigger, or both."""
        for order in self.orders.values():
            if order.order_type in TRIGGERED and order.trigger_price:
                yield OrderLevel(order, "trigger_price", order.trigger_price)
            if order.price and order.order_type is not OrderType.MARKET:
                yield OrderLevel(order, "price", order.price)

    def _add_fill(self, key: tuple[str, str, str], fill: OwnFill) -> None:
        self.fills[key] = fill
        while len(self.fills) > MOST_FILLS:
            del self.fills[next(iter(self.fills))]
        self.revision += 1

    def _is_ours(self, account: str, instrument_id: str) -> bool:
        return instrument_id == self.instrument_id and (not self.account or account == self.account)


def _of_row(row: OrderRow) -> OwnOrder:
    return OwnOrder(
        row.order_id, row.owner, row.account, Side(row.side), OrderType(row.order_type), OrderStatus(row.status),
        row.quantity - row.filled, row.price, row.trigger_price,
    )  # fmt: skip


def _held(row: NetRow) -> Held:
    is_short = row.position_side == PositionSide.SHORT
    return Held(row.account, -abs(row.quantity) if is_short else row.quantity, row.average_price)
