"""Whether a process runs: a frozen one does not, one that is only late does, and where nobody can be asked it counts as frozen."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from foxtrot.app.heartbeat_file import SILENT_S, Beat, Pulse
from foxtrot.app.process_motion import PROC, Motion, MotionWatch, motion_of
from foxtrot.app.process_table import process_start
from tests.support.waiting import wait_until

S = 1_000_000_000
LATE_S = 10.0
needs_proc = pytest.mark.skipif(not (PROC / "self" / "stat").exists(), reason="the system has no /proc")


class Shown:
    """A process as the system shows it."""

    def __init__(self) -> None:
        self.state, self.switches, self.moves, self.there = "S", 5, True, True

    def look(self, _pid: int) -> Motion | None:
        self.switches += self.moves
        return Motion(self.state, self.switches) if self.there else None


def first_silent_s(shown: Shown, late_s: float = LATE_S) -> float:
    """After how much silence a platform of this very process counts as silent."""
    beat = Beat(os.getpid(), process_start(os.getpid()) or "", 1, SILENT_S)
    pulse = Pulse(late_s, MotionWatch(shown.look))
    for step in range(10, 310):
        if pulse.look(beat, step * S // 10):
            return step / 10 - 1
    return 0.0


def test_a_process_that_runs_has_longer_than_one_that_does_not() -> None:
    shown = Shown()
    assert first_silent_s(shown) == LATE_S
    assert first_silent_s(shown, 0.0) == SILENT_S
    shown.moves = False
    assert first_silent_s(shown) == SILENT_S
    shown.moves, shown.state = True, "T"
    assert first_silent_s(shown) == SILENT_S
    shown.state, shown.there = "S", False
    assert first_silent_s(shown) == SILENT_S


def test_a_sign_of_life_ends_the_silence_and_the_next_one_is_judged_anew() -> None:
    shown = Shown()
    watch = MotionWatch(shown.look)
    shown.moves = False
    assert [watch.runs(1, at * S // 2) for at in (1, 2, 3)] == [True, True, False]
    watch.forget()
    assert watch.runs(1, 2 * S)


@needs_proc
def test_a_process_that_is_stopped_is_seen_and_one_that_goes_on_too(tmp_path: Path) -> None:
    code = "import threading\nprint(flush=True)\nwhile True: threading.Event().wait(0.01)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            before = motion_of(process.pid)
            assert before is not None
            wait_until(lambda: (motion_of(process.pid) or before).switches > before.switches)
            os.kill(process.pid, signal.SIGSTOP)
            wait_until(lambda: (motion_of(process.pid) or before).state == "T")
            assert not MotionWatch().runs(process.pid, S)
            os.kill(process.pid, signal.SIGCONT)
            wait_until(lambda: MotionWatch().runs(process.pid, S))
        finally:
            process.kill()
    assert motion_of(process.pid) is None
