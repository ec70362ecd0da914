"""The bridge: a loop on a thread of its own that any thread may enter, that waits by our clock and leaves nothing behind."""

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from foxtrot.adapter.bridge import AsyncBridge, task_part
from foxtrot.core.clock import ManualClock, SystemClock
from foxtrot.domain.errors import ConnectionLost, RequestTimedOut
from tests.support.waiting import wait_until

SECOND_NS = 1_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SECOND_NS)


@pytest.fixture
def bridge(clock: ManualClock):  # type: ignore[no-untyped-def]
    made = AsyncBridge("test-io", clock)
    made.start()
    yield made
    made.stop()


async def _thread_name() -> str:
    return threading.current_thread().name


def test_a_coroutine_runs_on_the_named_thread(bridge: AsyncBridge) -> None:
    assert bridge.submit(_thread_name()).result(5) == "test-io"


def test_starting_twice_starts_once(bridge: AsyncBridge) -> None:
    bridge.start()
    assert [thread.name for thread in threading.enumerate()].count("test-io") == 1


def test_stopping_twice_is_as_stopping_once_and_it_can_start_again(bridge: AsyncBridge) -> None:
    assert bridge.stop() == ""
    assert bridge.stop() == ""
    bridge.start()
    assert bridge.submit(_thread_name()).result(5) == "test-io"


def test_what_is_asked_of_a_stopped_bridge_is_refused(bridge: AsyncBridge) -> None:
    bridge.stop()
    assert bridge.call_soon(lambda: None) is False
    with pytest.raises(ConnectionLost):
        bridge.submit(_thread_name()).result(0)


def test_jobs_run_in_the_order_they_were_given(bridge: AsyncBridge) -> None:
    done: list[int] = []
    for number in range(50):
        assert bridge.call_soon(lambda number=number: done.append(number))
    bridge.submit(_thread_name()).result(5)
    assert done == list(range(50))


def test_stopping_cancels_tasks_and_closes_generators(bridge: AsyncBridge) -> None:
    ended: list[str] = []

    async def numbers() -> Any:
        try:
            yield 1
            yield 2
        finally:
            ended.append("generator")

    async def work(started: "Future[None]") -> None:
        try:
            async for _ in numbers():
                started.set_result(None)
                await asyncio.get_running_loop().create_future()
        finally:
            ended.append("task")

    started: Future[None] = Future()
    bridge.submit(work(started))
    started.result(5)
    assert bridge.stop() == ""
    assert sorted(ended) == ["generator", "task"]


def test_a_generator_dropped_as_the_last_task_ends_is_closed_too(bridge: AsyncBridge) -> None:
    """As when the garbage collector finds it between the last task's end and the loop's."""
    ended: list[str] = []
    held: list[Any] = []

    async def numbers() -> Any:
        try:
            yield 1
        finally:
            ended.append("generator")

    async def work(started: "Future[None]") -> None:
        held.append(numbers())
        await anext(held[0])
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _task: loop.call_soon(held.clear))
        started.set_result(None)
        await loop.create_future()

    started: Future[None] = Future()
    bridge.submit(work(started))
    started.result(5)
    assert bridge.stop() == ""
    assert ended == ["generator"]


def test_a_thread_that_overruns_is_named_and_ends_later(bridge: AsyncBridge) -> None:
    entered, release = threading.Event(), threading.Event()

    def block() -> None:
        entered.set()
        release.wait(5)

    bridge.call_soon(block)
    assert entered.wait(5)
    assert bridge.stop(0.01) == "test-io"
    release.set()
    assert bridge.stop(5.0) == ""


def test_on_its_own_thread_stop_does_not_wait_for_itself(bridge: AsyncBridge) -> None:
    answer: Future[str] = Future()
    bridge.call_soon(lambda: answer.set_result(bridge.stop()))
    assert answer.result(5) == ""
    assert bridge.stop() == ""


