"""The closed bars of one instrument and length: each told once, in order, at its close, with the figures that Futu has then."""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from foxtrot.adapter.futu.codec import Kline, bar
from foxtrot.adapter.futu.kline_types import KlineType, bounds_of
from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.market import BarData

LATE_NS: Final = 10_000_000_000
"""A bar that is told so long after its close was missed then, and tells the past."""
SETTLED_NS: Final = 300_000_000
"""How long after its close, by our clock, a bar is held to be final, when no later one shows that it is."""
MOST: Final = 1_000
"""How many bars one question may ask for. Source: Futu OpenAPI, Get Real-time Candlestick: 1,000 at most."""
NEVER_NS: Final = 1 << 62
PAUSE_NS: Final = 1_000_000_000
TRIES: Final = 3
"""How often a bar that should have closed is asked for before it counts as one without trades, which Futu may not have."""


class BarPublisher(Protocol):
    """The adapter's way up.

    Thread: futu-io.
    """

    def on_bar(self, bar: BarData) -> None:
        """Publish a closed bar."""


class BarStream:
    """How far the bars of one instrument and length were told.

    The newest K-line is pushed again and again while it forms, and no push says that it was the last of a bar. So a push tells only
    that a later bar has begun; the bars before it are asked for then, and at their close by the clock where nothing was pushed.

    Thread: futu-io.

    Args:
        instrument_id: of which the bars are.
        kind: their length.
        calendar: when the market trades.
        publisher: takes the bars.
    """

    def __init__(self, instrument_id: str, kind: KlineType, calendar: TradingCalendar, publisher: BarPublisher) -> None:
        self.instrument_id = instrument_id
        self.kind = kind
        self.texts: list[str] = []
        """In which words the length was asked for; a bar is told in each."""
        self.told_ns = 0
        """Up to when bars were told: those that closed until then are not told any more."""
        self.asking = False
        self._calendar = calendar
        self._publisher = publisher
        self._newest_ns = 0
        self._due_ns = NEVER_NS
        self._not_before_ns = 0
        self._failures = 0
        self._passed_ns = 0

    def begin(self, now_ns: int) -> None:
        """Begin with the bar that is open now, or go on where a lost link has stopped."""
        self.asking = False
        self._newest_ns = self._passed_ns = self._not_before_ns = self._failures = 0
        if not self.told_ns:
            self.told_ns = now_ns
        self._reckon()

    def take(self, kline: Kline) -> bool:
        """Take a push; True when it is of a later bar than those before, so that they are to be asked for."""
        if kline.stamp_ns <= self._newest_ns:
            return False
        is_first, self._newest_ns = not self._newest_ns, kline.stamp_ns
        self._reckon()
        return not is_first

    def is_due(self, now_ns: int) -> bool:
        """Tell whether a bar that was not told has closed, by the clock."""
        return now_ns >= self._due_ns and now_ns >= self._not_before_ns

    def number_missing(self, now_ns: int) -> int:
        """Return how many bars may have begun since the last that was told, the one that is open among them."""
        return min(MOST, (now_ns - self.told_ns) // self.kind.interval.duration_ns + 2)

    def fill(self, found: Sequence[Kline], now_ns: int) -> None:
        """Take the newest bars, oldest first, and tell those that have closed."""
        newest_ns, told = max([self._newest_ns, *(kline.stamp_ns for kline in found)]), False
        for kline in found:
            bounds = bounds_of(kline.stamp_ns, self.kind, self._calendar)
            has_closed = kline.stamp_ns < newest_ns or bounds[1] + SETTLED_NS <= now_ns
            if has_closed and bounds[1] > self.told_ns:
                self._tell(kline, bounds, now_ns)
                told = True
        self._note_answer(now_ns, told=told)

    def _note_answer(self, now_ns: int, *, told: bool) -> None:
        """Note whether an answer brought the bar that was due; one that does not come is let go, and comes with a later one if at all."""
        if told:
            self._failures = 0
        elif now_ns >= self._due_ns:
            self._failures += 1
        if self._failures >= TRIES:
            self._passed_ns, self._failures = self._due_ns - SETTLED_NS, 0
        self._not_before_ns = now_ns + PAUSE_NS * self._failures
        self._reckon()

    def _reckon(self) -> None:
        """Find when the next bar has closed for sure: the one that was pushed last, or by the calendar the next after the told."""
        done_ns = max(self.told_ns, self._passed_ns)
        closes = [self._close_after(done_ns)]
        if self._newest_ns:
            closes.append(bounds_of(self._newest_ns, self.kind, self._calendar)[1])
        self._due_ns = min((ns for ns in closes if ns > done_ns), default=NEVER_NS) + SETTLED_NS

    def _close_after(self, moment_ns: int) -> int:
        """Return when the bar closes that a moment lies in, or the next one by the calendar; 0 where it has none."""
        opens_ns: int | None = moment_ns
        if not self._calendar.is_open(moment_ns):
            opens_ns = self._calendar.next_open_ns(moment_ns)
        bounds = None if opens_ns is None else self._calendar.bar_bounds(opens_ns, self.kind.interval)
        return 0 if bounds is None else bounds[1]

    def _tell(self, kline: Kline, bounds: tuple[int, int], now_ns: int) -> None:
        self.told_ns = bounds[1]
        if kline.is_blank:
            return
        made = bar(kline, self.instrument_id, self.kind.interval.text, bounds, now_ns)
        late = now_ns - bounds[1] > LATE_NS
        for text in self.texts:
            self._publisher.on_bar(msgspec.structs.replace(made, interval=text, backfilled=late))
