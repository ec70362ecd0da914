"""Levels between floats, as facts carry them, and units, as books count them: a side at a time."""

from foxtrot.books.level_book import UnitLevel
from foxtrot.domain.errors import OffGrid
from foxtrot.domain.instrument import Grid
from foxtrot.domain.market import Level

_FAST_UNITS = 2**50
"""Up to here scaling in floats finds the right unit by rounding, as in domain/instrument.py."""

_EXACT_POWER = 1e22
"""Powers of ten up to here are floats, so that dividing by them rounds once."""

_PRICES_KEPT = 4_096


class UnitScale:
    """The grids of one instrument, for many levels at once; it remembers the units of prices, which recur where sizes do not.

    Thread: belongs to whoever feeds the book.
    """

    __slots__ = ("_known", "_largest", "_price", "_size", "_size_by")

    def __init__(self, price_grid: Grid, size_grid: Grid) -> None:
        self._price = price_grid
        self._size = size_grid
        self._size_by = float(size_grid.denominator)
        is_quick = size_grid.numerator == 1 and self._size_by <= _EXACT_POWER
        self._largest = _FAST_UNITS / self._size_by if is_quick else 0.0
        self._known: dict[float, int] = {}

    def units(self, levels: tuple[Level, ...]) -> list[UnitLevel]:
        """Return levels in units.

        The quick way for sizes is that of Grid.from_float: when one does not come out exactly, all go the long way.

        Raises:
            OffGrid: a price or size does not lie on its grid, or a size is negative.
        """
        known, size_by, largest = self._known, self._size_by, self._largest
        units: list[UnitLevel] = []
        for price, size in levels:
            if not (0.0 <= size < largest and (size_units := int(size * size_by + 0.5)) / size_by == size):
                return [(self._price.from_float(price), self._long(size)) for price, size in levels]
            if price not in known:
                self._learn(price)
            units.append((known[price], size_units))
        return units

    def _learn(self, price: float) -> None:
        if len(self._known) >= _PRICES_KEPT:
            self._known.clear()
        self._known[price] = self._price.from_float(price)

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
