"""What ccxt returns, as facts: books, prints and tickers of a venue whose raw messages nobody reads, and answers of requests."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from foxtrot.adapter.base_adapter import ExactBook
from foxtrot.adapter.ccxt.venue import Quote, to_ns
from foxtrot.domain.enums import Side
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import REST, STREAM, BarData, DepthData, Level, MarketTrade

LEVELS: Final = 1_000
ExactLevels = tuple[tuple[Decimal, Decimal], ...]


def depth_of(book: Mapping[str, Any], instrument_id: str, update_id: int, now_ns: int) -> DepthData:
    """Return a book that ccxt keeps, copied.

    Source: ccxt manual, Order Book Structure.
    """
    bids = tuple([(float(row[0]), float(row[1])) for row in book["bids"][:LEVELS]])
    asks = tuple([(float(row[0]), float(row[1])) for row in book["asks"][:LEVELS]])
    return DepthData(instrument_id, to_ns(book.get("timestamp")), now_ns, update_id, bids, asks)


def polled_depth(book: Mapping[str, Any], instrument_id: str, now_ns: int, orders: int = 0) -> DepthData:
    """Return a book that was asked for; `orders` as in `exact_of`.

    Source: ccxt manual, Order Book Structure.
    """
    exact = exact_of(book, instrument_id, LEVELS, orders)
    bids = tuple((float(price), float(size)) for price, size in exact.bids)
    asks = tuple((float(price), float(size)) for price, size in exact.asks)
    return DepthData(instrument_id, to_ns(book.get("timestamp")), now_ns, exact.update_id, bids, asks, REST)


def exact_of(book: Mapping[str, Any], instrument_id: str, levels: int, orders: int = 0) -> ExactBook:
    """Return a book that was asked for, exactly as its figures print; what has one price is added up, for some venues list orders.

    Args:
        book: ccxt's.
        instrument_id: whose.
        levels: how many a side at most.
        orders: how many orders a side the venue lists at most, 0 where it lists levels. The last level of a full list is left out: more
            orders may stand there.

    Raises:
        ValueError: a full list has orders of one price only, so that not one level is known.

    Source: ccxt manual, Order Book Structure.
    """
    bids = _levels(book["bids"], orders, lowest_first=False)[:levels]
    asks = _levels(book["asks"], orders, lowest_first=True)[:levels]
    return ExactBook(instrument_id, int(book.get("nonce") or 0), bids, asks, REST, 0.0)


def trade_of(trade: Mapping[str, Any], instrument_id: str, now_ns: int, source: str = STREAM) -> MarketTrade:
    """Return a print of ccxt's.

    Source: ccxt manual, Public Trades, trade structure.
    """
    side = Side.SELL if trade.get("side") == "sell" else Side.BUY
    price, size = float(trade["price"]), float(trade["amount"])
    return MarketTrade(
        instrument_id, to_ns(trade.get("timestamp")), now_ns, str(trade.get("id") or ""), price, size, side, source
    )


def quote_of(ticker: Mapping[str, Any], instrument_id: str, now_ns: int) -> Quote:
    """Return the best bid and ask of a ticker of ccxt's.

    Source: ccxt manual, Ticker Structure.
    """
    bid, ask = _figure(ticker, "bid"), _figure(ticker, "ask")
    sizes = _figure(ticker, "bidVolume"), _figure(ticker, "askVolume")
    return Quote(instrument_id, to_ns(ticker.get("timestamp")), now_ns, 0, bid, sizes[0], ask, sizes[1])


def best_of(depth: DepthData) -> Quote:
    """Return the best bid and ask of a book."""
    bid: Level = depth.bids[0] if depth.bids else (0.0, 0.0)
    ask: Level = depth.asks[0] if depth.asks else (0.0, 0.0)
    return Quote(depth.instrument_id, depth.venue_time_ns, depth.local_time_ns, 0, *bid, *ask)


def bar_of(row: list[Any], instrument_id: str, interval: Interval, now_ns: int) -> BarData:
    """Return a bar of ccxt's: time, open, high, low, close, volume.

    Source: ccxt manual, OHLCV Structure.
    """
    open_ns = to_ns(row[0])
    opened, high, low, close, volume = (float(figure or 0.0) for figure in row[1:6])
    if not 0.0 < low <= min(opened, close) <= max(opened, close) <= high:
        raise ValueError(f"a bar at {row[0]} cannot be: open {opened}, high {high}, low {low}, close {close}")
    return BarData(
        instrument_id, interval.text, open_ns, open_ns + interval.duration_ns, opened, high, low, close, volume,
        local_time_ns=now_ns,
    )  # fmt: skip


def _levels(rows: Iterable[Any], orders: int, *, lowest_first: bool) -> ExactLevels:
    found: dict[Decimal, Decimal] = {}
    listed = list(rows)
    for row in listed[: 4 * LEVELS]:
        price, size = Decimal(repr(float(row[0]))), Decimal(repr(float(row[1])))
        found[price] = found.get(price, Decimal(0)) + size
    levels = sorted(((price, size) for price, size in found.items() if size), reverse=not lowest_first)
    if orders and len(listed) >= orders:
        levels.pop()
        if not levels:
            raise ValueError(f"all {len(listed)} orders of a side have one price, so that its size is not known")
    return tuple(levels[:LEVELS])


def _figure(ticker: Mapping[str, Any], name: str) -> float:
    return float(ticker.get(name) or 0.0)
