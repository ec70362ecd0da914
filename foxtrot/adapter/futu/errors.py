"""What goes wrong at Futu, in our own tree: a table from what the SDK returns to our classes.

The SDK raises nothing on purpose: a call returns RET_OK and data, or RET_ERROR and a text, of the SDK or of OpenD. Of a request
that trades, only an answer of OpenD is a refusal; whatever the SDK says by itself leaves the outcome unknown.

Source: seen with futu-api 10.11.7108 (open_context_base.py, network_manager.py, err.py).
"""

from typing import Final

from foxtrot.adapter import not_sent
from foxtrot.domain.errors import (
    AdapterError,
    ConnectionLost,
    LoginFailed,
    RateLimited,
    RequestTimedOut,
    VenueRejected,
)

VENUE: Final = "futu"
RET_OK: Final = 0
WINDOW_S: Final = 30.0
"""Futu counts calls in half minutes.

Source: Futu OpenAPI, API limits ("requests per 30 seconds").
"""
ANSWERLESS: Final = ("PacketErr.Timeout", "Abnormal event timeout")
"""What the SDK says, in these very words, when a request was not answered."""
CUT: Final = ("Disconnect", "PacketErr.Disconnect")
"""What it says when the connection went away before an answer came."""
UNLINKED: Final = ("Connection closed", "Connect timeout", "Context status bad")
"""What it says when there was no connection, so that nothing left."""
TOO_OFTEN: Final = ("frequen", "too often", "频率", "頻率", "频繁", "頻繁")
"""Parts of what OpenD says to who calls too often, in its three languages.

Source: not documented; to be seen with a real OpenD.
"""


class NotSent(not_sent.NotSent):
    """An order did not leave: not one byte of it did; `rule` and `reason` say why."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(VENUE, rule, reason)


class PermitClosed(NotSent):
    """The send permit did not let the order leave."""

    def __init__(self, reason: str) -> None:
        super().__init__("send_permit", reason or "the send permit is closed")


class NotLinked(not_sent.NotLinked):
    """There was no connection to OpenD: nothing left."""


class NotSetUp(LoginFailed):
    """The account is not set up as the settings say; trying again would not help."""

    def __init__(self, text: str) -> None:
        super().__init__(VENUE, "not_set_up", text)


def failure_of(kind: str, text: object) -> AdapterError:
    """Return our error for what a call of a kind returned in place of data.

    Returns:
        ConnectionLost or RequestTimedOut: nothing was heard, so that of an order the outcome is unknown, unless it is
        NotLinked; RateLimited: OpenD refused because of too many calls; VenueRejected: it refused, or the SDK did before it
        sent anything, or the SDK could not read the answer. Whoever must tell these apart asks by `FutuContext.ask`.
    """
    words = " ".join(str(text).split())[:300]
    if words in UNLINKED:
        return NotLinked(VENUE, kind, words)
    if words in CUT:
        return ConnectionLost(VENUE, kind, "the connection to OpenD went away before it answered")
    if words in ANSWERLESS:
        return RequestTimedOut(VENUE, kind, "OpenD did not answer in time")
    if any(part in words.lower() for part in TOO_OFTEN):
        return RateLimited(VENUE, kind, words, WINDOW_S)
    return VenueRejected(VENUE, kind, words or "refused without a reason")


ANSWERS: Final[dict[int, type[AdapterError]]] = {
    -1: VenueRejected,
    -500: VenueRejected,
    -100: RequestTimedOut,
    -200: ConnectionLost,
    -400: RequestTimedOut,
}
"""What OpenD's retType means: refused, an invalid request, not heard of from its server in time, cut off from it, unknown.

Source: Futu OpenAPI, General Definitions, RetType.
"""


def refusal_of(name: str, ret_type: int, text: object) -> AdapterError:
    """Return our error for an answer of OpenD that brings no data; one that is not listed leaves the outcome unknown."""
    words = " ".join(str(text).split())[:300] or "refused without a reason"
    found = ANSWERS.get(ret_type, RequestTimedOut)
    if found is VenueRejected and any(part in words.lower() for part in TOO_OFTEN):
        return RateLimited(VENUE, name, words, WINDOW_S)
    return found(VENUE, name, words)
