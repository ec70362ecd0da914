"""The slow path: what ccxt.pro's watchers return, as the frames and books that the streams take.

The same facts come out of it as of the raw frames, except that ccxt keeps the time of a book's event only, and hands on a book
once per wake-up: its changes are then what differs between two of them.
"""

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any

import msgspec

from foxtrot.adapter.binance.frames import BookTickerFrame, TickerFrame, TradeFrame, to_ns
from foxtrot.adapter.book_stream import BookStream
from foxtrot.domain.market import DepthChange, DepthData, Level


def trade_frame(trade: Mapping[str, Any], symbol: str) -> TradeFrame:
    """Return a print of ccxt's as the frame it came from.

    Raises:
        ValueError: a figure is missing; ccxt checks nothing.

    Source: ccxt manual, Trade structure; Binance spot API, web-socket-streams, Trade Streams.
    """
    price, amount, time_ms = trade["price"], trade["amount"], trade["timestamp"]
    if not (_is_figure(price) and _is_figure(amount) and isinstance(time_ms, int)):
        raise ValueError(f"a print of {symbol} has no price, size or time: {trade['info']}")
    return TradeFrame(symbol, int(trade["id"]), price, amount, time_ms, trade["side"] == "sell")


def quote_frame(ticker: Mapping[str, Any], symbol: str) -> BookTickerFrame:
    """Return a best bid and ask of ccxt's as the frame it came from.

    Raises:
        ValueError: a figure is none; ccxt checks nothing.

    Source: ccxt manual, Ticker structure; Binance spot API, web-socket-streams, Individual Symbol Book Ticker Streams.
    """
    info = ticker["info"]
    bid, bid_size, ask, ask_size = (ticker[name] or 0.0 for name in ("bid", "bidVolume", "ask", "askVolume"))
    if not isfinite(bid + bid_size + ask + ask_size):
        raise ValueError(f"a quote of {symbol} has a figure that is none: {info}")
    return BookTickerFrame(symbol, info["u"], bid, bid_size, ask, ask_size, info.get("T"))


def ticker_frame(ticker: Mapping[str, Any]) -> TickerFrame:
    """Return the totals that ccxt got.

    Source: Binance spot API, web-socket-streams, Individual Symbol Ticker Streams.
    """
    return msgspec.convert(ticker["info"], TickerFrame, strict=False)


class CcxtBook(BookStream):
    """A book that ccxt keeps; it is copied at each wake-up, since ccxt goes on changing its own.

    Thread: binance-io, except `exact`, from any.
    """

    _full: DepthData | None = None
    _heard_id = 0

    def take(self, change: DepthChange) -> bool:
        """Leave a change alone: ccxt takes it."""
        return False

    def begin(self, cause: str = "", *, same_stream: bool = False) -> None:
        """Wait for ccxt's first book."""
        self._heard_id = 0
        super().begin(cause, same_stream=same_stream)

    def hear(self, update_id: Any) -> None:
        """Note the last id of a change before ccxt takes it.

        Source: Binance spot API, web-socket-streams, Diff. Depth Stream.
        """
        if isinstance(update_id, int):
            self._heard_id = max(self._heard_id, update_id)

    def take_book(self, book: Any, now_ns: int) -> None:
        """Take ccxt's book as it is now, unless the stream is ahead of it.

        ccxt hands on a snapshot that is too old for the changes it has heard, and notices at the next one only.

        Raises:
            ValueError: a figure is none; ccxt checks nothing.
        """
        if book["nonce"] is None:  # it was just begun anew, after this one was to be handed on
            return
        update_id, time_ms = int(book["nonce"]), book["timestamp"]
        if update_id < self._heard_id:
            super().begin(f"{self.instrument_id}: {update_id} is behind {self._heard_id}")
            return
        if self.is_loaded and update_id == self.update_id:
            return
        time_ns = 0 if time_ms is None else to_ns(time_ms)  # ours is by another clock
        bids, asks = _copied(book["bids"]), _copied(book["asks"])
        before, full = self._full, DepthData(self.instrument_id, time_ns, now_ns, update_id, bids, asks)
        change = None
        if self.changes and self.is_loaded and before is not None:
            changed = _changed(before.bids, bids), _changed(before.asks, asks)
            old_id = before.update_id
            change = DepthChange(self.instrument_id, time_ns, now_ns, old_id + 1, update_id, old_id, *changed)
        self.replace(full, change)
        self._full = full


def hear_change(message: Mapping[str, Any], books: Mapping[str, BookStream]) -> None:
    """Note the id of a change of a book that ccxt keeps; everything else is left alone.

    Source: Binance spot API, web-socket-streams, Diff. Depth Stream.
    """
    if message.get("e") == "depthUpdate":
        book = books.get(str(message.get("s")))
        if isinstance(book, CcxtBook):
            book.hear(message.get("u"))


def _copied(side: Any) -> tuple[Level, ...]:
    rows = tuple([(level[0], level[1]) for level in side])
    if not all(0.0 < price < inf and 0.0 <= size < inf for price, size in rows):  # false of NaN too
        raise ValueError("a level of ccxt's book has a figure that is none")
    return rows


def _is_figure(value: Any) -> bool:
    """Tell whether ccxt has a price or size, which is None where the message had none."""
    return isinstance(value, float | int) and 0.0 < value < inf


def _changed(old: tuple[Level, ...], new: tuple[Level, ...]) -> tuple[Level, ...]:
    was, now = dict(old), dict(new)
    rows = [(price, size) for price, size in new if was.get(price) != size]
    return tuple(rows + [(price, 0.0) for price, _ in old if price not in now])
