"""A third party's strategy; it knows foxtrot.api and nothing else of the platform."""

from foxtrot.api import Parameter, Strategy, TickData


class Visitor(Strategy):
    """Buys once at the market and rests one bid far below it."""

    size = Parameter(0.01)
    below = Parameter(0.045)

    def on_start(self) -> None:
        """Begin without having asked for anything."""
        self.asked = False

    def on_tick(self, tick: TickData) -> None:
        """Buy at the first tick with a price on both sides."""
        if not self.asked and tick.bid_price and tick.ask_price:
            self.asked = True
            self.buy(self.size)
            self.buy(self.size, self.round_price(tick.bid_price * (1 - self.below)))
