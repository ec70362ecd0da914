"""The ticks of one instrument: put together of quotes, books and prints, which Futu pushes apart."""

from typing import Protocol

from foxtrot.adapter.futu.codec import Quote
from foxtrot.adapter.health import StreamHealth
from foxtrot.domain.market import DepthData, MarketTrade, TickData


class TickPublisher(Protocol):
    """The adapter's way up.

    Thread: the SDK's or futu-io.
    """

    def on_tick(self, tick: TickData) -> None:
        """Publish a tick."""


class TickStream:
    """The newest best prices, last trade and totals of the day; tells a tick whenever one of them is another.

    Thread: whoever holds its entry's lock.
    """

    def __init__(self, instrument_id: str, publisher: TickPublisher) -> None:
        self.health: StreamHealth | None = None
        self._instrument_id = instrument_id
        self._publisher = publisher
        self._bid = self._bid_size = self._ask = self._ask_size = 0.0
        self._last = self._last_size = 0.0
        self._totals = (0.0,) * 6  # volume, turnover, open, high, low, close of the day before
        self._venue_time_ns = 0

    def take_book(self, depth: DepthData) -> None:
        """Take the best prices of a book; what changes behind them is no tick."""
        bid, bid_size = depth.bids[0] if depth.bids else (0.0, 0.0)
        ask, ask_size = depth.asks[0] if depth.asks else (0.0, 0.0)
        if (bid, bid_size, ask, ask_size) == (self._bid, self._bid_size, self._ask, self._ask_size):
            return
        self._bid, self._bid_size, self._ask, self._ask_size = bid, bid_size, ask, ask_size
        self._tell(depth.venue_time_ns, depth.local_time_ns)

    def take_trade(self, trade: MarketTrade) -> None:
        """Take a print."""
        self._last, self._last_size = trade.price, trade.size
        self._tell(trade.venue_time_ns, trade.local_time_ns)

    def take_quote(self, quote: Quote, now_ns: int) -> None:
        """Take the totals of the day; a last price that no print told has no size that is known."""
        totals = (quote.volume, quote.turnover, quote.open, quote.high, quote.low, quote.previous_close)
        if totals == self._totals and quote.last == self._last:
            return
        if quote.last != self._last:
            self._last, self._last_size = quote.last, 0.0
        self._totals = totals
        self._tell(quote.venue_time_ns or now_ns, now_ns)

    def forget_book(self) -> None:
        """Believe no best price until the next book."""
        self._bid = self._bid_size = self._ask = self._ask_size = 0.0

    def _tell(self, venue_time_ns: int, now_ns: int) -> None:
        self._venue_time_ns = max(self._venue_time_ns, venue_time_ns)
        self._publisher.on_tick(
            TickData(
                self._instrument_id, self._venue_time_ns, now_ns, self._bid, self._bid_size, self._ask, self._ask_size,
                self._last, self._last_size, *self._totals,
            )
        )  # fmt: skip
