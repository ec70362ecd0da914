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
ASK_NS: Final = SECOND_NS * 3 // 10
"""How long after its close, by our clock, a bar is asked for: IB has its figures by then, and sends them by itself seconds later only."""
SETTLED_NS: Final = 6 * SECOND_NS
"""How long after its close a bar that is not asked for is final when no later one shows that it is.

Source: TWS API, Historical Bar Data, keepUpToDate: a bar that forms is sent every few seconds; Real Time Bars: every five.
"""
ASKED_FROM_NS: Final = 60 * SECOND_NS
"""Bars of a minute and more are asked for at their close; of shorter ones IB bears too few questions.

Source: TWS API, Historical Data Limitations: the limits on questions are for bars of 30 seconds or less.
"""
MOST_SPAN_BARS: Final = 1_000
"""How many bars back a question reaches at most."""


class BarPublisher(Protocol):
    """The adapter's way up.

    Thread: ib-io.
    """

    def on_bar(self, bar: BarData) -> None:
        """Publish a closed bar."""


class BarStream:
    """How far the bars of one instrument and length were told, and those that form.

    IB sends the newest bar again and again while it forms, seconds apart, and no message says that it was the last of a bar. So what is
    sent tells only that there is one; at its close it is asked for, where it is no shorter than a minute, and told as the answer has it.
    Shorter ones are told as they were sent last, once a later one begins or by the clock.

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
        self.asking = False
        self.is_asked_for = size.interval.duration_ns >= ASKED_FROM_NS
        self._calendar = calendar
        self._publisher = publisher
        self._read = read
        self._known: dict[int, tuple[tuple[int, int], BarData]] = {}
        self._newest_ns = 0

    def begin(self, now_ns: int) -> None:
        """Begin with the bar that is open now, or go on where a lost link has stopped."""
        self.told_ns = self.told_ns or now_ns

    def span_s(self, now_ns: int) -> int:
        """Return how many seconds back a question must reach, the bar that forms included."""
        length_ns = self.size.interval.duration_ns
        missing = min(MOST_SPAN_BARS, (now_ns - self.told_ns) // length_ns + 2)
        return int(missing * length_ns // SECOND_NS)

    def take(self, row: Any, now_ns: int) -> None:
        """Take a bar as it is now.

        Raises:
            BadMessage: it cannot be read.
        """
        self._keep(row)
        if not self.is_asked_for:
            self._tell_closed(now_ns, SETTLED_NS)

    def fill(self, rows: Iterable[Any], now_ns: int) -> None:
        """Take an answer, and tell the bars that have closed; those that it lacks are told as they were sent last.

        Raises:
            BadMessage: one cannot be read.
        """
        for row in rows:
            self._keep(row)
        self._tell_closed(now_ns, ASK_NS)

    def is_due(self, now_ns: int) -> bool:
        """Tell whether a bar has closed that is to be asked for."""
        return self.is_asked_for and any(self._has_closed(bounds, now_ns, ASK_NS) for bounds, _ in self._known.values())

    def beat(self, now_ns: int) -> None:
        """Tell the bars that have closed by the clock, where they are not asked for."""
        if not self.is_asked_for:
            self._tell_closed(now_ns, SETTLED_NS)

    def lost(self) -> None:
        """Forget the bars that form: they come again with the next subscription."""
        self._known.clear()
        self._newest_ns = self.request_id = 0

    def _keep(self, row: Any) -> None:
        bounds = bounds_of(stamp_ns(row.date, self._calendar), self.size, self._calendar)
        if bounds[1] <= self.told_ns or is_no_bar(row):
            return
        self._newest_ns = max(self._newest_ns, bounds[0])
        self._known[bounds[0]] = bounds, self._read(row)

    def _has_closed(self, bounds: tuple[int, int], now_ns: int, settled_ns: int) -> bool:
        return bounds[0] < self._newest_ns or now_ns >= bounds[1] + settled_ns

    def _tell_closed(self, now_ns: int, settled_ns: int) -> None:
        for opens_ns in sorted(self._known):
            bounds, found = self._known[opens_ns]
            if self._has_closed(bounds, now_ns, settled_ns):
                del self._known[opens_ns]
                self._tell(bounds, found, now_ns)

    def _tell(self, bounds: tuple[int, int], found: BarData, now_ns: int) -> None:
        open_ns, self.told_ns = bounds
        late = now_ns - self.told_ns > LATE_NS
        for text in self.texts:
            self._publisher.on_bar(
                msgspec.structs.replace(
                    found, instrument_id=self.instrument_id, interval=text, open_time_ns=open_ns, close_time_ns=self.told_ns,
                    local_time_ns=now_ns, backfilled=late,
                )
            )  # fmt: skip


def reader(snap: Any, multiplier: float) -> Callable[[Any], BarData]:
    """Return what makes a bar of a row for one instrument."""

    def read(row: Any) -> BarData:
        return bar_of(row, snap, multiplier)

    return read
