"""LoopSession: what the session of every venue with a loop of its own does alike: jobs, their ends, and its own end."""

import abc
import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, Protocol

from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.health import AdapterHealth
from foxtrot.core.clock import Clock
from foxtrot.domain.enums import AdapterState

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


class LoopSession(abc.ABC):
    """A loop on a thread of its own, the jobs on it, and their end; a venue's session adds the link.

    Thread: the loop's, except `call_soon`, `close` and the reading of `linked`.

    Args:
        context: what the platform gives.
        thread_name: of the loop's thread.
        short_name: what the session's own tasks are called after, such as "futu".
    """

    def __init__(self, context: AdapterContext, thread_name: str, short_name: str) -> None:
        self.clock: Clock = context.clock
        self.account = context.account
        self.linked = False
        self.closing = False
        self.health = AdapterHealth(context.account)
        self.bridge = AsyncBridge(thread_name, context.clock, self._hear_loop_error)
        self._short_name = short_name
        self._tasks: set[asyncio.Task[Any]] = set()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._closer: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Tell whether something that was asked is not answered yet; read by any thread."""
        return bool(self._jobs)

    @abc.abstractmethod
    def lose(self, cause: str) -> None:
        """Give the link up, and make another; while there is none it does nothing."""

    @abc.abstractmethod
    async def leave(self) -> None:
        """Let go of the link, when nothing runs any more, and return when what it was made of is gone."""

    @abc.abstractmethod
    def end_threads(self) -> None:
        """Let the session's own threads begin nothing any more."""

    @abc.abstractmethod
    def join_threads(self) -> str:
        """Wait for the session's own threads to end; returns the name of one that does not, or "".

        Blocks: at most a second.
        """

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
        """Run a function on the loop, from any thread; False when the session is not running."""
        return self.bridge.call_soon(function)

    def close(self, before_end: Callable[[], None], deadline_s: float) -> str:
        """End everything; returns the name of a thread that overran the deadline, or "".

        Blocks: at most `deadline_s`; not at all on the loop's thread.

        Args:
            before_end: called on the loop when nothing runs any more, as the last thing.
            deadline_s: real seconds.
        """
        self.bridge.call_soon(partial(self._start_closing, before_end))
        overran = self.bridge.join(deadline_s)
        if not overran and not self.bridge.is_own_thread:
            overran = self.join_threads()
        return overran

    # --- inside -----------------------------------------------------------------------------------------------------

    def _start_closing(self, before_end: Callable[[], None]) -> None:
        self.closing = True
        name = f"{self._short_name} end"
        self._closer = asyncio.get_running_loop().create_task(self._end(before_end), name=name)

    async def _end(self, before_end: Callable[[], None]) -> None:
        try:
            if self._jobs:
                await asyncio.wait(tuple(self._jobs), timeout=FINISH_S)
            running = tuple(self._tasks)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await self.leave()
        finally:
            try:
                self.end_threads()
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
