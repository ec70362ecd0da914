"""What the venue remembers for those who ask later: ended orders and fills, the newest ones only."""

from collections import deque

from foxtrot.exchange.events import OrderFilled
from foxtrot.exchange.working_order import WorkingOrder

KEPT_ORDERS = 10_000
KEPT_FILLS = 100_000


class History:
    """Ended orders by id and by customer's id, and fills in order.

    Thread: belongs to its venue.
    """

    __slots__ = ("_ages", "_by_client_id", "fills", "orders")

    def __init__(self) -> None:
        self.orders: dict[int, WorkingOrder] = {}
        self.fills: deque[OrderFilled] = deque(maxlen=KEPT_FILLS)
        self._ages: deque[int] = deque()
        self._by_client_id: dict[tuple[str, str], int] = {}

    def add_order(self, order: WorkingOrder) -> None:
        """Keep an ended order, and forget the oldest one when there are too many."""
        order_id = order.order_id
        self.orders[order_id] = order
        self._by_client_id[order.account, order.client_order_id] = order_id
        self._ages.append(order_id)
        if len(self._ages) > KEPT_ORDERS:
            oldest = self.orders.pop(self._ages.popleft())
            key = (oldest.account, oldest.client_order_id)
            if self._by_client_id.get(key) == oldest.order_id:
                del self._by_client_id[key]

    def by_client_id(self, account: str, client_order_id: str) -> WorkingOrder | None:
        """Return the newest ended order of a customer's id, if it is still remembered."""
        order_id = self._by_client_id.get((account, client_order_id))
        return None if order_id is None else self.orders[order_id]
