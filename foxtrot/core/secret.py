"""A secret: a value that no text, log line, JSON or pickle ever shows, and how one is known by its name."""

import re
from typing import Final, Never, final

MASK: Final = "***"
_VARIABLE: Final = "_env"
_PERMISSION: Final = "allow"
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_WORDS: Final = frozenset(
    {"secret", "secrets", "key", "keys", "password", "passwd", "passphrase", "passcode", "pass", "pwd", "pw", "pin", "token",
     "tokens", "private", "credential", "credentials", "mnemonic", "pem", "auth"}
)  # fmt: skip
_RUN_TOGETHER: Final = (
    "secret", "password", "passwd", "passphrase", "apikey", "privatekey", "accesskey", "authtoken", "accesstoken", "credential",
)  # fmt: skip
_VARIABLE_NAME: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,63}|[a-z_][a-z_]{0,39}")
_USER: Final = re.compile(r"//[^/@\s]*@")


@final
class Secret:
    """A value whose text is `***`; only `reveal` gives it, as the last act before it is used.

    It refuses to be pickled, and JSON encoders refuse it or write its mask.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, form: str) -> str:
        return format(MASK, form)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> Never:
        raise TypeError("a Secret is not pickled; pass the name of its environment variable instead")


def name_words(name: str) -> list[str]:
    """Return the words of a name in lower case, however they are parted: apiSecret, api_secret and API-SECRET are api and secret."""
    return [word.lower() for word in _WORD.findall(name)]


def is_secret_name(name: str) -> bool:
    """Tell whether a setting of this name holds a secret; NAME_env, which names a variable, and allow_NAME, a yes or no, do not."""
    words = name_words(name)
    if name.endswith(_VARIABLE) or words[:1] == [_PERMISSION]:
        return False
    together = "".join(words)
    return not _WORDS.isdisjoint(words) or any(part in together for part in _RUN_TOGETHER)


def masked(name: str, value: object) -> object:
    """Return a setting's value as it may be shown: `***` for a secret, known by its name or by what it looks like."""
    if isinstance(value, bool) or value == "":
        return value
    if is_secret_name(name) or (isinstance(value, str) and "PRIVATE KEY" in value):
        return MASK
    if name.endswith(_VARIABLE):
        return variable_shown(str(value))
    return _USER.sub(f"//{MASK}@", value) if isinstance(value, str) else value


def shown(name: str, value: object) -> str:
    """Return a setting's value as a message has it, secrets masked."""
    safe = masked(name, value)
    return MASK if safe == MASK else repr(safe)


def variable_shown(variable: str) -> str:
    """Return the name of an environment variable as a message may show it: what is no such name may be the secret itself."""
    return variable if _VARIABLE_NAME.fullmatch(variable) else MASK


def in_the_environment(name: str) -> str:
    """Return what to do with a secret that stands among settings."""
    variable = f"{'_'.join(name_words(name))}{_VARIABLE}"
    return (
        f'a secret does not stand in settings: put it in the environment and write {variable} = "NAME_OF_THE_VARIABLE"'
    )
