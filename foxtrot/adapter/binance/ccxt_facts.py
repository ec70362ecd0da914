"""The slow path: what ccxt.pro's watchers return, as the frames and books that the streams take.

The same facts come out of it as of the raw frames, except that ccxt keeps the time of a book's event only, and hands on a book
once per wake-up: its changes are then what differs between two of them.
"""

import threading
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from foxtrot.adapter.base_adapter import ExactBook
from foxtrot.adapter.binance.book_stream import FULL_BOOK_LEVELS, BookStream
from foxtrot.adapter.binance.frames import BookTickerFrame, TickerFrame, TradeFrame, to_ns
from foxtrot.domain.enums import BookState
from foxtrot.domain.market import DepthChange, DepthData, Level

READ_WITHIN_S = 0.5


def trade_frame(trade: Mapping[str, Any], symbol: str) -> TradeFrame:
    """Return a print of ccxt's as the frame it came from.

    Source: ccxt manual, Trade structure; Binance spot API, web-socket-streams, Trade Streams.
    """
    buyer_is_maker = trade["side"] == "sell"
    return TradeFrame(symbol, int(trade["id"]), trade["price"], trade["amount"], trade["timestamp"], buyer_is_maker)


def quote_frame(ticker: Mapping[str, Any], symbol: str) -> BookTickerFrame:
    """Return a best bid and ask of ccxt's as the frame it came from.

    Source: ccxt manual, Ticker structure; Binance spot API, web-socket-streams, Individual Symbol Book Ticker Streams.
    """
    info, bid, ask = ticker["info"], ticker["bid"], ticker["ask"]
    return BookTickerFrame(
        symbol, info["u"], bid or 0.0, ticker["bidVolume"] or 0.0, ask or 0.0, ticker["askVolume"] or 0.0, info.get("T")
    )


def ticker_frame(ticker: Mapping[str, Any]) -> TickerFrame:
    """Return the totals that ccxt got.

    Source: Binance spot API, web-socket-streams, Individual Symbol Ticker Streams.
    """
    return msgspec.convert(ticker["info"], TickerFrame, strict=False)


class CcxtBook(BookStream):
    """A book that ccxt keeps; it is read after each wake-up.

    Thread: binance-io; `exact`, from any, lets the session's thread read and waits for it, at most READ_WITHIN_S.

    Args:
        call_soon: runs a function on the session's thread; False when it is closed.
    """

    def __init__(self, *arguments: Any, call_soon: Callable[[Callable[[], None]], bool]) -> None:
        super().__init__(*arguments)
        self._call_soon = call_soon
        self._source_book: Any = None
        self._shown: DepthData | None = None
        self._heard_ns = 0
        self._reader = 0

    def begin(self, cause: str = "") -> None:
        """Wait for ccxt's first book."""
        self._source_book = self._shown = None
        self.polled = False
        self.dirty = self._chained = False
        self._tell(BookState.SYNCING, cause)

    def take_book(self, book: Any, now_ns: int) -> None:
        """Take ccxt's book as it is now; the object is ccxt's own and goes on changing."""
        update_id = int(book["nonce"])
        time_ms = book["timestamp"]
        self._reader = threading.get_ident()
        self._source_book, self._heard_ns = book, now_ns
        before = self._shown
        levels = FULL_BOOK_LEVELS if self.changes else max(self.levels, 1)
        bids, asks = _levels(book["bids"], levels), _levels(book["asks"], levels)
        time_ns = now_ns if time_ms is None else to_ns(time_ms)
        self._shown = DepthData(self.instrument_id, time_ns, now_ns, update_id, bids, asks)
        crossed = bool(bids and asks) and bids[0][0] >= asks[0][0]
        self._tell(BookState.CROSSED if crossed else BookState.LIVE)
        if before is not None and update_id == before.update_id and self._chained:
            return
        self.dirty = True
        if self.changes and self._chained and before is not None:
            old = before.update_id
            changed = _changed(before.bids, bids), _changed(before.asks, asks)
            self._publisher.on_depth_change(
                DepthChange(self.instrument_id, time_ns, now_ns, old + 1, update_id, old, *changed)
            )

    def publish(self) -> None:
        """Tell the levels that were read last."""
        if self.polled:
            super().publish()
            return
        self.dirty = False
        shown = self._shown
        if shown is None or self._told is not BookState.LIVE:
            return
        if self.levels or not self._chained:
            levels = FULL_BOOK_LEVELS if self.changes and not self._chained else self.levels
            if len(shown.bids) > levels or len(shown.asks) > levels:
                shown = msgspec.structs.replace(shown, bids=shown.bids[:levels], asks=shown.asks[:levels])
            self._publisher.on_depth(shown)
        self._chained = self.changes

    def want(self, levels: int, *, changes: bool) -> None:
        """Set what to publish, and read ccxt's book anew when more of it is wanted."""
        more = levels > self.levels or (changes and not self.changes)
        self._chained = self._chained and not (changes and not self.changes)
        self.levels, self.changes = levels, changes
        if more and self._source_book is not None:
            self.take_book(self._source_book, self._heard_ns)
            self.dirty = True

    def restart_chain(self) -> bool:
        """Tell a fresh snapshot on which changes go on; False while there is no book."""
        self._chained = False
        if self._shown is None or self._told is not BookState.LIVE:
            return False
        self.publish()
        return True

    def stale(self, cause: str) -> None:
        """Say that the stream is gone or silent."""
        self._source_book = self._shown = None
        super().stale(cause)

    def exact(self, now_ns: int) -> ExactBook | None:
        """Return ccxt's book with exact prices and sizes, or None when it is not LIVE."""
        if self._reader == threading.get_ident():
            return self._read(now_ns)
        if self._source_book is None:
            return None
        answer: list[ExactBook | None] = []
        read = threading.Event()

        def run() -> None:
            answer.append(self._read(now_ns))
            read.set()

        if not self._call_soon(run) or not read.wait(READ_WITHIN_S):
            return None
        return answer[0]

    def _read(self, now_ns: int) -> ExactBook | None:
        source = self._source_book
        if source is None or self.polled or self._told is not BookState.LIVE:
            return None
        bids, asks = self._exact(source["bids"]), self._exact(source["asks"])
        age_ms = max(0, now_ns - self._heard_ns) / 1e6
        return ExactBook(self.instrument_id, int(source["nonce"]), bids, asks, "stream", age_ms)

    def _exact(self, side: Any) -> tuple[tuple[Decimal, Decimal], ...]:
        price, size = self.book.instrument.price_grid, self.book.instrument.quantity_grid
        return tuple(
            (price.to_decimal(price.from_float(p)), size.to_decimal(size.from_float(q)))
            for p, q in _levels(side, FULL_BOOK_LEVELS)
        )


def _levels(side: Any, levels: int) -> tuple[Level, ...]:
    return tuple([(level[0], level[1]) for level in side[:levels]])


def _changed(old: tuple[Level, ...], new: tuple[Level, ...]) -> tuple[Level, ...]:
    was, now = dict(old), dict(new)
    rows = [(price, size) for price, size in new if was.get(price) != size]
    return tuple(rows + [(price, 0.0) for price, _ in old if price not in now])
