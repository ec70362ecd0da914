"""What a running platform can be asked over its control port, and what it answers: frozen structs, JSON between them.

A field that is not here is refused. Who asks says who it is and why; both end in the journal.
"""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import OrderStatus

Name = Annotated[str, msgspec.Meta(max_length=128)]
Text = Annotated[str, msgspec.Meta(max_length=500)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
"""So many rows at most, for whoever asks keeps the engine from its work that long."""
Value = Annotated[str, msgspec.Meta(max_length=500)] | bool | int | float


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="ask", tag=True):
    """A question or a wish of whoever holds the token; 0 where nobody says when.

    `sent_ns` is when it was asked (UTC), `asked_ns` the same and `until_ns` until when it may be granted, both by
    core.clock.suspend_aware_ns, which every process of a machine counts alike.
    """

    sent_ns: int = 0
    asked_ns: int = 0
    until_ns: int = 0


class Filter(Request, frozen=True):
    """A question about what belongs to an account, a strategy or an instrument; "" means all."""

    account: Name = ""
    strategy: Name = ""
    instrument: Name = ""


class ListOrders(Filter, frozen=True, tag="orders"):
    """The open orders, or with `every` all of this run, or one `order`; the newest `limit` of them."""

    every: bool = False
    order: Name = ""
    limit: Limit = 1_000


class ListPositions(Filter, frozen=True, tag="positions"):
    """The positions by owner, and those of the accounts."""


class ListTrades(Filter, frozen=True, tag="trades"):
    """The fills of this run, those of its newest orders up to `limit`."""

    limit: Limit = 1_000


class ListStrategies(Request, frozen=True, tag="strategies"):
    """The strategies and where they stand."""


class ListBlocks(Request, frozen=True, tag="blocks"):
    """What the gate does not let through, and the differences that stand unexplained."""


class Kill(Request, frozen=True, tag="kill"):
    """Close the gate at once, then cancel what may increase a position; see core.commands.KillSwitch."""

    who: Text
    reason: Text
    flatten: bool = False
    everything: bool = False


class FollowKill(Request, frozen=True, tag="follow_kill"):
    """What has become of the orders that a kill found."""

    kill_id: int


class Resume(Request, frozen=True, tag="resume"):
    """Lift a block or re-arm a strategy; all three names empty means the platform itself."""

    who: Text
    why: Text
    account: Name = ""
    instrument: Name = ""
    strategy: Name = ""


class Resolve(Request, frozen=True, tag="resolve"):
    """Say what became of an order of unknown outcome."""

    order_id: Name
    status: OrderStatus
    who: Text
    why: Text


class Settle(Request, frozen=True, tag="settle"):
    """Adopt or ignore a difference; what is adopted goes to `owner`."""

    difference_id: Name
    decision: Literal["adopt", "ignore"]
    who: Text
    why: Text
    owner: Name = EXTERNAL


class Step(Request, frozen=True, tag="step"):
    """Start, stop or reload a strategy."""

    strategy_id: Name
    step: Literal["start", "stop", "reload"]
    who: Text
    why: Text = ""


class SetValues(Request, frozen=True, tag="set"):
    """Change parameters of a strategy that is not running."""

    strategy_id: Name
    values: dict[str, Value]
    who: Text
    why: Text = ""


class Reconcile(Request, frozen=True, tag="reconcile"):
    """Reconcile an account, or every one when it is empty."""

    who: Text
    account: Name = ""


class Cancel(Request, frozen=True, tag="cancel"):
    """Cancel one order."""

    order_id: Name
    who: Text


class OrderRow(msgspec.Struct, frozen=True):
    """An order as it stands; of one of unknown outcome `unknown_since_ns` and `reason` say since when and why."""

    order_id: str
    owner: str
    account: str
    instrument_id: str
    side: str
    order_type: str
    quantity: float
    filled: float
    price: float
    trigger_price: float
    status: str
    reduces: bool
    cancel_asked: bool
    venue_order_id: str
    created_ns: int
    changed_ns: int
    unknown_since_ns: int | None
    reason: str


class PositionRow(msgspec.Struct, frozen=True):
    """What an owner holds, EXTERNAL too; `protection` is "at the venue", "while this process lives" or "naked", `remark` says more.

    `dust` says why no order can close it, "" when one can.
    """

    owner: str
    account: str
    instrument_id: str
    position_side: str
    quantity: float
    average_price: float
    profit: Decimal | None
    protection: str
    remark: str = ""
    dust: str = ""


class NetRow(msgspec.Struct, frozen=True):
    """What an account holds over all owners."""

    account: str
    instrument_id: str
    position_side: str
    quantity: float
    average_price: float


