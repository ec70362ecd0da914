"""SIGINT, SIGTERM and a closed terminal while Qt runs: they ask for the end, as a closed window does."""

import signal
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final

from PySide6.QtCore import QTimer

from foxtrot.app.stop_signals import StopSignal, watched

WAKE_MS: Final = 100
"""Python's handlers run only when Python does."""


class SignalWatch:
    """Calls something at each signal, as a context.

    A handler runs between two lines of whatever Python does just then, a paint or the making of the window: so it only notes the signal, and
    a timer calls. One that comes before Qt's loop runs is called for as soon as that does.

    Thread: main.

    Args:
        stop: asks for the end.
        before: what has heard signals until now; one that came already counts.
    """

    def __init__(self, stop: Callable[[], object], before: StopSignal | None = None) -> None:
        self._stop = stop
        self._earlier = before
        self._before: dict[int, Any] = {}
        self._came: SimpleQueue[int] = SimpleQueue()
        self._wake = QTimer()
        self._wake.timeout.connect(self._look)

    def __enter__(self) -> "SignalWatch":
        """Hear from now on."""
        self._before = {number: signal.signal(number, lambda came, _: self._came.put(came)) for number in watched()}
        if self._earlier is not None and self._earlier.wait(0.0):
            self._came.put(0)
        self._wake.start(WAKE_MS)
        return self

    def __exit__(self, *_: object) -> None:
        """Let those hear again who did before."""
        self._wake.stop()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _look(self) -> None:
        while not self._came.empty():
            self._came.get_nowait()
            self._stop()
