"""What is heard of orders and fills: read, named, and given to the tracker, which tells each fact once.

openOrder says what an order is, orderStatus how far it is, execDetails what was filled; none of them is certain to come, all come twice.
Each adds what it knows. Where a message leaves something open, as Inactive does, `doubt` asks for the order.
"""

from collections.abc import Callable
from typing import Any, Protocol

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.ib.fills import Fills
from foxtrot.adapter.ib.order_facts import OrderFacts
from foxtrot.adapter.ib.order_names import OrderNames
from foxtrot.adapter.ib.report_codec import (
    FillRow,
    OrderRow,
    StatusRow,
    commission_row,
    fill_row,
    order_row,
    status_row,
)
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderData


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
        self._tracker = tracker
        self._strange: set[object] = set()
        self.names = names
        self.fills = Fills(adapter, tracker.fill, tracker.last)
        self.facts = OrderFacts(adapter, find_instrument, tracker, self.fills.average_of)
        self.account = ""
        """IB's id of the account; what is told of others is left out."""
        self.doubt: Callable[[str], None] = _leave
        """Hears the name of an order whose state must be asked for."""
        self.heard_terms: Callable[[str], object] = _leave
        """Hears the name of an order whose terms were told, new or not."""
        self.heard_fill: Callable[[], None] = _leave_fill
        """Hears that there was a fill, whose commission may not have come."""

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
        if told is not None:
            self.heard_terms(name)
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
        report = self.facts.of_status(row, name, pushed=pushed)
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
        row = fill_row(contract, execution, self.facts.zone)
        instrument = self._instrument(row.account, row.con_id)
        if instrument is None:
            return ""
        name = self._name_fill(row, instrument)
        self.fills.hear(row, name, instrument, pushed=pushed)
        if pushed:
            self._count(row, name, instrument)
        elif not self.fills.is_listing and self._tracker.last(name) is None:
            self.doubt(name)
        if not self.fills.is_listing:
            self.heard_fill()
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
        return name, self.facts.of_row(row, name, instrument, pushed=pushed)

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
        own = self.facts.own(ref)
        if own is None or (own.side is side and own.instrument_id == instrument.instrument_id):
            return True
        if (ref, side, instrument.instrument_id) not in self._strange:
            self._strange.add((ref, side, instrument.instrument_id))
            text = (
                f"IB tells a {side} of {instrument.instrument_id} under the id of our {own.side} of {own.instrument_id}"
            )
            self._adapter.on_request_failed(f"report of {ref}", text)
        return False

    def _count(self, row: FillRow, name: str, instrument: Instrument) -> None:
        """Tell the state that a fill brings its order to; one that nobody has told is asked for."""
        report = self.facts.of_fill(row, name, instrument)
        if report is None:
            self.doubt(name)
        else:
            self._tracker.report(report)


def _leave(_name: str) -> None:
    """Hear of an order that nobody waits for."""


def _leave_fill() -> None:
    """Hear of a fill that nobody waits for."""
