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
from foxtrot.adapter.futu.contexts import HANDLERS, Hear
from foxtrot.adapter.futu.errors import VENUE, NotLinked
from foxtrot.adapter.futu.ledger import CallLedger, SubscriptionQuota
from foxtrot.adapter.futu.life import Life
from foxtrot.adapter.futu.link import QUOTE, TRADE, Call, FutuLink
from foxtrot.adapter.futu.reach import Reach
from foxtrot.adapter.futu.sdk import Sdk, load_sdk
from foxtrot.adapter.futu.worker import Worker
from foxtrot.adapter.health import AdapterHealth
from foxtrot.adapter.reader_callback import guarded
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.clock import Clock
from foxtrot.core.heartbeat import Part
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import RequestTimedOut
from foxtrot.domain.instrument import Instrument

THREAD_NAME: Final = "futu-io"
FINISH_S: Final = 2.0
"""How long a closing session waits for what was asked before, in real time."""
BEAT_S: Final = 3.0
"""How often OpenD is asked how it does, over each of its sockets."""
END_S: Final = 1.0
"""How long threads and sockets of a connection may take to go, before it is told that they have not."""


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
        self.reach = Reach(settings, self.bridge)
        self.life = Life(self)
        self._home = context.home
        self._sdk: Sdk | None = None
        self._link: FutuLink | None = None
        self._hands = Worker("futu-hands")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._closer: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Tell whether something that was asked is not answered yet, or a link is being made; read by any thread."""
        return bool(self._jobs) or self.life.opening

    @property
    def sdk(self) -> Sdk:
        """Return the SDK; NotLinked before the first dial, which loads it."""
        if self._sdk is None:
            raise NotLinked(VENUE, "sdk", "not connected yet")
        return self._sdk

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
        self._present(kind)
        await self.ledger.turn(kind)
        self.health.requests += 1
        try:
            return await self._present(kind).call(context, kind, call)
        except BaseException:
            self.health.failed_requests += 1
            raise

    def _present(self, kind: str) -> FutuLink:
        if self._link is None:
            raise NotLinked(VENUE, kind, "not connected to OpenD")
        return self._link

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
        if not overran and not self.bridge.is_own_thread and not self._hands.join(END_S):
            overran = self._hands.name
        return overran

    # --- the link, for Life -----------------------------------------------------------------------------------------

    async def dial(self) -> None:
        """Make the link: find OpenD, connect both contexts, find the accounts.

        Raises:
            AdapterError: it is not there, refused, or is mute.
            NotSetUp: the accounts of the settings are not there.
            ConfigError: the SDK cannot be used.
        """
        if self._sdk is None:
            self._sdk = await self._hands.run(self._load)
        address = await self.reach.address()
        await self.reach.probe(address)
        link = self._link = FutuLink(self._sdk, address, self.settings, self._pushes(), self._hear_gone)
        await self._within(link.open(), "connect")
        self.accounts = link.accounts
        await self._ask_state(link)

    async def beat(self) -> None:
        """Ask OpenD how it does for as long as the link lasts; one that does not answer loses it."""
        while self._link is not None:
            await self.wait_s(BEAT_S)
            await self._ask_state(self._link)

    def let_go(self) -> None:
        """End the present link, in the background."""
        link, self._link = self._link, None
        self.quota.forget()
        if link is not None:
            link.end()
            task = asyncio.get_running_loop().create_task(self._join(link), name="futu join")
            self._ends.add(task)
            task.add_done_callback(self._ends.discard)

    async def _join(self, link: FutuLink) -> None:
        stuck = await self._hands.run(partial(link.join, END_S))
        if stuck:
            logger.bind(account=self.account).warning(
                "of a connection to OpenD that is given up, this stays: {}", stuck
            )

    async def _ask_state(self, link: FutuLink) -> None:
        for context in (QUOTE, TRADE):
            state = await self._within(link.state(context), "state")
            self.life.hear_upstream(bool(state.qotLogined), bool(state.trdLogined))

    async def _within(self, answer: Coroutine[Any, Any, Any], what: str) -> Any:
        mute_s = self.settings.mute_after_s
        try:
            return await self.bridge.within(answer, mute_s)
        except RequestTimedOut as error:
            raise RequestTimedOut(
                VENUE, what, f"OpenD took the connection and said nothing for {mute_s:g} s"
            ) from error

    def _load(self) -> Sdk:
        sdk = load_sdk(None if self._home is None else self._home / "futu")
        sdk.use_key(self.settings.rsa_file)
        return sdk

    def _pushes(self) -> dict[str, Hear]:
        """Return who hears pushes; what they raise is logged, once for each kind, since the SDK would hide it."""
        found = {kind: guarded(self.on_push.get(kind, _ignore), "Futu", kind) for kind in HANDLERS}
        return found | {"notice": self._hear_notice}

    # --- what the SDK's threads tell --------------------------------------------------------------------------------

    def _hear_gone(self, reason: str) -> None:
        link = self._link
        self.call_soon(lambda: self.lose(f"the connection is gone: {reason}") if self._link is link else None)

    def _hear_notice(self, notice: Any) -> None:
        if notice.HasField("connectStatus"):
            status = notice.connectStatus
            self.call_soon(partial(self.life.hear_upstream, bool(status.qotLogined), bool(status.trdLogined)))
        guarded(self.on_push.get("notice", _ignore), "Futu", "notice")(notice)

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
            await asyncio.gather(*self._ends, return_exceptions=True)
        finally:
            self._finish(before_end)

    def _finish(self, before_end: Callable[[], None]) -> None:
        self._hands.end()
        self.reach.end()
        if self._sdk is not None:
            self._sdk.drop_key()
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
            self.lose(f"{task.get_name()} failed: {error}")

    def _hear_loop_error(self, context: dict[str, Any]) -> None:
        logger.error("{}: asyncio: {} {}", self.account, context.get("message", ""), context.get("exception") or "")


def _ignore(_push: Any) -> None:
    """Hear nothing: nobody asked for this kind of push."""
