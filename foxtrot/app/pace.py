"""The pace: a thread of its own that only tells that this process runs, so that a main thread that is late alone is known for what it is."""

import threading
from collections.abc import Callable

from foxtrot.core.clock import suspend_aware_ns

THREAD = "foxtrot-pace"
STEP_S = 0.25
MOST = 80
"""So many steps are remembered: twenty seconds; what lies before counts as if nothing had moved."""


class Pace:
    """Notes the time four times a second; a process that is frozen, or whose machine sleeps, notes none.

    Thread: made, started and stopped by main; `longest_pause_ns` any; it owns foxtrot-pace.

    Args:
        now_ns: goes on while the machine sleeps.
    """

    def __init__(self, now_ns: Callable[[], int] = suspend_aware_ns) -> None:
        self._now_ns = now_ns
        self._steps: tuple[int, ...] = ()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; again does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
            self._thread.start()

    def stop(self, deadline_s: float = 1.0) -> None:
        """End the thread.

        Blocks: at most `deadline_s`.
        """
        self._ended.set()
        if self._thread is not None:
            self._thread.join(deadline_s)

    def death(self) -> str:
        """Return why it counts as dead, "" while it runs or is not wanted; as a part's `death` in supervision."""
        thread = self._thread
        return "its thread has ended" if thread and not thread.is_alive() and not self._ended.is_set() else ""

    def longest_pause_ns(self, since_ns: int, now_ns: int) -> int:
        """Return for how long at a stretch nothing was noted between two times; all of it when the thread does not run."""
        inside = (step for step in self._steps if since_ns < step < now_ns)
        longest, last = 0, since_ns
        for step in (*inside, now_ns):
            longest, last = max(longest, step - last), step
        return longest

    def _run(self) -> None:
        while not self._ended.wait(STEP_S):
            self._steps = (*self._steps[1 - MOST :], self._now_ns())
