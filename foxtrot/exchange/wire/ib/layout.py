"""Layouts of messages as data: which fields a message has, in which order, from which server version to which.

Source: EDecoder, EClient and server_versions.py of ibapi 9.81 and 10.46, read as documentation of the protocol.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Final

import msgspec

from foxtrot.exchange.wire.ib.refusal import VALIDATION, IbRefused

OLDEST, NEWEST = 157, 178
"""Server versions that are spoken: 157 unless the settings say that 178 may be."""
UNSET_FLOAT: Final = "1.7976931348623157e+308"
UNSET_INT: Final = "2147483647"
_UNSET: Final = frozenset({"", UNSET_FLOAT, UNSET_INT})
_LATEST: Final = 10_000
Value = str | int | float | bool | Decimal | None


class Field(msgspec.Struct, frozen=True, cache_hash=True):
    """A field of a message: its name, what it says when nothing is given, and the server versions that have it (both inclusive)."""

    name: str
    default: Value = ""
    since: int = 0
    until: int = _LATEST


class Layout(msgspec.Struct, frozen=True, cache_hash=True):
    """A message: its id, then its fields in order. A field named `version` has its default as a constant."""

    message_id: int
    fields: tuple[Field, ...]


def layout(message_id: int, names: str, *more: Field, version: int | None = None) -> Layout:
    """Return a layout of fields named in one text, parted by spaces, and of further fields behind them.

    Args:
        message_id: what the message begins with.
        names: fields of all versions without a default.
        more: further fields.
        version: the constant of the message's own version field, None where it has none.

    Source: EClient and EDecoder of ibapi 9.81.
    """
    first = () if version is None else (Field("version", version),)
    return Layout(message_id, (*first, *(Field(name) for name in names.split()), *more))


@cache
def fields_at(of: Layout, version: int) -> tuple[Field, ...]:
    """Return the fields that a message has at a server version.

    Source: server_versions.py of ibapi.
    """
    return tuple(field for field in of.fields if field.since <= version <= field.until)


def texts_of(of: Layout, version: int, values: Mapping[str, Value]) -> list[str]:
    """Return a message as texts, its id first; what is not given has its default.

    Raises:
        KeyError: a value has no field in any version: a mistake of ours.

    Source: EDecoder of ibapi 9.81.
    """
    known = _names(of)
    if not known.issuperset(values):
        raise KeyError(f"message {of.message_id} has no field {min(values.keys() - known)!r}")
    told = [text_of(values.get(field.name, field.default)) for field in fields_at(of, version)]
    return [str(of.message_id), *told]


@cache
def _names(of: Layout) -> frozenset[str]:
    return frozenset(field.name for field in of.fields)


def text_of(value: Value) -> str:
    """Return a value as it stands on the wire: flags as 0 and 1, None as nothing, numbers in plain notation.

    Source: comm.py of ibapi 9.81 (make_field).
    """
    kind = type(value)
    if kind is str or kind is int or kind is float:
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    return str(value)


class FieldReader:
    """Takes the fields of a request one after the other.

    Thread: exchange-io.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts: Iterator[str] = iter(texts)
        self.left = len(texts)

    def text(self) -> str:
        """Take a field as it is.

        Raises:
            IbRefused: there is none left.

        Source: TWS API documentation, Error Codes (321).
        """
        if not self.left:
            raise IbRefused(VALIDATION, "Error validating request: the message has too few fields")
        self.left -= 1
        return next(self._texts)

    def whole(self) -> int:
        """Take a whole number; what is unset is 0.

        Raises:
            IbRefused: it is none.

        Source: TWS API documentation, Error Codes (321).
        """
        text = self.text()
        try:
            return 0 if text in _UNSET else int(text)
        except ValueError:
            raise _refused(text) from None

    def flag(self) -> bool:
        """Take a flag.

        Source: comm.py of ibapi 9.81.
        """
        return self.whole() != 0

    def decimal(self) -> Decimal | None:
        """Take a number, None where it is unset.

        Raises:
            IbRefused: it is none, or not finite.

        Source: TWS API documentation, Error Codes (321); the three ways to say unset were seen with ibapi 9.81.
        """
        text = self.text()
        try:
            return None if is_unset(text) else _finite(text)
        except (ArithmeticError, ValueError):
            raise _refused(text) from None

    def read(self, of: Layout, version: int) -> dict[str, str]:
        """Take the fields of a layout by name.

        Source: EClient of ibapi 9.81.
        """
        return {field.name: self.text() for field in fields_at(of, version)}

    def end(self) -> None:
        """Refuse what is left over.

        Raises:
            IbRefused: the message has more fields than it may.

        Source: TWS API documentation, Error Codes (321).
        """
        if self.left:
            raise IbRefused(VALIDATION, f"Error validating request: the message has {self.left} fields too many")


def is_unset(text: str) -> bool:
    """Tell whether a field says that nothing is given.

    Source: seen with ibapi 9.81 and 10.46: empty, or the largest float or int.
    """
    return text in _UNSET


def _finite(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(text)
    return value


def _refused(text: str) -> IbRefused:
    return IbRefused(VALIDATION, f"Error validating request: {text[:40]} is no number")
