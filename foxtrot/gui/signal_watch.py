"""SIGINT and SIGTERM while Qt runs: they ask for the end, as a closed window does."""

import signal
from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QTimer

from foxtrot.app.stop_signals import StopSignal

WATCHED: Final = (signal.SIGINT, signal.SIGTERM)
WAKE_MS: Final = 200
"""Python's handlers run only when Python does."""


class SignalWatch:
    """Calls something at each signal, as a context.

    Thread: main.

    Args:
        stop: asks for the end.
        before: what has heard signals until now; one that came already counts.
    """

    def __init__(self, stop: Callable[[], object], before: StopSignal | None = None) -> None:
        self._stop = stop
        self._earlier = before
        self._before: dict[int, Any] = {}
        self._wake = QTimer()
        self._wake.timeout.connect(lambda: None)

    def __enter__(self) -> "SignalWatch":
        """Hear from now on."""
        self._before = {int(number): signal.signal(number, lambda *_: self._stop()) for number in WATCHED}
        self._wake.start(WAKE_MS)
        if self._earlier is not None and self._earlier.wait(0.0):
            QTimer.singleShot(0, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        """Let those hear again who did before."""
        self._wake.stop()
        for number, handler in self._before.items():
            signal.signal(number, handler)
