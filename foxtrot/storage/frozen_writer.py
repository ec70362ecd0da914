"""A journal whose writer was stopped in the middle of a change: SQLite makes everybody wait for it, so that a copy is looked at."""

import filecmp
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from foxtrot.storage.journal_file import wal_of

LOCKS = Path("/proc/locks")
PROC = Path("/proc")
_STOPPED = frozenset("Tt")
_TRIES = 3


def is_held_by_a_frozen_process(path: Path) -> bool:
    """Tell whether a process that is stopped (SIGSTOP, a debugger) holds a lock for which every look at this journal would wait.

    Always False where the system does not tell who holds locks. A process that asks this is itself running, so that its own
    locks never count.

    Source: Linux manual pages, proc_locks(5) and proc_pid_stat(5), field 3.
    """
    try:
        inode = str(path.with_name(path.name + "-shm").stat().st_ino)
        lines = LOCKS.read_text().splitlines()
    except OSError:
        return False
    return any(_is_stopped(holder) for holder in {_holder(line, inode) for line in lines} if holder)


def _holder(line: str, inode: str) -> str:
    """Return the process that holds this lock alone, "" where it is another file's or one that is shared."""
    words = line.split()
    if "WRITE" not in words or "->" in words:
        return ""
    after = words.index("WRITE")
    pid, file = words[after + 1 : after + 3]
    return pid if file.rpartition(":")[2] == inode else ""


def _is_stopped(pid: str) -> bool:
    try:
        return (PROC / pid / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] in _STOPPED
    except (OSError, IndexError):
        return False


class CopyOfJournal:
    """A journal and its log as they were at one moment, in a folder of their own.

    Blocks: for the copying.

    Raises:
        OSError: it cannot be copied, or its writer went on in between, three times.
    """

    def __init__(self, path: Path) -> None:
        self._folder = TemporaryDirectory(prefix="foxtrot-journal-")  # which only its owner may enter
        self.path = Path(self._folder.name) / path.name
        try:
            if not any(self._is_taken(path) for _ in range(_TRIES)):
                raise OSError(f"{path} changed while it was copied")
        except OSError:
            self.close()
            raise

    def _is_taken(self, path: Path) -> bool:
        """Copy both, and tell whether the log was the same before and after: a checkpoint would have changed the file meanwhile."""
        log, copied_log = wal_of(path), wal_of(self.path)
        shutil.copyfile(log, copied_log)
        shutil.copyfile(path, self.path)
        return filecmp.cmp(log, copied_log, shallow=False)

    def close(self) -> None:
        """Remove it; idempotent."""
        self._folder.cleanup()
