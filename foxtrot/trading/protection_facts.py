"""What stands of a protected position: what is held, which orders may close it, and whether another would leave."""

from collections.abc import Iterator

from foxtrot.domain.enums import AdapterState, GateState, OrderStatus
from foxtrot.trading.gate import Gate
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import Portfolio, PositionKey
from foxtrot.trading.position import Position
from foxtrot.trading.protection_cover import NAKED, STOPS, Cover, cover_of, resting_stop_units
from foxtrot.trading.protection_plan import Leg, Standing
from foxtrot.trading.protection_state import Cause, Protection, VenueLeg
from foxtrot.trading.protection_ward import Ward

_EXPIRED = OrderStatus.EXPIRED
_IN_VAIN = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.EXPIRED})
_AWAY = frozenset({AdapterState.LOST, AdapterState.BACKING_OFF, AdapterState.FAILED, AdapterState.CLOSED})


class ProtectionFacts:
    """Reads desk, portfolio and gate for protections; `gate` is set by whoever has one.

    Thread: the dispatcher's.
    """

    def __init__(self, desk: OrderDesk, portfolio: Portfolio) -> None:
        self._desk = desk
        self._portfolio = portfolio
        self.gate: Gate | None = None

    def held_units(self, key: PositionKey, sign: int) -> int:
        """Return what can be sold of a position, in whole lots; 0 when it is flat or on the other side."""
        position = self._portfolio.position(*key)
        if position is None:
            return 0
        held = max(0, position.whole_units * sign)
        return held - held % position.instrument.lot_units

    def closing_records(self, key: PositionKey, sign: int) -> Iterator[OrderRecord]:
        """Yield the orders that may still close a position."""
        owner, account, instrument_id, side = key
        for record in self._desk.pending_records(owner, account, instrument_id):
            if record.terms.position_side is side and record.terms.side.sign == -sign:
                yield record

    def standing(self, ward: Ward) -> Standing:
        """Return what stands of a position, its orders counted at their worst."""
        state, instrument = ward.state, ward.instrument
        closing = {record.terms.order_id: record for record in self.closing_records(state.key, state.sign)}
        records = [closing[name] for name in state.legs if name in closing]
        sends = self.may_send(state)
        legs = tuple(_leg(one, stale=sends and (one.key in state.stale or _is_to_go(one, ward))) for one in records)
        mine = {*state.legs, state.exit_id}
        others = sum(record.pending_units for name, record in closing.items() if name not in mine)
        lot = instrument.lot_units
        least = -(-max(1, instrument.min_quantity_units) // lot) * lot
        held = self.held_units(state.key, state.sign)
        most = instrument.max_quantity_units // lot * lot
        return Standing(held, others, legs, bool(state.entries), state.exit_id in closing, least, most, sends)

    def may_send(self, state: Protection) -> bool:
        """Tell whether a reducing order would leave: what rests at the venue is not withdrawn for one that would not."""
        adapter = self._desk.adapters.get(state.account)
        if adapter is None or adapter.state_now() in _AWAY:
            return False
        if self.gate is None:
            return True
        blocks = [one for one in self.gate.blocks() if one.state is GateState.HALTED]
        here = [one for one in blocks if one.account in ("", state.account)]
        halted = any(one.instrument_id in ("", state.instrument_id) for one in here)
        return not halted and self.gate.state is not GateState.HALTED

    def cover(self, key: PositionKey, ward: Ward | None, position: Position | None) -> Cover:
        """Return how a position is protected, by a protection or by stops that its owner placed."""
        if position is None:
            return Cover("")
        sign = 1 if position.quantity > 0 else -1
        if ward is not None and ward.state.sign != sign:
            ward = None
        held = self.held_units(key, sign)
        at_venue = resting_stop_units(self.closing_records(key, sign), sign)
        to_text = position.instrument.quantity_grid.to_text
        part = f"{to_text(at_venue)} of {to_text(held)}"
        watches = frozenset[Cause]() if ward is None else ward.watches
        found = cover_of(held, at_venue, None if ward is None else ward.state, watches, part)
        if found.protection == NAKED and ward is not None and self._is_unknown(ward):
            return Cover(NAKED, "it is unknown what became of its stop")
        return found

    def _is_unknown(self, ward: Ward) -> bool:
        records = (self._desk.index.all.get(name) for name in ward.state.legs)
        return any(record is not None and record.status is OrderStatus.UNKNOWN for record in records)


def _leg(record: OrderRecord, *, stale: bool) -> Leg:
    """Return what a record is to a plan; one that is done and lacks fills cannot be cancelled any more."""
    return Leg(record.terms.order_id, record.pending_units, record.end_asked or not record.is_open, stale)


def lacks_news(record: OrderRecord) -> bool:
    """Tell whether the venue has ended a stop for its take-profit traded, of which nothing was heard yet."""
    partner = record.partner
    return partner is not None and partner.status is _EXPIRED and record.is_open and not record.filled_units


def is_refused_stop(record: OrderRecord) -> bool:
    """Tell whether a stop of a pair came to an end that nobody asked for; its take-profit's was asked for because of that."""
    ended = record.status in _IN_VAIN
    return ended and record.partner is not None and record.terms.order_type in STOPS and not record.cancel_asked


def _is_to_go(record: OrderRecord, ward: Ward) -> bool:
    """Tell whether an order that is only half of what it should be is to go now, and not to be awaited for a moment."""
    return _is_half(record, ward.leg) and not (ward.paused and record.key in ward.awaited and lacks_news(record))


def _is_half(record: OrderRecord, leg: VenueLeg) -> bool:
    """Tell whether an order lacks the half that it should have: a take-profit its stop, or a stop its place in a pair.

    A stop whose take-profit is gone was touched, and is closing the position.
    """
    if record.terms.order_type in STOPS:
        return leg is VenueLeg.PAIR and record.partner is None
    return leg is not VenueLeg.TARGET and (record.partner is None or not record.partner.is_open)
