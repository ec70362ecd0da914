"""The hub's protocol, version 1: every frame either side sends, as structs, and how they become text.

One frame is one JSON object. What a client asks has `op`, what the hub says has `type`. Prices and sizes are exact decimal text; update ids
are text, because a venue's may be larger than what JavaScript counts exactly; times are whole microseconds since 1970, UTC.

Source: docs/hub.md, Frames.
"""

from typing import Final, Literal

import msgspec

from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import BadMessage

PROTOCOL: Final = "foxtrot-hub"
VERSION: Final = 1
PATH: Final = "/ws"
DEFAULT_PORT: Final = 8790
Pair = tuple[str, str]
"""One price level as text: (price, size); a size of "0" removes the level."""
Kind = Literal["book", "ticker"]

NORMAL, GOING_AWAY, POLICY, TOO_LARGE, NO_TOKEN, FULL = 1000, 1001, 1008, 1009, 4401, 4429
"""Close codes: the last two are the hub's own, for a missing or wrong token and for too many clients."""


class HubLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one hub bears; told to every client in `hello`."""

    clients: int = 100
    subscriptions: int = 200
    frame_bytes: int = 16_384
    frames_per_s: int = 300
    queue_bytes: int = 1_048_576
    patience_s: float = 30.0
    token_s: float = 5.0


# --- what a client asks -----------------------------------------------------------------------------------------------


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag_field="op"):
    """Anything that a client asks; the answer carries its `id`."""

    id: int | str = 0


class HelloAsk(Ask, frozen=True, kw_only=True, tag="hello"):
    """The client's version and, where the hub needs one, the token; never shown."""

    version: int = VERSION
    token: str = ""

    def __repr__(self) -> str:
        return f"HelloAsk(version={self.version})"


class SubscribeAsk(Ask, frozen=True, kw_only=True, tag="subscribe"):
    """One instrument's book, so many levels a side, perhaps in steps of `group`; or its ticker."""

    instrument: str
    kind: Kind = "book"
    levels: int = 20
    group: str = ""


class UnsubscribeAsk(Ask, frozen=True, kw_only=True, tag="unsubscribe"):
    """No more of a stream."""

    stream: int


class StatusAsk(Ask, frozen=True, kw_only=True, tag="status"):
    """What the hub offers, where it comes from and how it does."""


class PingAsk(Ask, frozen=True, kw_only=True, tag="ping"):
    """Whether the hub hears."""


AnyAsk = HelloAsk | SubscribeAsk | UnsubscribeAsk | StatusAsk | PingAsk


# --- what the hub says ------------------------------------------------------------------------------------------------


