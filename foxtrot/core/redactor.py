"""What keeps known secrets out of texts, as the last of several doors: nothing is to hold one that arrives here."""

import base64
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

from foxtrot.core.secret import MASK, Secret

_MIN_MASKED: Final = 4


class Redactor:
    """Replaces known secrets in texts by `***`, also as URLs, JSON, hexadecimal digits and Base64 write them.

    Thread: `add` by the one that starts the platform, `redact` by any.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._pattern: re.Pattern[str] | None = None
        self._values: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret) -> None:
        """Know one more secret; values under four characters are left alone, for masking them would garble every line."""
        if len(secret.reveal()) < _MIN_MASKED or secret.reveal() in self._values:
            return
        self._values = self._values | set(written_forms(secret.reveal()))
        longest_first = sorted(self._values, key=len, reverse=True)
        self._pattern = re.compile("|".join(re.escape(value) for value in longest_first))

    def redact(self, text: str) -> str:
        """Return the text with every known secret masked."""
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern is not None else text


def written_forms(value: str) -> tuple[str, ...]:
    """Return the ways in which a text may stand in another: itself, escaped, quoted for a URL, in hexadecimal digits, in Base64."""
    data = value.encode()
    quoted = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
    coded = base64.b64encode(data).decode()
    safe = base64.urlsafe_b64encode(data).decode()
    forms = (
        value, *quoted, quote(value), quote(value, safe=""), quote_plus(value), data.hex(), data.hex().upper(), coded, safe,
        coded.rstrip("="), safe.rstrip("="),
    )  # fmt: skip
    return tuple(dict.fromkeys(forms))


KNOWN: Final = Redactor()
"""What this process knows of secrets: the log is the process's, and so is what it must not show."""
