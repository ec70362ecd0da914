"""Coming back from REST to the account's stream: what it says is held for a while at the most, never for ever."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from foxtrot.adapter.binance.account_feed import PATIENCE_S, POLLS, AccountFeed
from foxtrot.adapter.health import AdapterHealth
from foxtrot.domain.errors import AdapterError, ConnectionLost, LoginFailed, RateLimited, VenueRejected
from tests.support.scripted_binance import run

REFUSED = VenueRejected("binance", "-1121", "Invalid symbol.")


class Bridge:
    """A clock that moves while somebody waits by it.

    Thread: the test's.
    """

    def __init__(self) -> None:
        self.clock = self
        self.now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns

    async def wait_s(self, seconds: float) -> None:
        self.now_ns += int(seconds * 1e9)
        await asyncio.sleep(0)


class Stream:
    """A stream that can be had at once, and then stands."""

    refused_for_s = 0.0

    def __init__(self) -> None:
        self.kept = False

    def fell_back(self) -> None:
        """Count nothing."""

    async def open(self, _lost: Callable[[str], None]) -> None:
        """Stand."""

    async def keep(self, _lost: Callable[[str], None]) -> None:
        self.kept = True
        await asyncio.Event().wait()


class User:
    """Somebody whose whole rounds fail as often as a test says."""

    opened = True

    def __init__(self, *failures: AdapterError) -> None:
        self.failures = list(failures)
        self.rounds = 0
        self.holds = False
        self.stands = False

    async def poll_account(self, *, whole: bool) -> None:
        assert whole
        assert self.holds
        self.rounds += 1
        if self.failures:
            raise self.failures.pop(0)

    def hold_events(self) -> None:
        self.holds = True

    def release_events(self) -> None:
        self.holds = False

    def stream_stands(self) -> None:
        self.stands = True


class Story:
    """A feed by REST whose stream is dialled again; a loss ends it, as the session does.

    Thread: the test's.
    """

    def __init__(self, user: User) -> None:
        self.user, self.bridge, self.stream = user, Bridge(), Stream()
        self.lost: list[str] = []
        self.task: asyncio.Task[None] | None = None
        settings = SimpleNamespace(websocket=True, has_keys=True, poll_interval_s=1.0)
        self.feed = AccountFeed(settings, self.stream, self.bridge, AdapterHealth("ours"))  # type: ignore[arg-type]
        self.feed.by_rest = "the stream was down"

    def lose(self, cause: str) -> None:
        assert self.task is not None
        self.lost.append(cause)
        self.task.cancel()

    async def play(self) -> None:
        self.task = asyncio.ensure_future(self.feed.keep(self.user, self.lose, lambda: None))
        for _ in range(500):
            await asyncio.sleep(0)
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.mark.parametrize(
    "failure",
    [REFUSED, ConnectionLost("binance", "", "gone"), RateLimited("binance", "-1003", "banned", 86_400.0)],
    ids=["refused", "lost", "banned"],
)
def test_a_gap_that_cannot_be_closed_costs_the_link_and_nothing_is_held_any_more(failure: AdapterError) -> None:
    story = Story(User(*[failure] * 1_000))
    run(story.play)
    assert story.lost == ["the account's stream is back, but what came before it cannot be asked for"]
    assert story.user.rounds == POLLS
    assert story.bridge.now_ns <= (POLLS + 1) * PATIENCE_S * 1e9
    assert (story.user.holds, story.user.stands, story.stream.kept) == (False, False, False)


def test_a_login_that_is_refused_costs_the_link_at_once() -> None:
    story = Story(User(*[LoginFailed("binance", "-2015", "no")] * 1_000))
    run(story.play)
    assert (len(story.lost), story.user.rounds, story.user.holds) == (1, 1, False)


@pytest.mark.parametrize("failures", [[], [REFUSED] * (POLLS - 1), [RateLimited("binance", "-1003", "wait", 2.0)]])
def test_the_stream_stands_alone_only_once_everything_was_answered(failures: list[AdapterError]) -> None:
    story = Story(User(*failures))
    run(story.play)
    assert (story.lost, story.user.rounds) == ([], len(failures) + 1)
    assert (story.user.holds, story.user.stands, story.stream.kept) == (False, True, True)
    assert story.feed.by_rest == ""
