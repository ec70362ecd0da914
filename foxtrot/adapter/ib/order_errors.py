"""What an error that names one of our orders means for it: an end only where the code says so."""

from typing import Final

from foxtrot.adapter.ib.errors import ErrorKind, IbError
from foxtrot.domain.outcome import Outcome

REFUSALS: Final = frozenset({
    *(103, 106, 107, 109, 110, 111, 113, 114, 115, 116, 117, 118, 119, 120, 121, 125, 126, 127, 128, 129, 132, 133),
    *(137, 138, 139, 140, 141, 142, 143, 144, 145, 146, 147, 148, 151, 152, 153, 154, 155, 156, 157, 158, 159, 160, 163, 164),
    *(200, 201, 203, 321, 355, 383, 387, 388, 403, 411, 412, 434, 435, 436, 439, 441, 442, 443, 463, 508, 579, 10268),
})  # fmt: skip
"""Codes that say that an order was not taken.

Source: TWS API, Message Codes; seen with ibapi 9.81 (508, 579: what ibapi itself did not send) and a TWS of today (10268).
"""
ENDS_ACCEPTED: Final = frozenset({201, 203})
"""Of these, those that may also end an order that IB had taken before its exchange refused it. Source: TWS API, Message Codes."""
_NO_WORD: Final = frozenset({ErrorKind.NOTICE, ErrorKind.WARNING, ErrorKind.DATA, ErrorKind.LINK, ErrorKind.PACING})


def outcome_of(error: IbError, *, accepted: bool) -> Outcome | None:
    """Return what an error means for an order of ours that nobody wants to cancel or change; None where it says nothing of it.

    Args:
        error: the code and its text.
        accepted: whether IB has told of the order as one that works.
    """
    if error.code in REFUSALS and (not accepted or error.code in ENDS_ACCEPTED):
        return Outcome.REFUSED
    return None if error.kind in _NO_WORD else Outcome.UNKNOWN
