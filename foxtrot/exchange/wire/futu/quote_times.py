"""Times as FutuOpenD writes them: local to the market, without a zone, with the epoch's seconds beside them."""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from foxtrot.exchange.wire.futu.quote_limits import refused

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
BARS_STAMPED_AT_END: Final = True
"""Minute bars carry the moment at which they end: the first of a Hong Kong day is that of 09:31:00.

Source: Futu OpenAPI users (github.com/FutunnOpen/py-futu-api issue 253: the first US bar is that of 09:31:00).
"""
_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


def local_text(ns: int, zone: ZoneInfo) -> str:
    """Return a moment to the second.

    Source: Qot_Common.proto, KLine.time.
    """
    return f"{datetime.fromtimestamp(ns // SECOND_NS, zone):%Y-%m-%d %H:%M:%S}"


def local_text_ms(ns: int, zone: ZoneInfo) -> str:
    """Return a moment to the millisecond; the moment 0 is an empty text.

    Source: seen with futu-api 10.11.7108: updateTime is split at its one space, or empty.
    """
    return f"{local_text(ns, zone)}.{ns // 1_000_000 % 1000:03}" if ns else ""


def epoch_s(ns: int) -> float:
    """Return a moment in seconds, to the millisecond.

    Source: Qot_Common.proto, the fields named timestamp.
    """
    return ns // 1_000_000 / 1000


def day_text(day: date | None) -> str:
    """Return a day, empty when it is not known.

    Source: Qot_Common.proto, listTime.
    """
    return "" if day is None else day.isoformat()


def local_day(ns: int, zone: ZoneInfo) -> date:
    """Return the local date of a moment.

    Source: none; it is arithmetic.
    """
    return datetime.fromtimestamp(ns // SECOND_NS, zone).date()


def midnight_ns(day: date, zone: ZoneInfo) -> int:
    """Return when a local day begins.

    Source: none; it is arithmetic.
    """
    return int(datetime.combine(day, time(), zone).timestamp()) * SECOND_NS


def next_midnight_ns(day: date, zone: ZoneInfo) -> int:
    """Return when a local day ends.

    Source: none; it is arithmetic.
    """
    return midnight_ns(day + timedelta(days=1), zone)


def read_moment(name: str, text: str, *, is_end: bool) -> datetime:
    """Return the local time that a request names; a bare date is its first or its last second.

    Source: Futu OpenAPI documentation, Get Historical Candlesticks (start and end).

    Raises:
        FutuRefused: it is no time.
    """
    for form in _FORMS:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007  # a local time without a zone, as the protocol has it
        except ValueError:
            continue
        return found.replace(hour=23, minute=59, second=59) if is_end and form == _FORMS[1] else found
    raise refused("bad_time", name=name, value=text)
