"""Instruments and their grids: the only place where numbers cross between float, Decimal and integer units."""

from bisect import bisect_right
from decimal import Context, Decimal, InvalidOperation
from itertools import pairwise
from math import gcd, isfinite

import msgspec

from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError, OffGrid, OrderRefused

Number = float | int | Decimal | str

EXACT_UNITS = 2**52
"""Up to here a float tells every two neighbours of any grid apart, so that float and units map one to one."""

_FAST_UNITS = float(2**50)
"""Up to here scaling in floats is off by less than half a unit, so that rounding it finds the right one."""

_EXACT = Context(prec=200)
_LARGEST_EXPONENT = 400
_LARGEST_STEP_EXPONENT = 30

_ROUNDINGS = frozenset({"nearest", "down", "up", "to_zero"})


def _check_rounding(rounding: str) -> None:
    if rounding not in _ROUNDINGS:
        raise ConfigError(f"rounding {rounding!r} must be one of {', '.join(sorted(_ROUNDINGS))}")


def _rounds_up(rounding: str, floor: int, rest: int, unit: int) -> bool:
    """Tell whether floor + rest / unit goes to floor + 1; nearest sends halves to the even neighbour."""
    _check_rounding(rounding)
    if rounding == "nearest":
        return 2 * rest > unit or (2 * rest == unit and floor % 2 == 1)
    return rest > 0 and (rounding == "up" or (rounding == "to_zero" and floor < 0))


def _finite(value: Number, what: str = "value") -> Decimal:
    """Return the decimal that a number prints as, or raise OffGrid when it is none of usable size."""
    try:
        exact = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        exact = Decimal("NaN")
    if exact.is_finite() and (not exact or abs(exact.adjusted()) <= _LARGEST_EXPONENT):
        return exact if exact else Decimal(0)
    raise OffGrid(what, str(value), "a finite number", "a finite number")


class Grid(msgspec.Struct, frozen=True, gc=False):
    """A uniform counting grid: value = units * numerator / denominator, the denominator a power of ten.

    Conversions are exact: `to_float` gives the correctly rounded float of the grid point, and `from_float` accepts exactly
    those floats. Beyond `EXACT_UNITS` several points may share a float, which then counts as the decimal it prints as.
    """

    numerator: int
    denominator: int

    @classmethod
    def of(cls, step: Number) -> "Grid":
        """Make the grid of a step such as "0.01".

        Raises:
            ConfigError: the step is not a finite positive decimal.
        """
        try:
            value = _finite(step).normalize()
        except OffGrid:
            value = Decimal(0)
        exponent = int(value.normalize().as_tuple().exponent)
        if value <= 0 or abs(exponent) > _LARGEST_STEP_EXPONENT:
            raise ConfigError(f"grid step {step} must be a positive decimal, such as 0.01")
        denominator = 10 ** max(0, -exponent)
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
        if self.denominator == 1:
            return Decimal(units * self.numerator)
        return _EXACT.scaleb(Decimal(units * self.numerator), -self.decimals)

    def to_text(self, units: int) -> str:
        """Return a grid point as plain decimal text, as venues take it."""
        return format(self.to_decimal(units), "f")

    def from_float(self, value: float) -> int:
        """Return the units of a float that is the correctly rounded value of a grid point.

        Raises:
            OffGrid: the float is not finite or lies between two points; the nearest ones are named.
        """
        scaled = value * self.denominator / self.numerator
        if -_FAST_UNITS < scaled < _FAST_UNITS:
            units = round(scaled)
            if units * self.numerator / self.denominator == value:
                return units
        elif isfinite(value):
            return self._from_large_float(value)
        return self.from_decimal(value)

    def from_decimal(self, value: Number) -> int:
        """Return the units of an exact decimal, decimal text or float.

        Raises:
            OffGrid: the value is not finite or lies between two points; the nearest ones are named.
        """
        floor, rest, _ = self._divide(_finite(value))
        if rest:
            raise OffGrid("value", str(value), self.to_text(floor), self.to_text(floor + 1))
        return floor

    def round(self, value: Number, rounding: str = "nearest") -> int:
        """Return the units next to a value; rounding is nearest, down, up or to_zero.

        Raises:
            OffGrid: the value is not finite.
            ConfigError: there is no such rounding.
        """
        if isinstance(value, float) and rounding in _ROUNDINGS:
            scaled = value * self.denominator / self.numerator
            if -_FAST_UNITS < scaled * self.numerator < _FAST_UNITS:
                units = round(scaled)
                if units * self.numerator / self.denominator == value:
                    return units
        floor, rest, unit = self._divide(_finite(value))
        return floor + _rounds_up(rounding, floor, rest, unit)

    def _divide(self, exact: Decimal) -> tuple[int, int, int]:
        """Return floor, rest and unit such that the value is (floor + rest / unit) steps."""
        numerator, denominator = exact.as_integer_ratio()
        unit = denominator * self.numerator
        floor, rest = divmod(numerator * self.denominator, unit)
        return floor, rest, unit

    def _from_large_float(self, value: float) -> int:
        floor, _, _ = self._divide(Decimal(value))
        points = [units for units in range(floor - 1, floor + 3) if self.to_float(units) == value]
        if len(points) == 1:
            return points[0]
        return self.from_decimal(value)


