"""Numbers and times as people read them: exact to the instrument's step, signed where they tell profit, never in scientific notation."""

from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from math import isfinite
from typing import Final
from zoneinfo import ZoneInfo

from foxtrot.domain.instrument import Instrument

NOTHING: Final = "–"
MINUS: Final = "−"
"""A minus as wide as a plus, so that columns of profit line up."""
SECOND_NS: Final = 1_000_000_000


def price_text(price: float, decimals: int) -> str:
    """Return a price; nothing for one that is not known."""
    return f"{price:,.{decimals}f}" if isfinite(price) and price else NOTHING


def size_text(size: float, decimals: int) -> str:
    """Return a size without trailing zeros."""
    if not isfinite(size):
        return NOTHING
    text = f"{size:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money_text(amount: Decimal | float | None, decimals: int = 2, *, signed: bool = False) -> str:
    """Return an amount of money; nothing for None."""
    if amount is None:
        return NOTHING
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(amount))
    if not exact.is_finite():
        return NOTHING
    rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    text = f"{abs(rounded):,.{decimals}f}"
    if rounded < 0:
        return MINUS + text
    return f"+{text}" if signed and rounded > 0 else text


def plain_text(amount: Decimal) -> str:
    """Return an amount to its last digit for machines: no grouping, no zeros at its end, never in scientific notation."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def asset_text(amount: Decimal, *, signed: bool = False) -> str:
    """Return an amount of any asset for the eye: two decimals, or four digits of a small one; what is beyond is in the hint."""
    size = abs(amount)
    decimals = 2 if size >= 1 or not size else min(8, 3 - size.adjusted())
    return money_text(amount, min(decimals, exact_decimals(amount)), signed=signed)


def moment_text(ns: int) -> str:
    """Return a moment in UTC for machines, to the microsecond; nothing for 0."""
    if ns <= 0:
        return ""
    seconds, rest = divmod(ns, SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def exact_decimals(amount: Decimal, least: int = 2, most: int = 8) -> int:
    """Return how many decimals an amount needs to be shown as it is, within bounds."""
    return max(least, min(most, -int(amount.normalize().as_tuple().exponent))) if amount else least


def rate_text(rate: float, decimals: int = 2, *, signed: bool = False) -> str:
    """Return a fraction as a percentage."""
    return money_text(rate * 100, decimals, signed=signed) + (" %" if isfinite(rate) else "")


def time_text(ns: int, zone: str = "UTC", *, with_date: bool = False) -> str:
    """Return a moment to the millisecond; nothing for 0."""
    if ns <= 0:
        return NOTHING
    moment = datetime.fromtimestamp(ns // SECOND_NS, _zone(zone))
    day = (
        f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d} " if with_date else ""
    )  # strftime takes five times as long
    return f"{day}{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d}.{ns // 1_000_000 % 1000:03d}"


def age_text(seconds: float) -> str:
    """Return how old something is; what seems to come from the future, by two clocks or two readings of one, is new."""
    if seconds < 1.0:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 120.0:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def price_decimals(instrument: Instrument | None) -> int:
    """Return with how many decimals the prices of an instrument are shown."""
    return 2 if instrument is None else instrument.price_grid.decimals


def size_decimals(instrument: Instrument | None) -> int:
    """Return with how many decimals the sizes of an instrument are shown at most: those of its lot."""
    if instrument is None:
        return 8
    exact = instrument.quantity_grid.to_decimal(instrument.lot_units).normalize()
    return max(0, -int(exact.as_tuple().exponent))


@lru_cache(maxsize=32)
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)
