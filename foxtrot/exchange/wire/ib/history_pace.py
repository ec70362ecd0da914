"""How often bars of half a minute and shorter may be asked for.

Source: TWS API documentation, Historical Data Limitations: pacing violations for small bars (30 secs or less); for longer ones they
have been lifted.
"""

from collections import deque
from collections.abc import Hashable
from typing import Final

from foxtrot.exchange.wire.ib.history_terms import BarSize, history_refused
from foxtrot.exchange.wire.ib.price_bars import SECOND_NS

MOST_OPEN: Final = 50
"""Requests that may be open at the same time."""
_LONGEST_SMALL_S: Final = 30
_SAME_NS: Final = 15 * SECOND_NS
_BURST, _BURST_NS = 6, 2 * SECOND_NS
_MOST, _WINDOW_NS = 60, 600 * SECOND_NS


class HistoryPace:
    """The requests of the last ten minutes, of all clients together.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self._same: dict[Hashable, int] = {}
        self._of_contract: dict[Hashable, deque[int]] = {}
        self._all: deque[int] = deque()

    def use(self, size: BarSize, asked: Hashable, of: Hashable, now_ns: int, *, weight: int = 1) -> None:
        """Count a request.

        Args:
            size: how long its bars are; those of a minute and longer are free.
            asked: all that it asks.
            of: contract, exchange and kind of price.
            now_ns: the server's time.
            weight: 2 for bids and asks together.

        Source: TWS API documentation, Historical Data Limitations.

        Raises:
            IbRefused: it is one too many; it does not count then.
        """
        if not 0 < size.length_s <= _LONGEST_SMALL_S:
            return
        self._forget(now_ns)
        burst = self._of_contract.get(of, deque())
        while burst and burst[0] <= now_ns - _BURST_NS:
            burst.popleft()
        if asked in self._same or len(burst) + 1 >= _BURST or len(self._all) + weight > _MOST:
            raise history_refused("Historical data request pacing violation")
        self._same[asked] = now_ns
        burst.append(now_ns)
        self._of_contract[of] = burst
        self._all.extend([now_ns] * weight)

    def _forget(self, now_ns: int) -> None:
        self._same = {asked: at_ns for asked, at_ns in self._same.items() if at_ns > now_ns - _SAME_NS}
        self._of_contract = {of: burst for of, burst in self._of_contract.items() if burst[-1] > now_ns - _BURST_NS}
        while self._all and self._all[0] <= now_ns - _WINDOW_NS:
            self._all.popleft()
