"""The counts and times a strategy asks for, refused in words where they make no sense."""

from math import isfinite
from operator import index
from typing import SupportsIndex

from foxtrot.domain.errors import ConfigError


def check_count(what: str, count: SupportsIndex) -> None:
    """Refuse a count that is not a whole number from 1.

    Raises:
        ConfigError: it is not; `what` begins the message.
    """
    try:
        whole = -1 if isinstance(count, bool) else index(count)
    except TypeError:
        whole = -1
    if whole < 1:
        raise ConfigError(f"{what} of at least 1, a whole number, not {count!r}")


def timer_delay_ns(what: str, seconds: float) -> int:
    """Return a timer's delay in nanoseconds.

    Raises:
        ConfigError: it is no finite time above 0; `what` begins the message.
    """
    delay_ns = int(seconds * 1e9) if isfinite(seconds) else 0
    if delay_ns < 1:
        raise ConfigError(f"{what} needs seconds above 0, not {seconds}")
    return delay_ns
