"""The stretches of trading that K-lines are cut from, and which of them are regular hours."""

from datetime import date, timedelta

import msgspec

from foxtrot.exchange.wire.futu.futu_hours import HOURS, calendar_of
from foxtrot.exchange.wire.futu.quote_times import MINUTE_NS, local_day, midnight_ns, next_midnight_ns
from foxtrot.exchange.wire.futu.quote_types import DAY, KlineKind
from foxtrot.exchange.wire.futu.venue_side import FutuSide

QUIET = frozenset({"closed", "rest"})
"""Parts of the day in which a real OpenD pushes nothing.

Source: Futu OpenAPI documentation, Market State Definition: closed and lunch break.
"""
TRADED = frozenset({"morning", "afternoon", "pre", "after"})
"""Parts of the day in which trades happen all the time.

Source: Futu OpenAPI documentation, Market State Definition.
"""


class Stretch(msgspec.Struct, frozen=True, gc=False):
    """[open_ns, close_ns) of one trading day; `part` is regular, pre or after."""

    open_ns: int
    close_ns: int
    day: date
    part: str

    @property
    def is_regular(self) -> bool:
        """Tell whether it belongs to the regular hours.

        Source: Common.proto, Session (RTH).
        """
        return self.part == "regular"


class Stretches:
    """Which stretch a moment belongs to, for one market. Auctions count to the session beside them.

    Thread: exchange-io.
    """

    def __init__(self, side: FutuSide, market: int) -> None:
        self._side = side
        self._market = market
        self.zone = side.zone_of(market)
        self._latest: Stretch | None = None

    def of(self, ns: int) -> Stretch | None:
        """Return the stretch of a moment, None while nothing trades.

        Source: Futu OpenAPI documentation, Market State Definition.
        """
        latest = self._latest
        if latest is not None and latest.open_ns <= ns < latest.close_ns:
            return latest
        self._latest = self._all_day(ns) if self._side.always_open else self._by_phase(ns)
        return self._latest

    def bounds(self, kind: KlineKind, ns: int, stretch: Stretch) -> tuple[int, int]:
        """Return when the K-line of a moment begins and ends; it never spans a break. Those of days last to midnight.

        Source: Futu OpenAPI documentation, Get Historical Candlesticks.
        """
        if kind.is_calendar:
            first, end = period_of(kind.unit, stretch.day)
            return midnight_ns(first, self.zone), midnight_ns(end, self.zone)
        # The closing auction trades after the last session; its trades are the last minute's.
        inside = min(max(ns, stretch.open_ns), stretch.close_ns - 1)
        length = kind.length * MINUTE_NS
        start = stretch.open_ns + (inside - stretch.open_ns) // length * length
        return start, min(start + length, stretch.close_ns)

    def _all_day(self, ns: int) -> Stretch:
        day = local_day(ns, self.zone)
        return Stretch(midnight_ns(day, self.zone), next_midnight_ns(day, self.zone), day, "regular")

    def _by_phase(self, ns: int) -> Stretch | None:
        phase = self._side.phase(self._market, ns)
        if phase in QUIET:
            return None
        day = local_day(ns, self.zone)
        sessions = calendar_of(self._market).sessions_on(day)
        first, last = sessions[0], sessions[-1]
        if phase == "pre":
            return Stretch(first.open_ns - HOURS[self._market].before_ns, first.open_ns, day, "pre")
        if phase == "after":
            return Stretch(last.close_ns, last.close_ns + HOURS[self._market].after_ns, day, "after")
        if phase == "auction":
            near = first if ns < first.open_ns else last
        else:
            near = next(one for one in sessions if one.open_ns <= ns < one.close_ns)
        return Stretch(near.open_ns, near.close_ns, day, "regular")


def period_of(unit: str, day: date) -> tuple[date, date]:
    """Return the first day of the period a day lies in, and the first day after it.

    Source: Qot_Common.proto, KLType; that a week begins on its Monday and a month on its first is not proved.
    """
    if unit == DAY:
        return day, day + timedelta(days=1)
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    month = (day.month - 1) // months * months + 1
    year, after = divmod(month - 1 + months, 12)
    return date(day.year, month, 1), date(day.year + year, after + 1, 1)
