"""Kraken spot: the best 1,000 levels a side by its stream; nothing is numbered, a checksum of the best ten after each change proves it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from foxtrot.adapter.capabilities import BookKind
from foxtrot.adapter.ccxt.unsubscribing import end_subscription, noted_of
from foxtrot.adapter.ccxt.venue import (
    Confirmed,
    Evidence,
    Fact,
    Quote,
    Snapshots,
    Stream,
    TapContext,
    Venue,
    Watcher,
    level,
)
from foxtrot.books.checksums import ChecksumOf, digits_crc32
from foxtrot.books.sequence import StreamOrder
from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData, Level, MarketTrade

_LEVELS = 1000
_CCXT_LEVELS = 10
"""The depth of a subscription that names none, as ccxt's own."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tap(message: Any, context: TapContext) -> tuple[Fact, ...] | None:
    """Read a frame of a market, or the answer to a subscription; everything else is ccxt's.

    Source: Kraken Spot WebSocket v2: book, ticker, trade.
    """
    if not isinstance(message, dict):
        return None
    if message.get("method") == "subscribe":
        return _confirmed(message, context)
    reader = _READERS.get(str(message.get("channel")))
    return (
        None if reader is None else tuple([fact for row in message["data"] for fact in reader(message, row, context)])
    )


def _confirmed(message: Mapping[str, Any], context: TapContext) -> tuple[Fact, ...] | None:
    """Read the answer to a subscription; ccxt hears of a refusal.

    Source: Kraken Spot WebSocket v2, book, "Subscribe Ack".
    """
    result = message.get("result")
    if not message.get("success") or not isinstance(result, dict):
        return None
    stream, instrument_id = _STREAMS.get(str(result.get("channel"))), context.find(result.get("symbol") or "")
    return None if stream is None or instrument_id is None else (Confirmed(instrument_id, stream),)


def _book(message: Mapping[str, Any], row: Mapping[str, Any], context: TapContext) -> tuple[Fact, ...]:
    """Read a snapshot or a change. Neither is numbered, and several changes may have one time: the id is the message's own number.

    Source: Kraken Spot WebSocket v2, book; guide "Book checksum (v2)".
    """
    instrument_id = context.find(row["symbol"])
    if instrument_id is None:
        return ()
    number, bids, asks = context.number, _levels(row["bids"]), _levels(row["asks"])
    times = _time_ns(row.get("timestamp")) or context.now_ns, context.now_ns
    if message["type"] == "snapshot":
        return (DepthData(instrument_id, *times, number, bids, asks),)
    return (DepthChange(instrument_id, *times, number, number, number - 1, bids, asks, row["checksum"]),)


def _quote(_message: Mapping[str, Any], row: Mapping[str, Any], context: TapContext) -> tuple[Fact, ...]:
    """Read a best bid and ask.

    Source: Kraken Spot WebSocket v2, ticker, with event_trigger "bbo".
    """
    instrument_id = context.find(row["symbol"])
    if instrument_id is None:
        return ()
    time_ns = _time_ns(row.get("timestamp")) or context.now_ns
    best = (*level(row["bid"], row["bid_qty"]), *level(row["ask"], row["ask_qty"]))
    return (Quote(instrument_id, time_ns, context.now_ns, context.number, *best),)


def _trade(message: Mapping[str, Any], row: Mapping[str, Any], context: TapContext) -> tuple[Fact, ...]:
    """Read a print; those of a snapshot are past ones. The side is the taker's.

    Source: Kraken Spot WebSocket v2, trade.
    """
    instrument_id = context.find(row["symbol"])
    if instrument_id is None or message["type"] == "snapshot":
        return ()
    price, size = level(row["price"], row["qty"])
    times = _time_ns(row["timestamp"]), context.now_ns
    return (MarketTrade(instrument_id, *times, str(row["trade_id"]), price, size, _SIDES[row["side"]]),)


