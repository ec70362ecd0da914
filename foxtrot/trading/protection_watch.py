"""Which local leg a price touches: pure, in price units.

A stop is touched by a trade at its price, and by a quote of which both sides are beyond it: a wide spread touches nothing. A
take-profit is touched by the quote that its order would meet, so that it finds somebody.
"""

import msgspec

from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.trading.protection_state import Cause, Protection, VenueLeg


def watched(protection: Protection, leg: VenueLeg) -> frozenset[Cause]:
    """Return the legs that are watched here."""
    found = set()
    if protection.stop_units and leg not in (VenueLeg.STOP, VenueLeg.PAIR):
        found.add(Cause.STOP)
    if protection.trail_units and leg is not VenueLeg.TRAILING:
        found.add(Cause.TRAILING)
    if protection.take_units and leg not in (VenueLeg.TARGET, VenueLeg.PAIR):
        found.add(Cause.TAKE_PROFIT)
    return frozenset(found)


class Prices(msgspec.Struct, frozen=True, gc=False):
    """What a fact says of the market, from the side of the position; 0.0 where it says nothing.

    `worst` and `best` were traded at, or the quote is beyond them; `now` is what a closing order would meet.
    """

    worst: float
    best: float
    now: float


def prices_of_tick(tick: TickData, traded: float, *, long: bool) -> Prices:
    """Return the prices of a tick; `traded` is its last price where that is news, for a tick repeats it."""
    near, far = (tick.bid_price, tick.ask_price) if long else (tick.ask_price, tick.bid_price)
    if not (near or far):
        return Prices(tick.last_price, tick.last_price, tick.last_price)
    known = [price for price in (traded, far) if price > 0.0]
    better = [price for price in (traded, near) if price > 0.0]
    worst, best = (
        (min(known, default=0.0), max(better, default=0.0))
        if long
        else (max(known, default=0.0), min(better, default=0.0))
    )
    return Prices(worst, best, near)


def prices_of(fact: MarketTrade | BarData, *, long: bool) -> Prices:
    """Return the prices of a trade or a bar."""
    if isinstance(fact, MarketTrade):
        return Prices(fact.price, fact.price, 0.0)
    low, high = (fact.low, fact.high) if long else (fact.high, fact.low)
    return Prices(low, high, fact.close)


def touched(protection: Protection, watches: frozenset[Cause], worst: int, now: int) -> Cause:
    """Return which watched leg is touched, stops before targets.

    Args:
        protection: what stands, its mark as it was before these prices.
        watches: the legs that are watched here.
        worst: the price that was worst for the position.
        now: the price an order would meet.
    """
    sign = protection.sign
    if Cause.STOP in watches and worst and (worst - protection.stop_units) * sign <= 0:
        return Cause.STOP
    level = protection.trail_level
    if Cause.TRAILING in watches and worst and level and (worst - level) * sign <= 0:
        return Cause.TRAILING
    if Cause.TAKE_PROFIT in watches and now and (now - protection.take_units) * sign >= 0:
        return Cause.TAKE_PROFIT
    return Cause.NONE


def better_mark(protection: Protection, best: int) -> int:
    """Return the water mark of a trailing stop after a price."""
    mark = protection.mark_units
    if not best or (mark and (best - mark) * protection.sign <= 0):
        return mark
    return best
