"""Prices and sizes as exact decimal text, a few hundred nanoseconds each."""

from decimal import Decimal

from foxtrot.books.level_book import UnitLevel
from foxtrot.domain.errors import OffGrid
from foxtrot.domain.instrument import Grid
from foxtrot.hub.wire import Pair


def unit_text(grid: Grid, units: int) -> str:
    """Return a grid point as Grid.to_text does."""
    whole = units * grid.numerator
    if grid.denominator == 1:
        return str(whole)
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    return f"{sign}{whole // grid.denominator}.{whole % grid.denominator:0{grid.decimals}d}"


def float_text(grid: Grid, value: float) -> str | None:
    """Return a fact's float as the grid point it stands for, None for 0.0, which stands for absent.

    What lies off the grid is the decimal that the float prints as: nothing is rounded to a price that nobody told.
    """
    if not value:
        return None
    try:
        return unit_text(grid, grid.from_float(value))
    except OffGrid:
        return format(Decimal(repr(value)), "f")


def pair_texts(levels: "tuple[UnitLevel, ...] | list[UnitLevel]", price: Grid, size: Grid) -> tuple[Pair, ...]:
    """Return levels as text."""
    return tuple([(unit_text(price, p), unit_text(size, q) if q else "0") for p, q in levels])
