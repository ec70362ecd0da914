"""How an order of one account is cancelled or changed: by Futu's number of it, which is asked for where it is not known."""

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.futu.contracts import code_of_instrument
from foxtrot.adapter.futu.errors import NotLinked, NotSent
from foxtrot.adapter.futu.order_gate import OrderGate
from foxtrot.adapter.futu.order_questions import OrderQuestions
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.futu.trade_requests import TradeRequests
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.order_watch import is_open
from foxtrot.domain.errors import AdapterError, LoginFailed, RateLimited, VenueRejected
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder, CancelRequest


class OrderCancels:
    """Cancels and changes orders, and asks for an order where Futu refuses that or says nothing.

    Thread: futu-io.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        session: FutuSession,
        requests: TradeRequests,
        tracker: OrderTracker,
        questions: OrderQuestions,
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._requests = requests
        self._tracker = tracker
        self._questions = questions

    async def cancel(self, request: CancelRequest) -> AdapterError | None:
        """Cancel an order; returns why Futu refused, None when it did not."""
        instrument = self._session.find_instrument(request.instrument_id)
        if not self._session.linked:
            self._fail(request, "OpenD is not connected")
        elif instrument is None:
            self._fail(request, f"{request.instrument_id} is not listed")
        else:
            return await self._cancel(request, instrument)
        return None

    async def change(self, order: ApprovedOrder, gate: OrderGate) -> None:
        """Make a resting order what it is to be, and ask what it has become.

        Raises:
            AdapterError: it did not leave, Futu refused, or did not answer, so that it is not known whether the order was changed.
        """
        last, instrument = self._tracker.last(order.order_id), self._session.find_instrument(order.instrument_id)
        if instrument is None or last is None or not last.venue_order_id or not is_open(last):
            raise NotSent(
                "amend", f"Futu's number of order {order.order_id} is not known, or it does not rest any more"
            )
        market = code_of_instrument(instrument).partition(".")[0]
        figures = {
            "qty": instrument.quantity(order.quantity_units),
            "price": instrument.price(order.price_units) if order.price_units else 0.0,
            "aux_price": instrument.price(order.trigger_units) if order.trigger_units else None,
        }
        await self._requests.change(market, last.venue_order_id, figures, gate)
        await self._check(order.order_id, instrument.instrument_id)

    async def _cancel(self, request: CancelRequest, instrument: Instrument) -> AdapterError | None:
        market = code_of_instrument(instrument).partition(".")[0]
        try:
            number = request.venue_order_id or await self._number(request)
            if not number:
                self._fail(request, "Futu has no such order")
                return None
            await self._requests.cancel(market, number)
        except AdapterError as error:
            refused = isinstance(error, VenueRejected | RateLimited | LoginFailed | NotSent | NotLinked)
            if refused:
                self._fail(request, str(error))
            if is_open(self._tracker.last(request.order_id)) or not refused:
                await self._check(request.order_id, request.instrument_id)
            if not refused and is_open(self._tracker.last(request.order_id)):
                self._fail(request, f"no answer ({error}), and the order is still open")
            return error if refused else None
        return None

    async def _number(self, request: CancelRequest) -> str:
        """Return Futu's number of an order, asked for where nobody has told it; "" when Futu has no such order."""
        last = self._tracker.last(request.order_id)
        if last is not None and last.venue_order_id:
            return last.venue_order_id
        await self._questions.ask(request.order_id, request.instrument_id)
        last = self._tracker.last(request.order_id)
        return last.venue_order_id if last is not None else ""

    async def _check(self, order_id: str, instrument_id: str) -> None:
        try:
            await self._questions.ask(order_id, instrument_id)
        except AdapterError as error:
            logger.warning("{} order {} could not be asked for: {}", self._adapter.account, order_id, error)

    def _fail(self, request: CancelRequest, error: str) -> None:
        self._adapter.on_request_failed(f"cancel of {request.order_id}", error)
