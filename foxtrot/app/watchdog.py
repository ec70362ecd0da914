"""The watchdog: says which line of which strategy holds up the engine, while it does; and where any thread stands."""

import sys
from pathlib import Path
from types import FrameType

import foxtrot
from foxtrot.core.clock import Clock
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.heartbeat import ident_of

STALL_S = 2.0
MOST_FRAMES = 8
_OURS = str(Path(foxtrot.__file__).parent)


class Watchdog:
    """Notices that an event is handled for too long, or waits and none is handled; the supervisor says so in the log.

    Thread: `look` is called by main, some times a second; the properties any.
    """

    def __init__(self, engine: EventEngine, clock: Clock, stall_s: float = STALL_S) -> None:
        self._engine = engine
        self._clock = clock
        self._stall_ns = int(stall_s * 1e9)
        self._sequence = -1
        self._since_ns = 0
        self._place = ""
        self.stalls: list[str] = []

    @property
    def stalled_in(self) -> str:
        """Return the line that holds up the engine now, "" when none does."""
        return self._place

    @property
    def beat_ns(self) -> int:
        """Return when the engine was last seen to move, or to have nothing to do."""
        return self._since_ns

    def look(self) -> None:
        """Look once."""
        now_ns, sequence = self._clock.monotonic_ns(), self._engine.dispatcher.sequence
        if sequence != self._sequence or not self._engine.busy:
            self._sequence, self._since_ns, self._place = sequence, now_ns, ""
        elif not self._place and now_ns - self._since_ns > self._stall_ns:
            self._place = place_of(self._engine.name)
            self.stalls.append(self._place)

    def excuse(self) -> None:
        """Count the engine's silence from now on: nobody could move before."""
        self._since_ns = self._clock.monotonic_ns()


def place_of(thread_name: str) -> str:
    """Return where a thread is: the innermost line outside Foxtrot's own code, or the innermost one of all."""
    frame = _frame_of(ident_of(thread_name))
    if frame is None:
        return f"{thread_name}, which does not run"
    return _line(_plugin_frame(frame) or frame)


def stack_of(thread: int | None) -> str:
    """Return the innermost lines of a thread's stack as one line, the innermost first; "" when it does not run. No value is shown."""
    frame = _frame_of(thread)
    lines: list[str] = []
    while frame is not None and len(lines) < MOST_FRAMES:
        lines.append(_line(frame))
        frame = frame.f_back
    return " < ".join(lines)


def _frame_of(ident: int | None) -> FrameType | None:
    return sys._current_frames().get(ident) if ident is not None else None


def _line(frame: FrameType) -> str:
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} in {frame.f_code.co_name}"


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
