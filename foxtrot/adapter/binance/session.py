"""One account's session at Binance: its thread and loop, its ccxt client, and the life of its link."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import Any, Final, Protocol

from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.account_feed import AccountFeed, FeedUser
from foxtrot.adapter.binance.advice import unlisted
from foxtrot.adapter.binance.client import BinanceExchange, ConnectorMaker, Tap
from foxtrot.adapter.binance.client_keeper import ClientKeeper
from foxtrot.adapter.binance.config import BinanceSettings
from foxtrot.adapter.binance.errors import VENUE, clean, login_words
from foxtrot.adapter.binance.order_count import OrderCount
from foxtrot.adapter.binance.rest_door import RestDoor
from foxtrot.adapter.binance.user_stream import UserStream
from foxtrot.adapter.binance.watchdog import Watchdog
from foxtrot.adapter.bridge import AsyncBridge, task_part
from foxtrot.adapter.health import AdapterHealth, StreamHealth
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.clock import Clock
from foxtrot.core.heartbeat import Part
from foxtrot.domain.enums import AdapterState, Product
from foxtrot.domain.errors import AdapterError, ConnectionLost, LoginFailed, RateLimited, VenueRejected
from foxtrot.domain.instrument import Instrument

THREAD_NAME: Final = "binance-io"
LEAVING: Final = "serverShutdown"
"""The event of a connection that goes on for a while, unlike the others after which one says nothing more.

