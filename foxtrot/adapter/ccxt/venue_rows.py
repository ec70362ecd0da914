"""The rows of all venues, found by ccxt's id of the exchange: one module each in `venues`, whose VENUE is the row."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from foxtrot.adapter.ccxt import venues
from foxtrot.adapter.ccxt.venue import Venue


@cache
def venue_rows() -> dict[str, Venue]:
    """Return every row, by ccxt's id of its exchange."""
    rows = {}
    for module in iter_modules(venues.__path__):
        row: Venue = import_module(f"{venues.__name__}.{module.name}").VENUE
        rows[row.exchange] = row
    return rows


def venue_row(exchange: str) -> Venue | None:
    """Return the row of an exchange, None for one that was not looked at: its book is then ccxt's own."""
    return venue_rows().get(exchange)
