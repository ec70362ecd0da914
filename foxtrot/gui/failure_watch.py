"""What nobody caught: written to the log, counted, and told to the desktop's thread, whichever thread it was on."""

import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from loguru import logger
from PySide6.QtCore import QObject, Signal


class FailureWatch(QObject):
    """Hears exceptions that nobody caught, on any thread; the program goes on.

    `failed` comes on the desktop's thread with a short text; who comes before in the hooks is asked after us.

    Thread: made, started and stopped by the desktop's.
    """

    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._before: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def start(self) -> None:
        """Hear from now on."""
        if self._before is None:
            self._before = sys.excepthook, threading.excepthook
            sys.excepthook = self._hear
            threading.excepthook = self._hear_thread

    def stop(self) -> None:
        """Hear no more; who heard before does again."""
        if self._before is not None:
            sys.excepthook, threading.excepthook = self._before
            self._before = None

    def _hear(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        logger.opt(exception=(kind, error, trace)).error("something in the desktop failed")
        self.failed.emit(f"{kind.__name__}: {error}")

    def _hear_thread(self, failure: threading.ExceptHookArgs) -> None:
        if failure.exc_value is None or issubclass(failure.exc_type, SystemExit):
            return
        name = "a thread" if failure.thread is None else failure.thread.name
        trace = (failure.exc_type, failure.exc_value, failure.exc_traceback)
        logger.opt(exception=trace).error("{} ended by a fault", name)
        self.failed.emit(f"{name}: {failure.exc_type.__name__}: {failure.exc_value}")
