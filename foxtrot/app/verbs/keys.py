"""`foxtrot keys`: the secrets of accounts, kept in the keyring or an encrypted file; no verb ever shows one."""

import getpass
import os
import sys
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from foxtrot.app.account_adapters import secret_place
from foxtrot.app.private_folder import guard_memory, private_home
from foxtrot.app.secret_store import Entry, SecretPlace, SecretStore, open_store
from foxtrot.app.verbs.command_parser import CommandParser, UsageError, did_you_mean, seconds
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome
from foxtrot.core.clock import SystemClock
from foxtrot.core.secret import Secret, variable_shown
from foxtrot.domain.errors import ConfigError

if TYPE_CHECKING:
    from foxtrot.adapter.base_adapter import BaseAdapter

DESCRIPTION = (
    "Keep the secrets of accounts: in the keyring of the operating system, else in an encrypted file of the home folder. A value is\n"
    "asked for at the terminal or read from stdin, never given as an argument, and never shown. Whose it is, adapter and environment,\n"
    "belongs to what is kept: a key set for one environment is not found in another.\n\n"
    "  set ACCOUNT NAME     keep a secret, such as api_key or api_secret\n"
    "  list                 what is kept: names, where, when, fingerprints\n"
    "  delete ACCOUNT NAME  forget one\n"
    "  test CONFIG [ACCOUNT]  connect, ask for the account and what its key may do, trade nothing"
)
EXAMPLE = (
    "  foxtrot keys set main api_key --config my.toml\n"
    "  foxtrot keys set main api_secret --adapter binance --environment testnet < secret.txt\n"
    "  foxtrot keys list\n"
    "  foxtrot keys test my.toml main"
)
_MOST_LETTERS = 20_000
_WORDS = {
    "set": (2, 2, "ACCOUNT NAME"),
    "delete": (2, 2, "ACCOUNT NAME"),
    "list": (0, 0, ""),
    "test": (1, 2, "CONFIG.toml [ACCOUNT]"),
}
"""How many words may follow, and which."""


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("action", choices=("set", "list", "delete", "test"), help="see above")
    parser.add_argument("words", nargs="*", metavar="…", help="ACCOUNT NAME, or CONFIG.toml [ACCOUNT] for test")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="set, delete: the configuration that has the account"
    )
    parser.add_argument("--adapter", default="", metavar="A", help="set, delete: or its adapter")
    parser.add_argument("--environment", default="", metavar="E", help="set, delete: and its environment (the safest)")
    parser.add_argument("--file", action="store_true", help="set: in the encrypted file even where there is a keyring")
    parser.add_argument("--seconds", type=seconds, default=30.0, metavar="N", help="test: how long one may take (30)")


def run(arguments: Namespace) -> Outcome:
    """Do what is asked.

    Raises:
        ConfigError: an account, adapter or secret is not known, or keyring, passphrase or file refuse.
    """
    _check_words(arguments)
    with private_home(arguments.home):
        guard_memory()
        store = open_store(arguments.home, os.environ)
        if arguments.action == "list":
            return _listed(store)
        if arguments.action == "test":
            from foxtrot.app.key_trial import try_keys

            return try_keys(Path(arguments.words[0]), "".join(arguments.words[1:]), arguments.seconds, store)
        place = _place(arguments, *arguments.words)
        return _set(store, place, in_file=arguments.file) if arguments.action == "set" else _delete(store, place)


def _check_words(arguments: Namespace) -> None:
    least, most, wanted = _WORDS[arguments.action]
    if arguments.action == "set" and len(arguments.words) > most:
        raise UsageError(
            "a value is never an argument: it would stand in the list of processes and the history of the shell, where this one is now; "
            "make another key, and give its value at the prompt or by stdin"
        )
    if not least <= len(arguments.words) <= most:
        raise UsageError(f"write: foxtrot keys {arguments.action} {wanted}".rstrip())


