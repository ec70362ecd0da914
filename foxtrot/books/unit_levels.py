"""Levels between floats, as facts carry them, and units, as books count them: a side at a time."""

from foxtrot.books.level_book import UnitLevel
from foxtrot.domain.errors import OffGrid
from foxtrot.domain.instrument import Grid
from foxtrot.domain.market import Level

_FAST_UNITS = 2**50
"""Up to here scaling in floats finds the right unit by rounding, as in domain/instrument.py."""

_EXACT_POWER = 1e22
"""Powers of ten up to here are floats, so that dividing by them rounds once."""


def to_units(levels: tuple[Level, ...], price_grid: Grid, size_grid: Grid) -> list[UnitLevel]:
    """Return levels in units, by one product and one division each where the grids are decimal and the figures not too large.

    The quick way is that of Grid.from_float, for all levels at once: when one does not come out exactly, all go the long way.

    Raises:
        OffGrid: a price or size does not lie on its grid, or a size is negative.
    """
    if price_grid.numerator == 1 == size_grid.numerator:
        price_by, size_by = float(price_grid.denominator), float(size_grid.denominator)
        highest, largest = _FAST_UNITS / price_by, _FAST_UNITS / size_by
        if price_by <= _EXACT_POWER >= size_by:
            units = [
                (price_units, size_units)
                for price, size in levels
                if 0.0 <= price < highest
                and 0.0 <= size < largest
                and (price_units := int(price * price_by + 0.5)) / price_by == price
                and (size_units := int(size * size_by + 0.5)) / size_by == size
            ]
            if len(units) == len(levels):
                return units
    return [(price_grid.from_float(price), _size(size, size_grid)) for price, size in levels]


def to_floats(levels: tuple[UnitLevel, ...], price_grid: Grid, size_grid: Grid) -> tuple[Level, ...]:
    """Return levels as floats, each the correctly rounded value of its units."""
    if price_grid.numerator == 1 == size_grid.numerator:
        price_by, size_by = price_grid.denominator, size_grid.denominator
        return tuple([(price / price_by, size / size_by) for price, size in levels])
    to_price, to_size = price_grid.to_float, size_grid.to_float
    return tuple([(to_price(price), to_size(size)) for price, size in levels])


def _size(size: float, grid: Grid) -> int:
    if size < 0:
        raise OffGrid("size", str(size), "0", "0")
    return grid.from_float(size) if size else 0
