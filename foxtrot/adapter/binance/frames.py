"""Binance's public market frames as typed structures: what must be there, and which numbers are possible at all.

Prices and sizes come as decimal text and are read as correctly rounded floats; what is not finite, negative or not a
number is refused while it is read.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

Price = Annotated[float, Meta(gt=0, le=1e18)]
Size = Annotated[float, Meta(ge=0, le=1e18)]
Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Time = Annotated[int, Meta(ge=0, le=4_100_000_000_000_000)]
"""Milliseconds, or microseconds where the connection asked for them, until the year 2099."""
Symbol = Annotated[str, Meta(min_length=1, max_length=40)]
Levels = tuple[tuple[Price, Size], ...]

_FIRST_MICROSECONDS = 4_100_000_000_000


class DepthUpdateFrame(msgspec.Struct, frozen=True, gc=False, tag="depthUpdate", tag_field="e"):
    """A change of the book; `pu` and `T` on USD-M only.

    Source: Binance spot API, web-socket-streams, Diff. Depth Stream; USDⓈ-M Futures, Diff. Book Depth Streams.
    """

    s: Symbol
    E: Time
    U: Id
    u: Id
    b: Levels
    a: Levels
    pu: Id | None = None
    T: Time | None = None


class TradeFrame(msgspec.Struct, frozen=True, gc=False, tag="trade", tag_field="e"):
    """One trade; `m` is true when the buyer was the maker.

    Source: Binance spot API, web-socket-streams, Trade Streams.
    """

    s: Symbol
    t: Id
    p: Price
    q: Annotated[float, Meta(gt=0, le=1e18)]
    T: Time
    m: bool


class AggTradeFrame(msgspec.Struct, frozen=True, gc=False, tag="aggTrade", tag_field="e"):
    """The trades of one taker order at one price.

    Source: Binance spot API, web-socket-streams, Aggregate Trade Streams; USDⓈ-M Futures, Aggregate Trade Streams.
    """

    s: Symbol
    a: Id
    p: Price
    q: Annotated[float, Meta(gt=0, le=1e18)]
    T: Time
    m: bool


class BookTickerFrame(msgspec.Struct, frozen=True, gc=False, tag="bookTicker", tag_field="e"):
    """The best bid and ask; spot sends neither `e` nor a time. An empty side comes as zero.

    Source: Binance spot API, web-socket-streams, Individual Symbol Book Ticker Streams; USDⓈ-M Futures, likewise named.
    """

    s: Symbol
    u: Id
    b: Size
    B: Size
    a: Size
    A: Size
    T: Time | None = None


class TickerFrame(msgspec.Struct, frozen=True, gc=False, tag="24hrTicker", tag_field="e"):
    """The last 24 hours of a symbol: last trade, volume, turnover, open, high and low; `x`, the close before, on spot only.

    Source: Binance spot API, web-socket-streams, Individual Symbol Ticker Streams; USDⓈ-M Futures, likewise named.
    """

    s: Symbol
    E: Time
    c: Size
    Q: Size
    v: Size
    q: Size
    o: Size
    h: Size
    l: Size  # noqa: E741  (the venue's name)
    x: Size = 0.0


class Kline(msgspec.Struct, frozen=True, gc=False):
    """The bar inside a kline frame; `x` is true once, on the last push of the bar."""

    t: Time
    T: Time
    i: str
    o: Price
    h: Price
    l: Price  # noqa: E741  (the venue's name)
    c: Price
    v: Size
    q: Size
    n: Id
    x: bool


class KlineFrame(msgspec.Struct, frozen=True, gc=False, tag="kline", tag_field="e"):
    """An update of a bar.

    Source: Binance spot API, web-socket-streams, Kline/Candlestick Streams; USDⓈ-M Futures, Kline/Candlestick Streams.
    """

    s: Symbol
    k: Kline


class SnapshotFrame(msgspec.Struct, frozen=True, gc=False):
    """A whole book: the REST answer, or a partial book stream of spot; it names no symbol. `E` and `T` on USD-M only.

    Source: Binance spot API, rest-api, Order book; USDⓈ-M Futures, Order Book; web-socket-streams, Partial Book Depth Streams.
    """

    lastUpdateId: Id  # noqa: N815  (the venue's name)
    bids: Levels
    asks: Levels
    T: Time | None = None


class Head(msgspec.Struct, frozen=True, gc=False):
    """Just enough of a frame to know what it is."""

    stream: str | None = None
    e: str | None = None
    u: int | None = None
    lastUpdateId: int | None = None  # noqa: N815  (the venue's name)
    id: int | str | None = None


class Envelope(Head, frozen=True, gc=False):
    """The head of a frame of bytes; a combined stream wraps the frame in `data`, which is read in a second step.

    Source: Binance spot API, web-socket-streams, General WSS information.
    """

    data: msgspec.Raw = msgspec.Raw(b"")


def to_ns(time: int) -> int:
    """Return a venue time, in milliseconds or microseconds, in nanoseconds.

    Source: Binance spot API, web-socket-streams, General WSS information (timeUnit); public data archive, README (spot
    files are in microseconds from 2025 on).
    """
    return time * (1_000_000 if time < _FIRST_MICROSECONDS else 1_000)


def after(last: int) -> int:
    """Return the moment, in ns, that follows a venue's last millisecond or microsecond of a bar."""
    return to_ns(last + 1)
