"""A log file that is renamed when it has grown: name, name.1, name.2 …, the oldest is deleted."""

from pathlib import Path
from typing import IO

from foxtrot.core.private_file import make_private_folder, private_opener
from foxtrot.domain.errors import ConfigError

MAX_BYTES = 10_000_000
KEPT = 5


class LogFile:
    """An append-only text file of bounded size.

    Thread: opened by the caller, then foxtrot-log's alone.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, kept: int = KEPT) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._kept = kept
        try:
            make_private_folder(path.parent)
            self._file: IO[bytes] = _opened(path)
        except OSError as error:
            raise ConfigError(f"log file {path} cannot be written: {error.strerror or error}") from None

    def write(self, text: str) -> None:
        """Append text and flush it.

        Raises:
            OSError: the disk refuses.
        """
        data = text.encode("utf-8", "backslashreplace")
        if self._file.tell() and self._file.tell() + len(data) > self._max_bytes:
            self._rotate()
        self._file.write(data)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._kept, 0, -1):
            older = self._numbered(number)
            newer = self._numbered(number - 1)
            if newer.exists():
                newer.replace(older)
        self._file = _opened(self._path)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path


def _opened(path: Path) -> IO[bytes]:
    return open(path, "ab", opener=private_opener)
