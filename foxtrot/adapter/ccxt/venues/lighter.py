"""Lighter: the whole book by its stream, a snapshot after each subscription and changes chained by nonce."""

from collections.abc import Mapping
from typing import Any

from foxtrot.adapter.capabilities import BookKind
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
from foxtrot.books.sequence import NonceChain
from foxtrot.domain.enums import Side
from foxtrot.domain.market import DepthChange, DepthData, Level, MarketTrade


def tap(message: Any, context: TapContext) -> tuple[Fact, ...] | None:
    """Read a frame of a market; everything else is ccxt's.

    Source: Lighter API docs, WebSocket Reference: Order Book, Ticker, Trade.
    """
    kind, channel = message.get("type"), message.get("channel")
    if not isinstance(kind, str) or not isinstance(channel, str):
        return None
    name, _, market_id = channel.partition(":")
    reader = _READERS.get(name)
    if reader is None or not kind.startswith(("update/", "subscribed/")):
        return None
    instrument_id = context.find(market_id)
    return () if instrument_id is None else reader(instrument_id, message, context.now_ns)


def _book(instrument_id: str, message: Mapping[str, Any], now_ns: int) -> tuple[Fact, ...]:
    """Read a snapshot or a change: begin_nonce is the nonce of the change before.

    Source: Lighter API docs, WebSocket Reference, Order Book (nonce, begin_nonce).
    """
    book = message["order_book"]
    last, time_ns = int(book["nonce"]), int(message["last_updated_at"]) * 1_000
    bids, asks = _levels(book["bids"]), _levels(book["asks"])
    if message["type"] == "subscribed/order_book":
        snapshot = DepthData(instrument_id, time_ns, now_ns, last, bids, asks)
        return Confirmed(instrument_id, Stream.BOOK), snapshot
    before = int(book["begin_nonce"])
    return (DepthChange(instrument_id, time_ns, now_ns, before + 1, last, before, bids, asks),)


def _quote(instrument_id: str, message: Mapping[str, Any], now_ns: int) -> tuple[Fact, ...]:
    """Read a best bid and ask.

    Source: Lighter API docs, WebSocket Reference, Ticker.
    """
    best = message["ticker"]
    bid, ask = best.get("b") or _NO_LEVEL, best.get("a") or _NO_LEVEL
    quote = Quote(
        instrument_id, int(message["last_updated_at"]) * 1_000, now_ns, int(message["nonce"]),
        *level(bid["price"], bid["size"]), *level(ask["price"], ask["size"]),
    )  # fmt: skip
    return Confirmed(instrument_id, Stream.QUOTE), quote


def _trades(instrument_id: str, message: Mapping[str, Any], now_ns: int) -> tuple[Fact, ...]:
    """Read prints, which come newest first; those of a subscription are past ones.

    Source: Lighter API docs, WebSocket Reference, Trade.
    """
    prints: list[Fact] = [_print(instrument_id, row, now_ns) for row in reversed(message["trades"])]
    if message["type"] == "subscribed/trade":
        prints.insert(0, Confirmed(instrument_id, Stream.TRADE))
    return tuple(prints)


def _print(instrument_id: str, row: Mapping[str, Any], now_ns: int) -> MarketTrade:
    side = Side.BUY if row["is_maker_ask"] else Side.SELL
    price, size = level(row["price"], row["size"])
    return MarketTrade(instrument_id, to_ns(row["timestamp"]), now_ns, str(row["trade_id"]), price, size, side)


def _levels(rows: list[Mapping[str, str]]) -> tuple[Level, ...]:
    return tuple([level(row["price"], row["size"]) for row in rows])


async def _watch_quote(exchange: Any, symbol: str) -> Any:
    """Subscribe the ticker channel, which ccxt does not know."""
    name = f"ticker/{exchange.market(symbol)['id']}"
    return await exchange.subscribe_public(f"quote::{symbol}", {"channel": name})


async def _unwatch_quote(exchange: Any, symbol: str) -> None:
    client = exchange.client(exchange.urls["api"]["ws"])
    await client.send({"type": "unsubscribe", "channel": f"ticker/{exchange.market(symbol)['id']}"})


_NO_LEVEL = {"price": "0", "size": "0"}
_READERS = {"order_book": _book, "ticker": _quote, "trade": _trades}

VENUE = Venue(
    exchange="lighter",
    title="Lighter",
    suffixes={"swap": "LIGHTER", "spot": "LIGHTER_SPOT"},
    book=BookKind.FULL,
    snapshots=Snapshots.STREAM,
    rule=NonceChain,
    tap=tap,
    interval_ms=50.0,
    rest_levels=250,
    rest_lists_orders=True,
    rest_cost=300.0,
    unaudited="a request lists orders, without the nonce of the book",
    best_by_stream=True,
    watchers={Stream.QUOTE: _watch_quote},
    unwatchers={Stream.QUOTE: _unwatch_quote},
    evidence=Evidence.RECORDED,
    sources=("https://apidocs.lighter.xyz/docs/websocket-reference",),
    notes="whole book by snapshot and changes chained by nonce; quotes by the ticker channel; REST lists orders, summed by price",
)
