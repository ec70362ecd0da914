"""A thread that makes blocking calls of the SDK, one at a time, for the loop that awaits them."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from foxtrot.adapter.futu.errors import VENUE, NotLinked

T = TypeVar("T")
_Job = tuple["Future[Any]", Callable[[], Any]]
GONE: Final = "the connection to OpenD is gone"


class Worker:
    """A named daemon thread with a queue; what waits in the queue when it ends is refused, and never done.

    Thread: `run` on the loop that awaits; `end` and `join` any. A call that hangs holds up those behind it and nobody else.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._wanted = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._ended = False
        self._thread: threading.Thread | None = None

    async def run(self, call: Callable[[], T]) -> T:
        """Make a call on the thread and return what it returns, or raise what it raises.

        Whoever is cancelled takes back a call that has not begun; one that has goes on unheard.

        Raises:
            NotLinked: the worker ended before the call began.
        """
        job: Future[T] = Future()
        with self._wanted:
            if self._ended:
                raise NotLinked(VENUE, self.name, GONE)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
                self._thread.start()
            self._jobs.append((job, call))
            self._wanted.notify()
        return await asyncio.wrap_future(job)

    def end(self) -> None:
        """Begin no call any more; the thread ends when the one in progress, if any, returns."""
        with self._wanted:
            self._ended = True
            left = tuple(self._jobs)
            self._jobs.clear()
            self._wanted.notify()
        for job, _ in left:
            if job.set_running_or_notify_cancel():
                job.set_exception(NotLinked(VENUE, self.name, GONE))

    def join(self, deadline_s: float) -> bool:
        """Wait for the thread to end; tells whether it has.

        Blocks: at most `deadline_s`.
        """
        thread = self._thread
        if thread is None:
            return True
        thread.join(deadline_s)
        return not thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._wanted:
                while not self._jobs and not self._ended:
                    self._wanted.wait()
                if not self._jobs:
                    return
                job, call = self._jobs.popleft()
            if job.set_running_or_notify_cancel():
                _answer(job, call)


def _answer(job: "Future[Any]", call: Callable[[], Any]) -> None:
    try:
        value = call()
    except BaseException as error:  # it is raised again where the call is awaited
        job.set_exception(error)
    else:
        job.set_result(value)
