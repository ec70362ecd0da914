"""One desired stream of one instrument, what hears of it, and how ccxt.pro is asked for it."""

import asyncio
import enum
from typing import Any

import ccxt

from foxtrot.adapter.binance.partial_books import unwatch_partial, watch_partial
from foxtrot.adapter.reconnect import Backoff
from foxtrot.domain.errors import AdapterError

RAISED = (ccxt.BaseError, AdapterError, LookupError, TypeError, ValueError, AttributeError, OSError)
"""What ccxt lets out besides its own errors when a message is not what it expects."""


class TopicKind(enum.StrEnum):
    """What a topic streams; the value is the name of ccxt's subscription of a symbol, and of an interval for bars.

    A book whose detail is a number of levels is the venue's partial one, which ccxt does not know.
    """

    QUOTE = "bidask:bookTicker@{}"
    TRADE = "trade::{}"
    BOOK = "orderbook::{}{}"
    TOTALS = "ticker:ticker@{}"
    KLINE = "ohlcv::{}::{}"


_STREAMS = {
    TopicKind.QUOTE: "bookTicker",
    TopicKind.TRADE: "trade",
    TopicKind.BOOK: "depth{}@100ms",
    TopicKind.TOTALS: "ticker",
    TopicKind.KLINE: "kline_{}",
}


class Topic:
    """One desired stream of one instrument.

    Thread: binance-io.
    """

    def __init__(self, kind: TopicKind, instrument_id: str, unified: str, backoff: Backoff, detail: str = "") -> None:
        self.kind = kind
        self.instrument_id = instrument_id
        self.unified = unified
        self.detail = detail
        """The interval of bars, by Binance's name, or the levels of a partial book."""
        self.key = kind.value.format(unified, detail)
        self.wanted = True
        self.up = asyncio.Event()
        """Set while the venue has confirmed the subscription."""
        self.settled = asyncio.Event()
        """Set once it is confirmed, or given up for good."""
        self.backoff = backoff
        self.closing = False
        """Whether its subscription is being ended; that goes on when it is wanted again meanwhile."""
        self.asked_ns = 0
        self.task: asyncio.Task[None] | None = None

    def stream(self, symbol: str) -> str:
        """Return Binance's name of the stream of a symbol.

        Source: Binance spot API, web-socket-streams, Detailed Stream information; USDⓈ-M Futures, Websocket Market Streams.
        """
        return f"{symbol.lower()}@{_STREAMS[self.kind].format(self.detail)}"

    def watch(self, exchange: Any) -> Any:
        """Return ccxt's coroutine that waits for the next item, and subscribes where that was not done."""
        match self.kind:
            case TopicKind.QUOTE:
                return exchange.watch_bids_asks([self.unified])
            case TopicKind.TRADE:
                return exchange.watch_trades(self.unified)
            case TopicKind.BOOK if self.detail:
                return watch_partial(exchange, self.unified, self.key, self.stream(exchange.market(self.unified)["id"]))
            case TopicKind.BOOK:
                return exchange.watch_order_book(self.unified)
            case TopicKind.TOTALS:
                return exchange.watch_ticker(self.unified, {"name": "ticker"})
            case TopicKind.KLINE:
                return exchange.watch_ohlcv(self.unified, self.detail, None, None, {})

    def unwatch(self, exchange: Any) -> Any:
        """Return ccxt's coroutine that ends the subscription."""
        match self.kind:
            case TopicKind.QUOTE:
                return exchange.un_watch_bids_asks([self.unified])
            case TopicKind.TRADE:
                return exchange.un_watch_trades(self.unified)
            case TopicKind.BOOK if self.detail:
                return unwatch_partial(
                    exchange, self.unified, self.key, self.stream(exchange.market(self.unified)["id"])
                )
            case TopicKind.BOOK:
                return exchange.un_watch_order_book(self.unified)
            case TopicKind.TOTALS:
                return exchange.un_watch_ticker(self.unified, {"name": "ticker"})
            case TopicKind.KLINE:
                return exchange.un_watch_ohlcv(self.unified, self.detail, {})


class Listener:
    """What hears of topics; every method may be replaced.

    Thread: binance-io.
    """

    def on_up(self, topic: Topic) -> None:
        """Hear that a subscription is confirmed: from now on everything comes."""

    def on_item(self, topic: Topic, item: Any) -> None:
        """Hear what a watcher of ccxt returned."""

    def on_down(self, topic: Topic, cause: str, *, gap: bool) -> None:
        """Hear that a topic is interrupted: by a gap, after which it goes on at once, or by a loss."""

    def on_refused(self, topic: Topic, cause: str) -> None:
        """Hear that a topic cannot be had."""


async def first(*waits: Any) -> None:
    """Wait for the first of some coroutines; its error is raised, the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for task in done:
        task.result()
