"""Orders as facts: what a message says of one, put together with what is known of it."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Final

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.ib.report_codec import INACTIVE, STATUSES, FillRow, OrderRow, StatusRow, time_ns
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.own_order import own_order
from foxtrot.domain.enums import OrderStatus, TimeInForce
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import REST, STREAM
from foxtrot.domain.order import ApprovedOrder, OrderData
from foxtrot.domain.order_state import TERMINAL

REMEMBERED: Final = 50_000
SECOND_NS: Final = 10**9
KILLED: Final = "it could not be filled whole at once"
HELD: Final = "IB holds it (Inactive); it may trade again until it is cancelled"
Average = Callable[[str, float], float]
"""Returns the exact average price of what is filled of an order, 0.0 while its fills are not all known."""


class OrderFacts:
    """Makes facts of orders of one account, with the terms of those that are ours.

    Thread: ib-io.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        find_instrument: Callable[[str], Instrument | None],
        tracker: OrderTracker,
        average: Average,
    ) -> None:
        self._adapter = adapter
        self._find_instrument = find_instrument
        self._tracker = tracker
        self._exact_average = average
        self._own: OrderedDict[str, ApprovedOrder] = OrderedDict()
        self._good_till_ns: dict[str, int] = {}
        self._growing: dict[str, float] = {}
        self._distances: OrderedDict[str, Decimal] = OrderedDict()
        self.zone: tzinfo = UTC
        """Of the gateway's clock."""

    def expect(self, order: ApprovedOrder) -> None:
        """Note the terms of an order that is ours."""
        self._own[order.order_id] = order
        while len(self._own) > REMEMBERED:
            self._own.popitem(last=False)

    def grow(self, name: str, quantity: float) -> None:
        """Note what an order may become by a change that leaves; 0.0 when it becomes no more than it is.

        Until IB tells of it as that, what fills the former quantity does not end the order by itself.
        """
        self._growing.pop(name, None)
        last = self._tracker.last(name)
        if last is not None and quantity > last.quantity:
            self._growing[name] = quantity

    def distance_of(self, name: str) -> float:
        """Return how far a trailing stop follows as IB told it last, 0.0 where it has not."""
        return float(self._distances.get(name, 0))

    def forget(self, order_id: str) -> None:
        """Drop an order that never left."""
        self._own.pop(order_id, None)

    def own(self, name: str) -> ApprovedOrder | None:
        """Return the order of ours that a name is, None where it is another's."""
        return self._own.get(name)

    def terms(self, name: str) -> OrderData | None:
        """Return an order as it was told last, or as we have sent it."""
        last, own = self._tracker.last(name), self._own.get(name)
        if last is not None or own is None:
            return last
        instrument = self._find_instrument(own.instrument_id)
        return own_order(own, instrument, self._adapter.clock.now_ns(), OrderStatus.SUBMITTED, "", "")

    def at_its_end(self, order: OrderData) -> OrderData:
        """Return a cancelled order as expired where that was its own end."""
        status = self._ended(order.status, order.order_id, order.local_time_ns)
        return _or_killed(msgspec.structs.replace(order, status=status))

    def of_row(self, row: OrderRow, name: str, instrument: Instrument, *, pushed: bool) -> OrderData | None:
        """Return what an openOrder or completedOrder says. The former does not say how much is filled: that Filled is to be asked for."""
        last, now_ns = self._tracker.last(name), self._adapter.clock.now_ns()
        known = last.filled_quantity if last is not None else 0.0
        filled = max(float(row.filled), known) if row.is_completed else known
        status = _completed_status(row) if row.is_completed else STATUSES.get(row.status)
        held = row.status == INACTIVE and not row.is_completed and not pushed
        if held:  # a list has it among the open ones: it may trade again
            status = OrderStatus.ACCEPTED
        quantity = float(row.quantity) or (last.quantity if last is not None else 0.0) or filled
        self._note_distance(row, name)
        if status is None or (status is OrderStatus.FILLED and not (filled and (row.filled or filled >= quantity))):
            return None  # Filled with a part of its fills known is to be asked for as well
        own = self._own.get(name)
        average = last.average_price if last is not None and filled == known else self._exact_average(name, filled)
        self._note_end(row, name, own)
        told = OrderData(
            name, self._adapter.account, instrument.instrument_id, row.side, row.kind, quantity,
            float(row.limit) if row.kind.needs_price else 0.0,
            self._ended(_with_fills(status, filled, quantity), name, now_ns), filled, average,
            str(row.perm_id) if row.perm_id else "", now_ns, now_ns, own.strategy_id if own is not None else "",
            float(row.trigger) if row.kind.needs_trigger else 0.0, row.time_in_force,
            rule="venue" if status is OrderStatus.REJECTED else "", reason=HELD if held else _reason(status, row),
            source=STREAM if pushed else REST,
        )  # fmt: skip
        return _or_killed(told)

    def of_status(self, row: StatusRow, name: str, *, pushed: bool) -> OrderData | None:
        """Return what an orderStatus says of an order whose terms are known; None where it says nothing yet or they are not."""
        status, now_ns = STATUSES.get(row.status), self._adapter.clock.now_ns()
        terms = self.terms(name)
        if status is None or terms is None:
            return None
        if status is OrderStatus.CANCELLED and not row.filled and terms.status is OrderStatus.REJECTED:
            return terms
        filled = float(row.filled)
        if status is OrderStatus.FILLED and not filled:
            return None
        if row.remaining and status is OrderStatus.ACCEPTED and self._growing.get(name, 0.0) > terms.quantity:
            terms = msgspec.structs.replace(terms, quantity=float(row.filled + row.remaining))
        status = self._ended(_with_fills(status, filled, terms.quantity), name, now_ns)
        told = msgspec.structs.replace(
            terms, status=status, filled_quantity=filled, average_price=self._average(name, filled, row.average),
            venue_order_id=str(row.perm_id) if row.perm_id else terms.venue_order_id, venue_time_ns=now_ns,
            local_time_ns=now_ns, rule="", reason=row.why_held, source=STREAM if pushed else REST,
        )  # fmt: skip
        return _or_killed(told)

    def with_status(self, order: OrderData, row: StatusRow) -> OrderData:
        """Return a listed order with what its status adds: how much is filled, and at what price."""
        status = STATUSES.get(row.status)
        filled = max(float(row.filled), order.filled_quantity)
        if status is None:
            return order
        return msgspec.structs.replace(
            order, status=_with_fills(status, filled, order.quantity), filled_quantity=filled,
            average_price=float(row.average) if row.filled else order.average_price,
        )  # fmt: skip

    def of_fill(self, row: FillRow, name: str, instrument: Instrument) -> OrderData | None:
        """Return the state that a fill brings its order to; None for one that nobody has told."""
        terms, now_ns = self.terms(name), self._adapter.clock.now_ns()
        if terms is None or terms.instrument_id != instrument.instrument_id:
            return None
        filled = float(row.cumulated)
        if self._growing.get(name, 0.0) > terms.quantity <= filled:
            return None
        return msgspec.structs.replace(
            terms, status=_with_fills(OrderStatus.ACCEPTED, filled, terms.quantity), filled_quantity=filled,
            average_price=self._average(name, filled, row.average),
            venue_order_id=str(row.perm_id) if row.perm_id else terms.venue_order_id,
            venue_time_ns=max(row.time_ns, terms.venue_time_ns), local_time_ns=now_ns, rule="", reason="", source=STREAM,
        )  # fmt: skip

    # --- inside -----------------------------------------------------------------------------------------------------

    def _average(self, name: str, filled: float, told: Decimal) -> float:
        """Return the average price of what is filled, exactly where all fills are known: IB rounds it."""
        return (self._exact_average(name, filled) or float(told)) if filled else 0.0

    def _note_distance(self, row: OrderRow, name: str) -> None:
        if row.distance:
            self._distances[name] = row.distance
            while len(self._distances) > REMEMBERED:
                self._distances.popitem(last=False)

    def _note_end(self, row: OrderRow, name: str, own: ApprovedOrder | None) -> None:
        """Remember until when an order is good, where it has an end."""
        if row.time_in_force is not TimeInForce.GTD or name in self._good_till_ns:
            return
        if own is not None and own.expire_time_ns:
            self._good_till_ns[name] = own.expire_time_ns
        elif row.good_till:
            with suppress(BadMessage):
                self._good_till_ns[name] = time_ns(row.good_till, self.zone)
        while len(self._good_till_ns) > REMEMBERED:
            del self._good_till_ns[next(iter(self._good_till_ns))]

    def _ended(self, status: OrderStatus, name: str, now_ns: int) -> OrderStatus:
        """Return EXPIRED for a cancellation at the order's own end: IB calls both Cancelled."""
        end_ns = self._good_till_ns.get(name, 0)
        if status is OrderStatus.CANCELLED and end_ns and now_ns >= end_ns - SECOND_NS:
            return OrderStatus.EXPIRED
        return status


