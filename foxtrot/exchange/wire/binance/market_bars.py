"""Bars of one instrument made from its public trades, with what the venue's own candles lack: taker volume and trade ids."""

from bisect import bisect_left

import msgspec

from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import TradePrinted
from foxtrot.exchange.queries import VenueQueries
from foxtrot.exchange.wire.binance.market_intervals import (
    MINUTE_MS,
    SECOND_MS,
    bar_open_ms,
    next_open_ms,
)

_MS_NS = 1_000_000
_KEPT = 10_080
_SLACK = 2_000


class Bar(msgspec.Struct, gc=False):
    """Trades of one interval in units; turnovers are sums of price * quantity, ids are -1 when nothing traded.

    Thread: exchange-io.
    """

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    turnover: int = 0
    count: int = 0
    taker_volume: int = 0
    taker_turnover: int = 0
    first_id: int = -1
    last_id: int = -1

    def add(self, trade: TradePrinted) -> None:
        """Add a trade.

        Source: Binance spot API, Kline/Candlestick Streams.
        """
        price, quantity = trade.price, trade.quantity
        if not self.count:
            self.open = self.high = self.low = price
            self.first_id = trade.trade_id
        self.high, self.low, self.close = max(self.high, price), min(self.low, price), price
        self.volume += quantity
        self.turnover += price * quantity
        self.count += 1
        self.last_id = trade.trade_id
        if trade.aggressor is Side.BUY:
            self.taker_volume += quantity
            self.taker_turnover += price * quantity

    def absorb(self, later: "Bar") -> None:
        """Add a bar that follows this one.

        Source: Binance spot API, Kline/Candlestick data.
        """
        if not later.count:
            return
        if not self.count:
            self.open, self.high, self.low, self.first_id = later.open, later.high, later.low, later.first_id
        self.high, self.low, self.close = max(self.high, later.high), min(self.low, later.low), later.close
        self.volume += later.volume
        self.turnover += later.turnover
        self.count += later.count
        self.taker_volume += later.taker_volume
        self.taker_turnover += later.taker_turnover
        self.last_id = later.last_id


def flat_bar(open_ms: int, price: int) -> Bar:
    """Return the bar of an interval without trades: every price is the last close.

    Source: Binance spot API, Kline/Candlestick data.
    """
    return Bar(open_ms, price, price, price, price)


class Series:
    """Bars of a second or a minute, only those with trades, oldest first; the oldest are forgotten.

    Thread: exchange-io.
    """

    def __init__(self, length_ms: int) -> None:
        self._length_ms = length_ms
        self.opens: list[int] = []
        self.bars: list[Bar] = []

    def add(self, trade: TradePrinted) -> None:
        """Add a trade; one that is older than the last bar counts as of that bar.

        Source: Binance spot API, Kline/Candlestick data.
        """
        time_ms = trade.time_ns // _MS_NS
        if not self.opens or time_ms >= self.opens[-1] + self._length_ms:
            self.append(flat_bar(time_ms - time_ms % self._length_ms, trade.price))
        self.bars[-1].add(trade)

    def append(self, bar: Bar) -> None:
        """Add a bar later than all others.

        Source: none; it fills the series.
        """
        self.opens.append(bar.open_ms)
        self.bars.append(bar)
        if len(self.bars) > _KEPT + _SLACK:
            del self.opens[:_SLACK], self.bars[:_SLACK]

    def between(self, from_ms: int, to_ms: int) -> Bar | None:
        """Return the bars that begin in [from_ms, to_ms) as one; a flat one when none does, None before the first trade.

        Source: Binance spot API, Kline/Candlestick data: minutes without trades repeat the last close.
        """
        first, end = bisect_left(self.opens, from_ms), bisect_left(self.opens, to_ms)
        if first == end:
            return flat_bar(from_ms, self.bars[first - 1].close) if first else None
        whole = flat_bar(from_ms, self.bars[first].open)
        for bar in self.bars[first:end]:
            whole.absorb(bar)
        return whole


class MarketBars:
    """Seconds and minutes of one instrument; begins with what the venue remembers.

    Thread: exchange-io.
    """

    def __init__(self, instrument: Instrument, venue: VenueQueries) -> None:
        self.seconds = Series(SECOND_MS)
        self.minutes = Series(MINUTE_MS)
        self.last_trade_id = 0
        name = self._name = instrument.instrument_id
        for c in venue.klines(name, MINUTE_MS * _MS_NS, _KEPT):
            bar = Bar(c.open_time_ns // _MS_NS, c.open, c.high, c.low, c.close, c.volume, c.turnover, c.trade_count)
            self.minutes.append(bar)
        for trade in venue.trades(name, 1):
            self.last_trade_id = trade.trade_id

    def is_of(self, venue: VenueQueries) -> bool:
        """Tell whether the venue's last trade is the last one here.

        Source: none; a venue can be taken back to a snapshot under the surface.
        """
        last = venue.trades(self._name, 1)
        return (last[-1].trade_id if last else 0) == self.last_trade_id

    def add(self, trade: TradePrinted) -> bool:
        """Add a trade and tell whether it was new.

        Source: Binance spot API, Kline/Candlestick data.
        """
        if trade.trade_id <= self.last_trade_id:
            return False
        self.last_trade_id = trade.trade_id
        self.seconds.add(trade)
        self.minutes.add(trade)
        return True

    def bar(self, interval: str, open_ms: int) -> Bar | None:
        """Return the bar of an interval that begins at a moment; None before the first trade.

        Source: Binance spot API, Kline/Candlestick data.
        """
        series = self.seconds if interval == "1s" else self.minutes
        return series.between(open_ms, next_open_ms(interval, open_ms))

    def bars(self, interval: str, start_ms: int, end_ms: int, limit: int) -> list[Bar]:
        """Return bars that begin in [start_ms, end_ms], oldest first; without a start (-1) the last ones.

        Source: Binance spot API, Kline/Candlestick data: startTime and endTime.
        """
        series = self.seconds if interval == "1s" else self.minutes
        if not series.opens:
            return []
        oldest_ms = bar_open_ms(interval, series.opens[0])
        if start_ms < 0:
            return self._backwards(interval, (oldest_ms, end_ms), limit)
        open_ms = bar_open_ms(interval, start_ms)
        if open_ms < start_ms:
            open_ms = next_open_ms(interval, open_ms)
        open_ms = max(open_ms, oldest_ms)
        found: list[Bar] = []
        while open_ms <= end_ms and len(found) < limit:
            bar = self.bar(interval, open_ms)
            if bar is not None:
                found.append(bar)
            open_ms = next_open_ms(interval, open_ms)
        return found

    def _backwards(self, interval: str, span_ms: tuple[int, int], limit: int) -> list[Bar]:
        oldest_ms, end_ms = span_ms
        open_ms = bar_open_ms(interval, end_ms)
        found: list[Bar] = []
        while open_ms >= oldest_ms and len(found) < limit:
            bar = self.bar(interval, open_ms)
            if bar is not None:
                found.append(bar)
            open_ms = bar_open_ms(interval, open_ms - 1)
        return found[::-1]

    def since(self, start_ms: int, now_ms: int) -> Bar:
        """Return the trades of the last while as one bar, to the minute; all zero when nothing ever traded.

        Source: Binance spot API, 24hr ticker price change statistics and Rolling window.
        """
        first_ms = start_ms - start_ms % MINUTE_MS + MINUTE_MS
        return self.minutes.between(first_ms, now_ms + 1) or flat_bar(first_ms, 0)
