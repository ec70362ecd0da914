"""One account, one platform; one data folder, one platform: the second that starts is refused and told who was first.

The locks lie in a folder of the user's own, outside every home. A guardian, a kill without the platform and whatever only reads
take none.
"""

import hashlib
import os
import platform
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.app.port_file import write_private
from foxtrot.app.process_table import one_at_a_time, process_start
from foxtrot.app.run_lock import Holder
from foxtrot.core.private_file import make_private_folder
from foxtrot.domain.errors import ConfigError

VARIABLE = "FOXTROT_LOCKS"
_TELL_APART = ("product", "host", "port", "port_file", "account", "account_id", "url")
"""Settings by which one key leads to different accounts."""
_SALT = b"foxtrot account lock"


class Lock(msgspec.Struct, frozen=True):
    """What a lock file says: who holds it, and the home it runs in."""

    holder: Holder
    home: str
    what: str


class AccountLocks:
    """The locks of one platform; as a context they are given back at its end.

    Thread: main.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder = folder
        self._home = home
        self._mine: dict[Path, bytes] = {}

    def __enter__(self) -> Self:
        """Begin with none."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give all back."""
        self.release()

    def take(self, what: str, key: str) -> None:
        """Take one lock; one whose holder is no more is taken over.

        Args:
            what: in words.
            key: tells it from every other one; it is not shown.

        Blocks: for the disk.

        Raises:
            ConfigError: another platform holds it, or the folder cannot be written.
        """
        path = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.lock"
        if path in self._mine:
            return
        pid = os.getpid()
        holder = Holder(pid, process_start(pid) or "", platform.node(), secrets.token_hex(8))
        data = msgspec.json.encode(Lock(holder, str(self._home.absolute()), what))
        try:
            make_private_folder(self._folder)
            with one_at_a_time(self._folder):  # or two that find a dead lock would each clear away the other's
                _refuse_if_held(path, what)
                write_private(path, data)
        except OSError as error:
            raise ConfigError(
                f"{self._folder} cannot be used: {error.strerror or error}; name another by {VARIABLE}"
            ) from None
        self._mine[path] = data

    def release(self) -> None:
        """Give back what is still ours."""
        for path, data in self._mine.items():
            with suppress(OSError):
                if path.read_bytes() == data:
                    path.unlink()
        self._mine.clear()


def lock_folder(environment: Mapping[str, str]) -> Path:
    """Return where the locks of this user lie."""
    chosen = environment.get(VARIABLE, "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_path("foxtrot", appauthor=False)) / "locks"


def data_key(folder: Path) -> tuple[str, str]:
    """Return the lock of a data folder: in words, and its key."""
    return f"data folder {folder}", f"data {folder.resolve()}"


def account_keys(adapters: Iterable[BaseAdapter]) -> list[tuple[str, str]]:
    """Return the locks of every account that trades at a venue outside the platform: in words, and their keys."""
    return [(f"account {one.account}", account_key(one)) for one in adapters if one.capabilities.network and one.trades]


def account_key(adapter: BaseAdapter) -> str:
    """Return what tells the account behind an adapter from others, without showing its key: slow to guess, the same each time."""
    context = adapter.context
    hidden = "\0".join(f"{name}={value.reveal()}" for name, value in sorted(context.secrets.items()))
    sealed = hashlib.scrypt(hidden.encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=16).hex()
    environment = context.environment or adapter.safest_environment
    settings = [f"{name}={context.settings[name]}" for name in _TELL_APART if name in context.settings]
    return "\0".join(["account", adapter.adapter_name, environment, sealed, *settings])


def _refuse_if_held(path: Path, what: str) -> None:
    try:
        lock = msgspec.json.decode(path.read_bytes(), type=Lock)
    except (FileNotFoundError, msgspec.MsgspecError):
        return
    if lock.holder.lives:
        raise ConfigError(
            f"{what} is in use by the platform in {lock.home} (pid {lock.holder.pid}): two platforms on one would undo each other's "
            f"work; stop that one first, or if it is certainly gone delete {path}"
        )
