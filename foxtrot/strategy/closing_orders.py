"""Closing orders: one position in as many orders as the instrument's largest quantity asks for."""

from collections.abc import Iterator

import msgspec

from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderRequest


def closing_orders(whole: OrderRequest, instrument: Instrument) -> Iterator[OrderRequest]:
    """Yield a request in pieces that the instrument allows.

    A piece is kept smaller where the rest would otherwise be below the minimum, so that nothing is left that cannot be sold.
    """
    lot = instrument.lot_units
    most = instrument.max_quantity_units // lot * lot
    least = -(-max(instrument.min_quantity_units, 1) // lot) * lot
    units = instrument.quantity_units(whole.quantity)
    while most and units > most:
        fair = min(most, units - least)
        piece = fair if fair >= least else most
        yield _of_size(whole, instrument, piece)
        units -= piece
    yield _of_size(whole, instrument, units)


def _of_size(whole: OrderRequest, instrument: Instrument, units: int) -> OrderRequest:
    return msgspec.structs.replace(whole, quantity=instrument.quantity(units))
