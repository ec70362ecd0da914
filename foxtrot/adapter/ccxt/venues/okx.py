"""OKX: the best 400 levels a side by its stream, a snapshot after each subscription and changes chained by seqId."""

from collections.abc import Mapping
from typing import Any

from foxtrot.adapter.capabilities import BookKind
from foxtrot.adapter.ccxt.unsubscribing import end_subscription
from foxtrot.adapter.ccxt.venue import (
    Confirmed,
    Evidence,
    Fact,
    Quote,
    Snapshots,
    Stream,
    TapContext,
    Venue,
    level,
    to_ns,
)
from foxtrot.books.checksums import paired_crc32
from foxtrot.books.sequence import NonceChain
from foxtrot.domain.enums import Side
from foxtrot.domain.market import DepthChange, DepthData, Level, MarketTrade


def tap(message: Any, context: TapContext) -> tuple[Fact, ...] | None:
    """Read a frame of a market, or the answer to a subscription; everything else is ccxt's.

    Source: OKX API guide v5, WebSocket: order book channel, trades channel, "Subscribe".
    """
    if not isinstance(message, dict) or not isinstance(message.get("arg"), dict):
        return None
    stream = _STREAMS.get(message["arg"].get("channel"))
    event = message.get("event")
    if stream is None or event not in (None, "subscribe"):
        return None
    instrument_id = context.find(message["arg"]["instId"])
    if instrument_id is None:
        return ()
    if event is not None:
        return (Confirmed(instrument_id, stream),)
    return tuple([_READERS[stream](instrument_id, message, row, context.now_ns) for row in message["data"]])


def _book(instrument_id: str, message: Mapping[str, Any], row: Mapping[str, Any], now_ns: int) -> Fact:
    """Read a snapshot, a change or, of the channel books5, a whole book.

    A change names the seqId before its own by prevSeqId. Without any change for 60 s one comes whose two are the same; after a
    maintenance one comes whose seqId is lower.

    Source: OKX API guide v5, order book channel, "Sequence ID".
    """
    seq_id, time_ns = int(row["seqId"]), to_ns(row["ts"])
    bids, asks = _levels(row["bids"]), _levels(row["asks"])
    if message.get("action") != "update":
        return DepthData(instrument_id, time_ns, now_ns, seq_id, bids, asks)
    before = int(row["prevSeqId"])
    return DepthChange(instrument_id, time_ns, now_ns, before + 1, seq_id, before, bids, asks, _checksum(row))


def _checksum(row: Mapping[str, Any]) -> int | None:
    """Return the checksum, None for 0, which is what OKX sends since it gives none.

    Source: OKX, "Order Book Channels Checksum Field Deprecation", 21 May 2026: 0 in production from 23 June 2026.
    """
    return int(row.get("checksum") or 0) or None


def _quote(instrument_id: str, _message: Mapping[str, Any], row: Mapping[str, Any], now_ns: int) -> Fact:
    """Read a best bid and ask; its seqId is the book's.

    Source: OKX API guide v5, order book channel, bbo-tbt.
    """
    bid, ask = (_levels(row[side])[:1] or (_NO_LEVEL,) for side in ("bids", "asks"))
    return Quote(instrument_id, to_ns(row["ts"]), now_ns, int(row.get("seqId") or 0), *bid[0], *ask[0])


def _trade(instrument_id: str, _message: Mapping[str, Any], row: Mapping[str, Any], now_ns: int) -> Fact:
    """Read a print, which may be of several makers at one price; the side is the taker's.

    Source: OKX API guide v5, trades channel.
    """
    price, size = level(row["px"], row["sz"])
    return MarketTrade(instrument_id, to_ns(row["ts"]), now_ns, row["tradeId"], price, size, _SIDES[row["side"]])


def _levels(rows: list[list[str]]) -> tuple[Level, ...]:
    return tuple([level(row[0], row[1]) for row in rows])


async def _unwatch_quote(exchange: Any, symbol: str) -> None:
    """End the stream by our own request, since ccxt has none for this one.

    Source: OKX API guide v5, WebSocket, "Unsubscribe".
    """
    topic = {"channel": "bbo-tbt", "instId": exchange.market(symbol)["id"]}
    called = f"bidask::{symbol}"
    frame = {"op": "unsubscribe", "args": [topic]}
    await end_subscription(exchange, exchange.get_url("bbo-tbt", "public"), (called, called), frame)


_NO_LEVEL = (0.0, 0.0)
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_STREAMS = {"books": Stream.BOOK, "books5": Stream.BOOK, "bbo-tbt": Stream.QUOTE, "trades": Stream.TRADE}
_READERS = {Stream.BOOK: _book, Stream.QUOTE: _quote, Stream.TRADE: _trade}

VENUE = Venue(
    exchange="okx",
    title="OKX",
    suffixes={"spot": "OKX", "swap": "OKX_SWAP"},
    book=BookKind.FULL,
    book_levels=400,
    window=400,
    snapshots=Snapshots.STREAM,
    rule=NonceChain,
    checksum=paired_crc32,
    tap=tap,
    partial_levels=5,
    interval_ms=100.0,
    rest_levels=400,
    rest_cost=1.0,
    unaudited="ccxt gives the book of a request without a sequence id",
    best_by_stream=True,
    unwatchers={Stream.QUOTE: _unwatch_quote},
    evidence=Evidence.DOCUMENTED,
    sources=(
        "https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel",
        "https://www.okx.com/help/okx-order-book-channels-checksum-field-deprecation",
    ),
    notes="best 400 levels every 100 ms, or five of them whole; sizes of swaps in contracts; the checksum is 0 since June 2026, checked where it is not",
)
