"""The order desk: the one door for orders and the one record of them.

Down: a request gets its id, passes risk, is journalled, and leaves through the gate when its intent is durable.
Up: reports and fills are merged by order id; duplicates change nothing; then strategies hear OrderChanged and TradeBooked.
"""

from typing import Protocol

from foxtrot.adapter.base_adapter import BaseAdapter, EventSink
from foxtrot.core.clock import Clock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import OpenOrdersLoaded, OrderChanged, TradeBooked, TradesLoaded
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import InvariantBroken, OffGrid, OrderRefused
from foxtrot.domain.instrument import Instrument, InstrumentTable
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData, OrderRequest, TradeData
from foxtrot.domain.order_state import OPEN, TERMINAL
from foxtrot.trading.amend_desk import AmendCheck, AmendDesk
from foxtrot.trading.echo import EchoCheck
from foxtrot.trading.gate import Gate
from foxtrot.trading.journal_wait import JournalWait
from foxtrot.trading.late_fees import late_fees
from foxtrot.trading.order_facts import created_order, denied_order
from foxtrot.trading.order_ids import OrderIds, StrategyIds
from foxtrot.trading.order_journal import OrderJournal
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.order_records import OrderRecords
from foxtrot.trading.orphans import Orphans
from foxtrot.trading.portfolio import Portfolio, signed
from foxtrot.trading.resolutions import Resolutions


class OrderCheck(AmendCheck, Protocol):
    """What the desk needs of risk.

    Thread: the dispatcher's.
    """

    def approve(self, request: OrderRequest, strategy_id: str, order_id: str) -> ApprovedOrder:
        """Return the order in exact units.

        Raises:
            OrderRefused: a rule forbids it.
        """
        ...

    def note_message(self, strategy_id: str, account: str) -> None:
        """Count a cancel towards the message rate."""
        ...

    def approve_pair(
        self, first: OrderRequest, second: OrderRequest, strategy_id: str, order_ids: tuple[str, str]
    ) -> tuple[ApprovedOrder, ApprovedOrder]:
        """Return two orders of which one ends the other, each judged as though it were alone.

        Raises:
            OrderRefused: a rule forbids one of them, or they are no pair.
        """
        ...


