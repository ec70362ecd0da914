"""A thread for blocking calls: one at a time, in order, and what becomes of those in the queue."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from foxtrot.adapter.futu.errors import NotLinked
from foxtrot.adapter.futu.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("futu-test")
    yield made
    made.end()
    assert made.join(2.0)


def test_calls_are_made_one_after_another_on_its_thread(worker: Worker) -> None:
    seen: list[tuple[int, str]] = []

    async def calls() -> None:
        await asyncio.gather(
            *(worker.run(lambda n=n: seen.append((n, threading.current_thread().name))) for n in range(5))  # type: ignore[misc]
        )

    asyncio.run(calls())
    assert seen == [(number, "futu-test") for number in range(5)]


def test_what_a_call_raises_is_raised_where_it_is_awaited(worker: Worker) -> None:
    def fail() -> None:
        raise ValueError("not so")

    with pytest.raises(ValueError, match="not so"):
        asyncio.run(worker.run(fail))
    assert asyncio.run(worker.run(lambda: 7)) == 7


def test_it_has_no_thread_before_the_first_call() -> None:
    worker = Worker("futu-idle")
    assert "futu-idle" not in {thread.name for thread in threading.enumerate()}
    worker.end()
    assert worker.join(0.0)


def test_what_waits_when_it_ends_is_refused_and_never_done(worker: Worker) -> None:
    free, begun = threading.Event(), threading.Event()
    done: list[str] = []

    def hang() -> str:
        begun.set()
        free.wait(5.0)
        return "first"

    async def calls() -> None:
        first = asyncio.ensure_future(worker.run(hang))
        second = asyncio.ensure_future(worker.run(lambda: done.append("second")))
        await asyncio.to_thread(begun.wait, 5.0)
        worker.end()
        with pytest.raises(NotLinked):
            await second
        free.set()
        assert await first == "first"
        with pytest.raises(NotLinked):
            await worker.run(lambda: done.append("third"))

    asyncio.run(calls())
    assert done == []


def test_who_is_cancelled_takes_back_what_has_not_begun(worker: Worker) -> None:
    free, begun = threading.Event(), threading.Event()
    done: list[str] = []

    def hang() -> None:
        begun.set()
        free.wait(5.0)

    async def calls() -> None:
        first = asyncio.ensure_future(worker.run(hang))
        second = asyncio.ensure_future(worker.run(lambda: done.append("second")))
        await asyncio.to_thread(begun.wait, 5.0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        free.set()
        await first
        await worker.run(lambda: done.append("third"))

    asyncio.run(calls())
    assert done == ["third"]
