"""The halt file: how whoever kills from outside tells a platform that it may not trade, whether it runs, is frozen or is gone."""

import os
import threading
from pathlib import Path

import msgspec

from foxtrot.app.port_file import write_private
from foxtrot.core.private_file import make_private_folder, private_opener
from foxtrot.domain.errors import ConfigError

NAME = "halt.json"
SPARE = "halt.spare"
"""Room on the disk, taken beforehand, that becomes the halt file when a full disk has none left."""
ROOM = 4096
MOST_REASON, MOST_WHO = 480, 80
"""So many letters fit into the room, however they are written."""
UNREADABLE = "the halt file cannot be read, which counts as a halt"


class Halt(msgspec.Struct, frozen=True):
    """Why a platform may not trade, who said so and when (UTC); `killed` by the kill switch."""

    reason: str
    who: str
    time_ns: int
    killed: bool = True


class HaltFile:
    """`halt.json` in a home folder; whoever finds one there may not trade until a person resumes, which removes it.

    Thread: `look` and `lift`, one; the rest, any; what this object writes is not taken away by a `lift` that is under way.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / NAME
        self.spare = home / SPARE
        self._obeyed: Halt | None = None
        self._lock = threading.Lock()

    def reserve(self) -> None:
        """Take room for a halt, so that one can be written when the disk is full.

        Blocks: for the disk.

        Raises:
            ConfigError: there is no room.
        """
        try:
            make_private_folder(self.path.parent)
            with open(self.spare, "ab", opener=private_opener) as file:
                if file.tell() != ROOM:
                    file.truncate(0)
                    file.write(b" " * ROOM)  # written, for a hole takes no room
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            raise ConfigError(
                f"{self.spare} cannot be written, so that a kill on a full disk would be forgotten: {error.strerror or error}; make room"
            ) from None

    def write(self, halt: Halt, *, durable: bool = True) -> None:
        """Write it; a later halt takes the place of an earlier one. Who writes it has obeyed it: `look` does not return it.

        Where the disk is full it is written into the room that was reserved, or over an earlier halt, with its reason cut to what fits.

        Blocks: for the disk; unless `durable` not until it would outlive a power cut.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            make_private_folder(self.path.parent)
        except OSError as error:
            raise ConfigError(
                f"{self.path.parent} cannot be made: {error.strerror or error}; name another home"
            ) from None
        with self._lock:
            try:
                write_private(self.path, msgspec.json.encode(halt), durable=durable)
            except ConfigError:
                halt = Halt(halt.reason[:MOST_REASON], halt.who[:MOST_WHO], halt.time_ns, halt.killed)
                if not self._write_over(msgspec.json.encode(halt), durable=durable):
                    raise
            self._obeyed = halt

    def read(self) -> Halt | None:
        """Return what it says, None when there is none; one that cannot be understood is a halt all the same.

        Blocks: for the disk.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Halt)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, msgspec.MsgspecError, UnicodeError) as error:
            return Halt(f"{UNREADABLE}: {self.path}: {error}", "halt file", 0)

    def look(self) -> Halt | None:
        """Return a halt that was not returned before: to be called some times a second, and obeyed.

        Blocks: for the disk.
        """
        with self._lock:
            found = self.read()
            if found == self._obeyed:
                return None
            self._obeyed = found
            return found

    def lift(self) -> None:
        """Remove it when it is the halt that was obeyed, because a person has resumed since; one that nobody has obeyed yet stays.

        Blocks: for the disk.

        Raises:
            ConfigError: as `remove`.
        """
        with self._lock:
            found = self.read()
            if found is not None and found == self._obeyed:
                self.remove()
                self._obeyed = None

    def _write_over(self, data: bytes, *, durable: bool) -> bool:
        """Write over what is there, which takes no new room, and tell whether that could be done.

        A crash may leave a part of it: that cannot be understood, and counts as a halt.
        """
        for path in (self.spare, self.path):  # the spare may be somebody else's halt by now
            try:
                with path.open("r+b") as file:
                    file.write(data.ljust(os.fstat(file.fileno()).st_size))
                    file.flush()
                    if durable:
                        os.fsync(file.fileno())
                path.replace(self.path)
            except OSError:
                continue
            return True
        return False

    def remove(self) -> None:
        """Remove it, because a person resumes.

        Blocks: for the disk.

        Raises:
            ConfigError: it is there and cannot be removed, so that the next start would halt again.
        """
        try:
            self.path.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise ConfigError(
                f"{self.path} cannot be removed: {error.strerror or error}; delete it, for the next start obeys it"
            ) from None