def _levels(rows: list[Mapping[str, float]]) -> tuple[Level, ...]:
    return tuple([level(row["price"], row["qty"]) for row in rows])


def _time_ns(text: str | None) -> int:
    """Return nanoseconds of a time such as 2026-10-06T08:04:56.153890Z; 0 for None, as snapshots may have none.

    Source: Kraken Spot WebSocket v2, book: timestamp, RFC 3339.
    """
    return 0 if text is None else (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1) * 1_000


def _checksum(instrument: Instrument) -> ChecksumOf:
    """Return the recipe: figures are printed with the decimals of the pair, which are those of our grids.

    Source: Kraken, guide "Book checksum (v2)".
    """
    return digits_crc32(instrument, instrument.price_grid.decimals, instrument.quantity_grid.decimals)


def _price_step(market: Mapping[str, Any]) -> str:
    """Return the step of prices.

    Source: Kraken Spot REST, Get Tradable Asset Pairs: pair_decimals.
    """
    return f"1e-{market['info']['pair_decimals']}"


def _size_step(market: Mapping[str, Any]) -> str:
    """Return the step of sizes; ccxt gives the currency's where that is coarser, but books are finer then.

    Source: Kraken Spot REST, Get Tradable Asset Pairs: lot_decimals.
    """
    return f"1e-{market['info']['lot_decimals']}"


def _unwatcher(stream: Stream, name: str) -> Watcher:
    """Return what ends a subscription, which ccxt cannot; `name` is ccxt's of it.

    Source: Kraken Spot WebSocket v2, book, "Unsubscribe Request".
    """

    async def unwatch(exchange: Any, symbol: str) -> None:
        url, called = exchange.urls["api"]["ws"]["publicV2"], exchange.get_message_hash(name, None, symbol)
        asked: dict[str, Any] = {"channel": _CHANNELS[stream], "symbol": [symbol], **_ASKED.get(stream, {})}
        noted = noted_of(exchange, url, called)
        if isinstance(noted, dict) and "limit" in noted:
            asked["depth"] = noted["limit"] or _CCXT_LEVELS
        frame = {"method": "unsubscribe", "params": asked, "req_id": exchange.request_id()}
        await end_subscription(exchange, url, (called, called), frame)

    return unwatch


_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_CHANNELS = {Stream.BOOK: "book", Stream.QUOTE: "ticker", Stream.TRADE: "trade"}
_STREAMS = {channel: stream for stream, channel in _CHANNELS.items()}
_ASKED = {Stream.QUOTE: {"event_trigger": "bbo"}}
"""What a subscription says besides channel and symbol, which its end has to repeat."""
_READERS = {"book": _book, "ticker": _quote, "trade": _trade}

VENUE = Venue(
    exchange="kraken",
    title="Kraken",
    suffixes={"spot": "KRAKEN"},
    book=BookKind.FULL,
    book_levels=_LEVELS,
    window=_LEVELS,
    snapshots=Snapshots.STREAM,
    rule=StreamOrder,
    checksum=_checksum,
    checksums=True,
    tap=tap,
    book_limit=_LEVELS,
    rest_levels=500,
    rest_cost=1.0,
    unaudited="neither stream nor request has ids; every change is checked by the checksum of the ten best instead",
    best_by_stream=True,
    unwatchers={
        Stream.BOOK: _unwatcher(Stream.BOOK, "orderbook"),
        Stream.QUOTE: _unwatcher(Stream.QUOTE, "ticker"),
        Stream.TRADE: _unwatcher(Stream.TRADE, "trade"),
    },
    price_step=_price_step,
    size_step=_size_step,
    evidence=Evidence.RECORDED,
    sources=(
        "https://docs.kraken.com/api/docs/websocket-v2/book",
        "https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2",
        "https://docs.kraken.com/api-reference/market-data/get-order-book",
    ),
    notes="best 1,000 levels as they change; a lost change is seen by the checksum of the best ten levels only",
)
