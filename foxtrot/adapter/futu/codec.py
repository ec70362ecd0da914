"""Futu's quote messages and our facts, pure: protobuf in, frozen facts out.

A message is read where it arrives, on the SDK's thread, field by field: no table is made of it. A field that a message does not
have reads as 0, so that a 0 in a field that may be absent counts as absent.
"""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.market import BarData, Level, MarketTrade

NAME: Final = "futu"
SECOND_NS: Final = 1_000_000_000
_ABSENT: Final = frozenset({"", "N/A", "--"})
"""What stands in a text field that has no value."""


class MarketFacts(msgspec.Struct, frozen=True):
    """What Futu's numbers of a market mean: its prefix in codes, its number in quotes and in trading days, time zone, money, calendar."""

    prefix: str
    qot_market: int
    date_market: int
    timezone: str
    currency: str
    calendar: str

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone in which the market's texts tell the time.

        Source: Futu OpenAPI, Quote Object: times are in the market's time zone, Eastern for the United States.
        """
        return _zone(self.timezone)


MARKETS: Final = {
    "HK": MarketFacts("HK", 1, 1, "Asia/Hong_Kong", "HKD", "XHKG"),
    "US": MarketFacts("US", 11, 2, "America/New_York", "USD", "XNYS"),
    "SH": MarketFacts("SH", 21, 3, "Asia/Shanghai", "CNH", "XSHG"),
    "SZ": MarketFacts("SZ", 22, 3, "Asia/Shanghai", "CNH", "XSHG"),
}
"""By Futu's prefix; Shanghai and Shenzhen are traded through Hong Kong's connect, in renminbi outside of the mainland.

