"""Backpack: the whole book by a snapshot that is asked for and changes whose ids follow each other without a hole."""

from collections.abc import Mapping
from typing import Any

from foxtrot.adapter.capabilities import BookKind
from foxtrot.adapter.ccxt.unsubscribing import end_subscription
from foxtrot.adapter.ccxt.venue import Evidence, Fact, Quote, Snapshots, Stream, TapContext, Venue, level
from foxtrot.books.sequence import ContiguousIds
from foxtrot.domain.enums import Side
from foxtrot.domain.market import DepthChange, Level, MarketTrade


def tap(message: Any, context: TapContext) -> tuple[Fact, ...] | None:
    """Read a frame of a market; everything else is ccxt's. Subscriptions are not answered, unless they are refused.

    Source: Backpack Exchange API, Streams, Public: Depth, Book ticker, Trade.
    """
    data = message.get("data") if isinstance(message, dict) else None
    if not isinstance(data, dict):
        return None
    reader = _READERS.get(str(data.get("e")))
    if reader is None:
        return None
    instrument_id = context.find(data["s"])
    return () if instrument_id is None else (reader(instrument_id, data, context.now_ns),)


def _change(instrument_id: str, data: Mapping[str, Any], now_ns: int) -> Fact:
    """Read a change: U is one higher than the u before it.

    Source: Backpack Exchange API, Streams, Public, Depth.
    """
    first, last, bids, asks = int(data["U"]), int(data["u"]), _levels(data["b"]), _levels(data["a"])
    return DepthChange(instrument_id, _time_ns(data), now_ns, first, last, first - 1, bids, asks)


def _quote(instrument_id: str, data: Mapping[str, Any], now_ns: int) -> Fact:
    """Read a best bid and ask; its u is the book's.

    Source: Backpack Exchange API, Streams, Public, Book ticker.
    """
    bid, ask = level(data["b"] or 0.0, data["B"] or 0.0), level(data["a"] or 0.0, data["A"] or 0.0)
    return Quote(instrument_id, _time_ns(data), now_ns, int(data["u"]), *bid, *ask)


def _trade(instrument_id: str, data: Mapping[str, Any], now_ns: int) -> Fact:
    """Read a print; m is true when the buyer was the maker.

    Source: Backpack Exchange API, Streams, Public, Trade.
    """
    price, size = level(data["p"], data["q"])
    side = Side.SELL if data["m"] else Side.BUY
    return MarketTrade(instrument_id, _time_ns(data), now_ns, str(data["t"]), price, size, side)


def _time_ns(data: Mapping[str, Any]) -> int:
    """Return nanoseconds of the engine's time, in microseconds, as text or number.

    Source: Backpack Exchange API, Streams: "All timestamps are in microseconds".
    """
    return int(data["T"]) * 1_000


def _levels(rows: list[list[str]]) -> tuple[Level, ...]:
    return tuple([level(row[0], row[1]) for row in rows])


async def _unwatch_book(exchange: Any, symbol: str) -> None:
    await exchange.un_watch_order_book(symbol)


async def _unwatch_quote(exchange: Any, symbol: str) -> None:
    """End the stream by our own request: ccxt's sends none for this one.

    Source: Backpack Exchange API, Streams: UNSUBSCRIBE.
    """
    topic = f"bookTicker.{exchange.market(symbol)['id']}"
    called = f"bidask:{symbol}@{topic}"
    frame = {"method": "UNSUBSCRIBE", "params": [topic]}
    await end_subscription(exchange, exchange.urls["api"]["ws"]["public"], (called, called), frame)


async def _unwatch_trades(exchange: Any, symbol: str) -> None:
    await exchange.un_watch_trades(symbol)


_READERS = {"depth": _change, "bookTicker": _quote, "trade": _trade}

VENUE = Venue(
    exchange="backpack",
    title="Backpack",
    suffixes={"spot": "BACKPACK", "swap": "BACKPACK_PERP"},
    book=BookKind.FULL,
    snapshots=Snapshots.REST,
    rule=ContiguousIds,
    tap=tap,
    rest_levels=500,
    rest_cost=1.0,
    audit_levels=100,
    best_by_stream=True,
    unwatchers={Stream.BOOK: _unwatch_book, Stream.QUOTE: _unwatch_quote, Stream.TRADE: _unwatch_trades},
    evidence=Evidence.DOCUMENTED,
    sources=(
        "https://docs.backpack.exchange/#tag/Streams/Public/Depth",
        "https://docs.backpack.exchange/#tag/Markets/operation/get_depth",
    ),
    notes="every change of the book as it comes, on a snapshot by request",
)
