"""Commands: wishes from other threads, put into the engine, each with exactly one handler."""

from decimal import Decimal

import msgspec

from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import OrderStatus, PositionSide
from foxtrot.domain.order import AmendRequest, OrderRequest
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest


class SendOrder(msgspec.Struct, frozen=True, gc=False):
    """Send an order on behalf of an owner (a strategy id, or a name such as "manual")."""

    request: OrderRequest
    owner: str


class SendProtectedOrder(msgspec.Struct, frozen=True, gc=False):
    """Send an entry whose position is protected from its first fill on, on behalf of an owner who is no strategy.

    `stop`, `take_profit` and `trailing` are as in trading.protection_state.ProtectionTerms, 0.0 is none.
    """

    request: OrderRequest
    owner: str
    stop: float = 0.0
    take_profit: float = 0.0
    trailing: float = 0.0


class ProtectPosition(msgspec.Struct, frozen=True, gc=False):
    """Protect what an owner holds of an instrument, or change how, by a person's decision; None stays as it was, 0.0 takes it away.

    With all three 0.0 the protection is forgotten and its orders are cancelled. A refusal is told by RequestFailed.
    """

    owner: str
    account: str
    instrument_id: str
    stop: float | None = None
    take_profit: float | None = None
    trailing: float | None = None


class ClosePosition(msgspec.Struct, frozen=True, gc=False):
    """Close what an owner holds of an instrument at the market, or `quantity` of it (0.0 is all), by a person's decision.

    What protects it at the venue is withdrawn first, and protects what is left afterwards. With `reverse` the same is opened on the
    other side once it is flat. A refusal is told by RequestFailed, that of an order by OrderChanged.
    """

    owner: str
    account: str
    instrument_id: str
    position_side: PositionSide = PositionSide.NET
    quantity: float = 0.0
    reverse: bool = False


class CancelOrder(msgspec.Struct, frozen=True, gc=False):
    """Cancel one order by its id."""

    order_id: str


class AmendOrder(msgspec.Struct, frozen=True, gc=False):
    """Change a resting order; answered by AmendAnswered."""

    request: AmendRequest


class ReplaceOrder(msgspec.Struct, frozen=True, gc=False):
    """Cancel a resting order and place what is left of it with other terms, for venues that change no orders.

    The new order has an id of its own and is judged as any; RequestFailed tells when there will be none.
    """

    request: AmendRequest


class CancelAllOrders(msgspec.Struct, frozen=True, gc=False):
    """Cancel the open orders of an owner; an empty owner means everybody's."""

    owner: str = ""


class WatchMarket(msgspec.Struct, frozen=True, gc=False):
    """Stream an instrument from an account's venue, for somebody who looks at it; adds to what is streamed already."""

    account: str
    request: SubscribeRequest


class AskHistory(msgspec.Struct, frozen=True, gc=False):
    """Ask an account's venue for past bars; answered by HistoryLoaded."""

    account: str
    request: HistoryRequest


class StartStrategy(msgspec.Struct, frozen=True, gc=False):
    """Start a strategy that is loaded and not running."""

    strategy_id: str


class StopStrategy(msgspec.Struct, frozen=True, gc=False):
    """Stop a running strategy and apply its exit policy for `occasion` (on_stop, on_error or on_shutdown)."""

    strategy_id: str
    occasion: str = "on_stop"


class StrategyStep(msgspec.Struct, frozen=True, gc=False):
    """A step in the life of one strategy (init, start or stop), heard by that strategy alone so that its raise is its own."""

    strategy_id: str
    step: str


class SetParameters(msgspec.Struct, frozen=True, gc=False):
    """Change declared parameters of a strategy that is not running; values are text, int, float or bool."""

    strategy_id: str
    values: tuple[tuple[str, str | int | float | bool], ...]


class ReloadStrategy(msgspec.Struct, frozen=True, gc=False):
    """Load the code of a stopped strategy again and make a fresh instance with the same settings."""

    strategy_id: str


class StartTimer(msgspec.Struct, frozen=True, gc=False):
    """Start a timer from another thread; see Dispatcher.set_timer."""

    owner: str
    name: str
    delay_ns: int
    interval_ns: int


class CloseGate(msgspec.Struct, frozen=True, gc=False):
    """Record that the gate was closed directly by somebody, and why."""

    reason: str


class HoldEntries(msgspec.Struct, frozen=True, gc=False):
    """Let only reducing orders through for as long as `who` says, and why; with an empty reason `who` lets go."""

    who: str
    reason: str


class ReplayDeadLetters(msgspec.Struct, frozen=True, gc=False):
    """Let a halted owner hear again and give it the events it failed on."""

    owner: str


class KillSwitch(msgspec.Struct, frozen=True, gc=False):
    """Cancel what may increase a position; the gate was closed before this was put, directly.

    With `flatten` what strategies own is closed too, with `everything` what the accounts hold besides.
    """

    reason: str
    who: str
    flatten: bool = False
    everything: bool = False


class ResumeTrading(msgspec.Struct, frozen=True, gc=False):
    """Lift a block, or re-arm a strategy, by a person's decision; all three names empty means the platform itself."""

    who: str
    why: str
    account: str = ""
    instrument_id: str = ""
    strategy_id: str = ""


class ResolveOrder(msgspec.Struct, frozen=True, gc=False):
    """Say what became of an order of unknown outcome, by a person's decision."""

    order_id: str
    status: OrderStatus
    who: str
    why: str


class SettleDifference(msgspec.Struct, frozen=True, gc=False):
    """Adopt or ignore (`decision`) a difference between us and a venue, by a person's decision; what is adopted goes to `owner`."""

    difference_id: str
    decision: str
    who: str
    why: str
    owner: str = EXTERNAL


class RollPosition(msgspec.Struct, frozen=True, gc=False):
    """Close a position in a future and open the same in a later contract, or with `forget` give up one that was cut.

    A `quantity` of 0 is all of it; `owner` and `account` may be empty where one alone holds it.
    """

    roll_id: str
    old: str
    new: str
    who: str
    why: str = ""
    quantity: Decimal = Decimal(0)
    owner: str = ""
    account: str = ""
    forget: bool = False


class ReconcileNow(msgspec.Struct, frozen=True, gc=False):
    """Reconcile an account, or every one when it is empty.

    `again` tells that it was asked for before with the same cause: a run of that cause that is not complete yet goes on.
    """

    account: str = ""
    cause: str = "asked for"
    again: bool = False


class RenewLink(msgspec.Struct, frozen=True, gc=False):
    """Give up the connection of an account and make another, because somebody believes it no more (`cause`)."""

    account: str
    cause: str


class BeginStop(msgspec.Struct, frozen=True, gc=False):
    """The platform is about to stop: whoever becomes ready from now on comes too late."""


class AuditAccounts(msgspec.Struct, frozen=True, gc=False):
    """Ask venues what these accounts have and compare; an audit without an answer within `deadline_ns` fails."""

    accounts: tuple[str, ...]
    deadline_ns: int
