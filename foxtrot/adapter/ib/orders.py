"""How an order of one account gets to IB: once, over a link, past the send permit, or not at all; and what IB says of it.

One of which nothing is heard in time is UNKNOWN, and asked for until the lists show it, or prove that it never was.
"""

from typing import Any, Final, Protocol

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.ib.errors import VENUE, ErrorKind, IbError, NotLinked, NotSent, PermitClosed
from foxtrot.adapter.ib.first_words import FirstWords
from foxtrot.adapter.ib.order_cancels import OrderCancels
from foxtrot.adapter.ib.order_changes import OrderChanges
from foxtrot.adapter.ib.order_codec import OrderTerms, order_terms, write_order
from foxtrot.adapter.ib.order_errors import outcome_of
from foxtrot.adapter.ib.order_gate import OrderGate
from foxtrot.adapter.ib.order_hours import check_hours, may_fill_outside
from foxtrot.adapter.ib.order_questions import OrderQuestions
from foxtrot.adapter.ib.reports import Reports
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.ib.trade_requests import TradeRequests
from foxtrot.adapter.ib.trading_hours import VenueHours
from foxtrot.adapter.order_look_up import OrderLookUp
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.order_watch import OrderWatch
from foxtrot.adapter.own_order import denied_order
from foxtrot.adapter.sent_ids import SentIds
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import AdapterError, ConfigError, OrderRefused, VenueRejected
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData
from foxtrot.domain.order_state import TERMINAL, WORKING
from foxtrot.domain.outcome import Outcome

NOT_CONNECTED: Final = "TWS is not connected"
SENT_BEFORE: Final = "this id was sent before; an id is never sent twice"
DUPLICATE_ID: Final = 103
REMEMBERED: Final = 500_000
"""How many ids that were sent are remembered; the desk never gives one twice, so that only a fault could ask for older ones."""


class Contracts(Protocol):
    """Who knows IB's contracts."""

    def contract_of(self, instrument_id: str) -> Any:
        """Return the SDK's contract of an instrument, for the routing that is set."""
        ...

    def hours_of(self, instrument_id: str) -> VenueHours | None:
        """Return when an instrument trades by IB's words, None where that is not known."""
        ...


