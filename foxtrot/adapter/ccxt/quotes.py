"""One instrument's quotes and prints: top of book and last trade merged into ticks; every print once, by its id."""

from collections import deque
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from foxtrot.adapter.base_adapter import BestBidOffer
from foxtrot.adapter.ccxt.venue import Quote
from foxtrot.adapter.health import StreamHealth
from foxtrot.domain.market import STREAM, MarketTrade, TickData

REMEMBERED: Final = 5_000
"""How many ids of prints are known, so that a print that comes twice is told once."""


class TickPublisher(Protocol):
    """The adapter's way up.

    Thread: the session's.
    """

    def on_tick(self, tick: TickData) -> None:
        """Publish a tick."""

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Publish a print."""


class QuoteStream:
    """The quotes and prints of one instrument.

    Ids of prints of different venues follow no common rule, so that lost prints cannot be counted; what a venue lists of the past
    fills what was lost with a connection.

    Thread: the session's, except `best`, from any.
    """

    def __init__(self, instrument_id: str, publisher: TickPublisher) -> None:
        self.instrument_id = instrument_id
        self.ticks = False
        self.trades = False
        self.health: StreamHealth | None = None
        self.changed = False
        self.duplicates = 0
        self._publisher = publisher
        self._quote: Quote | None = None
        self._last: MarketTrade | None = None
        self._told: tuple[float, ...] = ()
        self._known: set[str] = set()
        self._order: deque[str] = deque()

    @property
    def mark(self) -> object:
        """Return what changes whenever a quote is heard."""
        return self._quote

    def quote(self, quote: Quote) -> None:
        """Take a best bid and ask; one that is older than the last, where the venue gives ids, is left out."""
        before = self._quote
        if before is not None and quote.update_id and quote.update_id < before.update_id:
            return
        self._quote = quote
        self.changed = True

    def forget_quote(self) -> None:
        """Let nobody believe the quote: what brought it is gone."""
        self._quote = None
        self._told = ()

    def trade(self, trade: MarketTrade) -> None:
        """Take a print, and tell it unless it was told before."""
        if not self._remember(trade):
            return
        if self.trades:
            self._publisher.on_market_trade(trade)
        self._last = trade
        self.changed = True

    def past(self, trades: list[MarketTrade]) -> None:
        """Take prints that the venue lists, oldest first: they fill a gap, but nothing from before the first print is told."""
        before = self._last
        for trade in trades:
            if before is not None and trade.venue_time_ns >= before.venue_time_ns:
                self.trade(trade)
            elif self._remember(trade) and (self._last is None or trade.venue_time_ns >= self._last.venue_time_ns):
                self._last = trade

    def publish(self, now_ns: int, source: str = STREAM) -> None:
        """Tell what changed as one tick, unless all of it was told before."""
        self.changed = False
        quote, last = self._quote, self._last
        if not self.ticks or quote is None:
            return
        price, size = (last.price, last.size) if last is not None else (0.0, 0.0)
        shown = (quote.bid, quote.bid_size, quote.ask, quote.ask_size, price, size)
        if shown == self._told:
            return
        self._told = shown
        time_ns = max(quote.venue_time_ns, last.venue_time_ns if last is not None else 0)
        self._publisher.on_tick(TickData(self.instrument_id, time_ns or now_ns, now_ns, *shown, source=source))

    def best(self, now_ns: int) -> BestBidOffer | None:
        """Return the best bid and ask exactly, None without a quote that has both."""
        quote = self._quote
        if quote is None or not quote.bid or not quote.ask:
            return None
        bid, bid_size, ask, ask_size = (
            Decimal(repr(one)) for one in (quote.bid, quote.bid_size, quote.ask, quote.ask_size)
        )
        age_ms = max(0, now_ns - quote.local_time_ns) / 1e6
        return BestBidOffer(self.instrument_id, bid, bid_size, ask, ask_size, STREAM, age_ms)

    def _remember(self, trade: MarketTrade) -> bool:
        """Note a print; False when it was known. One without an id is known by its figures."""
        key = trade.trade_id or f"{trade.venue_time_ns} {trade.price} {trade.size} {trade.aggressor}"
        if key in self._known:
            self.duplicates += 1
            return False
        self._known.add(key)
        self._order.append(key)
        if len(self._order) > REMEMBERED:
            self._known.discard(self._order.popleft())
        return True


def polled(trades: list[MarketTrade]) -> list[MarketTrade]:
    """Return prints that were asked for, marked as such."""
    return [msgspec.structs.replace(trade, source="rest") for trade in trades]
