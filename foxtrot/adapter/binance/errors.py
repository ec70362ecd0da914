"""What goes wrong at Binance, in our own tree: a table from Binance's codes and ccxt's classes to our classes.

Of a request that trades, only what this table names as a refusal is one; everything else leaves its outcome unknown.
"""

import enum
import re
from collections.abc import Mapping
from typing import Final

import ccxt
import msgspec

from foxtrot.domain.errors import (
    AdapterError,
    BadMessage,
    ConnectionLost,
    LoginFailed,
    RateLimited,
    RequestTimedOut,
    VenueRejected,
)
from foxtrot.domain.outcome import Outcome

VENUE: Final = "binance"
CLOCK_OFF: Final = "-1021"
UNKNOWN_LISTEN_KEY: Final = "-1125"
TOO_MANY_ORDERS: Final = "-1015"
"""The count of orders is spent: a limit of its own, which cancels and questions do not draw on.

Source: Binance spot API, rest-api, Unfilled Order Count (429 without Retry-After); USDⓈ-M Futures, General Info, Limits.
"""
DEFAULT_RETRY_AFTER_S: Final = 60.0
LONGEST_BAN_S: Final = 3 * 86_400.0
"""What is believed of a Retry-After: Binance bans for 2 minutes up to 3 days.

Source: Binance spot API, LIMITS, IP Limits.
"""
ORDER_PAUSE_S: Final = 10.0
"""The shortest interval by which orders are counted, which is what such a refusal without a time can mean."""


class NotSent(AdapterError):
    """An order did not leave: not one byte of it did; `rule` and `reason` say why."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(VENUE, rule, reason)
        self.rule = rule
        self.reason = reason


class PermitClosed(NotSent):
    """The send permit did not let the order leave."""

    def __init__(self, reason: str) -> None:
        super().__init__("send_permit", reason or "the send permit is closed")


class UnknownOutcome(AdapterError):
    """The order may be live: ask for it by its own id before anything else is done."""


class NotSetUp(LoginFailed):
    """The account is not set up as the settings say; trying again would not help."""

    def __init__(self, text: str) -> None:
        super().__init__(VENUE, "not_set_up", text)


class Kind(enum.Enum):
    """What an error means for whoever asked."""

    REFUSED = "refused"
    LOGIN = "login"
    LIMITED = "limited"
    TIMEOUT = "timeout"
    LOST = "lost"
    UNKNOWN = "unknown"


class Refusal(msgspec.Struct, frozen=True):
    """What Binance said: HTTP status, its code ("" without one), its words, and how long it wants to be left alone."""

    status: int
    code: str
    text: str
    retry_after_s: float = 0.0


CODES: Final[Mapping[str, Kind]] = {
    # 10xx: server and network; what happened to the request is unknown
    "-1000": Kind.UNKNOWN,
    "-1001": Kind.UNKNOWN,
    "-1006": Kind.UNKNOWN,
    "-1007": Kind.UNKNOWN,
    # 10xx: refused before it was looked at
    "-1002": Kind.LOGIN,
    "-1003": Kind.LIMITED,
    "-1008": Kind.REFUSED,
    "-1011": Kind.REFUSED,
    "-1013": Kind.REFUSED,
    "-1014": Kind.REFUSED,
    "-1015": Kind.LIMITED,
    "-1016": Kind.REFUSED,
    "-1020": Kind.REFUSED,
    "-1021": Kind.REFUSED,
    "-1022": Kind.LOGIN,
    "-1023": Kind.REFUSED,
    # 20xx: processing
    "-2010": Kind.REFUSED,
    "-2011": Kind.REFUSED,
    "-2013": Kind.REFUSED,
    "-2014": Kind.LOGIN,
    "-2015": Kind.LOGIN,
    **{f"-{code}": Kind.REFUSED for code in (*range(2016, 2029), 2035, 2036, 2038, 2039)},
    # 21xx: futures orders, 50xx: futures matching
    **{f"-{code}": Kind.REFUSED for code in (5021, 5022, 5024, 5025, 5026, 5028, 5029, 5037, 5038, 5039, 5040, 5041)},
}
"""Single codes.

Source: Binance spot API, Errors; USDⓈ-M Futures, Error Codes.
"""

REFUSED_RANGES: Final = ((1099, 1199), (3000, 3999), (4000, 4199))
"""Malformed requests, sapi and futures filters: none of them ever reaches a market.

Source: Binance spot API, Errors "11xx"; USDⓈ-M Futures, Error Codes "11xx" and "40xx".
"""

CLASSES: Final[tuple[tuple[type[BaseException], Kind], ...]] = (
    (ccxt.DDoSProtection, Kind.LIMITED),
    (ccxt.RateLimitExceeded, Kind.LIMITED),
    (ccxt.AuthenticationError, Kind.LOGIN),
    (ccxt.RequestTimeout, Kind.TIMEOUT),
    (ccxt.ExchangeNotAvailable, Kind.LOST),
    (ccxt.NetworkError, Kind.LOST),
)
"""ccxt's classes, used where Binance gave no code; the first that fits counts."""

