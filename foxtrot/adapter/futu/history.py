"""Past bars of Futu: the last so many closed ones, page by page, as they were traded."""

from collections.abc import Callable, Mapping
from operator import index
from typing import Final, Protocol

from foxtrot.adapter.futu.bar_stream import SETTLED_NS
from foxtrot.adapter.futu.codec import Kline, bar, kline, local_day
from foxtrot.adapter.futu.entry import Entry
from foxtrot.adapter.futu.kline_types import KlineType, bounds_of, kline_type
from foxtrot.adapter.futu.questions import Questions
from foxtrot.core.clock import Clock
from foxtrot.core.notices import HistoryLoaded
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import HistoryRequest

MOST: Final = 1_000_000
SESSION_S: Final = {"HK": 19_800, "US": 23_400, "SH": 14_400, "SZ": 14_400}
"""How long a day trades, for a guess how many days hold so many bars. Source: HKEX and NYSE, trading hours."""
FIRST_SPAN: Final = 4
"""How many more calendar days are asked for at first than trading days are needed: weekends and holidays."""
LONGEST_DAYS: Final = 9_000
_BAD_REQUEST = (FoxtrotError, TypeError, ValueError, OverflowError)


class HistoryPublisher(Protocol):
    """The adapter's way up.

    Thread: futu-io.
    """

    clock: Clock

    def on_history(self, history: HistoryLoaded) -> None:
        """Publish the answer to a history request."""


class History:
    """Asks for past bars; the open one is never among them.

    Thread: futu-io.

    Args:
        publisher: takes the answers.
        questions: asks OpenD.
        entry_of: gives an instrument's streams, or makes them; raises ConfigError when it is not listed.
    """

    def __init__(self, publisher: HistoryPublisher, questions: Questions, entry_of: Callable[[str], Entry]) -> None:
        self._publisher = publisher
        self._questions = questions
        self._entry_of = entry_of

    async def tell_history(self, request: HistoryRequest) -> None:
        """Publish the last closed bars that ended at or before a time, or why there are none. Never raises for a request."""
        try:
            bars, error = await self._closed_bars(request), ""
        except _BAD_REQUEST as refusal:
            bars, error = (), str(refusal) or type(refusal).__name__
        self._publisher.on_history(
            HistoryLoaded(request.request_id, request.instrument_id, request.interval, bars, error)
        )

    async def _closed_bars(self, request: HistoryRequest) -> tuple[BarData, ...]:
        """Return the bars of a request: those of so many days, and of more while they are too few.

        Raises:
            ConfigError: the interval, the count or the instrument cannot be had.
            AdapterError: OpenD did not answer.
        """
        entry, kind, count = self._entry_of(request.instrument_id), kline_type(request.interval), index(request.count)
        if not 0 < count <= MOST:
            raise ConfigError(f"{count} bars of {request.interval}: ask for 1 to {MOST}")
        end_ns = min(request.end_ns, self._publisher.clock.now_ns() - SETTLED_NS)
        span = _days_for(count, kind, entry)
        while True:
            begin_ns = end_ns - span * 86_400_000_000_000
            found = await klines_between(self._questions, entry, kind, (begin_ns, end_ns))
            bars = self._bars(found, entry, kind, request)
            if len(bars) >= count or span >= LONGEST_DAYS:
                return bars[-count:]
            span = min(LONGEST_DAYS, span * FIRST_SPAN)

    def _bars(
        self, found: tuple[Kline, ...], entry: Entry, kind: KlineType, request: HistoryRequest
    ) -> tuple[BarData, ...]:
        now_ns = self._publisher.clock.now_ns()
        end_ns, made = min(request.end_ns, now_ns - SETTLED_NS), []
        for one in found:
            bounds = bounds_of(one.stamp_ns, kind, entry.calendar)
            if not one.is_blank and bounds[1] <= end_ns:
                made.append(bar(one, entry.instrument_id, request.interval, bounds, now_ns))
        return tuple(made)


async def klines_between(
    questions: Questions, entry: Entry, kind: KlineType, between: tuple[int, int]
) -> tuple[Kline, ...]:
    """Return the K-lines of the days from one moment to another, oldest first, each once, whatever the pages.

    Raises:
        AdapterError: OpenD did not answer.
    """
    days = local_day(between[0], entry.zone), local_day(between[1], entry.zone)
    found: dict[int, Kline] = {}
    key: bytes | None = None
    while True:
        page = await questions.history(entry.code, kind, days, key)
        for row in page.klList:
            one = kline(row, entry.snap, entry.zone)
            found[one.stamp_ns] = one
        if not page.HasField("nextReqKey") or not page.klList:
            return tuple(found[stamp_ns] for stamp_ns in sorted(found))
        key = bytes(page.nextReqKey)


def _days_for(count: int, kind: KlineType, entry: Entry) -> int:
    """Return of how many calendar days a number of bars is, at a guess that is rather too long."""
    seconds = kind.interval.duration_ns // 1_000_000_000
    if kind.is_daily:
        return min(LONGEST_DAYS, count * seconds // 86_400 * 8 // 5 + 10)
    per_day: Mapping[str, int] = SESSION_S
    trading_days = count * seconds // per_day[entry.code.partition(".")[0]] + 1
    return min(LONGEST_DAYS, trading_days * 8 // 5 + FIRST_SPAN)
