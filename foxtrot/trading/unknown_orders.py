"""The orders of unknown outcome: nothing may add to a position of which nobody knows how large it is."""

from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import ApprovedOrder


class UnknownOrders:
    """Their ids by account and instrument.

    Thread: the dispatcher's.
    """

    def __init__(self) -> None:
        self.by_place: dict[tuple[str, str], set[str]] = {}

    def note(self, account: str, instrument_id: str, order_id: str) -> None:
        """Block risk-increasing orders while the outcome of an order is unknown."""
        self.by_place.setdefault((account, instrument_id), set()).add(order_id)

    def forget(self, account: str, instrument_id: str, order_id: str) -> None:
        """Forget an order whose outcome has become known."""
        orders = self.by_place.get((account, instrument_id))
        if orders is not None:
            orders.discard(order_id)
            if not orders:
                del self.by_place[account, instrument_id]

    def why(self, account: str, instrument_id: str) -> str:
        """Return which orders stand in the way of one that may add to a position, "" when none does."""
        orders = self.by_place.get((account, instrument_id))
        return f"the outcome of {', '.join(sorted(orders))} is unknown" if orders else ""

    def check(self, order: ApprovedOrder) -> None:
        """Let an order through that may add to a position, or say which orders stand in its way.

        Raises:
            OrderRefused: an order of its account and instrument is unknown.
        """
        orders = self.by_place.get((order.account, order.instrument_id))
        if orders:
            raise OrderRefused("unknown_order", "no order of unknown outcome", ", ".join(sorted(orders)))
