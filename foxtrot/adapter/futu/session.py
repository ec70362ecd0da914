"""One account's session at Futu: its loop, its connection to OpenD, and the life of that connection."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from random import Random
from typing import Any, Final, Protocol

from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.bridge import AsyncBridge, task_part
from foxtrot.adapter.futu.accounts import FutuAccount
from foxtrot.adapter.futu.config import FutuSettings
from foxtrot.adapter.futu.contexts import Hear
from foxtrot.adapter.futu.dialling import Dialling
from foxtrot.adapter.futu.errors import VENUE, NotLinked
from foxtrot.adapter.futu.ledger import CallLedger, SubscriptionQuota
from foxtrot.adapter.futu.life import Life
from foxtrot.adapter.futu.link import QUOTE, TRADE, Call
from foxtrot.adapter.futu.sdk import Sdk
from foxtrot.adapter.health import AdapterHealth
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.clock import Clock
from foxtrot.core.heartbeat import Part
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.instrument import Instrument

THREAD_NAME: Final = "futu-io"
FINISH_S: Final = 2.0
"""How long a closing session waits for what was asked before, in real time."""


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


class FutuSession:
    """What the parts of the adapter are given: the loop, calls of the SDK, pushes, and whether the link stands.

    `on_push` has by kind (ticker, order_book, quote, kline, order, deal, notice) who hears a push: the message's s2c as it is, on the SDK's
    thread; it is read when a link is made. `backoff` may be replaced before the session starts.

    Thread: futu-io, except `start`, `close`, `call_soon`, `find_instrument` and the reading of `linked` and `accounts`.
    """

    def __init__(self, context: AdapterContext, settings: FutuSettings, random: Random | None = None) -> None:
        self.clock: Clock = context.clock
        self.account = context.account
        self.settings = settings
        self.linked = False
        self.linked_since_ns = 0
        """Since when the present link stands, on the monotonic clock."""
        self.closing = False
        self.instruments: dict[str, Instrument] = {}
        self.accounts: Mapping[str, FutuAccount] = {}
        """Futu's account by market, "HK"; those of the last link while there is none."""
        self.health = AdapterHealth(context.account)
        self.bridge = AsyncBridge(THREAD_NAME, context.clock, self._hear_loop_error)
        self.backoff = Backoff(random or Random())
        self.ledger = CallLedger(settings, context.clock.monotonic_ns, self.bridge.wait_s)
        self.quota = SubscriptionQuota(settings.subscription_quota, context.clock.monotonic_ns)
        self.on_push: dict[str, Hear] = {}
        self.dialling = Dialling(self, context.home)
        self.life = Life(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._closer: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Tell whether something that was asked is not answered yet, or a link is being made; read by any thread."""
        return bool(self._jobs) or self.life.opening

    @property
    def sdk(self) -> Sdk:
        """Return the SDK; NotLinked before the first dial, which loads it."""
        if self.dialling.sdk is None:
            raise NotLinked(VENUE, "sdk", "not connected yet")
        return self.dialling.sdk

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        """Return a listed instrument, or None when it is not listed; any thread may ask."""
        return self.instruments.get(instrument_id)

    # --- calls ------------------------------------------------------------------------------------------------------

    async def trade(self, kind: str, call: Call) -> Any:
        """Make a call with the trade context: `await session.trade("funds", lambda context: context.accinfo_query(…))`.

        Args:
            kind: what it is, for the ledger and the choice of thread; see ledger.py.
            call: is given the context, on its worker's thread; returns the SDK's (RET_OK, data), or what `context.ask` returned.

        Returns:
            The data.

        Raises:
            NotSent: the ledger has no room for an order or a change.
            NotLinked: there is no connection: nothing left.
            AdapterError: see `errors.failure_of` and `FutuContext.ask`; whatever the call itself raises comes out too.
        """
        return await self._call(TRADE, kind, call)

    async def quote(self, kind: str, call: Call) -> Any:
        """Make a call with the quote context; see `trade`."""
        return await self._call(QUOTE, kind, call)

    async def _call(self, context: str, kind: str, call: Call) -> Any:
        self.dialling.present(kind)
        await self.ledger.turn(kind)
        self.health.requests += 1
        try:
            return await self.dialling.present(kind).call(context, kind, call)
        except BaseException:
            self.health.failed_requests += 1
            raise

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
        """Run a function on futu-io, from any thread; False when the session is not running."""
        return self.bridge.call_soon(function)

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

    def start(self, user: LinkUser) -> None:
        """Start the thread and connect; returns at once."""
        self.bridge.start()
        self.bridge.call_soon(partial(self._begin, user))

    def close(self, before_end: Callable[[], None], deadline_s: float) -> str:
        """End everything; returns the name of a thread that overran the deadline, or "".

        Blocks: at most `deadline_s`; not at all on futu-io.

        Args:
            before_end: called on futu-io when nothing runs any more, as the last thing.
            deadline_s: real seconds.
        """
        self.bridge.call_soon(partial(self._start_closing, before_end))
        overran = self.bridge.join(deadline_s)
        if not overran and not self.bridge.is_own_thread:
            overran = self.dialling.join()
        return overran

    # --- inside -----------------------------------------------------------------------------------------------------

    def _begin(self, user: LinkUser) -> None:
        if not self.closing:
            self.life.task = self.spawn(self.life.live(user), "futu link")

    def _start_closing(self, before_end: Callable[[], None]) -> None:
        self.closing = True
        self._closer = asyncio.get_running_loop().create_task(self._end(before_end), name="futu end")

    async def _end(self, before_end: Callable[[], None]) -> None:
        try:
            if self._jobs:
                await asyncio.wait(tuple(self._jobs), timeout=FINISH_S)
            running = tuple(self._tasks)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self.life.unlink("closed")
            await self.dialling.ended()
        finally:
            try:
                self.dialling.end()
                before_end()
            finally:
                self.bridge.stop()

    def _hear_end(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        self._jobs.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.opt(exception=error).error("{}: {} failed", self.account, task.get_name())
            self.lose(f"{task.get_name()} failed: {error}")

    def _hear_loop_error(self, context: dict[str, Any]) -> None:
        logger.error("{}: asyncio: {} {}", self.account, context.get("message", ""), context.get("exception") or "")
