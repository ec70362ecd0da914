"""Bar intervals: how long, or how much trading, one bar stands for, and the text that names it."""

import enum
import re
from decimal import Decimal
from difflib import get_close_matches

import msgspec

from foxtrot.domain.errors import ConfigError

SECOND_NS = 1_000_000_000


class IntervalKind(enum.StrEnum):
    """What a bar is measured in; the value is the suffix of its text."""

    SECOND = "s"
    MINUTE = "m"
    HOUR = "h"
    DAY = "d"
    WEEK = "w"
    TICK = "t"
    VOLUME = "v"
    VALUE = "$"

    @property
    def is_time(self) -> bool:
        """Tell whether bars close by the clock rather than by trading."""
        return self in _UNIT_NS

    @property
    def is_calendar(self) -> bool:
        """Tell whether bars follow trading days (days and weeks) rather than a count of seconds."""
        return self in (IntervalKind.DAY, IntervalKind.WEEK)


_UNIT_NS = {
    IntervalKind.SECOND: SECOND_NS,
    IntervalKind.MINUTE: 60 * SECOND_NS,
    IntervalKind.HOUR: 3_600 * SECOND_NS,
    IntervalKind.DAY: 86_400 * SECOND_NS,
    IntervalKind.WEEK: 604_800 * SECOND_NS,
}
_TEXT = re.compile(r"(?P<step>[0-9]+(?:\.[0-9]+)?)(?P<kind>[smhdwtv$])", re.ASCII)
_LOOSE = re.compile(r"(?P<before>[a-z$]*)\s*(?P<step>[0-9]*(?:\.[0-9]+)?)\s*(?P<after>[a-z$]*)", re.ASCII)
_USUAL = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "1d", "1w", "100t", "50v", "100000$")
_WORDS = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours", "hourly"),
    "d": ("d", "day", "days", "daily"),
    "w": ("w", "wk", "week", "weeks", "weekly"),
    "t": ("tick", "ticks"),
    "v": ("v", "vol", "volume"),
    "$": ("$", "usd", "value", "dollar", "dollars"),
}
_KIND_OF_WORD = {word: kind for kind, words in _WORDS.items() for word in words}


class Interval(msgspec.Struct, frozen=True, gc=False):
    """One bar size: `step` units of `kind`; whole for time and tick bars, any positive decimal for volume and value."""

    kind: IntervalKind
    step: Decimal

    @classmethod
    def of(cls, kind: IntervalKind, step: int | Decimal) -> "Interval":
        """Make an interval.

        Raises:
            ConfigError: the step is not positive, or not whole where it must be.
        """
        exact = Decimal(step)
        if not exact.is_finite() or exact <= 0:
            raise ConfigError(f"interval step {step} must be a positive number, as in 5m")
        if kind not in (IntervalKind.VOLUME, IntervalKind.VALUE) and exact != exact.to_integral_value():
            raise ConfigError(f"interval {step}{kind} must be a whole number of units, as in 5{kind}")
        return cls(kind, exact)

    @classmethod
    def parse(cls, text: str) -> "Interval":
        """Read text such as "5m", "4h", "1d", "1w", "100t", "50v" or "100000$".

        Raises:
            ConfigError: the text names no interval; the nearest one is offered.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ConfigError(
                f"interval {text!r} is not known{_did_you_mean(text)}; use a number and one of s m h d w t v $"
            )
        return cls.of(IntervalKind(match["kind"]), Decimal(match["step"]))

    @property
    def text(self) -> str:
        """Return the shortest text that parses to this interval."""
        plain = format(self.step, "f")
        if "." in plain:
            plain = plain.rstrip("0").rstrip(".")
        return plain + self.kind.value

    @property
    def duration_ns(self) -> int:
        """Return the nominal length of a time bar in ns; sessions and clock changes may cut a bar short.

        Raises:
            ConfigError: the interval is counted in ticks, volume or value and has no length.
        """
        unit = _UNIT_NS.get(self.kind)
        if unit is None:
            raise ConfigError(f"interval {self.text} has no duration: it closes by trading, not by time")
        return int(self.step) * unit


def _did_you_mean(text: str) -> str:
    match = _LOOSE.fullmatch(text.strip().lower())
    word = (match["after"] or match["before"]) if match else ""
    if match and word in _KIND_OF_WORD:
        guess = (match["step"] or "1") + _KIND_OF_WORD[word]
    else:
        guess = next(iter(get_close_matches(text, _USUAL, n=1, cutoff=0.5)), "")
    return f"; did you mean {guess}?" if guess and guess != text and _TEXT.fullmatch(guess) else ""
