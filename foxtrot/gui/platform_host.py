"""The platform's life beside a window: on a thread of its own, told of what becomes of it by signals."""

import threading
from typing import Final

from loguru import logger
from PySide6.QtCore import QObject, Signal

from foxtrot.app.desktop_answers import DesktopAnswers
from foxtrot.app.live import Json, RunOrder, run_order
from foxtrot.app.logging_setup import LogWriter
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.stop_signals import StopSignal
from foxtrot.domain.errors import FoxtrotError
from foxtrot.gui.fact_store import FactStore
from foxtrot.gui.link import LocalLink

THREAD: Final = "foxtrot-platform"


class PlatformHost(QObject):
    """Runs one platform.

    `opened` comes with the link before the engine starts, so that no fact is missed; `ended` with the summary, or with why there is none.

    Thread: made by the desktop's; the platform is built, run and stopped on foxtrot-platform.

    Args:
        order: what is to run.
        store: where the platform tells what happens.
        who: in whose name the desktop acts.
        log: the log of this process.
    """

    opened = Signal(object)
    ended = Signal(object, str)

    def __init__(
        self, order: RunOrder, store: FactStore, who: str, log: LogWriter | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.order = order._replace(built=self._built)
        self.platform: MainEngine | None = None
        self._store = store
        self._who = who
        self._log = log
        self._stop = StopSignal()
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)

    @property
    def running(self) -> bool:
        """Tell whether the platform has not ended."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to build and run it; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask for the stop; `ended` tells of it."""
        self._stop.ask()

    def join(self, deadline_s: float) -> str:
        """Wait for the end; returns the thread's name if it overran, or "".

        Blocks: at most `deadline_s`; for the very end, when no window is left.
        """
        if self._thread.ident is None:
            return ""
        self._thread.join(deadline_s)
        return THREAD if self._thread.is_alive() else ""

    # --- on foxtrot-platform ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        summary: Json | None = None
        why = "the platform's thread ended without a word; the log of this process may say more"
        try:
            summary, why = run_order(self.order, self._stop, self._log), ""
        except FoxtrotError as error:
            why = str(error)
        except Exception as error:  # the window stays, and says what happened
            logger.opt(exception=error).error("the platform ended by a fault of ours")
            why = f"{type(error).__name__}: {error}"
        except SystemExit as error:  # of a thread: nobody else hears it
            why = f"something in the platform has asked for the end of the program (SystemExit: {error})"
        finally:
            self.ended.emit(summary, why)

    def _built(self, platform: MainEngine) -> None:
        self.platform = platform
        self.opened.emit(LocalLink(platform, DesktopAnswers(platform), self._store, self._who))
