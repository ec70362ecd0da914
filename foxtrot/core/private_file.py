"""Files and folders that only their owner may open: made with their mode, so that there is no moment at which others could."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700


def private_opener(path: str, flags: int) -> int:
    """Open a file for `open(…, opener=private_opener)`: one that is made by it has mode 0600."""
    return os.open(path, flags, FILE_MODE)


def make_private_folder(folder: Path) -> None:
    """Make a folder and the folders above it that are missing, each with mode 0700; one that is there is left as it is.

    Blocks: for the disk.

    Raises:
        OSError: it cannot be made, or something else has its name.
    """
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=FOLDER_MODE, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")


def replace_private_file(path: Path, data: bytes) -> None:
    """Write a file beside and rename it, so that there always is a whole one, on the disk when this returns; its folder is made.

    Blocks: for the disk.

    Raises:
        OSError: it cannot be written; the former one is as it was.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        make_private_folder(path.parent)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
