"""How well a position is protected, in the words a person reads: at the venue, while this process lives, naked."""

from collections.abc import Iterable

import msgspec

from foxtrot.domain.enums import OrderType
from foxtrot.domain.order_state import WORKING
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.protection_state import Cause, Protection, Step

AT_VENUE, HERE, NAKED, FLAT = "at the venue", "while this process lives", "naked", ""
STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
LOCAL_STOPS = frozenset({Cause.STOP, Cause.TRAILING})


class Cover(msgspec.Struct, frozen=True, gc=False):
    """How a position is protected, its weakest part first, and what more there is to say of it."""

    protection: str
    reason: str = ""


def resting_stop_units(records: Iterable[OrderRecord], sign: int) -> int:
    """Return what stops that a venue has confirmed, and that nobody is cancelling, would close of a position."""
    return sum(
        record.remaining_units
        for record in records
        if record.terms.order_type in STOPS
        and record.terms.side.sign == -sign
        and record.status in WORKING
        and not record.end_asked
    )


def cover_of(held: int, at_venue: int, protection: Protection | None, watches: frozenset[Cause], part: str) -> Cover:
    """Return how a position is protected.

    Args:
        held: its units, without a sign.
        at_venue: units that stops at the venue would close.
        protection: what Foxtrot does for it, if anything.
        watches: the legs that are watched here.
        part: words for how much the venue holds, such as "0.2 of 0.5".
    """
    if not held:
        return Cover(FLAT)
    if at_venue >= held:
        return Cover(AT_VENUE)
    rest = f"{part} at the venue; " if at_venue else ""
    if protection is None:
        return Cover(NAKED, f"{rest}no stop is wished for" if rest else "")
    if protection.reason:
        return Cover(NAKED, rest + protection.reason)
    return _rest_of(protection, watches, rest)


def _rest_of(protection: Protection, watches: frozenset[Cause], rest: str) -> Cover:
    if protection.step is Step.EXITING:
        return Cover(HERE, f"{rest}it is being closed: {protection.cause}")
    if watches & LOCAL_STOPS:
        return Cover(HERE, rest.removesuffix("; "))
    wished = protection.stop_units or protection.trail_units
    return Cover(NAKED, rest + ("its stop is on its way" if wished else "it has a take-profit and no stop"))
