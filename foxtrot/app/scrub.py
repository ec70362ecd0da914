"""What a bundle for a bug report must not show: keys, account numbers, mail addresses, and where somebody's home folder is."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from foxtrot.app.config import Config
from foxtrot.core.redactor import KNOWN, Redactor
from foxtrot.core.secret import MASK, Secret, is_secret_name

ENV_SUFFIX = "_env"
_NUMBER = re.compile(r"account|acc_|(^|_)acc$|login|user|client_id", re.IGNORECASE)
"""Names of settings that hold the number of an account, or who may log in to it."""
_SHAPES = re.compile(r"\bD?U\d{6,9}\b|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+[A-Za-z]")
"""Account numbers that are known by their shape, and mail addresses."""
_LEAST = 4


class Scrub:
    """Takes out of texts and facts what must not be shown; `found` counts the places.

    Thread: the caller's.
    """

    def __init__(self, config: Config, environment: Mapping[str, str] = os.environ, home: Path | None = None) -> None:
        self.found = 0
        self._secrets = Redactor(Secret(value) for value in _secrets_of(config, environment))
        values = sorted(set(_numbers_of(config)), key=len, reverse=True)
        self._numbers = re.compile(
            "|".join(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])" for value in values) or r"(?!)"
        )
        self._home = str(home or Path.home())

    def text(self, text: str) -> str:
        """Return a text without what must not be shown."""
        clean = KNOWN.redact(self._secrets.redact(text))
        clean = self._numbers.sub(MASK, _SHAPES.sub(MASK, clean))
        if len(self._home) > 1:
            clean = clean.replace(self._home, "~")
        self.found += clean != text
        return clean

    def packed(self, data: bytes) -> bytes:
        """Return msgpack with every text in it scrubbed; the same bytes when there was nothing to take out."""
        before = self.found
        value = self._plain(msgspec.msgpack.decode(data))
        return msgspec.msgpack.encode(value) if self.found != before else data

    def json(self, data: bytes) -> bytes:
        """Return JSON with every text in it scrubbed; the same bytes when there was nothing to take out."""
        before = self.found
        value = self._plain(msgspec.json.decode(data))
        return msgspec.json.encode(value) if self.found != before else data

    def _plain(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self._plain(name): self._named(str(name), inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._plain(inner) for inner in value]
        return value

    def _named(self, name: str, value: object) -> object:
        if isinstance(value, str) and value and is_secret_name(name):
            self.found += 1
            return MASK
        return self._plain(value)


def _secrets_of(config: Config, environment: Mapping[str, str]) -> Iterator[str]:
    for account in config.accounts.values():
        for name, value in account.settings.items():
            if name.endswith(ENV_SUFFIX) and environment.get(str(value)):
                yield environment[str(value)]


def _numbers_of(config: Config) -> Iterator[str]:
    for account in config.accounts.values():
        for name, value in account.settings.items():
            named = _NUMBER.search(name) and not name.endswith(ENV_SUFFIX)
            if named and not isinstance(value, bool) and len(str(value)) >= _LEAST:
                yield str(value)
