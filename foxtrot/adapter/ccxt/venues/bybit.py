"""Bybit: the best 50 levels a side by its stream, a snapshot after each subscription and restart, changes numbered one by one."""

from collections.abc import Mapping
from typing import Any

from foxtrot.adapter.capabilities import BookKind
from foxtrot.adapter.ccxt.venue import Evidence, Fact, Snapshots, Stream, TapContext, Venue, level, to_ns
from foxtrot.books.sequence import NonceChain
from foxtrot.domain.enums import Side
from foxtrot.domain.market import DepthChange, DepthData, Level, MarketTrade

_LEVELS = 50


def tap(message: Any, context: TapContext) -> tuple[Fact, ...] | None:
    """Read a frame of a market; everything else is ccxt's. The answer to a subscription does not say to what, so it confirms nothing.

    Source: Bybit API v5, WebSocket public: Orderbook, Trade.
    """
    topic = message.get("topic") if isinstance(message, dict) else None
    if not isinstance(topic, str):
        return None
    name, _, rest = topic.partition(".")
    product = "spot" if context.url.endswith("/spot") else "swap"
    if name == "publicTrade":
        return _trades(context.find(rest, product), message["data"], context.now_ns)
    if name != "orderbook" or not rest.startswith(f"{_LEVELS}."):
        return None
    instrument_id = context.find(message["data"]["s"], product)
    return () if instrument_id is None else (_book(instrument_id, message, context.now_ns),)


def _book(instrument_id: str, message: Mapping[str, Any], now_ns: int) -> Fact:
    """Read a snapshot or a change, whose u is one higher than the last; after a restart a snapshot comes whose u is 1.

    Source: Bybit API v5, WebSocket public, Orderbook: "Process snapshot/delta" and u.
    """
    data, time_ns = message["data"], to_ns(message.get("cts", message["ts"]))
    last, bids, asks = int(data["u"]), _levels(data["b"]), _levels(data["a"])
    if message["type"] == "snapshot":
        return DepthData(instrument_id, time_ns, now_ns, last, bids, asks)
    return DepthChange(instrument_id, time_ns, now_ns, last, last, last - 1, bids, asks)


def _trades(instrument_id: str | None, rows: list[Mapping[str, Any]], now_ns: int) -> tuple[Fact, ...]:
    """Read prints; S is the taker's side.

    Source: Bybit API v5, WebSocket public, Trade.
    """
    return () if instrument_id is None else tuple([_print(instrument_id, row, now_ns) for row in rows])


def _print(instrument_id: str, row: Mapping[str, Any], now_ns: int) -> MarketTrade:
    price, size = level(row["p"], row["v"])
    return MarketTrade(instrument_id, to_ns(row["T"]), now_ns, row["i"], price, size, _SIDES[row["S"]])


def _levels(rows: list[list[str]]) -> tuple[Level, ...]:
    return tuple([level(row[0], row[1]) for row in rows])


async def _unwatch_book(exchange: Any, symbol: str) -> None:
    """Unsubscribe the topic that was subscribed; by itself ccxt names one of 500 levels for contracts."""
    await exchange.un_watch_order_book(symbol, {"limit": _LEVELS})


_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}

VENUE = Venue(
    exchange="bybit",
    title="Bybit",
    suffixes={"spot": "BYBIT", "swap": "BYBIT_SWAP"},
    book=BookKind.FULL,
    book_levels=_LEVELS,
    window=_LEVELS,
    snapshots=Snapshots.STREAM,
    rule=NonceChain,
    tap=tap,
    book_limit=_LEVELS,
    interval_ms=20.0,
    rest_levels=200,
    rest_cost=1.0,
    unaudited="ccxt gives the book of a request without its update id",
    unwatchers={Stream.BOOK: _unwatch_book},
    evidence=Evidence.RECORDED,
    sources=(
        "https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook",
        "https://bybit-exchange.github.io/docs/v5/websocket/public/trade",
        "https://bybit-exchange.github.io/docs/v5/market/orderbook",
    ),
    notes="best 50 levels every 20 ms; ticks are made of the book, because best bid and ask of a contract come as changes of one level",
)
