"""Where in the file of a configuration it is wrong, for what shows only when it is used: settings of adapters, strategies, secrets."""

import re
from collections.abc import Iterator

from foxtrot.app.config import Config
from foxtrot.app.config_reader import TomlFile
from foxtrot.domain.errors import ConfigError


def placed(config: Config, table: tuple[str, ...], error: ConfigError, otherwise: str = "") -> ConfigError:
    """Return an error with file, line and table of what it is about; as it is when the file cannot be read again.

    Args:
        config: the configuration, which knows its file.
        table: where to look, such as ("account", "main").
        error: what was said; its `key`, or else the key of the table that it speaks of, is the place.
        otherwise: the key when neither is found.
    """
    try:
        file = TomlFile.read(config.source)
    except ConfigError:
        return error
    text = str(error).removeprefix(f"{' '.join(table)}: ")
    return file.fault(_place(file, table, error, otherwise), text)


def _place(file: TomlFile, table: tuple[str, ...], error: ConfigError, otherwise: str) -> tuple[str, ...]:
    names = (error.key, f"{error.key}_env") if error.key else ()
    for name in names:
        for place in ((*table, "settings", name), (*table, "params", name), (*table, name)):
            if file.has(place):
                return place
    if error.key or otherwise:
        return (*table, otherwise if file.has((*table, otherwise)) else "")
    spoken = (key for key in _keys(file, table) if re.search(rf"(?<!\w){re.escape(key[-1])}(?!\w)", str(error)))
    return max(spoken, key=lambda key: (len(key), len(key[-1])), default=(*table, ""))


def _keys(file: TomlFile, table: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    found: object = file.tables
    for part in table:
        found = found.get(part) if isinstance(found, dict) else None
    for name, value in found.items() if isinstance(found, dict) else ():
        yield (*table, name)
        if isinstance(value, dict):
            yield from _keys(file, (*table, name))
