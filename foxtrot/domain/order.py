"""Orders from wish to fact: OrderRequest, ApprovedOrder, CancelRequest, OrderData, TradeData."""

from decimal import Decimal

import msgspec

from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.market import STREAM


class OrderRequest(msgspec.Struct, frozen=True, gc=False):
    """What somebody wants: not yet numbered, checked or on any grid.

    `price` is the limit price, `trigger_price` the stop or take-profit trigger, `trailing_offset` the distance of a
    trailing stop in price; 0.0 means not given. `display_quantity` > 0 makes an iceberg. `expire_time_ns` belongs to GTD.
    `algo` names an algorithm of the venue's own that is to work the order, `algo_params` are its parameters by name, in the venue's words.
    """

    instrument_id: str
    account: str
    side: Side
    order_type: OrderType
    quantity: float
    price: float = 0.0
    trigger_price: float = 0.0
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    post_only: bool = False
    position_side: PositionSide = PositionSide.NET
    trailing_offset: float = 0.0
    display_quantity: float = 0.0
    expire_time_ns: int = 0
    tag: str = ""
    algo: str = ""
    algo_params: tuple[tuple[str, str], ...] = ()


class ApprovedOrder(msgspec.Struct, frozen=True, gc=False):
    """An order that passed every risk check, in exact integer units; only trading/risk.py makes one.

    Adapters take nothing else, so an order cannot reach a venue unchecked. `reduces` says that the order can only reduce its
    owner's position, which the gate and the send permit ask; `reduce_only` is the venue's flag, set only where the account's
    net position allows it. `pair_id` is the id of the order that this one ends, and that ends this one; "" for an order alone.
    `algo` and `algo_params` are as in OrderRequest.
    """

    order_id: str
    strategy_id: str
    account: str
    instrument_id: str
    side: Side
    order_type: OrderType
    quantity_units: int
    price_units: int
    trigger_units: int
    time_in_force: TimeInForce
    reduce_only: bool
    post_only: bool
    position_side: PositionSide
    trailing_offset_units: int
    display_units: int
    expire_time_ns: int
    created_time_ns: int
    reduces: bool = False
    pair_id: str = ""
    algo: str = ""
    algo_params: tuple[tuple[str, str], ...] = ()


class AmendRequest(msgspec.Struct, frozen=True, gc=False):
    """A wish to change a resting order: its whole quantity, limit price or trigger; 0.0 leaves a figure as it is."""

    order_id: str
    quantity: float = 0.0
    price: float = 0.0
    trigger_price: float = 0.0


class ApprovedAmend(msgspec.Struct, frozen=True, gc=False):
    """A change that passed every risk check: the order as it is to be, under the id that it has; only trading/risk.py makes one.

    `number` counts the changes of one order from 1; `venue_order_id` is empty where the venue has not told it.
    """

    number: int
    order: ApprovedOrder
    venue_order_id: str = ""

    @property
    def amend_id(self) -> str:
        """Return the name by which the journal answers for it, which is no order id."""
        return f"{self.order.order_id}/{self.number}"


class CancelRequest(msgspec.Struct, frozen=True, gc=False):
    """A wish to cancel one order; `venue_order_id` is empty while the venue has not told it."""

    order_id: str
    account: str
    instrument_id: str
    venue_order_id: str = ""


class OrderData(msgspec.Struct, frozen=True, gc=False):
    """The state of one order as told by the venue or by the desk; `filled_quantity` is cumulative.

    `rule` and `reason` say why an order was denied, rejected, cancelled or expired; empty otherwise. `source` is how it was
    heard of: "stream" (the venue told it unasked, or answered the order itself) or "rest" (it was asked for).
    """

    order_id: str
    account: str
    instrument_id: str
    side: Side
    order_type: OrderType
    quantity: float
    price: float
    status: OrderStatus
    filled_quantity: float
    average_price: float
    venue_order_id: str
    venue_time_ns: int
    local_time_ns: int
    strategy_id: str = ""
    trigger_price: float = 0.0
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    post_only: bool = False
    position_side: PositionSide = PositionSide.NET
    rule: str = ""
    reason: str = ""
    source: str = STREAM

    @property
    def remaining_quantity(self) -> float:
        """Return the quantity not yet filled."""
        return self.quantity - self.filled_quantity


class TradeData(msgspec.Struct, frozen=True, gc=False):
    """One fill of one of our orders; unique by (account, instrument_id, trade_id, order_id).

    `fee` is what was charged in `fee_asset` (negative is a rebate); `source` is as in OrderData.
    """

    trade_id: str
    order_id: str
    account: str
    instrument_id: str
    side: Side
    price: float
    quantity: float
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    venue_order_id: str
    venue_time_ns: int
    local_time_ns: int
    strategy_id: str = ""
    position_side: PositionSide = PositionSide.NET
    source: str = STREAM
