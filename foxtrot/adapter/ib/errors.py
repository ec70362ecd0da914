"""What goes wrong at Interactive Brokers, in our own tree: a table from IB's codes to what they mean.

Everything arrives by one callback, error(id, code, text): notices, warnings, refusals of a request or an order, and the state of the
line. The id is a request's, an order's, or -1.

Source: TWS API, Message Codes (System Message Codes, Warning Message Codes, Client Error Codes, TWS Error Codes).
"""

import enum
from typing import Final

import msgspec

from foxtrot.adapter import not_sent
from foxtrot.domain.errors import AdapterError, ConnectionLost, LoginFailed, RateLimited, VenueRejected

VENUE: Final = "ib"


class ErrorKind(enum.StrEnum):
    """What an error of IB says."""

    NOTICE = "notice"
    """Something to know; nothing has ended by it."""
    WARNING = "warning"
    """Something about an order, which lives on."""
    REFUSED = "refused"
    """What was asked for is refused; an order that it names is dead."""
    CANCELLED = "cancelled"
    """The order that it names is cancelled."""
    CANCEL_REFUSED = "cancel_refused"
    """A cancel is refused; the order is what it was."""
    CHANGE_REFUSED = "change_refused"
    """A change of an order is refused; the order is what it was."""
    DATA = "data"
    """About market data: it is not to be had, or not live."""
    LINK = "link"
    """About the connection."""
    PACING = "pacing"
    """Too much was asked for in too short a time."""
    UNKNOWN = "unknown"
    """Not in the table: of an order it leaves the outcome unknown."""


_K: Final = ErrorKind
CODES: Final[dict[int, ErrorKind]] = {
    100: _K.PACING,  # more than 50 messages a second
    104: _K.CHANGE_REFUSED,  # cannot modify a filled order
    105: _K.CHANGE_REFUSED,  # the order that is modified does not match
    135: _K.CANCEL_REFUSED,  # cannot find an order of this id
    136: _K.CANCEL_REFUSED,  # this order cannot be cancelled
    161: _K.CANCEL_REFUSED,  # not in a state to be cancelled
    165: _K.NOTICE,  # the historical service says something
    166: _K.NOTICE,
    202: _K.CANCELLED,
    300: _K.DATA,  # no such subscription
    309: _K.DATA,  # too many subscriptions of depth
    310: _K.DATA,  # no such subscription of depth
    316: _K.DATA,  # depth is halted
    317: _K.DATA,  # depth is reset
    326: _K.LINK,  # the client id is in use
    354: _K.DATA,  # no permission; delayed data may be had
    366: _K.DATA,  # no such historical request
    399: _K.WARNING,  # the order is held until its hours, and the like
    404: _K.WARNING,  # held while shares to borrow are looked for
    420: _K.PACING,  # too many requests for real-time bars
    501: _K.LINK, 502: _K.LINK, 503: _K.LINK, 504: _K.LINK, 506: _K.LINK, 507: _K.LINK,
    508: _K.REFUSED, 509: _K.LINK,
    579: _K.REFUSED,  # a character that cannot be sent; ibapi itself says so
    1100: _K.LINK, 1101: _K.LINK, 1102: _K.LINK, 1300: _K.LINK,
    2110: _K.LINK,  # TWS has lost its server
    10089: _K.DATA, 10090: _K.DATA, 10091: _K.DATA,
    10147: _K.CANCEL_REFUSED,  # no such order to cancel
    10148: _K.CANCEL_REFUSED,  # it cannot be cancelled in its state
    10149: _K.CANCEL_REFUSED,
    10167: _K.NOTICE,  # delayed data is shown
    10168: _K.DATA,  # no permission, and delayed data is not enabled
    10182: _K.DATA,  # live updates of bars are off
    10186: _K.DATA,
    10189: _K.DATA,  # tick by tick is not to be had
    10190: _K.DATA,  # too many tick-by-tick requests
    10197: _K.DATA,  # a competing session has the data
    10349: _K.WARNING,  # the time in force was changed by a preset
}  # fmt: skip
"""Codes of which more is known than their range says."""
RANGES: Final = (
    (range(2100, 2200), ErrorKind.NOTICE),
    (range(100, 500), ErrorKind.REFUSED),
    (range(510, 580), ErrorKind.REFUSED),
    (range(10_000, 11_000), ErrorKind.REFUSED),
)
"""What codes mean that are not listed: warnings of the system, errors of TWS about requests, of ibapi about what it could not send."""
PACING_WORDS: Final = "pacing violation"
HISTORY_REFUSED: Final = 162
"""Errors of the historical service, pacing violations among them, which only the text tells."""
CLIENT_ID_USED: Final = 326
NOT_CONNECTED: Final = 504
UPSTREAM_LOST: Final = (1100, 2110)
DATA_LOST: Final = 1101
DATA_KEPT: Final = 1102
PORT_CHANGED: Final = 1300
PACING_S: Final = 15.0
"""How long nothing of a kind is asked for after a pacing violation.

Source: TWS API, Historical Data Limitations: identical requests within 15 seconds.
"""


class IbError(msgspec.Struct, frozen=True):
    """What the callback `error` told: `request_id` is a request's or an order's, -1 for none."""

    request_id: int
    code: int
    text: str

    @property
    def kind(self) -> ErrorKind:
        """Return what it says."""
        return kind_of(self.code, self.text)

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


def kind_of(code: int, text: str = "") -> ErrorKind:
    """Return what a code says."""
    if code == HISTORY_REFUSED and PACING_WORDS in text.lower():
        return ErrorKind.PACING
    listed = CODES.get(code)
    if listed is not None:
        return listed
    return next((kind for codes, kind in RANGES if code in codes), ErrorKind.UNKNOWN)


def failure_of(error: IbError) -> AdapterError:
    """Return our error for one that ends a request."""
    if error.code == NOT_CONNECTED:
        return NotLinked(str(error.code), error.text)
    kind = error.kind
    if kind is ErrorKind.PACING:
        return RateLimited(VENUE, str(error.code), error.text, PACING_S)
    if kind is ErrorKind.LINK:
        return ConnectionLost(VENUE, str(error.code), error.text)
    return VenueRejected(VENUE, str(error.code), error.text or "refused without a reason")


class NotSent(not_sent.NotSent):
    """An order did not leave: not one byte of it did; `rule` and `reason` say why."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(VENUE, rule, reason)


class PermitClosed(NotSent):
    """The send permit did not let the order leave."""

    def __init__(self, reason: str) -> None:
        super().__init__("send_permit", reason or "the send permit is closed")


class NotLinked(not_sent.NotLinked):
    """There was no connection to TWS: nothing left."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(VENUE, code, text)


class NotSetUp(LoginFailed):
    """The account is not set up as the settings say; trying again would not help."""

    def __init__(self, text: str) -> None:
        super().__init__(VENUE, "not_set_up", text)
