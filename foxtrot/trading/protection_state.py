"""What protects one position: frozen facts that are written down at each change and read back by the next run."""

from enum import StrEnum
from math import inf

import msgspec

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.domain.enums import OrderType, PositionSide, Side
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.trading.portfolio import PositionKey


class Step(StrEnum):
    """How far a protection is: it stands, or it is closing the position."""

    ARMED = "armed"
    EXITING = "exiting"


class Cause(StrEnum):
    """Why a protection closes its position."""

    NONE = ""
    STOP = "stop"
    TRAILING = "trailing stop"
    TAKE_PROFIT = "take-profit"
    CLOSE = "its owner's wish"


class VenueLeg(StrEnum):
    """Which leg rests at the venue; the others are watched here. A pair is a stop and a take-profit of which one ends the other."""

    NONE = "none"
    STOP = "stop"
    TRAILING = "trailing stop"
    TARGET = "take-profit"
    PAIR = "stop and take-profit"


class ProtectionTerms(msgspec.Struct, frozen=True, gc=False):
    """What is wished for, in prices; 0.0 is none. `local` keeps every leg here, though the venue could hold one."""

    stop: float = 0.0
    take_profit: float = 0.0
    trailing: float = 0.0
    local: bool = False


class Protection(msgspec.Struct, frozen=True, gc=False):
    """One owner's protection of one position: wishes in price units, where each leg is, and how far an exit has come.

    `mark_units` is the best price since a trailing stop stands; `entries` are the orders it waits for, `legs` its orders at the
    venue (of a pair both), `stale` those of them whose terms are out of date, `exit_id` the order that closes the position. `refusals` counts the
    protective orders that came to nothing since the last one that stood; `reason` says why, once that is an alarm. `apart` says that
    the venue took no pair, and `trails_here` no trailing stop. `reached` says that the market stood at the take-profit when a pair was
    due: a venue takes one only on both sides of the last price, so the stop stays alone until the market is away. `enters` is true
    while an entry is being sent that is not named yet.
    """

    owner: str
    account: str
    instrument_id: str
    position_side: PositionSide
    long: bool
    stop_units: int = 0
    take_units: int = 0
    trail_units: int = 0
    local: bool = False
    mark_units: int = 0
    entries: tuple[str, ...] = ()
    legs: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    step: Step = Step.ARMED
    cause: Cause = Cause.NONE
    exit_id: str = ""
    trails_here: bool = False
    apart: bool = False
    reached: bool = False
    enters: bool = False
    refusals: int = 0
    reason: str = ""

    @property
    def key(self) -> PositionKey:
        """Return the position it protects."""
        return self.owner, self.account, self.instrument_id, self.position_side

    @property
    def closing_side(self) -> Side:
        """Return the side of the orders that close the position."""
        return Side.SELL if self.long else Side.BUY

    @property
    def sign(self) -> int:
        """Return 1 for a long position, -1 for a short one."""
        return 1 if self.long else -1

    @property
    def trail_level(self) -> int:
        """Return the price at which the trailing stop is touched; 0 before a first price, or without one."""
        return self.mark_units - self.sign * self.trail_units if self.mark_units and self.trail_units else 0


def protection_id(key: PositionKey) -> str:
    """Return the name under which a protection is written down: there is one per position."""
    return "/".join(key)


def venue_leg(protection: Protection, capabilities: Capabilities, instrument: Instrument) -> VenueLeg:
    """Return which leg the venue is to hold.

    Stop and take-profit both where the venue keeps the two as a pair. Else one at a time: on a spot market the first order locks
    what the second would sell, and anywhere two orders of the whole position could both fill. The stop comes first, for it is the
    one that must outlive this process.
    """
    if protection.local:
        return VenueLeg.NONE
    can = capabilities.order_types
    if protection.stop_units and OrderType.STOP in can:
        pairs = (
            capabilities.oco and not instrument.product.is_derivative and not (protection.apart or protection.reached)
        )
        return VenueLeg.PAIR if pairs and protection.take_units else VenueLeg.STOP
    if protection.trail_units and not protection.stop_units:
        native = OrderType.TRAILING_STOP in can and not protection.trails_here
        return VenueLeg.TRAILING if native else VenueLeg.NONE
    if protection.take_units and not protection.stop_units:
        return VenueLeg.TARGET
    return VenueLeg.NONE


def wished(protection: Protection, terms: ProtectionTerms, instrument: Instrument) -> Protection:
    """Return a protection with other terms; legs whose terms change are stale.

    Raises:
        OrderRefused: a price is no legal one, nothing is wished for, or stop and take-profit are on the wrong sides.
    """
    for name in ("stop", "take_profit", "trailing"):
        value: float = getattr(terms, name)
        if not 0.0 <= value < inf:
            raise OrderRefused("protection", f"{name} finite and not negative", str(value))
    if not (terms.stop or terms.take_profit or terms.trailing):
        raise OrderRefused("protection", "a stop, a take-profit or a trailing offset", "none")
    stop = instrument.price_units(terms.stop) if terms.stop else 0
    take = instrument.price_units(terms.take_profit) if terms.take_profit else 0
    trail = instrument.price_grid.from_float(terms.trailing) if terms.trailing else 0
    if stop and take and (take - stop) * protection.sign <= 0:
        place = "above" if protection.long else "below"
        raise OrderRefused("protection", f"take_profit {place} the stop {terms.stop}", str(terms.take_profit))
    same = (stop, take, trail, terms.local) == (
        protection.stop_units, protection.take_units, protection.trail_units, protection.local
    )  # fmt: skip
    return msgspec.structs.replace(
        protection, stop_units=stop, take_units=take, trail_units=trail, local=terms.local,
        mark_units=protection.mark_units if trail else 0, trails_here=protection.trails_here and bool(trail), apart=protection.apart and same, reached=protection.reached and same,
        stale=protection.stale if same else protection.legs, refusals=0, reason="",
    )  # fmt: skip


def terms_of(protection: Protection, instrument: Instrument) -> ProtectionTerms:
    """Return the wishes in prices."""
    return ProtectionTerms(
        instrument.price(protection.stop_units) if protection.stop_units else 0.0,
        instrument.price(protection.take_units) if protection.take_units else 0.0,
        instrument.price_grid.to_float(protection.trail_units),
        protection.local,
    )


def encode_protection(protection: Protection) -> str:
    """Return a protection as JSON."""
    return msgspec.json.encode(protection).decode()


def decode_protection(text: str) -> Protection:
    """Return the protection that JSON stands for.

    Raises:
        ConfigError: it is none.
    """
    try:
        return msgspec.json.decode(text, type=Protection)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"a protection in the journal cannot be read ({error}): {text[:200]}") from error
