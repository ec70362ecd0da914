"""What IB says of market data that cannot be had, with what to do about it.

Source: TWS API, Message Codes; IB, Market Data Subscriptions.
"""

from typing import Final

from foxtrot.adapter.ib.errors import ErrorKind, IbError

SUBSCRIBE: Final = "subscribe to it in IB's Client Portal, Settings, Market Data Subscriptions"
FIXES: Final = {
    101: "too many lines of market data: unsubscribe from something, or buy a quote booster at IB",
    309: "IB takes few subscriptions of depth at a time (3, more with much equity): unsubscribe from one",
    354: f'{SUBSCRIBE}, or set market_data = "delayed"',
    420: f"{SUBSCRIBE}; the API needs a subscription of its own",
    10089: f'{SUBSCRIBE}, or set market_data = "delayed"',
    10090: f"a part of it is not subscribed: {SUBSCRIBE}",
    10092: "this exchange has no depth by the API: depth_levels = 0 asks for none",
    10167: f"{SUBSCRIBE}; until then it is delayed, and no order that opens is judged by it",
    10168: f'{SUBSCRIBE}, or set market_data = "delayed" so that delayed data is shown',
    10186: f"{SUBSCRIBE}, or set market_data to a kind that the account has",
    10189: "it comes from the quote in place of tick by tick",
    10190: "it comes from the quote in place of tick by tick",
    10197: "another session of this user has the data: log out of TWS, mobile or Client Portal elsewhere; it comes back by itself",
}  # fmt: skip
"""By code. Source: see the module."""
LIVES_ON: Final = frozenset({10090, 10167, 10197, 316, 317})
"""Errors after which a stream goes on, or comes back by itself."""
RESET, HALTED = 317, 316
"""Source: TWS API, Message Codes: depth was reset, or halted; what follows of it is a new book."""
NO_SUCH_STREAM: Final = frozenset({300, 310, 366, 10182})
"""What is said to who ends a stream that is none. Source: TWS API, Message Codes."""


def ends_stream(error: IbError) -> bool:
    """Tell whether nothing more comes of the stream that an error names."""
    return error.kind not in (ErrorKind.NOTICE, ErrorKind.WARNING) and error.code not in LIVES_ON


def words_of(error: IbError) -> str:
    """Return an error with its remedy."""
    fix = FIXES.get(error.code)
    return f"{error}; {fix}" if fix else str(error)
