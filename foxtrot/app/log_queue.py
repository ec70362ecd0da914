"""The bounded queue between those who log and the thread that writes: it never blocks, and never loses a warning."""

import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple


class LogLine(NamedTuple):
    """One line to be written: what was said, when, how severely, and the values bound to it."""

    time: datetime
    level: str
    bound: Mapping[str, object]
    text: str

    def render(self) -> str:
        """Return the line as it is written: UTC time, level, bound values, text."""
        time = self.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        bound = "".join(f" {name}={value}" for name, value in self.bound.items())
        return f"{time} {self.level:<8}{bound} {self.text.rstrip()}\n"


class LogQueue:
    """Lines in order; when more than `capacity` of DEBUG and INFO wait, further ones are dropped and counted.

    Thread: `put` any; `take` the writer's; `close` any.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._ready = threading.Condition(threading.Lock())
        self._ordinary: deque[tuple[int, LogLine]] = deque()
        self._important: deque[tuple[int, LogLine]] = deque()
        self._number = 0
        self._closed = False
        self.dropped = 0
        self.taken = 0

    def put(self, line: LogLine, *, important: bool) -> bool:
        """Add a line; False when it was dropped because too many wait, or the queue is closed."""
        with self._ready:
            if self._closed or (not important and len(self._ordinary) >= self._capacity):
                self.dropped += 1
                return False
            self._number += 1
            (self._important if important else self._ordinary).append((self._number, line))
            self._ready.notify()
            return True

    def take(self, most: int = 256) -> list[LogLine]:
        """Return the next lines in order; none once the queue is closed and empty.

        Blocks: until there is a line or the queue is closed.
        """
        with self._ready:
            while not (self._ordinary or self._important or self._closed):
                self._ready.wait()
            return [self._next() for _ in range(min(most, len(self._ordinary) + len(self._important)))]

    def close(self) -> None:
        """Take no more lines; those that wait can still be taken."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()

    def __len__(self) -> int:
        with self._ready:
            return len(self._ordinary) + len(self._important)

    def _next(self) -> LogLine:
        first, other = self._ordinary, self._important
        if not first or (other and other[0][0] < first[0][0]):
            first = other
        self.taken += 1
        return first.popleft()[1]
