"""Trading calendars: when a market is open, which trading day a moment belongs to, and where its bars begin and end.

A calendar is data: weekly hours in local time, days without trading, days with other hours. Moments are UTC nanoseconds.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from foxtrot.domain.errors import ConfigError
from foxtrot.domain.interval import SECOND_NS, Interval, IntervalKind

DAY_S = 86_400
Hours = tuple[tuple[int, int], ...]
"""Sessions of one trading day: (open, close) in seconds of local wall time after its midnight; negative is the evening before."""

_ONE_DAY = timedelta(days=1)
_EPOCH_MONDAY = date(1970, 1, 5).toordinal()
_EPOCH = date(1970, 1, 1).toordinal()
_HORIZON_DAYS = 40


class Session(msgspec.Struct, frozen=True, gc=False):
    """One stretch of trading, [open_ns, close_ns), and the trading day it counts for."""

    open_ns: int
    close_ns: int
    day: date


class DayStart(msgspec.Struct, frozen=True, gc=False):
    """When a day begins, for those who do not want the calendar's own trading days: a local time in a timezone."""

    at: time
    timezone: str

    def of_day(self, day: date) -> int:
        """Return the moment a day begins, in ns."""
        return _moment(day, self.at.hour * 3_600 + self.at.minute * 60 + self.at.second, _zone(self.timezone))

    def day_of(self, ns: int) -> date:
        """Return the day a moment belongs to, named by the date on which it begins."""
        day = _local_date(ns, _zone(self.timezone))
        return day if self.of_day(day) <= ns else day - _ONE_DAY


class CalendarRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a calendar is made of; `weekly` has seven entries, Monday first; `special` replaces the hours of one day."""

    name: str
    timezone: str
    weekly: tuple[Hours, ...]
    holidays: frozenset[date] = frozenset()
    special: Mapping[date, Hours] = {}
    first_day: date = date.min
    last_day: date = date.max


class TradingCalendar:
    """Answers when one market is open; immutable but for a cache of sessions by day.

    Thread: belongs to whoever made it; sharing it is harmless, because the cache only ever gains equal values.
    """

    def __init__(self, rules: CalendarRules) -> None:
        if len(rules.weekly) != 7:
            raise ConfigError(f"calendar {rules.name}: weekly hours need 7 days, Monday first, not {len(rules.weekly)}")
        self.rules = rules
        self.name = rules.name
        self.zone = _zone(rules.timezone)
        self.always_open = not rules.holidays and not rules.special and rules.weekly == (((0, DAY_S),),) * 7
        self._by_day: dict[date, tuple[Session, ...]] = {}
        self._latest = Session(0, 0, date.min)

    def sessions_on(self, day: date) -> tuple[Session, ...]:
        """Return the sessions that count for a trading day, in order; none on a day without trading.

        Raises:
            ConfigError: the day lies outside the years this calendar knows.
        """
        self._check_known(day)
        return self._sessions(day)

    def _check_known(self, day: date) -> None:
        rules = self.rules
        if not rules.first_day <= day <= rules.last_day:
            raise ConfigError(f"calendar {self.name} knows {rules.first_day} to {rules.last_day}, not {day}")

    def _sessions(self, day: date) -> tuple[Session, ...]:
        known = self._by_day.get(day)
        if known is None:
            known = tuple(self._build(day))
            self._by_day[day] = known
        return known

    def session_of(self, ns: int) -> Session | None:
        """Return the session a moment lies in, or None when the market is closed then."""
        latest = self._latest
        if latest.open_ns <= ns < latest.close_ns:
            return latest
        day = _local_date(ns, self.zone)
        self._check_known(day)
        for candidate in (day, day + _ONE_DAY, day - _ONE_DAY):
            for session in self._sessions(candidate):
                if session.open_ns <= ns < session.close_ns:
                    self._latest = session
                    return session
        return None

    def is_open(self, ns: int) -> bool:
        """Tell whether the market trades at a moment; the closing moment itself is closed.

        Raises:
            ConfigError: the moment lies outside the years this calendar knows.
        """
        return self.session_of(ns) is not None

    def next_open_ns(self, ns: int) -> int | None:
        """Return the first moment after `ns` at which a closed market opens; None when it never closes."""
        if self.always_open:
            return None
        previous_close = 0
        for session in self._sessions_from(ns):
            if session.open_ns > ns and session.open_ns != previous_close:
                return session.open_ns
            previous_close = session.close_ns
        return None

    def next_close_ns(self, ns: int) -> int | None:
        """Return the first moment after `ns` at which an open market closes; None when it never closes."""
        if self.always_open:
            return None
        close = 0
        for session in self._sessions_from(ns):
            if close and session.open_ns != close:
                return close
            close = session.close_ns
        return close or None

    def bar_bounds(self, ns: int, interval: Interval, day_start: DayStart | None = None) -> tuple[int, int] | None:
        """Return the bar a moment falls into; a bar never spans the end of a session, a break or a day.

        Args:
            ns: the moment.
            interval: a time interval.
            day_start: where days and weeks are cut; by default at the calendar's own trading days.

        Returns:
            (open_time_ns, close_time_ns), or None when the market is closed at `ns`.

        Raises:
            ConfigError: the interval is not one of time.
        """
        session = self.session_of(ns)
        if session is None:
            return None
        if interval.kind.is_calendar:
            return self._day_bounds(ns, session, interval, day_start)
        first, last = session.open_ns, session.close_ns
        if day_start is not None:
            day = day_start.day_of(ns)
            first, last = max(first, day_start.of_day(day)), min(last, day_start.of_day(day + _ONE_DAY))
        length = interval.duration_ns
        start = first + (ns - first) // length * length
        return start, min(start + length, last)

    def _day_bounds(
        self, ns: int, session: Session, interval: Interval, day_start: DayStart | None
    ) -> tuple[int, int] | None:
        day = session.day if day_start is None else day_start.day_of(ns)
        first_day = _first_day_of(day, interval)
        days = int(interval.step) * (7 if interval.kind is IntervalKind.WEEK else 1)
        end_day = first_day + timedelta(days=days)
        if day_start is None:
            inside = [s for d in _days(first_day, end_day) for s in self._sessions(d)]
            return inside[0].open_ns, inside[-1].close_ns
        start, end = day_start.of_day(first_day), day_start.of_day(end_day)
        if self.always_open:
            return start, end
        around = _days(first_day - _ONE_DAY, end_day + 2 * _ONE_DAY)
        inside = [s for d in around for s in self._sessions(d) if s.close_ns > start and s.open_ns < end]
        return max(start, inside[0].open_ns), min(end, inside[-1].close_ns)

    def _build(self, day: date) -> Iterator[Session]:
        rules = self.rules
        if day in rules.holidays or not rules.first_day <= day <= rules.last_day:
            return
        for opens, closes in rules.special.get(day, rules.weekly[day.weekday()]):
            yield Session(_moment(day, opens, self.zone), _moment(day, closes, self.zone), day)

    def _sessions_from(self, ns: int) -> Iterator[Session]:
        today = _local_date(ns, self.zone)
        self._check_known(today)
        day = today - _ONE_DAY
        for candidate in _days(day, day + timedelta(days=_HORIZON_DAYS)):
            for session in self._sessions(candidate):
                if session.close_ns > ns:
                    yield session


def _first_day_of(day: date, interval: Interval) -> date:
    if interval.kind is IntervalKind.WEEK:
        origin, length = _EPOCH_MONDAY, 7 * int(interval.step)
    else:
        origin, length = _EPOCH, int(interval.step)
    return day - timedelta(days=(day.toordinal() - origin) % length)


def _days(first: date, end: date) -> Iterator[date]:
    while first < end:
        yield first
        first += _ONE_DAY


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(f"timezone {name!r} is not known; use an IANA name such as America/New_York or UTC") from None


def _local_date(ns: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(ns // SECOND_NS, zone).date()


def _moment(day: date, wall_s: int, zone: ZoneInfo) -> int:
    days, seconds = divmod(wall_s, DAY_S)
    hour, rest = divmod(seconds, 3_600)
    local = datetime.combine(day + timedelta(days=days), time(hour, rest // 60, rest % 60), zone)
    return int(local.timestamp()) * SECOND_NS
