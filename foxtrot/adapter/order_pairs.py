"""Two orders of which one ends the other, kept by the venue itself: what an adapter promises, and what one without them says."""

import abc
from typing import ClassVar

from foxtrot.core.clock import Clock
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.order import ApprovedOrder, OrderData


class OrderPairs(abc.ABC):
    """The part of an adapter that sends pairs.

    Thread: `send_pair` may be called on any.
    """

    adapter_name: ClassVar[str]
    clock: Clock

    @abc.abstractmethod
    def on_order(self, order: OrderData) -> None:
        """Publish the state of one of our orders."""

    def send_pair(self, first: ApprovedOrder, second: ApprovedOrder) -> None:
        """Send two approved orders, of which one ends the other, as one request; the life of each comes back by its own id.

        One is a stop, the other a post-only limit on the other side of the market; both have one account, instrument, side and
        quantity. Both leave or none; without an answer both are UNKNOWN, and the cancel of one is the end of both. This default,
        for venues whose capability `oco` is False, denies both.
        """
        for order in (first, second):
            self.on_order(self._without_pairs(order))

    def _without_pairs(self, order: ApprovedOrder) -> OrderData:
        """Return the denial of an order; what its grids are is not known here, so its figures are 0.0."""
        now_ns = self.clock.now_ns()
        reason = (
            f"{self.adapter_name} keeps no two orders of which one ends the other; send one and watch for the other"
        )
        return OrderData(
            order.order_id, order.account, order.instrument_id, order.side, order.order_type, 0.0, 0.0, OrderStatus.DENIED,
            0.0, 0.0, "", now_ns, now_ns, order.strategy_id, 0.0, order.time_in_force, order.reduce_only, order.post_only,
            order.position_side, "no_oco", reason,
        )  # fmt: skip
