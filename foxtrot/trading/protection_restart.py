"""A protection after a restart: what was written down, with the orders that were sent after that."""

from msgspec.structs import replace

from foxtrot.domain.enums import OrderType
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_ids import reduces_by_id
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.protection_cover import STOPS
from foxtrot.trading.protection_desk import ProtectionDesk
from foxtrot.trading.protection_state import Cause, Protection, Step, VenueLeg
from foxtrot.trading.protection_ward import Ward


def found_again(ward: Ward, hands: ProtectionDesk, desk: OrderDesk) -> Protection:
    """Return a restored state with the orders that stand.

    An order is journalled before the protection that sent it can name it, so a crash may leave one that is not named: any that
    could be the protection's own is taken for it. A take-profit whose order was never sent is armed again.
    """
    state = ward.state
    if state.cause is Cause.TAKE_PROFIT and not state.exit_id:
        state = replace(state, step=Step.ARMED, cause=Cause.NONE)
    known = (*state.legs, state.exit_id)
    found = [r for r in hands.closing_records(state.key, state.sign) if r.key not in known and _belongs(r, ward)]
    stale = tuple(record.key for record in found if not _is_current(record, ward))
    entries = state.entries
    if state.enters or (not entries and not hands.held_units(state.key, state.sign)):
        opening = desk.open_records(state.owner, state.account, state.instrument_id)
        side, sign = state.position_side, state.sign
        added = (r.key for r in opening if r.terms.side.sign == sign and r.terms.position_side is side)
        entries = (*entries, *(key for key in added if key not in entries))
    legs = (*state.legs, *(record.key for record in found))
    if state.step is Step.ARMED:
        _keep(desk, legs)
    return replace(state, legs=legs, stale=(*state.stale, *stale), entries=entries, enters=False, refusals=0)


def _keep(desk: OrderDesk, legs: tuple[str, ...]) -> None:
    """Let orders that the venue still has stand, though an earlier run asked for their end: it did not come, or is told of."""
    for name in legs:
        record = desk.index.all.get(name)
        if record is not None and record.is_open:
            record.cancel_asked = False


def _belongs(record: OrderRecord, ward: Ward) -> bool:
    """Tell whether an order is one that only reduces and of the kind that the protection would have placed."""
    terms = record.terms
    if record.key != terms.order_id or not (record.reduces or reduces_by_id(record.key)):
        return False
    if ward.leg is VenueLeg.TARGET:
        return _is_target(record, ward)
    return terms.order_type in STOPS or (record.partner is not None and _is_target(record, ward))


def _is_current(record: OrderRecord, ward: Ward) -> bool:
    """Tell whether an order found again has the terms that are wished for now."""
    if ward.leg in (VenueLeg.STOP, VenueLeg.PAIR) and record.terms.order_type in STOPS:
        return record.terms.trigger_price == ward.instrument.price(ward.state.stop_units)
    if ward.leg is VenueLeg.PAIR:
        return _is_target(record, ward)
    return ward.leg is VenueLeg.TARGET or record.terms.order_type is OrderType.TRAILING_STOP


def _is_target(record: OrderRecord, ward: Ward) -> bool:
    """Tell whether an order is a limit at the take-profit's price."""
    terms, take_units = record.terms, ward.state.take_units
    return terms.order_type is OrderType.LIMIT and take_units > 0 and terms.price == ward.instrument.price(take_units)
