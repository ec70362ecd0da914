"""Numbers as Binance writes them: decimal strings, eight places on spot, those of the grid on USD-M."""

from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation

from foxtrot.domain.enums import Product
from foxtrot.domain.errors import OffGrid
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.exchange.wire.binance.api_error import ApiError

_EXACT = Context(prec=200)
_QUANTA: Mapping[int, Decimal] = {places: Decimal(1).scaleb(-places) for places in range(31)}
_PLACES = 8


def decimal_text(value: Decimal, places: int = _PLACES) -> str:
    """Return a decimal with a fixed number of places, what is finer rounded to the even neighbour: "0.01000000".

    Source: Binance spot API, REST, order answers; every amount is a string of eight decimals.
    """
    return format(_EXACT.quantize(value, _QUANTA[places]), "f")


def price_text(instrument: Instrument, units: int) -> str:
    """Return a price: eight decimals on spot, those of the price grid on USD-M.

    Source: Binance spot API, Market Data endpoints; USDⓈ-M Futures, Order Book.
    """
    return _grid_text(instrument, instrument.price_grid, units)


def quantity_text(instrument: Instrument, units: int) -> str:
    """Return a quantity: eight decimals on spot, those of the quantity grid on USD-M.

    Source: Binance spot API, Market Data endpoints; USDⓈ-M Futures, Order Book.
    """
    return _grid_text(instrument, instrument.quantity_grid, units)


def notional_text(instrument: Instrument, turnover: int) -> str:
    """Return the money of a turnover (the sum of price units times quantity units): eight decimals, on USD-M those it has.

    Source: Binance spot API, quoteVolume and cummulativeQuoteQty; USDⓈ-M Futures, cumQuote.
    """
    value = instrument.notional(1, 1) * turnover
    return decimal_text(value) if instrument.product is Product.SPOT else format(value, "f")


def average_text(instrument: Instrument, turnover: int, quantity: int) -> str:
    """Return the average price of a turnover over a quantity, with at least the places of a price; zero when nothing traded.

    Source: Binance spot API, weightedAvgPrice; USDⓈ-M Futures, avgPrice.
    """
    places = _PLACES if instrument.product is Product.SPOT else max(instrument.price_grid.decimals, 5)
    if not quantity:
        return decimal_text(Decimal(0), places)
    size = instrument.price_grid.step
    return decimal_text(_EXACT.divide(size * turnover, Decimal(quantity)), places)


def parse_units(grid: Grid, text: str) -> int:
    """Return the units of a decimal text on a grid.

    Source: Binance spot API, errors: -1111 for a value of more decimals than the symbol has.

    Raises:
        ApiError: -1100 when it is no number, -1111 when it lies between two points of the grid.
    """
    if not text or not set(text) <= _NUMBER_CHARACTERS:
        raise ApiError(-1100, "Illegal characters found in a parameter.")
    try:
        return grid.from_decimal(Decimal(text))
    except InvalidOperation:
        raise ApiError(-1100, "Illegal characters found in a parameter.") from None
    except OffGrid:
        raise ApiError(-1111, "Precision is over the maximum defined for this asset.") from None


_NUMBER_CHARACTERS = frozenset("0123456789.+-eE")


def _grid_text(instrument: Instrument, grid: Grid, units: int) -> str:
    if instrument.product is not Product.SPOT:
        return grid.to_text(units)
    places = grid.decimals
    if places > _PLACES:
        return decimal_text(grid.to_decimal(units))
    scaled = units * grid.numerator * 10 ** (_PLACES - places)
    sign = "-" if scaled < 0 else ""
    whole, part = divmod(abs(scaled), 100_000_000)
    return f"{sign}{whole}.{part:08d}"
