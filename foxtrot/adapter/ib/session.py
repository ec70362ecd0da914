"""One account's session at Interactive Brokers: its loop, its connection to TWS, what is asked over it, and its life."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.bridge import task_part
from foxtrot.adapter.ib.asks import WITH_ID, Answer, Asks
from foxtrot.adapter.ib.config import IbSettings
from foxtrot.adapter.ib.connection import PermitCheck
from foxtrot.adapter.ib.dialling import Dialling
from foxtrot.adapter.ib.errors import ErrorKind, IbError, NotLinked, NotSent
from foxtrot.adapter.ib.ids import HIGHEST, OrderIds
from foxtrot.adapter.ib.life import IbLinkUser, Life
from foxtrot.adapter.ib.link import IbLink, Send
from foxtrot.adapter.ib.pacing import ActiveOrders, HistoryPace, Lane, MessagePace
from foxtrot.adapter.ib.sdk import Sdk
from foxtrot.adapter.ib.wrapper import ERROR, Handler
from foxtrot.adapter.loop_session import LoopSession
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.heartbeat import Part
from foxtrot.domain.errors import AdapterError
from foxtrot.domain.instrument import Instrument

THREAD_NAME: Final = "ib-io"
ASK_S: Final = 15.0
"""How long the answer to a question may take."""
Ask = Callable[[Any, int], None]
"""Makes a request of the client with the request id that it is given, on ib-send: `lambda client, request_id: client.reqX(request_id, …)`."""
HearError = Callable[[IbError], None]


class IbSession(LoopSession):
    """What the parts of the adapter are given: the loop, requests, callbacks, and whether the link stands.

    A callback is heard where somebody asked to hear it: `hear_on_run` for market data, decoded and published on ib-run; `hear_on_loop` for
    all else, on ib-io in the order in which TWS told it. `backoff` may be replaced before the session starts.

    Thread: ib-io, except `start`, `close`, `call_soon`, `find_instrument` and the reading of `linked` and `account_id`.
    """

    def __init__(self, context: AdapterContext, settings: IbSettings, random: Random | None = None) -> None:
        super().__init__(context, THREAD_NAME, "ib")
        self.settings = settings
        self.linked_since_ns = 0
        """Since when the present link stands, on the monotonic clock."""
        self.account_id = ""
        """IB's name of our account; that of the last link while there is none."""
        self.account_ids: tuple[str, ...] = ()
        """All accounts of the login."""
        self.instruments: dict[str, Instrument] = {}
        self.heard = 0
        """How many callbacks came to ib-io."""
        self.backoff = Backoff(random or Random())
        self.ids = OrderIds(context.home, settings.client_id)
        self.pace = MessagePace(settings.messages_per_s, context.clock.monotonic_ns, self.bridge.wait_s)
        self.history_pace = HistoryPace(context.clock.monotonic_ns, self.bridge.wait_s)
        self.active_orders = ActiveOrders()
        self._asks = Asks()
        self._streams: dict[int, HearError] = {}
        self._requests = HIGHEST
        self._on_run: dict[str, Handler] = {}
        self._on_loop: dict[str, list[Handler]] = {}
        self.dialling = Dialling(self)
        self.life = Life(self)

    @property
    def busy(self) -> bool:
        """Tell whether something that was asked is not answered yet, or a link is being made; read by any thread."""
        return super().busy or self.life.opening

    @property
    def sdk(self) -> Sdk:
        """Return ibapi; NotLinked before the first dial, which loads it."""
        if self.dialling.sdk is None:
            raise NotLinked("sdk", "not connected yet")
        return self.dialling.sdk

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        """Return a resolved instrument, or None; any thread may ask."""
        return self.instruments.get(instrument_id)

    # --- callbacks --------------------------------------------------------------------------------------------------

    def hear_on_run(self, name: str, handler: Handler) -> None:
        """Let one handler hear a callback on ib-run, with its arguments as ibapi gives them; what it raises is logged.

        What is heard there comes to nobody else: no `ask` may gather such a callback.
        """
        self._on_run[name] = handler
        if self.dialling.link is not None:
            self.dialling.link.wrapper.listen(name, handler)

    def hear_on_loop(self, name: str, handler: Handler) -> None:
        """Let a handler hear a callback on ib-io, with its arguments as ibapi gives them; several may hear one.

        What answers an open `ask` is not heard, what a list of `ask_all` gathers is. Of errors only those are heard that are no request's:
        orders' and those without an id, as `error(IbError)`.
        """
        self._on_loop.setdefault(name, []).append(handler)

    # --- requests ---------------------------------------------------------------------------------------------------

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
        answer = self._asks.open(request_id)
        try:
            await self._send(kind, lambda client: send(client, request_id), Lane.QUESTION)
            return await self.bridge.within(_value_of(answer), deadline_s)
        finally:
            self._asks.close(request_id)

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
        return await self._ask_list(partial(self._send, kind, send, Lane.QUESTION), names, end, deadline_s)

    async def ask_time(self, link: IbLink, deadline_s: float) -> int:
        """Return TWS's time, epoch seconds, also while its line to IB is cut.

        Raises:
            AdapterError: it did not answer.
        """
        send = partial(link.send, lambda client: client.reqCurrentTime(), Lane.ORDER)
        found = await self._ask_list(send, ("currentTime",), "currentTime", deadline_s)
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

    def reset_refusal(self) -> str:
        """Return why no order may leave for IB's nightly reset, or ""."""
        return self.settings.reset_window.refusal(self.clock.now_ns(), self.life.reconciled_ns)

    # --- the loop ---------------------------------------------------------------------------------------------------

    def lose(self, cause: str) -> None:
        """Give the link up: LOST, back-off, connect again; while there is none it does nothing."""
        self.life.lose(cause)

    def parts(self) -> tuple[Part, ...]:
        """Return the loop and the task that holds the link; from any thread."""
        life = self.life
        link = task_part(
            f"link of {self.account}", self.account, lambda: life.task, lambda: not (self.closing or life.given_up)
        )
        return (self.bridge.part(self.account), link)

    def start(self, user: IbLinkUser) -> None:
        """Start the thread and connect; returns at once."""
        self.bridge.start()
        self.bridge.call_soon(partial(self._begin, user))

    async def leave(self) -> None:
        """Let go of the link, and return when what was let go is gone."""
        self.life.unlink("closed")
        self.ids.close()
        await self.dialling.ended()

    def end_threads(self) -> None:
        """Dial no more."""
        self.dialling.end()

    def join_threads(self) -> str:
        """Wait for the thread that dials.

        Blocks: at most a second.
        """
        return self.dialling.join()

    # --- for the link -----------------------------------------------------------------------------------------------

    def make_link(self, sdk: Sdk) -> IbLink:
        """Return a link that is not dialled yet, whose callbacks come here for as long as it is the present one."""
        made: list[IbLink] = []
        link = IbLink(sdk, self.account, self._on_run, lambda name, told: self._hand_on(made[0], name, told))
        made.append(link)
        return link

    def fail_asks(self, error: AdapterError) -> None:
        """Fail what is asked and not answered."""
        self._asks.fail(error)

    def forget_streams(self) -> None:
        """Hear no errors of the streams that there were."""
        self._streams.clear()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _begin(self, user: IbLinkUser) -> None:
        if not self.closing:
            self.life.task = self.spawn(self.life.live(user), "ib link")
            self.spawn(self.life.watch_window(), "ib reset window")

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
            await self.dialling.present(kind).send(send, lane, permit_check)
        except BaseException:
            self.health.failed_requests += 1
            raise

    async def _ask_list(
        self, send: Callable[[], Any], names: tuple[str, ...], end: str, deadline_s: float
    ) -> list[Answer]:
        async with self._asks.turn(end):
            answer = self._asks.open_list(end, frozenset(names))
            try:
                await send()
                return await self.bridge.within(_value_of(answer), deadline_s)
            finally:
                self._asks.close_list(end)

    def _hand_on(self, link: IbLink, name: str, arguments: tuple[Any, ...]) -> None:
        """Hand a callback over to ib-io, from ib-run."""
        self.bridge.call_soon(partial(self._hear, link, name, arguments))

    def _hear(self, link: IbLink, name: str, arguments: tuple[Any, ...]) -> None:
        if self.dialling.link is not link:
            return
        self.heard += 1
        if name == ERROR:
            self._hear_error(arguments[0])
        elif name == "managedAccounts":
            self.dialling.hear_accounts(arguments[0])
        elif name == "nextValidId":
            self.dialling.hear_next_id(arguments[0])
        elif not self._asks.hear(name, arguments) and not self._is_late(name, arguments):
            self._tell(name, arguments)

    def _is_late(self, name: str, arguments: tuple[Any, ...]) -> bool:
        """Tell whether something answers a question that is given up."""
        return name in WITH_ID and arguments[0] > HIGHEST and arguments[0] not in self._streams

    def _hear_error(self, error: IbError) -> None:
        self._log(error)
        if self._asks.hear_error(error):
            return
        stream = self._streams.get(error.request_id)
        if stream is not None:
            stream(error)
            return
        if self.life.hear(error) or error.request_id > HIGHEST:
            return
        if error.kind is ErrorKind.LINK:
            self.dialling.hear_refusal(error)
        self._tell(ERROR, (error,))

    def _tell(self, name: str, arguments: tuple[Any, ...]) -> None:
        for handler in self._on_loop.get(name, ()):
            try:
                handler(*arguments)
            except Exception as error:  # a fault in one handler keeps no other from hearing
                logger.opt(exception=error).error("{}: hearing {} of IB failed: {!r}", self.account, name, error)

    def _log(self, error: IbError) -> None:
        level = "INFO" if error.kind is ErrorKind.NOTICE else "WARNING"
        named = "" if error.request_id < 0 else f" of {error.request_id}"
        logger.bind(account=self.account).log(level, "IB says{}: {}", named, error)


async def _value_of(answer: Any) -> Any:
    return await answer
