"""Exact sums of quantities and money, as orders and their fills are counted."""

from decimal import Context, Decimal

EXACT = Context(prec=60)
"""Wide enough that adding, subtracting and multiplying what venues tell never rounds."""


def average_of(cost: Decimal, quantity: Decimal) -> float:
    """Return cost / quantity, 0.0 without a quantity."""
    return float(EXACT.divide(cost, quantity)) if quantity else 0.0


def exact_of(value: float) -> Decimal:
    """Return the decimal that a float of a fact was read from."""
    return Decimal(repr(value))
