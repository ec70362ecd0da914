"""Orders that have left and of which nothing was heard: for a while they are on their way, after that their outcome is unknown.

IB acknowledges nothing by itself: the first word of an order is an openOrder, an orderStatus, a fill or an error.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from foxtrot.adapter.ib.session import IbSession
from foxtrot.domain.order import ApprovedOrder

ANSWER_S: Final = 10.0
"""How long the first word may take. Source: seen with ibapi 9.81: 0.3 ms on loopback."""


class FirstWords:
    """Waits for the first word of each order.

    Args:
        session: its loop and clock.
        unknown: hears of an order that nothing is heard of, and why it counts as unknown.

    Thread: ib-io.
    """

    def __init__(self, session: IbSession, unknown: Callable[[ApprovedOrder, str], None]) -> None:
        self._session = session
        self._unknown = unknown
        self._silent: OrderedDict[str, tuple[int, ApprovedOrder]] = OrderedDict()
        """By id when an order left, and which it is."""
        self._listens = False

    def expect(self, order: ApprovedOrder) -> None:
        """Note an order before it leaves: its first word may be heard before the sending returns."""
        self._silent[order.order_id] = (self._session.clock.monotonic_ns(), order)

    def heard(self, order_id: str) -> bool:
        """Wait no more for an order: it was heard of, or did not leave; tells whether it was waited for."""
        return self._silent.pop(order_id, None) is not None

    def listen(self) -> None:
        """Begin to wait; doing it while one waits does nothing."""
        if not self._listens:
            self._listens = True
            self._session.spawn(self._hear_out(), "first words of orders")

    def lost(self) -> None:
        """Take what was not heard of for unknown: over another link nothing is told of it unasked."""
        silent, self._silent = self._silent, OrderedDict()
        for _, order in silent.values():
            self._unknown(order, "the link was lost before anything was heard of it")

    async def _hear_out(self) -> None:
        clock = self._session.clock
        try:
            while self._silent:
                left_ns, order = next(iter(self._silent.values()))
                wait_s = ANSWER_S - (clock.monotonic_ns() - left_ns) / 1e9
                if wait_s > 0:
                    await self._session.wait_s(wait_s)
                    continue
                del self._silent[order.order_id]
                self._unknown(order, f"nothing was heard of it within {ANSWER_S:g} s")
        finally:
            self._listens = False
