"""SIGINT, SIGTERM and SIGHUP as something to wait for.

A signal handler runs between two lines of the main thread, perhaps while that thread holds the lock of an Event. So it may
only do what is reentrant: put into a SimpleQueue.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType

WATCHED = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""A closed terminal (SIGHUP, where there is one) is a request to stop as well, except under nohup."""
Handler = Callable[[int, FrameType | None], object] | int | None


class StopSignal:
    """Whether somebody has asked for the stop.

    Thread: `wait`, main; `ask`, any, a signal handler too.
    """

    def __init__(self) -> None:
        self._asked: SimpleQueue[bool] = SimpleQueue()
        self._is_set = False

    def ask(self) -> None:
        """Ask for the stop; asking again changes nothing."""
        self._asked.put(True)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the stop is asked for; False when the time was over first.

        Blocks: at most `seconds`; for ever with None.
        """
        if not self._is_set:
            try:
                self._is_set = self._asked.get(timeout=seconds)
            except Empty:
                return False
        return True


def watched() -> list[int]:
    """Return the signals that ask for the stop: all of WATCHED but a SIGHUP that is ignored, as nohup lets it be."""
    return [
        number
        for number in WATCHED
        if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) is not signal.SIG_IGN
    ]


@contextmanager
def stop_signals() -> Iterator[StopSignal]:
    """Yield what signals ask; a second signal changes nothing, for the stop is under way.

    The handlers found before are put back at the end. Off the main thread, where none can be set, no signal asks.

    Thread: main.
    """
    stop = StopSignal()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.ask()

    before: dict[int, Handler] = {}
    if threading.current_thread() is threading.main_thread():
        for number in watched():
            before[number] = signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