class Orders:
    """Places, cancels and changes, and asks where nothing is heard.

    Thread: ib-io, except `deny`, which any thread may call.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        session: IbSession,
        market: Contracts,
        tracker: OrderTracker,
        reports: Reports,
        requests: TradeRequests,
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._market = market
        self._reports = reports
        self._names = reports.names
        self._sent = SentIds(REMEMBERED)
        self.tracker = tracker
        self.questions = OrderQuestions(adapter, session, requests, tracker, reports)
        self.watch = OrderWatch(adapter, session, tracker, self.questions)
        self._words = FirstWords(session, self.watch.note_unknown)
        self.look_up = OrderLookUp(adapter, VENUE, tracker, self.questions)
        self.cancels = OrderCancels(adapter, session, tracker, self._names, self.questions)
        self.changes = OrderChanges(session, adapter.context.permit, tracker, reports, self.questions)
        reports.heard_terms = self.changes.look
        self._open_at_venue: frozenset[str] | None = None

    # --- asked for --------------------------------------------------------------------------------------------------

    async def place(self, order: ApprovedOrder) -> None:
        """Send an order; what does not leave comes back as DENIED, what IB refuses as REJECTED, silence as UNKNOWN."""
        order_id = order.order_id
        instrument = self._session.find_instrument(order.instrument_id)
        if order_id in self._sent or self.tracker.knows(order_id):
            self._adapter.on_request_failed(f"order {order_id}", SENT_BEFORE)
        elif not self._session.linked:
            self.deny(order, "not_connected", NOT_CONNECTED)
        elif instrument is None:
            self.deny(order, "instrument", f"{order.instrument_id} is not resolved; name it in `instruments`")
        else:
            self._sent.begin((order,))  # before anything is waited for, so that a second call finds it
            try:
                await self._check_and_send(order, instrument)
            finally:
                self._tell_broken_off(order)
                self._sent.end((order,))

    async def cancel(self, request: CancelRequest) -> None:
        """Cancel an order, whatever the send permit says; it goes no sooner than its order, which it would overtake."""
        self.changes.withdraw(request.order_id, "the order is being cancelled")
        await self._sent.until_heard(request.order_id)
        await self.cancels.cancel(request)

    async def change(self, order: ApprovedOrder) -> None:
        """Make a resting order what it is to be, under the id and the number that it has.

        Raises:
            NotSent: it did not leave; rule and reason say why.
            VenueRejected: IB refused; the order is what it was.
            AdapterError: no answer, so that it is not known whether it was changed.
        """
        if not self._session.linked:
            raise NotSent("not_connected", NOT_CONNECTED)
        try:
            await self.changes.change(order, self._market.contract_of(order.instrument_id))
        except ConfigError as error:
            raise NotSent("not_sent", str(error)) from error
        except VenueRejected:
            await self.watch.check(order.order_id, order.instrument_id)
            raise

    def recover(self, order: ApprovedOrder, sent_ns: int) -> None:
        """Ask for an order that an earlier run may have sent; it is never sent here. Its bound begins anew."""
        self._sent.remember(order.order_id)
        self._reports.facts.expect(order)
        self.questions.left_ns[order.order_id] = sent_ns
        self.watch.note_unknown(order, "an earlier run may have sent it", sent_ns)

    def deny(self, order: ApprovedOrder, rule: str, reason: str) -> None:
        """Publish that an order never left."""
        instrument = self._session.find_instrument(order.instrument_id)
        self._adapter.on_order(denied_order(order, instrument, self._adapter.clock.now_ns(), rule, reason))

    # --- lists ------------------------------------------------------------------------------------------------------

    def note_listed(self, orders: tuple[OrderData, ...]) -> None:
        """Take the list of open orders, which was told as a list; what it lacks is asked for by `resolve_unknown`."""
        self._open_at_venue = frozenset(order.order_id for order in orders)
        for order in orders:
            if order.order_id not in self.watch.unknown:
                self.tracker.note_order(order)
                self._words.heard(order.order_id)
        self.watch.note_fills()

    def tell_found(self, orders: tuple[OrderData, ...]) -> None:
        """Tell those of the listed orders whose outcome was not known until now."""
        for order in orders:
            if order.order_id in self.watch.unknown:
                self.tracker.report(order)

    async def resolve_unknown(self) -> None:
        """Ask once for every order that is unknown, gone from the list of open orders, or short of fills."""
        await self.watch.ask_all()
        listed, self._open_at_venue = self._open_at_venue, None
        if listed is not None:
            for order in [order for order in self.tracker.open_orders() if order.order_id not in listed]:
                if order.status is not OrderStatus.UNKNOWN:
                    await self.watch.check(order.order_id, order.instrument_id)
        await self.watch.fetch_fills()

    def lost(self) -> None:
        """Take what left and was not heard of for unknown, and forget the numbers of this link."""
        self._words.lost()
        self.cancels.lost()
        self.changes.lost()
        self._names.lost()

    # --- what is heard ----------------------------------------------------------------------------------------------

    def hear(self, order: OrderData) -> None:
        """Take what was told of an order."""
        if order.status is not OrderStatus.UNKNOWN:
            self._words.heard(order.order_id)
        if order.status in TERMINAL:
            self._session.active_orders.end(order.order_id)
        self.changes.hear(order)

    def hear_error(self, error: IbError) -> None:
        """Take an error that may name an order of ours."""
        name = self._names.of_number(error.request_id)
        if not name or self.changes.hear_error(name, error):
            return
        if error.kind is ErrorKind.CANCEL_REFUSED:
            self.cancels.hear_refusal(name, error)
        elif error.kind is ErrorKind.CANCELLED:
            self._end(name, OrderStatus.CANCELLED, "", error.text)
        else:
            self._hear_refusal(name, error)

    def _hear_refusal(self, name: str, error: IbError) -> None:
        last = self.tracker.last(name)
        accepted = last is not None and (last.status in WORKING or last.status in TERMINAL)
        outcome = outcome_of(error, accepted=accepted)
        if accepted and outcome is Outcome.REFUSED and self.changes.was_changed(name):
            outcome = Outcome.UNKNOWN  # it may be the change alone that is refused
        if outcome is Outcome.REFUSED:
            self._end(name, OrderStatus.REJECTED, "venue", f"{error.code}: {error.text}")
        elif outcome is Outcome.UNKNOWN and accepted:
            self._reports.doubt(name)
        elif outcome is Outcome.UNKNOWN:
            order = self._reports.facts.own(name)
            if order is not None:
                self._words.heard(name)
                self.watch.note_unknown(order, f"IB says {error}, which is not known to mean that it is refused")
        if error.code == DUPLICATE_ID:  # the number is another order's: what comes under it is not ours
            self._names.forget(name)

    def _end(self, name: str, status: OrderStatus, rule: str, reason: str) -> None:
        """Tell the end of an order that an error says."""
        terms = self._reports.facts.terms(name)
        if terms is None or terms.status in TERMINAL:
            return
        now_ns = self._adapter.clock.now_ns()
        told = msgspec.structs.replace(
            terms, status=status, rule=rule, reason=reason, venue_time_ns=now_ns, local_time_ns=now_ns
        )
        self.tracker.report(self._reports.facts.at_its_end(told))

    # --- sending ----------------------------------------------------------------------------------------------------

    async def _check_and_send(self, order: ApprovedOrder, instrument: Instrument) -> None:
        settings, side = self._session.settings, order.side.value
        try:
            outside = may_fill_outside(order, instrument, settings)
            terms = order_terms(order, instrument, self._session.account_id, outside_hours=outside)
            hours = self._market.hours_of(order.instrument_id)
            check_hours(order, instrument, settings, hours, self._adapter.clock.now_ns())
            self._session.active_orders.check(order.instrument_id, side)
            contract = self._market.contract_of(order.instrument_id)
            number = self._session.ids.take()
        except OrderRefused as refusal:
            self._deny_unsent(order, refusal.rule, str(refusal))
        except NotSent as refusal:
            self._deny_unsent(order, refusal.rule, refusal.text)
        except (AdapterError, ConfigError) as error:
            self._deny_unsent(order, "not_sent", str(error))
        else:
            self._session.active_orders.begin(order.order_id, order.instrument_id, side)
            await self._send(order, terms, contract, number)

    async def _send(self, order: ApprovedOrder, terms: OrderTerms, contract: Any, number: int) -> None:
        self.tracker.expect(order.order_id)
        self._reports.facts.expect(order)
        self._names.begin(number, order.order_id)
        gate = OrderGate(self._adapter.context.permit, reduces=order.reduces)
        try:
            made = write_order(self._session.sdk.Order(), terms, self._session.sdk.TagValue)
            self._words.expect(order)
            await self._session.send_order(number, contract, made, gate)
        except PermitClosed as closed:
            self._take_back(order, closed.rule, gate.refused or closed.text)
        except NotSent as refusal:
            self._take_back(order, refusal.rule, refusal.text)
        except NotLinked:
            self._take_back(order, "not_connected", NOT_CONNECTED)
        except VenueRejected as refusal:
            self._take_back(order, "unsendable", refusal.text)
        except AdapterError as error:
            if self._words.heard(order.order_id):
                self.watch.note_unknown(order, str(error))
        else:
            self._words.listen()

    def _take_back(self, order: ApprovedOrder, rule: str, reason: str) -> None:
        """Deny an order that was to leave and did not."""
        self._words.heard(order.order_id)
        self._reports.facts.forget(order.order_id)
        self._names.forget(order.order_id)
        self.tracker.forget(order.order_id)
        self._deny_unsent(order, rule, reason)

    def _deny_unsent(self, order: ApprovedOrder, rule: str, reason: str) -> None:
        """Deny an order that was begun; its id may be sent later."""
        self._session.active_orders.end(order.order_id)
        if order.order_id in self._sent:
            self._sent.forget(order.order_id)
        self.deny(order, rule, reason)

    def _tell_broken_off(self, order: ApprovedOrder) -> None:
        """Tell what became of an order whose sending ended without a word, as when the adapter closes."""
        if order.order_id in self._sent and not self.tracker.knows(order.order_id):
            self._deny_unsent(order, "not_sent", "the adapter closed before it was sent")
