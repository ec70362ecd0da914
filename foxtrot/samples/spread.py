"""Spread: two instruments whose price ratio is stretched are traded against each other until it has come back.

What it shows: two instruments in one strategy, acting once both have closed, sizing by money, and what to do when only one
leg trades: nothing is left standing on one leg, the pair is closed and the strategy waits for the next signal.
"""

from math import log

from foxtrot.api import (
    BarData,
    ConfigError,
    OrderData,
    OrderStatus,
    Parameter,
    RunningSma,
    RunningStd,
    Strategy,
    Variable,
)

_ENDED_UNFILLED = (OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.CANCELLED)


class Spread(Strategy):
    """Sells the first and buys the second instrument while log(first / second) is far above its average; and the reverse."""

    window = Parameter(60, "closes in average and deviation of the ratio", minimum=2)
    enter = Parameter(2.0, "deviations from the average at which it enters", minimum=0.1)
    leave = Parameter(0.5, "deviations at which it leaves", minimum=0.0)
    notional = Parameter(10_000.0, "money in each leg, in the quote asset", minimum=0.0)
    direction = Variable(0, "1 holds first against second, -1 the reverse, 0 neither")

    def on_init(self) -> None:
        """Check the pair and ask for the history of both.

        Raises:
            ConfigError: there are not two instruments that can be sold short.
        """
        if len(self.symbols) != 2:
            raise ConfigError(f"spread needs two symbols, the first against the second, not {len(self.symbols)}")
        for name in self.symbols:
            if not self.instrument_of(name).product.is_derivative:
                raise ConfigError(f"spread sells short, which {name} does not allow; give it futures or perpetuals")
            self.load_bar(self.window, name)
        self._average = RunningSma(self.window)
        self._deviation = RunningStd(self.window)
        self._closes: dict[str, BarData] = {}
        self._legs = (0.0, 0.0)
        self._broken = False

    def on_start(self) -> None:
        """Stand as the last run stood: what is held is what was wanted."""
        first, second = self.symbols
        self._legs = (self.position_of(first), self.position_of(second))
        self.direction = (self._legs[0] > 0.0) - (self._legs[0] < 0.0)

    def on_bar(self, bar: BarData) -> None:
        """Act when both instruments have closed at the same time."""
        self._closes[bar.instrument_id] = bar
        first, second = (self._closes.get(name) for name in self.symbols)
        if first is None or second is None or first.close_time_ns != second.close_time_ns:
            return
        score = self._score(log(first.close / second.close))
        if score is None or not self.trading:
            return
        self._decide(score)
        for name, wanted in zip(self.symbols, self._legs, strict=True):
            self._trade_to(name, wanted)

    def on_order(self, order: OrderData) -> None:
        """Notice a leg that did not trade."""
        if self.direction and order.status in _ENDED_UNFILLED:
            self._broken = True

    def _score(self, ratio: float) -> float | None:
        """Return how many deviations the ratio is above its average, or None while there are too few closes."""
        average, deviation = self._average.update(ratio), self._deviation.update(ratio)
        return None if average is None or not deviation else (ratio - average) / deviation

    def _decide(self, score: float) -> None:
        if self._broken:
            self.log("a leg did not trade: closing the pair", "WARNING")
            self._want(0)
        elif self.direction and score * self.direction >= -self.leave:
            self._want(0)
        elif not self.direction and abs(score) >= self.enter:
            self._want(-1 if score > 0.0 else 1)
        self._broken = False

    def _want(self, direction: int) -> None:
        first, second = self.symbols
        self.direction = direction
        self._legs = (
            direction * self.quantity_for(notional=self.notional, instrument=first),
            -direction * self.quantity_for(notional=self.notional, instrument=second),
        )

    def _trade_to(self, name: str, wanted: float) -> None:
        """Send the difference in one leg, unless an order for it, or its fill, is still under way."""
        if self.is_pending(name):
            return
        change = self.quantity_to(wanted, name)
        if change > 0.0:
            self.buy(change, instrument=name)
        elif change < 0.0:
            self.sell(-change, instrument=name)
