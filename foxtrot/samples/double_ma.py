"""Two moving averages: long while the fast one is above the slow one, short while it is below.

The comparison is exact: closes are counted in price units, and slow * sum(fast closes) is compared with
fast * sum(slow closes), so that no rounding decides a tie.
"""

from collections import deque

from foxtrot.api import BarData, OrderData, OrderStatus, Parameter, Strategy


class DoubleMa(Strategy):
    """At each close wants +size, -size (flat where short positions do not exist) or, on a tie, what it wanted before."""

    fast = Parameter(20, "closes in the fast average", minimum=1)
    slow = Parameter(50, "closes in the slow average", minimum=2)
    size = Parameter(1.0, "position to hold, in the base asset", minimum=0.0)

    def on_init(self) -> None:
        """Begin with no closes."""
        grid = self.instrument.price_grid
        self._per_price = grid.denominator / grid.numerator
        self._short = -self.size if self.instrument.product.is_derivative else 0.0
        longest = max(self.fast, self.slow)
        self._closes = deque([0] * longest, maxlen=longest)
        self._missing = self.slow
        self._fast_sum = 0
        self._slow_sum = 0
        self._wanted: float | None = None

    def on_bar(self, bar: BarData) -> None:
        """Count the close in, and trade the difference when the wish changes."""
        fast, slow, closes = self.fast, self.slow, self._closes
        close = round(bar.close * self._per_price)
        self._slow_sum += close - closes[-slow]
        self._fast_sum += close - closes[-fast]
        closes.append(close)
        if self._missing > 1:
            self._missing -= 1
            return
        difference = slow * self._fast_sum - fast * self._slow_sum
        if difference:
            wanted = self.size if difference > 0 else self._short
            if wanted != self._wanted and self.trading:
                self._trade_to(wanted)

    def on_order(self, order: OrderData) -> None:
        """Wish again after an order came to nothing."""
        if order.status in (OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.EXPIRED):
            self._wanted = None

    def _trade_to(self, wanted: float) -> None:
        self._wanted = wanted
        change = self.quantity_to(wanted)
        if change > 0.0:
            self.buy(change)
        elif change < 0.0:
            self.sell(-change)
