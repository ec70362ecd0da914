"""One account's session at Interactive Brokers: its loop, its connection to TWS, what is asked over it, and its life."""

from functools import partial
from random import Random
from typing import Any

from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.bridge import task_part
from foxtrot.adapter.ib.asks import WITH_ID
from foxtrot.adapter.ib.calls import IbCalls
from foxtrot.adapter.ib.config import IbSettings
from foxtrot.adapter.ib.dialling import Dialling
from foxtrot.adapter.ib.errors import ErrorKind, IbError, NotLinked
from foxtrot.adapter.ib.ids import OrderIds
from foxtrot.adapter.ib.known_account import KnownAccount
from foxtrot.adapter.ib.life import IbLinkUser, Life
from foxtrot.adapter.ib.link import IbLink
from foxtrot.adapter.ib.pacing import ActiveOrders, HistoryPace
from foxtrot.adapter.ib.sdk import Sdk
from foxtrot.adapter.ib.wrapper import ERROR, Handler
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.heartbeat import Part
from foxtrot.domain.instrument import Instrument


class IbSession(IbCalls):
    """What the parts of the adapter are given: the loop, requests, callbacks, and whether the link stands.

    A callback is heard where somebody asked to hear it: `hear_on_run` for market data, decoded and published on ib-run; `hear_on_loop` for
    all else, on ib-io in the order in which TWS told it. `backoff` may be replaced before the session starts.

    Thread: ib-io, except `start`, `close`, `call_soon`, `find_instrument` and the reading of `linked` and `account_id`.
    """

    def __init__(self, context: AdapterContext, settings: IbSettings, random: Random | None = None) -> None:
        super().__init__(context, settings)
        self.linked_since_ns = 0
        """Since when the present link stands, on the monotonic clock."""
        self.account_id = ""
        """IB's name of our account; that of the last link while there is none."""
        self.account_ids: tuple[str, ...] = ()
        """All accounts of the login."""
        self.instruments: dict[str, Instrument] = {}
        self.backoff = Backoff(random or Random())
        self.ids = OrderIds(context.home, settings.client_id)
        self.known_account = KnownAccount(context.home, context.account)
        self.history_pace = HistoryPace(context.clock.monotonic_ns, self.bridge.wait_s)
        self.active_orders = ActiveOrders()
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

    def present(self, kind: str) -> IbLink:
        """Return the present link.

        Raises:
            NotLinked: there is none.
        """
        return self.dialling.present(kind)

    def reset_refusal(self) -> str:
        """Return why no order may leave for IB's nightly reset, or ""."""
        return self.settings.reset_window.refusal(self.clock.now_ns(), self.life.reconciled_ns)

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

    # --- inside -----------------------------------------------------------------------------------------------------

    def _begin(self, user: IbLinkUser) -> None:
        if not self.closing:
            self.life.task = self.spawn(self.life.live(user), "ib link")
            self.spawn(self.life.watch_window(), "ib reset window")

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
        elif not self.asks.hear(name, arguments) and not (name in WITH_ID and self.is_late(arguments[0])):
            self._tell(name, arguments)

    def _hear_error(self, error: IbError) -> None:
        self._log(error)
        if (
            self.asks.hear_error(error)
            or self.hear_stream(error)
            or self.life.hear(error)
            or self.is_late(error.request_id)
        ):
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
