"""Declared parameters and saved variables of a strategy: typed, checked when set, listed for people and files."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from math import isfinite
from typing import ClassVar, Generic, Self, TypeVar, cast, overload

from foxtrot.domain.errors import ConfigError

Value = str | int | float | bool
T = TypeVar("T", str, int, float, bool)


class _Declared(Generic[T]):
    """A typed attribute of a strategy class with a default and a description."""

    kind: ClassVar[str] = "value"

    def __init__(
        self, default: T, description: str = "", *, minimum: T | None = None, maximum: T | None = None
    ) -> None:
        self.default: T = default
        self.description = description
        self.minimum: T | None = minimum
        self.maximum: T | None = maximum
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        """Return the declaration on the class, the default on an instance that was not given a value.

        An instance holds its values as plain attributes (see `fill_defaults`), so that reading one costs nothing extra.
        """
        return self if instance is None else self.default

    def check(self, value: Value) -> T:
        """Return a value in the declared type; text is converted, so that command lines and files can set it.

        Raises:
            ConfigError: wrong type or out of range; the message names parameter, value and fix.
        """
        kind = type(self.default)
        converted = _convert(value, kind)
        if converted is None:
            raise ConfigError(f"{self.kind} {self.name} must be {_NAMES[kind]}, not {value!r}")
        checked = cast(T, converted)
        if self.minimum is not None and checked < self.minimum:
            raise ConfigError(f"{self.kind} {self.name} must be at least {self.minimum}, not {value!r}")
        if self.maximum is not None and checked > self.maximum:
            raise ConfigError(f"{self.kind} {self.name} must be at most {self.maximum}, not {value!r}")
        return checked


class Parameter(_Declared[T]):
    """What a person sets before the start: `fast = Parameter(20, "fast window, bars", minimum=1)`."""

    kind = "parameter"


class Variable(_Declared[T]):
    """What a strategy wants saved over restarts and shown: `trend = Variable(0.0, "last trend")`."""

    kind = "variable"


def declared(strategy_class: type, kind: type[_Declared[T]]) -> dict[str, _Declared[T]]:
    """Return the parameters or variables that a class and its bases declare, in order of declaration.

    A plain value in a derived class takes the place of its base's declaration: it is a constant there.
    """
    found: dict[str, _Declared[T]] = {}
    for base in reversed(strategy_class.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, kind):
                found[name] = value
            else:
                found.pop(name, None)
    return found


def fill_defaults(strategy: object) -> None:
    """Give an instance every declared parameter and variable as a plain attribute."""
    for kind in (Parameter, Variable):
        for name, declaration in declared(type(strategy), kind).items():
            strategy.__dict__.setdefault(name, declaration.default)


def set_parameters(strategy: object, values: Mapping[str, Value]) -> None:
    """Set parameters by name, all or none.

    Raises:
        ConfigError: an unknown name (with the nearest known one), a wrong type, or out of range.
    """
    known = declared(type(strategy), Parameter)
    checked: dict[str, Value] = {}
    for name, value in values.items():
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; it has: {', '.join(known) or 'none'}"
            raise ConfigError(f"{type(strategy).__name__} has no parameter {name}{hint}")
        checked[name] = known[name].check(value)
    for name, value in checked.items():
        strategy.__dict__[name] = value


def parameters_of(strategy: object) -> dict[str, Value]:
    """Return the present parameters by name."""
    return {name: getattr(strategy, name) for name in declared(type(strategy), Parameter)}


def variables_of(strategy: object) -> dict[str, Value]:
    """Return the present saved variables by name."""
    return {name: getattr(strategy, name) for name in declared(type(strategy), Variable)}


_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_TRUTH = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


def _convert(value: Value, kind: type) -> Value | None:
    """Return a value in a type, or None when it does not fit."""
    if kind is bool:
        return value if isinstance(value, bool) else _TRUTH.get(str(value).lower())
    if kind is str:
        return value if isinstance(value, str) else None
    return None if isinstance(value, bool) else _number(value, kind)


def _number(value: str | int | float, kind: type) -> Value | None:
    try:
        if kind is int and _WHOLE.fullmatch(str(value)):
            return int(value)
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not isfinite(number):
        return None
    return number if kind is float else int(number) if number.is_integer() else None
