"""Waiting until what was asked for has happened, so that an answer says what is and not what was put into a queue."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from foxtrot.core.clock import Clock, SystemClock

LOOK_S = 0.1
F = TypeVar("F", bound=msgspec.Struct)


class Waited(Generic[F]):
    """What was found last, and whether it was what was waited for.

    Thread: that of whoever waits.
    """

    __slots__ = ("done", "found")

    def __init__(self, found: F, *, done: bool) -> None:
        self.found = found
        self.done = done


def wait_for(
    look: Callable[[], F], is_done: Callable[[F], bool], seconds: float, clock: Clock | None = None
) -> Waited[F]:
    """Look again and again until what is found is what is waited for, or the time is over.

    Blocks: at most `seconds` and as long as one look takes.
    """
    told, pause = clock or SystemClock(), threading.Event()
    until_ns = told.monotonic_ns() + int(seconds * 1e9)
    while True:
        found = look()
        if is_done(found):
            return Waited(found, done=True)
        if told.monotonic_ns() >= until_ns:
            return Waited(found, done=False)
        pause.wait(LOOK_S)
