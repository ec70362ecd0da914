"""How an order of one account is cancelled: by whatever it is, an ordinary order, a waiting one, or what that became."""

from collections.abc import Callable, Mapping

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.errors import Kind, kind_of_code
from foxtrot.adapter.binance.order_codec import is_conditional
from foxtrot.adapter.binance.order_lists import rows_of_answer
from foxtrot.adapter.binance.order_queries import NOT_FOUND, OrderQueries, name_of
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.order_watch import OrderWatch, is_open
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import AdapterError, LoginFailed, RateLimited, VenueRejected
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import CancelRequest


class OrderCancels:
    """Cancels, and asks for the order where the venue refuses that or says nothing.

    Thread: binance-io.
    """

    def __init__(self, adapter: BaseAdapter, session: BinanceSession, tracker: OrderTracker, queries: OrderQueries,
                 watch: OrderWatch) -> None:  # fmt: skip
        self.on_taken: Callable[[int], None] = _ignore
        """Hears the monotonic time at which a cancel was sent that Binance has taken."""
        self._adapter = adapter
        self._session = session
        self._tracker = tracker
        self._queries = queries
        self._watch = watch

    async def cancel(self, request: CancelRequest, instrument: Instrument) -> None:
        """Cancel an order; one that the venue does not have comes back as RequestFailed."""
        sent_ns = self._session.clock.monotonic_ns()
        try:
            await self._ask_cancel(request, instrument)
            self.on_taken(sent_ns)
        except AdapterError as error:
            if _is_refusal(error):
                self.fail(request, str(error))
            if is_open(self._tracker.last(request.order_id)) or not _is_refusal(error):
                await self._watch.check(request.order_id, request.instrument_id)
                if not _is_refusal(error):
                    self._judge_cancel(request, sent_ns, error)
        self._watch.note_fills()

    def _judge_cancel(self, request: CancelRequest, sent_ns: int, error: AdapterError) -> None:
        """Tell what became of a cancel without an answer, once its order was asked for."""
        if is_open(self._tracker.last(request.order_id)):
            self.fail(request, f"no answer ({error}), and the order is still open")
        else:
            self.on_taken(sent_ns)

    async def _ask_cancel(self, request: CancelRequest, instrument: Instrument) -> None:
        """Ask for a cancel by whatever the order is: ordinary, waiting for its trigger, or told by an earlier run.

        Raises:
            AdapterError: the venue does not have it, or did not answer.
        """
        last = self._tracker.last(request.order_id)
        if instrument.product is Product.SPOT or (last and not is_conditional(last.order_type, instrument.product)):
            await self._cancel_plain(instrument, name_of(request.order_id))
        elif last is None:
            await self._cancel_either(request, instrument)
        else:
            await self._cancel_conditional(request, instrument)

    async def _cancel_plain(self, instrument: Instrument, name: Mapping[str, str]) -> None:
        spot = instrument.product is Product.SPOT
        endpoint = "privateDeleteOrder" if spot else "fapiPrivateDeleteOrder"
        answer = await self._session.request(endpoint, {"symbol": instrument.symbol} | dict(name))
        for row in rows_of_answer(answer):
            self._queries.take_plain(row)

    async def _cancel_either(self, request: CancelRequest, instrument: Instrument) -> None:
        try:
            await self._cancel_plain(instrument, name_of(request.order_id))
        except VenueRejected as refusal:
            if refusal.code not in NOT_FOUND:
                raise
            await self._cancel_conditional(request, instrument)

    async def _cancel_conditional(self, request: CancelRequest, instrument: Instrument) -> None:
        """Cancel a conditional order, or the order that it became, which is asked for where nobody told of it."""
        try:
            await self._cancel_waiting(request)
        except VenueRejected as refusal:
            if refusal.code not in NOT_FOUND:
                raise
            if not self._child_of(request):
                await self._watch.check(request.order_id, request.instrument_id)
            child = self._child_of(request)
            if not child:
                raise
            await self._cancel_plain(instrument, {"orderId": child})

    def _child_of(self, request: CancelRequest) -> str:
        """Return the venue's id of the order that a conditional one became, "" while it waits or when it is done."""
        last = self._tracker.last(request.order_id)
        return last.venue_order_id if last is not None and is_open(last) and last.venue_order_id.isdecimal() else ""

    async def _cancel_waiting(self, request: CancelRequest) -> None:
        """Cancel a conditional order; the answer tells no state, so it is asked for."""
        await self._session.request("fapiPrivateDeleteAlgoOrder", {"clientAlgoId": request.order_id})
        await self._watch.check(request.order_id, request.instrument_id)

    def fail(self, request: CancelRequest, error: str) -> None:
        """Tell that an order was not cancelled."""
        self._adapter.on_request_failed(f"cancel of {request.order_id}", error)


def _ignore(_sent_ns: int) -> None:
    """Hear nothing."""


def _is_refusal(error: AdapterError) -> bool:
    """Tell whether the venue refused a cancel, as against not having answered."""
    if isinstance(error, VenueRejected):
        return kind_of_code(error.code) is not Kind.UNKNOWN
    return isinstance(error, LoginFailed | RateLimited)
