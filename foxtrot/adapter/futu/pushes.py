"""Futu's quote pushes made facts on the SDK's thread, straight from the message."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.futu.codec import Kline, kline, quote
from foxtrot.adapter.futu.entry import Entry
from foxtrot.core.clock import Clock
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.market import DepthData

BarTaker = Callable[[Entry, int, tuple[Kline, ...]], None]
Security = tuple[int, str]
"""Market and code, as pushes name an instrument."""
_BAD: Final = (FoxtrotError, ValueError, OverflowError)
"""What a message that cannot be read raises."""


class Pushes:
    """Takes pushes and tells what they say; one that nobody wants, or that cannot be read, is left alone.

    Thread: the SDK's callback thread of the quote context; bars are handed over to futu-io.

    Args:
        clock: tells when a push came.
        entries: what is wanted, by market and code; replaced in part by futu-io.
        call_soon: runs a function on futu-io.
        take_bars: takes K-lines there.
    """

    def __init__(
        self,
        clock: Clock,
        entries: Mapping[Security, Entry],
        call_soon: Callable[[Callable[[], None]], bool],
        take_bars: BarTaker,
    ) -> None:
        self.bad = 0
        """How many pushes could not be read."""
        self._clock = clock
        self._entries = entries
        self._call_soon = call_soon
        self._take_bars = take_bars

    def hear(self) -> dict[str, Callable[[Any], None]]:
        """Return who takes each kind of push."""
        return {
            "ticker": partial(self._guarded, self._ticker),
            "order_book": partial(self._guarded, self._order_book),
            "quote": partial(self._guarded, self._quotes),
            "kline": partial(self._guarded, self._klines),
        }

    def _guarded(self, take: Callable[[Any], None], message: Any) -> None:
        try:
            take(message)
        except _BAD as error:
            self.bad += 1
            level = "DEBUG" if self.bad & (self.bad - 1) else "WARNING"
            logger.log(level, "a push of Futu cannot be read ({} so far): {}", self.bad, error)

    def _ticker(self, message: Any) -> None:
        security = message.security
        entry = self._entries.get((security.market, security.code))
        if entry is None:
            return
        now_ns = self._clock.now_ns()
        with entry.lock:
            count = entry.prints.take(message.tickerList, now_ns)
        health = entry.ticks.health
        if health is not None:
            health.heard(self._clock.monotonic_ns(), messages=count)

    def _order_book(self, message: Any) -> None:
        security = message.security
        entry = self._entries.get((security.market, security.code))
        if entry is None:
            return
        now_ns = self._clock.now_ns()
        with entry.lock:
            depth = entry.take_book(message, now_ns)
        health = entry.book.health or entry.ticks.health
        if health is not None:
            health.heard(self._clock.monotonic_ns(), venue_ms=_latency_ms(depth))

    def _quotes(self, message: Any) -> None:
        for basic in message.basicQotList:
            entry = self._entries.get((basic.security.market, basic.security.code))
            if entry is None:
                continue
            now_ns, told = self._clock.now_ns(), quote(basic, entry.snap, entry.zone)
            with entry.lock:
                if entry.wants_ticks:
                    entry.ticks.take_quote(told, now_ns)
            if entry.ticks.health is not None:
                entry.ticks.health.heard(self._clock.monotonic_ns())

    def _klines(self, message: Any) -> None:
        security = message.security
        entry = self._entries.get((security.market, security.code))
        if entry is not None and message.klType in entry.bars:
            found = tuple(kline(row, entry.snap, entry.zone) for row in message.klList)
            self._call_soon(partial(self._take_bars, entry, message.klType, found))


def _latency_ms(depth: DepthData | None) -> float | None:
    """Return how long a book was on its way, where its time is the venue's."""
    if depth is None or depth.venue_time_ns == depth.local_time_ns:
        return None
    return (depth.local_time_ns - depth.venue_time_ns) / 1e6