Source: Futu OpenAPI, Quote Definitions, QotMarket and TradeDateMarket; Qot_Common.proto.
"""
QUOTED: Final = {"HK": ("HK",), "US": ("US",), "CN": ("SH", "SZ")}
"""The prefixes of what is quoted, by the market of the settings in which it is traded."""
TRADED_IN: Final = {prefix: market for market, prefixes in QUOTED.items() for prefix in prefixes}
"""The market of the settings, by prefix."""

_SIDES: Final = {1: Side.BUY, 2: Side.SELL}
"""Source: Futu OpenAPI, Quote Definitions, TickerDirection: 1 is an active buy, 2 an active sell, 3 neither."""


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


class Kline(msgspec.Struct, frozen=True, gc=False):
    """One K-line as it was pushed or asked for, by the moment it is stamped with; `is_blank` has a time and nothing else."""

    stamp_ns: int
    is_blank: bool
    open: float
    high: float
    low: float
    close: float
    volume: float
    turnover: float


class Quote(msgspec.Struct, frozen=True, gc=False):
    """The last price and the totals of the trading day."""

    venue_time_ns: int
    last: float
    volume: float
    turnover: float
    open: float
    high: float
    low: float
    previous_close: float


def time_ns(text: str, timestamp: float, zone: ZoneInfo) -> int:
    """Return a moment in UTC ns, by its timestamp where there is one, else by its text in the market's zone; 0 when it has neither.

    Source: Futu OpenAPI, Quote Object (time: a string in the market's time zone; timestamp: seconds); seen with futu-api
        10.11.7108: "YYYY-MM-DD HH:MM:SS", with or without ".mmm".

    Raises:
        BadMessage: the text is no time.
    """
    if timestamp > 0.0:
        return round(timestamp * 1e6) * 1_000
    if text in _ABSENT:
        return 0
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise BadMessage(NAME, "time", f"{text!r} is no time such as 2026-01-02 09:31:00") from None
    whole = int(local.replace(microsecond=0, tzinfo=zone).timestamp())
    return whole * SECOND_NS + local.microsecond * 1_000


def local_day(now_ns: int, zone: ZoneInfo) -> date:
    """Return the date of a moment in a zone.

    Source: Futu OpenAPI, Request Historical Candlesticks: begin and end are dates in the market's time zone.
    """
    return datetime.fromtimestamp(now_ns // SECOND_NS, zone).date()


def levels(rows: Iterable[Any], snap: PriceSnap) -> tuple[Level, ...]:
    """Return the levels of one side as they were sent, best first; an empty one, which has no price, is left out.

    Source: Qot_Common.proto, OrderBook (price, volume, hpVolume where a size is no whole number).
    """
    known = snap.known.get  # a call of snap for each level would take as long as everything else here
    return tuple(
        [(known(price) or snap(price), row.hpVolume or float(row.volume)) for row in rows if (price := row.price) > 0.0]
    )  # a list is built faster than a generator is drained


def book_time_ns(book: Any, zone: ZoneInfo, now_ns: int) -> int:
    """Return when the venue had a book, by its later side; now, where it says nothing, as for US stocks.

    Source: Qot_UpdateOrderBook.proto, svrRecvTimeBid and svrRecvTimeAsk: Hong Kong only, zero after a restart of the server.
    """
    stamp: float = max(book.svrRecvTimeBidTimestamp, book.svrRecvTimeAskTimestamp)
    if stamp > 0.0:
        return round(stamp * 1e6) * 1_000
    text: str = max(book.svrRecvTimeBid, book.svrRecvTimeAsk)
    return time_ns(text, 0.0, zone) or now_ns


def market_trade(
    ticker: Any, instrument_id: str, snap: PriceSnap, zone: ZoneInfo, now_ns: int, before: MarketTrade | None
) -> MarketTrade:
    """Return one print; where Futu names no side, as in an auction, it is that of the move since the print before.

    Source: Qot_Common.proto, Ticker; Futu OpenAPI, Real-time Tick-by-Tick Callback.

    Raises:
        BadMessage: its time cannot be read.
    """
    price = snap(ticker.price)
    side = _SIDES.get(ticker.dir) or _side_by_move(price, before)
    when_ns = time_ns(ticker.time, ticker.timestamp, zone)
    size = float(ticker.hpVolume or ticker.volume)
    return MarketTrade(instrument_id, when_ns, now_ns, str(ticker.sequence), price, size, side)


def _side_by_move(price: float, before: MarketTrade | None) -> Side:
    if before is None or price > before.price:
        return Side.BUY
    return Side.SELL if price < before.price else before.aggressor


def quote(basic: Any, snap: PriceSnap, zone: ZoneInfo) -> Quote:
    """Return the last price and the totals of a basic quote.

    Source: Qot_Common.proto, BasicQot; Futu OpenAPI, Real-time Quote Callback. updateTime is that of the last price only.

    Raises:
        BadMessage: its time cannot be read.
    """
    return Quote(
        time_ns(basic.updateTime, basic.updateTimestamp, zone),
        snap(basic.curPrice),
        float(basic.hpVolume or basic.volume),
        basic.turnover,
        snap(basic.openPrice),
        snap(basic.highPrice),
        snap(basic.lowPrice),
        snap(basic.lastClosePrice),
    )


def kline(row: Any, snap: PriceSnap, zone: ZoneInfo) -> Kline:
    """Return one K-line.

    Source: Qot_Common.proto, KLine; Futu OpenAPI, Real-time Candlestick Callback.

    Raises:
        BadMessage: its time cannot be read, or it has no prices and does not say that it is blank.
    """
    stamp_ns = time_ns(row.time, row.timestamp, zone)
    if row.isBlank:
        return Kline(stamp_ns, True, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    if min(row.openPrice, row.highPrice, row.lowPrice, row.closePrice) <= 0.0:
        raise BadMessage(NAME, "kline", f"the K-line of {row.time} lacks prices")
    return Kline(
        stamp_ns,
        False,
        snap(row.openPrice),
        snap(row.highPrice),
        snap(row.lowPrice),
        snap(row.closePrice),
        float(row.hpVolume or row.volume),
        row.turnover,
    )


def bar(found: Kline, instrument_id: str, interval: str, bounds: tuple[int, int], now_ns: int) -> BarData:
    """Return the bar of a K-line that spans given bounds.

    Source: Qot_Common.proto, KLine.
    """
    return BarData(
        instrument_id, interval, bounds[0], bounds[1], found.open, found.high, found.low, found.close,
        found.volume, found.turnover, 0, now_ns,
    )  # fmt: skip