class PriceBand(msgspec.Struct, frozen=True, gc=False):
    """From `from_units` on (inclusive), legal prices are multiples of `step_units`."""

    from_units: int
    step_units: int


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One product on one market: identity, grids, legal steps, limits and contract terms.

    `price_grid` and `quantity_grid` are the counting units, fixed for life. `price_bands` are the legal steps by price,
    ascending; one row for most. `lot_units` is the legal quantity step. Zero means "no limit" for every maximum and
    minimum. Rates are fractions (0.05 is 5 %). `expiry_ns` is the last moment of trading of what expires, `notice_ns` the first
    on which a holder may be made to deliver; 0 where there is none. `right` is call or put for an option, "" for all else.

    Raises:
        ConfigError: bands, lot or multiplier make no grid.
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
    notice_ns: int = 0
    underlying: str = ""
    strike: Decimal = Decimal(0)
    right: str = ""
    calendar: str = "24x7"
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse steps on which no order could be placed."""
        if self.lot_units <= 0 or self.multiplier <= 0:
            raise ConfigError(
                f"{self.instrument_id}: lot {self.lot_units} and multiplier {self.multiplier} must be above 0"
            )
        if not self.price_bands or any(band.step_units <= 0 for band in self.price_bands):
            raise ConfigError(f"{self.instrument_id}: price bands need at least one row, every step above 0")
        for lower, upper in pairwise(self.price_bands):
            edge = upper.from_units
            if edge <= lower.from_units or edge % lower.step_units or edge % upper.step_units:
                raise ConfigError(
                    f"{self.instrument_id}: the price band from {edge} units must stand above the one from "
                    f"{lower.from_units} and begin at a legal price of both"
                )

    def price_units(self, price: Number) -> int:
        """Return a legal price in units.

        Raises:
            OffGrid: the price is not finite or not a legal step of its band; the nearest legal prices are named.
        """
        try:
            units = (
                self.price_grid.from_float(price) if isinstance(price, float) else self.price_grid.from_decimal(price)
            )
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
        """Return the legal price, in units, next to any price; rounding is nearest (halves down), down, up or to_zero.

        Raises:
            OffGrid: the price is not finite.
            ConfigError: there is no such rounding.
        """
        _check_rounding(rounding)
        below, above = self._price_neighbours(price)
        if below == above or rounding == "down" or (rounding == "to_zero" and below >= 0):
            return below
        if rounding != "nearest":
            return above
        exact = _finite(price)
        low, high = self.price_grid.to_decimal(below), self.price_grid.to_decimal(above)
        return below if exact - low <= high - exact else above

    def round_quantity_units(self, quantity: Number, rounding: str = "to_zero") -> int:
        """Return the multiple of the lot, in units, next to any quantity (towards zero by default)."""
        if self.lot_units == 1:
            return self.quantity_grid.round(quantity, rounding)
        lots = Grid(self.quantity_grid.numerator * self.lot_units, self.quantity_grid.denominator)
        return lots.round(quantity, rounding) * self.lot_units

    def units_to(self, wanted: float, held_units: int) -> int:
        """Return the multiple of the lot, in units and towards zero, between what is held and a quantity that is wanted."""
        units = self.quantity_grid.round(wanted)
        if self.quantity(units) != wanted:
            return self.round_quantity_units(_finite(wanted) - self.quantity_grid.to_decimal(held_units))
        change = units - held_units
        return change - change % self.lot_units if change > 0 else change + -change % self.lot_units

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
        price, quantity = self.price_grid.to_decimal(price_units), self.quantity_grid.to_decimal(quantity_units)
        return _EXACT.multiply(_EXACT.multiply(price, quantity), self.multiplier)

    def _price_neighbours(self, price: Number) -> tuple[int, int]:
        floor = self.price_grid.round(price, "down")
        ceiling = self.price_grid.round(price, "up")
        below = floor - floor % self.step_units(floor)
        step = self.step_units(ceiling)
        above = ceiling + -ceiling % step
        return below, above

    def _off_price(self, price: Number) -> OffGrid:
        below, above = self._price_neighbours(_finite(price, "price"))
        return OffGrid("price", str(price), self.price_grid.to_text(below), self.price_grid.to_text(above))

    def _off_quantity(self, quantity: Number) -> OffGrid:
        exact = _finite(quantity, "quantity")
        low, high = self.round_quantity_units(exact, "down"), self.round_quantity_units(exact, "up")
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
        if known is not None:
            if (known.price_grid, known.quantity_grid) != (instrument.price_grid, instrument.quantity_grid):
                raise ConfigError(f"{instrument.instrument_id}: the counting unit is fixed for life and may not change")
            self._by_symbol[known.symbol].remove(known.instrument_id)
        self._by_symbol.setdefault(instrument.symbol, []).append(instrument.instrument_id)
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
            raise OrderRefused(
                "instrument", choice, name, f"{name} fits several instruments: {choice}; name one of them"
            )
        raise OrderRefused("instrument", "a known instrument id", name, f"instrument {name} is not known")


def common_step(steps: tuple[Decimal, ...]) -> Decimal:
    """Return the greatest decimal step that divides all of `steps`."""
    decimals = max(Grid.of(step).decimals for step in steps)
    units = [int(step.scaleb(decimals)) for step in steps]
    return Decimal(gcd(*units)).scaleb(-decimals)
