"""How connections are tried again: pauses that grow and scatter, a budget of attempts, a breaker. Pure, times are given."""

import enum
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

SECOND_NS: Final = 1_000_000_000


class Backoff:
    """Pauses before the next attempt: exponential with full jitter, forgotten only after a while of good data.

    Thread: belongs to whoever made it.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter.
    """

    def __init__(self, random: Random, *, base_s: float = 0.5, cap_s: float = 30.0, good_after_s: float = 30.0) -> None:
        self._random = random
        self._base_s = base_s
        self._cap_s = cap_s
        self._good_after_ns = int(good_after_s * SECOND_NS)
        self._good_since_ns: int | None = None
        self.attempt = 0

    def next_delay_s(self, now_ns: int, at_least_s: float = 0.0) -> float:
        """Return the pause before the next attempt and count it; `at_least_s` is what the venue asked for."""
        if self._good_since_ns is not None and now_ns - self._good_since_ns >= self._good_after_ns:
            self.attempt = 0
        self._good_since_ns = None
        ceiling_s = min(self._cap_s, self._base_s * 2.0 ** min(self.attempt, 60))
        self.attempt += 1
        return at_least_s + self._random.uniform(0.0, ceiling_s)

    def good(self, now_ns: int) -> None:
        """Note that data is good from now on; counting starts anew only if it stays so long enough."""
        if self._good_since_ns is None:
            self._good_since_ns = now_ns


class ConnectionBudget:
    """How many connections may be opened in a sliding window.

    Thread: belongs to whoever made it.

    Source: Binance spot API, WebSocket Streams, General WSS information: 300 connections per attempt every 5 minutes per IP.
    """

    def __init__(self, limit: int = 300, window_s: float = 300.0) -> None:
        self._limit = limit
        self._window_ns = int(window_s * SECOND_NS)
        self._spent: deque[int] = deque()

    def left(self, now_ns: int) -> int:
        """Return how many connections may be opened now."""
        while self._spent and now_ns - self._spent[0] >= self._window_ns:
            self._spent.popleft()
        return self._limit - len(self._spent)

    def spend(self, now_ns: int) -> None:
        """Note that a connection is opened."""
        self._spent.append(now_ns)

    def wait_s(self, now_ns: int) -> float:
        """Return how long to wait until one more may be opened."""
        if self.left(now_ns) > 0:
            return 0.0
        return (self._spent[-self._limit] + self._window_ns - now_ns) / SECOND_NS


class BreakerState(enum.StrEnum):
    """Whether requests are let through: all, none, or one to try."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class _Outcome(enum.Enum):
    GOOD = "good"
    BAD = "bad"
    BAD_ENOUGH = "bad_enough"
    RESTED = "rested"


class _Move(NamedTuple):
    state: BreakerState
    opens: bool


_MOVES: Final = {
    (BreakerState.CLOSED, _Outcome.GOOD): _Move(BreakerState.CLOSED, opens=False),
    (BreakerState.CLOSED, _Outcome.BAD): _Move(BreakerState.CLOSED, opens=False),
    (BreakerState.CLOSED, _Outcome.BAD_ENOUGH): _Move(BreakerState.OPEN, opens=True),
    (BreakerState.CLOSED, _Outcome.RESTED): _Move(BreakerState.CLOSED, opens=False),
    (BreakerState.OPEN, _Outcome.GOOD): _Move(BreakerState.OPEN, opens=False),
    (BreakerState.OPEN, _Outcome.BAD): _Move(BreakerState.OPEN, opens=False),
    (BreakerState.OPEN, _Outcome.BAD_ENOUGH): _Move(BreakerState.OPEN, opens=False),
    (BreakerState.OPEN, _Outcome.RESTED): _Move(BreakerState.HALF_OPEN, opens=False),
    (BreakerState.HALF_OPEN, _Outcome.GOOD): _Move(BreakerState.CLOSED, opens=False),
    (BreakerState.HALF_OPEN, _Outcome.BAD): _Move(BreakerState.OPEN, opens=True),
    (BreakerState.HALF_OPEN, _Outcome.BAD_ENOUGH): _Move(BreakerState.OPEN, opens=True),
    (BreakerState.HALF_OPEN, _Outcome.RESTED): _Move(BreakerState.HALF_OPEN, opens=False),
}


class CircuitBreaker:
    """Stops asking somebody who keeps failing, and tries with one request after a rest.

    Thread: belongs to whoever made it.

    Args:
        failures: how many in a row open it.
        rest_s: how long it stays open.
        now_ns: the monotonic clock.
    """

    def __init__(self, now_ns: Callable[[], int], *, failures: int = 5, rest_s: float = 10.0) -> None:
        self._now_ns = now_ns
        self._failures = failures
        self._rest_ns = int(rest_s * SECOND_NS)
        self._state = BreakerState.CLOSED
        self._failed = 0
        self._opened_ns = 0
        self._trying = False

    @property
    def state(self) -> BreakerState:
        """Return the state, which also changes by itself when the rest is over."""
        if self._state is BreakerState.OPEN and self._now_ns() - self._opened_ns >= self._rest_ns:
            self._move(_Outcome.RESTED)
        return self._state

    @property
    def shown(self) -> BreakerState:
        """Return the state for looking at, which changes nothing, so that any thread may ask."""
        rested = self._now_ns() - self._opened_ns >= self._rest_ns
        return BreakerState.HALF_OPEN if self._state is BreakerState.OPEN and rested else self._state

    def allows(self) -> bool:
        """Tell whether a request may be made now; half open it is one, whose outcome must be told."""
        state = self.state
        if state is not BreakerState.HALF_OPEN:
            return state is BreakerState.CLOSED
        if self._trying:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """Note that a request succeeded."""
        self._failed = 0
        self._move(_Outcome.GOOD)

    def failed(self) -> None:
        """Note that a request failed."""
        self._failed += 1
        self._move(_Outcome.BAD_ENOUGH if self._failed >= self._failures else _Outcome.BAD)

    def trip(self, rest_s: float = 0.0) -> None:
        """Open at once, since whoever was asked wants to be left alone for so long, which may be longer than the usual rest."""
        self._failed = max(self._failed + 1, self._failures)
        self._move(_Outcome.BAD_ENOUGH)
        self._opened_ns = self._now_ns() + max(0, int(rest_s * SECOND_NS) - self._rest_ns)

    def _move(self, outcome: _Outcome) -> None:
        move = _MOVES[self.state if outcome is not _Outcome.RESTED else self._state, outcome]
        self._state = move.state
        self._trying = False
        if move.opens:
            self._opened_ns = self._now_ns()
