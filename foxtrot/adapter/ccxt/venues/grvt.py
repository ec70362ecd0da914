"""GRVT: the whole book by its stream; a snapshot without a number after each subscription, then changes numbered one by one."""

import re
from collections.abc import Mapping
from typing import Any

from foxtrot.adapter.capabilities import BookKind
from foxtrot.adapter.ccxt.unsubscribing import end_subscription, noted_names
from foxtrot.adapter.ccxt.venue import Confirmed, Evidence, Fact, Snapshots, Stream, TapContext, Venue, level
from foxtrot.books.sequence import NonceChain
from foxtrot.books.unnumbered_snapshot import UnnumberedSnapshot
from foxtrot.domain.enums import Side
from foxtrot.domain.market import DepthChange, DepthData, Level, MarketTrade

_RATE_MS = 100
"""Not 50 nor 500: ccxt knows subscriptions by instrument and rate alone, and those are its trades' and tickers'."""
_TRADES = 50
_PARTIAL_LEVELS = 50
_BOOK_SELECTOR = re.compile(r"(?P<market>.+)@(?P<rate>\d+)(-(?P<depth>\d+))?")
"""Source: GRVT API docs, WSOrderbookLevelsFeedSelectorV1, "Subscription Pattern"."""


def tap(message: Any, context: TapContext) -> tuple[Fact, ...] | None:
    """Read a frame of a market, or the answer to a subscription; everything else is ccxt's.

    Source: GRVT API docs, MarketData Websocket Streams: Orderbook Delta, Orderbook Snap, Trade; WSSubscribeResult.
    """
    if not isinstance(message, dict):
        return None
    result = message.get("result")
    if message.get("method") == "subscribe" and isinstance(result, dict):
        return _confirmed(result, context)
    stream = _STREAMS.get(str(message.get("stream")))
    if stream is None:
        return None
    instrument_id = context.find(_market_id(message["selector"]))
    if instrument_id is None:
        return ()
    return (_book if stream is Stream.BOOK else _trade)(instrument_id, message, context.now_ns)


def _confirmed(result: Mapping[str, Any], context: TapContext) -> tuple[Fact, ...] | None:
    """Read the answer to a subscription, or to the end of one, which has the same form and no `subs`.

    Source: GRVT API docs, WSSubscribeResult, WSUnsubscribeResult; Orderbook Delta, "Full Unsubscribe Response".
    """
    stream = _STREAMS.get(str(result.get("stream")))
    if stream is None:
        return None
    found = [context.find(_market_id(selector)) for selector in result.get("subs") or ()]
    return tuple([Confirmed(instrument_id, stream) for instrument_id in found if instrument_id is not None])


def _book(instrument_id: str, message: Mapping[str, Any], now_ns: int) -> tuple[Fact, ...]:
    """Read a snapshot, whose number is 0, or a change.

    Source: GRVT API docs, WSSubscribeResult: "All snapshot payloads will have a sequence number of 0".
    """
    feed, number = message["feed"], int(message["sequence_number"])
    time_ns, bids, asks = int(feed["event_time"]), _levels(feed["bids"]), _levels(feed["asks"])
    if number == 0 or message["stream"] == "v1.book.s":
        return (DepthData(instrument_id, time_ns, now_ns, number, bids, asks),)
    before = int(message["prev_sequence_number"])
    return (DepthChange(instrument_id, time_ns, now_ns, before + 1, number, before, bids, asks),)


def _trade(instrument_id: str, message: Mapping[str, Any], now_ns: int) -> tuple[Fact, ...]:
    """Read a print; those of the snapshot, whose number is 0, are past ones.

    Source: GRVT API docs, MarketData Websocket Streams, Trade: is_taker_buyer.
    """
    feed = message["feed"]
    if int(message["sequence_number"]) == 0:
        return ()
    price, size = level(feed["price"], feed["size"])
    side = Side.BUY if feed["is_taker_buyer"] else Side.SELL
    return (MarketTrade(instrument_id, int(feed["event_time"]), now_ns, feed["trade_id"], price, size, side),)


def _market_id(selector: str) -> str:
    """Return the instrument of a selector such as BTC_USDT_Perp@100.

    Source: GRVT API docs, WSOrderbookLevelsFeedSelectorV1, "Subscription Pattern".
    """
    return selector.partition("@")[0]


def _levels(rows: list[Mapping[str, str]]) -> tuple[Level, ...]:
    return tuple([level(row["price"], row["size"]) for row in rows])


async def _unwatch_book(exchange: Any, symbol: str) -> None:
    """End the streams of the book that ccxt has noted, changes at a rate or whole books at a rate and depth."""
    market_id = exchange.market(symbol)["id"]
    for selector in noted_names(exchange, _url(exchange)):
        found = _BOOK_SELECTOR.fullmatch(selector)
        if found is not None and found["market"] == market_id and int(found["rate"]) != _TRADES:
            stream = "v1.book.s" if found["depth"] else "v1.book.d"
            await _end(exchange, stream, selector, f"orderbook::{symbol}")


async def _unwatch_trades(exchange: Any, symbol: str) -> None:
    await _end(exchange, "v1.trade", f"{exchange.market(symbol)['id']}@{_TRADES}", f"trade::{symbol}")


async def _end(exchange: Any, stream: str, selector: str, messages: str) -> None:
    """End a subscription, which ccxt cannot.

    Source: GRVT API docs, JSONRPCRequest: method unsubscribe.
    """
    asked = {"stream": stream, "selectors": [selector]}
    frame = {"jsonrpc": "2.0", "method": "unsubscribe", "params": asked, "id": exchange.request_id()}
    await end_subscription(exchange, _url(exchange), (selector, messages), frame)


def _url(exchange: Any) -> str:
    return str(exchange.urls["api"]["ws"]["publicMarket"])


def _rule() -> UnnumberedSnapshot:
    return UnnumberedSnapshot(NonceChain())


_STREAMS = {"v1.book.d": Stream.BOOK, "v1.book.s": Stream.BOOK, "v1.trade": Stream.TRADE}

VENUE = Venue(
    exchange="grvt",
    title="GRVT",
    suffixes={"swap": "GRVT"},
    book=BookKind.FULL,
    snapshots=Snapshots.STREAM,
    rule=_rule,
    tap=tap,
    book_params={"interval": _RATE_MS},
    interval_ms=float(_RATE_MS),
    rest_levels=500,
    rest_cost=1.0,
    unaudited="the book of a request has a time and no sequence number",
    partial_levels=_PARTIAL_LEVELS,
    partial_params={"channel": "v1.book.s"},
    unwatchers={Stream.BOOK: _unwatch_book, Stream.TRADE: _unwatch_trades},
    evidence=Evidence.DOCUMENTED,
    sources=(
        "https://api-docs.grvt.io/market_data_streams/#orderbook-delta",
        "https://api-docs.grvt.io/schemas/ws_subscribe_result/",
        "https://api-docs.grvt.io/schemas/ws_orderbook_levels_feed_selector_v1/",
    ),
    notes="whole book every 100 ms, or 50 levels of it whole every 500 ms; best bid and ask only with tickers every 500 ms, so that ticks are made of the book",
)
