"""Whether another process runs at all: what tells one that is frozen from one that is only late."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from foxtrot.app.process_table import PROC

STOPPED = frozenset({"T", "t"})
"""States of a process that a signal or a debugger has stopped.

Source: Linux manual pages, proc_pid_stat(5), field 3.
"""
_SWITCHES = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")
"""Source: Linux manual pages, proc_pid_status(5)."""
STANDS_NS = 1_000_000_000
"""A process none of whose threads was given a processor for so long does not run: one of a platform's moves four times a second."""


class Motion(msgspec.Struct, frozen=True):
    """The state of a process, and how often its threads have been given a processor or have let go of one."""

    state: str
    switches: int


def motion_of(pid: int) -> Motion | None:
    """Return how a process does, None where the system cannot be asked or when there is none.

    Blocks: reads one small file per thread.
    """
    try:
        state = _words(PROC / str(pid) / "status").get("State", "")[:1]
        tasks = list((PROC / str(pid) / "task").iterdir())
    except OSError:
        return None
    return Motion(state, sum(_switches(task / "status") for task in tasks)) if state else None


def _switches(file: Path) -> int:
    try:
        words = _words(file)
    except OSError:  # the thread has just ended
        return 0
    return sum(int(words.get(name, "0")) for name in _SWITCHES)


def _words(file: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in file.read_text("utf-8", "replace").splitlines())
    return {name: rest.strip() for name, _, rest in lines}


class MotionWatch:
    """Judges, from look to look, whether a process runs.

    Thread: one.
    """

    def __init__(self, look: Callable[[int], Motion | None] = motion_of) -> None:
        self._look = look
        self._switches = -1
        self._moved_ns = 0

    def forget(self) -> None:
        """Begin anew: the process has given a sign of life."""
        self._switches = -1

    def runs(self, pid: int, now_ns: int) -> bool:
        """Tell whether a process certainly runs; to be asked some times a second."""
        motion = self._look(pid)
        if motion is None or motion.state in STOPPED:
            return False
        if motion.switches != self._switches:
            self._switches, self._moved_ns = motion.switches, now_ns
        return now_ns - self._moved_ns < STANDS_NS
