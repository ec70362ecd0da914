"""What the records of the journal add up to: all that a start needs to go on where the last run ended.

Pure: records go in, in their order, and nothing else is asked. The same struct, made of living objects, is what a Snapshot holds.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal

import msgspec

from foxtrot.core.collector_pause import paused_collector
from foxtrot.domain.enums import OrderStatus, PositionSide
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, OrderData, TradeData
from foxtrot.domain.outcome import Outcome
from foxtrot.storage.journal_records import (
    Adjusted,
    AmendAsked,
    AmendEnded,
    BalancesFound,
    CancelAsked,
    ChargeBooked,
    FillBooked,
    Handed,
    InstrumentListed,
    Intent,
    JournalRecord,
    KeyUsed,
    NotSent,
    OrderResolved,
    OrderTold,
    PositionsFound,
    Record,
    RunStarted,
    RunStopped,
    SettingChanged,
    Snapshot,
    VenueSaid,
)
from foxtrot.trading.decisions import Decisions
from foxtrot.trading.order_index import long_key
from foxtrot.trading.position import Fill

Movement = FillBooked | ChargeBooked | BalancesFound | PositionsFound | Adjusted
"""What moves positions and balances, in the order in which it was counted."""
UNFOLDED: frozenset[type[Record]] = frozenset({RunStarted, RunStopped, Handed, SettingChanged, KeyUsed, VenueSaid})
"""What is written down for people to read: a start needs none of it, and a reader may leave it out."""


class OrderLife(msgspec.Struct):
    """One order as the records leave it; `ended` is how it ended without the venue (not sent, or resolved by a person), until it is told so.

    `amends` are the changes of which no end was written, `amends_asked` is the number of the last that was asked for.
    """

    owner: str
    approved: ApprovedOrder | None = None
    told: OrderData | None = None
    intent_time_ns: int = 0
    cancel_asked: bool = False
    ended: tuple[OrderStatus, str, str] | None = None
    fills: list[TradeData] = []
    amends: list[ApprovedAmend] = []
    amends_asked: int = 0


class PositionTotals(msgspec.Struct, frozen=True):
    """A position; the account's own, over all owners, has the owner "".

    `recent` are its latest fills, `base` what was held before them: a fill that is heard late is put in its place among them.
    Snapshots of older versions have neither; then all that is held is the base.
    """

    owner: str
    account: str
    instrument_id: str
    position_side: PositionSide
    quantity: int
    cost: int
    realised: int
    flow: int
    turnover: int
    fills: int
    found: int
    found_value: int
    fees: dict[str, Decimal]
    funding: dict[str, Decimal]
    base: tuple[int, int, int] | None = None
    recent: tuple[Fill, ...] = ()


class AccountTotals(msgspec.Struct, frozen=True):
    """An account beside its positions, as in AccountBook."""

    opening: dict[str, Decimal] | None
    opening_time_ns: int
    positions_found: bool
    charges: dict[str, Decimal]
    unshared: dict[str, Decimal]
    charge_ids: tuple[tuple[str, str], ...]


class RestoredState(msgspec.Struct):
    """Everything that a start takes over.

    `positions` and `accounts` are those of the last snapshot; `movements` what moved them since. `loose` are fills whose order was
    never told. `last_fill_ns` is, by account, the venue's time of the latest fill that was counted, or of the opening before one.
    `forgotten_until_ns` is, by account, the venue's time of the latest fill of the orders that are not carried along any more.
    """

    instruments: dict[str, Instrument] = {}
    orders: dict[str, OrderLife] = {}
    loose: list[FillBooked] = []
    positions: list[PositionTotals] = []
    accounts: dict[str, AccountTotals] = {}
    movements: list[Movement] = []
    last_fill_ns: dict[str, int] = {}
    forgotten_until_ns: dict[str, int] = {}
    decisions: Decisions = msgspec.field(default_factory=Decisions)

    def without(self, accounts: Collection[str]) -> "RestoredState":
        """Return the state without what it tells of some accounts; decisions stay, but for protections and losses of what they held."""
        gone = {totals.owner for totals in self.positions if totals.account in accounts}
        gone |= {one.owner for one in self.movements if isinstance(one, FillBooked) and account_of(one) in accounts}
        return msgspec.structs.replace(
            self,
            orders={key: life for key, life in self.orders.items() if _place(life)[0] not in accounts},
            loose=[booked for booked in self.loose if booked.trade.account not in accounts],
            positions=[totals for totals in self.positions if totals.account not in accounts],
            accounts={name: totals for name, totals in self.accounts.items() if name not in accounts},
            movements=[movement for movement in self.movements if account_of(movement) not in accounts],
            last_fill_ns={name: last_ns for name, last_ns in self.last_fill_ns.items() if name not in accounts},
            forgotten_until_ns={
                name: until_ns for name, until_ns in self.forgotten_until_ns.items() if name not in accounts
            },
            decisions=self.decisions.without(accounts, gone),
        )

    def take(self, record: JournalRecord) -> None:
        """Add a record."""
        match record:
            case OrderTold():
                self.take_told(record)
            case FillBooked():
                self.take_fill(record)
            case Intent(order=order):
                self.orders[order.order_id] = OrderLife(order.strategy_id, order, intent_time_ns=record.time_ns)
            case ChargeBooked() | PositionsFound():
                self.movements.append(record)
            case BalancesFound(account=account):
                self.movements.append(record)
                self.last_fill_ns.setdefault(account.account, account.venue_time_ns)
            case Adjusted():
                self.movements.append(record)
                self.decisions.take(record)
            case InstrumentListed(instrument=instrument):
                self.instruments[instrument.instrument_id] = instrument
            case NotSent() | CancelAsked() | OrderResolved():
                self._take_end(record)
            case AmendAsked() | AmendEnded():
                self._take_amend(record)
            case _:
                self.decisions.take(record)

    def _take_end(self, record: NotSent | CancelAsked | OrderResolved) -> None:
        """Add what we did ourselves about an order; one that ended before the last snapshot is not known any more."""
        life = self.orders.get(record.order_id)
        if life is None:
            return
        match record:
            case NotSent(status=status, rule=rule, reason=reason):
                life.ended = (status, rule, reason)
            case OrderResolved(status=status, who=who, why=why):
                life.ended = (status, "resolved", f"by {who}: {why}")
            case CancelAsked():
                life.cancel_asked = True

    def _take_amend(self, record: AmendAsked | AmendEnded) -> None:
        """Add a change of an order or its end; the terms that it made are told with the order."""
        order_id = record.amend.order.order_id if isinstance(record, AmendAsked) else record.order_id
        life = self.orders.get(order_id)
        if life is None:
            return
        if isinstance(record, AmendAsked):
            life.amends.append(record.amend)
            life.amends_asked = record.amend.number
            return
        if record.outcome is Outcome.CONFIRMED:
            life.amends = [amend for amend in life.amends if amend.number > record.number]
        else:
            life.amends = [amend for amend in life.amends if amend.number != record.number]

    def take_fill(self, booked: FillBooked) -> None:
        """Add a fill to what moved, and to its order."""
        trade = booked.trade
        self.movements.append(booked)
        self.last_fill_ns[trade.account] = max(self.last_fill_ns.get(trade.account, 0), trade.venue_time_ns)
        life = self.orders.get(trade.order_id)
        if life is None or not _is_at(life, trade.account, trade.instrument_id):
            life = self.orders.get(long_key(trade.account, trade.instrument_id, trade.order_id))
        if life is None:
            self.loose.append(booked)
        else:
            life.fills.append(trade)

    def take_told(self, told: OrderTold) -> None:
        """Add what an order had become; fills that came before it was told belong to it now."""
        order = told.order
        key = order.order_id
        life = self.orders.get(key)
        if life is not None and not _is_at(life, order.account, order.instrument_id):
            key = long_key(order.account, order.instrument_id, order.order_id)
            life = self.orders.get(key)
        if life is None:
            life = self.orders[key] = OrderLife(told.owner, told=order)
            mine = [one for one in self.loose if _is_of(one.trade, order)]
            life.fills = [one.trade for one in mine]
            self.loose = [one for one in self.loose if not _is_of(one.trade, order)] if mine else self.loose
        life.told = order
        life.ended = None  # it is told with its end, or with what the venue said after all


def account_of(movement: Movement) -> str:
    """Return the account that a movement moved."""
    match movement:
        case FillBooked(trade=trade):
            return trade.account
        case ChargeBooked(charge=charge):
            return charge.account
        case BalancesFound(account=found):
            return found.account
        case _:
            return movement.account


def fold(records: Iterable[JournalRecord]) -> RestoredState:
    """Return what records add up to; they begin anywhere and are complete from the last Snapshot among them on."""
    state = RestoredState()
    with paused_collector():
        for record in records:
            if type(record) is Snapshot:
                state = decode_state(record.state)
            else:
                state.take(record)
    return state


def encode_state(state: RestoredState) -> msgspec.Raw:
    """Return a state as JSON."""
    return msgspec.Raw(msgspec.json.encode(state))


def decode_state(data: msgspec.Raw | bytes) -> RestoredState:
    """Return the state that JSON stands for.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return msgspec.json.decode(data, type=RestoredState)


def _place(life: OrderLife) -> tuple[str, str]:
    order = life.approved or life.told
    return (order.account, order.instrument_id) if order is not None else ("", "")


def _is_at(life: OrderLife, account: str, instrument_id: str) -> bool:
    order = life.approved or life.told
    return order is not None and order.account == account and order.instrument_id == instrument_id


def _is_of(trade: TradeData, order: OrderData) -> bool:
    mine = (order.order_id, order.account, order.instrument_id)
    return (trade.order_id, trade.account, trade.instrument_id) == mine
