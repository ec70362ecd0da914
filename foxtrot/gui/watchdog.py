"""The watchdog of the window: while the desktop's thread is held up, its stack goes to the log. And where Python's collector may run."""

import gc
import threading
from time import perf_counter
from typing import Final

from loguru import logger
from PySide6.QtCore import QObject, QTimer

from foxtrot.app.watchdog import stack_of
from foxtrot.gui.bridge import LATE_BEAT_S, Bridge

THREAD: Final = "foxtrot-window-watch"
LOOK_S: Final = 0.05
YOUNG_MS: Final = 1_000
OLDER_EVERY: Final = 10
WHOLE_EVERY: Final = 120
"""So many looks at young objects to one at older ones, and to one at all."""
SETTLED_AFTER: Final = 4
"""After so many looks a platform and its window are there, and most of what was made stays as long as they do."""


class BeatWatch:
    """Says where the desktop's thread stands when it has not flushed for too long: once for each stall, while it lasts.

    Thread: made, started and stopped by the desktop's; it looks on foxtrot-window-watch.

    Args:
        bridge: whose flushes are the beat.
        late_s: how long one may be missing.
    """

    def __init__(self, bridge: Bridge, late_s: float = LATE_BEAT_S) -> None:
        self.stalls: list[str] = []
        self._late_s = late_s
        self._beat_s = perf_counter()
        self._told_s = 0.0
        self._watched = threading.get_ident()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
        bridge.flushed.connect(self.beat)

    def beat(self) -> None:
        """Note that the thread is alive."""
        self._beat_s = perf_counter()

    def start(self) -> None:
        """Begin to look."""
        self.beat()
        self._thread.start()

    def stop(self) -> None:
        """Look no more.

        Blocks: for one look at most.
        """
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            self.look(perf_counter())

    def look(self, now_s: float) -> None:
        """Look once."""
        beat_s = self._beat_s
        if now_s - beat_s <= self._late_s or self._told_s == beat_s:
            return
        self._told_s = beat_s
        place = stack_of(self._watched)
        self.stalls.append(place)
        del self.stalls[:-100]
        logger.warning("the window has not painted for {:.0f} ms; it stands in {}", (now_s - beat_s) * 1000, place)


class Collector(QObject):
    """Lets Python's cyclic collector run on the desktop's thread alone, so that no other thread ever ends a widget.

    What stays is not looked at again and again: what was imported, and once it is settled the platform and the window. All of it together
    would hold up the window for some tenths of a second each time.

    Thread: the desktop's.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.looks = 0
        self._was_on = False
        self._new = 0
        self._timer = QTimer(self)
        self._timer.setInterval(YOUNG_MS)
        self._timer.timeout.connect(self.collect)

    def start(self) -> None:
        """Take the collector over."""
        self._was_on = gc.isenabled()
        gc.disable()
        gc.freeze()
        self._timer.start()

    def stop(self) -> None:
        """Give it back."""
        self._timer.stop()
        gc.unfreeze()
        if self._was_on:
            gc.enable()

    def renew(self) -> None:
        """Look at everything once more: a window was thrown away."""
        if self._timer.isActive():
            gc.unfreeze()
            self._new = 0

    def collect(self) -> None:
        """Collect what is young, now and then what is older and everything."""
        self.looks += 1
        self._new += 1
        if self._new == SETTLED_AFTER:
            gc.collect()
            gc.freeze()
            return
        gc.collect(2 if self.looks % WHOLE_EVERY == 0 else 1 if self.looks % OLDER_EVERY == 0 else 0)
