"""The halt file: how whoever kills from outside tells a platform that it may not trade, whether it runs, is frozen or is gone."""

import threading
from pathlib import Path

import msgspec

from foxtrot.app.port_file import write_private
from foxtrot.core.private_file import make_private_folder
from foxtrot.domain.errors import ConfigError

NAME = "halt.json"
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
        self._obeyed: Halt | None = None
        self._lock = threading.Lock()

    def write(self, halt: Halt, *, durable: bool = True) -> None:
        """Write it; a later halt takes the place of an earlier one. Who writes it has obeyed it: `look` does not return it.

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
            write_private(self.path, msgspec.json.encode(halt), durable=durable)
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
