"""The orders that wait for the journal: none goes to the gate before its intent is durable, and none waits without end."""

from collections.abc import Callable

from foxtrot.core.clock import Clock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import IntentDurable, JournalFailed
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.order import ApprovedOrder
from foxtrot.trading.gate import Gate
from foxtrot.trading.order_index import OrderIndex
from foxtrot.trading.order_record import OrderRecord

RULE = "journal"
JOURNAL_DEADLINE_NS = 2_000_000_000


class JournalWait:
    """Knows which orders the journal has not answered for, and hears its answers.

    Thread: the dispatcher's.

    Args:
        index: the desk's records.
        gate: closed when the journal fails or is silent.
        clock: tells the time.
        send: takes an order whose intent is durable on to the gate.
        deny: ends an order that could not be journalled, by a rule and for a reason.
    """

    def __init__(
        self,
        index: OrderIndex,
        gate: Gate,
        clock: Clock,
        send: Callable[[OrderRecord, ApprovedOrder], None],
        deny: Callable[[OrderRecord, str, str], None],
    ) -> None:
        self._index = index
        self._gate = gate
        self._clock = clock
        self._send = send
        self._deny = deny
        self._due_ns: dict[str, int] = {}

    def wire(self, dispatcher: Dispatcher) -> None:
        """Hear the journal as a core subscriber."""
        dispatcher.subscribe(IntentDurable, self.on_intent_durable, owner="order_desk", core=True)
        dispatcher.subscribe(JournalFailed, self.on_journal_failed, owner="order_desk", core=True)

    def begin(self, order_id: str) -> None:
        """Let an order wait from now on, and not for longer than the deadline."""
        self._due_ns[order_id] = self._clock.monotonic_ns() + JOURNAL_DEADLINE_NS

    def on_intent_durable(self, notice: IntentDurable) -> None:
        """Let orders go on to the gate whose intents are durable."""
        for order_id in notice.order_ids:
            self._due_ns.pop(order_id, None)
            record = self._index.all.get(order_id)
            if record is None or record.status is not OrderStatus.CREATED or record.approved is None:
                continue
            if not any(leg.key in self._due_ns for leg in record.legs):  # of a pair both must be durable
                self._send(record, record.approved)

    def on_journal_failed(self, notice: JournalFailed) -> None:
        """Close the gate and deny the orders that could not be journalled."""
        self._gate.close(f"the journal failed: {notice.error}")
        for order_id in notice.order_ids:
            self._due_ns.pop(order_id, None)
            record = self._index.all.get(order_id)
            if record is not None and record.status is OrderStatus.CREATED:
                self._deny(record, RULE, notice.error)

    def check(self) -> None:
        """Close the gate when the journal has not answered in time; called by a timer."""
        now_ns = self._clock.monotonic_ns()
        for order_id in [order_id for order_id, due_ns in self._due_ns.items() if due_ns < now_ns]:
            self._gate.close(f"the journal did not answer for {order_id} within {JOURNAL_DEADLINE_NS / 1e9} s")
            del self._due_ns[order_id]
            record = self._index.all[order_id]
            if record.status is OrderStatus.CREATED:  # of a pair the other's silence has ended it already
                self._deny(record, RULE, "no answer within the deadline")
