"""Aster: best bid and ask by its bookTicker; the whole book by REST only, 20 levels of it by stream."""

from collections.abc import Mapping
from typing import Any

from foxtrot.adapter.capabilities import BookKind
from foxtrot.adapter.ccxt.unsubscribing import end_subscription
from foxtrot.adapter.ccxt.venue import Evidence, Fact, Quote, Stream, TapContext, Venue, level, to_ns
from foxtrot.domain.enums import Side
from foxtrot.domain.market import MarketTrade


def tap(message: Any, context: TapContext) -> tuple[Fact, ...] | None:
    """Read a best bid and ask or a print; everything else is ccxt's, books too.

    Source: Aster futures and spot API v3, websocket market streams: bookTicker, aggTrade, {"stream", "data"}.
    """
    data = message.get("data", message)
    reader = _READERS.get(str(data.get("e"))) if isinstance(data, dict) else None
    if reader is None:
        return None
    instrument_id = context.find(data["s"], "swap" if "fstream" in context.url else "spot")
    return () if instrument_id is None else (reader(instrument_id, data, context.now_ns),)


def _quote(instrument_id: str, data: Mapping[str, Any], now_ns: int) -> Fact:
    """Read a best bid and ask.

    Source: Aster futures API v3, Individual Symbol Book Ticker Streams.
    """
    bid, ask = level(data["b"], data["B"]), level(data["a"], data["A"])
    return Quote(instrument_id, to_ns(data.get("T", data.get("E"))), now_ns, int(data["u"]), *bid, *ask)


def _print(instrument_id: str, data: Mapping[str, Any], now_ns: int) -> Fact:
    """Read an aggregate print; m says that the buyer was there before.

    Source: Aster futures API v3, Aggregate Trade Streams.
    """
    price, size = level(data["p"], data["q"])
    side = Side.SELL if data["m"] else Side.BUY
    return MarketTrade(instrument_id, to_ns(data["T"]), now_ns, str(data["a"]), price, size, side)


async def _unwatch_book(exchange: Any, symbol: str) -> None:
    """End the partial book by our own request: ccxt adds a number to a text there.

    Source: Aster futures API v3, websocket market streams, "Unsubscribe to a stream".
    """
    market, called = exchange.market(symbol), f"orderbook:{symbol}"
    frame = {"method": "UNSUBSCRIBE", "params": [f"{market['id'].lower()}@depth{_PARTIAL_LEVELS}"]}
    await end_subscription(exchange, exchange.urls["api"]["ws"]["public"][market["type"]], (called, called), frame)


_PARTIAL_LEVELS = 20
_READERS = {"bookTicker": _quote, "aggTrade": _print}

VENUE = Venue(
    exchange="aster",
    title="Aster",
    suffixes={"swap": "ASTER", "spot": "ASTER_SPOT"},
    book=BookKind.BEST,
    tap=tap,
    partial_levels=_PARTIAL_LEVELS,
    interval_ms=100.0,
    rest_levels=1000,
    rest_limits=(5, 10, 20, 50, 100, 500, 1000),
    rest_cost=20.0,
    unaudited="no book of changes is kept",
    best_by_stream=True,
    unwatchers={Stream.BOOK: _unwatch_book},
    evidence=Evidence.RECORDED,
    sources=(
        "https://asterdex.github.io/aster-api-website/futures-v3/websocket-market-streams/",
        "https://asterdex.github.io/aster-api-website/futures-v3/market-data/#order-book",
    ),
    notes="best bid and ask by bookTicker; depth by stream is the best 20 levels, pushed whole, and never counts as the book; the whole by REST",
)
