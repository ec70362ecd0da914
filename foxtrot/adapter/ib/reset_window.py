"""The hours of each night in which IB resets its servers, so that no order is sent. Pure: times are given."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

EARLY_S: Final = 60
"""How long before the window the last order leaves."""
SECOND_NS: Final = 1_000_000_000


class ResetWindow(msgspec.Struct, frozen=True):
    """From when to when, in a zone, each day; it may go over midnight. Without a zone there is none.

    Attributes:
        begin_s: seconds since midnight, by the clocks of the zone.
        length_s: seconds.
        zone: of the tz database.
        text: as it was set.
    """

    begin_s: int = 0
    length_s: int = 0
    zone: str = ""
    text: str = ""

    def latest(self, now_ns: int) -> tuple[int, int] | None:
        """Return beginning and end (UTC ns) of the window that began last, its early minute included; None without one."""
        if not self.zone:
            return None
        zone = ZoneInfo(self.zone)
        today = datetime.fromtimestamp(now_ns / SECOND_NS, zone).date()
        begins = [self._begin_ns(today + timedelta(days=days), zone) for days in (-1, 0, 1)]
        begin_ns = max(found for found in begins if found <= now_ns)
        return begin_ns, begin_ns + (EARLY_S + self.length_s) * SECOND_NS

    def _begin_ns(self, day: date, zone: ZoneInfo) -> int:
        begin = datetime.combine(day, time.min, zone) + timedelta(seconds=self.begin_s)
        return (int(begin.astimezone(UTC).timestamp()) - EARLY_S) * SECOND_NS

    def refusal(self, now_ns: int, reconciled_ns: int) -> str:
        """Return why no order may leave now, or "".

        Args:
            now_ns: UTC.
            reconciled_ns: when the account was last brought up to date, UTC; 0 is never.
        """
        found = self.latest(now_ns)
        if found is None or reconciled_ns >= found[1]:
            return ""
        if now_ns < found[1]:
            return f"IB resets its servers ({self.text}); nothing is sent from a minute before"
        return f"IB has reset its servers ({self.text}); nothing is sent until the account is reconciled"

    def left_s(self, now_ns: int) -> float:
        """Return how long the present window still lasts, 0.0 outside."""
        found = self.latest(now_ns)
        return 0.0 if found is None else max(0.0, (found[1] - now_ns) / SECOND_NS)


NEVER: Final = ResetWindow()


def read_window(text: str) -> ResetWindow:
    """Return a window written as "23:45-00:45 America/New_York"; "" is none.

    Raises:
        ValueError: it is not; the text says what is wrong.
    """
    if not text.strip():
        return NEVER
    hours, _, name = text.strip().partition(" ")
    begin_text, dash, end_text = hours.partition("-")
    if not dash or not name.strip():
        raise ValueError("it has a beginning, an end and a time zone")
    try:
        ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name.strip()!r}") from None
    begin_s, end_s = _second_of(begin_text), _second_of(end_text)
    if begin_s == end_s:
        raise ValueError("it begins when it ends")
    return ResetWindow(begin_s, (end_s - begin_s) % 86_400, name.strip(), text.strip())


def _second_of(text: str) -> int:
    hour, colon, minute = text.partition(":")
    if not (colon and len(hour) == len(minute) == 2 and (hour + minute).isdecimal() and hour < "24" and minute < "60"):
        raise ValueError(f"{text!r} is no time of day such as 23:45")
    return int(hour) * 3600 + int(minute) * 60
