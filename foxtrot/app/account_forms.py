"""An account of a configuration file as a form: what its adapter takes, and the file with the account put in after a check."""

import importlib
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.registry import load_adapter
from foxtrot.adapter.settings_reader import TERMS, SettingTerm
from foxtrot.app.account_venues import venue_of
from foxtrot.app.config import Config, load_config
from foxtrot.app.config_text import toml_value
from foxtrot.core.clock import SystemClock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError

_HEAD = '# Made at the desktop; all keys: docs/configuration.md.\n[platform]\nmode = "paper"\n'


_KINDS = {bool: "flag", int: "whole", float: "seconds", str: "text"}


class AdapterForm(msgspec.Struct, frozen=True):
    """What an adapter takes: its environments, the safest first, its settings, the names of its secrets."""

    adapter: str
    environments: tuple[str, ...]
    settings: tuple[SettingTerm, ...]
    secrets: tuple[str, ...]


class _Unheard:
    """Where the events of an adapter go that is never made."""

    def put(self, event: object) -> None:
        """Refuse it: nothing runs that could tell one."""
        raise ConfigError(f"nobody hears {type(event).__name__} while settings are read")


def adapter_form(name: str) -> AdapterForm:
    """Return what an adapter takes; of an adapter whose settings cannot be known it has none.

    Blocks: imports the adapter.

    Raises:
        ConfigError: the adapter is not known or cannot be imported.
    """
    kind = load_adapter(name)
    safest = kind.safest_environment
    environments = tuple(dict.fromkeys((safest, *(one for one in kind.environments if one))))
    return AdapterForm(name, environments, _terms(kind), tuple(kind.secret_names))


def check_settings(adapter: str, account: str, environment: str, settings: Mapping[str, Setting]) -> None:
    """Refuse settings that the adapter would refuse at a start.

    Raises:
        ConfigError: names the setting, its value and the fix.
    """
    read = _reader(load_adapter(adapter))
    if read is not None:
        read(_context(account, environment, settings, {}))


def write_account(path: Path, account: str, adapter: str, environment: str, settings: Mapping[str, Setting]) -> Config:
    """Put an account into a configuration file, which is made where there is none; returns what the file says then.

    The file is replaced only when all of it could be read.

    Blocks: for the disk.

    Raises:
        ConfigError: there is such an account already, or what was filled in is refused.
    """
    check_settings(adapter, account, environment, settings)
    text = path.read_text("utf-8") if path.exists() else _HEAD
    if path.exists() and account in load_config(path).accounts:
        raise ConfigError(f"{path} has an account {account} already; give another name, or change the file by hand")
    text = text.rstrip("\n") + "\n" + account_text(account, adapter, environment, settings)
    try:
        return _replace(path, text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None


def account_text(account: str, adapter: str, environment: str, settings: Mapping[str, Setting]) -> str:
    """Return the table of an account as TOML."""
    lines = [f"\n[account.{account}]", f"adapter = {toml_value(adapter)}"]
    if environment:
        lines.append(f"environment = {toml_value(environment)}")
    if settings:
        lines += [
            f"\n[account.{account}.settings]",
            *(f"{key} = {toml_value(value)}" for key, value in settings.items()),
        ]
    return "\n".join(lines) + "\n"


def _replace(path: Path, text: str) -> Config:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(".toml", f".{path.stem}-", path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        config = load_config(beside)
        for name_of, table in config.accounts.items():
            if fault := venue_of(name_of, table).fault(config.platform.mode):
                raise ConfigError(fault)
        beside.replace(path)
    except ConfigError as error:
        raise ConfigError(str(error).replace(str(beside), str(path))) from None
    finally:
        beside.unlink(missing_ok=True)
    return load_config(path)


def _terms(kind: type[Any]) -> tuple[SettingTerm, ...]:
    """Return what an adapter's own reader asks for, noted while it reads nothing."""
    read = _reader(kind)
    if read is None:
        return tuple(
            SettingTerm(key, _KINDS[type(value)], value)
            for key, value in _part(kind, "opening", "DEFAULTS", {}).items()
        )
    found: dict[str, SettingTerm] = {}
    with suppress(
        ConfigError
    ):  # one that must be given is missing: what was asked for up to there is known, the rest by name
        read(_context("account", kind.safest_environment, {}, {TERMS: found}))
    return tuple(found.values())


def _reader(kind: type[Any]) -> Any:
    """Return the function by which an adapter reads its settings, None where it has none by that name."""
    return _part(kind, "config", "read_settings", None)


def _part(kind: type[Any], module: str, name: str, default: Any) -> Any:
    """Return something of a module beside an adapter's."""
    try:
        return getattr(importlib.import_module(f"{kind.__module__.rpartition('.')[0]}.{module}"), name, default)
    except ImportError:
        return default


def _context(
    account: str, environment: str, settings: Mapping[str, Setting], shared: dict[str, object]
) -> AdapterContext:
    secrets: dict[str, Secret] = {}
    return AdapterContext(
        account, _Unheard(), SendPermit(), SystemClock(), settings, shared, environment=environment, secrets=secrets
    )
