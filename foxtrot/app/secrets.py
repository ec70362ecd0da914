"""Where secrets come from, and how known ones are kept out of texts; the type itself is core/secret.py."""

import re
from collections.abc import Iterable, Mapping

from foxtrot.adapter.base_adapter import Setting
from foxtrot.core.secret import MASK, Secret, in_the_environment, is_secret_name, variable_shown
from foxtrot.domain.errors import ConfigError

_VARIABLE = "_env"
_MIN_MASKED = 4


def from_environment(variable: str, environment: Mapping[str, str], key: str = "") -> Secret:
    """Return the secret that an environment variable holds, which a key of a table names.

    Raises:
        ConfigError: the variable is not set, or empty.
    """
    value = environment.get(variable, "")
    if not value:
        raise ConfigError(
            f"environment variable {variable_shown(variable)} is not set; export it before the start", key=key
        )
    return Secret(value)


def plain_settings(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return an account's settings without those that are, or name, a secret."""
    return {
        name: value for name, value in settings.items() if not (_is_secret(name, value) or name.endswith(_VARIABLE))
    }


def secret_settings(settings: Mapping[str, Setting], environment: Mapping[str, str]) -> dict[str, Secret]:
    """Return an account's secrets by name: `NAME_env = "VARIABLE"` gives NAME from the environment.

    Raises:
        ConfigError: an environment variable is not set, or a secret stands in the settings themselves; its `key` says which.
    """
    found: dict[str, Secret] = {}
    for name, value in settings.items():
        if name.endswith(_VARIABLE):
            found[name.removesuffix(_VARIABLE)] = from_environment(str(value), environment, name)
        elif _is_secret(name, value):
            raise ConfigError(f"{name} = {MASK}: {in_the_environment(name)}", key=name)
    return found


def _is_secret(name: str, value: Setting) -> bool:
    return is_secret_name(name) and not isinstance(value, bool)


class Redactor:
    """Replaces known secrets in texts by `***`.

    Thread: `add` by the one that starts the platform, `redact` by any.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._pattern: re.Pattern[str] | None = None
        self._values: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret) -> None:
        """Know one more secret; values under four characters are left alone, for masking them would garble every line."""
        if len(secret.reveal()) < _MIN_MASKED:
            return
        self._values = self._values | {secret.reveal()}
        longest_first = sorted(self._values, key=len, reverse=True)
        self._pattern = re.compile("|".join(re.escape(value) for value in longest_first))

    def redact(self, text: str) -> str:
        """Return the text with every known secret masked."""
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern is not None else text
