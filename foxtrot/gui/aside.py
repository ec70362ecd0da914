"""Work beside the desktop's thread: for what waits for the disk. The result comes back on the desktop's thread."""

from collections.abc import Callable
from typing import Any

from loguru import logger
from PySide6.QtCore import QObject, Qt, QThreadPool, Signal

from foxtrot.domain.errors import FoxtrotError

Done = Callable[[Any, str], None]
"""Hears the result, or None and why there is none."""


class Aside(QObject):
    """Does one thing after the other for whoever owns it; what is done when the owner is gone is told to nobody.

    Thread: made and used by the desktop's; the work is done by a thread of Qt's pool.
    """

    _ended = Signal(object, object, str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.running = 0
        """How many works are not done yet."""
        self._ended.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    def run(self, work: Callable[[], object], done: Done) -> None:
        """Do some work elsewhere, and call `done` with what came of it."""
        self.running += 1
        QThreadPool.globalInstance().start(lambda: self._work(work, done))

    def _work(self, work: Callable[[], object], done: Done) -> None:
        result: object = None
        why = ""
        try:
            result = work()
        except (FoxtrotError, OSError) as error:
            why = str(error)
        except Exception as error:  # whoever asked is told, whatever it was
            logger.opt(exception=error).error("work beside the desktop's thread failed")
            why = f"{type(error).__name__}: {error}"
        try:
            self._ended.emit(done, result, why)
        except RuntimeError:  # the owner was thrown away meanwhile
            return

    def _tell(self, done: Done, result: object, why: str) -> None:
        self.running -= 1
        done(result, why)
