"""A book that is had by requests is believed as long as they are answered."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from foxtrot.adapter.binance.rest_polling import BOOK_FAILURES, BOOK_PATIENCE_S, RestPoller
from foxtrot.adapter.book_stream import BookStream
from foxtrot.books.sequence import ContiguousIds
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import BookStateChanged
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import AdapterError, VenueRejected
from foxtrot.domain.market import DepthData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.trading.market_view import MarketView
from tests.support.book_facts import BTC, snapshot

LIVE, STALE = BookState.LIVE, BookState.STALE
WANTED = SubscribeRequest(BTC.instrument_id, ticks=False, depth_levels=5)


class Scene:
    """A poller of one book, its market, and what an engine makes of what is told."""

    def __init__(self) -> None:
        self.clock = ManualClock(10**18)
        self.view = MarketView()
        self.told: list[tuple[BookState, str]] = []
        self.answer: Callable[[], DepthData] = snapshot
        market: Any = self
        self.poller = RestPoller(market, self.clock.now_ns)
        publisher: Any = self
        self.book = BookStream(BTC, ContiguousIds(), publisher, lambda: None)
        self.book.want(5, changes=False)

    def poll(self, times: int = 1, request: SubscribeRequest = WANTED, book: BookStream | None = None) -> None:
        """Do some rounds, a second apart."""
        ticks: Any = None
        symbol = request.instrument_id
        for _ in range(times):
            self.clock.advance(10**9)
            asyncio.run(self.poller.poll(request, symbol, ticks, book or self.book, lambda _: True))

    async def snapshot(self, _symbol: str, _levels: int) -> DepthData:
        """Answer as the market."""
        return self.answer()

    def on_depth(self, depth: DepthData) -> None:
        """Hand it to the engine."""
        self.view.on_depth(depth)

    def on_book_state(self, name: str, state: BookState, cause: str = "") -> None:
        """Keep a state and hand it to the engine."""
        self.told.append((state, cause))
        self.view.on_book_state(BookStateChanged("a", name, state, cause, 0))

    @property
    def states(self) -> list[BookState]:
        """Return the states that were told."""
        return [state for state, _ in self.told]


def rejected() -> DepthData:
    raise VenueRejected("binance", "-1121", "Invalid symbol.")


def unanswered() -> DepthData:
    raise AdapterError("binance", "timeout", "no answer")


def off_grid() -> DepthData:
    return snapshot(101, bids=((99.995, 1.0),))


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.poll(2)
    assert made.states == [LIVE]
    return made


@pytest.mark.parametrize("answer", [rejected, unanswered])
def test_a_book_whose_requests_fail_several_times_is_stale_and_comes_back(
    scene: Scene, answer: Callable[[], DepthData]
) -> None:
    scene.answer = answer
    scene.poll(BOOK_FAILURES - 1)
    assert scene.states == [LIVE]
    scene.poll(3)
    assert scene.states == [LIVE, STALE]
    assert f"asked for by REST {BOOK_FAILURES} times in vain: " in scene.told[-1][1]
    assert not scene.view.has_live_book("a", BTC.instrument_id)
    assert scene.view.reference(BTC.instrument_id) is None
    scene.answer = snapshot  # the very book that is known
    scene.poll(2)
    assert scene.states == [LIVE, STALE, LIVE]


def test_failures_count_in_a_row_only(scene: Scene) -> None:
    for _ in range(3):
        scene.answer = rejected
        scene.poll(BOOK_FAILURES - 1)
        scene.answer = snapshot
        scene.poll()
    assert scene.states == [LIVE]


def test_a_book_off_the_grid_leaves_none_behind_and_is_told_at_once(scene: Scene) -> None:
    scene.answer = off_grid
    scene.poll(2)
    assert scene.states == [LIVE, STALE]
    assert "99.995" in scene.told[-1][1]
    scene.answer = snapshot
    scene.poll()
    assert scene.states == [LIVE, STALE, LIVE]


def test_a_book_whose_turn_does_not_come_is_stale_when_the_next_one_is_asked_for(scene: Scene) -> None:
    scene.clock.advance(int(BOOK_PATIENCE_S * 1e9))
    other: Any = type("Ended", (), {"polled": True, "is_loaded": True, "levels": 5, "changes": False, "update_id": 100})
    scene.poll(request=SubscribeRequest("ETHUSDT.TEST", ticks=False, depth_levels=5), book=other())
    assert scene.states == [LIVE, STALE]
    assert "without an answer for 11 s" in scene.told[-1][1]


def test_a_book_that_streams_by_now_is_nobodys_to_doubt(scene: Scene) -> None:
    scene.book.begin()
    scene.book.load(snapshot(102), scene.book.generation)
    scene.clock.advance(int(BOOK_PATIENCE_S * 1e9))
    asyncio.run(scene.poller.poll(WANTED, BTC.symbol, None, scene.book, lambda _: False))  # type: ignore[arg-type]
    assert scene.states[-1] is LIVE