Source: Binance spot API, web-socket-streams, Server Shutdown.
"""
FINISH_S: Final = 2.0
"""How long a closing session waits for what was asked before, in real time."""


class LinkUser(FeedUser, Protocol):
    """Who lives on a link: told of its changes, and asked to bring itself up to date over a new one."""

    def on_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        """Hear a change of the connection."""
        ...

    async def open_link(self) -> None:
        """Tell everything that is to be told between CONNECTED and READY."""
        ...

    def link_lost(self) -> None:
        """Stop whatever needs the link; called once for each loss, before it is told."""
        ...


class BinanceSession:
    """What the parts of the adapter are given: the loop, the client, requests, streams, and whether the link stands.

    `market_tap` and `user_tap` see decoded messages before ccxt does; `on_stale` hears of streams that fell silent, `on_leaving` of
    market connections that the venue is about to close; `backoff` may be replaced before the session starts.

    Thread: binance-io, except `start`, `close`, `call_soon`, `find_instrument` and the reading of `linked`.
    """

    def __init__(
        self,
        context: AdapterContext,
        settings: BinanceSettings,
        random: Random | None = None,
        make_connector: ConnectorMaker | None = None,
    ) -> None:
        self.product: Product = settings.product
        self.clock: Clock = context.clock
        self.account = context.account
        self.settings = settings
        self.linked = False
        self.closing = False
        self.instruments: dict[str, Instrument] = {}
        self.halted: dict[str, str] = {}
        """The venue's word for why an instrument does not trade now, by id; its orders can be asked for and cancelled."""
        self.health = AdapterHealth(context.account)
        self.bridge = AsyncBridge(THREAD_NAME, context.clock, self._hear_loop_error)
        self.order_count = OrderCount(settings.product, counts=settings.rate_limit)
        self.door = RestDoor(self.bridge, context, self.health, self.order_count, settings.host)
        self.keeper = ClientKeeper(settings, context.clock, self.door, make_connector)
        self.user_stream = UserStream(settings.product, self.door, self.bridge, self.health)
        self.user_stream.rotate_after_s = settings.rotate_hours * 3600.0
        self.keeper.is_repeated = self.user_stream.is_repeated
        self.feed = AccountFeed(settings, self.user_stream, self.bridge, self.health)
        self.watchdog = Watchdog(self.bridge, self.health, self._kick_soon, self._tell_stale)
        self.backoff = Backoff(random or Random())
        self.on_stale: Callable[[StreamHealth], None] = _ignore_stale
        self.on_leaving: Callable[[Any], None] = _ignore_stale
        self.keeper.on_weight = self._note_weight
        self.keeper.on_frame, self.keeper.on_ending = self.watchdog.heard, self._hear_ending
        self._life = _Life(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._closer: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Tell whether something that was asked is not answered yet, or a link is being made; read by any thread."""
        return bool(self._jobs) or self._life.opening

    @property
    def by_rest(self) -> str:
        """Return why the account is asked for by REST, "" while its stream stands."""
        return self.feed.by_rest

    # --- the client -------------------------------------------------------------------------------------------------

    @property
    def exchange(self) -> BinanceExchange:
        """Return our ccxt client, which is another one after each loss; ConnectionLost when there is none."""
        return self.keeper.exchange

    @property
    def market_tap(self) -> Tap:
        """Return who sees the messages of market connections."""
        return self.keeper.market_tap

    @market_tap.setter
    def market_tap(self, tap: Tap) -> None:
        self.keeper.market_tap = tap

    @property
    def user_tap(self) -> Tap:
        """Return who sees the events of the account."""
        return self.keeper.user_tap

    @user_tap.setter
    def user_tap(self, tap: Tap) -> None:
        self.keeper.user_tap = tap

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        """Return a listed instrument, or None when it is not listed; any thread may ask."""
        return self.instruments.get(instrument_id)

    def market_symbol(self, instrument_id: str) -> str:
        """Return the venue's symbol of an instrument, "BTCUSDT".

        Raises:
            VenueRejected: it is not listed.
        """
        found = self.instruments.get(instrument_id)
        if found is None:
            raise VenueRejected(VENUE, "instrument", unlisted(instrument_id, self.instruments))
        return found.symbol

    def unified(self, instrument_id: str) -> str:
        """Return ccxt's symbol of an instrument, "BTC/USDT" or "BTC/USDT:USDT"; VenueRejected when it is not listed."""
        kind = "spot" if self.product is Product.SPOT else "swap"
        return str(self.exchange.safe_symbol(self.market_symbol(instrument_id), None, None, kind))

    async def request(self, endpoint: str, params: Mapping[str, str], *, deadline_s: float = 10.0) -> Any:
        """Call ccxt's method of an endpoint that does not trade; see RestDoor.request."""
        return await self.door.request(endpoint, params, deadline_s=deadline_s)

    async def send_permitted(self, endpoint: str, params: Mapping[str, str], *, reduces: bool) -> Any:
        """Send an order past the send permit; see RestDoor.send_permitted."""
        return await self.door.send_permitted(endpoint, params, reduces=reduces)

    async def kick(self, url: str, cause: str) -> None:
        """Drop one of ccxt's connections, so that its watchers fail and the next call dials anew."""
        await self.keeper.kick(url, cause)

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
        """Run a function on binance-io, from any thread; False when the session is not running."""
        return self.bridge.call_soon(function)

    def parts(self) -> tuple[Part, ...]:
        """Return the loop and the task that holds the link; from any thread."""
        life = self._life
        link = task_part(
            f"link of {self.account}", self.account, lambda: life.task, lambda: not (self.closing or life.given_up)
        )
        return (self.bridge.part(self.account), link)

    def start(self, user: LinkUser) -> None:
        """Start the thread and connect; returns at once."""
        self.bridge.start()
        self.bridge.call_soon(lambda: self._begin(user))

    def close(self, before_end: Callable[[], None], deadline_s: float) -> str:
        """End everything; returns the name of the thread if it overran the deadline, or "".

        Blocks: at most `deadline_s`; not at all on binance-io.

        Args:
            before_end: called on binance-io when nothing runs any more, as the last thing.
            deadline_s: real seconds.
        """
        self.bridge.call_soon(lambda: self._start_closing(before_end))
        return self.bridge.join(deadline_s)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _begin(self, user: LinkUser) -> None:
        if not self.closing:
            self._life.task = self.spawn(self._life.live(user), "binance link")

    def _start_closing(self, before_end: Callable[[], None]) -> None:
        self.closing = True
        self._closer = asyncio.get_running_loop().create_task(self._end(before_end), name="binance end")

    async def _end(self, before_end: Callable[[], None]) -> None:
        try:
            if self._jobs:
                await asyncio.wait(tuple(self._jobs), timeout=FINISH_S)
            running = tuple(self._tasks)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self._life.unlink("closed")
            await self.keeper.closed()
        finally:
            try:
                before_end()
            finally:
                self.bridge.stop()

    def _hear_ending(self, connection: Any, kind: str) -> None:
        is_user = connection.url == self.user_stream.url and not self.by_rest
        if is_user and kind == LEAVING:
            self.user_stream.hear_leaving()
        elif is_user:
            self.lose(f"user stream: {kind}")
        elif kind == LEAVING:
            self.on_leaving(connection)
        else:
            self._kick_soon(connection.url, kind)

    def _note_weight(self, weight: int) -> None:
        self.health.used_weight = weight

    def _kick_soon(self, url: str, cause: str) -> None:
        self.spawn(self.kick(url, cause), "binance kick")

    def _tell_stale(self, stream: StreamHealth) -> None:
        self.on_stale(stream)

    def _hear_end(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        self._jobs.discard(task)
        error = _failure_of(task)
        if error is not None:
            logger.opt(exception=error).error("{}: {} failed", self.account, task.get_name())
            self.lose(f"{task.get_name()} failed: {clean(error)}")

    def _hear_loop_error(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        logger.error("{}: asyncio: {} {}", self.account, clean(context.get("message", "")), clean(error or ""))


class _Life:
    """Connects, holds the link, and connects again after a loss, for ever unless the credentials are refused."""

    def __init__(self, session: BinanceSession) -> None:
        self._session = session
        self._clock = session.clock
        self._user: LinkUser | None = None
        self._lost: asyncio.Future[str] | None = None
        self.opening = False
        self.given_up = False  # the venue has refused the credentials, which is not tried again
        self.task: asyncio.Task[None] | None = None

    async def live(self, user: LinkUser) -> None:
        self._user = user
        session, attempt = self._session, 0
        while True:
            self.opening = True
            self._say(AdapterState.CONNECTING, attempt=attempt)
            cause, pause_s = await self._try_link(user)
            self.unlink(cause)
            if pause_s is None:
                self.given_up = True
                self._say(AdapterState.FAILED, cause)
                return
            delay_s = session.backoff.next_delay_s(self._clock.monotonic_ns(), pause_s)
            attempt = session.backoff.attempt
            self._say(AdapterState.LOST, cause)
            self._say(AdapterState.BACKING_OFF, cause, attempt, delay_s)
            await session.wait_s(delay_s)

    def lose(self, cause: str) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(cause)

    def unlink(self, cause: str) -> None:
        """Let go of the present client, in the background when orders may still be on their way over it."""
        session, self.opening = self._session, False
        was_linked, session.linked, self._lost = session.linked, False, None
        session.watchdog.forget()
        session.health.down(cause)
        if was_linked and self._user is not None:
            self._user.link_lost()
        session.keeper.let_go(at_once=session.closing)

    async def _try_link(self, user: LinkUser) -> tuple[str, float | None]:
        """Hold a link for as long as it lasts; returns why it ended and the least pause, None when for good."""
        try:
            return await self._hold_link(user), 0.0
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return "ccxt gave up what it was waiting for", 0.0
        except LoginFailed as refused:
            words = login_words(refused, self._session.settings.environment)
            return f"{words} -> {type(refused).__name__}; it is not tried again", None
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
        session.keeper.renew()
        await session.door.sync_clock()
        await session.door.ask(lambda exchange: exchange.load_markets(), 30.0)
        if session.settings.has_keys:
            await session.feed.open(session.lose)
        session.linked = True
        session.health.up(self._clock.monotonic_ns())
        self._say(AdapterState.CONNECTED)
        guards = [session.spawn(session.watchdog.watch(), "binance watchdog")]
        if session.settings.has_keys:
            guards.append(session.spawn(session.feed.keep(user, session.lose, self._tell_back), "binance account"))
        try:
            return await self._open_and_hold(user, lost)
        finally:
            for guard in guards:
                guard.cancel()

    async def _open_and_hold(self, user: LinkUser, lost: "asyncio.Future[str]") -> str:
        opening = asyncio.ensure_future(user.open_link())
        waited: set[asyncio.Future[Any]] = {opening, lost}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not lost.done():
                opening.result()
                self._session.backoff.good(self._clock.monotonic_ns())
                self._tell_ready()
                self.opening = False
            return await lost
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)

    def _tell_ready(self) -> None:
        by_rest = self._session.by_rest
        self._say(AdapterState.READY, f"by REST: {by_rest}" if by_rest else "")

    def _tell_back(self) -> None:
        """Tell READY once more, now that the account's stream is back; a link that is not READY yet tells it then."""
        if not self.opening:
            self._tell_ready()

    def _say(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        if self._user is not None and not self._session.closing:
            self._user.on_status(state, cause, attempt, delay_s)


def _failure_of(task: "asyncio.Task[Any]") -> BaseException | None:
    """Return what a task failed with; one that was cancelled and nobody cancelled failed with what it waited for."""
    if not task.cancelled():
        return task.exception()
    return None if task.cancelling() else ConnectionLost(VENUE, "given_up", "what it waited for was given up")


def _ignore_stale(_stream: Any) -> None:
    """Hear nothing."""
