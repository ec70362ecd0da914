"""Instruments and their grids: the only place where numbers cross between float, Decimal and integer units."""

from bisect import bisect_right
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from math import gcd, isfinite

import msgspec

from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError, OffGrid, OrderRefused

Number = float | int | Decimal | str
_ROUNDINGS = {"nearest": ROUND_HALF_EVEN, "down": ROUND_FLOOR, "up": ROUND_CEILING, "to_zero": ROUND_DOWN}


class Grid(msgspec.Struct, frozen=True, gc=False):
    """A uniform counting grid: value = units * numerator / denominator, the denominator a power of ten.

    Conversions are exact: `to_float` gives the correctly rounded float of the grid point, and `from_float`
    accepts exactly those floats.
    """

    numerator: int
    denominator: int

    @classmethod
    def of(cls, step: Number) -> "Grid":
        """Make the grid of a step such as "0.01".

        Raises:
            ConfigError: the step is not a finite positive decimal.
        """
        value = Decimal(str(step))
        if not value.is_finite() or value <= 0:
            raise ConfigError(f"grid step {step} must be a positive decimal, such as 0.01")
        exponent = value.normalize().as_tuple().exponent
        denominator = 10 ** max(0, -int(exponent))
        return cls(int(value * denominator), denominator)

    @property
    def step(self) -> Decimal:
        """Return the size of one unit."""
        return Decimal(self.numerator) / self.denominator

    @property
    def decimals(self) -> int:
        """Return the number of decimals that every grid point fits in."""
        return len(str(self.denominator)) - 1

    def to_float(self, units: int) -> float:
        """Return the correctly rounded float of a grid point."""
        return units * self.numerator / self.denominator

    def to_decimal(self, units: int) -> Decimal:
        """Return a grid point exactly."""
        return Decimal(units * self.numerator).scaleb(-self.decimals)

    def to_text(self, units: int) -> str:
        """Return a grid point as plain decimal text, as venues take it."""
        return format(self.to_decimal(units), "f")

    def from_float(self, value: float) -> int:
        """Return the units of a float that is the correctly rounded value of a grid point.

        Raises:
            OffGrid: the float is not finite or lies between two points.
        """
        if isfinite(value):
            units = round(value * self.denominator / self.numerator)
            if units * self.numerator / self.denominator == value:
                return units
        return self.from_decimal(value)

    def from_decimal(self, value: Number) -> int:
        """Return the units of an exact decimal, decimal text or float.

        Raises:
            OffGrid: the value is not finite or lies between two points; the nearest ones are named.
        """
        exact = Decimal(str(value))
        if not exact.is_finite():
            raise OffGrid("value", str(value), "a finite number", "a finite number")
        units, rest = divmod(exact * self.denominator, self.numerator)
        if rest:
            low = int(exact * self.denominator // self.numerator)
            low -= 1 if exact < 0 else 0
            raise OffGrid("value", str(value), self.to_text(low), self.to_text(low + 1))
        return int(units)

    def round(self, value: Number, rounding: str = "nearest") -> int:
        """Return the units next to a value; rounding is nearest, down, up or to_zero.

        Raises:
            OffGrid: the value is not finite.
        """
        exact = Decimal(str(value))
        if not exact.is_finite():
            raise OffGrid("value", str(value), "a finite number", "a finite number")
        return int((exact * self.denominator / self.numerator).to_integral_value(_ROUNDINGS[rounding]))


class PriceBand(msgspec.Struct, frozen=True, gc=False):
    """From `from_units` on (inclusive), legal prices are multiples of `step_units`."""

    from_units: int
    step_units: int


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One product on one market: identity, grids, legal steps, limits and contract terms.

    `price_grid` and `quantity_grid` are the counting units, fixed for life. `price_bands` are the legal steps by price,
    ascending; one row for most. `lot_units` is the legal quantity step. Zero means "no limit" for every maximum and
    minimum. Rates are fractions (0.05 is 5 %).
    """

    instrument_id: str
    symbol: str
    venue: str
    product: Product
    base_asset: str
    quote_asset: str
    settle_asset: str
    price_grid: Grid
    quantity_grid: Grid
    price_bands: tuple[PriceBand, ...] = (PriceBand(0, 1),)
    lot_units: int = 1
    min_quantity_units: int = 0
    max_quantity_units: int = 0
    min_notional: Decimal = Decimal(0)
    max_notional: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)
    max_open_orders: int = 0
    price_limit_rate: Decimal = Decimal(0)
    initial_margin_rate: Decimal = Decimal(1)
    maintenance_margin_rate: Decimal = Decimal(0)
    funding_interval_s: int = 0
    expiry_ns: int = 0
    calendar: str = "24x7"
    name: str = ""

    def price_units(self, price: Number) -> int:
        """Return a legal price in units.

        Raises:
            OffGrid: the price is not finite or not a legal step of its band; the nearest legal prices are named.
        """
        try:
            units = self.price_grid.from_float(price) if isinstance(price, float) else self.price_grid.from_decimal(price)
        except OffGrid:
            raise self._off_price(price) from None
        step = self.step_units(units)
        if units % step:
            raise self._off_price(price)
        return units

    def quantity_units(self, quantity: Number) -> int:
        """Return a legal quantity in units (a multiple of the lot).

        Raises:
            OffGrid: the quantity is not finite or not a multiple of the lot; the nearest legal ones are named.
        """
        grid = self.quantity_grid
        try:
            units = grid.from_float(quantity) if isinstance(quantity, float) else grid.from_decimal(quantity)
        except OffGrid:
            raise self._off_quantity(quantity) from None
        if units % self.lot_units:
            raise self._off_quantity(quantity)
        return units

    def step_units(self, price_units: int) -> int:
        """Return the legal price step, in units, at a price."""
        bands = self.price_bands
        if len(bands) == 1:
            return bands[0].step_units
        index = bisect_right(bands, price_units, key=lambda band: band.from_units) - 1
        return bands[max(index, 0)].step_units

    def round_price_units(self, price: Number, rounding: str = "nearest") -> int:
        """Return the legal price, in units, next to any price; rounding is nearest, down or up."""
        below, above = self._price_neighbours(price)
        if rounding == "down" or below == above:
            return below
        if rounding == "up":
            return above
        exact = Decimal(str(price))
        low, high = self.price_grid.to_decimal(below), self.price_grid.to_decimal(above)
        return below if exact - low <= high - exact else above

    def round_quantity_units(self, quantity: Number, rounding: str = "to_zero") -> int:
        """Return the multiple of the lot, in units, next to any quantity (towards zero by default)."""
        lots = Grid(self.quantity_grid.numerator * self.lot_units, self.quantity_grid.denominator)
        return lots.round(quantity, rounding) * self.lot_units

    def price(self, units: int) -> float:
        """Return the float of a price in units."""
        grid = self.price_grid
        return units * grid.numerator / grid.denominator

    def quantity(self, units: int) -> float:
        """Return the float of a quantity in units."""
        grid = self.quantity_grid
        return units * grid.numerator / grid.denominator

    def notional(self, price_units: int, quantity_units: int) -> Decimal:
        """Return price * quantity * multiplier exactly, in the quote asset."""
        price = self.price_grid.to_decimal(price_units)
        return price * self.quantity_grid.to_decimal(quantity_units) * self.multiplier

    def _price_neighbours(self, price: Number) -> tuple[int, int]:
        floor = self.price_grid.round(price, "down")
        ceiling = self.price_grid.round(price, "up")
        below = floor - floor % self.step_units(floor)
        step = self.step_units(ceiling)
        above = ceiling + -ceiling % step
        return below, above

    def _off_price(self, price: Number) -> OffGrid:
        if not Decimal(str(price)).is_finite():
            return OffGrid("price", str(price), "a finite number", "a finite number")
        below, above = self._price_neighbours(price)
        return OffGrid("price", str(price), self.price_grid.to_text(below), self.price_grid.to_text(above))

    def _off_quantity(self, quantity: Number) -> OffGrid:
        if not Decimal(str(quantity)).is_finite():
            return OffGrid("quantity", str(quantity), "a finite number", "a finite number")
        low = self.round_quantity_units(quantity, "down")
        high = self.round_quantity_units(quantity, "up")
        return OffGrid("quantity", str(quantity), self.quantity_grid.to_text(low), self.quantity_grid.to_text(high))


class InstrumentTable:
    """Instruments by id, with bare symbols resolved only when they fit exactly one.

    Thread: belongs to whoever made it; not shared.
    """

    def __init__(self, instruments: tuple[Instrument, ...] = ()) -> None:
        self._by_id: dict[str, Instrument] = {}
        self._by_symbol: dict[str, list[str]] = {}
        for instrument in instruments:
            self.add(instrument)

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, instrument_id: str) -> bool:
        return instrument_id in self._by_id

    def __getitem__(self, instrument_id: str) -> Instrument:
        return self._by_id[instrument_id]

    def get(self, instrument_id: str) -> Instrument | None:
        """Return the instrument of an id, or None when it is not known."""
        return self._by_id.get(instrument_id)

    def all(self) -> tuple[Instrument, ...]:
        """Return every instrument, oldest first."""
        return tuple(self._by_id.values())

    def add(self, instrument: Instrument) -> None:
        """Add or replace an instrument.

        Raises:
            ConfigError: the counting unit of a known instrument would change.
        """
        known = self._by_id.get(instrument.instrument_id)
        if known is None:
            self._by_symbol.setdefault(instrument.symbol, []).append(instrument.instrument_id)
        elif (known.price_grid, known.quantity_grid) != (instrument.price_grid, instrument.quantity_grid):
            raise ConfigError(f"{instrument.instrument_id}: the counting unit is fixed for life and may not change")
        self._by_id[instrument.instrument_id] = instrument

    def resolve(self, name: str) -> Instrument:
        """Return the instrument of an id or of a bare symbol that fits exactly one.

        Raises:
            OrderRefused: nothing fits, or several do; the candidates are named.
        """
        found = self._by_id.get(name)
        if found is not None:
            return found
        candidates = self._by_symbol.get(name, [])
        if len(candidates) == 1:
            return self._by_id[candidates[0]]
        if candidates:
            choice = ", ".join(sorted(candidates))
            raise OrderRefused("instrument", choice, name, f"{name} fits several instruments: {choice}; name one of them")
        raise OrderRefused("instrument", "a known instrument id", name, f"instrument {name} is not known")


def common_step(steps: tuple[Decimal, ...]) -> Decimal:
    """Return the greatest decimal step that divides all of `steps`."""
    decimals = max(Grid.of(step).decimals for step in steps)
    units = [int(step.scaleb(decimals)) for step in steps]
    return Decimal(gcd(*units)).scaleb(-decimals)
