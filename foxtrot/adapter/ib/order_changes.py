"""How a resting order is changed: by placing it again under the number that it has, with its new terms."""

import asyncio
from typing import Any, Final

import msgspec

from foxtrot.adapter.ib.errors import VENUE, ErrorKind, IbError, NotLinked, NotSent, PermitClosed
from foxtrot.adapter.ib.order_codec import OrderTerms, order_terms, write_order
from foxtrot.adapter.ib.order_errors import REFUSALS
from foxtrot.adapter.ib.order_gate import OrderGate
from foxtrot.adapter.ib.order_hours import may_fill_outside
from foxtrot.adapter.ib.order_questions import OrderQuestions
from foxtrot.adapter.ib.reports import Reports
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.order_watch import is_open
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderType
from foxtrot.domain.errors import AdapterError, OrderRefused, RequestTimedOut, VenueRejected
from foxtrot.domain.order import ApprovedOrder, OrderData

ANSWER_S: Final = 8.0
"""How long the answer to a change may take."""


class _Change(msgspec.Struct):
    """A change that is under way: what the order is to be, the answer, and the way out."""

    order: ApprovedOrder
    answer: asyncio.Future[None]
    gate: OrderGate


class OrderChanges:
    """Changes orders of one account; one change of an order at a time.

    A change does not leave once its order has ended or is to be cancelled: behind a cancel it might bring the order back.

    Thread: ib-io.
    """

    def __init__(
        self,
        session: IbSession,
        permit: SendPermit,
        tracker: OrderTracker,
        reports: Reports,
        questions: OrderQuestions,
    ) -> None:
        self._session = session
        self._permit = permit
        self._tracker = tracker
        self._names = reports.names
        self._facts = reports.facts
        self._questions = questions
        self._waiting: dict[str, _Change] = {}
        self._changed: set[str] = set()
        """Open orders of which a change may have left."""

    async def change(self, order: ApprovedOrder, contract: Any) -> None:
        """Make a resting order what it is to be, and return when IB tells of it as that.

        Raises:
            NotSent: it did not leave; rule and reason say why.
            VenueRejected: IB refused; the order is what it was.
            AdapterError: no answer, so that it is not known whether it was changed.
        """
        number, terms = self._prepare(order)
        change = _Change(
            order, asyncio.get_running_loop().create_future(), OrderGate(self._permit, reduces=order.reduces)
        )
        self._waiting[order.order_id] = change
        try:
            await self._send(change, number, contract, terms)
            await self._session.bridge.within(_result_of(change.answer), ANSWER_S)
        except VenueRejected:
            self._facts.grow(order.order_id, 0.0)
            raise
        except RequestTimedOut:
            await self._questions.ask(order.order_id, order.instrument_id)
            if not self._is_done(order):
                raise
        finally:
            del self._waiting[order.order_id]
            if change.answer.done() and not change.answer.cancelled():
                change.answer.exception()  # which nobody may have waited for

    async def _send(self, change: _Change, number: int, contract: Any, terms: OrderTerms) -> None:
        order = change.order
        made, was_changed = (
            write_order(self._session.sdk.Order(), terms, self._session.sdk.TagValue),
            order.order_id in self._changed,
        )
        self._changed.add(order.order_id)
        self._facts.grow(order.order_id, float(terms.quantity))
        try:
            await self._session.send_order(number, contract, made, change.gate)
        except (NotSent, NotLinked) as unsent:
            self._facts.grow(order.order_id, 0.0)
            if not was_changed:
                self._changed.discard(order.order_id)
            if change.gate.unwanted:
                raise NotSent("amend", change.gate.unwanted) from unsent
            if isinstance(unsent, PermitClosed):
                raise PermitClosed(change.gate.refused) from unsent
            if isinstance(unsent, NotLinked):
                raise NotSent("not_connected", str(unsent)) from unsent
            raise

    def withdraw(self, order_id: str, why: str) -> None:
        """Let a change that has not left yet not leave any more: its order has ended, or is to be cancelled."""
        change = self._waiting.get(order_id)
        if change is not None:
            change.gate.unwanted = change.gate.unwanted or why

    def was_changed(self, order_id: str) -> bool:
        """Tell whether a refusal that names an open order may be that of a change, by which the order lives on."""
        return order_id in self._changed

    def hear(self, order: OrderData) -> None:
        """Take what is told of an order: with the terms of a change it is made, with its end it cannot be any more."""
        if not is_open(order):
            self._changed.discard(order.order_id)
            self._facts.grow(order.order_id, 0.0)
            self.withdraw(order.order_id, f"the order is {order.status}")
        change = self._waiting.get(order.order_id)
        if change is None or change.answer.done():
            return
        if not self.look(order.order_id) and not is_open(order):
            change.answer.set_exception(VenueRejected(VENUE, "ended", f"the order is {order.status}"))

    def look(self, order_id: str) -> bool:
        """Answer the change of an order if IB tells it with the terms that it is to have; tells whether it does."""
        change = self._waiting.get(order_id)
        if change is None or change.answer.done() or not self._is_done(change.order):
            return False
        change.answer.set_result(None)
        return True

    def hear_error(self, order_id: str, error: IbError) -> bool:
        """Take an error that names an order; tells whether it was the refusal of a change, by which the order lives on."""
        change = self._waiting.get(order_id)
        if change is None or change.answer.done():
            return False
        if error.kind is not ErrorKind.CHANGE_REFUSED and error.code not in REFUSALS:
            return False
        change.answer.set_exception(VenueRejected(VENUE, str(error.code), error.text))
        return True

    def lost(self) -> None:
        """Fail what waits: nothing will be answered over this link."""
        for change in self._waiting.values():
            if not change.answer.done():
                change.answer.set_exception(AdapterError(VENUE, "lost", "the link was lost before the answer came"))

    def _prepare(self, order: ApprovedOrder) -> tuple[int, OrderTerms]:
        """Return an order's number and its new terms.

        Raises:
            NotSent: it is not known to rest over this link, one change is under way, or IB has no such terms.
        """
        number, instrument = self._names.number_of(order.order_id), self._session.find_instrument(order.instrument_id)
        last = self._tracker.last(order.order_id)
        if not number or instrument is None or not is_open(last):
            raise NotSent("amend", f"order {order.order_id} is not known to rest as one of this client id")
        if order.order_id in self._waiting:
            raise NotSent("amend", f"a change of {order.order_id} is under way")
        try:
            outside = may_fill_outside(order, instrument, self._session.settings)
            return number, order_terms(order, instrument, self._session.account_id, outside_hours=outside)
        except OrderRefused as refusal:
            raise NotSent(refusal.rule, str(refusal)) from refusal

    def _is_done(self, order: ApprovedOrder) -> bool:
        """Tell whether an order is told with the terms that it is to have."""
        last, instrument = self._tracker.last(order.order_id), self._session.find_instrument(order.instrument_id)
        if last is None or instrument is None:
            return False
        kind = order.order_type
        if kind is OrderType.TRAILING_STOP:  # its stop price moves by itself
            distance = instrument.price(order.trailing_offset_units)
            told = (last.quantity, self._facts.distance_of(order.order_id))
            return told == (instrument.quantity(order.quantity_units), distance)
        wanted = (
            instrument.quantity(order.quantity_units),
            instrument.price(order.price_units) if kind.needs_price else 0.0,
            instrument.price(order.trigger_units) if kind.needs_trigger else 0.0,
        )
        return wanted == (last.quantity, last.price, last.trigger_price)


async def _result_of(answer: "asyncio.Future[None]") -> None:
    await answer
