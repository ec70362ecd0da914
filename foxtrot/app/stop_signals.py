"""SIGINT and SIGTERM as an event to wait for."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object] | int | None


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT and SIGTERM set; a second signal changes nothing, for the stop is under way.

    The handlers found before are put back at the end. Off the main thread, where none can be set, the event is never set.

    Thread: main.
    """
    stopped = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before: dict[int, Handler] = {}
    if threading.current_thread() is threading.main_thread():
        for watched in (signal.SIGINT, signal.SIGTERM):
            before[watched] = signal.signal(watched, on_signal)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
