"""Notices: what happened inside the platform; any number of handlers."""

from decimal import Decimal

import msgspec

from foxtrot.domain.account import PositionData
from foxtrot.domain.enums import AdapterState, BookState, GateState, PositionSide
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import BarData, DepthData
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.outcome import Outcome


class AdapterStatus(msgspec.Struct, frozen=True, gc=False):
    """A connection changed; `attempt` and `delay_s` speak of a back-off, `cause` of a loss."""

    account: str
    adapter: str
    state: AdapterState
    cause: str
    attempt: int
    delay_s: float
    local_time_ns: int


class VenueUnsteady(msgspec.Struct, frozen=True, gc=False):
    """A venue falls back too often: questions that went to REST, and connections that had to be made again, within a window.

    Told once, and again only after it has been calm; `cause` is the last one that was heard.
    """

    account: str
    adapter: str
    rest_fallbacks: int
    reconnects: int
    window_s: float
    cause: str
    local_time_ns: int


class ContractsLoaded(msgspec.Struct, frozen=True, gc=False):
    """The instruments of an account, those included that are halted now: their open orders can be cancelled, new ones are denied."""

    account: str
    instruments: tuple[Instrument, ...]


class OpenOrdersLoaded(msgspec.Struct, frozen=True, gc=False):
    """All open orders of an account as the venue lists them."""

    account: str
    orders: tuple[OrderData, ...]
    local_time_ns: int


class PositionsLoaded(msgspec.Struct, frozen=True, gc=False):
    """All positions of an account as the venue lists them; an instrument that is not listed is flat."""

    account: str
    positions: tuple[PositionData, ...]
    local_time_ns: int


class TradesLoaded(msgspec.Struct, frozen=True, gc=False):
    """Our trades since a cursor as the venue lists them, oldest first; `since_ns` is the time from which they were asked for."""

    account: str
    trades: tuple[TradeData, ...]
    local_time_ns: int
    since_ns: int = 0


class HistoryLoaded(msgspec.Struct, frozen=True, gc=False):
    """Closed bars, oldest first, in answer to a history request; `error` is empty when it succeeded."""

    request_id: str
    instrument_id: str
    interval: str
    bars: tuple[BarData, ...]
    error: str = ""


class BookLoaded(msgspec.Struct, frozen=True, gc=False):
    """An order book in answer to a request; `source` is stream, cache or rest; `book` is None when `error` says why."""

    request_id: str
    instrument_id: str
    book: DepthData | None
    source: str
    age_ms: float
    error: str = ""


class RequestFailed(msgspec.Struct, frozen=True, gc=False):
    """A query or subscription of an account failed; `what` names it and `error` says why."""

    account: str
    what: str
    error: str
    local_time_ns: int


class BookStateChanged(msgspec.Struct, frozen=True, gc=False):
    """The local order book of an instrument became usable or unusable."""

    account: str
    instrument_id: str
    state: BookState
    cause: str
    local_time_ns: int


class Gap(msgspec.Struct, frozen=True, gc=False):
    """`count` events of a class were shed for an instrument because the queue was full; a fresh snapshot follows."""

    instrument_id: str
    event_class: str
    count: int


class HandlerFailed(msgspec.Struct, frozen=True, gc=False):
    """A handler raised: `owner` hears nothing more until resumed, unless it is core, in which case trading is halted."""

    owner: str
    handler: str
    event_class: str
    error: str
    core: bool
    sequence: int


class TimerFired(msgspec.Struct, frozen=True, gc=False):
    """A timer is due; `owner` and `name` are those it was set with."""

    owner: str
    name: str
    timer_id: int
    due_ns: int
    now_ns: int


class IntentDurable(msgspec.Struct, frozen=True, gc=False):
    """The journal has committed the intents of these orders: they may go to the wire."""

    order_ids: tuple[str, ...]


class JournalFailed(msgspec.Struct, frozen=True, gc=False):
    """The journal could not commit the intents of these orders: none may go to the wire."""

    order_ids: tuple[str, ...]
    error: str


class AmendAnswered(msgspec.Struct, frozen=True, gc=False):
    """What became of a change of an order: CONFIRMED, REFUSED by the venue, DENIED_LOCALLY, or UNKNOWN while nobody can tell.

    `number` is that of the change, 0 where it did not get one. `rule` and `reason` say why it was not made.
    """

    order_id: str
    account: str
    number: int
    outcome: Outcome
    rule: str
    reason: str
    local_time_ns: int