class Told(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Anything that the hub says."""


class Hello(Told, frozen=True, kw_only=True, tag="hello"):
    """The first frame of a connection; where a token is needed nothing is told until hello with it has come."""

    protocol: str = PROTOCOL
    version: int = VERSION
    needs_token: bool = False
    heartbeat_s: float = 5.0
    limits: HubLimits = HubLimits()


class Accepted(Told, frozen=True, kw_only=True, tag="accepted"):
    """The client's hello was good."""

    id: int | str = 0


class Subscribed(Told, frozen=True, kw_only=True, tag="subscribed"):
    """A stream was opened; its number is in each of its frames."""

    id: int | str
    stream: int
    kind: Kind
    instrument: str
    levels: int = 0
    group: str = ""
    price_step: str = ""
    size_step: str = ""


class Unsubscribed(Told, frozen=True, kw_only=True, tag="unsubscribed"):
    """A stream was closed: no frame of it follows."""

    id: int | str
    stream: int


class Snapshot(Told, frozen=True, kw_only=True, tag="snapshot"):
    """A whole book as of `seq`; levels are there only while it is LIVE.

    Below `lowest_known` and above `highest_known` the venue may have levels that nobody told the hub.
    """

    stream: int
    seq: int
    state: BookState
    cause: str = ""
    update_id: str = "0"
    venue_time_us: int = 0
    time_us: int = 0
    source: str = ""
    lowest_known: str | None = None
    highest_known: str | None = None
    bids: tuple[Pair, ...] = ()
    asks: tuple[Pair, ...] = ()


class Change(Told, frozen=True, kw_only=True, tag="change"):
    """Levels that changed since `seq` - 1."""

    stream: int
    seq: int
    update_id: str
    venue_time_us: int
    time_us: int
    bids: tuple[Pair, ...] = ()
    asks: tuple[Pair, ...] = ()


class StateTold(Told, frozen=True, kw_only=True, tag="state"):
    """A stream may not be believed any more; a snapshot or ticker that is LIVE follows when it may."""

    stream: int
    seq: int
    state: BookState
    cause: str = ""
    time_us: int = 0


class Ticker(Told, frozen=True, kw_only=True, tag="ticker"):
    """The best bid and ask, the last trade and the volume of 24 hours; null is what nobody told."""

    stream: int
    seq: int
    state: BookState
    venue_time_us: int = 0
    time_us: int = 0
    source: str = ""
    bid: str | None = None
    bid_size: str | None = None
    ask: str | None = None
    ask_size: str | None = None
    last: str | None = None
    last_size: str | None = None
    volume: str | None = None


class Conflated(Told, frozen=True, kw_only=True, tag="conflated"):
    """This client was too slow: `count` frames of a stream up to `seq` were left out; a snapshot or state follows."""

    stream: int
    seq: int
    count: int


class Heartbeat(Told, frozen=True, kw_only=True, tag="heartbeat"):
    """The hub is alive."""

    time_us: int


class Pong(Told, frozen=True, kw_only=True, tag="pong"):
    """The answer to a ping."""

    id: int | str


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a status: an instrument and which stream of which account it comes from."""

    instrument: str
    account: str
    adapter: str
    link: str
    state: BookState
    cause: str
    source: str
    levels: int
    update_id: str
    age_ms: float | None
    snapshots: int
    changes: int
    gaps: int
    streams: int
    clients: int


class Status(Told, frozen=True, kw_only=True, tag="status"):
    """The whole hub, and how this client does."""

    id: int | str
    version: int = VERSION
    up_s: float = 0.0
    clients: int = 0
    streams: int = 0
    books: tuple[Offered, ...] = ()
    shed: int = 0
    waiting_bytes: int = 0
    conflated: int = 0


class ErrorTold(Told, frozen=True, kw_only=True, tag="error"):
    """A request failed: `text` names the value and the fix."""

    id: int | str
    code: str
    text: str


AnyTold = (
    Hello | Accepted | Subscribed | Unsubscribed | Snapshot | Change | StateTold | Ticker | Conflated | Heartbeat | Pong
    | Status | ErrorTold
)  # fmt: skip

_ASKS: Final[msgspec.json.Decoder[AnyAsk]] = msgspec.json.Decoder(AnyAsk)
_TOLD: Final[msgspec.json.Decoder[AnyTold]] = msgspec.json.Decoder(AnyTold)
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, UnicodeError)
"""What reading text as JSON may raise."""
_EXAMPLE: Final = (
    'a frame is for example {"op": "subscribe", "id": 1, "kind": "book", "instrument": "BTCUSDT.BINANCE", "levels": 20}, and op is one '
    "of hello, subscribe, unsubscribe, status, ping"
)
encode: Final = msgspec.json.Encoder().encode
"""Turn a frame of either side into its bytes."""


def read_ask(text: str | bytes) -> AnyAsk:
    """Return what a client asks.

    Raises:
        BadMessage: it is not a frame of this protocol; the text says what is wrong, and never holds a token.
    """
    try:
        return _ASKS.decode(text)
    except msgspec.ValidationError as error:
        raise BadMessage(PROTOCOL, "bad_frame", f"{_value_of(text, str(error))}{error}; {_EXAMPLE}") from None
    except _UNREADABLE as error:
        raise BadMessage(PROTOCOL, "not_json", f"the frame is not one JSON object: {error}") from None


def read_told(text: str | bytes) -> AnyTold:
    """Return what a hub says.

    Raises:
        BadMessage: it is not a frame of this protocol.
    """
    try:
        return _TOLD.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BadMessage(PROTOCOL, "bad_frame", f"{error} in {text[:80]!r}") from None


def _value_of(text: str | bytes, error: str) -> str:
    """Return the value that an error is about, by the path that it names; a token is not shown."""
    try:
        found = msgspec.json.decode(text)
    except _UNREADABLE:
        return ""
    name = error.rpartition("`$.")[2].rstrip("`")
    if not isinstance(found, dict) or name not in found or name == "token":
        return ""
    return f"{name} = {str(found[name])[:60]!r}: "


def id_of(text: str | bytes) -> int | str:
    """Return the id of a frame that could not be read, 0 where none can be told."""
    try:
        found = msgspec.json.decode(text)
    except _UNREADABLE:
        return 0
    told = found.get("id", 0) if isinstance(found, dict) else 0
    return told if isinstance(told, int | str) and not isinstance(told, bool) else 0
