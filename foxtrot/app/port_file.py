"""The port file: where a running exchange listens and with which keys, for programs that start it."""

import json
import os
import secrets
import socket
from pathlib import Path

import msgspec

from foxtrot.domain.errors import ConfigError


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


class PortFile:
    """A port file at a path, written whole and removed by whoever wrote it.

    Thread: main.

    Raises:
        ConfigError: nothing can be written there, or the file is that of an exchange that runs.
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
        living = _living(path)
        if living:
            raise ConfigError(
                f"--port-file {path} belongs to an exchange that runs (it listens on port {living}); stop that or name another file"
            )

    def write(self, facts: PortFacts) -> None:
        """Write the file: a reader finds the old one or the whole new one, and nobody else can read it.

        Raises:
            ConfigError: it cannot be written.
        """
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


def _living(path: Path) -> int:
    """Return a port that the exchange of a port file still listens on, 0 when nobody does or there is no such file."""
    try:
        told = msgspec.json.decode(path.read_bytes(), type=PortFacts)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return 0
    for port in (told.control, told.binance_spot, told.binance_usdm, told.binance_spot_tls, told.binance_usdm_tls):
        if port:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            except (OSError, OverflowError):
                continue
            return port
    return 0


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
