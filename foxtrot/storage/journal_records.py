"""What the journal keeps: one frozen struct per kind of record, told apart on disk by its `kind`.

A record is written once and never changed. What a field means must not change either: a new meaning is a new kind, so that a
journal of every past version stays readable.
"""

from decimal import Decimal

import msgspec

from foxtrot.domain.account import AccountCharge, AccountData, PositionData
from foxtrot.domain.enums import GateState, OrderStatus, PositionSide
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, OrderData, TradeData
from foxtrot.domain.outcome import Outcome


class Record(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag=True):
    """A record of the journal; `time_ns` is when we wrote it, UTC."""

    time_ns: int


class RunStarted(Record, frozen=True, gc=False, tag="run_started"):
    """A platform began: who started it, with which version, configuration and strategy files (id → SHA-256)."""

    run_id: str
    who: str
    version: str
    config_hash: str
    strategies: dict[str, str]


class RunStopped(Record, frozen=True, gc=False, tag="run_stopped"):
    """A platform ended in order."""

    run_id: str


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """What was known when an order was wished for: the event being handled, the quote, and how good the book was."""

    event: str
    sequence: int
    event_venue_time_ns: int
    event_local_time_ns: int
    bid: float
    ask: float
    last: float
    quote_time_ns: int
    book_state: str


class Intent(Record, frozen=True, gc=False, tag="intent"):
    """An order that passed risk and may be sent once this record is durable."""

    order: ApprovedOrder
    strategy_hash: str = ""
    arrival: Arrival | None = None


class NotSent(Record, frozen=True, gc=False, tag="not_sent"):
    """An intent that was refused, or withdrawn, before the wire, and why; `status` is how it ended."""

    order_id: str
    rule: str
    reason: str
    status: OrderStatus = OrderStatus.DENIED


class Handed(Record, frozen=True, gc=False, tag="handed"):
    """An order passed the gate and was handed to its adapter."""

    order_id: str


class CancelAsked(Record, frozen=True, gc=False, tag="cancel_asked"):
    """The cancellation of an order was asked for."""

    order_id: str


class AmendAsked(Record, frozen=True, gc=False, tag="amend_asked"):
    """A change of an order that passed risk and may be sent once this record is durable."""

    amend: ApprovedAmend


class AmendEnded(Record, frozen=True, gc=False, tag="amend_ended"):
    """What became of a change of an order, and why; UNKNOWN is not written, for it is no end."""

    order_id: str
    number: int
    outcome: Outcome
    rule: str
    reason: str


class OrderTold(Record, frozen=True, gc=False, tag="order_told"):
    """An order as the desk held it after a report changed it."""

    owner: str
    order: OrderData


class FillBooked(Record, frozen=True, gc=False, tag="fill_booked"):
    """A fill that was counted for the first time; `opened` as in Portfolio.apply_fill."""

    owner: str
    trade: TradeData
    opened: bool = False


class ChargeBooked(Record, frozen=True, gc=False, tag="charge_booked"):
    """Money that moved without a trade, counted for the first time."""

    charge: AccountCharge


class BalancesFound(Record, frozen=True, gc=False, tag="balances_found"):
    """The balances of an account at its first connection: EXTERNAL's."""

    account: AccountData


class PositionsFound(Record, frozen=True, gc=False, tag="positions_found"):
    """The positions of an account at its first connection: EXTERNAL's."""

    account: str
    positions: tuple[PositionData, ...]


class InstrumentListed(Record, frozen=True, gc=False, tag="instrument_listed"):
    """An instrument of which records follow, as it was listed then: without its grids no unit could be read back."""

    instrument: Instrument


class Adjusted(Record, frozen=True, gc=False, tag="adjusted"):
    """An account was made to agree with its venue without a fill.

    A position of `owner` in an instrument moved by `quantity` units at a cost of `price`, or, with an `asset`, the balance of
    EXTERNAL by `amount`. `cause` is what explains it, `who` decided it (a person, or "reconcile").
    """

    adjustment_id: str
    account: str
    owner: str
    instrument_id: str
    position_side: PositionSide
    quantity_units: int
    price: float
    asset: str
    amount: Decimal
    cause: str
    who: str


