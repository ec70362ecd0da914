"""Takes ibapi's callbacks of market data and tells what they say; one of a stream that is none any more is left alone."""

from collections.abc import Callable
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.ib import codec
from foxtrot.adapter.ib.entry import Entry
from foxtrot.core.clock import Clock
from foxtrot.domain.errors import FoxtrotError

_BAD: Final = (FoxtrotError, ValueError, OverflowError, TypeError)
"""What a callback with arguments that cannot be read raises."""


class MarketCallbacks:
    """The callbacks of quotes, depth and prints.

    Thread: ib-run; the tables are changed by ib-io, entry by entry.

    Args:
        clock: tells when a callback came.
        out_of_step: hears, on ib-run, of a book whose rows do not follow each other.
    """

    def __init__(self, clock: Clock, out_of_step: Callable[[Entry, int, str], None]) -> None:
        self.quotes: dict[int, Entry] = {}
        self.books: dict[int, Entry] = {}
        self.prints: dict[int, Entry] = {}
        """What is streamed, by request id."""
        self.bad = 0
        """How many callbacks could not be read."""
        self._clock = clock
        self._out_of_step = out_of_step

    def handlers(self) -> dict[str, Callable[..., None]]:
        """Return who takes each callback."""
        return {
            "tickPrice": self.tick_price,
            "tickSize": self.tick_size,
            "tickString": self.tick_string,
            "tickGeneric": self.tick_generic,
            "marketDataType": self.market_data_type,
            "updateMktDepth": self.depth,
            "updateMktDepthL2": self.depth_l2,
            "tickByTickAllLast": self.tick_by_tick,
        }

    # --- quotes -----------------------------------------------------------------------------------------------------

    def tick_price(self, request_id: int, kind: int, price: Any, _attributes: Any = None) -> None:
        """Take a price."""
        entry = self.quotes.get(request_id)
        if entry is None:
            return
        now_ns = self._clock.now_ns()
        try:
            with entry.lock:
                entry.ticks.take_price(kind, price, now_ns)
        except _BAD as error:
            self._note("tickPrice", error)

    def tick_size(self, request_id: int, kind: int, size: Any) -> None:
        """Take a size."""
        entry = self.quotes.get(request_id)
        if entry is None:
            return
        now_ns = self._clock.now_ns()
        try:
            with entry.lock:
                if entry.ticks.take_size(kind, size, now_ns) and entry.book.is_top and entry.ticks.is_live:
                    entry.book.take_top(entry.ticks.quote, now_ns)
        except _BAD as error:
            self._note("tickSize", error)
        if entry.ticks.health is not None:
            entry.ticks.health.heard(self._clock.monotonic_ns())

    def tick_string(self, request_id: int, kind: int, value: Any) -> None:
        """Take a text: the time of the last trade, or a print."""
        entry = self.quotes.get(request_id)
        if entry is None:
            return
        try:
            with entry.lock:
                if kind == codec.RT_VOLUME_TICK:
                    found = codec.rt_volume(value, entry.snap, entry.resolved.multiplier)
                    now_ns = self._clock.now_ns()
                    entry.ticks.take_print(found, now_ns)
                    if (
                        entry.ticks.is_live
                    ):  # a print has no mark that says it is late, and would count as a price of now
                        entry.prints.take_rt(found, entry.ticks.quote, now_ns)
                else:
                    entry.ticks.take_text(kind, value)
        except _BAD as error:
            self._note("tickString", error)

    def tick_generic(self, request_id: int, kind: int, value: Any) -> None:
        """Take a number."""
        entry = self.quotes.get(request_id)
        if entry is None:
            return
        try:
            with entry.lock:
                entry.ticks.take_generic(kind, value, self._clock.now_ns())
        except _BAD as error:
            self._note("tickGeneric", error)

    def market_data_type(self, request_id: int, kind: int) -> None:
        """Take what the data that follows is: live, frozen or delayed."""
        entry = self.quotes.get(request_id)
        source = codec.TYPES.get(kind)
        if entry is None or source is None:
            return
        with entry.lock:
            entry.ticks.take_type(source)
            if entry.book.is_top and not entry.ticks.is_live:
                entry.book.stale(f"its quote is {source}")

    # --- depth ------------------------------------------------------------------------------------------------------

    def depth(self, request_id: int, place: int, operation: int, side: int, price: Any, size: Any) -> None:
        """Take a row of one exchange's book."""
        entry = self.books.get(request_id)
        if entry is not None:
            self._row(entry, request_id, (place, operation, side, price, size), merges=False)

    def depth_l2(
        self,
        request_id: int,
        place: int,
        _maker: str,
        operation: int,
        side: int,
        price: Any,
        size: Any,
        _is_smart: bool = False,  # ibapi's
    ) -> None:
        """Take a row of a market maker's, or of one of several exchanges'."""
        entry = self.books.get(request_id)
        if entry is not None:
            self._row(entry, request_id, (place, operation, side, price, size), merges=True)

    def _row(self, entry: Entry, request_id: int, row: tuple[int, int, int, Any, Any], *, merges: bool) -> None:
        try:
            with entry.lock:
                entry.book.take(row, self._clock.now_ns(), merges=merges)
        except (*_BAD, IndexError) as error:
            self._note("depth", error)
            self._out_of_step(entry, request_id, str(error))
            return
        health = entry.book.health
        if health is not None:
            health.heard(self._clock.monotonic_ns())

    # --- prints -----------------------------------------------------------------------------------------------------

    def tick_by_tick(self, request_id: int, _kind: int, time: Any, price: Any, size: Any, *_more: Any) -> None:
        """Take a print."""
        entry = self.prints.get(request_id)
        if entry is None:
            return
        try:
            with entry.lock:
                entry.prints.take(time, price, size, entry.ticks.quote, self._clock.now_ns())
        except _BAD as error:
            self._note("tickByTickAllLast", error)
        if entry.ticks.health is not None:
            entry.ticks.health.heard(self._clock.monotonic_ns())

    def _note(self, name: str, error: Exception) -> None:
        self.bad += 1
        level = "DEBUG" if self.bad & (self.bad - 1) else "WARNING"
        logger.log(level, "BadMessage: {} of IB cannot be read ({} so far): {}", name, self.bad, error)
