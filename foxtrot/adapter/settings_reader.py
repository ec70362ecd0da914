"""Settings of an account, taken by kind; what is wrong names the key, its value unless it is a secret, and the fix."""

from collections.abc import Mapping
from difflib import get_close_matches

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.core.secret import MASK, in_the_environment, is_secret_name, name_words, shown
from foxtrot.domain.errors import ConfigError


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
        value = self._settings.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, value, f'write it as text, {key} = "{value}"')
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a yes or no."""
        value = self._settings.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "it is true or false")
        return value

    def whole(self, key: str, default: int, lowest: int, highest: int) -> int:
        """Return a whole number."""
        value = self._settings.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise self.wrong(key, value, f"it is a whole number from {lowest} to {highest}")
        return value

    def seconds(self, key: str, default: float, lowest: float, highest: float) -> float:
        """Return a length of time."""
        value = self._settings.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise self.wrong(key, value, f"it is a number of seconds from {lowest:g} to {highest:g}")
        return float(value)

    def choice(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        """Return one of some texts."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.wrong(key, value, f"it is one of {listed(allowed)}{nearest(value, allowed)}")
        return value

    def symbols(self, key: str) -> frozenset[str]:
        """Return the symbols of a list with commas; instrument ids stand for their symbols."""
        return frozenset(_symbol(name) for name in self.text(key).split(",") if name.strip())

    def ways(self, key: str, allowed: tuple[str, ...]) -> dict[str, str]:
        """Return what is chosen for single symbols, "BTCUSDT=ccxt, ETHUSDT=partial"."""
        text, found = self.text(key), dict[str, str]()
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
