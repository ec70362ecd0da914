"""Bollinger breakout: go with a close outside the bands, leave when it comes back to the middle.

What it shows: warm-up with load_bar, a running indicator, a declared variable, and the way of wishing: at every close the
strategy compares what it wants with what it holds and trades the difference. A partial fill, a refusal or a restart needs
no code of its own then; the next close puts it right.
"""

from foxtrot.api import BarData, Parameter, RunningBollinger, Strategy, Variable


class BollingerBreakout(Strategy):
    """Wants +size after a close above the upper band, -size below the lower one, nothing once the middle is crossed."""

    window = Parameter(20, "closes in the bands", minimum=2)
    width = Parameter(2.0, "distance of the bands from the middle, in standard deviations", minimum=0.1)
    size = Parameter(1.0, "position to hold, in the base asset", minimum=0.0)
    direction = Variable(0, "which way it wants to be: 1 long, -1 short, 0 flat")

    def on_init(self) -> None:
        """Ask for as many closes as the bands need."""
        self._bands = RunningBollinger(self.window, self.width)
        self._may_short = self.instrument.product.is_derivative
        self.load_bar(self.window)

    def on_bar(self, bar: BarData) -> None:
        """Decide at the close; warm-up only fills the bands."""
        bands = self._bands.update(bar.close)
        if bands is None or not self.trading:
            return
        if bar.close > bands.upper:
            self.direction = 1
        elif bar.close < bands.lower:
            self.direction = -1 if self._may_short else 0
        elif (bar.close - bands.middle) * self.direction <= 0.0:
            self.direction = 0
        self._trade_to(self.direction * self.size)

    def _trade_to(self, wanted: float) -> None:
        """Send the difference, unless an order for it, or its fill, is still under way."""
        if self.is_pending():
            return
        change = self.quantity_to(wanted)
        if change > 0.0:
            self.buy(change)
        elif change < 0.0:
            self.sell(-change)
