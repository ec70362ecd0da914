"""The life of a link: connects, holds it, and connects again after a loss, for ever unless the account is not set up.

TWS's own line to IB counts with it: while that is cut the socket stays, and what is told of orders is heard, but nothing is asked or sent.

Source: TWS API, System Message Codes: 1100 cut, 1101 back without the data, 1102 back with it, 1300 another port.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from loguru import logger

from foxtrot.adapter.ib.errors import DATA_KEPT, DATA_LOST, PORT_CHANGED, UPSTREAM_LOST, VENUE, IbError
from foxtrot.adapter.loop_session import LinkUser
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import AdapterError, ConfigError, ConnectionLost, LoginFailed, RateLimited

if TYPE_CHECKING:
    from foxtrot.adapter.ib.session import IbSession

NEVER: Final = None
"""The pause before an attempt that would not help."""
LOOK_S: Final = 20.0
"""How often it is looked whether the nightly reset is over, by the clock of the day, which may be set."""


class IbLinkUser(LinkUser, Protocol):
    """Who lives on a link to TWS, whose line to IB may be cut while the socket stays.

    `link_lost` is called when the socket is gone; `open_link` after every return, of the socket or of TWS's own line.
    """

    def link_cut(self, cause: str) -> None:
        """Believe no price any more, and wait: streams may go on by themselves; what is told of orders is still heard."""
        ...

    def data_lost(self) -> None:
        """Hear that TWS has forgotten every stream, while the socket stays; they are to be asked for anew in `open_link`."""
        ...


class Life:
    """Holds the link of a session.

    Thread: ib-io; `opening` and `given_up` are read by any.
    """

    def __init__(self, session: "IbSession") -> None:
        self._session = session
        self._clock = session.clock
        self._user: IbLinkUser | None = None
        self._lost: asyncio.Future[str] | None = None
        self._cut: asyncio.Future[str] | None = None
        self._missing = ""
        self._stands = False
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()
        self.opening = False
        self.given_up = False
        self.is_ready = False
        self.reconciled_ns = 0
        """When the user was last brought up to date, UTC."""
        self.task: asyncio.Task[None] | None = None

    async def live(self, user: IbLinkUser) -> None:
        """Connect and hold the link, again and again."""
        self._user = user
        session, attempt = self._session, 0
        while True:
            self.opening = True
            self._say(AdapterState.CONNECTING, attempt=attempt)
            cause, pause_s = await self._try_link(user)
            self.unlink(cause)
            if pause_s is NEVER:
                self.given_up = True
                self._say(AdapterState.FAILED, cause)
                return
            delay_s = session.backoff.next_delay_s(self._clock.monotonic_ns(), pause_s)
            attempt = session.backoff.attempt
            self._say(AdapterState.LOST, cause)
            self._say(AdapterState.BACKING_OFF, cause, attempt, delay_s)
            await session.wait_s(delay_s)

    def lose(self, cause: str) -> None:
        """Give the link up."""
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(cause)

    def hear(self, error: IbError) -> bool:
        """Hear what TWS says of its line to IB; tells whether that is what it says."""
        if error.code in UPSTREAM_LOST:
            self._hear_upstream(f"TWS has lost its line to IB: {error}")
        elif error.code == DATA_LOST:
            self._forget_streams()
            self._hear_return(f"TWS was cut off from IB, and its streams are gone: {error}")
        elif error.code == DATA_KEPT:
            self._hear_return(f"TWS was cut off from IB: {error}")
        elif error.code == PORT_CHANGED:
            port = self._session.dialling.hear_port(error.text)
            self.lose(
                f"TWS listens elsewhere, {f'at port {port}' if port else 'at a port that it does not tell'}: {error}"
            )
        else:
            return False
        return True

    def unlink(self, cause: str) -> None:
        """Let go of the present link."""
        self.opening, self._lost, self._missing = False, None, ""
        self._step_back(cause)
        if self._stands and self._user is not None:
            self._stands = False
            self._user.link_lost()
        self._session.dialling.let_go(cause)

    async def watch_window(self) -> None:
        """Bring the user up to date when a nightly reset is over that the link has outlived."""
        session = self._session
        window = session.settings.reset_window
        while window.zone:
            await session.wait_s(LOOK_S)
            if self.is_ready and not window.left_s(self._clock.now_ns()) and session.reset_refusal():
                await self._reconcile()

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _try_link(self, user: IbLinkUser) -> tuple[str, float | None]:
        """Hold a link for as long as it lasts; returns why it ended and the least pause."""
        try:
            return await self._hold_link(user), 0.0
        except (LoginFailed, ConfigError) as refused:
            return f"{refused} -> {type(refused).__name__}; it is not tried again", NEVER
        except RateLimited as limited:
            return str(limited), limited.retry_after_s
        except AdapterError as error:
            return str(error), 0.0
        except Exception as error:  # the outermost loop: a fault of ours costs the link, not the session
            logger.opt(exception=error).error("{}: the link ended by a fault of ours", self._session.account)
            return f"{type(error).__name__}: {error}", 0.0

    async def _hold_link(self, user: IbLinkUser) -> str:
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._lost = lost
        await self._session.dialling.dial()
        beat = self._session.spawn(self._session.dialling.beat(), "ib beat")
        try:
            while not lost.done():
                await self._await_upstream(lost)
                if lost.done():
                    break
                cause = await self._open_and_hold(user, lost)
                if not lost.done():
                    self._step_back(cause)
                    self._say(AdapterState.LOST, cause)
            return lost.result()
        finally:
            beat.cancel()

    async def _await_upstream(self, lost: "asyncio.Future[str]") -> None:
        """Wait until TWS has its line to IB, or the link is lost."""
        told = ""
        while self._missing and not lost.done():
            if told != self._missing:
                told = self._missing
                self._say(AdapterState.CONNECTING, told)
            self._news.clear()
            news = asyncio.ensure_future(self._news.wait())
            waited: set[asyncio.Future[Any]] = {news, lost}
            try:
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            finally:
                news.cancel()

    async def _open_and_hold(self, user: IbLinkUser, lost: "asyncio.Future[str]") -> str:
        """Bring the user up to date and hold the link; returns why it cannot be used any more."""
        session = self._session
        cut: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._cut = cut
        session.linked = self.opening = self._stands = True
        session.linked_since_ns = self._clock.monotonic_ns()
        session.health.up(self._clock.monotonic_ns())
        self._say(AdapterState.CONNECTED)
        began_ns = self._clock.now_ns()
        opening = asyncio.ensure_future(self._open(user))
        waited: set[asyncio.Future[Any]] = {opening, lost, cut}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not lost.done() and not cut.done():
                opening.result()
                session.backoff.good(self._clock.monotonic_ns())
                self.opening, self.is_ready, self.reconciled_ns = False, True, began_ns
                self._say(AdapterState.READY)
                await asyncio.wait({lost, cut}, return_when=asyncio.FIRST_COMPLETED)
            return lost.result() if lost.done() else cut.result()
        finally:
            self._cut, self.is_ready = None, False
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)

    async def _open(self, user: IbLinkUser) -> None:
        """Bring the user up to date, once at a time: after a cut and after a reset both may be due."""
        async with self._turn:
            await user.open_link()

    async def _reconcile(self) -> None:
        """Bring the user up to date over a link that stands."""
        began_ns, user = self._clock.now_ns(), self._user
        try:
            if user is not None:
                await self._open(user)
                self.reconciled_ns = began_ns
        except (AdapterError, ConfigError) as error:
            logger.bind(account=self._session.account).warning("after IB's reset: {}; it is tried again", error)

    def _hear_upstream(self, missing: str) -> None:
        self._missing = missing
        self._news.set()
        self._cut_off(missing)

    def _hear_return(self, cause: str) -> None:
        """Hear that the line is back: whoever was not told that it was cut is brought up to date as well."""
        self._missing = ""
        self._news.set()
        self._cut_off(cause)

    def _cut_off(self, cause: str) -> None:
        if self._cut is not None and not self._cut.done():
            self._cut.set_result(cause)

    def _forget_streams(self) -> None:
        if self._stands and self._user is not None:
            self._session.forget_streams()
            self._user.data_lost()

    def _step_back(self, cause: str) -> None:
        session = self._session
        was_linked, session.linked = session.linked, False
        session.health.down(cause)
        session.asks.fail(ConnectionLost(VENUE, "lost", cause))
        if was_linked and self._user is not None:
            self._user.link_cut(cause)

    def _say(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        if self._user is not None and not self._session.closing:
            self._user.on_status(state, cause, attempt, delay_s)
