"""The life of a link: connects, holds it, and connects again after a loss, for ever unless the account is not set up."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from loguru import logger

from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import AdapterError, ConfigError, LoginFailed, RateLimited

if TYPE_CHECKING:
    from foxtrot.adapter.futu.session import FutuSession
    from foxtrot.adapter.loop_session import LinkUser

NEVER: Final = None
"""The pause before an attempt that would not help."""


class Life:
    """Holds the link of a session. OpenD's own link to Futu counts with it: without it nothing can be asked or sent.

    Thread: futu-io; `opening` and `given_up` are read by any.
    """

    def __init__(self, session: "FutuSession") -> None:
        self._session = session
        self._clock = session.clock
        self._user: LinkUser | None = None
        self._lost: asyncio.Future[str] | None = None
        self._cut: asyncio.Future[str] | None = None
        self._missing = ""
        self._news = asyncio.Event()
        self.opening = False
        self.given_up = False
        self.task: asyncio.Task[None] | None = None

    async def live(self, user: "LinkUser") -> None:
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
            self._forgive_return()
            delay_s = session.backoff.next_delay_s(self._clock.monotonic_ns(), pause_s)
            attempt = session.backoff.attempt
            self._say(AdapterState.LOST, cause)
            self._say(AdapterState.BACKING_OFF, cause, attempt, delay_s)
            await session.dialling.reach.wait(delay_s)
            self._forgive_return()

    def lose(self, cause: str) -> None:
        """Give the link up."""
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(cause)

    def hear_upstream(self, quotes: bool, trading: bool) -> None:
        """Hear whether OpenD is logged in to Futu's servers for quotes and for trading."""
        servers = [name for name, up in (("quote", quotes), ("trade", trading)) if not up]
        self._missing = f"OpenD is not logged in to Futu's {' and '.join(servers)} server" if servers else ""
        self._news.set()
        if self._missing and self._cut is not None and not self._cut.done():
            self._cut.set_result(self._missing)

    def unlink(self, cause: str) -> None:
        """Let go of the present link."""
        self.opening, self._lost = False, None
        self._step_back(cause)
        self._session.dialling.let_go()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _forgive_return(self) -> None:
        """Count attempts anew when OpenD listens again: one that has just begun may not answer at once, but soon."""
        if self._session.dialling.reach.take_return():
            self._session.backoff.attempt = 0

    async def _try_link(self, user: "LinkUser") -> tuple[str, float | None]:
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

    async def _hold_link(self, user: "LinkUser") -> str:
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._lost = lost
        await self._session.dialling.dial()
        beat = self._session.spawn(self._session.dialling.beat(), "futu beat")
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
        """Wait until OpenD is logged in, or the link is lost."""
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

    async def _open_and_hold(self, user: "LinkUser", lost: "asyncio.Future[str]") -> str:
        """Bring the user up to date and hold the link; returns why it cannot be used any more."""
        session = self._session
        cut: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._cut = cut
        session.linked = self.opening = True
        session.linked_since_ns = self._clock.monotonic_ns()
        session.health.up(self._clock.monotonic_ns())
        self._say(AdapterState.CONNECTED)
        opening = asyncio.ensure_future(user.open_link())
        waited: set[asyncio.Future[Any]] = {opening, lost, cut}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not lost.done() and not cut.done():
                opening.result()
                session.backoff.good(self._clock.monotonic_ns())
                self.opening = False
                self._say(AdapterState.READY)
                await asyncio.wait({lost, cut}, return_when=asyncio.FIRST_COMPLETED)
            return lost.result() if lost.done() else cut.result()
        finally:
            self._cut = None
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)

    def _step_back(self, cause: str) -> None:
        session = self._session
        was_linked, session.linked = session.linked, False
        session.health.down(cause)
        if was_linked and self._user is not None:
            self._user.link_lost()

    def _say(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        if self._user is not None and not self._session.closing:
            self._user.on_status(state, cause, attempt, delay_s)