class OrderDesk(OrderRecords):
    """Numbers, records and routes orders.

    Thread: the dispatcher's.
    """

    def __init__(
        self, dispatcher: Dispatcher, instruments: InstrumentTable, portfolio: Portfolio, gate: Gate, ids: OrderIds
    ) -> None:
        super().__init__()
        self._sink: EventSink = dispatcher
        self._clock: Clock = dispatcher.clock
        self._instruments = instruments
        self._portfolio = portfolio
        self._gate = gate
        self._ids = ids
        self._caught_up: set[str] = set()
        self.adapters: dict[str, BaseAdapter] = {}
        self.strategy_ids = StrategyIds()
        self.echo = EchoCheck(self.index, self._doubt, dispatcher, dispatcher.clock)
        self.orphans = Orphans(instruments, gate, dispatcher, dispatcher.clock)
        self.journal_wait = JournalWait(self.index, gate, dispatcher.clock, self._send, self._end_unsent)
        self.resolutions = Resolutions(self, self._settle, dispatcher, dispatcher.clock)
        self.amends = AmendDesk(self.index, lambda: self.adapters, gate, dispatcher, dispatcher.clock)
        self.late_fills = 0
        self.duplicate_fills = 0

    def wire(self, dispatcher: Dispatcher, risk: OrderCheck, journal: OrderJournal) -> None:
        """Take the parts that need the desk themselves, and hear the venue and the journal as a core subscriber."""
        self._risk = risk
        self._dispatcher = dispatcher
        self.journal = journal
        self.amends.wire(dispatcher, risk, journal)
        dispatcher.subscribe(OrderData, self.on_order, owner="order_desk", core=True)
        dispatcher.subscribe(TradeData, self.on_trade, owner="order_desk", core=True)
        dispatcher.subscribe(OpenOrdersLoaded, self.on_open_orders, owner="order_desk", core=True)
        dispatcher.subscribe(TradesLoaded, self.on_trades, owner="order_desk", core=True)
        self.journal_wait.wire(dispatcher)
        self.resolutions.wire(dispatcher, journal)

    # --- down -----------------------------------------------------------------------------------------------------

    def submit(self, request: OrderRequest, owner: str, cause: object = None) -> str:
        """Take a wish and return its order id; a refusal is heard as OrderChanged with status DENIED, rule and reason.

        Args:
            request: the wish.
            owner: a strategy id, or a name such as "manual".
            cause: the event that the owner was hearing, for the record; the one being handled unless it is given.
        """
        order_id = self._ids.next(owner)
        try:
            approved = self._risk.approve(request, owner, order_id)
        except OrderRefused as refusal:
            self._deny(request, owner, order_id, refusal)
            return order_id
        self._file(approved, request)
        self.journal.intent(approved, cause or self._dispatcher.current, self._dispatcher.sequence)
        return approved.order_id  # risk has given it the role that the order turned out to have

    def submit_pair(self, first: OrderRequest, second: OrderRequest, owner: str) -> tuple[str, str]:
        """Take two wishes of which one ends the other at the venue, and return their ids; both are taken, or both are denied.

        They leave as one when both intents are durable, see `BaseAdapter.send_pair`, and count once, for one fills at most.
        """
        ids = self._ids.next(owner), self._ids.next(owner)
        try:
            pair = self._risk.approve_pair(first, second, owner, ids)
        except OrderRefused as refusal:
            self._deny(first, owner, ids[0], refusal)
            self._deny(second, owner, ids[1], refusal)
            return ids
        for approved, request in zip(pair, (first, second), strict=True):
            self._file(approved, request)
        for approved in pair:
            self.journal.intent(approved, self._dispatcher.current, self._dispatcher.sequence)
        return pair[0].order_id, pair[1].order_id

    def deny(self, request: OrderRequest, owner: str, refusal: OrderRefused) -> str:
        """Refuse a wish for a reason that risk does not know of, and return its order id; heard as any refusal."""
        order_id = self._ids.next(owner)
        self._deny(request, owner, order_id, refusal)
        return order_id

    def cancel(self, order_id: str) -> bool:
        """Ask for the cancellation of an order; False when it is unknown or done already."""
        record = self.index.open.get(order_id)
        if record is None:
            return False
        self._ask_cancel(record)
        return True

    def cancel_all(self, owner: str = "", *, keep_reducing: bool = False, account: str = "") -> int:
        """Ask for the cancellation of an owner's open orders, of one account or all, and return how many.

        With "" those of every owner but EXTERNAL: what somebody else placed is cancelled only by that name.
        """
        records = [record for record in self.ours(owner, account) if not (keep_reducing and record.reduces)]
        for record in records:
            self._ask_cancel(record)
        return len(records)

    def take_restored(self, record: OrderRecord) -> None:
        """File an order of an earlier run; nobody is told."""
        self.index.add(record)
        _note_unknown(self._gate, record)

    # --- up -------------------------------------------------------------------------------------------------------

    def on_order(self, data: OrderData) -> None:
        """Merge a report of the venue; of an order that this run did not send, one that cannot be counted becomes an orphan."""
        if self.echo.is_false(data):
            return
        record = self.index.find(data.order_id, data.account, data.instrument_id)
        is_new = record is None
        try:
            record = record or self._adopt(data)
            before = record.status
            news = record.merge_report(data) or is_new
        except (InvariantBroken, OffGrid) as error:
            self.orphans.keep(data, record, error)
            return
        if news:
            if record.status is OrderStatus.DENIED and before is not OrderStatus.DENIED and record.approved is not None:
                self.journal.not_sent(record.terms.order_id, record.rule, record.reason, OrderStatus.DENIED)
            if before in TERMINAL and record.status in OPEN:
                self.resolutions.alarm_of_revival(record, before)
            self._settle(record, was_unknown=before is OrderStatus.UNKNOWN)

    def on_trade(self, trade: TradeData) -> None:
        """Count a fill once, then tell the strategies, of its order only what the venue's report has not told."""
        self._book(trade, opened=False)

    def on_open_orders(self, loaded: OpenOrdersLoaded) -> None:
        """Merge the venue's list of open orders."""
        for data in loaded.orders:
            self.on_order(data)

    def on_trades(self, loaded: TradesLoaded) -> None:
        """Merge the venue's list of our trades.

        Those of the first list that are older than the account's opening balances are part of these already: they move
        from EXTERNAL to the strategy that made them.
        """
        first = loaded.account not in self._caught_up
        self._caught_up.add(loaded.account)
        for trade in loaded.trades:
            self._book(trade, opened=first and self._portfolio.is_in_opening(trade))
            for charge in late_fees(self.index, self.adapters, trade, self._portfolio, self._clock.now_ns()):
                self._sink.put(charge)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _file(self, approved: ApprovedOrder, request: OrderRequest) -> None:
        """Record an approved order, which waits for the journal from now on."""
        instrument = self._instruments[approved.instrument_id]
        terms = created_order(approved, instrument, reduce_only=request.reduce_only)
        self.index.add(OrderRecord(terms, instrument, approved.strategy_id, approved))
        self.journal_wait.begin(approved.order_id)

    def _send(self, record: OrderRecord, approved: ApprovedOrder) -> None:
        """Send an order, or a pair of orders, whose intents are durable."""
        if any(leg.cancel_asked for leg in record.legs):
            self._end_unsent(record, "cancel", "cancelled before it was sent", OrderStatus.CANCELLED)
            return
        try:
            self._gate.check(approved)
        except OrderRefused as refusal:
            self._end_unsent(record, refusal.rule, str(refusal))
            return
        for leg in record.legs:
            leg.status = OrderStatus.SUBMITTED
            self.journal.handed(leg.terms.order_id)
        adapter, partner = self.adapters[approved.account], record.partner
        if partner is None or partner.approved is None:
            adapter.send_order(approved)
        else:
            adapter.send_pair(approved, partner.approved)
        for leg in record.legs:
            self._sink.put(OrderChanged(leg.owner, leg.to_order()))

    def _ask_cancel(self, record: OrderRecord) -> None:
        """Ask the venue, or for an order that waits for the journal remember not to send it."""
        terms = record.terms
        record.cancel_asked = True
        self.journal.cancel_asked(terms.order_id)
        self._risk.note_message(record.owner, terms.account)
        if record.status is not OrderStatus.CREATED:
            request = CancelRequest(terms.order_id, terms.account, terms.instrument_id, record.venue_order_id)
            self.adapters[terms.account].cancel_order(request)

    def _doubt(self, record: OrderRecord, reason: str) -> None:
        """Take the outcome of an order as unknown of which the venue told something else, unless it was told rightly before."""
        if record.set_status(OrderStatus.UNKNOWN, "echo", reason):
            self._settle(record, was_unknown=False)

    def _book(self, trade: TradeData, *, opened: bool) -> None:
        if self.echo.is_false(trade):
            return
        record = self.index.find(trade.order_id, trade.account, trade.instrument_id)
        try:
            quantity, price = _units_of(trade, self._instruments)
        except (InvariantBroken, OffGrid) as error:
            self.orphans.keep(trade, record, error)
            return
        if record is None:
            late, before = False, None
            owner = self.strategy_ids.owner_of(trade.order_id) or EXTERNAL
            new = self.early.add(trade, quantity, price)
        else:
            late = record.status not in OPEN and record.filled >= record.reported
            before, owner = record.status, record.owner
            new = record.add_fill(trade, quantity, price)
        if not new:
            self.duplicate_fills += 1
            return
        self._portfolio.apply_fill(trade, owner, signed(trade.side, quantity), price, opened=opened)
        self.journal.fill(owner, trade, opened=opened)
        self.late_fills += late
        if record is not None:
            if before in TERMINAL and record.status in OPEN:
                self.resolutions.alarm_of_revival(record, before)
            news = record.status is not before or not record.is_as_reported
            self._settle(record, was_unknown=before is OrderStatus.UNKNOWN, news=news)
        self._sink.put(TradeBooked(owner, trade, late))

    def _end_unsent(
        self, record: OrderRecord, rule: str, reason: str, status: OrderStatus = OrderStatus.DENIED
    ) -> None:
        """End an order that never left; of a pair both."""
        for leg in record.legs:
            self.journal.not_sent(leg.terms.order_id, rule, reason, status)
            leg.set_status(status, rule, reason)
            self._settle(leg, was_unknown=False)

    def _settle(self, record: OrderRecord, *, was_unknown: bool, news: bool = True) -> None:
        """Keep the open index and the gate's list of unknowns true, then tell the owner if there is news."""
        self.index.place(record)
        _note_unknown(self._gate, record, was_unknown=was_unknown)
        if news:
            order = record.to_order()
            self.journal.told(record.owner, order)
            self._sink.put(OrderChanged(record.owner, order))

    def _deny(self, request: OrderRequest, owner: str, order_id: str, refusal: OrderRefused) -> None:
        order = self.denied[order_id] = denied_order(request, owner, order_id, refusal, self._clock.now_ns())
        self._sink.put(OrderChanged(owner, order))

    def _adopt(self, data: OrderData) -> OrderRecord:
        """Record an order of an earlier run, or of somebody else (EXTERNAL): counted, never cancelled unasked."""
        record = _adopted(data, self._instruments, self.strategy_ids.owner_of(data.order_id) or EXTERNAL)
        self.early.hand_over(record)
        self.index.add(record)
        return record


