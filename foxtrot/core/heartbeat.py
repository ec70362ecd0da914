"""Signs of life: the parts of a platform that must go on moving, each with a way to ask whether it does."""

import threading
from collections.abc import Callable, Iterable

import msgspec

PLATFORM = ""
"""What a part serves on which all trading depends."""
SILENT_S = 2.0
"""How long a part may be silent unless it says otherwise."""


def lives() -> str:
    """Return that a part is not dead: for those that are judged by their beat alone."""
    return ""


def no_thread() -> int | None:
    """Return that a part has no thread of its own to look at."""
    return None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A thread, loop, long-lived task or process, and how it is judged.

    Each of its callables is asked by the thread that supervises, and returns at once.

    `serves` is "" for the platform, else an account or a strategy; `halts` tells whether trading of that depends on it. `death`
    says why the part has ended although it should not have, "" while it lives or is not wanted. `beat_ns` tells when it last
    moved, by the platform's monotonic clock, None while it has nothing to do; without it only its life is judged. `thread` is the
    identifier of the thread whose stack tells where it stands, None when it has none.
    """

    name: str
    serves: str = PLATFORM
    halts: bool = True
    death: Callable[[], str] = lives
    beat_ns: Callable[[], int | None] | None = None
    silent_s: float = SILENT_S
    thread: Callable[[], int | None] = no_thread


class PartRegistry:
    """Every part of a platform: those that entered by themselves, and those that a source lists at each look.

    Thread: any; the tuples are replaced whole.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sources: tuple[Callable[[], Iterable[Part]], ...] = ()

    def enter(self, part: Part) -> None:
        """Add a part that stays the same."""
        self.enter_source(lambda: (part,))

    def enter_source(self, source: Callable[[], Iterable[Part]]) -> None:
        """Add somebody who knows of parts that come and go."""
        with self._lock:
            self._sources = (*self._sources, source)

    def parts(self) -> tuple[Part, ...]:
        """Return all parts as they are now."""
        return tuple(part for source in self._sources for part in source())


class Progress:
    """The beat of something that works through a queue: it moves when the count of what it did changes, or nothing waits.

    Thread: that of whoever asks.

    Args:
        done: how much it did so far.
        waiting: how much waits.
        now_ns: the platform's monotonic clock.
    """

    def __init__(self, done: Callable[[], int], waiting: Callable[[], int], now_ns: Callable[[], int]) -> None:
        self._done = done
        self._waiting = waiting
        self._now_ns = now_ns
        self._seen = -1
        self._since_ns = 0

    def beat_ns(self) -> int | None:
        """Return since when it stands although something waits, None when nothing does; to be asked again and again."""
        done, waits = self._done(), self._waiting() > 0
        if done != self._seen or not waits:
            self._seen, self._since_ns = done, self._now_ns()
        return self._since_ns if waits else None


def ident_of(name: str) -> int | None:
    """Return the identifier of the thread of a name that runs, None when none does."""
    return next((thread.ident for thread in threading.enumerate() if thread.name == name), None)


def thread_part(name: str, *, serves: str = PLATFORM, halts: bool = True) -> Part:
    """Return the part that is a thread which runs now and must not end; it is judged by its life alone."""
    thread = next((thread for thread in threading.enumerate() if thread.name == name), None)

    def death() -> str:
        return "" if thread is not None and thread.is_alive() else "its thread has ended"

    return Part(name=name, serves=serves, halts=halts, death=death, thread=lambda: ident_of(name))
