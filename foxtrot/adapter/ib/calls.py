"""What is asked of TWS over a session's link: requests with an id and without, streams, orders, cancels; each at its pace."""

import abc
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.ib.asks import RENEW_AFTER, Answer, Asks
from foxtrot.adapter.ib.config import IbSettings
from foxtrot.adapter.ib.connection import PermitCheck
from foxtrot.adapter.ib.errors import IbError, NotLinked, NotSent
from foxtrot.adapter.ib.ids import HIGHEST
from foxtrot.adapter.ib.link import IbLink, Send
from foxtrot.adapter.ib.pacing import Lane, MessagePace
from foxtrot.adapter.ib.sdk import Sdk
from foxtrot.adapter.loop_session import LoopSession
from foxtrot.domain.errors import RequestTimedOut, VenueRejected

THREAD_NAME: Final = "ib-io"
ASK_S: Final = 15.0
"""How long the answer to a question may take."""
Ask = Callable[[Any, int], None]
"""Makes a request of the client with the request id that it is given, on ib-send: `lambda client, request_id: client.reqX(request_id, …)`."""
HearError = Callable[[IbError], None]


class IbCalls(LoopSession):
    """The requests of a session, which knows the link.

    Thread: ib-io.

    Args:
        context: what the platform gives.
        settings: what the account is set to.
    """

    def __init__(self, context: AdapterContext, settings: IbSettings) -> None:
        super().__init__(context, THREAD_NAME, "ib")
        self.settings = settings
        self.pace = MessagePace(settings.messages_per_s, context.clock.monotonic_ns, self.bridge.wait_s)
        self.asks = Asks()
        self.heard = 0
        """How many callbacks came to ib-io."""
        self._streams: dict[int, HearError] = {}
        self._requests = HIGHEST

    @property
    @abc.abstractmethod
    def sdk(self) -> Sdk:
        """Return ibapi; NotLinked before the first dial, which loads it."""

    @abc.abstractmethod
    def present(self, kind: str) -> IbLink:
        """Return the present link.

        Raises:
            NotLinked: there is none.
        """

    @abc.abstractmethod
    def reset_refusal(self) -> str:
        """Return why no order may leave for IB's nightly reset, or ""."""

    def next_request_id(self) -> int:
        """Return an id that no request and no order has had."""
        self._requests += 1
        return self._requests

    def stream(self, hear_error: HearError) -> int:
        """Return the id for a stream; errors that name it are heard until `end_stream` or the end of the link."""
        request_id = self.next_request_id()
        self._streams[request_id] = hear_error
        return request_id

    def end_stream(self, request_id: int) -> None:
        """Hear errors of a stream no more."""
        self._streams.pop(request_id, None)

    def hear_stream(self, error: IbError) -> bool:
        """Take an error; tells whether it is a stream's."""
        hear_error = self._streams.get(error.request_id)
        if hear_error is not None:
            hear_error(error)
        return hear_error is not None

    def is_late(self, request_id: int) -> bool:
        """Tell whether an id is of a question that is given up, or of a stream that has ended."""
        return request_id > HIGHEST and request_id not in self._streams

    def forget_streams(self) -> None:
        """Hear no errors of the streams that there were."""
        self._streams.clear()

    async def tell(self, kind: str, send: Send, lane: Lane = Lane.QUESTION) -> None:
        """Make a request that has no answer of its own, such as the begin of a stream; returns when it has left.

        Raises:
            NotLinked: there is no connection: nothing left.
            VenueRejected: ibapi itself refused it: nothing left.
            ConnectionLost: the connection broke meanwhile.
        """
        await self._send(kind, send, lane)

    async def ask(self, kind: str, send: Ask, deadline_s: float = ASK_S) -> list[tuple[Any, ...]]:
        """Make a request and gather its answer: of each callback with the request's id the arguments after it, until its end.

        Args:
            kind: what it is, for errors and figures.
            send: makes it.
            deadline_s: how long the answer may take once the request has left.

        Raises:
            NotLinked: there is no connection: nothing left.
            VenueRejected: TWS refused it by an error with its id; RateLimited if for its pacing.
            ConnectionLost: the link went away before the answer came.
            RequestTimedOut: no end in time.
        """
        self._check_linked(kind)
        request_id = self.next_request_id()
        answer = self.asks.open(request_id)
        try:
            await self._send(kind, lambda client: send(client, request_id), Lane.QUESTION)
            return await self.bridge.within(_value_of(answer), deadline_s)
        finally:
            self.asks.close(request_id)

    async def ask_all(
        self, kind: str, send: Send, names: tuple[str, ...], end: str, deadline_s: float = ASK_S
    ) -> list[Answer]:
        """Make a request without an id and gather what is told until its end; one at a time for each end.

        Args:
            kind: what it is.
            send: makes it.
            names: the callbacks to gather; the end itself only if it is among them.
            end: the callback that ends the list.
            deadline_s: how long the answer may take once the request has left.

        Returns:
            Name and arguments of each callback, in their order.

        Raises:
            AdapterError: as `ask`; a refusal, which has no id, comes as RequestTimedOut.
        """
        self._check_linked(kind)
        link, question, refused = self.present(kind), _Question(send), False
        async with self.asks.turn(end):
            heard, answer = self.heard, self.asks.open_list(end, frozenset(names))
            try:
                await self._send(kind, question, Lane.QUESTION)
                return await self.bridge.within(_value_of(answer), deadline_s)
            except (NotLinked, VenueRejected):
                refused = True
                raise
            except RequestTimedOut:
                self._give_up(link, kind, end, answered=self.heard != heard)
                raise
            finally:
                self.asks.close_list(end, asked=question.withdraw() and not refused)

    async def ask_time(self, link: IbLink, deadline_s: float) -> int:
        """Return TWS's time, epoch seconds, also while its line to IB is cut.

        Raises:
            AdapterError: it did not answer.
        """
        end = "currentTime"
        async with self.asks.turn(end):
            answer = self.asks.open_list(end, frozenset({end}))
            try:
                await link.send(lambda client: client.reqCurrentTime(), Lane.ORDER)
                found = await self.bridge.within(_value_of(answer), deadline_s)
            finally:
                self.asks.close_list(end)  # any answer will do, also a late one
        return int(found[0][1][0])

    async def send_order(self, order_id: int, contract: Any, order: Any, permit_check: PermitCheck) -> None:
        """Place or change an order; the permit is read when its turn has come and the socket has room, as the last thing.

        Args:
            order_id: ours, from `ids.take()`; that of the order for a change.
            contract: ibapi's.
            order: ibapi's.
            permit_check: `partial(permit.send, reduces=…)`.

        Raises:
            NotSent: it may not leave (PermitClosed: by the permit): nothing did.
            NotLinked: there is no connection: nothing left.
            VenueRejected: ibapi itself refused it: nothing left.
            ConnectionLost: the connection broke while it was being sent: the outcome is unknown.
        """
        self._check_may_send()
        await self.pace.turn(Lane.ORDER)
        self._check_may_send()
        await self._counted(
            "order", lambda client: client.placeOrder(order_id, contract, order), Lane.ORDER, permit_check
        )

    async def cancel_order(self, order_id: int) -> None:
        """Ask for an order's end; it goes before everything else, whatever the permit says.

        Raises:
            AdapterError: as `tell`; NotSent when the account is read-only.
        """
        if self.settings.read_only:
            raise NotSent("read_only", "the account is set read_only = true; nothing is sent")
        await self._send("cancel", lambda client: self.sdk.cancel(client, order_id), Lane.CANCEL)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _check_linked(self, kind: str) -> None:
        if not self.linked:
            raise NotLinked(kind, "not connected to TWS, or TWS not to IB")

    def _check_may_send(self) -> None:
        self._check_linked("order")
        if self.settings.read_only:
            raise NotSent("read_only", "the account is set read_only = true; nothing is sent")
        reason = self.reset_refusal()
        if reason:
            raise NotSent("reset_window", reason)

    async def _send(self, kind: str, send: Send, lane: Lane) -> None:
        self._check_linked(kind)
        await self.pace.turn(lane)
        await self._counted(kind, send, lane, None)

    async def _counted(self, kind: str, send: Send, lane: Lane, permit_check: PermitCheck | None) -> None:
        self.health.requests += 1
        try:
            await self.present(kind).send(send, lane, permit_check)
        except BaseException:
            self.health.failed_requests += 1
            raise

    def _give_up(self, link: IbLink, kind: str, end: str, *, answered: bool) -> None:
        """Renew a link over which one kind of list does not end while other things are answered; one that is silent altogether is lost by that."""
        if answered and self.asks.give_up(end) and self.linked and self.present(kind) is link:
            self.lose(f"TWS answers, and has not ended {RENEW_AFTER} lists of {kind} one after another")


class _Question:
    """A request that leaves only while somebody waits for its answer, and knows whether it did.

    Thread: made and asked on the loop, called on ib-send.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._left = self._withdrawn = False

    def __call__(self, client: Any) -> None:
        with self._lock:
            if self._withdrawn:
                return
            self._left = True
        self._send(client)

    def withdraw(self) -> bool:
        """Let it not leave any more if it has not yet; tells whether it had."""
        with self._lock:
            self._withdrawn = True
            return self._left


async def _value_of(answer: Awaitable[Any]) -> Any:
    return await answer
