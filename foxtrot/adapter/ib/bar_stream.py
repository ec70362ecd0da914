"""The closed bars of one instrument and length: each told once, in order, at its close."""

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import msgspec

from foxtrot.adapter.ib.bar_sizes import BarSize, bounds_of, stamp_ns
from foxtrot.adapter.ib.codec import SECOND_NS, bar_of, is_no_bar
from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.market import BarData

LATE_NS: Final = 10 * SECOND_NS
"""A bar that is told so long after its close was missed then, and tells the past."""
SETTLED_NS: Final = 6 * SECOND_NS
"""How long after its close, by our clock, a bar is final when no later one shows that it is.

Source: TWS API, Historical Bar Data, keepUpToDate: a bar that forms is sent every few seconds; seen with real-time bars: every five.
"""
MOST_SPAN_BARS: Final = 1_000
"""How many bars back the first question of a subscription reaches at most."""


class BarPublisher(Protocol):
    """The adapter's way up.

    Thread: ib-io.
    """

    def on_bar(self, bar: BarData) -> None:
        """Publish a closed bar."""


class BarStream:
    """How far the bars of one instrument and length were told, and the one that forms.

    IB sends the newest bar again and again while it forms, and no message says that it was the last of a bar: the first of a later one
    does, or the clock where nothing trades. A subscription begins with the bars before it, so that those of a lost link come by it, too.

    Thread: ib-io.

    Args:
        instrument_id: of which the bars are.
        size: their length.
        calendar: when the market trades.
        publisher: takes the bars.
        read: makes a bar of a row; see codec.bar_of.
    """

    def __init__(
        self,
        instrument_id: str,
        size: BarSize,
        calendar: TradingCalendar,
        publisher: BarPublisher,
        read: Callable[[Any], BarData],
    ) -> None:
        self.instrument_id = instrument_id
        self.size = size
        self.texts: list[str] = []
        """In which words the length was asked for; a bar is told in each."""
        self.told_ns = 0
        """Up to when bars were told: those that closed until then are not told any more."""
        self.request_id = 0
        """Of the subscription that stands; 0 is none."""
        self._calendar = calendar
        self._publisher = publisher
        self._read = read
        self._forming: tuple[tuple[int, int], BarData] | None = None

    def begin(self, now_ns: int) -> None:
        """Begin with the bar that is open now, or go on where a lost link has stopped."""
        self.told_ns = self.told_ns or now_ns

    def span_s(self, now_ns: int) -> int:
        """Return how many seconds back the next subscription must reach, the bar that forms included."""
        length_ns = self.size.interval.duration_ns
        missing = min(MOST_SPAN_BARS, (now_ns - self.told_ns) // length_ns + 2)
        return int(missing * length_ns // SECOND_NS)

    def fill(self, rows: Iterable[Any], now_ns: int) -> None:
        """Take the bars with which a subscription begins, oldest first.

        Raises:
            BadMessage: one cannot be read.
        """
        for row in rows:
            self.take(row, now_ns)

    def take(self, row: Any, now_ns: int) -> None:
        """Take a bar as it is now: the ones before it have closed.

        Raises:
            BadMessage: it cannot be read.
        """
        bounds = bounds_of(stamp_ns(row.date, self._calendar), self.size, self._calendar)
        forming = self._forming
        if forming is not None and bounds[0] < forming[0][0]:
            return
        if forming is not None and bounds[0] > forming[0][0]:
            self._close(now_ns)
        if bounds[1] <= self.told_ns or is_no_bar(row):
            return
        self._forming = bounds, self._read(row)

    def beat(self, now_ns: int) -> None:
        """Tell the bar that has closed by the clock."""
        if self._forming is not None and now_ns >= self._forming[0][1] + SETTLED_NS:
            self._close(now_ns)

    def lost(self) -> None:
        """Forget the bar that forms: it comes again with the next subscription."""
        self._forming, self.request_id = None, 0

    def _close(self, now_ns: int) -> None:
        if self._forming is None:
            return
        (open_ns, close_ns), found = self._forming
        self._forming = None
        self.told_ns = close_ns
        late = now_ns - close_ns > LATE_NS
        for text in self.texts:
            self._publisher.on_bar(
                msgspec.structs.replace(
                    found, instrument_id=self.instrument_id, interval=text, open_time_ns=open_ns, close_time_ns=close_ns,
                    local_time_ns=now_ns, backfilled=late,
                )
            )  # fmt: skip


def reader(snap: Any, multiplier: float) -> Callable[[Any], BarData]:
    """Return what makes a bar of a row for one instrument."""

    def read(row: Any) -> BarData:
        return bar_of(row, snap, multiplier)

    return read
