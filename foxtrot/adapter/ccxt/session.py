"""One account's session at a venue: its thread and loop, its ccxt client, and the life of its link."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any, Final, Protocol

from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.bridge import AsyncBridge, task_part
from foxtrot.adapter.ccxt import client
from foxtrot.adapter.ccxt.client import Tap
from foxtrot.adapter.ccxt.config import CcxtSettings
from foxtrot.adapter.ccxt.contracts import Listing, listing, say_left_out, say_strangers
from foxtrot.adapter.ccxt.errors import RAISED, clean, translate
from foxtrot.adapter.ccxt.venue import Venue
from foxtrot.adapter.health import AdapterHealth
from foxtrot.adapter.reconnect import Backoff, BreakerState, CircuitBreaker
from foxtrot.core.clock import Clock
from foxtrot.core.heartbeat import Part
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import AdapterError, ConnectionLost, RateLimited, VenueRejected
from foxtrot.domain.instrument import Instrument

THREAD_NAME: Final = "ccxt-io"
FINISH_S: Final = 2.0
"""How long a closing session waits for what was asked before, in real time."""
OPEN_WITHIN_S: Final = 60.0
"""How long the list of markets may take: some venues have thousands."""


class LinkUser(Protocol):
    """Who lives on a link: told of its changes, and asked to bring itself up to date over a new one.

    Thread: the session's.
    """

    def on_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        """Hear a change of the connection."""
        ...

    async def open_link(self) -> None:
        """Tell everything that is to be told between CONNECTED and READY."""
        ...

    def link_lost(self) -> None:
        """Stop whatever needs the link; called once for each loss, before it is told."""
        ...


class CcxtSession:
    """What the parts of the adapter are given: the loop, the client, requests, and whether the link stands.

    Thread: its own, except `start`, `close`, `call_soon`, `find_instrument` and the reading of `linked`.
    """

    def __init__(
        self,
        context: AdapterContext,
        settings: CcxtSettings,
        venue: Venue | None,
        health: AdapterHealth,
        random: Random | None = None,
    ) -> None:
        self.account = context.account
        self.clock: Clock = context.clock
        self.settings = settings
        self.venue = venue
        self.name = settings.exchange
        self.health = health
        self.linked = False
        self.closing = False
        self.listed = Listing({}, {}, {}, (), {})
        self.tap: Tap = client.leave
        self.thread_name = f"{THREAD_NAME}-{settings.exchange}"
        self.bridge = AsyncBridge(self.thread_name, context.clock, self._hear_loop_error)
        self.breaker = self._new_breaker()
        self.backoff = Backoff(random or Random())
        self._exchange: Any = None
        self._life = _Life(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._closer: asyncio.Task[None] | None = None
        self._link: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Tell whether something that was asked is not answered yet, or a link is being made; read by any thread."""
        return bool(self._jobs) or self._life.opening

    # --- the client -------------------------------------------------------------------------------------------------

    @property
    def exchange(self) -> Any:
        """Return our ccxt client, which is another one after each loss.

        Raises:
            ConnectionLost: there is none.
        """
        if self._exchange is None:
            raise ConnectionLost(self.name, "not_connected", "the venue is not connected")
        return self._exchange

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        """Return a listed instrument, or None when it is not listed; any thread may ask."""
        return self.listed.instruments.get(instrument_id)

    def unified(self, instrument_id: str) -> str:
        """Return ccxt's symbol of an instrument.

        Raises:
            VenueRejected: it is not listed.
        """
        found = self.listed.unified.get(instrument_id)
        if found is None:
            raise VenueRejected(self.name, "instrument", f"{self.name} does not list {instrument_id}")
        return found

    async def ask(self, question: Callable[[Any], Awaitable[Any]], deadline_s: float = 10.0) -> Any:
        """Ask the venue something by REST; after five failures in a row the link is given up.

        Raises:
            AdapterError: no answer, or none that can be used.
        """
        exchange = self.exchange
        self.health.requests += 1
        try:
            answer = await self.bridge.within(_run(question, exchange), deadline_s)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise ConnectionLost(self.name, "given_up", "ccxt gave up what it was waiting for") from None
        except RAISED as error:
            made = translate(self.name, error, getattr(exchange, "last_response_headers", None))
            self._note_failure(made)
            raise made from error
        self.breaker.succeeded()
        return answer

    async def kick(self, url: str, cause: str) -> None:
        """Drop one of ccxt's connections, so that its watchers fail and the next call dials anew."""
        if self._exchange is not None and url in self._exchange.clients:
            logger.bind(account=self.account).warning("connection {} dropped: {}", clean(url), cause)
            await client.kick(self._exchange, url, cause)

    def lose(self, cause: str) -> None:
        """Give the link up: LOST, back-off, connect again; while there is none it does nothing."""
        self._life.lose(cause)

    # --- the loop ---------------------------------------------------------------------------------------------------

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Run a coroutine until it ends or the session closes; one that fails costs the link."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._hear_end)
        return task

    def run(self, job: Coroutine[Any, Any, None], name: str) -> None:
        """Run something that was asked for and ends by itself; a closing session waits a while for it."""
        self._jobs.add(self.spawn(job, name))

    async def wait_s(self, seconds: float) -> None:
        """Wait by the injected clock."""
        await self.bridge.wait_s(seconds)

    def call_soon(self, function: Callable[[], None]) -> bool:
        """Run a function on the session's thread, from any; False when the session is not running."""
        return self.bridge.call_soon(function)

    def parts(self) -> tuple[Part, ...]:
        """Return the loop, and the task that holds the link, as parts that serve the account; from any thread."""
        link = task_part(f"link of {self.account}", self.account, lambda: self._link, lambda: not self.closing)
        return (self.bridge.part(self.account), link)

    def start(self, user: LinkUser) -> None:
        """Start the thread and connect; returns at once."""
        self.bridge.start()
        self.bridge.call_soon(lambda: self._begin(user))

    def close(self, before_end: Callable[[], None], deadline_s: float) -> str:
        """End everything; returns the name of the thread if it overran the deadline, or "".

        Blocks: at most `deadline_s`; not at all on its own thread.

        Args:
            before_end: called there when nothing runs any more, as the last thing.
            deadline_s: real seconds.
        """
        self.bridge.call_soon(lambda: self._start_closing(before_end))
        return self.bridge.join(deadline_s)

    # --- inside -----------------------------------------------------------------------------------------------------

    async def renew(self) -> None:
        """Make a client and read what the venue lists."""
        self.breaker = self._new_breaker()
        made = self._exchange = client.make_exchange(self.settings, self.clock)
        made.tap = self._tap
        made.on_ending = self._hear_ending
        markets = await self.ask(lambda exchange: exchange.load_markets(), OPEN_WITHIN_S)
        self.listed = listing(self.name, self.venue, markets, made.precisionMode)
        say_left_out(self.account, self.listed)
        say_strangers(self.account, self.name, self.listed, self.settings.named)

    def let_go(self) -> None:
        """Ask by nobody, and close the client in the background."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            end = asyncio.get_running_loop().create_task(client.end_exchange(exchange), name="ccxt client end")
            self._ends.add(end)
            end.add_done_callback(self._ends.discard)

    def _new_breaker(self) -> CircuitBreaker:
        """Return what counts failed requests in a row; each link has one of its own."""
        made = self.health.breakers["requests"] = CircuitBreaker(self.clock.monotonic_ns, failures=5, rest_s=10.0)
        return made

    def _tap(self, connection: Any, message: Any) -> bool:
        return self.tap(connection, message)

    def _hear_ending(self, connection: Any, cause: str) -> None:
        self.spawn(self.kick(connection.url, cause), "ccxt kick")

    def _note_failure(self, error: AdapterError) -> None:
        self.health.failed_requests += 1
        if isinstance(error, VenueRejected):
            self.breaker.succeeded()  # it answered
            return
        before = self.breaker.state
        self.breaker.failed()
        if before is BreakerState.CLOSED and self.breaker.state is BreakerState.OPEN:
            self.lose(f"requests fail: {error}")

    def _begin(self, user: LinkUser) -> None:
        if not self.closing:
            self._link = self.spawn(self._life.live(user), "ccxt link")

    def _start_closing(self, before_end: Callable[[], None]) -> None:
        self.closing = True
        self._closer = asyncio.get_running_loop().create_task(self._end(before_end), name="ccxt end")

    async def _end(self, before_end: Callable[[], None]) -> None:
        try:
            if self._jobs:
                await asyncio.wait(tuple(self._jobs), timeout=FINISH_S)
            running = tuple(self._tasks)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self._life.unlink("closed")
            await asyncio.gather(*self._ends, return_exceptions=True)
        finally:
            try:
                before_end()
            finally:
                self.bridge.stop()

    def _hear_end(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        self._jobs.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.opt(exception=error).error("{}: {} failed", self.account, task.get_name())
            self.lose(f"{task.get_name()} failed: {clean(error)}")

    def _hear_loop_error(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        logger.error("{}: asyncio: {} {}", self.account, clean(context.get("message", "")), clean(error or ""))


class _Life:
    """Connects, holds the link, and connects again after a loss, for ever."""

    def __init__(self, session: CcxtSession) -> None:
        self._session = session
        self._clock = session.clock
        self._user: LinkUser | None = None
        self._lost: asyncio.Future[str] | None = None
        self.opening = False

    async def live(self, user: LinkUser) -> None:
        self._user = user
        session, attempt = self._session, 0
        while True:
            self.opening = True
            self._say(AdapterState.CONNECTING, attempt=attempt)
            cause, pause_s = await self._try_link(user)
            self.unlink(cause)
            delay_s = session.backoff.next_delay_s(self._clock.monotonic_ns(), pause_s)
            attempt = session.backoff.attempt
            self._say(AdapterState.LOST, cause)
            self._say(AdapterState.BACKING_OFF, cause, attempt, delay_s)
            await session.wait_s(delay_s)

    def lose(self, cause: str) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(cause)

    def unlink(self, cause: str) -> None:
        """Let go of the present client."""
        session, self.opening = self._session, False
        was_linked, session.linked, self._lost = session.linked, False, None
        session.health.down(cause)
        if was_linked and self._user is not None:
            self._user.link_lost()
        session.let_go()

    async def _try_link(self, user: LinkUser) -> tuple[str, float]:
        """Hold a link for as long as it lasts; returns why it ended and the least pause."""
        try:
            return await self._hold_link(user), 0.0
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return "ccxt gave up what it was waiting for", 0.0
        except RateLimited as limited:
            return str(limited), limited.retry_after_s
        except AdapterError as error:
            return str(error), 0.0
        except Exception as error:  # the session's outermost loop: a fault of ours costs the link, not the session
            logger.opt(exception=error).error("{}: the link ended by a fault of ours", self._session.account)
            return f"{type(error).__name__}: {clean(error)}", 0.0

    async def _hold_link(self, user: LinkUser) -> str:
        session = self._session
        lost = self._lost = asyncio.get_running_loop().create_future()
        await session.renew()
        session.linked = True
        session.health.up(self._clock.monotonic_ns())
        self._say(AdapterState.CONNECTED)
        opening = asyncio.ensure_future(user.open_link())
        waited: set[asyncio.Future[Any]] = {opening, lost}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not lost.done():
                opening.result()
                session.backoff.good(self._clock.monotonic_ns())
                self._say(AdapterState.READY)
                self.opening = False
            cause: str = await lost
            return cause
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)

    def _say(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        if self._user is not None and not self._session.closing:
            self._user.on_status(state, cause, attempt, delay_s)


async def _run(question: Callable[[Any], Awaitable[Any]], exchange: Any) -> Any:
    return await question(exchange)