class TradeRow(msgspec.Struct, frozen=True):
    """A fill; `slippage` is in price against the quote at which the order was wished for, None where that is not known."""

    time_ns: int
    trade_id: str
    order_id: str
    owner: str
    account: str
    instrument_id: str
    side: str
    price: float
    quantity: float
    fee: Decimal
    fee_asset: str
    liquidity: str
    slippage: float | None = None


class StrategyRow(msgspec.Struct, frozen=True):
    """A strategy; `heard` counts what it has said of itself, the last of which is `said`.

    `leaving`: it has ended and its position is still being closed. `needs_rearm` says why a person must let it trade again.
    """

    strategy_id: str
    class_name: str
    account: str
    symbols: tuple[str, ...]
    stage: str
    reason: str
    parameters: dict[str, Value]
    open_orders: int
    positions: tuple[PositionRow, ...]
    equity: Decimal | None
    leaving: bool
    needs_rearm: str
    heard: int
    said: str


class BlockRow(msgspec.Struct, frozen=True):
    """Something that the gate does not let through; "" for account and instrument is the platform itself.

    `lasting`: it stands over a restart until a person lifts it; `killed`: by the kill switch.
    """

    account: str
    instrument_id: str
    state: str
    reason: str
    since_ns: int
    who: str
    lasting: bool
    killed: bool


class DifferenceRow(msgspec.Struct, frozen=True):
    """Something on which we and a venue disagree and that nothing explains."""

    difference_id: str
    account: str
    kind: str
    subject: str
    ours: str
    venue: str
    halts: bool
    since_ns: int


class AccountRow(msgspec.Struct, frozen=True):
    """How the last reconciliation of an account ended; `runs` counts those of this run."""

    account: str
    runs: int
    reconciled_ns: int
    cause: str
    differences: int
    error: str


class Orders(msgspec.Struct, frozen=True):
    """The answer to ListOrders, oldest first; `more` tells whether there are older ones."""

    orders: tuple[OrderRow, ...]
    more: bool = False


class Positions(msgspec.Struct, frozen=True):
    """The answer to ListPositions."""

    positions: tuple[PositionRow, ...]
    net: tuple[NetRow, ...]


class Trades(msgspec.Struct, frozen=True):
    """The answer to ListTrades, oldest first; `more` tells whether there are older ones."""

    trades: tuple[TradeRow, ...]
    more: bool = False


class Strategies(msgspec.Struct, frozen=True):
    """The answer to ListStrategies."""

    strategies: tuple[StrategyRow, ...]


class Blocks(msgspec.Struct, frozen=True):
    """The answer to ListBlocks; `refusals` counts the commands of persons that were refused, the last of them by `refusal`."""

    gate: str
    gate_reason: str
    blocks: tuple[BlockRow, ...]
    differences: tuple[DifferenceRow, ...]
    accounts: tuple[AccountRow, ...]
    unknown: tuple[OrderRow, ...]
    refusals: int = 0
    refusal: str = ""


class KillTaken(msgspec.Struct, frozen=True):
    """The answer to Kill: the gate is closed; `engine_answered` tells whether anybody sees to the orders.

    `entries` counts the open orders of ours that may increase a position. `fading` says why it may not outlive a restart, "" when it
    does.
    """

    kill_id: int
    gate_closed_ms: float = 0.0
    engine_answered: bool = False
    entries: int = 0
    positions: tuple[PositionRow, ...] = ()
    fading: str = ""


class KillProgress(msgspec.Struct, frozen=True):
    """What has become of the entry orders that a kill found.

    `still_open` counts those that have not ended yet, of which `open` are the first, as `staying` are of the `reducing` and foreign
    ones that stay. `closing` says whose positions are being closed, and what that waits for.
    """

    entries: int
    still_open: int
    cancels_asked: int
    cancelled: int
    filled: int
    ended_otherwise: int
    reducing: int
    foreign: int
    open: tuple[OrderRow, ...]
    staying: tuple[OrderRow, ...]
    positions: tuple[PositionRow, ...]
    closing: tuple[str, ...] = ()


class Taken(msgspec.Struct, frozen=True):
    """A wish was checked and put, and what there was before, so that what comes of it can be told apart.

    `before` is how much the strategy had said of itself, `refusals` and `runs` as in Blocks and AccountRow; `subject` is the id of the
    order that was named, also where the venue's id was.
    """

    before: int = 0
    refusals: int = 0
    runs: dict[str, int] = {}
    was: str = ""
    subject: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """Why nothing was done: the class of the error and its text."""

    type: str
    message: str


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What comes back: an answer, or an error."""

    answer: msgspec.Raw = msgspec.Raw(b"null")
    error: Refusal | str | None = None
