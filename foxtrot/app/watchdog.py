"""The watchdog: says which line of which strategy holds up the engine, while it does."""

import sys
import threading
from pathlib import Path
from types import FrameType

from loguru import logger

import foxtrot
from foxtrot.core.clock import Clock
from foxtrot.core.event_engine import EventEngine

STALL_S = 2.0
_OURS = str(Path(foxtrot.__file__).parent)


class Watchdog:
    """Notices that events wait and none is handled; each stall is one line in the log when it begins and one when it ends.

    Thread: `look` is called by main, some times a second.
    """

    def __init__(self, engine: EventEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._sequence = -1
        self._since_ns = 0
        self._place = ""
        self.stalls: list[str] = []

    @property
    def stalled_in(self) -> str:
        """Return the line that holds up the engine now, "" when none does."""
        return self._place

    def look(self) -> None:
        """Look once."""
        now_ns, sequence = self._clock.monotonic_ns(), self._engine.dispatcher.sequence
        if sequence != self._sequence or not self._engine.depth:
            if self._place:
                logger.warning("the engine goes on after {:.1f} s in {}", (now_ns - self._since_ns) / 1e9, self._place)
            self._sequence, self._since_ns, self._place = sequence, now_ns, ""
        elif not self._place and now_ns - self._since_ns > STALL_S * 1e9:
            self._place = place_of(self._engine.name)
            self.stalls.append(self._place)
            depth = self._engine.depth
            logger.warning(
                "the engine has handled nothing for {} s; {} events wait for {}", STALL_S, depth, self._place
            )


def place_of(thread_name: str) -> str:
    """Return where a thread is: the innermost line outside Foxtrot's own code, or the innermost one of all."""
    ident = next((thread.ident for thread in threading.enumerate() if thread.name == thread_name), None)
    frame = sys._current_frames().get(ident) if ident is not None else None
    if frame is None:
        return f"{thread_name}, which does not run"
    shown = _plugin_frame(frame) or frame
    return f"{Path(shown.f_code.co_filename).name}:{shown.f_lineno} in {shown.f_code.co_name}"


def _plugin_frame(frame: FrameType) -> FrameType | None:
    """Return the innermost frame of a strategy's file: one called by Foxtrot's strategy host and not part of Foxtrot."""
    found: FrameType | None = None
    current: FrameType | None = frame
    while current is not None:
        name = current.f_code.co_filename
        below = current.f_back
        if not name.startswith(_OURS) and below is not None and below.f_code.co_filename.startswith(_OURS):
            found = found or current
        current = below
    return found
