"""Adjustments: how an account is made to agree with its venue without a fill, each a record of its own, applied once."""

from decimal import Decimal

from foxtrot.domain.account import AccountCharge
from foxtrot.domain.instrument import Instrument
from foxtrot.storage.journal_records import Adjusted
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.position import EXACT, Position

ADJUSTMENT = "adjustment"
"""The kind of charge as which an adjusted balance is counted."""


def apply_adjustment(portfolio: Portfolio, record: Adjusted) -> bool:
    """Count an adjustment, in a run and when a run is restored alike; False when it was counted before.

    A balance moves for EXTERNAL. A position moves for its owner and for the account at the price that it was found at: that
    realises no profit, so that money moves by balances alone.

    Raises:
        InvariantBroken: its instrument is not known.
    """
    asset = record.asset or portfolio.instruments[record.instrument_id].settle_asset
    told_ns = record.time_ns
    charge = AccountCharge(record.account, ADJUSTMENT, asset, record.amount, "", record.adjustment_id, told_ns, told_ns)
    if not portfolio.on_charge(charge):
        return False
    if record.quantity_units:
        key = (record.owner, record.account, record.instrument_id, record.position_side)
        value = _value(portfolio.instruments[record.instrument_id], record.quantity_units, record.price)
        portfolio.adjust(key, record.quantity_units, value)
    return True


def price_of_move(position: Position | None, moved: Decimal, average: float) -> float:
    """Return the price at which a position must move by a quantity for its average to become a venue's."""
    if position is None:
        return average
    held = position.instrument.quantity_grid.to_decimal(position.quantity)
    cost = Decimal(repr(position.average_price)) * held
    return float((EXACT.add(held, moved) * Decimal(repr(average)) - cost) / moved)


def _value(instrument: Instrument, units: int, price: float) -> int:
    """Return price units times quantity units."""
    return round(Decimal(repr(price)) * units / instrument.price_grid.step)
