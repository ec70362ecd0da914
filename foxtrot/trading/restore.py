"""Restore: the state that the journal tells is put into desk, portfolio and gate, before anything connects.

Every start runs this, after a crash and after an orderly stop alike. An order without proof of its end comes back open; one that no
report ever spoke of comes back UNKNOWN, and its adapter is asked to find out once the account is connected.
"""

from foxtrot.core.collector_pause import paused_collector
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AdapterStatus, PositionsLoaded
from foxtrot.domain.enums import AdapterState, OrderStatus
from foxtrot.domain.errors import InvariantBroken
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import TradeData
from foxtrot.storage.journal_records import Adjusted, BalancesFound, ChargeBooked, FillBooked, PositionsFound
from foxtrot.trading import order_amends
from foxtrot.trading.account_book import AccountBook
from foxtrot.trading.adjustment import apply_adjustment
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_facts import created_order
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import Portfolio, signed
from foxtrot.trading.position import Position
from foxtrot.trading.restored_state import AccountTotals, Movement, OrderLife, PositionTotals, RestoredState

OWNER = "restore"
UNHEARD = "restart"
UNHEARD_REASON = "the run that sent it ended before anything was heard of it"


class Restore:
    """Puts a state into the parts, and asks for the orders of which nothing was heard.

    Thread: the dispatcher's.
    """

    def __init__(self, desk: OrderDesk, portfolio: Portfolio) -> None:
        self._desk = desk
        self._portfolio = portfolio
        self._sent_ns: dict[str, int] = {}
        self._unheard: dict[str, list[OrderRecord]] = {}

    def put(self, state: RestoredState) -> None:
        """Put a state in; the parts must be empty.

        Raises:
            InvariantBroken: a record speaks of an instrument that no record listed.
        """
        with paused_collector():
            self._put(state)

    def _put(self, state: RestoredState) -> None:
        for instrument in state.instruments.values():
            self._portfolio.instruments.add(instrument)
            self._desk.journal.note_listed(instrument)
        for position in state.positions:
            self._put_position(position)
        for name, totals in state.accounts.items():
            _put_account(self._portfolio.account(name), totals)
        for movement in state.movements:
            apply_movement(self._portfolio, movement)
        for key, life in state.orders.items():
            self._put_order(key, life)
        for booked in state.loose:
            instrument = self._instrument(booked.trade.instrument_id)
            self._desk.early.add(booked.trade, *_units(booked.trade, instrument))
        self._desk.early.forgotten_until_ns = dict(state.forgotten_until_ns)

    def watch(self, dispatcher: Dispatcher) -> None:
        """Hear connections, to ask for the orders of which nothing was heard."""
        dispatcher.subscribe(AdapterStatus, self.on_status, owner=OWNER, core=True)

    def on_status(self, status: AdapterStatus) -> None:
        """Ask an account's adapter for its unheard orders once, when it first has a connection."""
        if status.state not in (AdapterState.CONNECTED, AdapterState.READY):
            return
        for record in self._unheard.pop(status.account, []):
            if record.status is OrderStatus.UNKNOWN and record.approved is not None:
                adapter = self._desk.adapters[status.account]
                adapter.recover_order(record.approved, self._sent_ns[record.terms.order_id])

    def _put_order(self, key: str, life: OrderLife) -> None:
        terms = life.told
        if life.approved is not None:
            order = life.approved
            terms = created_order(order, self._instrument(order.instrument_id), reduce_only=order.reduce_only)
        if terms is None:
            raise InvariantBroken(f"the journal has an order {key} of which it tells nothing")
        record = OrderRecord(terms, self._instrument(terms.instrument_id), life.owner, life.approved)
        if life.told is not None and life.amends_asked:
            order_amends.take_told(record, life.told)
        for trade in life.fills:
            record.add_fill(trade, *_units(trade, record.instrument))
        if life.told is not None:
            record.merge_report(life.told)
        if life.ended is not None:
            record.set_status(*life.ended)
        record.cancel_asked = life.cancel_asked
        if record.status in (OrderStatus.CREATED, OrderStatus.SUBMITTED):
            record.set_status(OrderStatus.UNKNOWN, UNHEARD, UNHEARD_REASON)
        self._desk.take_restored(record)
        if life.amends_asked:
            self._desk.amends.take_restored(record, tuple(life.amends), life.amends_asked)
        if record.status is OrderStatus.UNKNOWN and life.approved is not None:
            self._sent_ns[terms.order_id] = life.intent_time_ns
            self._unheard.setdefault(terms.account, []).append(record)

    def _put_position(self, totals: PositionTotals) -> None:
        account, instrument_id, side = totals.account, totals.instrument_id, totals.position_side
        if totals.owner:
            position = self._portfolio.owned((totals.owner, account, instrument_id, side))
        else:
            position = self._portfolio.net(account, instrument_id, side)
        put_totals(position, totals)

    def _instrument(self, instrument_id: str) -> Instrument:
        return _listed(self._portfolio, instrument_id)


def apply_movement(portfolio: Portfolio, movement: Movement) -> bool:
    """Count what a record says was moved, as it was counted when the record was written; False for what was counted before.

    Raises:
        InvariantBroken: it speaks of an instrument that no record listed.
    """
    match movement:
        case FillBooked(owner=owner, trade=trade, opened=opened):
            quantity, price = _units(trade, _listed(portfolio, trade.instrument_id))
            portfolio.apply_fill(trade, owner, signed(trade.side, quantity), price, opened=opened)
            return True
        case ChargeBooked(charge=charge):
            return portfolio.on_charge(charge)
        case BalancesFound(account=account):
            return portfolio.on_account(account)
        case PositionsFound(time_ns=time_ns, account=name, positions=positions):
            return portfolio.on_positions(PositionsLoaded(name, positions, time_ns))
        case Adjusted():
            return apply_adjustment(portfolio, movement)


def _listed(portfolio: Portfolio, instrument_id: str) -> Instrument:
    instrument = portfolio.instruments.get(instrument_id)
    if instrument is None:
        raise InvariantBroken(f"the journal speaks of {instrument_id}, which no record of it lists")
    return instrument


def put_totals(position: Position, totals: PositionTotals) -> None:
    """Give a new position what it had."""
    position.quantity, position.cost, position.realised = totals.quantity, totals.cost, totals.realised
    position.base = totals.base or (totals.quantity, totals.cost, totals.realised)
    position.history = list(totals.recent)
    position.flow, position.turnover, position.fills = totals.flow, totals.turnover, totals.fills
    position.found, position.found_value = totals.found, totals.found_value
    position.fees, position.funding = dict(totals.fees), dict(totals.funding)


def _put_account(book: AccountBook, totals: AccountTotals) -> None:
    book.opening = None if totals.opening is None else dict(totals.opening)
    book.opening_time_ns, book.positions_found = totals.opening_time_ns, totals.positions_found
    book.charges, book.unshared = dict(totals.charges), dict(totals.unshared)
    book.charge_ids = set(totals.charge_ids)


def _units(trade: TradeData, instrument: Instrument) -> tuple[int, int]:
    return instrument.quantity_grid.from_float(trade.quantity), instrument.price_grid.from_float(trade.price)
