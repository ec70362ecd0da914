"""When an instrument trades, and where its bars begin: at clock times of its market, cut at sessions and days."""

from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from foxtrot.domain.calendar import Session, TradingCalendar
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.wire.ib.history_terms import BarSize
from foxtrot.exchange.wire.ib.price_bars import SECOND_NS

_DAY: Final = timedelta(days=1)


class TradedHours:
    """The hours of one market. Without a calendar it never closes, and its days are those of its zone.

    Thread: exchange-io.
    """

    def __init__(self, zone: ZoneInfo, calendar: str = "") -> None:
        self.zone = zone
        self._calendar: TradingCalendar | None = calendar_named(calendar) if calendar else None
        self._latest = Session(0, 0, date.min)

    @property
    def is_round_the_clock(self) -> bool:
        """Tell whether it never closes.

        Source: none; a switch of the embedded exchange.
        """
        return self._calendar is None or self._calendar.always_open

    def session_of(self, ns: int) -> Session | None:
        """Return the regular session of a moment, None between sessions.

        Source: TWS API documentation, Historical Bar Data, useRTH.
        """
        latest = self._latest
        if latest.open_ns <= ns < latest.close_ns:
            return latest
        found = self._session(ns)
        if found is not None:
            self._latest = found
        return found

    def day_of(self, ns: int) -> date:
        """Return the trading day a moment counts for; between sessions, its local date.

        Source: TWS API documentation, Historical Bar Data (dates of daily bars).
        """
        found = self.session_of(ns)
        return self._local(ns).date() if found is None else found.day

    def group_of(self, ns: int, size: BarSize) -> int:
        """Return what the moments of one bar have in common: when it begins or, from a day on, the number of its day.

        Source: TWS API documentation, Valid Bar Sizes; weeks begin on Monday.
        """
        if size.length_s:
            return self._begin(ns, size.length_ns)
        day = self.day_of(ns)
        if size.unit == "week":
            day -= timedelta(days=day.weekday())
        elif size.unit == "month":
            day = day.replace(day=1)
        return day.toordinal()

    def _begin(self, ns: int, length_ns: int) -> int:
        midnight = _midnight(self._local(ns).date(), self.zone)
        begin = midnight + (ns - midnight) // length_ns * length_ns
        session = self.session_of(ns)
        return begin if session is None else max(begin, session.open_ns)

    def _session(self, ns: int) -> Session | None:
        if self._calendar is not None:
            try:
                return self._calendar.session_of(ns)
            except ConfigError:
                # Years that the calendar does not know have no sessions.
                return None
        day = self._local(ns).date()
        return Session(_midnight(day, self.zone), _midnight(day + _DAY, self.zone), day)

    def _local(self, ns: int) -> datetime:
        return datetime.fromtimestamp(ns // SECOND_NS, self.zone)


@cache
def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp()) * SECOND_NS
