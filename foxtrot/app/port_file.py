"""The port file: where a running exchange or hub listens, and with which keys, for programs that start it."""

import json
import os
import secrets
import socket
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from foxtrot.domain.errors import ConfigError

LOOPBACK = "127.0.0.1"
_PORTS = ("hub", "control", "binance_spot", "binance_usdm", "binance_spot_tls", "binance_usdm_tls", "futu", "ib")
"""The services that may listen by a port file; each file of ours has at least one of these keys."""


class PortAccount(msgspec.Struct, frozen=True):
    """An account as the port file shows it; a key without a secret signs with its owner's private key."""

    name: str
    api_key: str
    api_secret: str | None

    def __repr__(self) -> str:
        return f"PortAccount(name={self.name!r})"


class PortFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the port file says; a service that does not run is null."""

    pid: int
    binance_spot: int | None = None
    binance_usdm: int | None = None
    binance_spot_tls: int | None = None
    binance_usdm_tls: int | None = None
    ca_file: str | None = None
    futu: int | None = None
    ib: int | None = None
    api: int | None = None
    control: int | None = None
    accounts: tuple[PortAccount, ...] = ()
    control_token: str | msgspec.UnsetType = msgspec.UNSET


class HubFacts(msgspec.Struct, frozen=True):
    """What the port file of a hub says."""

    pid: int
    hub: int
    url: str
    page: str


class PortFile:
    """A port file at a path, written whole and removed by whoever wrote it.

    Thread: main.

    Raises:
        ConfigError: nothing can be written there, what is there is no port file, or it is that of somebody who runs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = ""
        if path.is_dir():
            raise ConfigError(f"--port-file {path} is a folder; name a file in it")
        if not path.parent.is_dir():
            raise ConfigError(f"--port-file {path}: folder {path.parent} does not exist; make it first")
        if not os.access(path.parent, os.W_OK):
            raise ConfigError(f"--port-file {path}: folder {path.parent} cannot be written; name another")
        self._seen = self._checked()

    def write(self, facts: PortFacts | HubFacts) -> None:
        """Write the file: a reader finds the old one or the whole new one, and nobody else can read it.

        Raises:
            ConfigError: it cannot be written, or somebody else took it meanwhile.
        """
        if not self._written and _data(self.path) != self._seen:
            self._checked()
        text = json.dumps(msgspec.to_builtins(facts), indent=2) + "\n"
        write_private(self.path, text.encode())
        self._written = text

    def remove(self) -> None:
        """Remove the file if it is still the one that was written here."""
        try:
            if self._written and self.path.read_text("utf-8") == self._written:
                self.path.unlink()
        except OSError:
            self._written = ""  # somebody else removed it first; there is nothing left to do

    def _checked(self) -> bytes:
        """Return what is there, which nobody will miss: nothing, or the port file of somebody who runs no more."""
        if self.path.exists() and not self.path.is_file():
            raise ConfigError(f"--port-file {self.path} is no plain file; name another")
        data = _data(self.path)
        if not data.strip():
            return data
        facts = _facts(data)
        if facts is None:
            raise ConfigError(
                f"--port-file {self.path} exists and is no port file; it would be overwritten: name another file, or remove it first"
            )
        owner, port = _living(facts)
        if port:
            raise ConfigError(
                f"--port-file {self.path} belongs to {owner} that runs (it listens on port {port}); stop that or name another file"
            )
        return data


def _data(path: Path) -> bytes:
    """Return what is in a file, nothing where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ConfigError(f"--port-file {path} cannot be read: {error.strerror or error}; name another file") from None


def _facts(data: bytes) -> dict[str, object] | None:
    """Return what a port file says, None for what is none."""
    try:
        found = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    is_ours = isinstance(found, dict) and type(found.get("pid")) is int and any(name in found for name in _PORTS)
    return found if is_ours else None


def _living(facts: dict[str, object]) -> tuple[str, int]:
    """Return who still listens by a port file and on which port; no port when nobody does."""
    url = facts.get("url")
    try:
        host = (urlsplit(url).hostname if isinstance(url, str) else None) or LOOPBACK
    except ValueError:
        host = LOOPBACK
    for name in _PORTS:
        port = facts.get(name)
        if isinstance(port, int) and port:
            try:
                socket.create_connection((host, port), timeout=1.0).close()
            except (OSError, OverflowError):
                continue
            return "a hub" if name == "hub" else "an exchange", port
    return "", 0


def write_private(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file whole, by rename, with mode 0600.

    Blocks: for the disk.

    Args:
        path: where.
        data: what.
        durable: wait until it would outlive a power cut.

    Raises:
        ConfigError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        # Created with its mode, so that there is no moment at which others could open it.
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}; name another file") from None
