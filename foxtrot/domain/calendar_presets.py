"""The calendars that come with the platform, by name: 24x7, FX, and exchanges whose days are in data files."""

from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib import resources

import msgspec

from foxtrot.domain.calendar import DAY_S, CalendarRules, Hours, TradingCalendar
from foxtrot.domain.errors import ConfigError

CALENDAR_NAMES = ("24x7", "CMES", "FX", "XHKG", "XNYS", "XNYS_EXT", "XSHG")
"""XNYS is the regular session of the United States; XNYS_EXT begins with pre-market and ends with after-hours trading.

CMES is Globex for equity index futures, Sunday 17:00 to Friday 16:00 Chicago with an hour's break a day; XSHG is Shanghai and
Shenzhen.
"""

_FILES = {"CMES": "cmes.json", "XHKG": "xhkg.json", "XNYS": "xnys.json", "XNYS_EXT": "xnys.json", "XSHG": "xshg.json"}
_BY_VENUE = {
    **dict.fromkeys(("NASDAQ", "NYSE", "AMEX", "ARCA", "BATS", "IEX", "OPRA", "CBOE"), "XNYS"),
    **dict.fromkeys(("SSE", "SZSE", "SEHKNTL", "SEHKSZSE"), "XSHG"),
    "SEHK": "XHKG",
    "CME": "CMES",
    "IDEALPRO": "FX",
}
_FOLDER = resources.files("foxtrot.domain") / "data" / "calendars"
_FX_CLOSE_S = 17 * 3_600

ALWAYS_OPEN = TradingCalendar(CalendarRules(name="24x7", timezone="UTC", weekly=(((0, DAY_S),),) * 7))
"""Markets that never close; days begin at midnight UTC."""

FX = TradingCalendar(
    CalendarRules(
        name="FX", timezone="America/New_York", weekly=(((_FX_CLOSE_S - DAY_S, _FX_CLOSE_S),),) * 5 + ((), ())
    )
)
"""Currencies between banks: Sunday 17:00 to Friday 17:00 New York without a break, a day ending at 17:00; no holidays."""


class _Extended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trading before and after the regular hours: from `opens` until `closes_after` (a length) past the regular close."""

    name: str
    opens: str
    closes_after: str
    source: str


class _CalendarFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    timezone: str
    source: str
    generated: date
    note: str
    first_day: date
    last_day: date
    hours: tuple[tuple[str, str], ...]
    holidays: frozenset[date]
    special: dict[date, tuple[tuple[str, str], ...]]
    extended: _Extended | None = None


@cache
def calendar_named(name: str) -> TradingCalendar:
    """Return a calendar by name, always the same object.

    Raises:
        ConfigError: there is none of that name; the nearest one is offered.
    """
    if name not in CALENDAR_NAMES:
        near = get_close_matches(name.upper(), CALENDAR_NAMES, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"calendar {name!r} is not known{hint}; there are {', '.join(CALENDAR_NAMES)}")
    if name == ALWAYS_OPEN.name:
        return ALWAYS_OPEN
    return FX if name == FX.name else _from_file(name)


def calendar_of_venue(venue: str) -> str:
    """Return the name of the calendar of what a venue trades; of a venue that is not known, that of markets that never close."""
    return _BY_VENUE.get(venue, ALWAYS_OPEN.name)


def _from_file(name: str) -> TradingCalendar:
    content = (_FOLDER / _FILES[name]).read_bytes()
    file = msgspec.json.decode(content, type=_CalendarFile)
    extended = file.extended if file.extended is not None and file.extended.name == name else None
    return TradingCalendar(
        CalendarRules(
            name=name,
            timezone=file.timezone,
            weekly=(_hours(file.hours, extended),) * 5 + ((), ()),
            holidays=file.holidays,
            special={day: _hours(hours, extended) for day, hours in file.special.items()},
            first_day=file.first_day,
            last_day=file.last_day,
        )
    )


def _hours(texts: tuple[tuple[str, str], ...], extended: _Extended | None) -> Hours:
    hours = tuple((_seconds(opens), _seconds(closes)) for opens, closes in texts)
    if extended is None:
        return hours
    return ((_seconds(extended.opens), hours[-1][1] + _seconds(extended.closes_after)),)


def _seconds(text: str) -> int:
    """Return seconds after midnight; "-07:00" is seven hours before it, the evening before."""
    hour, minute = text.removeprefix("-").split(":")
    seconds = int(hour) * 3_600 + int(minute) * 60
    return -seconds if text.startswith("-") else seconds
