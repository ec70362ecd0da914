"""Where secrets come from, and how known ones are kept out of texts; the type itself is core/secret.py."""

import re
from collections.abc import Iterable, Mapping

from foxtrot.adapter.base_adapter import Setting
from foxtrot.core.secret import MASK, Secret
from foxtrot.domain.errors import ConfigError

_SECRET_NAME = re.compile(
    r"(^|_)(secret|password|passwd|passphrase|token|private_key|api_key|apikey|pin)(_|$)", re.IGNORECASE
)
_VARIABLE = "_env"
_MIN_MASKED = 4


def from_environment(variable: str, environment: Mapping[str, str]) -> Secret:
    """Return the secret that an environment variable holds.

    Raises:
        ConfigError: the variable is not set, or empty.
    """
    value = environment.get(variable, "")
    if not value:
        raise ConfigError(f"environment variable {variable} is not set; export it before the start")
    return Secret(value)


def is_secret_name(name: str) -> bool:
    """Tell whether a setting of this name holds a secret; one that names an environment variable does not."""
    return bool(_SECRET_NAME.search(name)) and not name.endswith(_VARIABLE)


def plain_settings(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return an account's settings without those that are, or name, a secret."""
    return {name: value for name, value in settings.items() if not (is_secret_name(name) or name.endswith(_VARIABLE))}


def secret_settings(settings: Mapping[str, Setting], environment: Mapping[str, str]) -> dict[str, Secret]:
    """Return an account's secrets by name: `NAME_env = "VARIABLE"` gives NAME from the environment.

    Raises:
        ConfigError: an environment variable is not set, or its name is not text.
    """
    found: dict[str, Secret] = {}
    for name, value in settings.items():
        if name.endswith(_VARIABLE):
            found[name.removesuffix(_VARIABLE)] = from_environment(str(value), environment)
        elif is_secret_name(name):
            found[name] = Secret(str(value))
    return found


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
