"""One account's session at Binance: its thread and loop, its ccxt client, and the life of its link."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from random import Random
from typing import Any, Final, Protocol

from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance import client
from foxtrot.adapter.binance.client import BinanceExchange, ConnectorMaker, Tap
from foxtrot.adapter.binance.config import BinanceSettings
from foxtrot.adapter.binance.errors import VENUE, clean
from foxtrot.adapter.binance.rest_door import RestDoor
from foxtrot.adapter.binance.user_stream import UserStream
from foxtrot.adapter.binance.watchdog import Watchdog
from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.health import AdapterHealth, StreamHealth
from foxtrot.adapter.reconnect import Backoff, ConnectionBudget
from foxtrot.core.clock import Clock
from foxtrot.domain.enums import AdapterState, Product
from foxtrot.domain.errors import AdapterError, ConnectionLost, LoginFailed, RateLimited, VenueRejected
from foxtrot.domain.instrument import Instrument

__all__ = ["THREAD_NAME", "BinanceSession", "LinkUser", "Tap"]
THREAD_NAME: Final = "binance-io"
LAND_S: Final = 2.0
"""How long a closing session waits for orders on their way, in real time."""


class LinkUser(Protocol):
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
    """Connects, holds the link, and connects again after a loss, until it is closed.

    `market_tap` and `user_tap` see decoded messages before ccxt does; `on_stale` hears of streams that fell silent; `backoff`
    may be replaced before the session starts. `leverages` and `margin_types` are by venue symbol, as far as they are known.

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
        self.leverages: dict[str, int] = {}
        self.margin_types: dict[str, str] = {}
        self.health = AdapterHealth(context.account)
        self.bridge = AsyncBridge(THREAD_NAME, context.clock, self._hear_loop_error)
        self.door = RestDoor(self.bridge, context.permit, self.health)
        self.user_stream = UserStream(settings.product, self.door, self.bridge)
        self.watchdog = Watchdog(self.bridge, self.health, self._kick_soon, self._tell_stale)
        self.backoff = Backoff(random or Random())
        self.budget = ConnectionBudget(settings.connection_limit)
        self.market_tap: Tap = _leave
        self.user_tap: Tap = _leave
        self.on_stale: Callable[[StreamHealth], None] = _ignore_stale
        self._make_connector = make_connector
        self._user: LinkUser | None = None
        self._life: asyncio.Task[None] | None = None
        self._lost: asyncio.Future[str] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._closers: set[asyncio.Task[Any]] = set()

    # --- what the parts of the adapter use --------------------------------------------------------------------------

    @property
    def exchange(self) -> BinanceExchange:
        """Return our ccxt client, which is another one after each loss.

        Raises:
            ConnectionLost: there is none now.
        """
        if self.door.exchange is None:
            raise ConnectionLost(VENUE, "not_connected", "the venue is not connected")
        return self.door.exchange

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        """Return a listed instrument, or None when it is not listed; any thread may ask."""
        return self.instruments.get(instrument_id)

    def market_symbol(self, instrument_id: str) -> str:
        """Return the venue's symbol of an instrument, "BTCUSDT".

        Raises:
            VenueRejected: it is not listed.
        """
        if instrument_id not in self.instruments:
            raise VenueRejected(VENUE, "instrument", f"Binance {self.settings.product} does not list {instrument_id}")
        return instrument_id.partition(".")[0]

    def unified(self, instrument_id: str) -> str:
        """Return ccxt's symbol of an instrument, "BTC/USDT" or "BTC/USDT:USDT".

        Raises:
            VenueRejected: it is not listed.
        """
        return str(self.exchange.safe_symbol(self.market_symbol(instrument_id), None, None, self._market_type))

    @property
    def _market_type(self) -> str:
        return "spot" if self.product is Product.SPOT else "swap"

    async def request(self, endpoint: str, params: Mapping[str, str], *, deadline_s: float = 10.0) -> Any:
        """Call ccxt's method of an endpoint that does not trade; see RestDoor.request."""
        return await self.door.request(endpoint, params, deadline_s=deadline_s)

    async def send_permitted(self, endpoint: str, params: Mapping[str, str], *, reduces: bool) -> Any:
        """Send an order past the send permit; see RestDoor.send_permitted."""
        return await self.door.send_permitted(endpoint, params, reduces=reduces)

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Run a coroutine until it ends or the session closes; one that fails costs the link."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._hear_end)
        return task

    def run(self, job: Coroutine[Any, Any, None], name: str) -> None:
        """Run something that was asked for and ends by itself; a closing session waits a while for it."""
        task = self.spawn(job, name)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def wait_s(self, seconds: float) -> None:
        """Wait by the injected clock."""
        await self.bridge.wait_s(seconds)

    def call_soon(self, function: Callable[[], None]) -> bool:
        """Run a function on binance-io, from any thread; False when the session is not running."""
        return self.bridge.call_soon(function)

    async def kick(self, url: str, cause: str) -> None:
        """Drop one of ccxt's connections, so that its watchers fail and the next call dials anew."""
        if self.door.exchange is not None:
            logger.warning("{} drops the connection to {}: {}", self.account, clean(url), cause)
            await client.kick(self.door.exchange, url, client.kicked(cause))

    def lose(self, cause: str) -> None:
        """Give the link up: LOST, back-off, connect again; while there is none it does nothing."""
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(cause)

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self, user: LinkUser) -> None:
        """Start the thread and connect; returns at once."""
        self._user = user
        self.bridge.start()
        self.bridge.call_soon(self._begin)

    def close(self, before_end: Callable[[], None], deadline_s: float) -> str:
        """End everything; returns the name of the thread if it overran the deadline, or "".

        Blocks: at most `deadline_s`; not at all on binance-io.

        Args:
            before_end: called on binance-io when nothing runs any more, as the last thing.
            deadline_s: real seconds.
        """
        self.bridge.call_soon(lambda: self._start_closing(before_end))
        return self.bridge.join(deadline_s)

    def _begin(self) -> None:
        if not self.closing:
            self._life = asyncio.get_running_loop().create_task(self._live(), name="binance link")

    def _start_closing(self, before_end: Callable[[], None]) -> None:
        self.closing = True
        closing = asyncio.get_running_loop().create_task(self._end(before_end), name="binance end")
        self._closers.add(closing)

    async def _end(self, before_end: Callable[[], None]) -> None:
        try:
            if self._jobs:
                await asyncio.wait(tuple(self._jobs), timeout=LAND_S)
            running = [task for task in (self._life, *self._tasks) if task is not None]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self._unlink("closed")
            own = asyncio.current_task()
            await asyncio.gather(*(task for task in self._closers if task is not own), return_exceptions=True)
        finally:
            try:
                before_end()
            finally:
                self.bridge.stop()

    async def _live(self) -> None:
        attempt = 0
        while True:
            self._say(AdapterState.CONNECTING, attempt=attempt)
            cause, pause_s = await self._try_link()
            self._unlink(cause)
            if pause_s is None:
                self._say(AdapterState.FAILED, cause)
                return
            delay_s = self.backoff.next_delay_s(self.clock.monotonic_ns(), pause_s)
            attempt = self.backoff.attempt
            self._say(AdapterState.LOST, cause)
            self._say(AdapterState.BACKING_OFF, cause, attempt, delay_s)
            await self.bridge.wait_s(delay_s)

    async def _try_link(self) -> tuple[str, float | None]:
        """Hold a link for as long as it lasts; returns why it ended and the least pause, None when for good."""
        try:
            return await self._hold_link(), 0.0
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return "ccxt gave up what it was waiting for", 0.0
        except LoginFailed as refused:
            return f"Binance refuses the credentials: {refused}", None
        except RateLimited as limited:
            return str(limited), limited.retry_after_s
        except AdapterError as error:
            return str(error), 0.0
        except Exception as error:  # the session's outermost loop: a fault of ours costs the link, not the session
            logger.opt(exception=error).error("{}: the link ended by a fault of ours", self.account)
            return f"{type(error).__name__}: {clean(error)}", 0.0

    async def _hold_link(self) -> str:
        lost = self._lost = asyncio.get_running_loop().create_future()
        exchange = self._new_exchange()
        self.door.use(exchange)
        await self.door.sync_clock()
        await self.door.ask(lambda found: found.load_markets(), 30.0)
        if self.settings.has_keys:
            await self.user_stream.open(self.lose)
        self.linked = True
        self.health.up(self.clock.monotonic_ns())
        self._say(AdapterState.CONNECTED)
        guards = [self.spawn(self.watchdog.watch(), "binance watchdog")]
        if self.settings.has_keys:
            guards.append(self.spawn(self.user_stream.keep(self.lose), "binance listen key"))
        try:
            return await self._open_and_hold(lost)
        finally:
            for guard in guards:
                guard.cancel()

    async def _open_and_hold(self, lost: "asyncio.Future[str]") -> str:
        opening = asyncio.ensure_future(self._open())
        waited: set[asyncio.Future[Any]] = {opening, lost}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not lost.done():
                opening.result()
                self.backoff.good(self.clock.monotonic_ns())
                self._say(AdapterState.READY)
            return await lost
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)

    async def _open(self) -> None:
        if self._user is not None:
            await self._user.open_link()

    def _new_exchange(self) -> BinanceExchange:
        made = client.make_exchange(self.settings, self.clock, self.budget, self._make_connector)
        made.market_tap, made.user_tap = self._tap_market, self._tap_user
        made.on_frame = self.watchdog.heard
        made.on_ending = partial(self._hear_ending, made)
        return made

    def _unlink(self, cause: str) -> None:
        """Let go of the present client, in the background when orders are still on their way over it."""
        was_linked, self.linked, self._lost = self.linked, False, None
        self.watchdog.forget()
        self.health.down(cause)
        if was_linked and self._user is not None:
            self._user.link_lost()
        exchange = self.door.exchange
        self.door.use(None)
        if exchange is not None:
            closer = asyncio.ensure_future(self._let_go(exchange))
            self._closers.add(closer)
            closer.add_done_callback(self._closers.discard)

    async def _let_go(self, exchange: BinanceExchange) -> None:
        try:
            if not self.closing:
                await self.door.drain(LAND_S)
        finally:
            await client.end_exchange(exchange)

    def _say(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        if self._user is not None and not self.closing:
            self._user.on_status(state, cause, attempt, delay_s)

    # --- what goes wrong by itself ----------------------------------------------------------------------------------

    def _tap_market(self, connection: Any, message: Mapping[str, Any]) -> bool:
        return self.market_tap(connection, message)

    def _tap_user(self, connection: Any, event: Mapping[str, Any]) -> bool:
        return self.user_tap(connection, event)

    def _hear_ending(self, exchange: BinanceExchange, connection: Any, kind: str) -> None:
        if exchange is not self.door.exchange:
            return
        if connection.url == self.user_stream.url:
            self.lose(f"user stream: {kind}")
        else:
            self._kick_soon(connection.url, kind)

    def _kick_soon(self, url: str, cause: str) -> None:
        self.spawn(self.kick(url, cause), "binance kick")

    def _tell_stale(self, stream: StreamHealth) -> None:
        self.on_stale(stream)

    def _hear_end(self, task: "asyncio.Task[Any]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.opt(exception=error).error("{}: {} failed", self.account, task.get_name())
            self.lose(f"{task.get_name()} failed: {clean(error)}")

    def _hear_loop_error(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        logger.error("{}: asyncio: {} {}", self.account, clean(context.get("message", "")), clean(error or ""))


def _leave(_client: Any, _message: Mapping[str, Any]) -> bool:
    return False


def _ignore_stale(_stream: StreamHealth) -> None:
    """Hear nothing."""
