"""A thread that makes blocking calls of a venue's SDK, one at a time, for the loop that awaits them."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple[int, int, "Future[Any]", Callable[[], Any]]


class Worker:
    """A named daemon thread with a queue; what waits in the queue when it ends is refused, and never done.

    Thread: `run` on the loop that awaits; `end` and `join` any. A call that hangs holds up those behind it and nobody else.

    Args:
        name: of the thread.
        refusal: makes the error for a call that never begins, from the worker's name.
    """

    def __init__(self, name: str, refusal: Callable[[str], Exception]) -> None:
        self.name = name
        self._refusal = refusal
        self._wanted = threading.Condition()
        self._jobs: list[_Job] = []
        self._numbers = count()
        self._ended = False
        self._thread: threading.Thread | None = None

    async def run(self, call: Callable[[], T], rank: int = 0) -> T:
        """Make a call on the thread and return what it returns, or raise what it raises.

        Whoever is cancelled takes back a call that has not begun; one that has goes on unheard.

        Args:
            call: what to do.
            rank: of those that wait the lowest is next; equal ones go in their order.

        Raises:
            Exception: the refusal, when the worker ended before the call began.
        """
        job: Future[T] = Future()
        with self._wanted:
            if self._ended:
                raise self._refusal(self.name)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
                self._thread.start()
            heappush(self._jobs, (rank, next(self._numbers), job, call))
            self._wanted.notify()
        return await asyncio.wrap_future(job)

    def end(self) -> None:
        """Begin no call any more; the thread ends when the one in progress, if any, returns."""
        with self._wanted:
            self._ended = True
            left = tuple(self._jobs)
            self._jobs.clear()
            self._wanted.notify()
        for _, _, job, _ in left:
            if job.set_running_or_notify_cancel():
                job.set_exception(self._refusal(self.name))

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
                _, _, job, call = heappop(self._jobs)
            if job.set_running_or_notify_cancel():
                _answer(job, call)


def _answer(job: "Future[Any]", call: Callable[[], Any]) -> None:
    try:
        value = call()
    except BaseException as error:  # it is raised again where the call is awaited
        job.set_exception(error)
    else:
        job.set_result(value)
