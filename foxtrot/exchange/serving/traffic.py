"""What a server counts: connections, requests by endpoint, and the orders received with their client ids in order."""

from collections import Counter, deque

import msgspec

KEPT_ORDERS = 10_000
LONGEST_ID = 64
"""So many characters of a client order id are kept: more than any venue takes, and no client can fill the memory."""


class OrderReceived(msgspec.Struct, frozen=True):
    """One order request as it came, before anybody judged it."""

    time_ns: int
    product: str
    endpoint: str
    account: str
    client_order_id: str


class Traffic:
    """Counters of one server: endpoints by name, and one row a product for all that there is not.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self.connections: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.orders: deque[OrderReceived] = deque(maxlen=KEPT_ORDERS)

    def note_request(self, product: str, endpoint: str, *, is_known: bool) -> None:
        """Count a request; what names no endpoint is counted as unknown, for a client may send any name."""
        self.requests[f"{product} {endpoint}" if is_known else f"{product} unknown"] += 1

    def note_orders(self, time_ns: int, place: tuple[str, str, str], client_order_ids: list[str]) -> None:
        """Keep the client ids of an order request; `place` is product, endpoint and account."""
        product, endpoint, account = place
        for client_order_id in client_order_ids:
            self.orders.append(OrderReceived(time_ns, product, endpoint, account, client_order_id[:LONGEST_ID]))
