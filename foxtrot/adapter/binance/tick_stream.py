"""One instrument's quotes and prints: top of book, last trade and totals merged into ticks; every print once, by its id.

Ticks are conflated to what arrived together. A print changes the size at the best price, so the quote that follows it carries
the tick; a print that no quote follows is told as a tick a moment later (`hold`).
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from foxtrot.adapter.binance.frames import BookTickerFrame, TickerFrame, TradeFrame, to_ns
from foxtrot.adapter.health import StreamHealth
from foxtrot.core.notices import Gap
from foxtrot.domain.enums import Side
from foxtrot.domain.market import STREAM, MarketTrade, TickData

LONGEST_HELD = 100_000
"""Prints kept back while older ones that are missing are fetched; past it the missing ones are given up."""


class TickPublisher(Protocol):
    """The adapter's way up.

    Thread: binance-io.
    """

    def on_tick(self, tick: TickData) -> None:
        """Publish a tick."""

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Publish a print."""

    def on_gap(self, gap: Gap) -> None:
        """Publish that prints are missing."""


FindMissing = Callable[["TickStream", int, int], None]
"""Begin to fetch the prints from a first id to a last one; answered by `fill`."""


class TickStream:
    """The quotes and prints of one instrument.

    Thread: binance-io.
    """

    __slots__ = (
        "_find_missing", "_has_quote", "_held", "_last_id", "_missing", "_published", "_publisher", "_quote_ns", "_quoted_at", "ask",
        "ask_size", "best", "bid", "bid_size", "changed", "duplicates", "gaps", "health", "high", "instrument_id", "last", "last_size", "low",
        "open", "previous_close", "quoted", "ticks", "trades", "turnover", "venue_ns", "volume",
    )  # fmt: skip

    def __init__(self, instrument_id: str, publisher: TickPublisher, find_missing: FindMissing) -> None:
        self.instrument_id = instrument_id
        self.ticks = False
        self.trades = False
        self.changed = False
        """Whether there is something that no tick has told."""
        self.quoted = False
        """Whether a quote is part of it, so that it need not wait."""
        self.health: StreamHealth | None = None
        self.venue_ns = 0
        """When the last quote or print left, by the venue's clock; 0 where it does not say so, and once it was looked at."""
        self.duplicates = 0
        self.gaps = 0
        self.best: tuple[BookTickerFrame, int] | None = None
        """The last quote of the stream and when it was heard; replaced as a whole, so any thread may read it."""
        self.bid = self.bid_size = self.ask = self.ask_size = self.last = self.last_size = 0.0
        self.volume = self.turnover = self.open = self.high = self.low = self.previous_close = 0.0
        self._publisher = publisher
        self._find_missing = find_missing
        self._last_id = 0
        self._quoted_at = 0
        self._quote_ns = 0
        self._has_quote = False
        self._published: tuple[float, ...] = ()
        self._held: list[MarketTrade] | None = None
        self._missing = (0, -1)

    @property
    def quote_id(self) -> int:
        """Return the update id of the last quote, 0 before the first."""
        return self._quoted_at

    @property
    def last_id(self) -> int:
        """Return the id of the last print, 0 before the first."""
        return self._last_id

    @property
    def has_traded(self) -> bool:
        """Tell whether a print was heard, so that those after it are missing if they do not come."""
        return self._last_id != 0

    def start_after(self, trade_id: int) -> None:
        """Count prints from an id on; those before it happened before anybody asked."""
        self._last_id = max(self._last_id, trade_id)

    def restart(self) -> None:
        """Begin anew after a loss: quotes are unknown and the next tick is told in any case; ids of prints go on."""
        self._quoted_at = 0
        self._has_quote = False
        self.best = None
        self._published = ()
        self.changed = self.quoted = False

    def trade(self, frame: TradeFrame, now_ns: int, source: str = STREAM) -> None:
        """Take a print; one that was told before is left out, missing ids are noticed."""
        trade_id, last_id = frame.t, self._last_id
        if trade_id <= last_id:
            self.duplicates += 1
            return
        self._last_id = trade_id
        time_ns = self.venue_ns = to_ns(frame.T)
        if self.trades:
            side = Side.SELL if frame.m else Side.BUY
            trade = MarketTrade(self.instrument_id, time_ns, now_ns, str(trade_id), frame.p, frame.q, side, source)
            if (last_id and trade_id != last_id + 1) or self._held is not None:
                self._hold(trade, last_id + 1, trade_id - 1)
            else:
                self._publisher.on_market_trade(trade)
        elif last_id and trade_id != last_id + 1:
            self.gaps += 1
        self.last = frame.p
        self.last_size = frame.q
        self._quote_ns = max(self._quote_ns, time_ns)
        self.changed = True

    def quote(self, frame: BookTickerFrame, now_ns: int) -> None:
        """Take a best bid and ask; an older one than the last is left out."""
        if frame.u < self._quoted_at:
            return
        self._quoted_at = frame.u
        self.best = frame, now_ns
        self.bid = frame.b
        self.bid_size = frame.B
        self.ask = frame.a
        self.ask_size = frame.A
        if frame.T is None:
            self._quote_ns = now_ns
        else:
            self._quote_ns = self.venue_ns = to_ns(frame.T)
        self._has_quote = self.changed = self.quoted = True

    def totals(self, frame: TickerFrame) -> None:
        """Take the totals of the last 24 hours; they are told with the next tick."""
        self.volume, self.turnover = frame.v, frame.q
        self.open, self.high, self.low, self.previous_close = frame.o, frame.h, frame.l, frame.x
        if not self._last_id:
            self.last, self.last_size = frame.c, frame.Q

    def rest_totals(self, frame: TickerFrame) -> None:
        """Take totals that were asked for, with the last print unless the stream's own is newer."""
        self.totals(frame)
        if not self.changed:
            self.last, self.last_size = frame.c, frame.Q

    def forget_quote(self) -> None:
        """Let the next quote that is asked for count, since no stream brings any."""
        self._quoted_at = 0

    def rest_quote(self, frame: BookTickerFrame, now_ns: int) -> None:
        """Take a best bid and ask that was asked for; the stream's own is newer and stays."""
        if self._quoted_at:
            return
        self.quote(frame, now_ns)
        self._quoted_at = 0
        self.best = None  # what was asked for grows old without anybody noticing

    def publish(self, now_ns: int, source: str = STREAM) -> None:
        """Tell what changed as one tick, unless all of it was told before."""
        self.changed = self.quoted = False
        if not self.ticks or not self._has_quote:
            return
        shown = (self.bid, self.bid_size, self.ask, self.ask_size, self.last, self.last_size)
        if shown == self._published:
            return
        self._published = shown
        tick = TickData(
            self.instrument_id,
            self._quote_ns or now_ns,
            now_ns,
            *shown,
            self.volume,
            self.turnover,
            self.open,
            self.high,
            self.low,
            self.previous_close,
        )
        self._publisher.on_tick(tick if source is STREAM else msgspec.structs.replace(tick, source=source))

    def ask_again(self) -> None:
        """Ask once more for what was missing when the link was lost."""
        if self._held is not None:
            self._find_missing(self, *self._missing)

    def fill(self, found: list[MarketTrade]) -> None:
        """Take the prints that were missing, as far as they could be had, and tell those that waited behind them."""
        if self._held is None:
            return
        first, last = self._missing
        wanted = {trade.trade_id: trade for trade in found if first <= int(trade.trade_id) <= last}
        for trade_id in sorted(wanted, key=int):
            self._publisher.on_market_trade(wanted[trade_id])
        lost = last - first + 1 - len(wanted)
        if lost > 0:
            self._publisher.on_gap(Gap(self.instrument_id, MarketTrade.__name__, lost))
        held, self._held, self._missing = self._held, None, (0, -1)
        expected = last + 1
        for place, trade in enumerate(held):
            number = int(trade.trade_id)
            if number != expected:
                self._held = held[place:]
                self._ask_for(expected, number - 1)
                return
            expected = number + 1
            self._publisher.on_market_trade(trade)

    def _hold(self, trade: MarketTrade, first: int, last: int) -> None:
        """Keep a print back until the missing ones before it are fetched or given up."""
        if self._held is None:
            self._held = [trade]
            self._ask_for(first, last)
            return
        if first <= last:
            self.gaps += 1
        self._held.append(trade)
        if len(self._held) > LONGEST_HELD:
            self.fill([])

    def _ask_for(self, first: int, last: int) -> None:
        self.gaps += 1
        self._missing = (first, last)
        self._find_missing(self, first, last)
