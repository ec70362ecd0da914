"""How an order of one account, or a pair, gets to the simulated venue: once, over a link, past the send permit, or not at all."""

from collections.abc import Callable
from functools import partial

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.simulated import codec
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, CancelRequest
from foxtrot.domain.outcome import Outcome
from foxtrot.exchange.commands import CancelOrder, PlaceOrder, PlacePair
from foxtrot.exchange.result import CommandResult, ResultCode

NOT_CONNECTED = "the venue is not connected"
SENT_BEFORE = "this id was sent before; an id is never sent twice"


class OrderEntry:
    """Places and cancels; what does not get to the venue comes back as DENIED or RequestFailed.

    Thread: the session's; `deny` from any.
    """

    def __init__(self, adapter: BaseAdapter, session: SimulatedSession, flush: Callable[[], None]) -> None:
        self.linked = False
        self._adapter = adapter
        self._session = session
        self._flush = flush
        self._sent: set[str] = set()

    def place(self, order: ApprovedOrder) -> None:
        """Give the venue an order; the permit is asked in the same breath as the venue takes it."""
        orders = (order,)
        if self._may_go(orders):
            self._hand_over(orders, codec.place_order(order, self._adapter.clock.now_ns()))

    def place_pair(self, first: ApprovedOrder, second: ApprovedOrder) -> None:
        """Give the venue two orders of which one ends the other, as one command; what `place` says holds for each by its own id."""
        orders = (first, second)
        if self._may_go(orders):
            self._hand_over(orders, codec.place_pair(first, second, self._adapter.clock.now_ns()))

    def recover(self, order: ApprovedOrder) -> None:
        """Tell what became of an order that an earlier run may have given this venue; what it does not have it never had.

        The venue is asked in the step in which it would take the order, so that no answer is on its way: there is no bound to wait for.
        """
        self._sent.add(order.order_id)
        session, adapter = self._session, self._adapter
        listed = session.find_instrument(order.instrument_id)
        known = (
            session.venue.order(adapter.account, order.instrument_id, client_order_id=order.order_id)
            if listed
            else None
        )
        if known is None or listed is None:
            self.deny(order, "never_reached_market", "the simulated venue has no order of this id")
            return
        told = codec.listed_order(known, listed, adapter.clock.now_ns())
        told = msgspec.structs.replace(told, status=known.status, reason=known.reason)
        session.answer(lambda: adapter.on_order(told))

    def cancel(self, request: CancelRequest) -> None:
        """Cancel an order; one that the venue does not have comes back as RequestFailed."""
        adapter = self._adapter
        command = CancelOrder(
            adapter.clock.now_ns(), adapter.account, request.instrument_id, client_order_id=request.order_id
        )
        result = self._session.execute(command)
        if result.code is not ResultCode.OK:
            self._fail(f"cancel of {request.order_id}", f"{result.code}: {result.message}")
        self._flush()

    def amend(self, amend: ApprovedAmend) -> None:
        """Change an order; the report with its new terms comes before the answer."""
        order = amend.order
        known = self._session.venue.order(self._adapter.account, order.instrument_id, client_order_id=order.order_id)
        if known is not None and known.trigger_price != order.trigger_units:
            reason = "the simulated venue changes no triggers; cancel the order and send another"
            self._answer(amend, Outcome.REFUSED, "no_amend", reason)
            return
        results: list[CommandResult] = []
        command = codec.amend_order(order, self._adapter.clock.now_ns())
        permit = self._adapter.context.permit
        if not permit.send(lambda: results.append(self._session.execute(command)), reduces=order.reduces):
            self._answer(amend, Outcome.DENIED_LOCALLY, "send_permit", permit.reason or "the send permit is closed")
            return
        self._flush()
        if results[0].code is ResultCode.OK:
            self._answer(amend, Outcome.CONFIRMED)
        else:
            self._answer(amend, Outcome.REFUSED, str(results[0].code), results[0].message)

    def deny(self, order: ApprovedOrder, rule: str, reason: str) -> None:
        """Publish that an order never left."""
        instrument = self._session.find_instrument(order.instrument_id)
        denied = codec.denied_order(order, instrument, self._adapter.clock.now_ns(), rule, reason)
        self._session.answer(lambda: self._adapter.on_order(denied))

    def _may_go(self, orders: tuple[ApprovedOrder, ...]) -> bool:
        """Tell whether the orders of one request can be given to the venue; what cannot is told of here, each order by its id."""
        unlisted = [one.instrument_id for one in orders if self._session.find_instrument(one.instrument_id) is None]
        if any(order.order_id in self._sent for order in orders):
            for order in orders:
                self._fail(f"order {order.order_id}", SENT_BEFORE)
        elif not self.linked:
            self._deny_all(orders, "not_connected", NOT_CONNECTED)
        elif unlisted:
            self._deny_all(orders, "instrument", f"the simulated venue does not list {unlisted[0]}")
        else:
            return True
        return False

    def _hand_over(self, orders: tuple[ApprovedOrder, ...], command: PlaceOrder | PlacePair) -> None:
        permit = self._adapter.context.permit
        if permit.send(partial(self._execute, orders, command), reduces=all(order.reduces for order in orders)):
            self._flush()
        else:
            self._deny_all(orders, "send_permit", permit.reason or "the send permit is closed")

    def _deny_all(self, orders: tuple[ApprovedOrder, ...], rule: str, reason: str) -> None:
        for order in orders:
            self.deny(order, rule, reason)

    def _execute(self, orders: tuple[ApprovedOrder, ...], command: PlaceOrder | PlacePair) -> None:
        """Give the venue a command; a refusal comes as an event of each order."""
        self._sent.update(order.order_id for order in orders)
        self._session.execute(command)

    def _answer(self, amend: ApprovedAmend, outcome: Outcome, rule: str = "", reason: str = "") -> None:
        self._session.answer(lambda: self._adapter.answer_amend(amend, outcome, rule, reason))

    def _fail(self, what: str, error: str) -> None:
        self._session.answer(lambda: self._adapter.on_request_failed(what, error))
