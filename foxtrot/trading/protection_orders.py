"""The orders of a protection: what rests at the venue, and what closes the position."""

from msgspec.structs import replace

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.domain.enums import OrderType, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderRequest
from foxtrot.trading.protection_state import Cause, Protection, VenueLeg

MOVE = 1000
"""A refused price is moved by one part in so many towards the market, at each try after the second."""


def resting_order(
    protection: Protection, leg: VenueLeg, units: int, instrument: Instrument, market: float
) -> OrderRequest:
    """Return the order of a leg that rests at the venue; of a pair its stop."""
    if leg in (VenueLeg.STOP, VenueLeg.PAIR):
        price = moved_price(protection.stop_units, protection.refusals, instrument, market)
        return _order(protection, OrderType.STOP, units, instrument, trigger=price)
    if leg is VenueLeg.TRAILING:
        return _order(protection, OrderType.TRAILING_STOP, units, instrument, trail=protection.trail_units)
    price = moved_price(protection.take_units, protection.refusals, instrument, market)
    return _order(protection, OrderType.LIMIT, units, instrument, price=price)


def paired_target(protection: Protection, units: int, instrument: Instrument) -> OrderRequest:
    """Return the take-profit that rests beside a stop, each the end of the other."""
    return replace(_order(protection, OrderType.LIMIT, units, instrument, price=protection.take_units), post_only=True)


def closing_order(
    protection: Protection, units: int, instrument: Instrument, capabilities: Capabilities
) -> OrderRequest:
    """Return the order that closes a position: at market, or at the take-profit's price for as long as it is there."""
    if protection.cause is not Cause.TAKE_PROFIT:
        return _order(protection, OrderType.MARKET, units, instrument)
    at_once = TimeInForce.IOC if TimeInForce.IOC in capabilities.times_in_force else TimeInForce.GTC
    return _order(protection, OrderType.LIMIT, units, instrument, price=protection.take_units, time=at_once)


def as_lasting_as_can_be(request: OrderRequest, capabilities: Capabilities) -> OrderRequest:
    """Return an order for the day where its venue has none that outlives it; it is placed again when it ended."""
    times = capabilities.times_in_force
    if request.time_in_force is TimeInForce.GTC and TimeInForce.GTC not in times and TimeInForce.DAY in times:
        return replace(request, time_in_force=TimeInForce.DAY)
    return request


def moved_price(units: int, refusals: int, instrument: Instrument, market: float) -> int:
    """Return the price to try after so many refusals: the wished one twice, then closer to the market, never half-way.

    A venue refuses what it deems too far away; what is closer closes the position earlier, never later.
    """
    if refusals < 2 or not market:
        return units
    here = instrument.round_price_units(market)
    step = instrument.step_units(units)
    shift = min((refusals - 1) * max(step, units // MOVE), abs(here - units) // 2)
    shift -= shift % step
    return units + shift if here > units else units - shift


def _order(
    protection: Protection,
    kind: OrderType,
    units: int,
    instrument: Instrument,
    *,
    price: int = 0,
    trigger: int = 0,
    trail: int = 0,
    time: TimeInForce = TimeInForce.GTC,
) -> OrderRequest:
    return OrderRequest(
        instrument.instrument_id, protection.account, protection.closing_side, kind, instrument.quantity(units),
        instrument.price(price) if price else 0.0, instrument.price(trigger) if trigger else 0.0, time, True,
        position_side=protection.position_side, trailing_offset=instrument.price_grid.to_float(trail) if trail else 0.0,
    )  # fmt: skip
