"""How an order of one account is cancelled: by its number over this link, which a list is asked for where it is not known."""

from typing import Final

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.ib.errors import IbError
from foxtrot.adapter.ib.order_names import OrderNames
from foxtrot.adapter.ib.order_questions import OrderQuestions
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.adapter.order_watch import is_open
from foxtrot.domain.errors import AdapterError
from foxtrot.domain.order import CancelRequest

ANSWER_S: Final = 5.0
"""How long the answer to a cancel may take, before the order is asked for."""


class OrderCancels:
    """Cancels orders, and asks for one where IB refuses that or says nothing.

    Thread: ib-io.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        session: IbSession,
        tracker: OrderTracker,
        names: OrderNames,
        questions: OrderQuestions,
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._tracker = tracker
        self._names = names
        self._questions = questions
        self._asked: dict[str, CancelRequest] = {}

    async def cancel(self, request: CancelRequest) -> None:
        """Cancel an order; what keeps IB from it comes back as RequestFailed."""
        if not self._session.linked:
            self._fail(request, "not connected to TWS, or TWS not to IB")
            return
        try:
            number = await self._number(request)
            if number:
                self._asked[request.order_id] = request
                await self._session.cancel_order(number)
                self._session.spawn(self._follow(request), f"cancel of {request.order_id}")
        except AdapterError as error:
            self._asked.pop(request.order_id, None)
            self._fail(request, str(error))

    def hear_refusal(self, order_id: str, error: IbError) -> bool:
        """Take a refusal of a cancel; tells whether one was asked for."""
        request = self._asked.pop(order_id, None)
        if request is None:
            return False
        self._fail(request, str(error))
        self._session.spawn(self._check(request), f"look at {order_id}")
        return True

    def lost(self) -> None:
        """Wait for no answer any more: what the orders have become is asked for over the next link."""
        self._asked.clear()

    async def _number(self, request: CancelRequest) -> int:
        """Return the number of an order, 0 where it cannot be cancelled over this link, which is told."""
        order_id = request.order_id
        number = self._names.number_of(order_id)
        if number:
            return number
        await self._questions.tell_open()
        number = self._names.number_of(order_id)
        if not number:
            owner = self._names.owner_of(order_id)
            if owner is None or not is_open(self._tracker.last(order_id)):
                self._fail(request, "IB has no such order among the open ones")
            else:
                own = self._session.settings.client_id
                who = f"client id {owner}" if owner else "TWS itself"
                self._fail(request, f"it belongs to {who}, and IB lets no other client cancel it; this one is {own}")
        return number

    async def _follow(self, request: CancelRequest) -> None:
        """Ask for an order of which nothing is heard after its cancel."""
        await self._session.wait_s(ANSWER_S)
        if self._asked.pop(request.order_id, None) is None or not is_open(self._tracker.last(request.order_id)):
            return
        await self._check(request)
        if is_open(self._tracker.last(request.order_id)):
            self._fail(request, f"no answer within {ANSWER_S:g} s, and the order is still open")

    async def _check(self, request: CancelRequest) -> None:
        try:
            if self._session.linked:
                await self._questions.ask(request.order_id, request.instrument_id)
        except AdapterError as error:
            logger.warning("{} order {} could not be asked for: {}", self._adapter.account, request.order_id, error)

    def _fail(self, request: CancelRequest, error: str) -> None:
        self._adapter.on_request_failed(f"cancel of {request.order_id}", error)
