"""The venue's partial book streams: the best twenty levels, whole in every message.

ccxt.pro knows no such stream, so it is asked for through ccxt's own connection of the combined streams, where each message says
by its name whose book it is; on spot the message itself does not.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from foxtrot.adapter.base_adapter import ExactBook
from foxtrot.adapter.binance.book_choice import PARTIAL_LEVELS
from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.adapter.book_stream import BookPublisher, BookStream
from foxtrot.books.sequence import FullSnapshot
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData

PARTIAL_MARK: Final = f"@depth{PARTIAL_LEVELS}@"
"""What the name of such a stream has in it."""
NO_CHANGES: Final = (
    f"the venue's partial stream brings the best {PARTIAL_LEVELS} levels, whole: no change follows from them. Ask for depth_levels, "
    'or set book = "depth_cache"'
)


class PartialBook(BookStream):
    """The best twenty levels of one instrument; they are no full book, so `exact` has none.

    Thread: binance-io, except `exact`, from any.
    """

    def __init__(self, instrument: Instrument, publisher: BookPublisher) -> None:
        super().__init__(instrument, FullSnapshot(), publisher, _come_by_themselves)

    def want(self, levels: int, *, changes: bool) -> None:
        """Set how many levels to publish; who asked for changes, which there are none of, gets all levels instead."""
        super().want(PARTIAL_LEVELS if changes else min(levels, PARTIAL_LEVELS), changes=False)

    def take(self, change: DepthChange) -> bool:
        """Leave a change alone: it is of the stream that was had before."""
        return False

    def exact(self, now_ns: int) -> ExactBook | None:
        """Return None: there is no full book."""
        return None


class PartialBooks:
    """Takes the messages of partial streams, by symbol.

    Thread: binance-io.

    Args:
        codec: of the product.
        books: gives the book of a venue symbol, if any.
        now_ns: tells the time.
        refuse: notes a message that cannot be read.
    """

    def __init__(
        self,
        codec: MarketCodec,
        books: Mapping[str, BookStream],
        now_ns: Callable[[], int],
        refuse: Callable[[object, Exception], None],
    ) -> None:
        self._codec = codec
        self._books = books
        self._now_ns = now_ns
        self._refuse = refuse

    def hear(self, message: Mapping[str, Any]) -> PartialBook | None:
        """Take a message of a partial stream and return its book; None for everything else.

        Source: Binance spot API, web-socket-streams, Partial Book Depth Streams; USDⓈ-M Futures, likewise named.
        """
        book = self._books.get(str(message.get("stream", "")).partition("@")[0].upper())
        if not isinstance(book, PartialBook):
            return None
        try:
            whole = self._codec.decode(message, self._now_ns())
        except BadMessage as error:
            self._refuse(message, error)
            return None
        if isinstance(whole, DepthData):
            book.replace(whole, limit=PARTIAL_LEVELS)
        return book


def is_partial(message: Mapping[str, Any]) -> bool:
    """Tell whether a message is of a partial stream, which nobody else can use.

    Source: Binance spot API, web-socket-streams, General WSS information ({"stream", "data"}).
    """
    stream = message.get("stream")
    return isinstance(stream, str) and PARTIAL_MARK in stream


async def watch_partial(exchange: Any, unified: str, key: str, stream: str) -> Any:
    """Subscribe to a partial stream and wait for the end of its connection, by ccxt's method for any stream.

    Source: Binance spot API, web-socket-streams, Live Subscribing/Unsubscribing to streams; ccxt, Exchange.watch.
    """
    url = _combined(exchange, unified)
    number = exchange.request_id(url)
    request = {"method": "SUBSCRIBE", "params": [stream], "id": number}
    return await exchange.watch(url, key, request, key, {"id": str(number), "symbols": [unified]})


async def unwatch_partial(exchange: Any, unified: str, key: str, stream: str) -> Any:
    """End a subscription, as ccxt's methods of the other streams do.

    Source: Binance spot API, web-socket-streams, Live Subscribing/Unsubscribing to streams; ccxt, Exchange.watch.
    """
    url = _combined(exchange, unified)
    number, ended = exchange.request_id(url), f"unsubscribe:{key}"
    request = {"method": "UNSUBSCRIBE", "params": [stream], "id": number}
    subscription = {
        "unsubscribe": True,
        "id": str(number),
        "symbols": [unified],
        "subMessageHashes": [key],
        "messageHashes": [ended],
        "topic": "partial",
    }
    return await exchange.watch(url, ended, request, ended, subscription)


def _combined(exchange: Any, unified: str) -> str:
    """Return the address at which messages are named.

    Source: Binance spot API, web-socket-streams, General WSS information: /stream; USDⓈ-M Futures, Connect: /public/stream.
    """
    kind = "spot" if exchange.market(unified)["spot"] else "linear"
    return str(exchange.get_ws_url(kind, "public").removesuffix("/ws") + "/stream")


def _come_by_themselves() -> None:
    """Ask for nothing: the stream brings whole books."""
