"""A tape that is played: what handlers read is what they read then, and the first thing that differs is named."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

import msgspec
from typing_extensions import override

from foxtrot.core.clock import Clock
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.lanes import MARKET_LANE
from foxtrot.core.tape import INTENT, MOVED, NOW, STEADY, Read, follows
from foxtrot.domain.errors import InvariantBroken


class Difference(msgspec.Struct, frozen=True):
    """The first place where a run that is played departs from its tape."""

    sequence: int
    event: str
    what: str
    recorded: str
    now: str

    @property
    def text(self) -> str:
        """Return it in one line."""
        return f"event {self.sequence} ({self.event}): {self.what}: recorded {self.recorded}, now {self.now}"


class TapeDiffers(BaseException):
    """The run has departed from its tape; no guard around a handler may hide that."""


class TapeFeed:
    """What was read while the present event was handled, given out again in its order.

    Thread: the caller's.

    Args:
        intent_text: what an intent's bytes say, for people.
    """

    def __init__(self, intent_text: Callable[[bytes], str] = repr) -> None:
        self.difference: Difference | None = None
        self._intent_text = intent_text
        self._reads: deque[Read] = deque()
        self._sequence = 0
        self._event = "prologue"

    def begin(self, sequence: int, event: str, reads: Iterable[Read]) -> None:
        """Take up what was read with an event."""
        self._sequence, self._event = sequence, event
        self._reads = deque(reads)

    def end(self) -> None:
        """See that nothing is left of it.

        Raises:
            TapeDiffers: something was read or done then that is not now.
        """
        if self._reads:
            what, value = self._reads[0]
            self.differ(f"a read of {what}" if what != INTENT else "an order intent", self._shown(what, value), "none")

    def number(self, what: str) -> int:
        """Return what a clock, or a permit that was asked for a number, said then.

        Raises:
            TapeDiffers: something else was read then, or nothing.
        """
        value = self._take(what)
        return value if isinstance(value, int) else 0

    def text(self, what: str) -> str:
        """Return what a permit that was asked for a text said then.

        Raises:
            TapeDiffers: something else was read then, or nothing.
        """
        return str(self._take(what))

    def moves(self) -> Iterator[bytes]:
        """Yield what was done from outside before anything else was read."""
        while self._reads and self._reads[0][0] == MOVED:
            value = self._reads.popleft()[1]
            if isinstance(value, bytes):
                yield value

    def intend(self, intent: bytes) -> None:
        """Compare an order intent with the one of then.

        Raises:
            TapeDiffers: it is another, or there was none.
        """
        value = self._take(INTENT, self._intent_text(intent))
        if value != intent:
            self.differ("an order intent", self._shown(INTENT, value), self._intent_text(intent))

    def differ(self, what: str, recorded: str, now: str) -> NoReturn:
        """Name what differs, once.

        Raises:
            TapeDiffers: always.
        """
        if self.difference is None:
            self.difference = Difference(self._sequence, self._event, what, recorded, now)
        raise TapeDiffers

    def _take(self, what: str, shown: str = "") -> int | str | bytes | bool:
        if not self._reads:
            self.differ("more is read or done than then", "nothing more", shown or f"a read of {what}")
        found, value = self._reads.popleft()
        if found != what:
            self.differ("something else is read or done", self._shown(found, value), shown or f"a read of {what}")
        return value

    def _shown(self, what: str, value: int | str | bytes | bool) -> str:
        if what == INTENT and isinstance(value, bytes):
            return f"the intent {self._intent_text(value)}"
        return f"a read of {what} ({value!r})"


class PlayedClock:
    """The clock that trading and strategies are given when a tape is played.

    Thread: the caller's.
    """

    def __init__(self, feed: TapeFeed) -> None:
        self._feed = feed

    def now_ns(self) -> int:
        """Return the time of day that was read then."""
        return self._feed.number(NOW)

    def monotonic_ns(self) -> int:
        """Return the steady time that was read then."""
        return self._feed.number(STEADY)


class PlayedEngine(EventEngine):
    """An engine without a thread: events come from a tape, and what handlers put waits for its turn on it.

    Timers are set, so that their ids agree, but never fire: that they fired is on the tape.

    Thread: the caller's.
    """

    def __init__(self, clock: Clock, feed: TapeFeed) -> None:
        super().__init__(clock)
        self.feed = feed
        self.waiting: dict[bool, deque[object]] = {False: deque(), True: deque()}
        """What was put and not handled yet, by whether it belongs to the market lane."""
        self._loop.clock = PlayedClock(feed)
        self._loop.guarded = (Exception, SystemExit, GeneratorExit)

    @override
    def put(self, event: object) -> None:
        """Keep an event until the tape comes to it; what the market lane might have shed comes as an input."""
        if follows(type(event)):
            self.waiting[type(event) in MARKET_LANE].append(event)

    @override
    def start(self) -> None:
        """Refuse: nothing runs by itself here.

        Raises:
            InvariantBroken: always.
        """
        raise InvariantBroken("a tape is played, not started")

    def skip(self) -> None:
        """Pass over an event that changed nothing."""
        self._loop.sequence += 1

    def play(self, event: object) -> None:
        """Handle an event that came from outside."""
        self._loop.dispatch(event)

    def next_put(self, *, market: bool) -> object:
        """Return the event that was put first and not handled yet.

        Raises:
            TapeDiffers: there is none.
        """
        lane = self.waiting[market]
        if not lane:
            self.feed.differ("an event that a handler put", "it was put", "nothing is put")
        return lane.popleft()
