"""Past bars and prints of Binance's answers, as facts."""

import msgspec

from foxtrot.adapter.binance.exact import bad, read
from foxtrot.adapter.binance.frames import Id, Price, Size, Time, after, to_ns
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.interval import Interval, IntervalKind
from foxtrot.domain.market import BarData, MarketTrade

NAMES = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
"""The kline intervals that have a fixed length; 1s is of spot only.

Source: Binance spot API, rest-api, Kline/Candlestick data; USDⓈ-M Futures, Kline/Candlestick Data.
"""


class KlineRow(msgspec.Struct, frozen=True, array_like=True):
    """One bar of an answer; what follows the number of trades is not used."""

    open_time: Time
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Size
    close_time: Time
    quote_volume: Size
    trades: Id


class AggregateRow(msgspec.Struct, frozen=True):
    """The trades of one taker order at one price."""

    a: Id
    p: Price
    q: Size
    T: Time
    m: bool


def interval_name(interval: Interval, *, spot: bool) -> str:
    """Return Binance's name of an interval, whatever unit it was written in.

    Raises:
        ConfigError: Binance has no bars of that length; those it has are named.

    Source: Binance spot API, rest-api, Kline/Candlestick data (intervals).
    """
    names = NAMES if spot else NAMES[1:]
    weekly = interval.kind is IntervalKind.WEEK
    for name in names if interval.kind.is_time else ():
        known = Interval.parse(name)
        if known.duration_ns == interval.duration_ns and (known.kind is IntervalKind.WEEK) == weekly:
            return name
    raise ConfigError(f"Binance has no bars of {interval.text}; it has {', '.join(names)}")


def bar_data(raw: object, instrument_id: str, interval: Interval, local_time_ns: int) -> BarData:
    """Return one bar.

    Raises:
        BadMessage: it is no bar, or its prices contradict each other.

    Source: Binance spot API, rest-api, Kline/Candlestick data; USDⓈ-M Futures, Kline/Candlestick Data.
    """
    k = read(KlineRow, raw, "kline")
    if not k.low <= min(k.open, k.close) <= max(k.open, k.close) <= k.high or k.open_time > k.close_time:
        raise bad("kline", f"at {k.open_time}: open {k.open}, high {k.high}, low {k.low}, close {k.close} cannot be")
    return BarData(
        instrument_id, interval.text, to_ns(k.open_time), after(k.close_time), k.open, k.high, k.low, k.close, k.volume,
        k.quote_volume, k.trades, local_time_ns,
    )  # fmt: skip


def market_trade(raw: object, instrument_id: str, local_time_ns: int) -> MarketTrade:
    """Return one aggregate print.

    Raises:
        BadMessage: it is none.

    Source: Binance spot API, rest-api, Compressed/Aggregate trades list; USDⓈ-M Futures, likewise named.
    """
    row = read(AggregateRow, raw, "aggTrade")
    side = Side.SELL if row.m else Side.BUY
    return MarketTrade(instrument_id, to_ns(row.T), local_time_ns, str(row.a), row.p, row.q, side)


def server_time_ns(raw: object) -> int:
    """Return the venue's clock.

    Raises:
        BadMessage: it is no time.

    Source: Binance spot API, rest-api, Check server time; USDⓈ-M Futures, Check Server Time.
    """
    return to_ns(read(_ServerTime, raw, "time").serverTime)


class _ServerTime(msgspec.Struct, frozen=True):
    serverTime: Time  # noqa: N815  (the venue's name)
