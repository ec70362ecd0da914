"""Saved variables: one JSON file per strategy, read before on_init and written when the strategy ends."""

import os
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Protocol

import msgspec

from foxtrot.core.private_file import make_private_folder, private_opener
from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.parameters import Value, Variable, declared

_UNFINISHED = ".part"


class VariableStore(Protocol):
    """Where the saved variables of strategies live.

    Thread: the dispatcher's.
    """

    def load(self, strategy_id: str) -> dict[str, Value]:
        """Return what was saved last, or nothing before the first time."""
        ...

    def save(self, strategy_id: str, values: Mapping[str, Value]) -> None:
        """Keep values in the place of those saved before."""
        ...


class VariableFiles:
    """Keeps variables as `<folder>/<strategy id>.json`, replaced whole by rename.

    Thread: the dispatcher's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, strategy_id: str) -> dict[str, Value]:
        """Return what was saved last; empty before the first time.

        Blocks: for the reading of one small file.

        Raises:
            ConfigError: the file cannot be read or is not a JSON object of plain values.
        """
        path = self.path_of(strategy_id)
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict[str, Value])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise ConfigError(f"saved variables {path} cannot be used: {error}; mend or delete the file") from None

    def save(self, strategy_id: str, values: Mapping[str, Value]) -> None:
        """Replace what was saved; a reader sees the old file or the new one, never a part.

        Blocks: for the writing of one small file.

        Raises:
            ConfigError: the file cannot be written.
        """
        path = self.path_of(strategy_id)
        part = path.with_name(path.name + _UNFINISHED)
        try:
            make_private_folder(self.folder)
            with open(part, "wb", opener=private_opener) as file:
                file.write(msgspec.json.format(msgspec.json.encode(dict(values)), indent=2))
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            raise ConfigError(f"saved variables {path} cannot be written: {error.strerror or error}") from None

    def path_of(self, strategy_id: str) -> Path:
        """Return the file of a strategy.

        Raises:
            ConfigError: the id would lead out of the folder.
        """
        if not strategy_id or Path(strategy_id).name != strategy_id or strategy_id.startswith("."):
            raise ConfigError(f"strategy id {strategy_id!r} is no file name; use letters, digits, - and _")
        return self.folder / f"{strategy_id}.json"


def variables_to_save(strategy: object) -> dict[str, Value]:
    """Return the declared variables of a strategy as JSON can keep them (what is not finite as text).

    Raises:
        ConfigError: a variable holds something of another type than it was declared with.
    """
    saved: dict[str, Value] = {}
    for name, declaration in declared(type(strategy), Variable).items():
        value = getattr(strategy, name)
        if isinstance(value, float) and not isfinite(value) and isinstance(declaration.default, float):
            saved[name] = str(value)
        else:
            saved[name] = declaration.check(value)
    return saved


def restore_variables(strategy: object, values: Mapping[str, Value]) -> list[str]:
    """Set variables from saved values, all or none, and return the names that are no longer declared.

    Raises:
        ConfigError: a saved value does not fit the declaration of today.
    """
    known = declared(type(strategy), Variable)
    checked: dict[str, Value] = {}
    for name, value in values.items():
        if name in known:
            unfinished = isinstance(known[name].default, float) and value in ("nan", "inf", "-inf")
            checked[name] = float(value) if unfinished else known[name].check(value)
    strategy.__dict__.update(checked)
    return [name for name in values if name not in known]
