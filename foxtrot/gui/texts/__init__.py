"""Every word that the desktop shows, by key, in each of its languages; the tables are TOML files beside this module."""

import string
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

LANGUAGES: Final = {"en": "English", "zh": "中文"}
DEFAULT: Final = "en"
_FOLDER = resources.files(__name__)


class _Formatter(string.Formatter):
    """Puts values into a text, and the word that fits to their number."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return a value, or the one of two words that fits to it."""
        if "|" not in format_spec:
            return str(super().format_field(value, format_spec))
        one, many = format_spec.split("|")
        return one if str(value).lstrip("+") == "1" else many


_FORMATTER: Final = _Formatter()


class _Chosen:
    """The language in force; the desktop's thread alone reads and changes it."""

    language = DEFAULT


def choose(language: str) -> None:
    """Let `tr` answer in a language from now on; an unknown one is English."""
    _Chosen.language = language if language in LANGUAGES else DEFAULT


def chosen() -> str:
    """Return the language in force."""
    return _Chosen.language


def tr(key: str, **values: object) -> str:
    """Return a text by its key, with values put in for the names in braces.

    A key that no table has is shown as it is, so that nothing is hidden; a test holds that there is none. `{count:order|orders}` is the
    first of the two words where `count` is one.
    """
    text = table(_Chosen.language).get(key) or table(DEFAULT).get(key) or key
    return _FORMATTER.vformat(text, (), values) if values else text


@cache
def table(language: str) -> Mapping[str, str]:
    """Return all texts of a language by key, "part.name"."""
    found: dict[str, str] = {}
    for path in sorted(_FOLDER.iterdir(), key=lambda one: one.name):
        if path.name.endswith(f".{language}.toml"):
            for part, texts in tomllib.loads(path.read_text("utf-8")).items():
                found |= {f"{part}.{name}": str(text) for name, text in texts.items()}
    return found
