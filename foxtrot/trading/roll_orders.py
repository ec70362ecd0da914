"""The orders of a roll: what they have filled, whether they may still trade, and what is left when they are done."""

from msgspec.structs import replace

from foxtrot.domain.instrument import Instrument
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.roll_state import Roll


def counted(state: Roll, desk: OrderDesk) -> Roll:
    """Return a state with what its orders have filled by now; an order that the desk has forgotten counts as written down."""
    closing, opening = _filled(state.closing, desk), _filled(state.opening, desk)
    if (closing, opening) == (state.closing, state.opening):
        return state
    return replace(state, closing=closing, opening=opening)


def is_pending(state: Roll, desk: OrderDesk) -> bool:
    """Tell whether an order of either leg may still change a position, one of unknown outcome included."""
    records = desk.index.all
    found = [records[name] for name in (*state.closing, *state.opening) if name in records]
    return any(record.is_open or record.pending_units for record in found)


def end_of(orders: dict[str, int], desk: OrderDesk) -> str:
    """Return why the last order of a leg came to less than it was sent for; "" when none did."""
    records = desk.index.all
    found = [records[name] for name in reversed(orders) if name in records]
    last = next((record for record in found if record.filled < record.quantity_units), None)
    return "" if last is None else last.reason or f"order {last.key} is {last.status}"


def found_again(state: Roll, desk: OrderDesk) -> Roll:
    """Return the state of an earlier run with the orders that left just before that ended, too late to be named.

    An order that closes is taken for the roll's only when none is named, any that opens always: too many of these open too little.
    """
    closing, opening = dict(state.closing), dict(state.opening)
    for record in desk.records():
        terms = record.terms
        if not _is_of(record, state):
            continue
        if not state.closing and (terms.instrument_id, terms.side) == (state.old, state.sides[0]):
            closing[record.key] = record.filled
        elif (terms.instrument_id, terms.side) == (state.new, state.sides[1]):
            opening.setdefault(record.key, record.filled)
    return counted(replace(state, closing=closing, opening=opening), desk)


def left_of(state: Roll, old: Instrument) -> str:
    """Return in words what a roll has done, and what it has left."""
    text = old.quantity_grid.to_text
    done = f"{text(state.closed_units)} of {text(state.units)} {state.old} closed, {text(state.opened_units)} {state.new} opened"
    why = f" ({state.stopped})" if state.stopped else ""
    missing = state.closed_units - state.opened_units
    if state.over or not missing:
        return f"{done}{why}"
    return f"{done}{why}: {text(missing)} {state.new} are still to be opened, which `foxtrot roll {state.old} {state.new}` does"


def _filled(orders: dict[str, int], desk: OrderDesk) -> dict[str, int]:
    records = desk.index.all
    return {name: max(units, records[name].filled if name in records else 0) for name, units in orders.items()}


def _is_of(record: OrderRecord, state: Roll) -> bool:
    """Tell whether an order is of a roll's owner and account, and was made after it had begun."""
    made = record.approved
    if made is None or made.created_time_ns < state.begun_ns:
        return False
    return (record.owner, record.terms.account) == (state.owner, state.account)
