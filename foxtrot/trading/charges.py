"""A charge on a position, shared out over those who hold parts of it."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

from foxtrot.trading.position import EXACT, ZERO, Position

_SHARE_STEP = Decimal(1).scaleb(-12)


def share_out(amount: Decimal, holders: Sequence[Position]) -> list[tuple[Position, Decimal]]:
    """Return each holder's part of a charge by signed quantity; the parts sum to the amount exactly.

    Who holds against the others gets the opposite sign. The largest holder takes what rounding leaves; when the quantities
    cancel out it takes all of it.
    """
    if not holders:
        return []
    largest = max(range(len(holders)), key=lambda index: abs(holders[index].quantity))
    total = sum(position.quantity for position in holders)
    parts = [_part(amount, position.quantity, total) for position in holders]
    rest = amount
    for part in parts:
        rest = EXACT.subtract(rest, part)
    parts[largest] = EXACT.add(parts[largest], rest)
    return [(position, part) for position, part in zip(holders, parts, strict=True) if part]


def _part(amount: Decimal, quantity: int, total: int) -> Decimal:
    if not total or not quantity:
        return ZERO
    return EXACT.divide(EXACT.multiply(amount, Decimal(quantity)), Decimal(total)).quantize(
        _SHARE_STEP, ROUND_DOWN, EXACT
    )
