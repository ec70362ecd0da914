"""How often a snapshot is asked for: at once after one loss, ever more seldom after many, and what lies off the grid is asked for again."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from types import SimpleNamespace
from typing import Any

from foxtrot.adapter.binance.market_fetching import CALM_S, OFF_GRID_PAUSE_S, Entry, Fetching
from foxtrot.adapter.book_stream import BookStream
from foxtrot.books.sequence import ContiguousIds
from foxtrot.core.clock import ManualClock
from foxtrot.domain.enums import BookState, Product
from foxtrot.domain.errors import AdapterError
from foxtrot.domain.market import DepthData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.book_facts import BTC, change, snapshot

OFF_GRID = snapshot(bids=((99.995, 1.0),))


class Publisher:
    """Keeps the states of one book, with their causes."""

    def __init__(self) -> None:
        self.states: list[tuple[BookState, str]] = []

    def on_depth(self, depth: DepthData) -> None:
        """Nothing is looked at."""

    on_depth_change = on_depth

    def on_book_state(self, _name: str, state: BookState, cause: str = "") -> None:
        """Keep a state."""
        self.states.append((state, cause))


class Scene:
    """A book whose snapshots are answered at once, and whose waits pass by a manual clock as soon as they are begun."""

    product, account = Product.SPOT, "a"

    def __init__(self) -> None:
        self.clock = ManualClock(10**18)
        self.waits: list[float] = []
        self.failed: list[str] = []
        self.asked = 0
        self.answer: Callable[[], DepthData] = lambda: snapshot(self.last)
        self.last = 100
        self.tasks: list[asyncio.Future[None]] = []
        session: Any = self
        self.fetching = Fetching(session, lambda what, _error: self.failed.append(what))
        self.fetching.market = SimpleNamespace(snapshot=self._snapshot)  # type: ignore[assignment]
        self.fetching.begin()
        ticks: Any = SimpleNamespace(health=None, ticks=True, trades=True, restart=lambda: None)
        self.publisher = Publisher()
        self.entry = Entry(SubscribeRequest(BTC.instrument_id, depth_levels=5), BTC.symbol, ticks)
        need = partial(self.fetching.need_snapshot, self.entry)
        self.book = self.entry.book = BookStream(BTC, ContiguousIds(), self.publisher, need)

    def spawn(self, job: Coroutine[Any, Any, None], _name: str) -> None:
        """Run a job of Fetching's."""
        self.tasks.append(asyncio.ensure_future(job))

    async def wait_s(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.clock.advance(int(seconds * 1e9))
        await asyncio.sleep(0)

    async def begin(self) -> None:
        """Let the stream stand."""
        self.book.begin()
        await self.done()

    async def lose(self) -> None:
        """Show a gap, and wait until what is asked for is there."""
        self.last += 2
        self.book.take(change(self.last, self.last))
        await self.done()

    async def done(self) -> None:
        """Wait for all jobs."""
        await asyncio.gather(*self.tasks)
        self.tasks.clear()

    async def _snapshot(self, _symbol: str, _levels: int = 0) -> DepthData:
        self.asked += 1
        return self.answer()


def run(act: Callable[[Scene], Awaitable[None]]) -> Scene:
    async def body() -> Scene:
        scene = Scene()
        await scene.begin()
        await act(scene)
        return scene

    return asyncio.run(body())


def test_after_a_single_gap_a_snapshot_is_asked_for_at_once() -> None:
    scene = run(Scene.lose)
    assert (scene.asked, scene.waits, scene.book.state) == (2, [], BookState.LIVE)


def test_a_book_that_is_lost_again_and_again_is_asked_for_ever_more_seldom() -> None:
    async def act(scene: Scene) -> None:
        for _ in range(14):
            await scene.lose()

    scene = run(act)
    assert scene.waits == [0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0, 30.0, 30.0]
    assert scene.asked == 15
    assert scene.book.state is BookState.LIVE


def test_a_book_that_has_lasted_and_one_of_a_new_link_are_asked_for_at_once() -> None:
    async def act(scene: Scene) -> None:
        for _ in range(5):
            await scene.lose()
        scene.waits.clear()
        scene.clock.advance(int(CALM_S * 1e9))
        await scene.lose()
        assert scene.waits == []
        for _ in range(5):
            await scene.lose()
        scene.waits.clear()
        scene.entry.restart()
        await scene.begin()

    assert run(act).waits == []


def test_what_lies_off_the_grid_is_told_once_and_asked_for_again_slowly() -> None:
    async def act(scene: Scene) -> None:
        answers = iter([OFF_GRID] * 12)
        scene.waits.clear()
        scene.answer = lambda: next(answers, snapshot(scene.last))
        scene.fetching.give_up = lambda _entry, cause: scene.failed.append(cause)
        await scene.lose()

    scene = run(act)
    assert scene.failed == [f"book of {BTC.instrument_id}"]
    assert len([wait for wait in scene.waits if wait == OFF_GRID_PAUSE_S]) == 12
    assert scene.book.state is BookState.LIVE


def test_a_book_that_was_had_in_the_end_is_not_given_up() -> None:
    async def act(scene: Scene) -> None:
        answers = iter([True] * 20)
        scene.clock.advance(int(CALM_S * 1e9))
        scene.fetching.give_up = lambda entry, _cause: scene.failed.append(str(entry.book and entry.book.state))

        def answer() -> DepthData:
            if next(answers, False):
                raise AdapterError("binance", "timeout", "no answer")
            return snapshot(scene.last)

        scene.answer = answer
        await scene.lose()

    scene = run(act)
    assert scene.book.state is BookState.LIVE
    assert set(scene.failed) == {BookState.SYNCING}


def test_a_book_that_nobody_wants_any_more_is_told_stale() -> None:
    async def act(scene: Scene) -> None:
        scene.entry.end()

    scene = run(act)
    assert scene.publisher.states[-1] == (BookState.STALE, "nobody wants it any more")
