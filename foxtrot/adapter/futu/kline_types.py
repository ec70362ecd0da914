"""The bars that Futu has: their names and numbers, and which stretch of time a K-line's stamp stands for."""

from typing import Final

import msgspec

from foxtrot.domain.calendar import TradingCalendar
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.interval import Interval, IntervalKind

STAMPED_AT_THEIR_END: Final = True
"""Whether a minute K-line is stamped with the moment it closes: the first of a Hong Kong day is 09:31:00.

Source: Futu OpenAPI, Get Historical Candlesticks (examples). Believed, not proved without a real OpenD: it is said here alone.
"""


class KlineType(msgspec.Struct, frozen=True):
    """One length of bars: the SDK's name of it, which K-lines and subscriptions share, and its number in a push."""

    interval: Interval
    name: str
    number: int

    @property
    def is_daily(self) -> bool:
        """Tell whether it is stamped with a day rather than with a minute."""
        return self.interval.kind.is_calendar


def _row(text: str, name: str, number: int) -> KlineType:
    return KlineType(Interval.parse(text), name, number)


KLINE_TYPES: Final = (
    _row("1m", "K_1M", 1), _row("3m", "K_3M", 10), _row("5m", "K_5M", 6), _row("10m", "K_10M", 12), _row("15m", "K_15M", 7),
    _row("30m", "K_30M", 8), _row("1h", "K_60M", 9), _row("2h", "K_120M", 13), _row("3h", "K_180M", 14),
    _row("4h", "K_240M", 15), _row("1d", "K_DAY", 2), _row("1w", "K_WEEK", 3),
)  # fmt: skip
"""Source: Qot_Common.proto, KLType; Futu OpenAPI, Quote Definitions, KLType and SubType."""


def kline_type(text: str) -> KlineType:
    """Return Futu's bars of an interval, whatever unit it was written in.

    Raises:
        ConfigError: Futu has no bars of that length; those it has are named.
    """
    interval = Interval.parse(text)
    weekly = interval.kind is IntervalKind.WEEK
    for row in KLINE_TYPES if interval.kind.is_time else ():
        same_kind = (row.interval.kind is IntervalKind.WEEK) == weekly
        if same_kind and row.interval.duration_ns == interval.duration_ns:
            return row
    names = ", ".join(row.interval.text for row in KLINE_TYPES)
    raise ConfigError(f"Futu has no bars of {text}; it has {names}")


def bounds_of(stamp_ns: int, kind: KlineType, calendar: TradingCalendar) -> tuple[int, int]:
    """Return from when to when a K-line goes: it never spans the end of a session, so that the calendar cuts it.

    A minute bar outside the calendar's sessions (before the opening, after the close) has its plain length.
    """
    duration_ns = kind.interval.duration_ns
    if kind.is_daily:
        return _day_bounds(stamp_ns, kind, calendar)
    inside_ns = stamp_ns - 1 if STAMPED_AT_THEIR_END else stamp_ns
    bounds = calendar.bar_bounds(inside_ns, kind.interval) if not calendar.always_open else None
    if bounds is not None and (bounds[1] if STAMPED_AT_THEIR_END else bounds[0]) == stamp_ns:
        return bounds
    return (stamp_ns - duration_ns, stamp_ns) if STAMPED_AT_THEIR_END else (stamp_ns, stamp_ns + duration_ns)


def _day_bounds(stamp_ns: int, kind: KlineType, calendar: TradingCalendar) -> tuple[int, int]:
    """Return the bounds of a bar that is stamped with the midnight of its day."""
    if calendar.always_open:
        return stamp_ns, stamp_ns + kind.interval.duration_ns
    opens_ns = stamp_ns if calendar.is_open(stamp_ns) else calendar.next_open_ns(stamp_ns)
    if opens_ns is not None and opens_ns - stamp_ns < kind.interval.duration_ns:
        bounds = calendar.bar_bounds(opens_ns, kind.interval)
        if bounds is not None:
            return bounds
    return stamp_ns, stamp_ns + kind.interval.duration_ns