def test_waiting_is_by_the_clock_that_was_given(bridge: AsyncBridge, clock: ManualClock) -> None:
    done = [bridge.submit(bridge.wait_s(seconds)) for seconds in (1.0, 2.0, 3.0)]
    bridge.submit(_thread_name()).result(5)
    clock.advance(2 * SECOND_NS)
    assert [future.result(5) for future in done[:2]] == [None, None]
    bridge.submit(_thread_name()).result(5)
    assert not done[2].done()
    clock.advance(SECOND_NS)
    assert done[2].result(5) is None


def test_waiting_by_the_system_clock_ends() -> None:
    bridge = AsyncBridge("test-io", SystemClock())
    bridge.start()
    try:
        assert bridge.submit(bridge.wait_s(0.01)).result(5) is None
    finally:
        bridge.stop()


def test_a_deadline_is_the_clocks_and_cancels_what_is_late(bridge: AsyncBridge, clock: ManualClock) -> None:
    cancelled, begun = threading.Event(), threading.Event()

    async def slow() -> None:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()

    late = bridge.submit(slow(), 2.0)
    assert begun.wait(5)
    clock.advance(2 * SECOND_NS)
    with pytest.raises(RequestTimedOut):
        late.result(5)
    assert cancelled.wait(5)


def test_a_loop_that_only_waits_ends_when_stopped(bridge: AsyncBridge, clock: ManualClock) -> None:
    async def forever() -> None:
        while True:
            await bridge.wait_s(1.0)

    bridge.submit(forever())
    assert bridge.stop() == ""
    clock.advance(10 * SECOND_NS)


def test_what_asyncio_catches_is_told() -> None:
    told: Future[BaseException] = Future()
    bridge = AsyncBridge("test-io", ManualClock(), lambda context: told.set_result(context["exception"]))
    bridge.start()
    try:
        bridge.call_soon(lambda: {}["nothing"])
        assert isinstance(told.result(5), KeyError)
        assert bridge.submit(_thread_name()).result(5) == "test-io"
    finally:
        bridge.stop()


def test_a_loop_that_goes_round_beats_and_one_that_is_stopped_is_not_judged() -> None:
    bridge = AsyncBridge("test-io", SystemClock())
    part = bridge.part("main")
    assert (part.name, part.serves, part.halts) == ("test-io of main", "main", True)
    assert part.beat_ns is not None
    assert part.beat_ns() is None
    bridge.start()
    first = part.beat_ns()
    assert first is not None
    wait_until(lambda: (part.beat_ns() or 0) > first + 200_000_000)
    assert part.thread() in {thread.ident for thread in threading.enumerate()}
    assert part.death() == ""
    assert bridge.stop() == ""
    assert part.beat_ns() is None
    assert part.death() == ""


def test_a_loop_that_ends_by_itself_says_why_takes_nothing_more_and_can_be_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _died: None)
    bridge = AsyncBridge("test-io", SystemClock())
    part = bridge.part("")
    assert part.name == "test-io"
    bridge.start()

    def leave() -> None:
        raise SystemExit("a library thought it was alone")

    bridge.call_soon(leave)
    wait_until(lambda: part.death() != "")
    assert "SystemExit: a library thought it was alone" in part.death()
    assert bridge.running is False
    assert bridge.call_soon(lambda: None) is False
    with pytest.raises(ConnectionLost):
        bridge.submit(_thread_name()).result(0)
    bridge.start()
    assert part.death() == ""
    assert bridge.submit(_thread_name()).result(5) == "test-io"
    assert bridge.stop() == ""


def test_a_task_that_ends_while_it_is_wanted_is_told_with_its_error(bridge: AsyncBridge) -> None:
    wanted, tasks = [True], []

    async def fails() -> None:
        raise KeyError("secret words")

    async def begin() -> None:
        tasks.append(asyncio.ensure_future(fails()))
        await asyncio.wait(tasks)

    part = task_part("link of main", "main", lambda: tasks[0] if tasks else None, lambda: wanted[0])
    assert part.death() == ""
    bridge.submit(begin()).result(5)
    assert part.death() == "its task has ended by KeyError"
    wanted[0] = False
    assert part.death() == ""
