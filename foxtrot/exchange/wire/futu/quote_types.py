"""The kinds of data that can be subscribed, and the kinds of K-lines: Futu's numbers and names as tables."""

from typing import Final

import msgspec

BASIC, ORDER_BOOK, TICKER = 1, 2, 4
"""Subscription types that are not K-lines.

Source: Qot_Common.proto, SubType.
"""
MINUTE, DAY, WEEK, MONTH, QUARTER, YEAR = "minute", "day", "week", "month", "quarter", "year"


class KlineKind(msgspec.Struct, frozen=True):
    """One kind of K-line: its number, its subscription type, and its length in `unit`s."""

    kl_type: int
    sub_type: int
    name: str
    unit: str
    length: int = 1

    @property
    def is_calendar(self) -> bool:
        """Tell whether it is cut by days, not by minutes.

        Source: Qot_Common.proto, KLType.
        """
        return self.unit != MINUTE


_ROWS = (
    KlineKind(1, 11, "KL_1Min", MINUTE, 1),
    KlineKind(10, 17, "KL_3Min", MINUTE, 3),
    KlineKind(6, 7, "KL_5Min", MINUTE, 5),
    KlineKind(12, 18, "KL_10Min", MINUTE, 10),
    KlineKind(7, 8, "KL_15Min", MINUTE, 15),
    KlineKind(8, 9, "KL_30Min", MINUTE, 30),
    KlineKind(9, 10, "KL_60Min", MINUTE, 60),
    KlineKind(13, 19, "KL_120Min", MINUTE, 120),
    KlineKind(14, 20, "KL_180Min", MINUTE, 180),
    KlineKind(15, 21, "KL_240Min", MINUTE, 240),
    KlineKind(2, 6, "KL_Day", DAY),
    KlineKind(3, 12, "KL_Week", WEEK),
    KlineKind(4, 13, "KL_Month", MONTH),
    KlineKind(11, 15, "KL_Qurater", QUARTER),
    KlineKind(5, 16, "KL_Year", YEAR),
)
KLINES: Final[dict[int, KlineKind]] = {row.kl_type: row for row in _ROWS}
"""KLType → kind.

Source: Qot_Common.proto, KLType and SubType (its spelling of the quarter included).
"""
KLINES_BY_SUB: Final[dict[int, KlineKind]] = {row.sub_type: row for row in _ROWS}
LONGEST_EXTENDED_MIN: Final = 60
"""Pre-market and after-hours data go into K-lines of at most so many minutes.

Source: Qot_RequestHistoryKL.proto, extendedTime.
"""
NAMES: Final[dict[int, str]] = {
    BASIC: "Basic", ORDER_BOOK: "OrderBook", TICKER: "Ticker", **{row.sub_type: row.name for row in _ROWS},
}  # fmt: skip
"""Subscription type → name, for all that can be subscribed here.

Source: Qot_Common.proto, SubType.
"""
EXTENDED_SESSIONS: Final = frozenset({2, 3})
"""Sessions that bring pre-market and after-hours data: ETH and ALL.

Source: Common.proto, Session.
"""
KNOWN_SESSIONS: Final = frozenset({0, 1, 2, 3})
REHABS: Final = frozenset({0, 1, 2})
"""Rehabilitation types: none, forward, backward. No share of the embedded venue was ever split, so all three are equal.

Source: Qot_Common.proto, RehabType.
"""
FORWARD: Final = 1


def wants_extended(c2s: object) -> bool:
    """Tell whether a request asks for pre-market and after-hours data, by either of its two fields.

    Source: Qot_Sub.proto and Qot_RequestHistoryKL.proto, extendedTime and session.
    """
    return bool(getattr(c2s, "extendedTime", False)) or getattr(c2s, "session", 0) in EXTENDED_SESSIONS
