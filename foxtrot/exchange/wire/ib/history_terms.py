"""What a request for historical bars may ask: size of a bar, how far back, until when, of which price.

Source: TWS API documentation, Historical Bar Data (Duration, Valid Bar Sizes, Historical Data Types), Historical Data Limitations.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from foxtrot.exchange.wire.ib.price_bars import SECOND_NS
from foxtrot.exchange.wire.ib.refusal import VALIDATION, IbRefused

HISTORY_REFUSED: Final = 162
"""The code of every refusal by the historical data service."""
_DAY_S: Final = 86_400


class BarSize(msgspec.Struct, frozen=True):
    """A length of bars: seconds within a day, else a count of 0 and the unit of the calendar."""

    name: str
    length_s: int
    unit: str = ""
    longest_s: int = 0
    """How far back one request may go, 0 for no limit."""

    @property
    def length_ns(self) -> int:
        """Return the length in ns; of days and longer, that of a day.

        Source: TWS API documentation, Valid Bar Sizes.
        """
        return (self.length_s or _DAY_S) * SECOND_NS


class Duration(msgspec.Struct, frozen=True):
    """How far back a request goes: a count of S (seconds), D, W, M or Y."""

    count: int
    unit: str

    @property
    def seconds(self) -> int:
        """Return about how long it is.

        Source: TWS API documentation, Historical Bar Data, Duration.
        """
        return self.count * _UNIT_S[self.unit]


_UNIT_S: Final = {"S": 1, "D": _DAY_S, "W": 7 * _DAY_S, "M": 31 * _DAY_S, "Y": 366 * _DAY_S}
_LONGEST: Final = {1: 1_800, 5: 3_600, 10: 14_400, 15: 14_400, 30: 28_800}
_SECONDS: Final = {
    "1 secs": 1, "5 secs": 5, "10 secs": 10, "15 secs": 15, "30 secs": 30, "1 min": 60, "2 mins": 120, "3 mins": 180,
    "5 mins": 300, "10 mins": 600, "15 mins": 900, "20 mins": 1_200, "30 mins": 1_800, "1 hour": 3_600,
    "2 hours": 7_200, "3 hours": 10_800, "4 hours": 14_400, "8 hours": 28_800,
}  # fmt: skip
BAR_SIZES: Final[dict[str, BarSize]] = {
    **{name: BarSize(name, length, "", _LONGEST.get(length, 0)) for name, length in _SECONDS.items()},
    "1 day": BarSize("1 day", 0, "day"),
    "1W": BarSize("1W", 0, "week"),
    "1M": BarSize("1M", 0, "month"),
}
_ALIASES: Final = {"1 sec": "1 secs", "1 mins": "1 min", "1 week": "1W", "1 month": "1M"}
WHAT_TO_SHOW: Final = ("TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK")
_DURATION: Final = re.compile(r"(\d{1,6}) ?([SDWMY])")
_MOMENTS: Final = (
    (re.compile(r"(\d{8}) +(\d{2}:\d{2}:\d{2})(?: +(\S+))?"), False),
    (re.compile(r"(\d{8})-(\d{2}:\d{2}:\d{2})()"), True),
)


def bar_size(text: str) -> BarSize:
    """Return a bar size by its name.

    Source: TWS API documentation, Valid Bar Sizes.

    Raises:
        IbRefused: there is none of that name; the legal ones are named.
    """
    found = BAR_SIZES.get(_ALIASES.get(text, text))
    if found is None:
        legal = ", ".join(BAR_SIZES)
        raise _invalid(f"Historical data bar size setting is invalid. Legal ones are: {legal}")
    return found


def duration(text: str) -> Duration:
    """Return how far back a request goes.

    Source: TWS API documentation, Historical Bar Data, Duration; a year is the longest that may be said in another unit.

    Raises:
        IbRefused: it is none, or is to be said in another unit.
    """
    found = _DURATION.fullmatch(text)
    if found is None or not int(found[1]):
        raise _invalid(
            "Historical data query end date/time string or duration is invalid. Format is 'integer{SPACE}unit (S|D|W|M|Y)'."
        )
    asked = Duration(int(found[1]), found[2])
    if asked.unit == "S" and asked.count > _DAY_S:
        raise _invalid("Historical data requests for durations longer than 86400 seconds must be made in days.")
    if asked.unit in "DWM" and asked.seconds > _UNIT_S["Y"] + 6 * _DAY_S:
        raise _invalid("Historical data requests for durations longer than 365 days must be made in years.")
    return asked


def check_step(size: BarSize, back: Duration) -> None:
    """Refuse more bars of a small size than one request may bring.

    Source: TWS API documentation, Historical Data Limitations, step sizes.

    Raises:
        IbRefused: it goes too far back for bars of that size.
    """
    if size.longest_s and back.seconds > size.longest_s:
        raise history_refused("Time length exceed max.")


def what_to_show(text: str, *, known: tuple[str, ...] = WHAT_TO_SHOW) -> str:
    """Return the price that bars are made of.

    Source: TWS API documentation, Historical Data Types.

    Raises:
        IbRefused: it is not served.
    """
    if text.upper() not in known:
        raise _invalid(f"Incorrect 'what to show' {text[:20]}. Legal ones are: {', '.join(known)}")
    return text.upper()


def end_moment(text: str, zone: tzinfo) -> int | None:
    """Return the end of a request in ns, None for now.

    Args:
        text: empty, local time of a named zone, local time of `zone`, or UTC with a dash.
        zone: the zone in which TWS was logged in.

    Source: TWS API documentation, Historical Bar Data, endDateTime.

    Raises:
        IbRefused: it is no moment.
    """
    if not text:
        return None
    for form, is_utc in _MOMENTS:
        found = form.fullmatch(text)
        if found is not None:
            try:
                named = UTC if is_utc else ZoneInfo(found[3]) if found[3] else zone
                at = datetime.strptime(found[1] + found[2], "%Y%m%d%H:%M:%S").replace(tzinfo=named)
                return int(at.timestamp()) * SECOND_NS
            except (ValueError, ZoneInfoNotFoundError, OSError):
                break
    raise _invalid(
        "Invalid date, time, or time-zone entered. The correct format is yyyymmdd hh:mm:ss xx/xxxx, or yyyymmdd-hh:mm:ss in UTC."
    )


def begin_moment(end_ns: int, back: Duration, zone: ZoneInfo) -> int:
    """Return where a request begins by the calendar.

    Source: TWS API documentation, Historical Bar Data, Duration.
    """
    if back.unit in "SDW":
        return end_ns - back.seconds * SECOND_NS
    end = datetime.fromtimestamp(end_ns // SECOND_NS, zone)
    months = back.count * (12 if back.unit == "Y" else 1)
    year, month = divmod(end.year * 12 + end.month - 1 - months, 12)
    if year < 1:
        return 0
    first = end.replace(year=year, month=month + 1, day=1)
    last_day = ((first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
    return int(first.replace(day=min(end.day, last_day)).timestamp()) * SECOND_NS


def history_refused(text: str) -> IbRefused:
    """Return a refusal of the historical data service.

    Source: TWS API documentation, Error Codes (162).
    """
    return IbRefused(HISTORY_REFUSED, f"Historical Market Data Service error message:{text}")


def _invalid(cause: str) -> IbRefused:
    return IbRefused(VALIDATION, f"Error validating request.-'bK' : cause - {cause}")
