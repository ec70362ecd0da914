"""Dust: what is held and is so little that no order can close it."""

from decimal import Decimal

from foxtrot.domain.instrument import Instrument
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.position import Position

LOT, MIN_QUANTITY, MIN_NOTIONAL = "lot", "min_quantity", "min_notional"


def dust_rule(position: Position, view: MarketView) -> str:
    """Return the rule by which no order can close a position, "" when one can or nobody knows what the position is worth."""
    instrument = position.instrument
    units = _closing_units(position)
    if units == 0:
        return LOT
    if units < instrument.min_quantity_units:
        return MIN_QUANTITY
    if instrument.min_notional:
        value = _value(instrument, units, view)
        if value is not None and value < instrument.min_notional:
            return MIN_NOTIONAL
    return ""


def why_dust(position: Position, view: MarketView) -> str:
    """Return in words why no order can close a position, "" when one can or there is none."""
    rule = dust_rule(position, view) if position.exact_quantity else ""
    if not rule:
        return ""
    instrument = position.instrument
    exact = instrument.quantity_grid.to_decimal
    if rule == LOT:
        return f"orders go in steps of {exact(instrument.lot_units).normalize():f}"
    if rule == MIN_QUANTITY:
        return f"the least quantity of an order is {exact(instrument.min_quantity_units).normalize():f}"
    value = _value(instrument, _closing_units(position), view)
    least, asset = instrument.min_notional.normalize(), instrument.quote_asset
    return f"it is worth {value:.4g} {asset}, and the least value of an order is {least:f} {asset}"


def _closing_units(position: Position) -> int:
    return position.instrument.round_quantity_units(abs(position.exact_quantity))


def _value(instrument: Instrument, units: int, view: MarketView) -> Decimal | None:
    mark = view.mark(instrument.instrument_id)
    if mark is None:
        return None
    return instrument.quantity_grid.to_decimal(units) * Decimal(repr(mark)) * instrument.multiplier
