"""The key store: secrets of accounts by adapter, environment, account and name, in the OS keyring or sealed in a file of the home.

`<home>/secrets.json` lists both kinds, so that nobody is asked for a passphrase, and no keyring for anything, before it is needed.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from foxtrot.app.os_keyring import OsKeyring
from foxtrot.app.passphrase import Passphrase, process_passphrase
from foxtrot.app.port_file import write_private
from foxtrot.app.process_table import one_at_a_time
from foxtrot.app.secret_cipher import Cipher, KeyFacts, Sealed
from foxtrot.core.private_file import make_private_folder
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError

NAME: Final = "secrets.json"
KEYRING: Final = "keyring"
FILE: Final = "file"
_VERSION: Final = 1
_TOLD_FROM: Final = 16
"""Shorter values have no fingerprint: with it a PIN could be guessed."""
_MOST_BYTES: Final = 1_000_000


class SecretPlace(msgspec.Struct, frozen=True, order=True):
    """Whose secret it is: an adapter's, in one environment, of one account, by the name of the adapter."""

    adapter: str
    environment: str
    account: str
    name: str

    @property
    def text(self) -> str:
        """Return it in words."""
        return f"{self.name} of account {self.account} ({self.adapter}, {self.environment or 'its safest environment'})"

    @property
    def bound(self) -> bytes:
        """Return it as a secret is bound to it: no two places give the same bytes."""
        return msgspec.json.encode([_VERSION, self.adapter, self.environment, self.account, self.name])


class Entry(msgspec.Struct, frozen=True):
    """What the store says of a secret; `sealed` is the secret itself where it stands in the file."""

    place: SecretPlace
    where: Literal["keyring", "file"]
    set_ns: int
    fingerprint: str = ""
    sealed: Sealed | None = None


class _Contents(msgspec.Struct, frozen=True):
    version: int = _VERSION
    salt: bytes = b""
    key: KeyFacts | None = None
    entries: tuple[Entry, ...] = ()

    def without(self, place: SecretPlace) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.place != place)


