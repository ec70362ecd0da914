"""One instrument's bars of one interval: every closed bar told once and in order, those that did not come asked for first."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from foxtrot.adapter.binance.frames import Kline, after, to_ns
from foxtrot.adapter.health import StreamHealth
from foxtrot.domain.interval import Interval, IntervalKind
from foxtrot.domain.market import BarData

LATE_NS = 10_000_000_000
"""A bar that is told so long after its close was missed then, and tells the past."""
UP_GRACE_NS, DOWN_GRACE_NS = 5_000_000_000, 2_000_000_000
"""How long after its close a bar is asked for: with a stream, which should have brought it, and without one."""
FIRST_MONDAY_NS = 4 * 86_400_000_000_000


class BarPublisher(Protocol):
    """The adapter's way up.

    Thread: binance-io.
    """

    def on_bar(self, bar: BarData) -> None:
        """Publish a closed bar."""


class BarStream:
    """The closed bars of one instrument and interval.

    A bar is told from the push that says it is closed. When one before it did not come, it waits until that was asked for.

    Thread: binance-io.

    Args:
        instrument_id: of which the bars are.
        interval: by Binance's name.
        publisher: takes the bars.
        find_missing: begins to ask for the bars from `expected_ns` on; answered by `fill`.
    """

    def __init__(
        self,
        instrument_id: str,
        interval: Interval,
        publisher: BarPublisher,
        find_missing: "Callable[[BarStream], None]",
    ) -> None:
        self.instrument_id = instrument_id
        self.interval = interval
        self.texts: list[str] = []
        """In which words the interval was asked for; a bar is told in each."""
        self.expected_ns = -1
        """When the next bar to be told opens; -1 before there was a stream."""
        self.asking = False
        """Whether the bars from `expected_ns` on are being asked for."""
        self.is_up = False
        self.health: StreamHealth | None = None
        self._publisher = publisher
        self._find_missing = find_missing
        self._last_open_ns = -1
        self._held: list[BarData] = []

    @property
    def due_ns(self) -> int:
        """Return when the next bar is asked for if it was not told."""
        grace_ns = UP_GRACE_NS if self.is_up else DOWN_GRACE_NS
        return self.expected_ns + self.interval.duration_ns + grace_ns

    def begin(self, now_ns: int) -> None:
        """Begin with the bar that is open now, or go on where a lost link has stopped."""
        self._held.clear()
        if self.expected_ns < 0:
            self.expected_ns = self.open_of(now_ns)

    def open_of(self, time_ns: int) -> int:
        """Return when the bar of a moment opens: weeks on Monday, everything in UTC."""
        shift_ns = FIRST_MONDAY_NS if self.interval.kind is IntervalKind.WEEK else 0
        return time_ns - (time_ns - shift_ns) % self.interval.duration_ns

    def take(self, kline: Kline, now_ns: int) -> None:
        """Take a push; one of an open bar shows at most that an earlier one did not come."""
        open_ns = to_ns(kline.t)
        if kline.x and open_ns > self._last_open_ns:
            bar = _bar(self.instrument_id, self.interval.text, kline, now_ns)
            if open_ns <= self.expected_ns:
                self._tell(bar, now_ns)
            else:
                self._held.append(bar)
        if open_ns > self.expected_ns:
            self._find_missing(self)

    def fill(self, found: list[BarData], until_ns: int, now_ns: int) -> None:
        """Take all bars from `expected_ns` on that were closed at a moment, and tell them and those that waited behind them."""
        held, self._held = self._held, []
        for bar in sorted(found + held, key=lambda one: one.open_time_ns):
            if bar.open_time_ns > self._last_open_ns:
                self._tell(bar, now_ns)
        self.expected_ns = max(self.expected_ns, self.open_of(until_ns))

    def _tell(self, bar: BarData, now_ns: int) -> None:
        self._last_open_ns = bar.open_time_ns
        self.expected_ns = max(self.expected_ns, bar.close_time_ns)
        late = now_ns - bar.close_time_ns > LATE_NS
        for text in self.texts:
            self._publisher.on_bar(msgspec.structs.replace(bar, interval=text, backfilled=late))


def _bar(instrument_id: str, interval: str, k: Kline, now_ns: int) -> BarData:
    """Return the bar of a push.

    Source: Binance spot API, web-socket-streams, Kline/Candlestick Streams; USDⓈ-M Futures, likewise named.
    """
    return BarData(
        instrument_id, interval, to_ns(k.t), after(k.T), k.o, k.h, k.l, k.c, k.v, k.q, k.n, now_ns
    )  # fmt: skip
