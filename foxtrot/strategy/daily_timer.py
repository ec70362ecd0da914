"""Daily timers: a wall-clock time in a time zone, and the moments at which it comes."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from foxtrot.domain.errors import ConfigError

_SECOND_NS = 1_000_000_000
_WALL_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")


class DailyTimer(msgspec.Struct, frozen=True):
    """Every day at a wall-clock time. A time that the clocks skip comes as much later as they jump; one that they repeat comes once."""

    wall_time: time
    timezone: str
    name: str

    @classmethod
    def of(cls, wall_time: str, timezone: str, name: str) -> "DailyTimer":
        """Make a timer of text such as "15:50".

        Raises:
            ConfigError: the time is not HH:MM or HH:MM:SS, or the zone is not known.
        """
        if not _WALL_TIME.fullmatch(wall_time):
            raise ConfigError(f'at("{wall_time}"): give the time as HH:MM or HH:MM:SS')
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigError(f'at("{wall_time}", tz="{timezone}"): {timezone!r} is no IANA time zone') from None
        return cls(time.fromisoformat(wall_time), timezone, name)

    def next_after(self, ns: int) -> int:
        """Return the first moment after `ns` at which it is that time, UTC ns."""
        zone = ZoneInfo(self.timezone)
        day = datetime.fromtimestamp(ns // _SECOND_NS, UTC).astimezone(zone).date()
        while True:
            due = datetime.combine(day, self.wall_time, zone)
            due_ns = int(due.timestamp()) * _SECOND_NS
            if due_ns > ns:
                return due_ns
            day += timedelta(days=1)
