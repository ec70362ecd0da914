"""How many orders may be sent: Binance counts them apart from everything else that is asked, and so do we."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from foxtrot.adapter.binance.errors import NotSent
from foxtrot.domain.enums import Product

ORDERS_IN: Final[Mapping[str, int]] = {"privatePostOrderListOco": 2}
"""How many orders a request counts that counts as more than one.

Source: Binance spot API, rest-api, New Order list - OCO (unfilled order count: 2).
"""

_SECONDS: Final = {"SECOND": 1, "MINUTE": 60}
"""Intervals that are counted here; who spends a day's count hears of it from Binance."""


class OrderLimit(NamedTuple):
    """So many orders in so many seconds."""

    most: int
    seconds: int


LIMITS: Final[Mapping[Product, tuple[OrderLimit, ...]]] = {
    Product.SPOT: (OrderLimit(50, 10),),
    Product.PERPETUAL: (OrderLimit(300, 10), OrderLimit(1200, 60)),
}
"""What holds until Binance has told its limits.

Source: Binance spot API and USDⓈ-M Futures, exchangeInfo, rateLimits of type ORDERS.
"""


class OrderCount:
    """Counts the orders of one account in sliding windows, which no fixed window of Binance's can exceed.

    Thread: binance-io.

    Args:
        product: whose limits hold at first.
        counts: whether anything is refused.
    """

    def __init__(self, product: Product, *, counts: bool) -> None:
        self._limits = LIMITS[product]
        self._counts = counts
        self._sent: deque[int] = deque()

    def learn(self, exchange_info: object) -> None:
        """Take the limits from exchangeInfo; where it tells none, those we have stay.

        Source: Binance spot API, Exchange information, rateLimits.
        """
        rows = exchange_info.get("rateLimits") if isinstance(exchange_info, Mapping) else None
        told = tuple(limit for row in rows if (limit := _limit(row))) if isinstance(rows, list) else ()
        self._limits = told or self._limits

    def take(self, now_ns: int, orders: int = 1) -> None:
        """Count the orders of one request.

        Raises:
            NotSent: there is no room for it now.
        """
        longest_ns = max(limit.seconds for limit in self._limits) * 10**9
        while self._sent and now_ns - self._sent[0] >= longest_ns:
            self._sent.popleft()
        for most, seconds in self._limits if self._counts else ():
            spare = most - orders
            if len(self._sent) > spare and (left_ns := self._sent[-spare - 1] + seconds * 10**9 - now_ns) > 0:
                words = f"Binance takes {most} orders in {seconds} s, which have been sent; the next in {left_ns / 1e9:.1f} s"
                raise NotSent("rate_limited", words)
        self._sent.extend([now_ns] * orders)

    def give_back(self, taken_ns: int, orders: int = 1) -> None:
        """Count the orders of a request no longer, since it did not leave."""
        for _ in range(min(orders, self._sent.count(taken_ns))):
            self._sent.remove(taken_ns)


def _limit(row: Any) -> OrderLimit | None:
    if not isinstance(row, Mapping) or row.get("rateLimitType") != "ORDERS" or row.get("interval") not in _SECONDS:
        return None
    most, number = row.get("limit"), row.get("intervalNum")
    if not isinstance(most, int) or not isinstance(number, int) or most < 1 or number < 1:
        return None
    return OrderLimit(most, number * _SECONDS[row["interval"]])
