"""What goes wrong at a venue, in our own tree: a table from ccxt's classes to ours. Only questions are asked here, no orders."""

import re
from collections.abc import Mapping
from typing import Any, Final

import ccxt

from foxtrot.domain.errors import (
    AdapterError,
    BadMessage,
    ConnectionLost,
    LoginFailed,
    RateLimited,
    RequestTimedOut,
    VenueRejected,
)

DEFAULT_RETRY_AFTER_S: Final = 10.0
LONGEST_BAN_S: Final = 86_400.0
UNREADABLE: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What reading a message raises that is not what is expected; an infinite number that should be an id is an ArithmeticError."""
RAISED: Final = (ccxt.BaseError, AdapterError, OSError, *UNREADABLE)
"""What ccxt lets out: its own errors, and others when a message is not what it expects."""
WRONG: Final = (ccxt.BadSymbol, ccxt.BadRequest, ccxt.ArgumentsRequired, ccxt.NotSupported)
"""What asking again would not help."""

CLASSES: Final[tuple[tuple[type[BaseException], type[AdapterError]], ...]] = (
    (ccxt.AuthenticationError, LoginFailed),
    (ccxt.RequestTimeout, RequestTimedOut),
    (ccxt.NetworkError, ConnectionLost),
    (ccxt.BaseError, VenueRejected),
    (OSError, ConnectionLost),
)
"""The first that fits counts; what none fits was no message of the venue's that ccxt knows."""

_QUERY: Final = re.compile(r"\?\S*")


def clean(text: object) -> str:
    """Return a text without query strings and not longer than a line."""
    return _QUERY.sub("", str(text))[:300]


def retry_after_s(headers: Mapping[str, Any] | None) -> float:
    """Return what a Retry-After header asks for, in seconds; 0.0 without one."""
    for name, value in dict(headers or {}).items():
        if str(name).lower() == "retry-after" and str(value).strip().isdecimal():
            return min(float(value), LONGEST_BAN_S)
    return 0.0


def translate(venue: str, error: BaseException, headers: Mapping[str, Any] | None = None) -> AdapterError:
    """Return our error for one of ccxt's; one of ours stays."""
    if isinstance(error, AdapterError):
        return error
    code, text = type(error).__name__, clean(error)
    if isinstance(error, ccxt.DDoSProtection | ccxt.RateLimitExceeded):
        return RateLimited(venue, code, text, retry_after_s(headers) or DEFAULT_RETRY_AFTER_S)
    for listed, made in CLASSES:
        if isinstance(error, listed):
            return made(venue, code, text)
    return BadMessage(venue, code, text)
