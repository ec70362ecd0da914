"""Time as an argument: the system's, or one that history or a test moves."""

import sys
import time
from collections.abc import Callable
from typing import Protocol

from foxtrot.domain.errors import InvariantBroken


class Clock(Protocol):
    """What every part asks for the time.

    Thread: any.
    """

    def now_ns(self) -> int:
        """Return the time of day, UTC nanoseconds since 1970; may step when the system's clock is set."""
        ...

    def monotonic_ns(self) -> int:
        """Return nanoseconds that never go back, for deadlines and timers."""
        ...


def suspend_aware_ns() -> int:
    """Return nanoseconds that never go back and go on while the machine sleeps, where the system counts them.

    Source: Linux manual pages, clock_gettime(2), CLOCK_BOOTTIME; on macOS CLOCK_MONOTONIC goes on too, unlike Python's own
    monotonic time, and on Windows Python's does.
    """
    return time.monotonic_ns() if _SLEEPLESS is None else time.clock_gettime_ns(_SLEEPLESS)


_SLEEPLESS: int | None = getattr(time, "CLOCK_BOOTTIME", None)
if _SLEEPLESS is None and sys.platform == "darwin":
    _SLEEPLESS = time.CLOCK_MONOTONIC


class SystemClock:
    """The machine's clocks.

    Thread: any.
    """

    def now_ns(self) -> int:
        """Return the system's UTC time in nanoseconds."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Return the system's monotonic time in nanoseconds."""
        return time.monotonic_ns()


class ManualClock:
    """A clock that stands still until it is moved; both of its times are the same.

    Thread: moved by one thread, on which those who asked are told; read by any.
    """

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._listeners: tuple[Callable[[], None], ...] = ()

    def on_move(self, listener: Callable[[], None]) -> None:
        """Call somebody after each move, so that a thread waiting for a deadline can look again."""
        self._listeners = (*self._listeners, listener)

    def now_ns(self) -> int:
        """Return the time it was last moved to."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """Return the time it was last moved to."""
        return self._now_ns

    def move_to(self, now_ns: int) -> None:
        """Move forward.

        Raises:
            InvariantBroken: the new time lies before the present one.
        """
        if now_ns < self._now_ns:
            raise InvariantBroken(f"the clock would go back from {self._now_ns} to {now_ns}")
        self._now_ns = now_ns
        for listener in self._listeners:
            listener()

    def advance(self, nanoseconds: int) -> None:
        """Move forward by a duration."""
        self.move_to(self._now_ns + nanoseconds)
