"""The hot path: raw market frames of one product, decoded before ccxt sees them, to the streams of their instruments."""

from collections.abc import Callable, Mapping

import msgspec
from loguru import logger

from foxtrot.adapter.binance.bar_stream import BarStream
from foxtrot.adapter.binance.codec import depth_change_of
from foxtrot.adapter.binance.frame_stream import FrameStream
from foxtrot.adapter.binance.frames import (
    BookTickerFrame,
    DepthUpdateFrame,
    Envelope,
    Head,
    KlineFrame,
    TickerFrame,
    TradeFrame,
)
from foxtrot.adapter.binance.partial_books import PARTIAL_MARK
from foxtrot.adapter.binance.tick_stream import TickStream
from foxtrot.adapter.book_stream import BookStream
from foxtrot.core.clock import Clock

MarketFrame = TradeFrame | BookTickerFrame | DepthUpdateFrame | TickerFrame | KlineFrame
KNOWN_EVENTS = frozenset({"trade", "bookTicker", "depthUpdate", "24hrTicker", "kline"})

_EVENT = '{"e":"'
_CHANGE = '{"e":"depthUpdate"'
_SYMBOL = '"s":"'
_QUOTE = '{"u":'
_ANSWERS = ('{"result"', '{"id"', '{"error"', '{"code"')
_decode_event: Callable[[str], MarketFrame] = msgspec.json.Decoder(MarketFrame, strict=False).decode
_decode_quote: Callable[[str], BookTickerFrame] = msgspec.json.Decoder(BookTickerFrame, strict=False).decode
_decode_head: Callable[[str], Head] = msgspec.json.Decoder(Head, strict=False).decode
_decode_envelope: Callable[[str], Envelope] = msgspec.json.Decoder(Envelope, strict=False).decode
_BAD = (msgspec.MsgspecError, RecursionError)


class Deaf:
    """Takes the frames of connections that are given up, so that nobody else spends time on them.

    Thread: stateless, any thread.
    """

    def take(self, _text: str) -> bool:
        """Take a frame."""
        return True

    def end_batch(self) -> None:
        """Tell nothing."""