class SecretStore:
    """The store of one home folder; the passphrase is asked for and its key made once.

    Thread: main.

    Args:
        home: where state lives.
        passphrase: asks for the passphrase of the file.
        keyring: the operating system's.
    """

    def __init__(self, home: Path, passphrase: Passphrase, keyring: OsKeyring | None = None) -> None:
        self.path = home / NAME
        self._passphrase = passphrase
        self._keyring = keyring or OsKeyring()
        self._cipher: Cipher | None = None

    def entries(self) -> tuple[Entry, ...]:
        """Return what is kept, without the secrets.

        Blocks: for the disk.

        Raises:
            ConfigError: the file may be opened by others, or is damaged.
        """
        return tuple(sorted(self._read().entries, key=lambda entry: entry.place))

    def get(self, place: SecretPlace) -> Secret | None:
        """Return a secret, None when none is kept.

        Blocks: for disk, keyring, and the person who is asked for a passphrase.

        Raises:
            ConfigError: passphrase or keyring refuse, or the entry was changed or belongs to another place.
        """
        contents = self._read()
        entry = next((entry for entry in contents.entries if entry.place == place), None)
        if entry is None:
            return None
        if entry.where == KEYRING:
            found = self._keyring.get(_service(contents), _user(place))
            if found is None:
                raise ConfigError(f"the keyring has no {place.text} any more; set it again with `foxtrot keys set`")
            return found
        return self._unsealed(contents, entry)

    def put(self, place: SecretPlace, value: Secret, now_ns: int, *, in_file: bool = False) -> Entry:
        """Keep a secret in place of the one before it: in the keyring, or the file where there is none or it is wanted.

        Blocks: as `get`.

        Raises:
            ConfigError: as `get`, or it cannot be written.
        """
        if not value:
            raise ConfigError(f"{place.text}: no value was given; nothing is kept")
        make_private_folder(self.path.parent)
        with one_at_a_time(self.path.parent):
            before = contents = self._read()
            if not contents.salt:
                contents = msgspec.structs.replace(contents, salt=os.urandom(16))
            told = _fingerprint(contents.salt, value)
            if in_file or not self._keyring.name:
                contents = self._with_key(contents)
                sealed = self._opened(contents).seal(value, place.bound)
                entry = Entry(place, "file", now_ns, told, sealed)
            else:
                self._keyring.put(_service(contents), _user(place), value)
                entry = Entry(place, "keyring", now_ns, told)
            self._write(msgspec.structs.replace(contents, entries=(*contents.without(place), entry)))
            if entry.where == FILE:
                self._forget_in_keyring(before, place)
        return entry

    def delete(self, place: SecretPlace) -> bool:
        """Forget a secret; tells whether there was one.

        Blocks: for disk and keyring.

        Raises:
            ConfigError: the keyring refuses, or the file cannot be written.
        """
        if not self.path.exists():
            return False
        with one_at_a_time(self.path.parent):
            contents = self._read()
            left = contents.without(place)
            if len(left) == len(contents.entries):
                return False
            self._forget_in_keyring(contents, place)
            key = contents.key if any(entry.where == FILE for entry in left) else None
            self._write(msgspec.structs.replace(contents, entries=left, key=key))
        self._cipher = self._cipher if key else None
        return True

    def _forget_in_keyring(self, contents: _Contents, place: SecretPlace) -> None:
        if any(entry.place == place and entry.where == KEYRING for entry in contents.entries):
            self._keyring.delete(_service(contents), _user(place))

    def _unsealed(self, contents: _Contents, entry: Entry) -> Secret:
        found = None if entry.sealed is None else self._opened(contents).unseal(entry.sealed, entry.place.bound)
        if found is None:
            raise ConfigError(
                f"{self.path}: {entry.place.text} was changed, or moved there from another account or environment; it is not used: "
                "set it again with `foxtrot keys set`"
            )
        return found

    def _with_key(self, contents: _Contents) -> _Contents:
        if contents.key is not None:
            return contents
        self._cipher, key = Cipher.make(self._passphrase.get(new=True))
        return msgspec.structs.replace(contents, key=key)

    def _opened(self, contents: _Contents) -> Cipher:
        if contents.key is None:
            raise ConfigError(f"{self.path} says nothing of its key: it was changed; restore it from a copy")
        if self._cipher is None:
            self._cipher = Cipher.open(self._passphrase.get(), contents.key)
        return self._cipher

    def _read(self) -> _Contents:
        try:
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                data = file.read(_MOST_BYTES)
        except FileNotFoundError:
            return _Contents()
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be read: {error.strerror or error}") from None
        if os.name == "posix" and mode & 0o077:
            raise ConfigError(f"{self.path} can be opened by others; do: chmod 600 {self.path}")
        try:
            contents = msgspec.json.decode(data, type=_Contents)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            raise ConfigError(f"{self.path} is no key store, or damaged; restore it from a copy or remove it") from None
        if contents.version != _VERSION:
            raise ConfigError(f"{self.path} is of version {contents.version}, this program knows {_VERSION}; update it")
        return contents

    def _write(self, contents: _Contents) -> None:
        write_private(self.path, msgspec.json.format(msgspec.json.encode(contents), indent=1))


def open_store(home: Path, environment: Mapping[str, str]) -> SecretStore:
    """Return the store of a home folder, of which nothing is read yet."""
    return SecretStore(home, process_passphrase(environment))


def _fingerprint(salt: bytes, value: Secret) -> str:
    text = value.reveal().encode()
    return hashlib.sha256(salt + text).hexdigest()[:8] if len(text) >= _TOLD_FROM else ""


def _service(contents: _Contents) -> str:
    """Return the name under which the keyring keeps what belongs to one home."""
    return f"foxtrot {contents.salt.hex()[:8]}"


def _user(place: SecretPlace) -> str:
    return place.bound.decode()
