"""K-lines of one stock made from its public trades, and what a quote says of its day."""

import msgspec

from foxtrot.exchange.events import TradePrinted
from foxtrot.exchange.queries import VenueQueries
from foxtrot.exchange.wire.futu.quote_sessions import Stretch, Stretches
from foxtrot.exchange.wire.futu.quote_times import MINUTE_NS
from foxtrot.exchange.wire.futu.quote_types import KLINES, LONGEST_EXTENDED_MIN, KlineKind

_KEPT = 12_000
_SLACK = 2_000
_MINUTES, _DAYS = KLINES[1], KLINES[2]


class Bar(msgspec.Struct, gc=False):
    """Trades of [open_ns, close_ns) in units; `turnover` is the sum of price * quantity, `before` the close before it (0: none).

    Thread: exchange-io.
    """

    open_ns: int
    close_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int
    before: int


class Trades(msgspec.Struct, gc=False):
    """One trade, or the trades of a minute, to be added to K-lines."""

    ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int


class KlineSeries:
    """K-lines of one kind, only those with trades, oldest first; the oldest are forgotten.

    Thread: exchange-io.

    Args:
        parts: which stretches count: regular, pre, after.
        reference: the close before the first one, 0 when there is none.
    """

    def __init__(self, kind: KlineKind, stretches: Stretches, parts: frozenset[str], reference: int = 0) -> None:
        self.kind = kind
        self._reference = reference
        self.bars: list[Bar] = []
        self._stretches = stretches
        self._parts = parts

    def add(self, trades: Trades, stretch: Stretch) -> bool:
        """Add trades of a stretch and tell whether they count here.

        Source: Futu OpenAPI documentation, Get Historical Candlesticks.
        """
        if not self.counts(stretch):
            return False
        start, end = self._stretches.bounds(self.kind, trades.ns, stretch)
        bars = self.bars
        if bars and start <= bars[-1].open_ns:
            _absorb(bars[-1], trades)
            return True
        before = bars[-1].close if bars else self._reference
        t = trades
        bars.append(Bar(start, end, t.open, t.high, t.low, t.close, t.volume, t.turnover, before))
        if len(bars) > _KEPT + _SLACK:
            del bars[:_SLACK]
        return True

    def counts(self, stretch: Stretch) -> bool:
        """Tell whether trades of a stretch count here.

        Source: Common.proto, Session.
        """
        return stretch.part in self._parts

    def last(self, count: int) -> list[Bar]:
        """Return the newest K-lines, oldest first.

        Source: Qot_GetKL.proto, reqNum.
        """
        return self.bars[-count:]


class StockMemory:
    """All K-lines of one stock; begins with the minutes that the venue remembers.

    Thread: exchange-io.

    Args:
        name: the instrument id.
        venue: where it trades.
        stretches: the hours of its market.
        reference: the close before its first trade, 0 when there is none.
    """

    def __init__(self, name: str, venue: VenueQueries, stretches: Stretches, reference: int = 0) -> None:
        self.stretches = stretches
        self.reference = reference
        self.last_trade_id = 0
        self.last_ns = 0
        """When it last traded in regular hours."""
        self._name = name
        self._minutes = KlineSeries(_MINUTES, stretches, frozenset({"regular", "pre", "after"}))
        self._series: dict[tuple[int, str], KlineSeries] = {}
        self.days = self._kept(_DAYS, "regular")
        self.before_open = self._kept(_DAYS, "pre")
        self.after_close = self._kept(_DAYS, "after")
        for candle in venue.klines(name, MINUTE_NS, _KEPT):
            c = candle
            self._take(Trades(c.open_time_ns, c.open, c.high, c.low, c.close, c.volume, c.turnover))
        for trade in venue.trades(name, 1):
            self.last_trade_id = trade.trade_id
            self._note_time(trade.time_ns)

    def is_of(self, venue: VenueQueries) -> bool:
        """Tell whether the venue's last trade is the last one here.

        Source: none; a venue can be taken back to a snapshot under the surface.
        """
        last = venue.trades(self._name, 1)
        return (last[-1].trade_id if last else 0) == self.last_trade_id

    def has(self, trade: TradePrinted, venue: VenueQueries) -> bool:
        """Tell whether a trade is in here already, which it is when this was made after it happened.

        Source: none; a venue can be taken back to a snapshot under the surface.
        """
        newest = venue.trades(self._name, 1)
        return trade.trade_id <= self.last_trade_id <= (newest[-1].trade_id if newest else 0)

    def add(self, trade: TradePrinted) -> Stretch | None:
        """Add a trade and return the stretch it counts for; None for one of a time in which nothing trades.

        Source: Futu OpenAPI documentation, Market State Definition.
        """
        self.last_trade_id = trade.trade_id
        price, quantity = trade.price, trade.quantity
        self._note_time(trade.time_ns)
        return self._take(Trades(trade.time_ns, price, price, price, price, quantity, price * quantity))

    def series(self, kind: KlineKind, *, extended: bool) -> KlineSeries:
        """Return the K-lines of a kind, with the hours around the regular ones where there are any.

        Source: Qot_RequestHistoryKL.proto, extendedTime: 60 minutes and below.
        """
        widened = extended and not kind.is_calendar and kind.length <= LONGEST_EXTENDED_MIN
        return self._kept(kind, "all" if widened else "regular")

    def _kept(self, kind: KlineKind, parts: str) -> KlineSeries:
        found = self._series.get((kind.kl_type, parts))
        if found is None:
            counted = frozenset({"regular", "pre", "after"} if parts == "all" else {parts})
            found = self._series[kind.kl_type, parts] = KlineSeries(kind, self.stretches, counted, self.reference)
            for bar in self._minutes.bars:
                trades = Trades(bar.open_ns, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.turnover)
                stretch = self.stretches.of(bar.open_ns)
                if stretch is not None:
                    found.add(trades, stretch)
        return found

    def _take(self, trades: Trades) -> Stretch | None:
        stretch = self.stretches.of(trades.ns)
        if stretch is not None:
            self._minutes.add(trades, stretch)
            for series in self._series.values():
                series.add(trades, stretch)
        return stretch

    def _note_time(self, ns: int) -> None:
        stretch = self.stretches.of(ns)
        if stretch is not None and stretch.is_regular:
            self.last_ns = ns


def _absorb(bar: Bar, trades: Trades) -> None:
    bar.high, bar.low = max(bar.high, trades.high), min(bar.low, trades.low)
    bar.close = trades.close
    bar.volume += trades.volume
    bar.turnover += trades.turnover
