"""The instrument of a history file: what the file shows of it, and what it is told."""

from collections.abc import Sequence
from decimal import Decimal

from foxtrot.backtest.settings import History, InstrumentTerms
from foxtrot.domain.calendar_presets import calendar_named, calendar_of_venue
from foxtrot.domain.instrument import Grid, Instrument


def instrument_for(history: History, terms: InstrumentTerms, also: Sequence[History] = ()) -> Instrument:
    """Return an instrument by its terms, and by the smallest decimal steps in its files where they say nothing.

    Args:
        history: its bars, trades, quotes or depth.
        terms: what is told.
        also: further files of the same instrument.

    Raises:
        ConfigError: there is no calendar of that name.
    """
    files = (history, *also)
    tick = terms.tick or Decimal(1).scaleb(-max(file.price_decimals for file in files))
    lot = terms.lot or Decimal(1).scaleb(-max(file.quantity_decimals for file in files))
    symbol, _, venue = history.instrument_id.partition(".")
    base = symbol.removesuffix(terms.currency) or symbol
    return Instrument(
        instrument_id=history.instrument_id, symbol=symbol, venue=venue or "HISTORY", product=terms.product,
        base_asset=base, quote_asset=terms.currency, settle_asset=terms.currency, price_grid=Grid.of(tick),
        quantity_grid=Grid.of(lot), multiplier=terms.multiplier,
        calendar=calendar_named(terms.calendar or calendar_of_venue(venue)).name,
    )  # fmt: skip
