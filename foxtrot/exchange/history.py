"""What the venue remembers for those who ask later: ended orders and fills, the newest ones of each account."""

from collections import deque
from collections.abc import Collection
from itertools import chain
from typing import Generic, TypeVar

from foxtrot.exchange.events import OrderFilled
from foxtrot.exchange.working_order import WorkingOrder

KEPT_ORDERS = 10_000
KEPT_FILLS = 100_000

_Row = TypeVar("_Row", WorkingOrder, OrderFilled)


class Shelf(Generic[_Row]):
    """Rows by account, oldest first; when there are too many, who holds most loses its oldest one.

    So a market maker's thousands of orders a minute never push out those of a customer who has few.

    Thread: belongs to its venue.
    """

    __slots__ = ("_count", "rows")

    def __init__(self) -> None:
        self.rows: dict[str, deque[_Row]] = {}
        self._count = 0

    def add(self, row: _Row, most: int) -> _Row | None:
        """Keep a row; return the one that is forgotten for it, if any."""
        rows = self.rows
        mine = rows.get(row.account)
        if mine is None:
            mine = rows[row.account] = deque()
        mine.append(row)
        self._count += 1
        if self._count <= most:
            return None
        self._count -= 1
        if len(mine) * len(rows) > most:
            return mine.popleft()
        return rows[max(rows, key=lambda account: (len(rows[account]), account))].popleft()


class History:
    """Ended orders by id and by customer's id, and fills in order.

    Thread: belongs to its venue.
    """

    __slots__ = ("_by_client_id", "_fills", "_shelf", "orders")

    def __init__(self) -> None:
        self.orders: dict[int, WorkingOrder] = {}
        self._fills: Shelf[OrderFilled] = Shelf()
        self._shelf: Shelf[WorkingOrder] = Shelf()
        self._by_client_id: dict[tuple[str, str], int] = {}

    def add_order(self, order: WorkingOrder) -> None:
        """Keep an ended order, and forget an old one when there are too many."""
        order_id = order.order_id
        self.orders[order_id] = order
        self._by_client_id[order.account, order.client_order_id] = order_id
        oldest = self._shelf.add(order, KEPT_ORDERS)
        if oldest is not None:
            del self.orders[oldest.order_id]
            key = (oldest.account, oldest.client_order_id)
            if self._by_client_id.get(key) == oldest.order_id:
                del self._by_client_id[key]

    def add_fill(self, fill: OrderFilled) -> None:
        """Keep a fill, and forget an old one when there are too many."""
        self._fills.add(fill, KEPT_FILLS)

    def fills(self, forgotten: Collection[str] = ()) -> list[OrderFilled]:
        """Return the fills of all accounts, but for some, in the order in which they happened."""
        kept = (rows for account, rows in self._fills.rows.items() if account not in forgotten)
        return sorted(chain.from_iterable(kept), key=_sequence)

    def fills_of(self, account: str, since_sequence: int) -> list[OrderFilled]:
        """Return the fills of an account after a sequence number, oldest first."""
        found: list[OrderFilled] = []
        for fill in reversed(self._fills.rows.get(account, ())):
            if fill.sequence <= since_sequence:
                break
            found.append(fill)
        found.reverse()
        return found

    def orders_of(self, account: str) -> list[WorkingOrder]:
        """Return the ended orders of an account in the order in which they ended."""
        return list(self._shelf.rows.get(account, ()))

    def by_client_id(self, account: str, client_order_id: str) -> WorkingOrder | None:
        """Return the newest ended order of a customer's id, if it is still remembered."""
        order_id = self._by_client_id.get((account, client_order_id))
        return None if order_id is None else self.orders[order_id]


def _sequence(fill: OrderFilled) -> int:
    return fill.sequence
