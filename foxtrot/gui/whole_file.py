"""Files that a user named: whole, or as they were."""

import secrets
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside and rename it; where that fails the one that was there is as it was. What is no plain file is written into.

    Blocks: for the disk.

    Raises:
        OSError: it cannot be written.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    place = path.resolve()  # behind a link, which stays
    beside = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    try:
        beside.write_bytes(data)
        if place.exists():
            beside.chmod(place.stat().st_mode & 0o777)
        beside.replace(place)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
