"""The bars that IB has: their names, how far back one question reaches, and which stretch of time a bar stands for."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from foxtrot.adapter.ib.codec import SECOND_NS, VENUE, seconds_ns
from foxtrot.adapter.ib.contract_codec import day_of
from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.errors import BadMessage, ConfigError
from foxtrot.domain.interval import Interval, IntervalKind

UNITS: Final = {"S": 1, "D": 86_400, "W": 604_800, "M": 30 * 86_400, "Y": 365 * 86_400}
"""Seconds of the units of a duration, at a guess for months and years. Source: TWS API, Historical Bar Data, durationStr."""
SHORTEST_LIVE_NS: Final = 5 * SECOND_NS
"""Bars that are shorter are not kept up to date. Source: TWS API, Historical Bar Data, keepUpToDate."""


class BarSize(msgspec.Struct, frozen=True):
    """One length of bars: IB's name of it, and the longest duration that one question may have."""

    interval: Interval
    name: str
    duration: str

    @property
    def is_daily(self) -> bool:
        """Tell whether it is stamped with a day rather than with a moment."""
        return self.interval.kind.is_calendar

    @property
    def reach_s(self) -> int:
        """Return about how many seconds the longest question covers."""
        number, unit = self.duration.split(" ")
        return int(number) * UNITS[unit]


def _row(text: str, name: str, duration: str) -> BarSize:
    return BarSize(Interval.parse(text), name, duration)


BAR_SIZES: Final = (
    _row("1s", "1 secs", "1800 S"), _row("5s", "5 secs", "3600 S"), _row("10s", "10 secs", "14400 S"), _row("15s", "15 secs", "14400 S"),
    _row("30s", "30 secs", "28800 S"), _row("1m", "1 min", "1 D"), _row("2m", "2 mins", "2 D"), _row("3m", "3 mins", "1 W"),
    _row("5m", "5 mins", "1 W"), _row("10m", "10 mins", "1 W"), _row("15m", "15 mins", "1 W"), _row("20m", "20 mins", "1 W"),
    _row("30m", "30 mins", "1 M"), _row("1h", "1 hour", "1 M"), _row("2h", "2 hours", "1 M"), _row("3h", "3 hours", "1 M"),
    _row("4h", "4 hours", "1 M"), _row("8h", "8 hours", "1 M"), _row("1d", "1 day", "1 Y"), _row("1w", "1 week", "1 Y"),
)  # fmt: skip
"""Source: TWS API, Historical Bar Data: valid bar sizes, and the table of durations with the bar sizes that each allows."""


def bar_size(text: str) -> BarSize:
    """Return IB's bars of an interval, whatever unit it was written in.

    Raises:
        ConfigError: IB has no bars of that length; those it has are named.
    """
    interval = Interval.parse(text)
    weekly = interval.kind is IntervalKind.WEEK
    for row in BAR_SIZES if interval.kind.is_time else ():
        same_kind = (row.interval.kind is IntervalKind.WEEK) == weekly
        if same_kind and row.interval.duration_ns == interval.duration_ns:
            return row
    names = ", ".join(row.interval.text for row in BAR_SIZES)
    raise ConfigError(f"IB has no bars of {text}; it has {names}")


def duration_of(seconds: int, size: BarSize) -> str:
    """Return the shortest duration that covers some seconds, and no more than one question may have.

    Source: TWS API, Historical Bar Data, durationStr: seconds up to a day, then days, weeks, months and years.
    """
    if seconds >= size.reach_s:
        return size.duration
    if size.is_daily:
        return f"{max(1, -(-seconds // UNITS['D']))} D" if seconds < UNITS["Y"] else size.duration
    if seconds <= UNITS["D"]:
        return f"{max(30, int(size.interval.duration_ns // SECOND_NS), seconds)} S"
    return f"{-(-seconds // UNITS['D'])} D"


def stamp_ns(date: Any, calendar: TradingCalendar) -> int:
    """Return the moment that a bar is stamped with: its start, or the midnight of its day in the market's zone.

    Source: TWS API, Historical Bar Data, formatDate 2: seconds of the epoch, and YYYYMMDD of daily bars all the same.

    Raises:
        BadMessage: it is neither.
    """
    text = str(date).strip()
    if len(text) == 8 and text.isdigit() and text[:2] in ("19", "20", "21"):
        day = day_of(text)
        return int(datetime(day.year, day.month, day.day, tzinfo=calendar.zone).timestamp()) * SECOND_NS
    if not text.isdigit():
        raise BadMessage(VENUE, "bar", f"{text!r} is no time of a bar: neither seconds nor a day such as 20261127")
    return seconds_ns(text)


def bounds_of(moment_ns: int, size: BarSize, calendar: TradingCalendar) -> tuple[int, int]:
    """Return from when to when a bar goes: it never spans the end of a session, so that the calendar cuts it.

    A bar outside the calendar's sessions has its plain length.
    """
    length_ns = size.interval.duration_ns
    if size.is_daily:
        return _day_bounds(moment_ns, size, calendar)
    bounds = calendar.bar_bounds(moment_ns, size.interval) if not calendar.always_open else None
    if bounds is not None and bounds[0] == moment_ns:
        return bounds
    return moment_ns, moment_ns + length_ns


def _day_bounds(moment_ns: int, size: BarSize, calendar: TradingCalendar) -> tuple[int, int]:
    if calendar.always_open:
        return moment_ns, moment_ns + size.interval.duration_ns
    day = datetime.fromtimestamp(moment_ns // SECOND_NS, UTC).astimezone(calendar.zone).date()
    sessions = calendar.sessions_on(day) if size.interval.step == 1 and size.interval.kind is IntervalKind.DAY else ()
    if sessions:
        return sessions[0].open_ns, sessions[-1].close_ns
    opens_ns = moment_ns if calendar.is_open(moment_ns) else calendar.next_open_ns(moment_ns)
    if opens_ns is not None and opens_ns - moment_ns < size.interval.duration_ns:
        bounds = calendar.bar_bounds(opens_ns, size.interval)
        if bounds is not None:
            return bounds
    return moment_ns, moment_ns + size.interval.duration_ns