def _or_killed(order: OrderData) -> OrderData:
    """Return a fill-or-kill order that was not filled as rejected: some venues refuse it, others cancel it; one fact, one name."""
    killed = order.status is OrderStatus.CANCELLED and order.time_in_force is TimeInForce.FOK
    if not killed or order.filled_quantity:
        return order
    return msgspec.structs.replace(order, status=OrderStatus.REJECTED, rule="venue", reason=order.reason or KILLED)


def _with_fills(status: OrderStatus, filled: float, quantity: float) -> OrderStatus:
    """Return what a status and the filled quantity say together: IB has no word for a part."""
    if status is not OrderStatus.ACCEPTED or not filled:
        return status
    return OrderStatus.FILLED if filled >= quantity > 0 else OrderStatus.PARTIALLY_FILLED


def _completed_status(row: OrderRow) -> OrderStatus:
    """Return how a completed order ended: of those that are Inactive, nothing but a refusal is left."""
    status = STATUSES.get(row.status)
    if status is OrderStatus.FILLED:
        return status
    refused = row.status == INACTIVE or row.reason.lower().startswith("reject")
    if refused and not row.filled:
        return OrderStatus.REJECTED
    return OrderStatus.EXPIRED if row.reason.lower().startswith("expired") else OrderStatus.CANCELLED


def _reason(status: OrderStatus, row: OrderRow) -> str:
    if status is OrderStatus.REJECTED:
        return row.reason or row.status
    return row.reason if status in TERMINAL and status is not OrderStatus.FILLED else ""
