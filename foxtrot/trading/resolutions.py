"""Resolutions: what a person says became of an order of unknown outcome, and the alarm when the venue shows an order alive after all."""

from typing import Protocol

from foxtrot.adapter.base_adapter import EventSink
from foxtrot.core.clock import Clock
from foxtrot.core.commands import ResolveOrder
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.order_state import RESOLVED, may_move
from foxtrot.trading.order_journal import OrderJournal
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.order_records import OrderRecords


class Settle(Protocol):
    """How the desk makes known that a record has changed.

    Thread: the dispatcher's.
    """

    def __call__(self, record: OrderRecord, *, was_unknown: bool) -> None:
        """Keep what depends on the record true, and tell its owner."""
        ...


class Resolutions:
    """Ends orders of unknown outcome by a person's word, which the journal keeps with name and reason.

    Thread: the dispatcher's.

    Args:
        orders: the desk's records.
        settle: makes an order known that has been resolved.
        sink: where failures and alarms go.
        clock: tells the time.
    """

    def __init__(self, orders: OrderRecords, settle: Settle, sink: EventSink, clock: Clock) -> None:
        self._orders = orders
        self._settle = settle
        self._sink = sink
        self._clock = clock

    def wire(self, dispatcher: Dispatcher, journal: OrderJournal) -> None:
        """Take the journal, and hear the command as a core subscriber."""
        self._journal = journal
        dispatcher.subscribe(ResolveOrder, self.on_resolve, owner="order_desk", core=True)

    def resolve(self, order_id: str, status: OrderStatus, who: str, why: str) -> bool:
        """Let a person say what became of an order of unknown outcome; False when it is not unknown.

        What the venue tells later is merged all the same: an order that turns out alive is open again.
        """
        record = self._orders.index.all.get(order_id)
        if record is None or record.status is not OrderStatus.UNKNOWN or not may_move(record.status, status):
            return False
        self._journal.resolved(order_id, status, who, why)
        record.set_status(status, RESOLVED, f"by {who}: {why}")
        self._settle(record, was_unknown=True)
        return True

    def on_resolve(self, command: ResolveOrder) -> None:
        """Resolve an order by command; one that cannot be is told of."""
        if not self.resolve(command.order_id, command.status, command.who, command.why):
            order = self._orders.order(command.order_id)
            account = order.account if order is not None else ""
            text = f"it is {order.status}, not unknown" if order is not None else "there is no such order"
            what = f"resolving {command.order_id} as {command.status}"
            self._sink.put(RequestFailed(account, what, text, self._clock.now_ns()))

    def alarm_of_revival(self, record: OrderRecord, before: OrderStatus) -> None:
        """Tell that an order is alive that was held to be over: the bound, or the person, that said so was wrong."""
        terms = record.terms
        text = f"it was held to be {before} and is {record.status} at the venue; it counts again: check what said that it was over"
        self._sink.put(RequestFailed(terms.account, f"order {terms.order_id}", text, self._clock.now_ns()))
