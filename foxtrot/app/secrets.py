"""Where the secrets of an account come from: the environment, else the key store; the type itself is core/secret.py."""

from collections.abc import Callable, Collection, Mapping

from loguru import logger

from foxtrot.adapter.base_adapter import Setting
from foxtrot.core.redactor import KNOWN, Redactor
from foxtrot.core.secret import MASK, Secret, in_the_environment, is_secret_name, variable_shown
from foxtrot.domain.errors import ConfigError

__all__ = ["Redactor", "account_secrets", "from_environment", "plain_settings", "secret_settings"]

_VARIABLE = "_env"
LookUp = Callable[[str], Secret | None]
"""Finds a secret of an account by its name in the key store; None when it has none."""


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


def account_secrets(
    settings: Mapping[str, Setting],
    environment: Mapping[str, str],
    names: tuple[str, ...],
    look_up: LookUp,
    accounts: Collection[str] = (),
) -> dict[str, Secret]:
    """Return an account's secrets: what a variable gives, and of what its adapter takes else, what the key store has.

    Each is known to the log from then on, which masks it; one that is the name of one of `accounts` is told of instead.

    Blocks: for the key store, where it has something of the account.

    Raises:
        ConfigError: as `secret_settings`, or the key store refuses.
    """
    found = secret_settings(settings, environment)
    for name in names:
        kept = None if name in found else look_up(name)
        if kept is not None:
            found[name] = kept
    # A secret that everybody reads in the configuration hides nothing, but masking it would hide of whom each line of the log speaks.
    open_words = {Secret(account) for account in accounts}
    for name, secret in found.items():
        if secret in open_words:
            logger.warning("{} is the name of an account and is not masked in the log; choose another", name)
        else:
            KNOWN.add(secret)
    return found


def _is_secret(name: str, value: Setting) -> bool:
    return is_secret_name(name) and not isinstance(value, bool)
