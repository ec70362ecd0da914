"""Hyperliquid: each message of a book is the whole of what the venue gives, 20 levels a side."""

from collections.abc import Mapping
from decimal import Decimal
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
from foxtrot.domain.enums import Side
from foxtrot.domain.market import DepthData, Level, MarketTrade


def tap(message: Any, context: TapContext) -> tuple[Fact, ...] | None:
    """Read a frame of a market, or the answer to a subscription; everything else is ccxt's.

    Source: Hyperliquid docs, API, Websocket, Subscriptions: l2Book, trades, bbo, subscriptionResponse.
    """
    channel, data = message.get("channel"), message.get("data")
    if channel == "subscriptionResponse":
        return _confirmed(data, context)
    if channel == "trades":
        found = ((context.find(row["coin"]), row) for row in data)
        return tuple([_print(name, row, context.now_ns) for name, row in found if name is not None])
    reader = _READERS.get(str(channel))
    if reader is None:
        return None
    instrument_id = context.find(data["coin"])
    return () if instrument_id is None else (reader(instrument_id, data, context.now_ns),)


def _confirmed(data: Mapping[str, Any], context: TapContext) -> tuple[Fact, ...] | None:
    """Read the answer to a subscription; ccxt waits for those to the end of one.

    Source: Hyperliquid docs, API, Websocket, Subscriptions, subscriptionResponse.
    """
    wanted = data["subscription"]
    stream = _STREAMS.get(wanted.get("type"))
    if data["method"] != "subscribe" or stream is None:
        return None
    instrument_id = context.find(wanted["coin"])
    return () if instrument_id is None else (Confirmed(instrument_id, stream),)


def _book(instrument_id: str, data: Mapping[str, Any], now_ns: int) -> Fact:
    """Read a whole book, which has no number but its time.

    Source: Hyperliquid docs, API, Websocket, Subscriptions, WsBook.
    """
    time_ms = int(data["time"])
    bids, asks = (_levels(side) for side in data["levels"])
    return DepthData(instrument_id, to_ns(time_ms), now_ns, time_ms, bids, asks)


def _quote(instrument_id: str, data: Mapping[str, Any], now_ns: int) -> Fact:
    """Read a best bid and ask, either of which may be null.

    Source: Hyperliquid docs, API, Websocket, Subscriptions, WsBbo.
    """
    time_ms = int(data["time"])
    bid, ask = (_levels([side])[0] if side else (0.0, 0.0) for side in data["bbo"])
    return Quote(instrument_id, to_ns(time_ms), now_ns, time_ms, *bid, *ask)


def _print(instrument_id: str, row: Mapping[str, Any], now_ns: int) -> Fact:
    """Read a print; side A took bids, B took asks.

    Source: Hyperliquid docs, API, Websocket, Subscriptions, WsTrade; Notation: A = ask, B = bid, the side of the aggressor.
    """
    price, size = level(row["px"], row["sz"])
    return MarketTrade(instrument_id, to_ns(row["time"]), now_ns, str(row["tid"]), price, size, _SIDES[row["side"]])


def _levels(rows: list[Mapping[str, str]]) -> tuple[Level, ...]:
    return tuple([level(row["px"], row["sz"]) for row in rows])


def _coin(market: Mapping[str, Any]) -> str:
    """Return what messages call a market: the coin of a perpetual, the id of a pair.

    Source: Hyperliquid docs, API, Info endpoint, Perpetuals vs Spot.
    """
    return str(market["baseName"] if market["swap"] else market["id"])


def _price_step(market: Mapping[str, Any]) -> str:
    """Return the finest step of a price: 6 decimals less those of the size, 8 on spot. At most 5 digits of them count.

    Source: Hyperliquid docs, API, Tick and lot size.
    """
    size_decimals = -Decimal(str(market["precision"]["amount"])).adjusted()
    return str(Decimal(1).scaleb(size_decimals - (6 if market["swap"] else 8)))


async def _watch_quote(exchange: Any, symbol: str) -> Any:
    """Subscribe the bbo channel, which ccxt does not know."""
    return await exchange.watch(_url(exchange), _key(symbol), _request("subscribe", exchange, symbol), _key(symbol))


async def _unwatch_quote(exchange: Any, symbol: str) -> None:
    await exchange.client(_url(exchange)).send(_request("unsubscribe", exchange, symbol))


def _request(method: str, exchange: Any, symbol: str) -> dict[str, Any]:
    return {"method": method, "subscription": {"type": "bbo", "coin": _coin(exchange.market(symbol))}}


def _url(exchange: Any) -> str:
    return str(exchange.urls["api"]["ws"]["public"])


def _key(symbol: str) -> str:
    return f"bbo:{symbol}"


_SIDES = {"A": Side.SELL, "B": Side.BUY}
_STREAMS = {"l2Book": Stream.BOOK, "bbo": Stream.QUOTE, "trades": Stream.TRADE}
_READERS = {"l2Book": _book, "bbo": _quote}

VENUE = Venue(
    exchange="hyperliquid",
    title="Hyperliquid",
    suffixes={"swap": "HYPERLIQUID", "spot": "HYPERLIQUID_SPOT"},
    book=BookKind.FULL,
    book_levels=20,
    snapshots=Snapshots.EVERY,
    tap=tap,
    interval_ms=500.0,
    rest_levels=20,
    rest_cost=2.0,
    unaudited="every message is the whole of what is known, so that nothing can drift",
    rest_trades=False,
    best_by_stream=True,
    watchers={Stream.QUOTE: _watch_quote},
    unwatchers={Stream.QUOTE: _unwatch_quote},
    raw_id=_coin,
    price_step=_price_step,
    evidence=Evidence.RECORDED,
    sources=(
        "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions",
        "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/tick-and-lot-size",
    ),
    notes="20 levels a side, whole at each push, which is all that requests give too; no changes; quotes by the bbo channel; no prints by REST",
)
