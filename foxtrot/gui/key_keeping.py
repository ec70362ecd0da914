"""Keys into the key store, and their test: what the form of an account has done beside the desktop's thread."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from foxtrot.adapter.registry import load_adapter
from foxtrot.app.account_adapters import secret_place
from foxtrot.app.key_trial import try_keys
from foxtrot.app.passphrase import Passphrase
from foxtrot.app.secret_store import KEYRING, SecretStore
from foxtrot.app.verbs.outcome import DONE
from foxtrot.core.clock import SystemClock
from foxtrot.core.redactor import KNOWN
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError
from foxtrot.gui.texts import tr

TEST_S = 30.0


class KeyWish(msgspec.Struct, frozen=True):
    """Keys that are to be kept, and whose they are; `passphrase` is for the file where there is no keyring."""

    home: Path
    adapter: str
    environment: str
    account: str
    values: dict[str, Secret]
    passphrase: Secret
    variables: dict[str, str]


def keep_keys(wish: KeyWish) -> str:
    """Keep keys, and return where they are.

    Blocks: for disk and keyring.

    Raises:
        ConfigError: keyring or passphrase refuse, or the file cannot be written.
    """
    store = store_of(wish.home, wish.passphrase, wish.variables)
    kind, now_ns, where = load_adapter(wish.adapter), SystemClock().now_ns(), ""
    for name, value in wish.values.items():
        KNOWN.add(value)  # whatever is logged from now on has it masked
        entry = store.put(secret_place(kind, wish.adapter, wish.environment, wish.account, name), value, now_ns)
        where = tr("account.keyring") if entry.where == KEYRING else str(store.path)
    return where


def try_out_keys(
    home: Path, path: Path, account: str, passphrase: Secret, variables: Mapping[str, str]
) -> tuple[bool, str]:
    """Connect an account for a moment, and return whether that went well, and what it may do.

    Blocks: for the venue, at most TEST_S and some seconds.

    Raises:
        ConfigError: the configuration is wrong, or there is no key.
    """
    outcome = try_keys(path, account, TEST_S, store_of(home, passphrase, variables))
    return outcome.status == DONE, outcome.text


def store_of(home: Path, passphrase: Secret, variables: Mapping[str, str]) -> SecretStore:
    """Return the key store of a home, which asks nobody at a terminal: the passphrase was filled in."""

    def answer(_question: str) -> str:
        if not passphrase:
            raise ConfigError(tr("account.no_passphrase"))
        return passphrase.reveal()

    return SecretStore(home, Passphrase(variables, answer))