class DifferenceSettled(Record, frozen=True, gc=False, tag="difference_settled"):
    """A person adopted or ignored a difference; an ignored one is not told again while both sides stay as they are."""

    difference_id: str
    decision: str
    account: str
    subject: str
    ours: str
    venue: str
    who: str
    why: str


class OrderResolved(Record, frozen=True, gc=False, tag="order_resolved"):
    """A person said what became of an order of unknown outcome."""

    order_id: str
    status: OrderStatus
    who: str
    why: str


class GateMoved(Record, frozen=True, gc=False, tag="gate_moved"):
    """What the gate lets through was changed, for the platform ("" and ""), an account, an instrument or both.

    `lasting`: it stands over a restart until a person lifts it; `killed`: by the kill switch.
    """

    state: GateState
    account: str
    instrument_id: str
    reason: str
    who: str
    lasting: bool
    killed: bool = False


class StrategyHalted(Record, frozen=True, gc=False, tag="strategy_halted"):
    """A strategy may not trade until a person re-arms it, also after a restart."""

    strategy_id: str
    rule: str
    reason: str


class StrategyRearmed(Record, frozen=True, gc=False, tag="strategy_rearmed"):
    """A person lets a strategy trade again."""

    strategy_id: str
    who: str
    why: str


class LossesMarked(Record, frozen=True, gc=False, tag="losses_marked"):
    """What a scope with a loss limit had made when its trading day began (`day_ns`, UTC), and at its peak, in the base currency.

    A `day_ns` of 0: a person let its losses count anew.
    """

    scope: str
    day_ns: int
    at_start: Decimal
    peak: Decimal


class SettingChanged(Record, frozen=True, gc=False, tag="setting_changed"):
    """A setting or limit was changed; values are text, secrets masked."""

    scope: str
    name: str
    before: str
    after: str
    who: str


class ProtectionKept(Record, frozen=True, gc=False, tag="protection_kept"):
    """A local stop, trailing stop or bracket as it stands now; `state` is its own JSON, "" once it is over."""

    protection_id: str
    owner: str
    account: str
    instrument_id: str
    state: str


class RollKept(Record, frozen=True, gc=False, tag="roll_kept"):
    """A roll from one future into another as it stands now; `state` is its own JSON, "" once it is over."""

    roll_id: str
    owner: str
    account: str
    state: str


class FillsWhole(Record, frozen=True, gc=False, tag="fills_whole"):
    """The fills of an account are whole up to a time of its venue (UTC): whoever starts after this asks for those since then."""

    account: str
    until_ns: int


class KeyUsed(Record, frozen=True, gc=False, tag="key_used"):
    """A key was used to log in: for which account and environment, and a fingerprint that tells keys apart without showing them."""

    account: str
    environment: str
    fingerprint: str


class VenueSaid(Record, frozen=True, gc=False, tag="venue_said"):
    """A raw message between us and a venue about one order; signatures and keys are taken out. `direction` is out or in."""

    account: str
    order_id: str
    direction: str
    text: str


class Snapshot(Record, frozen=True, gc=False, tag="snapshot"):
    """All that a start needs of the records before this one, as JSON of trading.restored_state."""

    state: msgspec.Raw


JournalRecord = (
    RunStarted | RunStopped | Intent | NotSent | Handed | CancelAsked | AmendAsked | AmendEnded | OrderTold | FillBooked | ChargeBooked | BalancesFound
    | PositionsFound | InstrumentListed | Adjusted | DifferenceSettled | OrderResolved | GateMoved | StrategyHalted | StrategyRearmed
    | LossesMarked | SettingChanged | ProtectionKept | RollKept | FillsWhole | KeyUsed | VenueSaid | Snapshot
)  # fmt: skip

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(JournalRecord)


def encode_record(record: JournalRecord) -> bytes:
    """Return a record as JSON."""
    return _ENCODER.encode(record)


def decode_record(data: bytes) -> JournalRecord:
    """Return the record that JSON stands for.

    Raises:
        msgspec.MsgspecError: it is none, or of a kind that this version does not know.
    """
    record: JournalRecord = _DECODER.decode(data)
    return record
