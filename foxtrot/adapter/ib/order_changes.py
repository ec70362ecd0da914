"""How a resting order is changed: by placing it again under the number that it has, with its new terms."""

import asyncio
from typing import Any, Final

from foxtrot.adapter.ib.errors import VENUE, ErrorKind, IbError, NotSent, PermitClosed
from foxtrot.adapter.ib.order_codec import OrderTerms, order_terms, write_order
from foxtrot.adapter.ib.order_errors import REFUSALS
from foxtrot.adapter.ib.order_gate import OrderGate
from foxtrot.adapter.ib.order_hours import may_fill_outside
from foxtrot.adapter.ib.order_names import OrderNames
from foxtrot.adapter.ib.order_questions import OrderQuestions
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.order_watch import is_open
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import AdapterError, OrderRefused, RequestTimedOut, VenueRejected
from foxtrot.domain.order import ApprovedOrder, OrderData

ANSWER_S: Final = 8.0
"""How long the answer to a change may take."""


class OrderChanges:
    """Changes orders of one account; one change of an order at a time.

    Thread: ib-io.
    """

    def __init__(
        self,
        session: IbSession,
        permit: SendPermit,
        tracker: OrderTracker,
        names: OrderNames,
        questions: OrderQuestions,
    ) -> None:
        self._session = session
        self._permit = permit
        self._tracker = tracker
        self._names = names
        self._questions = questions
        self._waiting: dict[str, tuple[ApprovedOrder, asyncio.Future[None]]] = {}

    async def change(self, order: ApprovedOrder, contract: Any) -> None:
        """Make a resting order what it is to be, and return when IB tells of it as that.

        Raises:
            NotSent: it did not leave; rule and reason say why.
            VenueRejected: IB refused; the order is what it was.
            AdapterError: no answer, so that it is not known whether it was changed.
        """
        number, terms = self._prepare(order)
        gate = OrderGate(self._permit, reduces=order.reduces)
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[order.order_id] = (order, answer)
        try:
            made = write_order(self._session.sdk.Order(), terms)
            await self._session.send_order(number, contract, made, gate)
            await self._session.bridge.within(_result_of(answer), ANSWER_S)
        except PermitClosed as closed:
            raise PermitClosed(gate.refused) from closed
        except RequestTimedOut:
            await self._questions.ask(order.order_id, order.instrument_id)
            if not self._is_done(order):
                raise
        finally:
            self._waiting.pop(order.order_id, None)

    def hear(self, order: OrderData) -> None:
        """Take what is told of an order: with the terms of a change it is made, with its end it cannot be any more."""
        wanted, answer = self._waiting.get(order.order_id, (None, None))
        if wanted is None or answer is None or answer.done():
            return
        if self._is_done(wanted):
            answer.set_result(None)
        elif not is_open(order):
            answer.set_exception(VenueRejected(VENUE, "ended", f"the order is {order.status}"))

    def hear_error(self, order_id: str, error: IbError) -> bool:
        """Take an error that names an order; tells whether it was the refusal of a change, by which the order lives on."""
        _, answer = self._waiting.get(order_id, (None, None))
        if answer is None or answer.done():
            return False
        if error.kind is not ErrorKind.CHANGE_REFUSED and error.code not in REFUSALS:
            return False
        answer.set_exception(VenueRejected(VENUE, str(error.code), error.text))
        return True

    def lost(self) -> None:
        """Fail what waits: nothing will be answered over this link."""
        for _, answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(AdapterError(VENUE, "lost", "the link was lost before the answer came"))

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
        wanted = (
            instrument.quantity(order.quantity_units),
            instrument.price(order.price_units) if kind.needs_price else 0.0,
            instrument.price(order.trigger_units) if kind.needs_trigger else 0.0,
        )
        return wanted == (last.quantity, last.price, last.trigger_price)


async def _result_of(answer: "asyncio.Future[None]") -> None:
    await answer
