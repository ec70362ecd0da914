"""Arguments of a verb: argparse whose faults are one line with the nearest known word, and number types that name the fix."""

import argparse
import math
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import NoReturn

from foxtrot.domain.errors import ConfigError

MOST_SECONDS = 31_536_000.0
MOST_MILLISECONDS = 86_400_000.0
MOST_MONEY = 10**15
LEAST_MONEY = Decimal("1e-15")
MOST_WHOLE = 2**63 - 1


class UsageError(ConfigError):
    """The command line is wrong."""


class CommandParser(argparse.ArgumentParser):
    """An argument parser that raises instead of ending the process.

    Thread: the caller's.
    """

    def __init__(self, prog: str | None = None, **settings: object) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(prog=prog, allow_abbrev=False, **settings)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the message and where to find help."""
        raise UsageError(f"{message}{self._hint(message)} (see {self.prog} --help)")

    def _hint(self, message: str) -> str:
        unknown = re.search(
            r"unrecognized arguments: (-{1,2}[^\s=]+)|invalid choice: '([^']*)' \(choose from (.*)\)", message
        )
        if unknown is None:
            return ""
        known = list(self._option_string_actions)
        if unknown[2] is not None:
            known = [choice.strip(" '") for choice in unknown[3].split(",")]
        return did_you_mean(unknown[1] or unknown[2], known)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return "; did you mean …?" with the nearest known word, or nothing when none is near."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def seconds(text: str) -> float:
    """Return a duration above 0 and of no more than a year, in seconds."""
    number = _number(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text} must be seconds above 0, such as 30")
    return _at_most(number, MOST_SECONDS, "seconds, a year")


def milliseconds(text: str) -> float:
    """Return a delay from 0 to a day, in milliseconds."""
    return _between_zero_and(MOST_MILLISECONDS, text, "milliseconds, a day")


def not_negative(text: str) -> float:
    """Return a number from 0 to 1e15."""
    return _between_zero_and(float(MOST_MONEY), text)


def share(text: str) -> float:
    """Return a fraction from 0 to 1."""
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} must be a fraction from 0 to 1, such as 0.1 for 10 %")
    return number


def whole(text: str) -> int:
    """Return a whole number from 1 to 2^63 - 1."""
    if not text.isdecimal() or len(text) > len(str(MOST_WHOLE)) or not 1 <= int(text) <= MOST_WHOLE:
        raise argparse.ArgumentTypeError(f"{text[:40]} must be a whole number of at least 1 and at most {MOST_WHOLE}")
    return int(text)


def amount(text: str) -> Decimal:
    """Return an exact finite number of at least 0, of a size that money and quantities have."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text} must be a number such as 0.01") from None
    if not number.is_finite() or number < 0:
        raise argparse.ArgumentTypeError(f"{text} must be a finite number that is not negative")
    if number and not LEAST_MONEY <= number <= MOST_MONEY:
        raise argparse.ArgumentTypeError(f"{text} must be from {LEAST_MONEY} to {MOST_MONEY:.0e}")
    return number


def positive_amount(text: str) -> Decimal:
    """Return an exact finite number above 0."""
    number = amount(text)
    if not number:
        raise argparse.ArgumentTypeError(f"{text} must be above 0")
    return number


def _between_zero_and(most: float, text: str, what: str = "") -> float:
    number = _number(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} must not be negative")
    return _at_most(number, most, what)


def _at_most(number: float, most: float, what: str = "") -> float:
    if number > most:
        raise argparse.ArgumentTypeError(f"{number:g} must be at most {most:,.0f} {what}".rstrip())
    return number


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} must be a number") from None
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text} must be a finite number")
    return number