class StreamBoard:
    """The streams by symbol, and the batch that is being read.

    Thread: binance-io.

    Args:
        wait_for_quote: called when a print changed a tick that no quote came with; calls `publish_waiting` a moment later.
    """

    def __init__(self, clock: Clock, wait_for_quote: Callable[[], None]) -> None:
        self.ticks: dict[str, TickStream] = {}
        self.books: dict[str, BookStream] = {}
        self.bars: dict[tuple[str, str], BarStream] = {}
        """By symbol and Binance's name of the interval."""
        self.seen_by_ccxt: set[str] = set()
        """The symbols whose changes go to ccxt too, which keeps a book of them."""
        self.live = False
        """While false, frames are taken and nothing is told."""
        self.bad_frames = 0
        self._clock = clock
        self._wait_for_quote = wait_for_quote
        self._now_ns = 0
        self._ticked: dict[TickStream, int] = {}
        self._booked: dict[BookStream, int] = {}
        """How many frames of each came together."""
        self._waiting: dict[TickStream, None] = {}
        self.handlers: Mapping[type, Callable[..., object]] = {
            TradeFrame: self.trade,
            BookTickerFrame: self.quote,
            DepthUpdateFrame: self.change,
            TickerFrame: self.totals,
            KlineFrame: self.kline,
        }

    # --- raw frames -------------------------------------------------------------------------------------------------

    def take(self, text: str) -> bool:
        """Take a raw frame; False when it is none of ours, but an answer or an event that ccxt should see.

        A frame of ours that cannot be read is counted and left out: ids show what is missing.
        """
        try:
            if text.startswith(_EVENT):
                if text.startswith(_CHANGE) and (symbol := self._take_frame(text)):
                    return symbol not in self.seen_by_ccxt
                frame = _decode_event(text)
            elif text.startswith(_QUOTE):
                frame = _decode_quote(text)
            else:
                return self._take_other(text)
        except _BAD as error:
            return self._is_ours_but_bad(text, error)
        return not self.handlers[type(frame)](frame)

    def end_batch(self) -> None:
        """Tell what the frames that arrived together have changed."""
        now_ns = self._now_ns
        if self._ticked:
            for stream in self._ticked:
                if stream.quoted:
                    self._waiting.pop(stream, None)
                    stream.publish(now_ns)
                elif stream.changed and stream.ticks:
                    self._waiting[stream] = None
                    self._wait_for_quote()
        for book in self._booked:
            if book.dirty:
                book.publish()
        if self._ticked or self._booked:
            self._note_heard(now_ns)
        self._now_ns = 0

    def publish_waiting(self) -> None:
        """Tell the ticks whose prints no quote came with."""
        now_ns = self._clock.now_ns()
        for stream in list(self._waiting):
            if self.live and stream.changed:
                stream.publish(now_ns)
        self._waiting.clear()

    def forget(self) -> None:
        """Tell nothing of what is pending."""
        self._ticked.clear()
        self._booked.clear()
        self._waiting.clear()

    # --- decoded frames ---------------------------------------------------------------------------------------------

    def trade(self, frame: TradeFrame) -> None:
        """Take a print."""
        stream = self.ticks.get(frame.s)
        if stream is not None and self.live:
            stream.trade(frame, self._now_ns or self._begin_batch())
            self._ticked[stream] = self._ticked.get(stream, 0) + 1

    def quote(self, frame: BookTickerFrame) -> None:
        """Take a best bid and ask."""
        stream = self.ticks.get(frame.s)
        if stream is not None and self.live:
            stream.quote(frame, self._now_ns or self._begin_batch())
            self._ticked[stream] = self._ticked.get(stream, 0) + 1

    def change(self, frame: DepthUpdateFrame) -> bool:
        """Take a change of a book; True when ccxt should see it too."""
        book = self.books.get(frame.s)
        if book is not None and self.live:
            book.take(depth_change_of(frame, book.instrument_id, self._now_ns or self._begin_batch()))
            self._booked[book] = self._booked.get(book, 0) + 1
        return frame.s in self.seen_by_ccxt

    def totals(self, frame: TickerFrame) -> None:
        """Take the totals of the last 24 hours."""
        stream = self.ticks.get(frame.s)
        if stream is not None and self.live:
            stream.totals(frame)

    def kline(self, frame: KlineFrame) -> None:
        """Take a push of a bar."""
        stream = self.bars.get((frame.s, frame.k.i))
        if stream is not None and self.live:
            if stream.health is not None:
                stream.health.heard(self._clock.monotonic_ns())
            stream.take(frame.k, self._now_ns or self._begin_batch())

    # --- inside -----------------------------------------------------------------------------------------------------

    def _note_heard(self, now_ns: int) -> None:
        """Note in the figures of each stream what came together: once per batch, which costs little."""
        heard_ns = self._clock.monotonic_ns()
        handed_ms = (self._clock.now_ns() - now_ns) / 1e6
        for stream, frames in self._ticked.items():
            if stream.health is not None:
                venue_ms = (now_ns - stream.venue_ns) / 1e6 if stream.venue_ns else None
                stream.health.heard(heard_ns, venue_ms=venue_ms, engine_ms=handed_ms, messages=frames)
            stream.venue_ns = 0
        for book, frames in self._booked.items():
            if book.health is not None:
                venue_ms = (now_ns - book.book.venue_time_ns) / 1e6 if book.book.venue_time_ns else None
                book.health.heard(heard_ns, venue_ms=venue_ms, engine_ms=handed_ms, messages=frames)
        self._ticked.clear()
        self._booked.clear()

    def _take_frame(self, text: str) -> str:
        """Give a change to a book that takes frames as they come; its symbol, or "" where it is to be decoded."""
        if not self.live:
            return ""
        start = text.find(_SYMBOL) + len(_SYMBOL)
        symbol = text[start : text.find('"', start)]
        book = self.books.get(symbol)
        if not isinstance(book, FrameStream) or not book.take_frame(text, self._now_ns or self._begin_batch()):
            return ""
        self._booked[book] = self._booked.get(book, 0) + 1
        return symbol

    def _begin_batch(self) -> int:
        self._now_ns = self._clock.now_ns()
        return self._now_ns

    def _take_other(self, text: str) -> bool:
        """Take a frame whose first key is not the usual one."""
        if text.startswith(_ANSWERS) or not text.startswith("{"):
            return not text.startswith("{") and self._is_ours_but_bad(text, ValueError("not an object"))
        head = _decode_envelope(text)
        if head.stream is not None:
            return PARTIAL_MARK not in head.stream and self.take(bytes(head.data).decode())
        if head.e in KNOWN_EVENTS:
            return not self.handlers[type(frame := _decode_event(text))](frame)
        if head.e is None and head.u is not None:
            self.quote(_decode_quote(text))
            return True
        return False

    def _is_ours_but_bad(self, text: str, error: Exception) -> bool:
        try:
            tag = _decode_head(text).e
        except _BAD:
            tag = ""  # not JSON, or not an object: nobody could use it
        if tag is not None and tag != "" and tag not in KNOWN_EVENTS:
            return False
        self.note_bad(text, error)
        return True

    def note_bad(self, message: object, error: Exception) -> None:
        """Count a frame of ours that cannot be read; each time as many were counted again, one is logged."""
        self.bad_frames += 1
        if self.bad_frames & (self.bad_frames - 1) == 0:
            logger.warning("market frame {} cannot be read: {}: {!r:.200}", self.bad_frames, error, message)
