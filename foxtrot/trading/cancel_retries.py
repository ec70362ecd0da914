"""Cancels that are asked for until the order is gone: with growing pauses, and at once where something has changed."""

from foxtrot.domain.enums import OrderStatus
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_record import OrderRecord

RETRY_NS = 500_000_000
MOST_RETRY_NS = 16_000_000_000


class _Asked:
    """How often the cancel of an order was asked for, how the order stood then, and when the next is due."""

    __slots__ = ("count", "due_ns", "status")

    def __init__(self) -> None:
        self.count = 0
        self.due_ns = 0
        self.status = OrderStatus.CREATED


class CancelRetries:
    """Asks for cancels again as long as whoever wants them calls `ask`.

    Thread: the dispatcher's.
    """

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self._asked: dict[str, _Asked] = {}

    def ask(self, record: OrderRecord, now_ns: int) -> None:
        """Ask for an order's cancel when its turn has come; one that waits for the journal is withdrawn once."""
        asked = self._asked.setdefault(record.key, _Asked())
        due = asked.due_ns <= now_ns or (asked.status is OrderStatus.UNKNOWN and record.status is not asked.status)
        if not due or (record.status is OrderStatus.CREATED and record.cancel_asked):
            return
        asked.status = record.status
        asked.due_ns = now_ns + min(RETRY_NS << asked.count, MOST_RETRY_NS)
        asked.count += 1
        self._desk.cancel(record.key)

    def count(self, record: OrderRecord) -> int:
        """Return how often the cancel of an order was asked for."""
        asked = self._asked.get(record.key)
        return asked.count if asked is not None else 0

    def forget(self, record: OrderRecord) -> None:
        """Ask for this one at once the next time, as for one that was never asked for."""
        self._asked.pop(record.key, None)

    def clear(self) -> None:
        """Forget all of them."""
        self._asked.clear()
