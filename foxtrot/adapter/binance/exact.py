"""What every private answer of Binance is read with: exact decimals that are numbers, and one error for all that is not."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import msgspec

from foxtrot.adapter.binance.errors import VENUE
from foxtrot.domain.errors import BadMessage

T = TypeVar("T")
LARGEST = Decimal(10) ** 24
"""No amount, price or quantity at Binance comes near it; what does is a fault of the message."""

_BAD = (msgspec.MsgspecError, ValueError, LookupError, ArithmeticError, TypeError, RecursionError)


class Exact(msgspec.Struct, frozen=True):
    """A structure whose decimals are finite and of a possible size.

    Raises:
        ValueError: one of them is not.
    """

    def __post_init__(self) -> None:
        """Refuse what is no number at all."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal) and not (value.is_finite() and abs(value) < LARGEST):
                raise ValueError(f"{name} {value!s:.40} is no possible amount")


def read(kind: type[T], raw: object, what: str) -> T:
    """Return a decoded JSON value as a typed structure.

    Raises:
        BadMessage: fields are missing, of another type or impossible.
    """
    try:
        return msgspec.convert(raw, kind, strict=False)
    except _BAD as error:
        raise bad(what, str(error)) from None


def maybe(text: str, name: str) -> Decimal:
    """Return the amount of a field that is empty text while there is none; that is zero.

    Raises:
        BadMessage: it is some other text.
    """
    value = read(Decimal, text, name) if text else Decimal(0)
    if not (value.is_finite() and abs(value) < LARGEST):
        raise bad(name, f"{text:.40} is no possible amount")
    return value


def read_with(build: Callable[[], T], what: str) -> T:
    """Return what a translation makes of a message.

    Raises:
        BadMessage: the message says something that cannot be.
    """
    try:
        return build()
    except _BAD as error:
        raise bad(what, str(error)) from None


def bad(what: str, text: str) -> BadMessage:
    """Return the error of a message that cannot be decoded; long text is cut."""
    return BadMessage(VENUE, "bad_message", f"{what}: {text:.300}")


def number(value: Decimal) -> float:
    """Return the correctly rounded float of an exact decimal."""
    return float(value)
