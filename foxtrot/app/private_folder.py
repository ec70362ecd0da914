"""What is looked at before a platform runs: who may write in its home, who runs it, and that what it writes is its owner's alone."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from loguru import logger

from foxtrot.app.process_table import forbid_core_dumps, is_other_user, is_root
from foxtrot.core.private_file import make_private_folder
from foxtrot.domain.errors import ConfigError

AS_ROOT: Final = "--as-root"
_OTHERS_OPEN: Final = 0o077


@contextlib.contextmanager
def private_home(home: Path) -> Iterator[None]:
    """Make a home and check it; within the block every new file of this process is its owner's alone.

    Blocks: for the disk.

    Raises:
        ConfigError: others may write in it, it is somebody else's, or it cannot be made.
    """
    before = os.umask(_OTHERS_OPEN)
    try:
        try:
            make_private_folder(home)
        except OSError as error:
            raise ConfigError(f"home {home} cannot be made: {error.strerror or error}; name another") from None
        check_folder(home)
        yield
    finally:
        os.umask(before)


def check_folder(folder: Path) -> None:
    """Refuse a folder in which others may write; one that is not there yet will be made as it should be.

    Blocks: for the disk.

    Raises:
        ConfigError: they may, with what to do.
    """
    if not folder.exists():
        return
    status = folder.stat()
    if is_other_user(status.st_uid):
        raise ConfigError(f"{folder} belongs to another user (number {status.st_uid}); name a folder of your own")
    if os.name == "posix" and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(
            f"{folder} can be written by others (mode {stat.S_IMODE(status.st_mode):o}), who could change what a platform believes; "
            f"do: chmod 700 {folder}"
        )


def warn_of_readers(folder: Path) -> None:
    """Say so where others may read what a folder has."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if os.name == "posix" and mode & _OTHERS_OPEN:
        logger.warning("{} can be read by others (mode {:o}); do: chmod 700 {}", folder, mode, folder)


def check_user(*, live: bool, as_root: bool) -> None:
    """Refuse to trade for real as root unless told to; say so where a platform runs as root otherwise.

    Raises:
        ConfigError: real trading as root, with what to do.
    """
    if not is_root():
        return
    if live and not as_root:
        raise ConfigError(
            f"run --live refuses to run as root, which a fault or a strategy could use against the whole machine; run it as a user of "
            f"its own, or give {AS_ROOT} as well"
        )
    logger.warning("this runs as root, which no part of it needs; run it as a user of its own")


def guard_memory() -> None:
    """Keep secrets out of core dumps, before they are loaded; say so where the system cannot do that."""
    if not forbid_core_dumps():
        logger.warning("this system cannot be told to make no crash dumps of a process that holds keys")
