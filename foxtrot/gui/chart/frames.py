"""The time frames of a chart, and of which shorter bars the beginning of an open bar is made."""

from typing import Final

from foxtrot.domain.interval import Interval

FRAMES: Final = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")
MINUTE: Final = "1m"
BEGUN_BY: Final = {"5m": "1m", "15m": "1m", "30m": "1m", "1h": "1m", "4h": "1m", "1d": "5m"}
"""What an open bar of a frame is begun with: the closed bars of this one."""
PAGE: Final = 1_000
MOST_BARS: Final = 200_000
"""So many bars a chart holds at most; older ones are not asked for then."""


def interval_of(frame: str) -> Interval:
    """Return the interval of a frame."""
    return Interval.parse(frame)