def _set(store: SecretStore, place: SecretPlace, *, in_file: bool) -> Outcome:
    entry = store.put(place, _value(place), SystemClock().now_ns(), in_file=in_file)
    where = "the keyring" if entry.where == "keyring" else str(store.path)
    return Outcome(_row(entry), f"{place.text} is kept in {where}")


def _delete(store: SecretStore, place: SecretPlace) -> Outcome:
    found = store.delete(place)
    result = {**msgspec.structs.asdict(place), "deleted": found}
    return Outcome(
        result, f"{place.text} is {'forgotten' if found else 'not kept, so that nothing was to be done'}",
        DONE if found else FAILED,
    )  # fmt: skip


def _listed(store: SecretStore) -> Outcome:
    rows = [_row(entry) for entry in store.entries()]
    heads = ("account", "adapter", "environment", "name", "where", "set", "fingerprint")
    table = [heads, *(tuple(str(row[head]) or "-" for head in heads) for row in rows)]
    widths = [max(len(line[at]) for line in table) for at in range(len(heads))]
    text = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table
    )
    nothing = f"nothing is kept in {store.path.parent}; `foxtrot keys set` keeps a secret"
    return Outcome({"secrets": rows}, text if rows else nothing)


def _row(entry: Entry) -> dict[str, object]:
    when = datetime.fromtimestamp(entry.set_ns / 1e9, UTC)
    return {
        **msgspec.structs.asdict(entry.place),
        "where": entry.where,
        "set": f"{when:%Y-%m-%d %H:%M:%S}",
        "fingerprint": entry.fingerprint,
    }


def _place(arguments: Namespace, account: str, name: str) -> SecretPlace:
    """Return whose secret it is; refuse one that the adapter does not take."""
    from foxtrot.adapter.registry import load_adapter

    adapter, environment = _adapter(arguments, account)
    kind = load_adapter(adapter)
    if name not in kind.secret_names:
        takes = ", ".join(kind.secret_names) or "none"
        hint = did_you_mean(name, kind.secret_names)
        raise UsageError(f"adapter {adapter} takes no secret {variable_shown(name)}; it takes: {takes}{hint}")
    if arguments.action == "set":  # what was kept by mistake can still be deleted
        _check_environment(kind, adapter, environment)
    return secret_place(kind, adapter, environment, account, name)


def _check_environment(kind: "type[BaseAdapter]", adapter: str, environment: str) -> None:
    """Refuse an environment that the adapter does not know: a secret kept for it would never be found."""
    if environment and kind.environments and environment not in kind.environments:
        known = ", ".join(name for name in kind.environments if name)
        hint = did_you_mean(environment, kind.environments)
        raise UsageError(f"adapter {adapter} has no environment {environment!r}; it has: {known}{hint}")


def _adapter(arguments: Namespace, name: str) -> tuple[str, str]:
    if bool(arguments.config) == bool(arguments.adapter):
        raise UsageError("give either --config FILE, or --adapter A and --environment E")
    if not arguments.config:
        return arguments.adapter, arguments.environment
    if arguments.environment:
        raise UsageError("--environment goes with --adapter; the configuration has its own")
    from foxtrot.app.config import load_config

    accounts = load_config(arguments.config).accounts
    if name not in accounts:
        raise ConfigError(
            f"{arguments.config} has no account {name}; it has: {', '.join(accounts) or 'none'}"
            f"{did_you_mean(name, list(accounts))}"
        )
    account = accounts[name]
    return account.adapter, account.environment


def _value(place: SecretPlace) -> Secret:
    """Return the value from the terminal, unseen, or from stdin, with its last line break left out."""
    if sys.stdin.isatty():
        return Secret(getpass.getpass(f"{place.text}: ", sys.stderr).strip())
    text = sys.stdin.read(_MOST_LETTERS + 1)
    if len(text) > _MOST_LETTERS:
        raise ConfigError(f"{place.text}: stdin has more than {_MOST_LETTERS} characters; that is no secret")
    return Secret(text.rstrip("\r\n"))
