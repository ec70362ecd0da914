"""The inbox of the engine: two lanes that any thread may put into, and how the engine waits for them.

How nothing is lost:
- Waiting: the engine first raises `_signal`, then looks at the lanes once more, then sleeps; a producer first appends, then
  looks at `_signal`. So one of the two always sees the other. Whoever lowers the signal releases the engine afterwards.
- Stopping: `_closed` refuses new events; those already on their way are handled or, after `_seal`, found by it. A producer
  that was overtaken by the seal sees it after its append and takes its event back.
"""

import threading
from collections import deque
from collections.abc import Callable
from itertools import count

from foxtrot.core.backpressure import MarketOverflow
from foxtrot.core.lanes import MARKET_LANE
from foxtrot.core.tokens import Shed, TimerCheck, Waiting
from foxtrot.domain.errors import QueueClosed

SAMPLE_EVERY = 64
_LONGEST_WAIT_S = 3600.0


class Inbox:
    """The control lane without a limit, the market lane with one.

    Thread: `put` from any; waiting and taking out from one. `_lock` guards the waiting room of the market lane and the seal;
        it is held for a few dictionary operations, by producers for one market event in 64 and while the lane is full.
    """

    def __init__(
        self, control: deque[object], market: deque[object], high_water: int, stopwatch: Callable[[], float]
    ) -> None:
        self._control = control
        self._market = market
        self._high_water = high_water
        self._stopwatch = stopwatch
        self._lock = threading.Lock()
        self._overflow = MarketOverflow(market)
        self._control_in = count(1)
        self._market_in = count(1)
        self._refused = 0
        self._checkpoint = 0  # number of the first market event that must look at the lane before it is appended
        self._peak_depth = 0
        self._signal = False
        self._wake = threading.Lock()  # used as a binary semaphore
        self._wake.acquire()
        self._closed = False
        self._sealed = False

    def put(self, event: object) -> None:
        """Queue an event from any thread and return at once.

        Raises:
            QueueClosed: the engine has stopped; the event was not taken.
        """
        if self._closed:
            self._put_late(event)
            return
        if type(event) in MARKET_LANE:
            number = next(self._market_in)
            if number < self._checkpoint:
                self._market.append(event)
            else:
                self._put_checked(event, number)
        elif next(self._control_in) % SAMPLE_EVERY == 1:
            self._control.append(Waiting(event, self._stopwatch()))
        else:
            self._control.append(event)
        if self._signal:
            self._heed(event)

    def wake(self) -> None:
        """Let the engine look at its lanes and timers, whether anything came or not."""
        self._lower_signal()
        try:
            self._wake.release()
        except RuntimeError:  # another thread was first: the engine is about to look
            return

    @property
    def accepted(self) -> int:
        """Return how many events were taken so far."""
        return _peek(self._control_in) + _peek(self._market_in) - self._refused

    @property
    def conflated(self) -> int:
        """Return how many events were replaced by a newer one or shed."""
        return self._overflow.conflated

    @property
    def depth(self) -> int:
        """Return how many entries wait in both lanes."""
        return len(self._control) + len(self._market)

    def _wait(self, timeout_s: float | None) -> None:
        """Sleep until somebody puts or wakes, at most for a time."""
        self._signal = True
        if not (self._control or self._market or self._closed):
            self._wake.acquire(timeout=-1.0 if timeout_s is None else min(max(timeout_s, 0.0), _LONGEST_WAIT_S))
        self._lower_signal()

    def _open(self, token: Waiting | Shed) -> object:
        """Return the event that a token of a lane stands for."""
        if isinstance(token, Waiting) and token.key is None:
            return token.event
        with self._lock:
            return self._overflow.close(token)

    def _close(self) -> None:
        """Refuse further events, except those that handlers put; what is in the lanes stays to be handled."""
        self._closed = True
        self._signal = True

    def _seal(self) -> list[object]:
        """Take out what is left; from now on nobody handles anything."""
        with self._lock:
            self._sealed = True
            left: list[object] = []
            for lane in (self._control, self._market):
                while lane:
                    entry = lane.popleft()
                    if not isinstance(entry, Shed | TimerCheck):
                        left.append(self._overflow.close(entry) if isinstance(entry, Waiting) else entry)
            return left

    def _put_checked(self, event: object, number: int) -> None:
        """Append a market event while looking at the room; decide from which number on to look again."""
        now_s = self._stopwatch()
        with self._lock:
            if self._sealed:
                self._refuse(event)
            depth = len(self._market)
            room = self._high_water - depth
            crowded = room <= 0 or bool(self._overflow.open)
            if crowded:
                self._overflow.take(event, MARKET_LANE[type(event)], now_s, full=room <= 0)
            else:
                self._market.append(Waiting(event, now_s))
            self._checkpoint = number + (1 if crowded else min(SAMPLE_EVERY, room))
            self._peak_depth = max(self._peak_depth, depth)

    def _put_late(self, event: object) -> None:
        """Take an event that a handler puts while the engine is stopping: it follows from one already taken."""
        with self._lock:
            if self._sealed or not self._is_owner():
                raise QueueClosed(f"the engine has stopped; {type(event).__name__} was not taken")
            market = type(event) in MARKET_LANE
            next(self._market_in if market else self._control_in)
            (self._market if market else self._control).append(event)

    def _is_owner(self) -> bool:
        """Tell whether the calling thread is the one that handles the events."""
        return False

    def _heed(self, event: object) -> None:
        """Do what the signal asks of a producer that has just appended."""
        self.wake()
        if not self._sealed:
            return
        with self._lock:
            for lane in (self._control, self._market):
                for place, entry in enumerate(lane):
                    if entry is event or (isinstance(entry, Waiting) and entry.event is event):
                        del lane[place]
                        self._refuse(event)

    def _refuse(self, event: object) -> None:
        self._refused += 1
        raise QueueClosed(f"the engine has stopped; {type(event).__name__} was not taken")

    def _lower_signal(self) -> None:
        self._signal = False
        if self._closed:  # set before the signal was raised for good: do not lose that
            self._signal = True


def _peek(counter: "count[int]") -> int:
    """Return how often an itertools.count from 1 was advanced; advancing it is atomic, so it counts over threads."""
    return int(repr(counter)[6:-1]) - 1
