"""Prices that a venue sends as floats, put on the grid of their instrument."""

from typing import Final

from foxtrot.domain.instrument import Instrument

KNOWN_PRICES: Final = 4_096
"""How many prices of an instrument are kept with the grid point that each is."""


class PriceSnap:
    """Gives each price of an instrument as the correctly rounded value of its grid point; prices come again and again, so it remembers.

    Thread: one at a time.
    """

    def __init__(self, instrument: Instrument) -> None:
        self.known: dict[float, float] = {}
        """The grid points of prices that were seen; who is in a hurry looks here first."""
        self._grid = instrument.price_grid

    def __call__(self, price: float) -> float:
        """Return the grid point of a price.

        Raises:
            OffGrid: it is not finite.
        """
        known = self.known.get(price)
        return self._add(price) if known is None else known

    def _add(self, price: float) -> float:
        if len(self.known) >= KNOWN_PRICES:
            self.known.clear()
        grid = self._grid
        known = self.known[price] = grid.to_float(grid.round(price))
        return known
