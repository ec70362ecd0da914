"""A strategy that keeps what it hears, for tests to look at."""

from foxtrot.api import (
    AmendAnswered,
    BarCorrection,
    BarData,
    BookLoaded,
    DepthChange,
    DepthData,
    MarketTrade,
    OrderData,
    Strategy,
    TickData,
    TimerFired,
    TradeData,
)


class Recording(Strategy):
    """Keeps (handler, fact, whether it was trading) of every call."""

    warm_up = 0

    def on_init(self) -> None:
        """Begin a list, and ask for warm-up if the class says so."""
        self.heard: list[tuple[str, object, bool]] = []
        self._note("on_init", None)
        for name in self.symbols if self.warm_up else ():
            self.load_bar(self.warm_up, name)

    def on_start(self) -> None:
        """Keep it."""
        self._note("on_start", None)

    def on_tick(self, tick: TickData) -> None:
        """Keep it."""
        self._note("on_tick", tick)

    def on_depth(self, depth: DepthData) -> None:
        """Keep it."""
        self._note("on_depth", depth)

    def on_depth_change(self, change: DepthChange) -> None:
        """Keep it."""
        self._note("on_depth_change", change)

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Keep it."""
        self._note("on_market_trade", trade)

    def on_bar(self, bar: BarData) -> None:
        """Keep it."""
        self._note("on_bar", bar)

    def on_bar_correction(self, correction: BarCorrection) -> None:
        """Keep it."""
        self._note("on_bar_correction", correction)

    def on_order(self, order: OrderData) -> None:
        """Keep it."""
        self._note("on_order", order)

    def on_amend(self, answer: AmendAnswered) -> None:
        """Keep it."""
        self._note("on_amend", answer)

    def on_trade(self, trade: TradeData) -> None:
        """Keep it."""
        self._note("on_trade", trade)

    def on_timer(self, timer: TimerFired) -> None:
        """Keep it."""
        self._note("on_timer", timer)

    def on_book(self, book: BookLoaded) -> None:
        """Keep it."""
        self._note("on_book", book)

    def on_stop(self) -> None:
        """Keep it."""
        self._note("on_stop", None)

    def calls(self) -> list[str]:
        """Return the handlers that were called, in order."""
        return [name for name, _, _ in self.heard]

    def facts(self, name: str) -> list[object]:
        """Return what a handler heard."""
        return [fact for called, fact, _ in self.heard if called == name]

    def _note(self, name: str, fact: object) -> None:
        self.heard.append((name, fact, self.trading))