_ADVICE: Final = {
    "-2014": "the API key is malformed: check that the key of this environment was copied whole",
    "-2015": "key, address or permission is not accepted: check the key's environment, its IP list and its trading right",
    "-1022": "the signature is wrong: check the API secret",
    "-1002": "the key may not do this: check its rights",
}
_QUERY: Final = re.compile(r"\?\S*")


def clean(text: object) -> str:
    """Return a text without query strings, which carry signatures and listen keys, and not longer than a line."""
    return _QUERY.sub("", str(text))[:300]


def kind_of(error: BaseException, refusal: Refusal | None) -> Kind:
    """Return what an error means, by Binance's code, else by ccxt's class, else UNKNOWN."""
    if refusal is not None and refusal.status in (418, 429):
        return Kind.LIMITED
    if refusal is not None and refusal.code:
        return kind_of_code(refusal.code)
    for listed, kind in CLASSES:
        if isinstance(error, listed):
            return kind
    return Kind.UNKNOWN


def kind_of_code(code: str) -> Kind:
    """Return what one of Binance's codes means; UNKNOWN when it is not listed."""
    listed = CODES.get(code)
    if listed is not None:
        return listed
    number = int(code[1:]) if code[:1] == "-" and code[1:].isdecimal() else 0
    return Kind.REFUSED if any(low <= number <= high for low, high in REFUSED_RANGES) else Kind.UNKNOWN


OUTCOMES: Final[Mapping[Kind, Outcome]] = {
    Kind.REFUSED: Outcome.REFUSED,
    Kind.LOGIN: Outcome.REFUSED,
    Kind.LIMITED: Outcome.REFUSED,
    Kind.TIMEOUT: Outcome.UNKNOWN,
    Kind.LOST: Outcome.UNKNOWN,
    Kind.UNKNOWN: Outcome.UNKNOWN,
}
"""What a kind of error means for an order whose bytes have left."""


def outcome_of(error: AdapterError) -> Outcome:
    """Return what an error of ours means for the order it was raised for; what is not listed is UNKNOWN."""
    if isinstance(error, NotSent):
        return Outcome.DENIED_LOCALLY
    refused = isinstance(error, VenueRejected | LoginFailed | RateLimited)
    return Outcome.REFUSED if refused else Outcome.UNKNOWN


def outcome_of_answer(error: BaseException, refusal: Refusal | None) -> Outcome:
    """Return what an answer of Binance means for an order: a refusal only if Binance itself said so, with a status and by the table."""
    if refusal is None or not refusal.status:
        return Outcome.UNKNOWN
    return OUTCOMES[kind_of(error, refusal)]


def translate(error: BaseException, refusal: Refusal | None) -> AdapterError:
    """Return our error for one of a request that does not trade; one of ours stays."""
    if isinstance(error, AdapterError):
        return error
    kind = kind_of(error, refusal)
    code, text = _words(error, refusal)
    if kind is Kind.LIMITED:
        return RateLimited(VENUE, code, text, _retry_after_s(refusal, code))
    made: type[AdapterError] = _QUERY_CLASSES[kind]
    if kind is Kind.UNKNOWN and code.startswith("-"):
        made = VenueRejected
    return made(VENUE, code, text)


def translate_sent(error: BaseException, refusal: Refusal | None) -> AdapterError:
    """Return our error for one of a request that trades and whose bytes have left."""
    if outcome_of_answer(error, refusal) is Outcome.REFUSED:
        return translate(error, refusal)
    return UnknownOutcome(VENUE, *_words(error, refusal))


def login_words(refused: LoginFailed, environment: str) -> str:
    """Return why an account is not connected, with the environment where a key of another one would be refused so."""
    if isinstance(refused, NotSetUp):
        return refused.text
    others = f" (this account is of environment {environment}: a key of another one is unknown there)"
    return f"Binance refuses the credentials: {refused}{others if refused.code in _OF_ANOTHER else ''}"


_OF_ANOTHER: Final = frozenset({"-2014", "-2015", "-2008"})
"""What Binance answers to a key that it does not know.

Source: Binance spot API, Errors, -2014 BAD_API_KEY_FMT, -2015 REJECTED_MBX_KEY; -2008 Invalid Api-Key ID.
"""
_QUERY_CLASSES: Final[Mapping[Kind, type[AdapterError]]] = {
    Kind.REFUSED: VenueRejected,
    Kind.LOGIN: LoginFailed,
    Kind.TIMEOUT: RequestTimedOut,
    Kind.LOST: ConnectionLost,
    Kind.UNKNOWN: BadMessage,
}


def _words(error: BaseException, refusal: Refusal | None) -> tuple[str, str]:
    if refusal is None or not refusal.code:
        status = f"http_{refusal.status}" if refusal is not None and refusal.status else type(error).__name__
        cause = "" if error.__cause__ is None else f" ({clean(error.__cause__)})"
        return status, clean(error) + cause
    advice = _ADVICE.get(refusal.code)
    return refusal.code, clean(refusal.text) + (f" [{advice}]" if advice else "")


def _retry_after_s(refusal: Refusal | None, code: str) -> float:
    if refusal is not None and refusal.retry_after_s:
        return min(refusal.retry_after_s, LONGEST_BAN_S)
    return ORDER_PAUSE_S if code == TOO_MANY_ORDERS else DEFAULT_RETRY_AFTER_S
