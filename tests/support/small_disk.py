"""A disk that a test can fill, or make read-only."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A file system of its own, in memory.

    Args:
        folder: where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no room."""
        with pytest.raises(OSError, match="No space left") as caught, self._filler.open("wb", buffering=0) as file:  # noqa: PT012
            while file.write(b"x" * 4096):
                pass
        assert caught.value.errno == errno.ENOSPC

    def make_room(self) -> None:
        """Give the room back."""
        self._filler.unlink()

    def protect(self, *, on: bool) -> None:
        """Let nothing be written any more, or again."""
        subprocess.run(["mount", "-o", f"remount,{'ro' if on else 'rw'}", str(self.folder)], check=True)


@contextmanager
def small_disk(folder: Path, kilobytes: int = 512) -> Iterator[SmallDisk]:
    """Mount one at a folder that is made; the test is passed over where that cannot be done."""
    folder.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root on Linux")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
