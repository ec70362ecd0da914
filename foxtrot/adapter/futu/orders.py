"""How an order of one account gets to Futu: once, over a link, past the send permit, or not at all."""

from typing import Final

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.futu.errors import VENUE, NotLinked, NotSent
from foxtrot.adapter.futu.order_cancels import OrderCancels
from foxtrot.adapter.futu.order_codec import OrderCall, order_call
from foxtrot.adapter.futu.order_gate import OrderGate
from foxtrot.adapter.futu.order_questions import OrderQuestions
from foxtrot.adapter.futu.order_reports import OrderReports
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.futu.trade_requests import TradeRequests
from foxtrot.adapter.futu.trading_hours import OrderQueue, fills_outside, waits_until_ns
from foxtrot.adapter.futu.unlock import RULE as LOCKED
from foxtrot.adapter.futu.unlock import Unlocking
from foxtrot.adapter.order_look_up import OrderLookUp
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.order_watch import OrderWatch
from foxtrot.adapter.own_order import denied_order, own_order
from foxtrot.adapter.sent_ids import SentIds
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import AdapterError, LoginFailed, OrderRefused, RateLimited, VenueRejected
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, CancelRequest, OrderData
from foxtrot.domain.outcome import Outcome

NOT_CONNECTED: Final = "OpenD is not connected"
SENT_BEFORE: Final = "this id was sent before; an id is never sent twice"
REMEMBERED: Final = 500_000
"""How many ids that were sent are remembered; the desk never gives one twice, so that only a fault could ask for older ones."""
UNANSWERED: Final = ("timeout", "timed out", "time out", "超时", "超時", "逾時")
"""Parts of a refusal that says that OpenD itself was not answered: then nobody has refused the order.

Source: Futu OpenAPI, General Definitions, RetType (-100); the same words stand in answers of -1.
"""


def outcome_of(error: AdapterError) -> Outcome:
    """Return what an error means for a request that trades; what is not listed leaves it unknown."""
    if isinstance(error, NotSent | NotLinked):
        return Outcome.DENIED_LOCALLY
    refused = isinstance(error, VenueRejected | RateLimited | LoginFailed)
    if refused and not any(word in error.text.lower() for word in UNANSWERED):
        return Outcome.REFUSED
    return Outcome.UNKNOWN


