"""One home, one run: whoever runs a platform in a home folder holds its lock until it ends."""

import os
import platform
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from foxtrot.app.port_file import write_private
from foxtrot.app.process_table import one_at_a_time, process_start
from foxtrot.core.private_file import make_private_folder
from foxtrot.domain.errors import ConfigError

NAME = "run.lock"


class Holder(msgspec.Struct, frozen=True):
    """Who holds the lock: a process by number and start, on a machine; `token` tells two runs of one process apart."""

    pid: int
    start: str
    host: str
    token: str

    @property
    def lives(self) -> bool:
        """Tell whether it still runs; of another machine's process nobody here can say that it does not."""
        if self.host != platform.node():
            return True
        start = process_start(self.pid)
        return start is not None and (not start or not self.start or start == self.start)


class RunLock:
    """The lock of a home folder; as a context it is taken and given back.

    Thread: main.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / NAME
        self._mine: bytes = b""

    def __enter__(self) -> Self:
        """Take it."""
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self.release()

    def take(self) -> None:
        """Take the lock; that of a run which is no more is taken over.

        Blocks: for the disk.

        Raises:
            ConfigError: another run holds it, or the home folder cannot be written.
        """
        pid = os.getpid()
        mine = Holder(pid, process_start(pid) or "", platform.node(), secrets.token_hex(8))
        try:
            make_private_folder(self.home)
        except OSError as error:
            raise ConfigError(f"home {self.home} cannot be made: {error.strerror or error}; name another") from None
        data = msgspec.json.encode(mine)
        with one_at_a_time(self.home):  # or two that find a dead lock would each clear away the other's
            self._refuse_if_living(holder_of(self.home))
            write_private(self.path, data)
        self._mine = data

    def release(self) -> None:
        """Give the lock back, if it is still this one."""
        with suppress(OSError):
            if self._mine and self.path.read_bytes() == self._mine:
                self.path.unlink()
        self._mine = b""

    def _refuse_if_living(self, holder: Holder | None) -> None:
        if holder is not None and holder.lives:
            where = "" if holder.host == platform.node() else f" on {holder.host}"
            raise ConfigError(
                f"a platform already runs in {self.home} (pid {holder.pid}{where}): stop it first, or give this one a home of its own "
                f"with --home; if that process is certainly gone, delete {self.path}"
            )


def holder_of(home: Path) -> Holder | None:
    """Return who holds the lock of a home folder, living or not; None when nobody does or the file is no lock.

    Raises:
        ConfigError: the file may not be read, so that nobody knows.
    """
    path = home / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}; name another home") from None
