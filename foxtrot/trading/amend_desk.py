"""The desk's door for changes of resting orders.

A change goes the way of an order: risk judges what the order would be, the journal has it on disk, the gate lets it through, the adapter
asks the send permit. While its end is not known the order counts as the worse of what it was and what it is to be.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter, EventSink
from foxtrot.core.clock import Clock
from foxtrot.core.commands import AmendOrder
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import (
    AmendAnswered,
    IntentDurable,
    JournalFailed,
    OpenOrdersLoaded,
    OrderChanged,
    RequestFailed,
)
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.market import REST
from foxtrot.domain.order import AmendRequest, ApprovedAmend, ApprovedOrder, OrderData
from foxtrot.domain.order_state import OPEN, WORKING
from foxtrot.domain.outcome import Outcome
from foxtrot.trading import order_amends
from foxtrot.trading.gate import Gate
from foxtrot.trading.journal_wait import JOURNAL_DEADLINE_NS, RULE
from foxtrot.trading.order_index import OrderIndex
from foxtrot.trading.order_journal import OrderJournal
from foxtrot.trading.order_record import OrderRecord

OWNER: Final = "order_desk"
UNANSWERED: Final = "unanswered"
"""The rule of a change that never reached the venue."""


class AmendCheck(Protocol):
    """What is needed of risk.

    Thread: the dispatcher's.
    """

    def approve_amend(self, record: OrderRecord, request: AmendRequest, number: int) -> ApprovedAmend:
        """Return the order as it is to be, in exact units.

        Raises:
            OrderRefused: a rule forbids it.
        """
        ...


class _Made(msgspec.Struct, frozen=True):
    """The last change of an order that counts as made: its number, what the order was before, and since when."""

    number: int
    former: ApprovedOrder
    since_ns: int


class AmendDesk:
    """Numbers, records and routes changes of orders; each is answered once by AmendAnswered.

    Thread: the dispatcher's.
    """

    def __init__(
        self,
        index: OrderIndex,
        adapters: Callable[[], Mapping[str, BaseAdapter]],
        gate: Gate,
        sink: EventSink,
        clock: Clock,
    ) -> None:
        self._index = index
        self._adapters = adapters
        self._gate = gate
        self._sink = sink
        self._clock = clock
        self._waiting: dict[str, tuple[OrderRecord, ApprovedAmend, int]] = {}
        self._unknown_ns: dict[tuple[str, int], int] = {}
        self._made: dict[str, _Made] = {}

    def wire(self, dispatcher: Dispatcher, risk: AmendCheck, journal: OrderJournal) -> None:
        """Hear venue and journal, before the desk does: a report with new terms must find them allowed."""
        self._risk = risk
        self._journal = journal
        dispatcher.subscribe(OrderData, self.on_order, owner=OWNER, core=True)
        dispatcher.subscribe(OpenOrdersLoaded, self.on_open_orders, owner=OWNER, core=True)
        dispatcher.subscribe(AmendAnswered, self.on_answer, owner=OWNER, core=True)
        dispatcher.subscribe(IntentDurable, self.on_intent_durable, owner=OWNER, core=True)
        dispatcher.subscribe(JournalFailed, self.on_journal_failed, owner=OWNER, core=True)
        dispatcher.subscribe(AmendOrder, self.on_command, owner=OWNER, core=True)

    # --- down -----------------------------------------------------------------------------------------------------

    def on_command(self, command: AmendOrder) -> None:
        """Take a change that somebody outside wishes for."""
        self.amend(command.request)

    def amend(self, request: AmendRequest) -> int:
        """Take a change of a resting order; returns its number, 0 when it is refused, which AmendAnswered tells with the reason."""
        record = self._index.open.get(request.order_id)
        try:
            record = self._changeable(request, record)
            amend = self._risk.approve_amend(record, request, record.changes + 1)
        except OrderRefused as refusal:
            account = record.terms.account if record is not None else ""
            self._tell(request.order_id, account, 0, Outcome.DENIED_LOCALLY, (refusal.rule, str(refusal)))
            return 0
        order_amends.begin(record, amend)
        due_ns = self._clock.monotonic_ns() + JOURNAL_DEADLINE_NS
        self._waiting[amend.amend_id] = (record, amend, due_ns)
        self._journal.amend_asked(amend)
        return amend.number

    def on_intent_durable(self, notice: IntentDurable) -> None:
        """Send the changes that are durable."""
        for name in notice.order_ids:
            found = self._waiting.pop(name, None)
            if found is not None:
                self._send(found[0], found[1])

    def on_journal_failed(self, notice: JournalFailed) -> None:
        """Deny the changes that could not be journalled; the desk has closed the gate."""
        for name in notice.order_ids:
            found = self._waiting.pop(name, None)
            if found is not None:
                self._end(found[0], found[1].number, Outcome.DENIED_LOCALLY, (RULE, notice.error))

    def check(self) -> None:
        """Deny the changes for which the journal has not answered in time; called by a timer."""
        now_ns = self._clock.monotonic_ns()
        for name in [name for name, (_, _, due_ns) in self._waiting.items() if due_ns < now_ns]:
            record, amend, _ = self._waiting.pop(name)
            self._gate.close(f"the journal did not answer for {name} within {JOURNAL_DEADLINE_NS / 1e9} s")
            self._end(record, amend.number, Outcome.DENIED_LOCALLY, (RULE, "no answer within the deadline"))

    def take_restored(self, record: OrderRecord, amends: tuple[ApprovedAmend, ...], asked: int) -> None:
        """Take the changes of an earlier run whose end it did not hear of, and how many were asked for."""
        for amend in amends:
            order_amends.begin(record, amend)
        record.changes = asked
        for amend in amends:
            self._unknown_ns[record.key, amend.number] = self._clock.monotonic_ns()

    # --- up -------------------------------------------------------------------------------------------------------

    def on_order(self, data: OrderData) -> None:
        """Take a report with the terms of a change under way as its confirmation, and a list's past the bound without them as its end."""
        record = self._index.find(data.order_id, data.account, data.instrument_id)
        if record is None:
            return
        if not record.amends:
            self._look_back(record, data)
            return
        told = order_amends.told_of(record, data)
        if told is not None:
            end = self._end if (record.key, told.number) in self._unknown_ns else self._settle  # else its answer tells
            end(record, told.number, Outcome.CONFIRMED, ("", ""))
        elif data.source == REST and order_amends.is_unchanged(record, data):
            for amend in record.amends:
                if self._is_past_bound(record, self._unknown_ns.get((record.key, amend.number))):
                    reason = "the venue lists the order as it was"
                    self._end(record, amend.number, Outcome.REFUSED, (UNANSWERED, reason))

    def on_open_orders(self, loaded: OpenOrdersLoaded) -> None:
        """Look through the venue's list of open orders."""
        for data in loaded.orders:
            self.on_order(data)

    def on_answer(self, answer: AmendAnswered) -> None:
        """Take the adapter's answer; one that is UNKNOWN makes the order be asked for."""
        record = self._index.all.get(answer.order_id)
        if record is None:
            return
        if not any(amend.number == answer.number for amend in record.amends):
            made = self._made.get(record.key)
            if made is not None and made.number == answer.number and answer.outcome is Outcome.REFUSED:
                self._take_back(record, made, f"change {made.number} was told as made and is refused: {answer.reason}")
            return
        if answer.outcome is Outcome.UNKNOWN:
            self._unknown_ns[record.key, answer.number] = self._clock.monotonic_ns()
            self._adapters()[answer.account].query_order(answer.order_id, record.terms.instrument_id)
            return
        self._settle(record, answer.number, answer.outcome, (answer.rule, answer.reason))

    # --- inside ---------------------------------------------------------------------------------------------------

    def _changeable(self, request: AmendRequest, record: OrderRecord | None) -> OrderRecord:
        if record is None:
            raise OrderRefused("amend", "an open order", request.order_id or "(none)")
        why = self._unchangeable(record)
        if why:
            raise OrderRefused("amend", why, request.order_id)
        return record

    def _unchangeable(self, record: OrderRecord) -> str:
        """Return what would have to be so for the order to be changed, "" when it can be."""
        approved, adapter = record.approved, self._adapters().get(record.terms.account)
        if approved is None:
            return "an order that this platform has sent"
        if approved.pair_id:
            return "an order alone; of a pair cancel both and send another"
        if adapter is None or not adapter.capabilities.amend:
            name = adapter.adapter_name if adapter is not None else record.terms.account
            return f"a venue that changes orders; {name} changes none: cancel it and send another"
        if record.cancel_asked or record.status not in WORKING:
            return f"an order that rests and is not being cancelled; it is {record.status}"
        if record.amends:
            return f"one change at a time; the end of change {record.amends[-1].number} is not known yet"
        return ""

    def _send(self, record: OrderRecord, amend: ApprovedAmend) -> None:
        if record.cancel_asked or record.status not in WORKING:
            reason = f"the order is {'being cancelled' if record.cancel_asked else record.status}"
            self._end(record, amend.number, Outcome.DENIED_LOCALLY, ("amend", reason))
            return
        try:
            self._gate.check(amend.order)
        except OrderRefused as refusal:
            self._end(record, amend.number, Outcome.DENIED_LOCALLY, (refusal.rule, str(refusal)))
            return
        self._adapters()[amend.order.account].amend_order(amend)

    def _end(self, record: OrderRecord, number: int, outcome: Outcome, why: tuple[str, str]) -> bool:
        """End a change by our own finding, and say so."""
        settled = self._settle(record, number, outcome, why)
        if settled:
            self._tell(record.terms.order_id, record.terms.account, number, outcome, why)
        return settled

    def _settle(self, record: OrderRecord, number: int, outcome: Outcome, why: tuple[str, str]) -> bool:
        """Let the order be what it is now; False when the change had its end before."""
        settle = order_amends.confirm if outcome is Outcome.CONFIRMED else order_amends.drop
        former = record.approved
        if not settle(record, number):
            return False
        self._unknown_ns.pop((record.key, number), None)
        if outcome is Outcome.CONFIRMED and former is not None:
            self._made[record.key] = _Made(number, former, self._clock.monotonic_ns())
            self._tell_terms(
                record
            )  # on disk before the end is: a restart between the two must not count less than there is
        self._journal.amend_ended(record.terms.order_id, number, outcome, why)
        return True

    def _tell_terms(self, record: OrderRecord) -> None:
        """Tell an order with other terms, by which it may be filled."""
        self._index.place(record)
        self._journal.told(record.owner, record.to_order())
        self._sink.put(OrderChanged(record.owner, record.to_order()))

    def _look_back(self, record: OrderRecord, data: OrderData) -> None:
        """Take a change back that counts as made once a list past the bound has the order as it was: the venue told it too early."""
        made = self._made.get(record.key)
        if made is None:
            return
        if data.status not in OPEN or not record.is_open:
            del self._made[record.key]
        elif self._lists_former(record, made, data):
            reason = f"change {made.number} was told as made, and the venue lists the order as it was"
            self._take_back(record, made, reason)

    def _lists_former(self, record: OrderRecord, made: _Made, data: OrderData) -> bool:
        is_former = order_amends.has_terms(data, made.former, record.instrument)
        return data.source == REST and is_former and self._is_past_bound(record, made.since_ns)

    def _take_back(self, record: OrderRecord, made: _Made, reason: str) -> None:
        del self._made[record.key]
        if not record.is_open:
            return
        order_amends.take_back(record, made.former)
        self._tell_terms(record)
        what = f"change of {record.terms.order_id}"
        self._sink.put(RequestFailed(record.terms.account, what, reason, self._clock.now_ns()))

    def _is_past_bound(self, record: OrderRecord, since_ns: int | None) -> bool:
        bound_s = self._adapters()[record.terms.account].capabilities.unknown_bound_s
        return since_ns is not None and self._clock.monotonic_ns() - since_ns >= bound_s * 1e9

    def _tell(self, order_id: str, account: str, number: int, outcome: Outcome, why: tuple[str, str]) -> None:
        self._sink.put(AmendAnswered(order_id, account, number, outcome, *why, self._clock.now_ns()))
