"""What only the operating system knows of processes: whether one lives and since when, who is alone in a folder, who runs us, core dumps."""

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

PROC = Path("/proc")
_STATE, _START = 0, 19
"""Where the state and the start stand in /proc/PID/stat behind the name.

Source: Linux manual pages, proc_pid_stat(5), fields 3 and 22.
"""
_PR_SET_DUMPABLE = 4
"""Source: Linux manual pages, PR_SET_DUMPABLE(2const)."""
_ENDED = frozenset({"Z", "X"})


def process_start(pid: int) -> str | None:
    """Return when a process started, in the system's own words.

    Blocks: for another program where there is no /proc.

    Returns:
        None when there is no such process, "" where the system cannot be asked.
    """
    if (PROC / "self" / "stat").exists():
        return _start_by_proc(pid)
    if os.name == "posix":
        return _start_by_ps(pid)
    return ""


def _start_by_proc(pid: int) -> str | None:
    try:
        fields = (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        boot = (PROC / "sys" / "kernel" / "random" / "boot_id").read_text("utf-8").strip()
    except OSError:
        return None
    if len(fields) <= _START or fields[_STATE] in _ENDED:
        return None
    return f"{boot} {fields[_START]}"


def _start_by_ps(pid: int) -> str | None:
    try:
        asked = subprocess.run(  # noqa: S603  (a fixed program and a number)
            ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip() or None


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process at a time into the block, of all that name the same folder; it ends with its process too.

    Where the system or the file system has no such locks nobody is kept out.

    Blocks: while another is in.
    """
    if os.name != "posix":
        yield
        return
    fcntl = import_module("fcntl")
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # which gives the lock back


def is_root() -> bool:
    """Tell whether this process may do everything on its machine."""
    return os.name == "posix" and os.geteuid() == 0


def user_number() -> str:
    """Return the number of who runs this process, "unknown" where users have none."""
    return str(os.getuid()) if os.name == "posix" else "unknown"


def is_other_user(owner: int) -> bool:
    """Tell whether the owner of a file, by number, is neither who runs this process nor root."""
    return os.name == "posix" and owner not in (os.geteuid(), 0)


def forbid_core_dumps() -> bool:
    """Let no crash write this process's memory to a file and no debugger of the same user look into it, from now on.

    Returns:
        False where the system has neither of the two ways.
    """
    if os.name != "posix":
        return False
    resource = import_module("resource")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return True  # no Linux: the limit alone
