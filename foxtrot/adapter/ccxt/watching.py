"""How ccxt is asked for a stream, and how it is told to end one."""

from collections.abc import Callable
from typing import Any, Final

from foxtrot.adapter.ccxt.config import BookWay
from foxtrot.adapter.ccxt.topic import Topic
from foxtrot.adapter.ccxt.venue import Stream, Venue, Watcher

UNWATCHES: Final = {
    Stream.BOOK: "unWatchOrderBook",
    Stream.QUOTE: "unWatchBidsAsks",
    Stream.TRADE: "unWatchTrades",
    Stream.BARS: "unWatchOHLCV",
}
"""ccxt's word in `has` for what ends a stream."""


def watcher_of(topic: Topic, venue: Venue | None, way: BookWay) -> Watcher:
    """Return what asks ccxt for a topic."""
    own = venue.watchers.get(topic.stream) if venue is not None else None
    if own is not None and (topic.stream is not Stream.BOOK or way is BookWay.DEPTH_CACHE):
        return own
    match topic.stream:
        case Stream.BOOK:
            limit, params = _book_arguments(venue, way)
            return lambda exchange, symbol: exchange.watch_order_book(symbol, limit, dict(params))
        case Stream.QUOTE:
            if venue is not None and venue.quote_by_ticker:
                return lambda exchange, symbol: exchange.watch_ticker(symbol, {})
            return lambda exchange, symbol: exchange.watch_bids_asks([symbol], {})
        case Stream.TRADE:
            return lambda exchange, symbol: exchange.watch_trades(symbol, None, None, {})
        case Stream.BARS:
            return lambda exchange, symbol: exchange.watch_ohlcv(symbol, topic.detail, None, None, {})


def unwatcher_of(topic: Topic, venue: Venue | None, way: BookWay, has: Any) -> Watcher | None:
    """Return what ends a topic, None where ccxt cannot."""
    own = venue.unwatchers.get(topic.stream) if venue is not None else None
    name = "unWatchTicker" if _by_ticker(topic, venue) else UNWATCHES[topic.stream]
    if own is not None or not has.get(name):
        return own
    return _UNWATCHERS[name](topic, _book_arguments(venue, way)[1])


def _end_book(_topic: Topic, params: dict[str, Any]) -> Watcher:
    return lambda exchange, symbol: exchange.un_watch_order_book(symbol, dict(params))


def _end_quote(_topic: Topic, _params: dict[str, Any]) -> Watcher:
    return lambda exchange, symbol: exchange.un_watch_bids_asks([symbol], {})


def _end_ticker(_topic: Topic, _params: dict[str, Any]) -> Watcher:
    return lambda exchange, symbol: exchange.un_watch_ticker(symbol, {})


def _end_trade(_topic: Topic, _params: dict[str, Any]) -> Watcher:
    return lambda exchange, symbol: exchange.un_watch_trades(symbol, {})


def _end_bars(topic: Topic, _params: dict[str, Any]) -> Watcher:
    return lambda exchange, symbol: exchange.un_watch_ohlcv(symbol, topic.detail, {})


_UNWATCHERS: Final[dict[str, Callable[[Topic, dict[str, Any]], Watcher]]] = {
    "unWatchOrderBook": _end_book,
    "unWatchBidsAsks": _end_quote,
    "unWatchTicker": _end_ticker,
    "unWatchTrades": _end_trade,
    "unWatchOHLCV": _end_bars,
}


def _by_ticker(topic: Topic, venue: Venue | None) -> bool:
    return topic.stream is Stream.QUOTE and venue is not None and venue.quote_by_ticker


def _book_arguments(venue: Venue | None, way: BookWay) -> tuple[int | None, dict[str, Any]]:
    """Return limit and parameters of ccxt's watch_order_book; without a row ccxt's own, since a limit may cut the book."""
    if venue is None:
        return None, {}
    if way is BookWay.PARTIAL:
        return venue.partial_levels, dict(venue.partial_params)
    return venue.book_limit, dict(venue.book_params)
