"""What can be asked of the venue. Commands are its only input, and the only way time comes in.

Prices and quantities are integer units of the instrument's grids; amounts of money are exact decimals. A command older than
the last one is taken at the time of the last one: the venue's clock never runs backwards.
"""

import enum
from decimal import Decimal
from typing import Literal

import msgspec

from foxtrot.domain.enums import (
    Liquidity,
    OrderType,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.instrument import Instrument

Matching = Literal["price_time", "pro_rata", "external"]
"""How orders of an instrument meet. With "external" nothing matches inside: orders park until a fill model fills them."""


class TradingState(enum.StrEnum):
    """Whether an instrument trades; halted takes cancels only, closed also ends the day's orders."""

    TRADING = "trading"
    HALTED = "halted"
    CLOSED = "closed"


class AddInstrument(msgspec.Struct, frozen=True, tag=True):
    """List an instrument. `fee_asset_mode` is "received", "quote" or the name of a coin (else what is received)."""

    time_ns: int
    instrument: Instrument
    matching: Matching = "price_time"
    fees: FeeSchedule | None = None
    fee_asset_mode: str = "quote"


class OpenAccount(msgspec.Struct, frozen=True, tag=True):
    """Open an account; one that is not `margin_checked` is never refused for money and locks nothing.

    `fee_plan` names the plan by which it is charged where an instrument has one of that name ("": the instrument's own fees).
    """

    time_ns: int
    account: str
    position_mode: PositionMode = PositionMode.NETTING
    margin_checked: bool = True
    stp: SelfTradePrevention = SelfTradePrevention.NONE
    fee_asset: str = ""
    allow_short: bool = False
    fee_plan: str = ""


class SetPositionMode(msgspec.Struct, frozen=True, tag=True):
    """Choose between one net position per derivative and a long and a short one; refused while any is open or ordered."""

    time_ns: int
    account: str
    position_mode: PositionMode


class SetLeverage(msgspec.Struct, frozen=True, tag=True):
    """Let an account hold one derivative at an initial margin of 1 / leverage instead of the instrument's rate."""

    time_ns: int
    account: str
    instrument_id: str
    leverage: int


class Deposit(msgspec.Struct, frozen=True, tag=True):
    """Bring money or assets in from outside."""

    time_ns: int
    account: str
    asset: str
    amount: Decimal


class Withdraw(msgspec.Struct, frozen=True, tag=True):
    """Take free money or assets out."""

    time_ns: int
    account: str
    asset: str
    amount: Decimal


class PlaceOrder(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Enter an order. `stp` None means the account's own setting; a display quantity makes an iceberg.

    A fill-or-kill order that the book cannot fill is refused; with `expire_unfillable` it is accepted and expires instead.
    """

    time_ns: int
    account: str
    instrument_id: str
    client_order_id: str
    side: Side
    order_type: OrderType
    quantity: int
    price: int = 0
    trigger_price: int = 0
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    post_only: bool = False
    position_side: PositionSide = PositionSide.NET
    trailing_offset: int = 0
    display_quantity: int = 0
    expire_time_ns: int = 0
    stp: SelfTradePrevention | None = None
    expire_unfillable: bool = False


class PlacePair(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Enter two orders of which one ends the other: a stop, and a post-only limit on the other side of the market.

    Both are of one account, instrument, side and quantity; money or assets are held once, for the one that needs more. The first
    fill of the limit or the trigger of the stop expires the other one; cancelling one cancels both. `name` is the customer's own.
    """

    time_ns: int
    account: str
    stop: PlaceOrder
    limit: PlaceOrder
    name: str = ""


class AmendOrder(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Change total quantity and limit price of an open order, named by either id; 0 leaves a figure as it is."""

    time_ns: int
    account: str
    instrument_id: str
    order_id: int = 0
    client_order_id: str = ""
    quantity: int = 0
    price: int = 0


class CancelOrder(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Cancel an open order, named by either id."""

    time_ns: int
    account: str
    instrument_id: str
    order_id: int = 0
    client_order_id: str = ""


class CancelAll(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Cancel all open orders of an account, oldest first, on one instrument or on all."""

    time_ns: int
    account: str
    instrument_id: str = ""


class SetMarkPrice(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Tell the price at which positions are valued; until then it is the last trade's."""

    time_ns: int
    instrument_id: str
    price: int


class SetFundingRate(msgspec.Struct, frozen=True, tag=True):
    """Tell the rate paid at the next funding times; positive: longs pay shorts. 0 keeps the schedule."""

    time_ns: int
    instrument_id: str
    rate: Decimal
    next_funding_ns: int = 0


class SetMarginRates(msgspec.Struct, frozen=True, tag=True):
    """Change the initial and maintenance margin rates of an instrument (0.1 is ten times leverage)."""

    time_ns: int
    instrument_id: str
    initial: Decimal
    maintenance: Decimal


class SetFeePlan(msgspec.Struct, frozen=True, tag=True):
    """Charge the accounts of a fee plan another schedule than the instrument's own; a plan may be told anew."""

    time_ns: int
    instrument_id: str
    plan: str
    fees: FeeSchedule


class SetTradingState(msgspec.Struct, frozen=True, tag=True):
    """Open, halt or close trading; `day_end_ns` is when the DAY orders of this session end (0: not told)."""

    time_ns: int
    instrument_id: str
    state: TradingState
    day_end_ns: int = 0


class AdvanceTime(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Let time pass: expiries, funding and settlements that are due happen, each at its own time."""

    time_ns: int


class TakeSnapshot(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Mark this point in the event stream with the state hash."""

    time_ns: int


class FillOrder(msgspec.Struct, frozen=True, gc=False, tag=True):
    """External matching only: an outside fill model fills (part of) an order."""

    time_ns: int
    instrument_id: str
    order_id: int
    price: int
    quantity: int
    liquidity: Liquidity = Liquidity.TAKER


class TriggerOrder(msgspec.Struct, frozen=True, gc=False, tag=True):
    """External matching only: an outside fill model says that a conditional order's trigger was reached."""

    time_ns: int
    instrument_id: str
    order_id: int


class ExpireOrder(msgspec.Struct, frozen=True, gc=False, tag=True):
    """External matching only: an outside fill model ends an order (an unfilled IOC, the end of the day)."""

    time_ns: int
    instrument_id: str
    order_id: int
    reason: str = "expired"


VenueCommand = (
    AddInstrument
    | OpenAccount
    | SetPositionMode
    | SetLeverage
    | Deposit
    | Withdraw
    | PlaceOrder
    | PlacePair
    | AmendOrder
    | CancelOrder
    | CancelAll
    | SetMarkPrice
    | SetFundingRate
    | SetMarginRates
    | SetFeePlan
    | SetTradingState
    | AdvanceTime
    | TakeSnapshot
    | FillOrder
    | TriggerOrder
    | ExpireOrder
)
"""Every command; the tag in its encoded form is the class name."""