class OrderChanged(msgspec.Struct, frozen=True, gc=False):
    """The desk's record of an order changed: `order` is the merged state."""

    strategy_id: str
    order: OrderData


class TradeBooked(msgspec.Struct, frozen=True, gc=False):
    """A fill was counted for the first time; desk and portfolio already hold it. `late` marks a fill after the end."""

    strategy_id: str
    trade: TradeData
    late: bool = False


class GateChanged(msgspec.Struct, frozen=True, gc=False):
    """What the gate lets through changed; an empty instrument means the whole platform."""

    state: GateState
    reason: str
    account: str
    instrument_id: str
    local_time_ns: int


class GateMovedOutside(msgspec.Struct, frozen=True, gc=False):
    """The gate was moved by another thread than the engine's: the journal's record of it, for the tape alone."""

    move: bytes


class StrategyStatus(msgspec.Struct, frozen=True, gc=False):
    """A strategy changed state: loaded, initialised, running, stopped or failed."""

    strategy_id: str
    state: str
    reason: str
    local_time_ns: int


class StrategyLog(msgspec.Struct, frozen=True, gc=False):
    """A line a strategy wrote."""

    strategy_id: str
    level: str
    text: str
    local_time_ns: int


class EquityMarked(msgspec.Struct, frozen=True, gc=False):
    """Equity of an owner in the base currency at one moment; None where a conversion rate is missing."""

    owner: str
    equity: Decimal | None
    time_ns: int


class DifferenceFound(msgspec.Struct, frozen=True, gc=False):
    """We and a venue disagree on something and nothing explains it; `halts` tells whether its instrument is halted for that.

    `kind` is fill, position or holding (an asset of which strategies own more than the account holds); `difference_id` is the same as
    long as both sides differ by the same.
    """

    difference_id: str
    account: str
    kind: str
    subject: str
    ours: str
    venue: str
    halts: bool
    local_time_ns: int


class AccountAdjusted(msgspec.Struct, frozen=True, gc=False):
    """An account was made to agree with its venue without a fill; `what` says in words what moved, `cause` what explains it."""

    adjustment_id: str
    account: str
    instrument_id: str
    what: str
    cause: str
    who: str
    local_time_ns: int


class AccountReconciled(msgspec.Struct, frozen=True, gc=False):
    """A reconciliation of a whole account is over: `error` says why it is not complete, else `differences` stand unexplained."""

    account: str
    cause: str
    differences: int
    error: str
    local_time_ns: int


class OrderMissing(msgspec.Struct, frozen=True, gc=False):
    """A venue that was asked for one order says that it has none of this id, past the bound within which it might not see it yet."""

    order_id: str
    account: str
    instrument_id: str
    local_time_ns: int


class VenueMessage(msgspec.Struct, frozen=True, gc=False):
    """A raw message between us and a venue about one order, without signatures and keys; `direction` is out or in."""

    account: str
    order_id: str
    direction: str
    text: str
    local_time_ns: int


class ProtectionChanged(msgspec.Struct, frozen=True, gc=False):
    """How a position is protected changed: "at the venue", "while this process lives", "naked", or "" when it is flat."""

    owner: str
    account: str
    instrument_id: str
    position_side: PositionSide
    protection: str
    reason: str
    local_time_ns: int


class PositionEnds(msgspec.Struct, frozen=True, gc=False):
    """A position in a future is within its `roll_days`: `ends` says what ends it and when, `days` how many days are left."""

    owner: str
    account: str
    instrument_id: str
    position_side: PositionSide
    quantity: float
    ends: str
    days: float
    local_time_ns: int


class PartFailed(msgspec.Struct, frozen=True, gc=False):
    """A thread or task is dead or blocked; trading of what it served is halted. `stack` is where it stands, if it stands anywhere."""

    part: str
    serves: str
    reason: str
    stack: str
    local_time_ns: int


class PartRecovered(msgspec.Struct, frozen=True, gc=False):
    """A thread or task that was told as failed moves again; an account that it serves is traded again once it is reconciled."""

    part: str
    serves: str
    local_time_ns: int
