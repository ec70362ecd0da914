"""What FutuOpenD allows on its quote side and what it says when it refuses: figures and texts as data, each with its source.

DOC is Futu's public documentation, SEEN is an answer of a real OpenD that its users have published, OWN is ours: nobody has
published what a real OpenD says there, so the sense is the documentation's and the words are not.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.wire.futu.refusal import FutuRefused

DOC_AUTHORITY: Final = "DOC Futu OpenAPI, Authorities and Limitations"
DOC_SUB: Final = "DOC Futu OpenAPI, Subscribe and Unsubscribe; Q&A, Quote related"
DOC_PROTO: Final = "DOC the .proto files of futu-api 10.11.7108"


class Figure(msgspec.Struct, frozen=True):
    """A number and where it is from."""

    value: int
    source: str


class Text(msgspec.Struct, frozen=True):
    """The words of a refusal and where they are from."""

    text: str
    source: str


FIGURES: Final[dict[str, Figure]] = {
    "subscription_quota": Figure(300, f"{DOC_AUTHORITY}: 100, 300, 1000 or 2000 by assets and trading"),
    "history_quota": Figure(300, f"{DOC_AUTHORITY}: 100, 300, 1000 or 2000 securities"),
    "history_days": Figure(30, f"{DOC_AUTHORITY}: of the last 30 days"),
    "shortest_s": Figure(60, f"{DOC_SUB}: a subscription can be ended after one minute"),
    "calls_s": Figure(30, f"{DOC_AUTHORITY}, Interface Frequency Limitations: per 30 seconds"),
    "history_calls": Figure(60, "DOC Futu OpenAPI, Get Historical Candlesticks: first pages only"),
    "snapshot_calls": Figure(60, f"{DOC_AUTHORITY}: the example of the frequency limits"),
    "static_calls": Figure(10, "OWN believed to be documented; the page was not at hand"),
    "trade_date_calls": Figure(30, "OWN believed to be documented; the page was not at hand"),
    "snapshot_rows": Figure(400, "DOC Futu OpenAPI, Get Market Snapshot"),
    "ticker_rows": Figure(1000, f"{DOC_PROTO}: Qot_GetTicker, at most 1000"),
    "kline_rows": Figure(1000, "DOC Futu OpenAPI, Get Real-time Candlestick: at most 1000"),
    "pushed_levels": Figure(10, "seen with futu-api 10.11.7108: the handler of order books shows what is pushed, 10 by default"),
}  # fmt: skip

TEXTS: Final[dict[str, Text]] = {
    "unknown_stock": Text("Unknown stock {code}", "SEEN by users, in Chinese as well"),
    "no_right_sub": Text("No right to subscribe {code}", "SEEN github.com/FutunnOpen/py-futu-api issue 130"),
    "no_right": Text("No right to get the quote for {code}", "SEEN by users of futu-api and moomoo-api"),
    "subscribe_first": Text(
        "Before requesting this interface, please subscribe to the {kind} data first",
        "SEEN in its last half by users; in Chinese github.com/FutunnOpen/py-futu-api issue 195",
    ),
    "history_quota": Text(
        "Insufficient historical candlestick quota. The quota used is released after {days} days",
        "SEEN in its beginning and its end by users",
    ),
    "subscription_quota": Text(
        "Insufficient subscription quota: {needed} needed, {left} left", "DOC Q&A, Quote related: its first three words"
    ),
    "too_early": Text(
        "{code} {kind} was subscribed {age} s ago: you can unsubscribe after at least one minute",
        "DOC Q&A, Quote related: its last half",
    ),
    "too_often": Text("Request with high frequency: at most {calls} times in {seconds} seconds", "SEEN in its first half by users"),
    "bad_type": Text("Data type {kind} cannot be subscribed here; there are {known}", "OWN"),
    "bad_rehab": Text("Rehabilitation type {value} is unknown; there are 0 (none), 1 (forward), 2 (backward)", "OWN"),
    "bad_kline": Text("K-line type {value} is unknown; there are {known}", "OWN"),
    "bad_number": Text("{name} is {value}; it must be 1 to {most}", "OWN"),
    "bad_time": Text("{name} is {value!r}; it must be YYYY-MM-DD or YYYY-MM-DD HH:MM:SS", "OWN"),
    "bad_page": Text("nextReqKey is not one that this OpenD has given for this request", "OWN"),
    "bad_market": Text("Market {value} has no data here; there are {known}", "OWN"),
    "bad_session": Text("Session {value} has no data here; there are 0 to 3", "OWN"),
    "no_security": Text("No security is named in the request", "OWN"),
    "not_subscribed": Text("{code} {kind} is not subscribed on this connection", "OWN"),
}  # fmt: skip

BOOK_LEVELS: Final[Mapping[tuple[int, str], int]] = {
    (1, "LV1"): 1, (1, "LV2"): 10, (11, "LV1"): 1, (11, "LV2"): 60, (21, "LV1"): 5, (22, "LV1"): 5,
}  # fmt: skip
"""Levels of a book that can be asked for, by QotMarket and quote right.

Source: Futu OpenAPI documentation, Get Real-time Order Book, Details of price levels; the figures are believed, not looked up.
"""

QUOTE_RIGHTS: Final[Mapping[str, int]] = {"": 5, "LV1": 2, "LV2": 3}
"""Quote right → QotRight; "" is none.

Source: Qot_Common.proto, QotRight.
"""


class QuoteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer of this OpenD may see, and how much of it."""

    rights: Mapping[int, str] = msgspec.field(default_factory=lambda: {1: "LV2", 11: "LV2", 21: "LV1", 22: "LV1"})
    """QotMarket → quote right; of a market that is not here there are no quotes."""
    subscription_quota: int = FIGURES["subscription_quota"].value
    history_quota: int = FIGURES["history_quota"].value
    shortest_s: int = FIGURES["shortest_s"].value
    """A subscription can be ended when it is this old."""

    def __post_init__(self) -> None:
        """Refuse quote rights that do not exist.

        Source: Qot_Common.proto, QotRight.
        """
        for market, right in self.rights.items():
            if (market, right) not in BOOK_LEVELS:
                known = ", ".join(f"{number}: {name}" for number, name in BOOK_LEVELS)
                raise ConfigError(f"quote right {right!r} of market {market} does not exist; there are {known}")


def refused(text: str, **values: object) -> FutuRefused:
    """Return the refusal of one of the texts.

    Source: as said beside the text.
    """
    return FutuRefused(TEXTS[text].text.format(**values))
