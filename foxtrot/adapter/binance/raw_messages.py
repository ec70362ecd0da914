"""Raw messages about orders, for the journal: what left and what was heard, without signature, key or listen key."""

from collections.abc import Callable, Mapping

import msgspec

from foxtrot.core.clock import Clock
from foxtrot.core.notices import VenueMessage

OUT, IN = "out", "in"
LARGEST = 4_000
"""Characters of a message that are kept; an order's has some hundreds."""
_HIDDEN = frozenset({"signature", "apikey", "listenkey", "listentoken", "x-mbx-apikey"})


class RawMessages:
    """Publishes each message about one of our orders, as it was.

    Thread: binance-io.

    Args:
        account: whose orders.
        clock: tells the time.
        publish: takes the notices; None keeps nothing.
    """

    def __init__(self, account: str, clock: Clock, publish: Callable[[VenueMessage], None] | None) -> None:
        self._account = account
        self._clock = clock
        self._publish = publish

    def sent(self, order_id: str, endpoint: str, params: Mapping[str, object]) -> None:
        """Publish a request at the moment at which it leaves."""
        if self._publish is not None:
            self._tell(order_id, OUT, f"{endpoint} {_text(params)}")

    def heard(self, order_id: str, answer: object) -> None:
        """Publish an answer, or the error that came in its place."""
        if self._publish is not None:
            self._tell(order_id, IN, str(answer) if isinstance(answer, Exception) else _text(answer))

    def event(self, event: Mapping[str, object]) -> None:
        """Publish an event of the user stream that names an order."""
        if self._publish is None:
            return
        order_id = named_order(event)
        if order_id:
            self._tell(order_id, IN, _text(event))

    def _tell(self, order_id: str, direction: str, text: str) -> None:
        if self._publish is not None:
            short = text if len(text) <= LARGEST else f"{text[:LARGEST]}… ({len(text)} characters)"
            self._publish(VenueMessage(self._account, order_id, direction, short, self._clock.now_ns()))


def named_order(event: Mapping[str, object]) -> str:
    """Return the order that an event of the user stream speaks of by the id that we gave it, "" when it names none.

    Source: Binance spot API, User Data Streams, executionReport: "C" is the order's own id where "c" is that of its cancel.
        USDⓈ-M Futures, ORDER_TRADE_UPDATE ("o"."c") and ALGO_UPDATE ("o"."caid").
    """
    inner = event.get("o")
    body = inner if isinstance(inner, Mapping) else event
    for name in ("C", "caid", "c"):
        found = body.get(name)
        if isinstance(found, str) and found:
            return found
    return ""


def _text(message: object) -> str:
    """Return a message as JSON with its secrets left out; one that is no JSON as it prints."""
    try:
        return msgspec.json.encode(_shown(message), enc_hook=str).decode()
    except (msgspec.MsgspecError, TypeError, ValueError):
        return repr(type(message).__name__)


def _shown(message: object) -> object:
    if isinstance(message, Mapping):
        return {str(key): _shown(value) for key, value in message.items() if str(key).lower() not in _HIDDEN}
    if isinstance(message, list | tuple):
        return [_shown(value) for value in message]
    return message
