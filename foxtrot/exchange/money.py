"""Money inside the venue: integers of 10**-18 of the asset, whatever the asset.

Eighteen decimals make the notional of every listed instrument exact (an instrument that needs more is refused), so amounts
are added and compared as integers and nothing is ever lost.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument

MONEY_DECIMALS = 18
FEE_DECIMALS = 8
ONE = 10**MONEY_DECIMALS
"""One whole unit of any asset."""

ZERO = Decimal(0)
_EXACT = Context(prec=80)
_LARGEST_POWER = 40
_FEE_STEP = Decimal(1).scaleb(-FEE_DECIMALS)


def to_decimal(money: int) -> Decimal:
    """Return money as an exact decimal without trailing zeros behind the point."""
    if not money:
        return ZERO
    whole, rest = divmod(money, ONE)
    if not rest:
        return Decimal(whole)
    return Decimal(money).scaleb(-MONEY_DECIMALS, _EXACT).normalize(_EXACT)


def from_decimal(amount: Decimal) -> int:
    """Return an exact decimal as money.

    Raises:
        ConfigError: the amount is not finite, too large or finer than the money grid.
    """
    if not amount.is_finite():
        raise ConfigError(f"amount {amount} is not finite")
    if amount and amount.adjusted() > _LARGEST_POWER:  # beyond it the arithmetic below is not exact, and then overflows
        raise ConfigError(f"amount {amount:.3e} is too large; give less than 1e{_LARGEST_POWER + 1}")
    scaled = amount.scaleb(MONEY_DECIMALS, _EXACT)
    money = int(scaled)
    if money != scaled:
        raise ConfigError(f"amount {amount} has more than {MONEY_DECIMALS} decimals; round it")
    return money


def fee_money(fee: Decimal) -> int:
    """Return a fee rounded half-even to the decimals in which fees are charged, as money."""
    return int(fee.quantize(_FEE_STEP, ROUND_HALF_EVEN, _EXACT).scaleb(MONEY_DECIMALS, _EXACT))


def notional_factor(instrument: Instrument) -> int:
    """Return the money of one price unit times one quantity unit.

    Raises:
        ConfigError: it would not be exact.
    """
    price, quantity = instrument.price_grid, instrument.quantity_grid
    exact = Fraction(price.numerator * quantity.numerator * ONE, price.denominator * quantity.denominator)
    exact *= Fraction(instrument.multiplier)
    if exact.denominator != 1:
        raise ConfigError(f"{instrument.instrument_id}: price times quantity has more than {MONEY_DECIMALS} decimals")
    return exact.numerator


def quantity_factor(instrument: Instrument) -> int:
    """Return the money, in the base asset, of one quantity unit.

    Raises:
        ConfigError: it would not be exact.
    """
    grid = instrument.quantity_grid
    exact = Fraction(grid.numerator * ONE, grid.denominator)
    if exact.denominator != 1:
        raise ConfigError(f"{instrument.instrument_id}: quantities have more than {MONEY_DECIMALS} decimals")
    return exact.numerator
