"""The slow path: what ccxt.pro's watchers return, as the frames and books that the streams take.

The same facts come out of it as of the raw frames, except that ccxt keeps the time of a book's event only, and hands on a book
once per wake-up: its changes are then what differs between two of them.
"""

from collections.abc import Mapping
from decimal import Decimal
from math import inf, isfinite
from typing import Any

import msgspec

from foxtrot.adapter.base_adapter import ExactBook
from foxtrot.adapter.binance.book_stream import FULL_BOOK_LEVELS, BookStream
from foxtrot.adapter.binance.frames import BookTickerFrame, TickerFrame, TradeFrame, to_ns
from foxtrot.domain.enums import BookState
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

    Thread: binance-io, except `exact`, from any: it reads one frozen copy.
    """

    _full: DepthData | None = None
    _heard_id = 0

    @property
    def update_id(self) -> int:
        """Return the id as of which the book is known."""
        return self.book.update_id if self._full is None else self._full.update_id

    @property
    def is_loaded(self) -> bool:
        """Tell whether there is a book."""
        return self._full is not None or super().is_loaded

    def begin(self, cause: str = "") -> None:
        """Wait for ccxt's first book."""
        self._renew(streams=True)
        self._full = None
        self._heard_id = 0
        self.polled = False
        self.dirty = self._chained = False
        self._tell(BookState.SYNCING, cause)

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
        update_id, time_ms, before = int(book["nonce"]), book["timestamp"], self._full
        if update_id < self._heard_id:
            self._full = None
            self.dirty = self._chained = False
            self._tell(BookState.SYNCING, f"{self.instrument_id}: {update_id} is behind {self._heard_id}")
            return
        time_ns = now_ns if time_ms is None else to_ns(time_ms)
        bids, asks = _copied(book["bids"]), _copied(book["asks"])
        self._full = DepthData(self.instrument_id, time_ns, now_ns, update_id, bids, asks)
        crossed = bool(bids and asks) and bids[0][0] >= asks[0][0]
        self._tell(BookState.CROSSED if crossed else BookState.LIVE)
        if before is not None and update_id == before.update_id:
            return
        self.dirty = True
        if self.changes and self._chained and before is not None:
            old = before.update_id
            changed = _changed(before.bids, bids), _changed(before.asks, asks)
            self._publisher.on_depth_change(
                DepthChange(self.instrument_id, time_ns, now_ns, old + 1, update_id, old, *changed)
            )

    def want(self, levels: int, *, changes: bool) -> None:
        """Set what to publish: changes follow a full snapshot, not one of the best levels."""
        more = levels > self.levels or (changes and not self.changes)
        self._chained = self._chained and not (changes and not self.changes)
        self.levels, self.changes = levels, changes
        self.dirty = more and (self._full is not None or self.polled)

    def publish(self) -> None:
        """Tell the levels that were copied last."""
        full = self._full
        if self.polled or full is None:
            super().publish()
            return
        self.dirty = False
        if self._told is not BookState.LIVE:
            return
        if self.levels or not self._chained:
            levels = FULL_BOOK_LEVELS if self.changes and not self._chained else self.levels
            self._publisher.on_depth(msgspec.structs.replace(full, bids=full.bids[:levels], asks=full.asks[:levels]))
        self._chained = self.changes

    def restart_chain(self) -> bool:
        """Tell a fresh snapshot on which changes go on; False while there is no book."""
        self._chained = False
        if self._full is None or self._told is not BookState.LIVE:
            return False
        self.publish()
        return True

    def stale(self, cause: str) -> None:
        """Say that the stream is gone or silent."""
        self._full = None
        super().stale(cause)

    def exact(self, now_ns: int) -> ExactBook | None:
        """Return ccxt's book with exact prices and sizes, or None when it is not LIVE; from any thread."""
        full = self._full
        if full is None or self.polled or self._told is not BookState.LIVE:
            return None
        age_ms = max(0, now_ns - full.local_time_ns) / 1e6
        bids, asks = self._exact(full.bids), self._exact(full.asks)
        return ExactBook(self.instrument_id, full.update_id, bids, asks, "stream", age_ms)

    def _exact(self, side: tuple[Level, ...]) -> tuple[tuple[Decimal, Decimal], ...]:
        price, size = self.book.instrument.price_grid, self.book.instrument.quantity_grid
        return tuple((price.to_decimal(price.from_float(p)), size.to_decimal(size.from_float(q))) for p, q in side)


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
