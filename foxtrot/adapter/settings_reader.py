"""Settings of an account, taken by kind; what is wrong names the key, its value unless it is a secret, and the fix."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

import msgspec

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.core.secret import MASK, in_the_environment, is_secret_name, name_words, shown
from foxtrot.domain.errors import ConfigError

TERMS: Final = "setting_terms"
"""Under this name a context's `shared` may have a dict, in which what each setting may be is noted by name while it is read."""
Number = int | float


class SettingTerm(msgspec.Struct, frozen=True):
    """What a setting may be: text, flag, whole, seconds, choice, symbols or ways, with its default, bounds and choices.

    Of one that was not read yet only the name is known: it is "any".
    """

    key: str
    kind: str = "any"
    default: Setting = ""
    lowest: Number = 0
    highest: Number = 0
    allowed: tuple[str, ...] = ()


class SettingsReader:
    """Gives the settings of an account one by one; one that is not known is refused before any is read.

    Thread: one.

    Args:
        context: whose settings.
        known: the settings that there are.
        secrets: the names that secrets may have.
        kind: whose settings they are, in words, such as "a Binance account".

    Raises:
        ConfigError: a setting is not known, or is a secret that belongs in the environment.
    """

    def __init__(self, context: AdapterContext, known: tuple[str, ...], secrets: tuple[str, ...], kind: str) -> None:
        self._account = context.account
        self._settings: Mapping[str, Setting] = context.settings
        noted = context.shared.get(TERMS)
        self._terms: dict[str, SettingTerm] = noted if isinstance(noted, dict) else {}
        for key in known:
            self._note(SettingTerm(key))
        for key, value in context.settings.items():
            if key not in known:
                raise self.wrong(key, value, _stranger(key, known, secrets, kind))
        for key in context.secrets:
            if key not in secrets:
                takes = (
                    f"takes {' and '.join(secrets)}{nearest(key, secrets)}" if secrets else "takes no keys; remove it"
                )
                raise self.wrong(key, MASK, f"{kind} {takes}")

    def wrong(self, key: str, value: object, fix: str) -> ConfigError:
        """Return the error for a setting."""
        return ConfigError(f"account {self._account}: {key} = {shown(key, value)}: {fix}", key=key)

    def text(self, key: str, default: str = "") -> str:
        """Return a text."""
        self._note(SettingTerm(key, "text", default))
        value = self._settings.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, value, f'write it as text, {key} = "{value}"')
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a yes or no."""
        self._note(SettingTerm(key, "flag", default))
        value = self._settings.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "it is true or false")
        return value

    def whole(self, key: str, default: int, lowest: int, highest: int) -> int:
        """Return a whole number."""
        self._note(SettingTerm(key, "whole", default, lowest, highest))
        value = self._settings.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise self.wrong(key, value, f"it is a whole number from {lowest} to {highest}")
        return value

    def seconds(self, key: str, default: float, lowest: float, highest: float) -> float:
        """Return a length of time."""
        self._note(SettingTerm(key, "seconds", default, lowest, highest))
        value = self._settings.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise self.wrong(key, value, f"it is a number of seconds from {lowest:g} to {highest:g}")
        return float(value)

    def choice(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        """Return one of some texts."""
        value = self.text(key, default)
        self._note(SettingTerm(key, "choice", str(default), allowed=tuple(str(one) for one in allowed)))
        if value not in allowed:
            raise self.wrong(key, value, f"it is one of {listed(allowed)}{nearest(value, allowed)}")
        return value

    def symbols(self, key: str) -> frozenset[str]:
        """Return the symbols of a list with commas; instrument ids stand for their symbols."""
        names = self.text(key)
        self._note(SettingTerm(key, "symbols"))
        return frozenset(_symbol(name) for name in names.split(",") if name.strip())

    def ways(self, key: str, allowed: tuple[str, ...]) -> dict[str, str]:
        """Return what is chosen for single symbols, "BTCUSDT=ccxt, ETHUSDT=partial"."""
        text, found = self.text(key), dict[str, str]()
        self._note(SettingTerm(key, "ways", allowed=allowed))
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, equals, way = (piece.strip() for piece in part.rpartition("="))
            if not equals or not name or not way or "=" in name or " " in name:
                fix = f"{part!r} in it is none: write SYMBOL=WAY, parted by commas; a way is one of {listed(allowed)}"
                raise self.wrong(key, text, fix)
            if way not in allowed:
                fix = f"{way!r} in {part!r} is no way; it is one of {listed(allowed)}{nearest(way, allowed)}"
                raise self.wrong(key, text, fix)
            if found.setdefault(_symbol(name), way) != way:
                raise self.wrong(key, text, f"{_symbol(name)} has two ways; leave one of them")
        return found

    def _note(self, term: SettingTerm) -> None:
        self._terms[term.key] = term


def _stranger(key: str, known: tuple[str, ...], secrets: tuple[str, ...], kind: str) -> str:
    """Return what to do with a setting that is not known."""
    if key.endswith("_env"):
        return "only an account of a configuration file takes secrets from the environment; remove it"
    if not is_secret_name(key):
        return f"{kind} has no such setting{nearest(key, known)}"
    if not secrets:
        return f"{kind} takes no keys; remove it"
    names = {name.replace("_", ""): name for name in secrets}
    close = get_close_matches("".join(name_words(key)), names, n=1)
    return in_the_environment(names[close[0]] if close else key)


def listed(values: tuple[str, ...]) -> str:
    """Return texts as a list in words, an empty one in quotes."""
    return ", ".join(str(value) or '""' for value in values)


def nearest(value: str, known: tuple[str, ...]) -> str:
    """Return the hint for a misspelt text: the nearest of those known, or ""."""
    names = {str(name).lower(): str(name) for name in known if name}
    close = get_close_matches(value.lower(), names, n=1)
    return f"; did you mean {names[close[0]]}?" if close else ""


def _symbol(name: str) -> str:
    return name.strip().upper().partition(".")[0]
