"""The order desk: the one door for orders and the one record of them.

Down: a request gets its id, passes risk, is journalled, and leaves through the gate when its intent is durable.
Up: reports and fills are merged by order id; duplicates change nothing; then strategies hear OrderChanged and TradeBooked.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from foxtrot.adapter.base_adapter import BaseAdapter, EventSink
from foxtrot.core.clock import Clock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import IntentDurable, JournalFailed, OpenOrdersLoaded, OrderChanged, TradeBooked, TradesLoaded
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import Instrument, InstrumentTable
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData, OrderRequest, TradeData
from foxtrot.domain.order_state import OPEN
from foxtrot.storage.journal import Journal, NotSent
from foxtrot.trading.gate import Gate
from foxtrot.trading.order_ids import OrderIds, owner_of
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import Portfolio, signed

JOURNAL_DEADLINE_NS = 2_000_000_000


class OrderCheck(Protocol):
    """What the desk needs of risk.

    Thread: the dispatcher's.
    """

    def approve(self, request: OrderRequest, strategy_id: str, order_id: str) -> ApprovedOrder:
        """Return the order in exact units.

        Raises:
            OrderRefused: a rule forbids it.
        """
        ...

    def note_message(self, strategy_id: str) -> None:
        """Count a cancel towards the message rate."""
        ...


class OrderDesk:
    """Numbers, records and routes orders.

    Thread: the dispatcher's.
    """

    def __init__(
        self, dispatcher: Dispatcher, instruments: InstrumentTable, portfolio: Portfolio, gate: Gate, ids: OrderIds
    ) -> None:
        self._sink: EventSink = dispatcher
        self._clock: Clock = dispatcher.clock
        self._instruments = instruments
        self._portfolio = portfolio
        self._gate = gate
        self._ids = ids
        self._records: dict[str, OrderRecord] = {}
        self._open: dict[str, OrderRecord] = {}
        self._denied: dict[str, OrderData] = {}
        self._awaiting: dict[str, int] = {}
        self._orphans: dict[tuple[str, str, str], tuple[int, int]] = {}
        self.adapters: dict[str, BaseAdapter] = {}
        self.strategy_ids: set[str] = set()
        self.late_fills = 0
        self.duplicate_fills = 0

    def wire(self, dispatcher: Dispatcher, risk: OrderCheck, journal: Journal) -> None:
        """Take the parts that need the desk themselves, and hear the venue and the journal as a core subscriber."""
        self._risk = risk
        self._journal = journal
        dispatcher.subscribe(OrderData, self.on_order, owner="order_desk", core=True)
        dispatcher.subscribe(TradeData, self.on_trade, owner="order_desk", core=True)
        dispatcher.subscribe(OpenOrdersLoaded, self.on_open_orders, owner="order_desk", core=True)
        dispatcher.subscribe(TradesLoaded, self.on_trades, owner="order_desk", core=True)
        dispatcher.subscribe(IntentDurable, self.on_intent_durable, owner="order_desk", core=True)
        dispatcher.subscribe(JournalFailed, self.on_journal_failed, owner="order_desk", core=True)

    # --- down -----------------------------------------------------------------------------------------------------

    def submit(self, request: OrderRequest, owner: str) -> str:
        """Take a wish and return its order id; a refusal is heard as OrderChanged with status DENIED, rule and reason."""
        order_id = self._ids.next(owner)
        try:
            approved = self._risk.approve(request, owner, order_id)
        except OrderRefused as refusal:
            self._deny(request, owner, order_id, refusal)
            return order_id
        instrument = self._instruments[approved.instrument_id]
        record = OrderRecord(self._terms(request, approved, instrument), instrument, owner, approved)
        self._records[order_id] = self._open[order_id] = record
        self._awaiting[order_id] = self._clock.monotonic_ns() + JOURNAL_DEADLINE_NS
        self._journal.append(approved)
        return order_id

    def cancel(self, order_id: str) -> bool:
        """Ask for the cancellation of an order; False when it is unknown or done already."""
        record = self._open.get(order_id)
        if record is None:
            return False
        record.cancel_asked = True
        self._risk.note_message(record.owner)
        if record.status is not OrderStatus.CREATED:
            terms = record.terms
            adapter = self.adapters[terms.account]
            adapter.cancel_order(CancelRequest(order_id, terms.account, terms.instrument_id, record.venue_order_id))
        return True

    def cancel_all(self, owner: str = "", *, keep_reducing: bool = False) -> int:
        """Ask for the cancellation of an owner's open orders (of all owners with ""), and return how many."""
        records = [r for r in self._open.values() if owner in ("", r.owner)]
        if keep_reducing:
            records = [r for r in records if not (r.approved is not None and r.approved.reduces)]
        return sum(self.cancel(record.terms.order_id) for record in records)

    def on_intent_durable(self, notice: IntentDurable) -> None:
        """Let orders through the gate whose intents are durable."""
        for order_id in notice.order_ids:
            self._awaiting.pop(order_id, None)
            record = self._records.get(order_id)
            if record is not None and record.status is OrderStatus.CREATED and record.approved is not None:
                self._send(record, record.approved)

    def on_journal_failed(self, notice: JournalFailed) -> None:
        """Close the gate and deny the orders that could not be journalled."""
        self._gate.close(f"the journal failed: {notice.error}")
        for order_id in notice.order_ids:
            self._awaiting.pop(order_id, None)
            record = self._records.get(order_id)
            if record is not None:
                self._end_unsent(record, OrderStatus.DENIED, "journal", notice.error)

    def check_journal(self) -> None:
        """Close the gate when the journal has not answered in time; called by a timer."""
        now_ns = self._clock.monotonic_ns()
        late = [order_id for order_id, due_ns in self._awaiting.items() if due_ns < now_ns]
        if late:
            self._gate.close(f"the journal did not answer for {late[0]} within {JOURNAL_DEADLINE_NS / 1e9} s")
        for order_id in late:
            del self._awaiting[order_id]
            self._end_unsent(self._records[order_id], OrderStatus.DENIED, "journal", "no answer within the deadline")

    # --- up -------------------------------------------------------------------------------------------------------

    def on_order(self, data: OrderData) -> None:
        """Merge a report of the venue."""
        record = self._records.get(data.order_id) or self._adopt(data)
        was_unknown = record.status is OrderStatus.UNKNOWN
        if record.merge_report(data):
            self._settle(record, was_unknown=was_unknown)

    def on_trade(self, trade: TradeData) -> None:
        """Count a fill once: desk and portfolio first, then the strategies hear of it."""
        record = self._records.get(trade.order_id)
        instrument = self._instruments[trade.instrument_id]
        quantity = instrument.quantity_grid.from_float(trade.quantity)
        price = instrument.price_grid.from_float(trade.price)
        if record is None:
            self._book_orphan(trade, quantity, price)
            return
        late = record.status not in OPEN and record.filled >= record.reported
        was_unknown = record.status is OrderStatus.UNKNOWN
        if not record.add_fill(trade.trade_id, quantity, price):
            self.duplicate_fills += 1
            return
        self._portfolio.apply_fill(trade, record.owner, signed(trade.side, quantity), price)
        self.late_fills += late
        self._settle(record, was_unknown=was_unknown)
        self._sink.put(TradeBooked(record.owner, trade, late))

    def on_open_orders(self, loaded: OpenOrdersLoaded) -> None:
        """Merge the venue's list of open orders."""
        for data in loaded.orders:
            self.on_order(data)

    def on_trades(self, loaded: TradesLoaded) -> None:
        """Merge the venue's list of our trades."""
        for trade in loaded.trades:
            self.on_trade(trade)

    # --- reading --------------------------------------------------------------------------------------------------

    def order(self, order_id: str) -> OrderData | None:
        """Return an order as it stands, or None if the id was never seen."""
        record = self._records.get(order_id)
        return record.to_order() if record is not None else self._denied.get(order_id)

    def records(self) -> Iterable[OrderRecord]:
        """Return every record, oldest first."""
        return self._records.values()

    def open_records(self, owner: str = "", account: str = "", instrument_id: str = "") -> Iterator[OrderRecord]:
        """Yield the records of open orders, narrowed by whatever is given."""
        for record in self._open.values():
            terms = record.terms
            if (
                owner in ("", record.owner)
                and account in ("", terms.account)
                and instrument_id in ("", terms.instrument_id)
            ):
                yield record

    @property
    def open_count(self) -> int:
        """Return how many orders are open."""
        return len(self._open)

    @property
    def denied(self) -> dict[str, OrderData]:
        """Return the orders that were refused before they left, by id."""
        return self._denied

    # --- inside ---------------------------------------------------------------------------------------------------

    def _send(self, record: OrderRecord, approved: ApprovedOrder) -> None:
        if record.cancel_asked:
            self._end_unsent(record, OrderStatus.CANCELLED, "cancel", "cancelled before it was sent")
            return
        try:
            self._gate.check(approved)
        except OrderRefused as refusal:
            self._end_unsent(record, OrderStatus.DENIED, refusal.rule, str(refusal))
            return
        record.status = OrderStatus.SUBMITTED
        self.adapters[approved.account].send_order(approved)
        self._sink.put(OrderChanged(record.owner, record.to_order()))

    def _end_unsent(self, record: OrderRecord, status: OrderStatus, rule: str, reason: str) -> None:
        self._journal.append(NotSent(record.terms.order_id, rule, reason))
        record.set_status(status, rule, reason)
        self._settle(record, was_unknown=False)

    def _settle(self, record: OrderRecord, *, was_unknown: bool) -> None:
        """Keep the open index and the gate's list of unknowns true, then tell the owner."""
        terms = record.terms
        if record.status in OPEN:
            self._open[terms.order_id] = record
        else:
            self._open.pop(terms.order_id, None)
        if record.status is OrderStatus.UNKNOWN:
            self._gate.note_unknown(terms.account, terms.instrument_id, terms.order_id)
        elif was_unknown:
            self._gate.note_known(terms.account, terms.instrument_id, terms.order_id)
        self._sink.put(OrderChanged(record.owner, record.to_order()))

    def _deny(self, request: OrderRequest, owner: str, order_id: str, refusal: OrderRefused) -> None:
        now_ns = self._clock.now_ns()
        order = OrderData(
            order_id, request.account, request.instrument_id, request.side, request.order_type, request.quantity, request.price,
            OrderStatus.DENIED, 0.0, 0.0, "", now_ns, now_ns, owner, request.trigger_price, request.time_in_force,
            request.reduce_only, request.post_only, request.position_side, refusal.rule, str(refusal),
        )  # fmt: skip
        self._denied[order_id] = order
        self._sink.put(OrderChanged(owner, order))

    def _terms(self, request: OrderRequest, approved: ApprovedOrder, instrument: Instrument) -> OrderData:
        price = instrument.price(approved.price_units) if approved.price_units else 0.0
        trigger = instrument.price(approved.trigger_units) if approved.trigger_units else 0.0
        return OrderData(
            approved.order_id, approved.account, approved.instrument_id, approved.side, approved.order_type,
            instrument.quantity(approved.quantity_units), price, OrderStatus.CREATED, 0.0, 0.0, "", approved.created_time_ns,
            approved.created_time_ns, approved.strategy_id, trigger, approved.time_in_force, request.reduce_only,
            approved.post_only, approved.position_side,
        )  # fmt: skip

    def _adopt(self, data: OrderData) -> OrderRecord:
        """Record an order of an earlier run, or of somebody else (EXTERNAL): counted, never cancelled unasked."""
        owner = owner_of(data.order_id, self.strategy_ids) or EXTERNAL
        record = OrderRecord(data, self._instruments[data.instrument_id], owner, None)
        self._records[data.order_id] = record
        for key in [key for key in self._orphans if key[0] == data.account and key[2] == data.order_id]:
            record.add_fill(key[1], *self._orphans.pop(key))
        return record

    def _book_orphan(self, trade: TradeData, quantity: int, price: int) -> None:
        """Count a fill whose order was never seen: it belongs to the strategy of its id, or to EXTERNAL."""
        key = (trade.account, trade.trade_id, trade.order_id)
        if key in self._orphans:
            self.duplicate_fills += 1
            return
        self._orphans[key] = (quantity, price)
        owner = owner_of(trade.order_id, self.strategy_ids) or EXTERNAL
        self._portfolio.apply_fill(trade, owner, signed(trade.side, quantity), price)
        self._sink.put(TradeBooked(owner, trade, late=False))
