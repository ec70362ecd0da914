"""The runs that are kept: where each is, how old and how large, and which are removed."""

import shutil
from pathlib import Path
from typing import NamedTuple

from foxtrot.storage.run_tape import SUFFIX

GB = 1_000_000_000
DAY_S = 86_400


class TapeLimits(NamedTuple):
    """How much is kept of old runs, and how much of the disk stays free."""

    keep_days: float = 7.0
    keep_gb: float = 5.0
    min_free_gb: float = 1.0

    @property
    def keep_bytes(self) -> int:
        """Return the size that all runs together may have."""
        return int(self.keep_gb * GB)

    @property
    def min_free_bytes(self) -> int:
        """Return how much of the disk stays free."""
        return int(self.min_free_gb * GB)


class KeptRun(NamedTuple):
    """One recorded run on disk; `written_s` is when it was last written, seconds since 1970."""

    folder: Path
    size: int
    written_s: float


def kept_runs(runs: Path) -> list[KeptRun]:
    """Return every run that has a tape, oldest first.

    Blocks: for the disk.
    """
    found = []
    for folder in runs.iterdir() if runs.is_dir() else ():
        states = [path.stat() for path in folder.glob(f"*{SUFFIX}")]
        if states:
            found.append(KeptRun(folder, sum(one.st_size for one in states), max(one.st_mtime for one in states)))
    return sorted(found, key=lambda run: (run.written_s, run.folder.name))


def remove_old_tapes(runs: Path, limits: TapeLimits, running: Path, now_s: float) -> tuple[Path, ...]:
    """Remove runs that are too old, and the oldest while all together are too large; never the one that runs.

    Blocks: for the disk.
    """
    kept = kept_runs(runs)
    total = sum(run.size for run in kept)
    removed = []
    for run in kept:
        if run.folder == running:
            continue
        if now_s - run.written_s > limits.keep_days * DAY_S or total > limits.keep_bytes:
            shutil.rmtree(run.folder, ignore_errors=True)
            total -= run.size
            removed.append(run.folder)
    return tuple(removed)
