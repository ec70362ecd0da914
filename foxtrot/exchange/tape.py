"""The public trades of one instrument: the last ones, one-minute candles, and what follows from them."""

from collections import deque

import msgspec

from foxtrot.exchange.events import TradePrinted

MINUTE_NS = 60_000_000_000
DAY_NS = 86_400_000_000_000
_KEPT_TRADES = 1_000
_KEPT_CANDLES = 10_080


class Candle(msgspec.Struct, gc=False):
    """Trades of [open_time_ns, open_time_ns + interval) in units; `turnover` is the sum of price * quantity.

    Thread: belongs to its tape while it is the last one; then never changed.
    """

    open_time_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int
    trade_count: int


class Ticker(msgspec.Struct, frozen=True, gc=False):
    """Top of book, last trade and the last 24 hours of one instrument, in units; 0 is absent."""

    instrument_id: str
    time_ns: int
    bid_price: int
    bid_quantity: int
    ask_price: int
    ask_quantity: int
    last_price: int
    last_quantity: int
    open: int
    high: int
    low: int
    volume: int
    turnover: int
    mark_price: int


class Tape:
    """The last trades and a week of one-minute candles.

    Thread: belongs to its venue.
    """

    __slots__ = ("candles", "trades")

    def __init__(self) -> None:
        self.trades: deque[TradePrinted] = deque(maxlen=_KEPT_TRADES)
        self.candles: deque[Candle] = deque(maxlen=_KEPT_CANDLES)

    def print(self, trade: TradePrinted) -> None:
        """Add a trade."""
        self.trades.append(trade)
        price, quantity = trade.price, trade.quantity
        if self.candles:
            candle = self.candles[-1]
            if trade.time_ns < candle.open_time_ns + MINUTE_NS:
                if price > candle.high:
                    candle.high = price
                elif price < candle.low:
                    candle.low = price
                candle.close = price
                candle.volume += quantity
                candle.turnover += price * quantity
                candle.trade_count += 1
                return
        opened = trade.time_ns - trade.time_ns % MINUTE_NS
        self.candles.append(Candle(opened, price, price, price, price, quantity, price * quantity, 1))

    def klines(self, interval_ns: int, limit: int) -> list[Candle]:
        """Return the last candles of an interval (a multiple of a minute), oldest first; minutes without trades are absent."""
        merged: list[Candle] = []
        for candle in self.candles:
            opened = candle.open_time_ns - candle.open_time_ns % interval_ns
            if merged and merged[-1].open_time_ns == opened:
                _absorb(merged[-1], candle)
            else:
                merged.append(msgspec.structs.replace(candle, open_time_ns=opened))
        return merged[-limit:]

    def day(self, now_ns: int) -> Candle:
        """Return the 24 hours up to `now_ns` as one candle, to the minute; all zero when nothing traded."""
        total: Candle | None = None
        for candle in self.candles:
            if candle.open_time_ns <= now_ns - DAY_NS:
                continue
            if total is None:
                total = msgspec.structs.replace(candle)
            else:
                _absorb(total, candle)
        return total or Candle(0, 0, 0, 0, 0, 0, 0, 0)


def _absorb(total: Candle, later: Candle) -> None:
    total.high = max(total.high, later.high)
    total.low = min(total.low, later.low)
    total.close = later.close
    total.volume += later.volume
    total.turnover += later.turnover
    total.trade_count += later.trade_count
