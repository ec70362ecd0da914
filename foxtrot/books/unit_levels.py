"""Levels between floats, as facts carry them, and units, as books count them: a side at a time."""

from math import trunc

from foxtrot.books.level_book import UnitLevel
from foxtrot.domain.errors import OffGrid
from foxtrot.domain.instrument import Grid
from foxtrot.domain.market import Level

_FAST_UNITS = 2**50
"""Up to here scaling in floats finds the right unit by rounding, as in domain/instrument.py."""

_EXACT_POWER = 1e22
"""Powers of ten up to here are floats, so that dividing by them rounds once."""


class UnitScale:
    """The grids of one instrument, for many levels at once.

    Thread: stateless, any thread.
    """

    __slots__ = ("_highest", "_largest", "_price", "_price_by", "_size", "_size_by")

    def __init__(self, price_grid: Grid, size_grid: Grid) -> None:
        self._price = price_grid
        self._size = size_grid
        self._price_by, self._highest = _quick(price_grid)
        self._size_by, self._largest = _quick(size_grid)

    def units(self, levels: tuple[Level, ...]) -> list[UnitLevel]:
        """Return levels in units.

        The quick way is that of Grid.from_float: when a figure does not come out exactly, all go the long way.

        Raises:
            OffGrid: a price or size does not lie on its grid, or a size is negative.
        """
        price_by, size_by, highest, largest = self._price_by, self._size_by, self._highest, self._largest
        units: list[UnitLevel] = []
        try:
            for price, size in levels:
                price_units, size_units = trunc(price * price_by + 0.5), trunc(size * size_by + 0.5)
                if price_units / price_by == price < highest and size_units / size_by == size < largest:
                    units.append((price_units, size_units))
                else:
                    break
            else:
                return units
        except (ValueError, OverflowError):  # not a number, or infinite: refused below
            pass
        return [(self._price.from_float(price), self._long(size)) for price, size in levels]

    def _long(self, size: float) -> int:
        if size < 0:
            raise OffGrid("size", str(size), "0", "0")
        return self._size.from_float(size) if size else 0


def to_floats(levels: tuple[UnitLevel, ...], price_grid: Grid, size_grid: Grid) -> tuple[Level, ...]:
    """Return levels as floats, each the correctly rounded value of its units."""
    if price_grid.numerator == 1 == size_grid.numerator:
        price_by, size_by = price_grid.denominator, size_grid.denominator
        return tuple([(price / price_by, size / size_by) for price, size in levels])
    to_price, to_size = price_grid.to_float, size_grid.to_float
    return tuple([(to_price(price), to_size(size)) for price, size in levels])


def _quick(grid: Grid) -> tuple[float, float]:
    """Return what to multiply by, and the values below which that is exact enough: none where the grid is not decimal."""
    by = float(grid.denominator)
    return by, _FAST_UNITS / by if grid.numerator == 1 and by <= _EXACT_POWER else 0.0
