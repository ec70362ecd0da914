"""What an exchange keeps between two runs in its folder: the venue's whole state, and the keys that were made up for it."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from foxtrot.app.exchange_tables import ExchangeAccount
from foxtrot.app.port_file import write_private
from foxtrot.domain.errors import ConfigError

VENUE_FILE = "venue.msgpack"
KEYS_FILE = "keys.json"


class _Key(msgspec.Struct, frozen=True):
    api_key: str
    api_secret: str


_KEYS = msgspec.json.Decoder(dict[str, _Key])


class ExchangeStore:
    """The folder of `--data`.

    Thread: main.

    Raises:
        ConfigError: it is no folder that can be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"--data {folder} cannot be made: {error.strerror or error}; name another folder"
            ) from None

    def snapshot(self) -> bytes | None:
        """Return the saved venue, None when there is none yet.

        Raises:
            ConfigError: the file cannot be read.
        """
        return self._read(self.folder / VENUE_FILE)

    def with_keys(self, accounts: Mapping[str, ExchangeAccount]) -> dict[str, ExchangeAccount]:
        """Return the accounts, those without a key of their own with the one they had last time.

        Raises:
            ConfigError: the file of keys is damaged.
        """
        path = self.folder / KEYS_FILE
        data = self._read(path)
        try:
            kept = {} if data is None else _KEYS.decode(data)
        except msgspec.MsgspecError:
            raise ConfigError(f"{path} is damaged; remove it, and the accounts get new keys") from None
        return {name: _with_key(account, kept.get(name)) for name, account in accounts.items()}

    def save(self, snapshot: bytes) -> Path:
        """Keep the venue; returns where.

        Raises:
            ConfigError: it cannot be written.
        """
        path = self.folder / VENUE_FILE
        write_private(path, snapshot)
        return path

    def save_keys(self, keys: Mapping[str, tuple[str, str]]) -> None:
        """Keep key and secret of each account, readable by nobody else.

        Raises:
            ConfigError: the file cannot be written.
        """
        kept = {name: _Key(*pair) for name, pair in keys.items()}
        write_private(self.folder / KEYS_FILE, msgspec.json.encode(kept))

    def _read(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror or error}; name another --data folder") from None


def _with_key(account: ExchangeAccount, key: _Key | None) -> ExchangeAccount:
    if key is None or account.api_key:
        return account
    secret = "" if account.public_key else key.api_secret
    return msgspec.structs.replace(account, api_key=key.api_key, api_secret=secret)
