"""How fast requests leave: Binance counts their weight by the minute, and bans who goes on beyond it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from foxtrot.domain.enums import Product

WEIGHT_PER_MINUTE: Final[Mapping[Product, int]] = {Product.SPOT: 6_000, Product.PERPETUAL: 2_400}
"""What Binance takes from one address.

Source: Binance spot API and USDⓈ-M Futures, exchangeInfo, rateLimits of type REQUEST_WEIGHT.
"""
UNIT_WEIGHT: Final[Mapping[Product, int]] = {Product.SPOT: 5, Product.PERPETUAL: 1}
"""What a unit of ccxt's cost weighs."""
ORDER_WEIGHT: Final[Mapping[Product, int]] = {Product.SPOT: 1, Product.PERPETUAL: 0}
"""What placing an order weighs; cancelling one weighs CANCEL_WEIGHT.

Source: Binance spot API, rest-api, Trading endpoints; USDⓈ-M Futures, Trade, New Order and Cancel Order.
"""
CANCEL_WEIGHT: Final = 1
_ROUNDING_S: Final = 0.001
"""More than a wait may end too early by rounding, so that the clock has moved on when it ends."""


class WeightStore:
    """A store of weight: it holds an eighth of what the venue takes in a minute, and three quarters flow into it in a minute.

    So no minute, wherever it begins, sees more than seven eighths leave. What may not wait takes more than is there, and what
    may is held back for longer.

    Thread: any one.

    Args:
        per_minute: what the venue takes; 0 is any weight.
    """

    def __init__(self, per_minute: int) -> None:
        self.most = per_minute / 8
        self._ns_per_unit = 80e9 / per_minute if per_minute else 0.0
        self._full_at_ns = 0

    def take(self, now_ns: int, weight: float) -> None:
        """Take weight out, whether it is there or not."""
        self._full_at_ns = max(self._full_at_ns, now_ns) + int(weight * self._ns_per_unit)

    def pause_ns(self, now_ns: int, weight: float) -> int:
        """Return how long until so much is there, or all that may be; 0 or less when it is."""
        return self._full_at_ns - now_ns - int((self.most - min(weight, self.most)) * self._ns_per_unit)


class RequestPace:
    """Gives requests their turn: questions in order and as the store allows, orders and cancels at once.

    Thread: the loop's.

    Args:
        per_minute: the weight that the venue takes in a minute; 0 is any.
        now_ns: the monotonic clock, which nobody sets.
        wait_s: waits by the same clock.
    """

    def __init__(self, per_minute: int, now_ns: Callable[[], int], wait_s: Callable[[float], Awaitable[None]]) -> None:
        self.waiting = 0
        """How many questions wait for their turn."""
        self._store = WeightStore(per_minute)
        self._now_ns = now_ns
        self._wait_s = wait_s
        self._queue = asyncio.Lock()

    async def turn(self, weight: float) -> None:
        """Wait for a question's turn."""
        self.waiting += 1
        try:
            async with self._queue:
                while (pause_ns := self._store.pause_ns(self._now_ns(), weight)) > 0:
                    await self._wait_s(pause_ns / 1e9 + _ROUNDING_S)
                self._store.take(self._now_ns(), weight)
        finally:
            self.waiting -= 1

    def pass_by(self, weight: float) -> None:
        """Count an order or a cancel, which waits for nobody."""
        self._store.take(self._now_ns(), weight)
