"""What the venue tells: numbered events, in the order in which things happened. They are all that leaves it.

`sequence` counts every event of a venue from 1 without a gap. Prices and quantities are integer units of the instrument's
grids; money is Decimal. Balance and position events come at the end of the command that changed them, once for each.
"""

from decimal import Decimal

import msgspec

from foxtrot.domain.enums import Liquidity, OrderType, PositionMode, PositionSide, Side, TimeInForce


class VenueEvent(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Anything that happened at the venue."""

    sequence: int
    time_ns: int


class OrderEvent(VenueEvent, frozen=True, gc=False, tag=True):
    """An order as it stands after what happened; `cost` is the sum of price * quantity of its fills, in units."""

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

    @property
    def remaining(self) -> int:
        """Return the quantity not yet filled, in units."""
        return self.quantity - self.filled


class OrderAccepted(OrderEvent, frozen=True, gc=False, tag=True):
    """The order has its id and works (or waits for its trigger)."""


class OrderRejected(OrderEvent, frozen=True, gc=False, tag=True):
    """The order was refused; `order_id` is 0, `code` is the text of the ResultCode."""

    code: str
    reason: str


class OrderAmended(OrderEvent, frozen=True, gc=False, tag=True):
    """Price or quantity changed; `reason` is "amended" or the rule that made the venue reduce it."""

    reason: str


class OrderTriggered(OrderEvent, frozen=True, gc=False, tag=True):
    """The trigger of a conditional order was reached; it now works as a market or limit order."""


class OrderCancelled(OrderEvent, frozen=True, gc=False, tag=True):
    """The unfilled rest was taken out, by its owner or by a rule."""

    reason: str


class OrderExpired(OrderEvent, frozen=True, gc=False, tag=True):
    """The unfilled rest ended with its time in force."""

    reason: str


class OrderFilled(OrderEvent, frozen=True, gc=False, tag=True):
    """One fill, told once to each side; the order's `filled` and `cost` include it."""

    trade_id: int
    fill_price: int
    fill_quantity: int
    liquidity: Liquidity
    fee: Decimal
    fee_asset: str


class PairChanged(VenueEvent, frozen=True, gc=False, tag=True):
    """Two orders of which one ends the other were entered, or have both ended; `pair` is the order id of the stop."""

    account: str
    instrument_id: str
    pair: int
    is_open: bool


class TradePrinted(VenueEvent, frozen=True, gc=False, tag=True):
    """One public trade; `aggressor` took liquidity."""

    instrument_id: str
    trade_id: int
    price: int
    quantity: int
    aggressor: Side


class BalanceChanged(VenueEvent, frozen=True, gc=False, tag=True):
    """A balance after the command that changed it."""

    account: str
    asset: str
    total: Decimal
    locked: Decimal


class PositionChanged(VenueEvent, frozen=True, gc=False, tag=True):
    """A position after the command that changed it; `quantity` is signed units, the price is in quote money."""

    account: str
    instrument_id: str
    position_side: PositionSide
    quantity: int
    average_price: float
    realised_profit: Decimal


class ChargeBooked(VenueEvent, frozen=True, gc=False, tag=True):
    """Money that moved without a trade: `kind` is deposit, withdrawal or insurance; negative leaves the account."""

    account: str
    asset: str
    amount: Decimal
    kind: str


class FundingPaid(VenueEvent, frozen=True, gc=False, tag=True):
    """Funding of one position; a negative amount was paid, a positive one received."""

    account: str
    instrument_id: str
    position_side: PositionSide
    quantity: int
    mark_price: int
    rate: Decimal
    asset: str
    amount: Decimal


class Liquidated(VenueEvent, frozen=True, gc=False, tag=True):
    """A position was closed by the venue: part in the book, the rest taken over at the mark price."""

    account: str
    instrument_id: str
    position_side: PositionSide
    closed_in_book: int
    taken_over: int
    mark_price: int


class PositionSettled(VenueEvent, frozen=True, gc=False, tag=True):
    """A position of an expired contract was settled in cash."""

    account: str
    instrument_id: str
    position_side: PositionSide
    quantity: int
    settlement_price: int


class MarkPriceChanged(VenueEvent, frozen=True, gc=False, tag=True):
    """The price at which positions are valued moved."""

    instrument_id: str
    price: int


class FundingRateChanged(VenueEvent, frozen=True, gc=False, tag=True):
    """The rate of the next funding, and when it is paid."""

    instrument_id: str
    rate: Decimal
    next_funding_ns: int


class TradingStateChanged(VenueEvent, frozen=True, gc=False, tag=True):
    """An instrument was opened, halted, closed or has expired."""

    instrument_id: str
    state: str


class InstrumentAdded(VenueEvent, frozen=True, gc=False, tag=True):
    """An instrument was listed."""

    instrument_id: str


class AccountOpened(VenueEvent, frozen=True, gc=False, tag=True):
    """An account was opened."""

    account: str


class PositionModeChanged(VenueEvent, frozen=True, gc=False, tag=True):
    """An account now holds its derivatives in another mode."""

    account: str
    position_mode: PositionMode


class LeverageChanged(VenueEvent, frozen=True, gc=False, tag=True):
    """An account now margins an instrument at 1 / leverage."""

    account: str
    instrument_id: str
    leverage: int


class SnapshotTaken(VenueEvent, frozen=True, gc=False, tag=True):
    """A mark in the stream: the hash of the state as of this event."""

    state_hash: str


AnyVenueEvent = (
    OrderAccepted
    | OrderRejected
    | OrderAmended
    | OrderTriggered
    | OrderCancelled
    | OrderExpired
    | OrderFilled
    | PairChanged
    | TradePrinted
    | BalanceChanged
    | PositionChanged
    | ChargeBooked
    | FundingPaid
    | Liquidated
    | PositionSettled
    | MarkPriceChanged
    | FundingRateChanged
    | TradingStateChanged
    | InstrumentAdded
    | AccountOpened
    | PositionModeChanged
    | LeverageChanged
    | SnapshotTaken
)
"""Every event, for a typed decoder."""
