"""Times as they stand in orders and in filters of executions: with a time zone behind them, or without."""

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from foxtrot.exchange.wire.ib.order_texts import refused

UTC: Final = ZoneInfo("UTC")
TOLD_ZONE: Final = "GMT"
"""In this timezone TWS is logged in here: it says so when a client connects."""
_FORM: Final = re.compile(r"(\d{8})(?:[ -]+(\d{2}:\d{2}(?::\d{2})?))?(?: +([A-Za-z][A-Za-z0-9_+/-]*))?", re.ASCII)


def moment_ns(request_id: int, text: str, zone: ZoneInfo, *, end_of_day: bool = False) -> int:
    """Return the moment that a text says.

    Args:
        request_id: whose text it is.
        text: YYYYMMDD, with a time behind it or without, with a timezone or without; a dash before the time means UTC.
        zone: in which a text without a timezone is meant.
        end_of_day: a day without a time means its end.

    Raises:
        IbRefused: it is no such text.

    Source: TWS API documentation, Order: goodTillDate; ExecutionFilter: time.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise refused(request_id, "date", text=text[:40])
    day, clock, name = found.groups()
    is_utc = clock is not None and name is None and text.strip()[8] == "-"
    try:
        place = UTC if is_utc else ZoneInfo(name) if name else zone
        told = datetime.fromisoformat(f"{day}T{_clock(clock, end_of_day=end_of_day)}").replace(tzinfo=place)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise refused(request_id, "date", text=text[:40]) from None
    return int(told.timestamp()) * 1_000_000_000


def _clock(clock: str | None, *, end_of_day: bool) -> str:
    if clock is None:
        return "23:59:59" if end_of_day else "00:00:00"
    return clock if len(clock) == len("HH:MM:SS") else f"{clock}:00"


def execution_time(ns: int) -> str:
    """Return when a fill was, as TWS says it: two spaces, no timezone.

    Source: seen with ibapi 9.81; TWS API documentation, Execution: time is of the timezone in which TWS is logged in.
    """
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y%m%d  %H:%M:%S")


def completed_time(ns: int) -> str:
    """Return when an order ended.

    Source: TWS API documentation, OrderState: completedTime.
    """
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime(f"%Y%m%d %H:%M:%S {TOLD_ZONE}")
