"""What is heard of orders and fills: read, named, and given to the tracker, which tells each fact once.

openOrder says what an order is, orderStatus how far it is, execDetails what was filled; none of them is certain to come, all come twice.
Each adds what it knows. Where a message leaves something open, as Inactive does, `doubt` asks for the order.
"""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.ib.fills import Fills
from foxtrot.adapter.ib.order_names import OrderNames
from foxtrot.adapter.ib.report_codec import (
    INACTIVE,
    STATUSES,
    FillRow,
    OrderRow,
    StatusRow,
    commission_row,
    fill_row,
    order_row,
    status_row,
    time_ns,
)
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
HELD: Final = "IB holds it (Inactive); it may trade again until it is cancelled"


class Contracts(Protocol):
    """Who knows IB's contracts."""

    def instrument_of(self, con_id: int) -> Instrument | None:
        """Return the instrument of a conId, None when it is not listed."""
        ...


class Reports:
    """Hears of orders and fills of one account.

    Args:
        adapter: for the clock and the account's name.
        contracts: knows instruments by conId.
        find_instrument: knows them by our ids.
        tracker: tells what is new.
        names: names orders.

    Thread: ib-io.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        contracts: Contracts,
        find_instrument: Callable[[str], Instrument | None],
        tracker: OrderTracker,
        names: OrderNames,
    ) -> None:
        self._adapter = adapter
        self._contracts = contracts
        self._find_instrument = find_instrument
        self._tracker = tracker
        self._own: OrderedDict[str, ApprovedOrder] = OrderedDict()
        self._good_till_ns: dict[str, int] = {}
        self._strange: set[object] = set()
        self.names = names
        self.fills = Fills(adapter, tracker.fill, tracker.last)
        self.account = ""
        """IB's id of the account; what is told of others is left out."""
        self.zone: tzinfo = UTC
        """Of the gateway's clock."""
        self.doubt: Callable[[str], None] = _leave
        """Hears the name of an order whose state must be asked for."""

    # --- what is ours -----------------------------------------------------------------------------------------------

    def expect(self, order: ApprovedOrder) -> None:
        """Note the terms of an order that is ours."""
        self._own[order.order_id] = order
        while len(self._own) > REMEMBERED:
            self._own.popitem(last=False)

    def own(self, name: str) -> ApprovedOrder | None:
        """Return the order of ours that a name is, None where it is another's."""
        return self._own.get(name)

    def terms(self, name: str) -> OrderData | None:
        """Return an order as it was told last, or as we have sent it."""
        return self._terms(name, self._adapter.clock.now_ns())

    def at_its_end(self, order: OrderData) -> OrderData:
        """Return a cancelled order as expired where that was its own end."""
        return msgspec.structs.replace(order, status=self._ended(order.status, order.order_id, order.local_time_ns))

    def forget(self, order_id: str) -> None:
        """Drop an order that never left."""
        self._own.pop(order_id, None)
        self.names.forget(order_id)

    # --- messages ---------------------------------------------------------------------------------------------------

    def hear_open(self, number: Any, contract: Any, order: Any, state: Any, *, pushed: bool = True) -> str:
        """Take an openOrder; returns the name of the order, "" for one that is left out.

        Raises:
            BadMessage: it says something that cannot be.
        """
        return self.hear_row(order_row(contract, order, state, number=int(number)), pushed=pushed)

    def hear_completed(self, contract: Any, order: Any, state: Any) -> str:
        """Take a completedOrder; returns the name of the order, "" for one that is left out.

        Raises:
            BadMessage: it says something that cannot be.
        """
        return self.hear_row(order_row(contract, order, state, is_completed=True), pushed=False)

    def hear_row(self, row: OrderRow, *, pushed: bool) -> str:
        """Take an order that was read."""
        name, told = self.read(row, pushed=pushed)
        if told is not None:
            self._tracker.report(told)
        elif name and pushed:
            self.doubt(name)
        return name

    def hear_status(self, *told: Any, pushed: bool = True) -> str:
        """Take an orderStatus; returns the name of the order, "" for one that numbers do not name.

        Raises:
            BadMessage: it says something that cannot be.
        """
        row = status_row(*told)
        name = self.names.find(row.perm_id, row.client_id, row.number)
        if not name:
            return ""
        report = self._of_status(row, name, pushed)
        if report is not None:
            self._tracker.report(report)
        elif pushed:
            self.doubt(name)
        return name

    def hear_fill(self, contract: Any, execution: Any, *, pushed: bool = True) -> str:
        """Take an execDetails; returns the name of the order, "" for one that is left out.

        Raises:
            BadMessage: it says something that cannot be.
        """
        row = fill_row(contract, execution, self.zone)
        instrument = self._instrument(row.account, row.con_id)
        if instrument is None:
            return ""
        name = self._name_fill(row, instrument)
        self.fills.hear(row, name, instrument, pushed=pushed)
        if pushed:
            self._count(row, name, instrument)
        elif not self.fills.is_listing and self._tracker.last(name) is None:
            self.doubt(name)
        return name

    def hear_commission(self, report: Any) -> None:
        """Take a commission.

        Raises:
            BadMessage: it says something that cannot be.
        """
        self.fills.hear_commission(commission_row(report))

    # --- reading without telling ------------------------------------------------------------------------------------

    def read(self, row: OrderRow, *, pushed: bool = False) -> tuple[str, OrderData | None]:
        """Return the name of an order and its state, None while IB has not judged it; the name is "" for one that is left out."""
        instrument = None if row.what_if else self._instrument(row.account, row.con_id)
        if instrument is None:
            return "", None
        name = self._name(row, instrument)
        if not name:
            return "", None
        return name, self._state(row, name, instrument, pushed)

    def read_open(self, told: tuple[Any, ...]) -> tuple[str, OrderData | None]:
        """Return the name and the state of a listed openOrder without telling it; see `read`.

        Raises:
            BadMessage: it says something that cannot be.
        """
        number, contract, order, state = told
        return self.read(order_row(contract, order, state, number=int(number)))

    def read_status(self, told: tuple[Any, ...]) -> tuple[str, StatusRow]:
        """Return the name and the row of a listed orderStatus without telling it; "" for one that numbers do not name.

        Raises:
            BadMessage: it says something that cannot be.
        """
        row = status_row(*told)
        return self.names.find(row.perm_id, row.client_id, row.number), row

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

    # --- inside -----------------------------------------------------------------------------------------------------

    def _instrument(self, account: str, con_id: int) -> Instrument | None:
        """Return the contract of something that is ours, None for what is another account's or not listed, which is logged once."""
        if account and account != self.account:
            return None
        found = self._contracts.instrument_of(con_id)
        if found is None and con_id not in self._strange:
            self._strange.add(con_id)
            logger.warning(
                "{}: orders and fills of IB's contract {} are left out: it is not listed; name it in `instruments`",
                self._adapter.account, con_id,
            )  # fmt: skip
        return found

    def _name(self, row: OrderRow, instrument: Instrument) -> str:
        if self._echoes(row.ref, row.side, instrument):
            return self.names.hear(row.perm_id, row.client_id, row.number, row.ref)
        return self.names.hear(row.perm_id, -1, 0, "")

    def _name_fill(self, row: FillRow, instrument: Instrument) -> str:
        if self._echoes(row.ref, row.side, instrument):
            name = self.names.hear(row.perm_id, row.client_id, row.number, row.ref)
        else:
            name = self.names.hear(row.perm_id, -1, 0, "")
        return name or f"fill{row.trade_id}"

    def _echoes(self, ref: str, side: object, instrument: Instrument) -> bool:
        """Tell whether what is told under the id of one of our orders can be that order."""
        own = self._own.get(ref)
        if own is None or (own.side is side and own.instrument_id == instrument.instrument_id):
            return True
        if (ref, side, instrument.instrument_id) not in self._strange:
            self._strange.add((ref, side, instrument.instrument_id))
            text = (
                f"IB tells a {side} of {instrument.instrument_id} under the id of our {own.side} of {own.instrument_id}"
            )
            self._adapter.on_request_failed(f"report of {ref}", text)
        return False

    def _state(self, row: OrderRow, name: str, instrument: Instrument, pushed: bool) -> OrderData | None:
        """Return what an openOrder or completedOrder says. The former does not say how much is filled: that Filled is to be asked for."""
        last, now_ns = self._tracker.last(name), self._adapter.clock.now_ns()
        known = last.filled_quantity if last is not None else 0.0
        filled = max(float(row.filled), known) if row.is_completed else known
        status = _completed_status(row) if row.is_completed else STATUSES.get(row.status)
        held = row.status == INACTIVE and not row.is_completed and not pushed
        if held:  # a list has it among the open ones: it may trade again
            status = OrderStatus.ACCEPTED
        if status is None or (status is OrderStatus.FILLED and not filled):
            return None
        own = self._own.get(name)
        quantity = float(row.quantity) or (last.quantity if last is not None else 0.0) or filled
        average = last.average_price if last is not None and filled == known else self.fills.average_of(name, filled)
        self._note_end(row, name, own)
        return OrderData(
            name, self._adapter.account, instrument.instrument_id, row.side, row.kind, quantity,
            float(row.limit) if row.kind.needs_price else 0.0,
            self._ended(_with_fills(status, filled, quantity), name, now_ns), filled,
            average,
            str(row.perm_id) if row.perm_id else "", now_ns, now_ns, own.strategy_id if own is not None else "",
            float(row.trigger) if row.kind.needs_trigger else 0.0, row.time_in_force, reason=HELD if held else _reason(status, row), rule="venue" if status is OrderStatus.REJECTED else "",
            source=STREAM if pushed else REST,
        )  # fmt: skip

    def _of_status(self, row: StatusRow, name: str, pushed: bool) -> OrderData | None:
        """Return what an orderStatus says of an order whose terms are known; None where it says nothing yet or they are not."""
        status, now_ns = STATUSES.get(row.status), self._adapter.clock.now_ns()
        terms = self._terms(name, now_ns)
        if status is None or terms is None:
            return None
        if status is OrderStatus.CANCELLED and not row.filled and terms.status is OrderStatus.REJECTED:
            return terms
        filled = float(row.filled)
        if status is OrderStatus.FILLED and not filled:
            return None
        status = self._ended(_with_fills(status, filled, terms.quantity), name, now_ns)
        return msgspec.structs.replace(
            terms, status=status, filled_quantity=filled, average_price=self._average(name, filled, row.average),
            venue_order_id=str(row.perm_id) if row.perm_id else terms.venue_order_id, venue_time_ns=now_ns,
            local_time_ns=now_ns, rule="", reason=row.why_held, source=STREAM if pushed else REST,
        )  # fmt: skip

    def _count(self, row: FillRow, name: str, instrument: Instrument) -> None:
        """Tell the state that a fill brings its order to; one that nobody has told is asked for."""
        now_ns = self._adapter.clock.now_ns()
        terms = self._terms(name, now_ns)
        if terms is None or terms.instrument_id != instrument.instrument_id:
            self.doubt(name)
            return
        filled = float(row.cumulated)
        status = _with_fills(OrderStatus.ACCEPTED, filled, terms.quantity)
        told = msgspec.structs.replace(
            terms, status=status, filled_quantity=filled, average_price=self._average(name, filled, row.average),
            venue_order_id=str(row.perm_id) if row.perm_id else terms.venue_order_id,
            venue_time_ns=max(row.time_ns, terms.venue_time_ns), local_time_ns=now_ns, rule="", reason="", source=STREAM,
        )  # fmt: skip
        self._tracker.report(told)

    def _average(self, name: str, filled: float, told: Decimal) -> float:
        """Return the average price of what is filled, exactly where all fills are known: IB rounds it."""
        return (self.fills.average_of(name, filled) or float(told)) if filled else 0.0

    def _terms(self, name: str, now_ns: int) -> OrderData | None:
        """Return an order as it was told last, or as we have sent it."""
        last, own = self._tracker.last(name), self._own.get(name)
        if last is not None or own is None:
            return last
        instrument = self._find_instrument(own.instrument_id)
        return own_order(own, instrument, now_ns, OrderStatus.SUBMITTED, "", "")

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


def _leave(_name: str) -> None:
    """Hear of an order that nobody waits for."""
