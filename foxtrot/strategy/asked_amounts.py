"""The counts, times and sizes a strategy asks for, refused in words where they make no sense."""

from collections.abc import Callable
from decimal import Decimal
from math import isfinite
from operator import index
from typing import SupportsIndex

from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.instrument import Instrument


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


def sized(
    instrument: Instrument, notional: float, risk: float, stop: float, price: float | Callable[[], float]
) -> float:
    """Return the legal quantity for an amount to spend or to lose; the price is asked for only where none is given.

    Raises:
        OrderRefused: neither or both amounts are given, or the stop is missing.
    """
    if (notional > 0.0) == (risk > 0.0) or not (isfinite(notional) and isfinite(risk)):
        raise OrderRefused("quantity_for", "one of notional and risk above 0", f"notional {notional}, risk {risk}")
    entry = price() if callable(price) else price
    distance = entry if notional > 0.0 else abs(entry - stop)
    if not distance > 0.0 or (risk > 0.0 and not stop > 0.0):
        raise OrderRefused("quantity_for", f"a stop above 0 and away from {entry}", str(stop))
    amount = Decimal(repr(notional or risk))
    units = instrument.round_quantity_units(amount / (Decimal(repr(distance)) * instrument.multiplier))
    return instrument.quantity(units)