class Orders:
    """Places, and asks where nothing is heard; `tracker` is for whoever publishes lists, so that nothing is told twice.

    Thread: futu-io, except `deny`, which any thread may call.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        session: FutuSession,
        tracker: OrderTracker,
        reports: OrderReports,
        requests: TradeRequests,
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._requests = requests
        self._sent = SentIds(REMEMBERED)
        self.tracker = tracker
        self.questions = OrderQuestions(session, requests, tracker, reports)
        self.watch = OrderWatch(adapter, session, tracker, self.questions)
        self.look_up = OrderLookUp(adapter, VENUE, tracker, self.questions)
        self.unlocking = Unlocking(adapter, session, requests)
        self.cancels = OrderCancels(adapter, session, requests, tracker, self.questions)
        self.queue = OrderQueue(self._deny_unsent)
        self._open_at_venue: frozenset[str] | None = None

    async def place(self, order: ApprovedOrder) -> None:
        """Send an order; what does not leave comes back as DENIED, what OpenD refuses as REJECTED, silence as UNKNOWN."""
        order_id = order.order_id
        instrument = self._session.find_instrument(order.instrument_id)
        if order_id in self._sent or self.tracker.knows(order_id):
            self._adapter.on_request_failed(f"order {order_id}", SENT_BEFORE)
        elif not self._session.linked:
            self.deny(order, "not_connected", NOT_CONNECTED)
        elif instrument is None:
            self.deny(order, "instrument", f"{order.instrument_id} is not listed")
        else:
            self._sent.begin((order,))  # before anything is waited for, so that a second call finds it
            try:
                await self._check_and_send(order, instrument)
            finally:
                self._tell_untold(order)
                self._sent.end((order,))

    async def cancel(self, request: CancelRequest) -> None:
        """Cancel an order, whatever the send permit says; one that Futu does not have comes back as RequestFailed."""
        if request.order_id in self.queue:
            self.queue.drop(request.order_id, "cancelled before its market opened; it was never sent")
            return
        if self.tracker.last(request.order_id) is None:
            await self._sent.until_heard(request.order_id)
        error = await self.cancels.cancel(request)
        if error is not None:
            self.unlocking.hear_refusal(error)
        self.watch.note_fills()

    async def amend(self, amend: ApprovedAmend) -> None:
        """Change a resting order past the send permit; the answer comes back as AmendAnswered."""
        order = amend.order
        gate = OrderGate(self._adapter.context.permit, reduces=order.reduces)
        try:
            await self.cancels.change(order, gate)
        except AdapterError as error:
            rule, reason = (error.rule, error.text) if isinstance(error, NotSent) else ("venue", str(error))
            self.unlocking.hear_refusal(error)
            self._adapter.answer_amend(amend, outcome_of(error), rule, reason)
        else:
            self._adapter.answer_amend(amend, Outcome.CONFIRMED)
        self.watch.note_fills()

    def recover(self, order: ApprovedOrder, sent_ns: int) -> None:
        """Ask for an order that an earlier run may have sent; it is never sent here. Its bound begins anew."""
        self._sent.remember(order.order_id)
        self.watch.note_unknown(order, "an earlier run may have sent it", sent_ns)

    def deny(self, order: ApprovedOrder, rule: str, reason: str) -> None:
        """Publish that an order never left."""
        instrument = self._session.find_instrument(order.instrument_id)
        self._adapter.on_order(denied_order(order, instrument, self._adapter.clock.now_ns(), rule, reason))

    def note_heard(self, order_id: str) -> None:
        """Let the cancels go that wait until an order under way is heard of."""
        self._sent.note_heard(order_id)

    def note_listed(self, orders: tuple[OrderData, ...]) -> None:
        """Take the list of open orders, which was told as a list; what it lacks is asked for by `resolve_unknown`."""
        self._open_at_venue = frozenset(order.order_id for order in orders)
        for order in orders:
            if order.order_id not in self.watch.unknown:
                self.tracker.note_order(order)
            self._sent.note_heard(order.order_id)
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

    # --- sending ----------------------------------------------------------------------------------------------------

    async def _check_and_send(self, order: ApprovedOrder, instrument: Instrument) -> None:
        try:
            outside = fills_outside(order, self._session.settings)
            call = order_call(order, instrument, real=self._session.settings.is_real, outside_hours=outside)
            await self._wait_for_session(order, instrument)
            self._check_unlocked()
        except (OrderRefused, NotSent) as refusal:
            self.queue.take(order.order_id)
            self._deny_unsent(order, refusal.rule, str(refusal))
            return
        except _Dropped:
            return
        await self._send(order, instrument, call)

    async def _send(self, order: ApprovedOrder, instrument: Instrument, call: OrderCall) -> None:
        self.tracker.expect(order.order_id)
        try:
            number = await self._requests.place(call, OrderGate(self._adapter.context.permit, reduces=order.reduces))
        except AdapterError as error:
            self._judge(order, instrument, error)
        else:
            self._take_number(order, instrument, number)
        self.watch.note_fills()

    def _take_number(self, order: ApprovedOrder, instrument: Instrument, number: str) -> None:
        """Tell that OpenD has taken an order; what it became is told by its push, which may have come before."""
        now_ns = self._adapter.clock.now_ns()
        self.tracker.note_id(order.instrument_id, number, order.order_id)
        told = own_order(order, instrument, now_ns, OrderStatus.ACCEPTED, "", "")
        self.tracker.report(msgspec.structs.replace(told, venue_order_id=number))

    def _judge(self, order: ApprovedOrder, instrument: Instrument, error: AdapterError) -> None:
        """Tell what an error means for an order that was to be sent."""
        match outcome_of(error):
            case Outcome.DENIED_LOCALLY:
                self.tracker.forget(order.order_id)
                rule = error.rule if isinstance(error, NotSent) else "not_connected"
                self._deny_unsent(order, rule, error.text)
            case Outcome.REFUSED:
                now_ns = self._adapter.clock.now_ns()
                self.tracker.report(own_order(order, instrument, now_ns, OrderStatus.REJECTED, "venue", error.text))
                self.unlocking.hear_refusal(error)
            case _:
                self.watch.note_unknown(order, str(error))

    async def _wait_for_session(self, order: ApprovedOrder, instrument: Instrument) -> None:
        """Return when an order's market takes it.

        Raises:
            OrderRefused: it is closed, and the account does not queue.
            _Dropped: the order was denied while it waited, or is when the adapter has begun to close.
        """
        settings, clock = self._session.settings, self._adapter.clock
        opens_ns = waits_until_ns(order, instrument, settings, clock.now_ns())
        if not opens_ns:
            return
        self.queue.put(order)
        while opens_ns and order.order_id in self.queue:
            await self._session.wait_s(min(LOOK_AGAIN_S, max(0.001, (opens_ns - clock.now_ns()) / 1e9)))
            opens_ns = waits_until_ns(order, instrument, settings, clock.now_ns())
        if self._session.closing or not self.queue.take(order.order_id):
            raise _Dropped

    def _check_unlocked(self) -> None:
        if self.unlocking.locked:
            raise NotSent(LOCKED, self.unlocking.locked)

    def _deny_unsent(self, order: ApprovedOrder, rule: str, reason: str) -> None:
        """Deny an order that was begun; its id may be sent later."""
        if order.order_id in self._sent:
            self._sent.forget(order.order_id)
        self.deny(order, rule, reason)

    def _tell_untold(self, order: ApprovedOrder) -> None:
        """Tell what became of an order whose sending ended without a word: the adapter closes, or an error of ours."""
        self.queue.drop(order.order_id, "the adapter closed before its market opened; it was never sent")
        if order.order_id not in self._sent or self.tracker.last(order.order_id) is not None:
            return
        if self.tracker.knows(order.order_id):
            self.watch.note_unknown(order, "its sending was broken off, as when the adapter closes")
        else:
            self._deny_unsent(order, "not_sent", "the adapter closed before it was sent")


LOOK_AGAIN_S: Final = 5.0
"""How often a waiting order looks whether it still waits."""


class _Dropped(Exception):
    """An order was denied while it waited for its market."""
