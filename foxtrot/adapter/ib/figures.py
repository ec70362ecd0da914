"""Numbers as the SDK tells them, in all their shapes, as exact decimals; what stands for "not set" is None."""

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from foxtrot.domain.errors import BadMessage

VENUE: Final = "ib"
LARGEST: Final = Decimal(10) ** 15
"""No price, quantity or amount comes near it; what does, and stands for nothing below, is a fault of the message."""
_UNSET: Final = frozenset({Decimal(2**31 - 1), Decimal(2**63 - 1), Decimal(2**127 - 1)})
"""Source: seen with ibapi 9.81 and 10.46: UNSET_INTEGER, UNSET_LONG, UNSET_DECIMAL."""
_HUGE: Final = Decimal(10) ** 300
"""The largest double stands for "not set", in whatever digits it is written. Source: seen with ibapi 9.81: UNSET_DOUBLE."""


def figure(value: Any, name: str) -> Decimal | None:
    """Return a number of the SDK exactly, None where it is not set.

    Source: seen with ibapi 9.81 (int, float, text) and 10.46 (Decimal).

    Raises:
        BadMessage: it is no number, or none of a possible size.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        exact = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        raise BadMessage(VENUE, name, f"{name} {value!r} is no number") from None
    if not exact.is_finite():
        raise BadMessage(VENUE, name, f"{name} {value!r} is no possible number")
    if exact in _UNSET or abs(exact) >= _HUGE:
        return None
    if abs(exact) >= LARGEST:
        raise BadMessage(VENUE, name, f"{name} {value!r} is no possible number")
    return exact + 0 if exact else Decimal(0)


def amount(value: Any, name: str) -> Decimal:
    """Return a number that is 0 where it is not set, and never below it.

    Source: seen with ibapi 9.81 and 10.46.

    Raises:
        BadMessage: it is no number, or below 0.
    """
    found = figure(value, name)
    if found is not None and found < 0:
        raise BadMessage(VENUE, name, f"{name} {value!r} is below 0")
    return found or Decimal(0)


def whole(value: Any, name: str) -> int:
    """Return a whole number, 0 where it is not set; it may be negative, as the ids of orders of others are.

    Source: seen with ibapi 9.81 and 10.46; TWS API, Placing Orders (ids of orders of other clients).

    Raises:
        BadMessage: it is no whole number.
    """
    found = figure(value, name)
    if found is not None and found != found.to_integral_value():
        raise BadMessage(VENUE, name, f"{name} {value!r} is no whole number")
    return int(found or 0)
