"""The place file: where a server of a running platform can be reached, for whoever may read its home folder."""

from pathlib import Path

import msgspec
from loguru import logger

from foxtrot.app.port_file import write_private


class PlaceFile:
    """Says it while the server listens, and goes with it: what a later run has written in its stead stays.

    Thread: main.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = b""

    def write(self, place: msgspec.Struct, *, durable: bool) -> None:
        """Say where.

        Blocks: for the disk where it is to be durable: after a power cut there is then the whole of it or nothing.

        Raises:
            ConfigError: the home folder cannot be written.
        """
        data = msgspec.json.encode(place)
        write_private(self._path, data, durable=durable)
        self._mine = data

    def remove(self) -> None:
        """Say it no more; idempotent. A file that cannot be removed misleads nobody for long: its process is gone."""
        try:
            if self._mine and self._path.read_bytes() == self._mine:
                self._path.unlink()
        except OSError as error:
            logger.debug("{} was not removed: {}", self._path, error)
        self._mine = b""
