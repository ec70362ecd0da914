"""TOML tables into frozen structs; every fault is one line with file, line, table and key, the value and the fix."""

import math
import re
import tomllib
import types
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from foxtrot.core.secret import shown
from foxtrot.domain.errors import ConfigError

S = TypeVar("S", bound=msgspec.Struct)
Path_ = tuple[str, ...]
_HEADER = re.compile(r"\s*\[\[?(?P<key>[^\[\]]+)\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"\s*(?P<key>(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*'))*)\s*="
)
_WORDS: dict[object, str] = {
    str: "text in quotes", int: "a whole number", float: "a number", Decimal: "a number", bool: "true or false",
}  # fmt: skip


class TomlFile:
    """A TOML file as read: its tables, and the line on which each key stands, for messages."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        try:
            self.tables: dict[str, object] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: not valid TOML: {error}") from None
        self._lines = _key_lines(text)

    @classmethod
    def read(cls, path: Path) -> "TomlFile":
        """Read a file.

        Raises:
            ConfigError: it is missing, unreadable or not TOML.
        """
        try:
            return cls(path, path.read_text("utf-8-sig"))
        except FileNotFoundError:
            raise ConfigError(f"{path} does not exist; `foxtrot config init {path}` writes one to start from") from None
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None

    def has(self, key: Path_) -> bool:
        """Tell whether there is a key, whatever it holds."""
        found: object = self.tables
        for part in key:
            if not isinstance(found, dict) or part not in found:
                return False
            found = found[part]
        return True

    def fault(self, key: Path_, text: str) -> ConfigError:
        """Return the error for a key, naming file, line and table."""
        line = next((self._lines[key[:size]] for size in range(len(key), 0, -1) if key[:size] in self._lines), 0)
        place = f"{self.path}:{line}" if line else str(self.path)
        table = ".".join(key[:-1])
        return ConfigError(f"{place}: [{table}] {text}" if table else f"{place}: {text}")


def read_struct(file: TomlFile, key: Path_, raw: object, kind: type[S], base: S | None = None) -> S:
    """Return a struct of one table; keys that are absent keep the value of `base`, or the field's default.

    Raises:
        ConfigError: an unknown or missing key, a value of the wrong type, or one that the struct itself refuses.
    """
    table = read_mapping(file, key, raw)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    values: dict[str, object] = {}
    for name, value in table.items():
        if name not in fields:
            raise file.fault((*key, name), f"unknown key {name!r}{nearest(name, fields)}")
        values[fields[name].name] = _value(file, (*key, name), value, fields[name].type)
    missing = [name for name, field in fields.items() if field.required and field.name not in values]
    if missing and base is None:
        raise file.fault(
            (*key, missing[0]), f"key {missing[0]!r} is missing; {missing[0]} is {expected(fields[missing[0]].type)}"
        )
    try:
        return kind(**values) if base is None else msgspec.structs.replace(base, **values)
    except ConfigError as error:
        raise file.fault((*key, ""), str(error)) from None


def read_mapping(file: TomlFile, key: Path_, raw: object) -> Mapping[str, object]:
    """Return a table.

    Raises:
        ConfigError: there is a plain value where a table should stand.
    """
    if isinstance(raw, dict):
        return raw
    raise file.fault(key, f"{key[-1]} must be a table such as [{'.'.join(key)}], not {_shown(key[-1], raw)}")


def nearest(name: str, known: Mapping[str, object]) -> str:
    """Return the hint for an unknown name: the nearest known one, else all of them."""
    close = get_close_matches(name, known, n=1) or get_close_matches(name.lower(), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known) or 'none'}"


def _value(file: TomlFile, key: Path_, raw: object, kind: object) -> object:
    inner = _plain(kind)
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
        return read_struct(file, key, raw, inner)
    if not _is_finite(raw):
        raise file.fault(key, f"{key[-1]} must be a finite number, not {raw}")
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError:
        if isinstance(raw, dict) and get_origin(inner) is dict:
            for name, value in raw.items():
                _value(file, (*key, name), value, get_args(inner)[1])
        raise file.fault(key, f"{key[-1]} must be {expected(kind)}, not {_shown(key[-1], raw)}") from None


def _is_finite(raw: object) -> bool:
    if isinstance(raw, dict):
        return all(_is_finite(value) for value in raw.values())
    if isinstance(raw, list):
        return all(_is_finite(value) for value in raw)
    return not isinstance(raw, float) or math.isfinite(raw)


def _shown(name: str, raw: object) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, dict):
        return "a table"
    return shown(name, raw)


def _plain(kind: object) -> object:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def expected(kind: object) -> str:
    """Return a type in words, with its bounds: what the person should have written."""
    inner = _plain(kind)
    words = _in_words(inner)
    for meta in get_args(kind)[1:] if get_origin(kind) is Annotated else ():
        bounds = (
            (getattr(meta, name, None), said) for name, said in (("ge", "at least"), ("gt", "above"), ("le", "at most"))
        )
        words += "".join(f", {said} {bound}" for bound, said in bounds if bound is not None)
        words += ", not empty" if getattr(meta, "min_length", None) else ""
        words += f" such as {meta.examples[0]!r}" if getattr(meta, "examples", None) else ""
    return words


def _in_words(kind: object) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return "one of " + ", ".join(f'"{choice}"' for choice in arguments)
    if isinstance(kind, type) and issubclass(kind, str) and kind is not str:
        return "one of " + ", ".join(f'"{choice}"' for choice in kind)  # type: ignore[attr-defined]
    if origin in (Union, types.UnionType):
        return " or ".join(expected(choice) for choice in arguments)
    if origin is tuple:
        return f"a list of {_in_words(_plain(arguments[0]))}"
    if origin is dict:
        return f"a table of {expected(arguments[1])}"
    return _WORDS.get(kind, str(kind))


def _key_lines(text: str) -> dict[Path_, int]:
    """Return the line of each key and table header; only for messages, so a line inside a multi-line value may mislead."""
    lines: dict[Path_, int] = {}
    table: Path_ = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            table = _parts(header["key"])
            lines.setdefault(table, number)
        elif key:
            path = (*table, *_parts(key["key"]))
            lines.setdefault(path, number)
    return lines


def _parts(dotted: str) -> Path_:
    try:
        nested: object = tomllib.loads(f"{dotted.strip()} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    parts: list[str] = []
    while isinstance(nested, dict):
        name = next(iter(nested))
        parts.append(name)
        nested = nested[name]
    return tuple(parts)
