"""What is heard of orders and fills, by pushes, answers and lists: read, named, and given to the tracker, which tells each fact once."""

from collections import OrderedDict
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.futu.derived_trades import DerivedTrades
from foxtrot.adapter.futu.fill_facts import FillFacts
from foxtrot.adapter.futu.order_codec import by_code
from foxtrot.adapter.futu.report_codec import STATUSES, DealRow, OrderRow, deal_row, order_data, order_row
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.order_state import TERMINAL

REMEMBERED: Final = 20_000
"""How many remarks are remembered, and how many fills of orders that nobody has heard of."""


class OrderReports:
    """Reads and names orders and fills of one account.

    An order is named by its remark, which is our own id, or what another client wrote there; without one, or where another order has it
    already, by Futu's number. Fills of paper accounts are derived from their orders; those of real accounts are told by Futu.

    Thread: futu-io.
    """

    def __init__(
        self, adapter: BaseAdapter, session: FutuSession, tracker: OrderTracker, derived: DerivedTrades
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._tracker = tracker
        self._derived = derived
        self._facts = FillFacts(adapter.account)
        self._of_remark: OrderedDict[str, str] = OrderedDict()
        self._early: OrderedDict[str, list[DealRow]] = OrderedDict()
        """Fills by the number of an order that nobody has told yet."""
        self._by_code: dict[str, Instrument] = {}
        self._codes_of: object = None
        self._strange: set[str] = set()
        self.begin_ns = 0
        """What ended before is part of what the account began with."""

    @property
    def real(self) -> bool:
        """Tell whether Futu tells the fills."""
        return self._session.settings.is_real

    @property
    def unheard(self) -> tuple[str, ...]:
        """Return the numbers of the orders of which fills were told and nothing else."""
        return tuple(self._early)

    def hear_order(self, order: Any, *, pushed: bool) -> OrderData | None:
        """Tell an order of a push or a list; None when it says nothing yet, or is of no listed contract.

        Raises:
            BadMessage: it says something that cannot be.
        """
        row = order_row(order, pushed=pushed)
        told, fills = self.read(row)
        if told is None:
            return None
        self._tracker.report(told, *fills)
        for deal in self._early.pop(row.venue_order_id, ()):
            self._tell_deal(deal)
        return self._tracker.last(told.order_id)

    def is_of_before(self, order: Any) -> bool:
        """Tell whether a listed order of which nothing is known ended before the account's begin."""
        row = row_or_none(order)
        instrument = self.instrument_of(row.code) if row is not None else None
        if row is None or instrument is None or STATUSES[row.status] not in TERMINAL or not row.updated_ns:
            return False
        known = self._tracker.order_id_of(instrument.instrument_id, row.venue_order_id)
        return not self._tracker.knows(known) and row.updated_ns < self.begin_ns

    def hear_deal(self, deal: Any, *, pushed: bool) -> None:
        """Tell a fill; one of an order that nobody has told waits for it.

        Raises:
            BadMessage: it says something that cannot be.
        """
        row = deal_row(deal, pushed=pushed)
        instrument = self.instrument_of(row.code)
        if instrument is None:
            return
        if row.is_void:
            words = f"the exchange has taken back {row.quantity} at {row.price} of order {row.venue_order_id}; it stays counted here"
            self._adapter.on_request_failed(f"fill {row.deal_id} of {instrument.instrument_id}", words)
        elif self._tracker.order_id_of(instrument.instrument_id, row.venue_order_id):
            self._tell_deal(row)
        else:
            self._early.setdefault(row.venue_order_id, []).append(row)
            while len(self._early) > REMEMBERED:
                self._early.popitem(last=False)

    def read(self, row: OrderRow) -> tuple[OrderData | None, tuple[TradeData, ...]]:
        """Return an order as a fact, and its fills where they are derived, without telling them; None when it says nothing yet."""
        instrument = self.instrument_of(row.code)
        if instrument is None:
            return None, ()
        now_ns = self._adapter.clock.now_ns()
        order = order_data(row, self.name_of(row, instrument), self._adapter.account, instrument, now_ns)
        if order is None:
            return None, ()
        return order, () if self.real else self._derive(row, order, instrument, now_ns)

    def read_deal(self, row: DealRow) -> TradeData | None:
        """Return a fill as a fact without telling it; None when it was taken back, or is of no listed contract."""
        instrument = self.instrument_of(row.code)
        if instrument is None or row.is_void:
            return None
        known = self._tracker.order_id_of(instrument.instrument_id, row.venue_order_id)
        order_id = known or _by_number(row.venue_order_id)
        return self._facts.of_deal(
            row, order_id, instrument, self._tracker.last(order_id), self._adapter.clock.now_ns()
        )

    def name_of(self, row: OrderRow, instrument: Instrument) -> str:
        """Return the id under which an order is told, always the same for the same order, and remember it."""
        known = self._tracker.order_id_of(instrument.instrument_id, row.venue_order_id)
        if known:
            return known
        remark = row.remark.strip()
        name = remark if remark and self._of_remark.setdefault(remark, row.venue_order_id) == row.venue_order_id else ""
        while len(self._of_remark) > REMEMBERED:
            self._of_remark.popitem(last=False)
        name = name or _by_number(row.venue_order_id)
        self._tracker.note_id(instrument.instrument_id, row.venue_order_id, name)
        return name

    def instrument_of(self, code: str) -> Instrument | None:
        """Return the contract of one of the SDK's codes, None when it is not listed, which is logged once."""
        instruments = self._session.instruments
        if self._codes_of is not instruments or len(self._by_code) != len(instruments):
            self._codes_of, self._by_code = instruments, by_code(instruments.values())
        found = self._by_code.get(code)
        if found is None and code not in self._strange:
            self._strange.add(code)
            logger.warning("{}: orders and holdings of {} are left out: it is not listed", self._adapter.account, code)
        return found

    def _derive(self, row: OrderRow, order: OrderData, instrument: Instrument, now_ns: int) -> tuple[TradeData, ...]:
        steps = self._derived.steps(row, instrument)
        return tuple(self._facts.of_step(step, order, instrument, now_ns) for step in steps)

    def _tell_deal(self, row: DealRow) -> None:
        fill = self.read_deal(row)
        if fill is not None:
            self._tracker.fill(fill)


def _by_number(venue_order_id: str) -> str:
    return f"venue{venue_order_id}"


def row_or_none(order: Any) -> OrderRow | None:
    """Return the row of a listed order, None for one that cannot be read, which is logged: it must not hide the others."""
    try:
        return order_row(order, pushed=False)
    except BadMessage as error:
        logger.warning("a listed order cannot be used: {}", error)
        return None
