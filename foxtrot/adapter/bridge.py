"""AsyncBridge: one asyncio loop on one named thread, entered from any other."""

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar

from loguru import logger

from foxtrot.core.clock import Clock
from foxtrot.core.failure_text import failure_text
from foxtrot.core.heartbeat import Part
from foxtrot.domain.errors import ConnectionLost, RequestTimedOut

T = TypeVar("T")
Job = Callable[[], None]
BEAT_S = 0.25
SILENT_S = 5.0
"""How long a loop may be held up: a venue's list of thousands of contracts takes a second or two to read."""
LoopError = Callable[[dict[str, Any]], None]
"""Hears what asyncio caught: a context with "message" and, mostly, "exception"."""


class LoopTimers:
    """Waits by an injected clock on an asyncio loop, so that whoever moves the clock moves the waits.

    Thread: the loop's, except `look_again_soon`.
    """

    def __init__(self, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self._clock = clock
        self._loop = loop
        self._due: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._handle: asyncio.TimerHandle | None = None

    async def wait_s(self, seconds: float) -> None:
        """Return when the clock has moved on by a number of seconds."""
        waiter = self._loop.create_future()
        due_ns = self._clock.monotonic_ns() + int(seconds * 1e9)
        heappush(self._due, (due_ns, next(self._numbers), waiter))
        self.look()
        await waiter

    def look(self) -> None:
        """Wake whoever is due and set the loop's timer for the next."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        now_ns = self._clock.monotonic_ns()
        while self._due and (self._due[0][0] <= now_ns or self._due[0][2].done()):
            waiter = heappop(self._due)[2]
            if not waiter.done():
                waiter.set_result(None)
        if self._due:
            self._handle = self._loop.call_later((self._due[0][0] - now_ns) / 1e9, self.look)


class AsyncBridge:
    """Owns a thread and the asyncio loop on it; can be started again after it was stopped.

    Thread: `start`, `stop`, `submit` and `call_soon` may be called on any thread; everything else runs on the bridge's.
    """

    def __init__(self, name: str, clock: Clock, on_loop_error: LoopError | None = None) -> None:
        self.name = name
        self.clock = clock
        self.on_loop_error: LoopError = on_loop_error or _log_loop_error
        self._guard = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._timers: LoopTimers | None = None
        self._beat_ns = 0
        self.died = ""
        """Why the loop has ended although nobody asked for it, "" when it has not."""
        on_move = getattr(clock, "on_move", None)
        if on_move is not None:  # a clock that is moved by hand tells who waits for it
            on_move(self._look_soon)

    @property
    def running(self) -> bool:
        """Tell whether jobs are taken."""
        return self._loop is not None

    @property
    def is_own_thread(self) -> bool:
        """Tell whether the caller is on the loop's thread."""
        return threading.current_thread() is self._thread

    def start(self) -> None:
        """Start the thread; doing it while it runs does nothing."""
        with self._guard:
            if self._loop is not None:
                return
            loop = asyncio.new_event_loop()
            loop.set_exception_handler(lambda _loop, context: self.on_loop_error(context))
            self._loop, self._timers = loop, LoopTimers(self.clock, loop)
            self.died, self._beat_ns = "", self.clock.monotonic_ns()
            loop.call_soon(self._beat, loop)
            self._thread = threading.Thread(target=self._run, args=(loop,), name=self.name, daemon=True)
            self._thread.start()

    def part(self, serves: str) -> Part:
        """Return the loop as a part to be supervised: while it runs it must go round."""
        return Part(
            name=f"{self.name} of {serves}" if serves else self.name,
            serves=serves,
            death=lambda: self.died,
            beat_ns=lambda: self._beat_ns if self.running else None,
            silent_s=SILENT_S,
            thread=lambda: self._thread.ident if self._thread is not None else None,
        )

    def stop(self, deadline_s: float = 5.0) -> str:
        """Cancel what runs, end the loop and its thread; returns the thread's name if it overran the deadline, or "".

        On the bridge's own thread it only says that the end has come, since no thread can wait for itself.

        Blocks: at most `deadline_s`.
        """
        with self._guard:
            loop, self._loop, self._timers = self._loop, None, None
            if loop is not None:
                loop.call_soon_threadsafe(loop.stop)
        return self.join(deadline_s)

    def join(self, deadline_s: float) -> str:
        """Wait for the end that somebody else has told or will tell; returns as `stop`.

        Blocks: at most `deadline_s`; not at all on the bridge's own thread.
        """
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return ""
        thread.join(deadline_s)
        return thread.name if thread.is_alive() else ""

    def call_soon(self, job: Job) -> bool:
        """Run a job on the loop's thread; False when the bridge is not running."""
        with self._guard:
            if self._loop is None:
                return False
            self._loop.call_soon_threadsafe(job)
            return True

    def submit(self, coroutine: Coroutine[Any, Any, T], deadline_s: float | None = None) -> "Future[T]":
        """Run a coroutine on the loop's thread.

        Returns:
            A future: the result; RequestTimedOut past the deadline, which is the clock's; ConnectionLost when the bridge
            is not running.
        """
        with self._guard:
            if self._loop is not None:
                timed = coroutine if deadline_s is None else self.within(coroutine, deadline_s)
                return asyncio.run_coroutine_threadsafe(timed, self._loop)
        coroutine.close()
        refused: Future[T] = Future()
        refused.set_exception(ConnectionLost(self.name, "not_running", "the loop is not running"))
        return refused

    async def wait_s(self, seconds: float) -> None:
        """Wait by the injected clock; once the bridge is stopped it only waits for the end."""
        loop, timers = asyncio.get_running_loop(), self._timers
        if timers is None or loop is not self._loop:
            await loop.create_future()
        else:
            await timers.wait_s(seconds)

    async def within(self, coroutine: Coroutine[Any, Any, T], deadline_s: float) -> T:
        """Await a coroutine for a time by the injected clock; what is late is cancelled.

        Raises:
            RequestTimedOut: no result in time.
        """
        work = asyncio.ensure_future(coroutine)
        alarm = asyncio.ensure_future(self.wait_s(deadline_s))
        try:
            await asyncio.wait({work, alarm}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise RequestTimedOut(self.name, "timeout", f"no result in {deadline_s} s")
            return work.result()
        finally:
            alarm.cancel()
            work.cancel()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        """Show that the loop goes round, by its own time, since that is what is to be shown."""
        self._beat_ns = self.clock.monotonic_ns()
        loop.call_later(BEAT_S, self._beat, loop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            _run(loop)
        finally:
            self._hear_end(loop)

    def _hear_end(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take no more jobs when the loop has ended by itself, as it does when a callback raises SystemExit."""
        error = sys.exception()
        with self._guard:
            if self._loop is loop:
                self._loop, self._timers = None, None
                self.died = f"its loop has ended: {failure_text(error)}" if error is not None else "its loop has ended"

    def _look_soon(self) -> None:
        with self._guard:
            if self._timers is not None:
                self.call_soon(self._timers.look)


def task_part(
    name: str, serves: str, task: Callable[[], "asyncio.Task[Any] | None"], wanted: Callable[[], bool]
) -> Part:
    """Return a task that must not end as long as it is wanted, as a part to be supervised."""

    def death() -> str:
        found = task()
        if found is None or not found.done() or not wanted():
            return ""
        error = None if found.cancelled() else found.exception()
        return "its task has ended" if error is None else f"its task has ended by {type(error).__name__}"

    return Part(name=name, serves=serves, death=death)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped, then end everything it runs and close it."""
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        try:
            loop.run_until_complete(_end_all())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def _end_all() -> None:
    loop = asyncio.get_running_loop()
    while tasks := await _tasks_left():
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                logger.opt(exception=ended).warning("a task of the loop ended by an error when it was cancelled")
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()


async def _tasks_left() -> "list[asyncio.Task[Any]]":
    """Return the tasks other than the caller's, once those that close dropped generators have begun.

    A generator that is dropped is closed by a task that asyncio makes in the loop's next round and starts in the one after.
    """
    for _round in range(2):
        await asyncio.sleep(0)
    own = asyncio.current_task()
    return [task for task in asyncio.all_tasks() if task is not own]


def _log_loop_error(context: dict[str, Any]) -> None:
    logger.opt(exception=context.get("exception")).error("asyncio: {}", context.get("message"))