def _note_unknown(gate: Gate, record: OrderRecord, *, was_unknown: bool = False) -> None:
    """Keep the gate's list of orders whose outcome is unknown true for a record."""
    place = record.terms.account, record.terms.instrument_id, record.terms.order_id
    if record.status is OrderStatus.UNKNOWN:
        gate.unknown.note(*place)
    elif was_unknown:
        gate.unknown.forget(*place)


def _adopted(data: OrderData, instruments: InstrumentTable, owner: str) -> OrderRecord:
    """Return the record of an order that this run did not send, once all that it counts is on the grid."""
    instrument = _known(instruments, data.instrument_id, f"order {data.order_id}")
    instrument.quantity_grid.from_float(data.filled_quantity)
    return OrderRecord(data, instrument, owner, None)


def _units_of(trade: TradeData, instruments: InstrumentTable) -> tuple[int, int]:
    """Return quantity and price of a fill in units."""
    instrument = _known(instruments, trade.instrument_id, f"fill {trade.trade_id} of order {trade.order_id}")
    return instrument.quantity_grid.from_float(trade.quantity), instrument.price_grid.from_float(trade.price)


def _known(instruments: InstrumentTable, instrument_id: str, what: str) -> Instrument:
    instrument = instruments.get(instrument_id)
    if instrument is None:
        raise InvariantBroken(f"{what}: instrument {instrument_id} is not known; load the account's contracts first")
    return instrument
