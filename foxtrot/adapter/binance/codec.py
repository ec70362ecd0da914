"""Binance's public market frames to facts: pure, typed, and BadMessage for whatever is not one of them."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar

import msgspec

from foxtrot.adapter.binance.frames import (
    AggTradeFrame,
    BookTickerFrame,
    DepthUpdateFrame,
    Envelope,
    Head,
    KlineFrame,
    SnapshotFrame,
    TradeFrame,
    after,
    to_ns,
)
from foxtrot.domain.enums import Product, Side
from foxtrot.domain.errors import BadMessage, ConfigError
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, DepthChange, DepthData, MarketTrade, TickData

MarketFact = TickData | MarketTrade | DepthChange | DepthData | BarData
Frame = bytes | str | Mapping[str, object]
T = TypeVar("T")

VENUE_OF_PRODUCT = {Product.SPOT: "BINANCE", Product.PERPETUAL: "BINANCE_USDM"}
_STREAM_TAGS = {
    "depth": "depthUpdate",
    "kline": "kline",
    "trade": "trade",
    "aggTrade": "aggTrade",
    "bookTicker": "bookTicker",
}
_PARTIAL_DEPTHS = ("depth5", "depth10", "depth20")
_RAW = (bytes, str)
_BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class MarketCodec:
    """Decodes the public market frames of one product.

    Thread: stateless, any thread.
    """

    def __init__(self, product: Product) -> None:
        venue = VENUE_OF_PRODUCT.get(product)
        if venue is None:
            raise ConfigError(f"Binance product {product} is not known: use {' or '.join(VENUE_OF_PRODUCT)}")
        self.product = product
        self.venue = venue
        self._decoders: dict[str, Callable[[Frame, int], MarketFact | None]] = {
            "depthUpdate": self.depth_change,
            "trade": self.trade,
            "aggTrade": self.aggregate_trade,
            "bookTicker": self.book_ticker,
            "kline": self.closed_bar,
        }

    def instrument_id(self, symbol: str) -> str:
        """Return the id of a symbol of this product, such as BTCUSDT.BINANCE.

        Source: Binance spot API and USDⓈ-M Futures, Exchange Information ("symbol"); the suffix is ours.
        """
        return f"{symbol}.{self.venue}"

    def decode(self, frame: Frame, local_time_ns: int, symbol: str = "") -> MarketFact | None:
        """Decode one frame, bare or wrapped by a combined stream.

        Args:
            frame: JSON as bytes or text, or already parsed.
            local_time_ns: when it was received.
            symbol: whose book a frame without symbol and stream name is (a REST snapshot).

        Returns:
            The fact, or None for what carries none: a kline that is not closed, an answer to a subscription.

        Raises:
            BadMessage: malformed, of an unknown type, or with an impossible number.

        Source: Binance spot API, web-socket-streams, General WSS information, Live Subscribing/Unsubscribing.
        """
        head = self._head(frame)
        if head.stream is not None:
            return self._decode_wrapped(_unwrap(frame, head), head.stream, local_time_ns)
        if head.lastUpdateId is not None:
            return self.snapshot(frame, local_time_ns, symbol)
        tag = head.e or ("bookTicker" if head.u is not None else None)
        if tag is None and head.id is not None:
            return None
        return self._by_tag(tag, frame, local_time_ns)

    def depth_change(self, frame: Frame, local_time_ns: int) -> DepthChange:
        """Decode a depthUpdate; spot names no previous id, which is then the one before its first.

        Source: Binance spot API, web-socket-streams, Diff. Depth Stream; USDⓈ-M Futures, Diff. Book Depth Streams.
        """
        f = self._read(frame, _DEPTH_UPDATE, DepthUpdateFrame)
        if f.u < f.U:
            raise self._bad(f"first update id {f.U} is above the last {f.u}")
        return depth_change_of(f, self.instrument_id(f.s), local_time_ns)

    def trade(self, frame: Frame, local_time_ns: int) -> MarketTrade:
        """Decode a trade.

        Source: Binance spot API, web-socket-streams, Trade Streams ("m": is the buyer the market maker?).
        """
        f = self._read(frame, _TRADE, TradeFrame)
        return MarketTrade(self.instrument_id(f.s), to_ns(f.T), local_time_ns, str(f.t), f.p, f.q, _aggressor(f.m))

    def aggregate_trade(self, frame: Frame, local_time_ns: int) -> MarketTrade:
        """Decode an aggregate trade; its id is of another series than that of single trades.

        Source: Binance spot API, web-socket-streams, Aggregate Trade Streams; USDⓈ-M Futures, Aggregate Trade Streams.
        """
        f = self._read(frame, _AGG_TRADE, AggTradeFrame)
        return MarketTrade(self.instrument_id(f.s), to_ns(f.T), local_time_ns, str(f.a), f.p, f.q, _aggressor(f.m))

    def book_ticker(self, frame: Frame, local_time_ns: int) -> TickData:
        """Decode a best bid and ask; spot gives no time, so the local one stands in.

        Source: Binance spot API, web-socket-streams, Individual Symbol Book Ticker Streams; USDⓈ-M Futures, likewise named.
        """
        f = self._read(frame, _BOOK_TICKER, BookTickerFrame)
        time_ns = local_time_ns if f.T is None else to_ns(f.T)
        return TickData(self.instrument_id(f.s), time_ns, local_time_ns, f.b, f.B, f.a, f.A)

    def closed_bar(self, frame: Frame, local_time_ns: int) -> BarData | None:
        """Decode a kline, or return None while its bar is not closed.

        Source: Binance spot API, web-socket-streams, Kline/Candlestick Streams ("x": is this kline closed?).
        """
        f = self._read(frame, _KLINE, KlineFrame)
        k = f.k
        if not k.x:
            return None
        if not k.l <= min(k.o, k.c) <= max(k.o, k.c) <= k.h or k.t > k.T:
            raise self._bad(f"kline at {k.t}: open {k.o}, high {k.h}, low {k.l}, close {k.c} cannot be")
        interval = self._interval(k.i)
        return BarData(
            self.instrument_id(f.s), interval, to_ns(k.t), after(k.T), k.o, k.h, k.l, k.c, k.v, k.q, k.n, local_time_ns
        )

    def snapshot(self, frame: Frame, local_time_ns: int, symbol: str) -> DepthData:
        """Decode the REST answer or a partial book stream of spot, which name no symbol; spot gives no time either.

        Source: Binance spot API, rest-api, Order book; USDⓈ-M Futures, Order Book; Partial Book Depth Streams.
        """
        if not symbol:
            raise self._bad("a book snapshot names no symbol, and none was given with it")
        f = self._read(frame, _SNAPSHOT, SnapshotFrame)
        time_ns = local_time_ns if f.T is None else to_ns(f.T)
        return DepthData(self.instrument_id(symbol), time_ns, local_time_ns, f.lastUpdateId, f.bids, f.asks)

    def _decode_wrapped(self, frame: Frame, stream: str, local_time_ns: int) -> MarketFact | None:
        symbol, _, topic = stream.partition("@")
        kind = topic.partition("@")[0]
        if kind in _PARTIAL_DEPTHS:
            return self._partial(frame, local_time_ns, symbol.upper())
        tag = _STREAM_TAGS.get(kind.partition("_")[0])
        return self._by_tag(tag or self._head(frame).e, frame, local_time_ns)

    def _partial(self, frame: Frame, local_time_ns: int, symbol: str) -> DepthData:
        if self.product is Product.SPOT:
            return self.snapshot(frame, local_time_ns, symbol)
        change = self.depth_change(frame, local_time_ns)
        return DepthData(
            change.instrument_id, change.venue_time_ns, local_time_ns, change.last_update_id, change.bids, change.asks
        )

    def _by_tag(self, tag: str | None, frame: Frame, local_time_ns: int) -> MarketFact | None:
        decoder = self._decoders.get(tag or "")
        if decoder is None:
            raise self._bad(f"event type {tag!r:.60} is none of {', '.join(self._decoders)}")
        return decoder(frame, local_time_ns)

    def _head(self, frame: Frame) -> Head:
        if isinstance(frame, _RAW):
            return self._read(frame, _ENVELOPE, Envelope)
        return self._read(frame, _HEAD, Head)

    def _read(self, frame: Frame, decoder: msgspec.json.Decoder[T], kind: type[T]) -> T:
        try:
            if isinstance(frame, _RAW):
                return decoder.decode(frame)
            return msgspec.convert(frame, kind, strict=False)
        except _BAD as error:
            raise self._bad(f"not a {kind.__name__}: {error}") from None

    def _interval(self, text: str) -> str:
        try:
            return _known_interval(text)
        except ConfigError as error:
            raise self._bad(str(error)) from None

    def _bad(self, text: str) -> BadMessage:
        return BadMessage(self.venue, "frame", text)


def depth_change_of(frame: DepthUpdateFrame, instrument_id: str, local_time_ns: int) -> DepthChange:
    """Return a change of an instrument's book as a fact.

    Source: Binance spot API, web-socket-streams, Diff. Depth Stream; USDⓈ-M Futures, Diff. Book Depth Streams.
    """
    first = frame.U
    previous = first - 1 if frame.pu is None else frame.pu
    time_ns = to_ns(frame.E if frame.T is None else frame.T)
    return DepthChange(instrument_id, time_ns, local_time_ns, first, frame.u, previous, frame.b, frame.a)


_HEAD = msgspec.json.Decoder(Head, strict=False)
_ENVELOPE = msgspec.json.Decoder(Envelope, strict=False)
_DEPTH_UPDATE = msgspec.json.Decoder(DepthUpdateFrame, strict=False)
_TRADE = msgspec.json.Decoder(TradeFrame, strict=False)
_AGG_TRADE = msgspec.json.Decoder(AggTradeFrame, strict=False)
_BOOK_TICKER = msgspec.json.Decoder(BookTickerFrame, strict=False)
_KLINE = msgspec.json.Decoder(KlineFrame, strict=False)
_SNAPSHOT = msgspec.json.Decoder(SnapshotFrame, strict=False)


def _aggressor(buyer_is_maker: bool) -> Side:
    return Side.SELL if buyer_is_maker else Side.BUY


def _unwrap(frame: Frame, head: Head) -> Frame:
    if isinstance(head, Envelope):
        return bytes(head.data)
    data = frame.get("data") if isinstance(frame, Mapping) else None
    return data if isinstance(data, Mapping) else {}


@lru_cache(maxsize=64)
def _known_interval(text: str) -> str:
    return Interval.parse(text).text
