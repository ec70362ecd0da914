"""Names of market streams, and where connections stand: what a path asks for."""

from urllib.parse import parse_qs, unquote

import msgspec

from foxtrot.domain.enums import Product
from foxtrot.exchange.wire.binance.api_error import ApiError

_PUBLIC_KINDS = ("depth", "rpiDepth", "bookTicker", "trade")
_CATEGORIES = frozenset({"public", "market", "private"})
_DEPTHS = frozenset({"5", "10", "20"})

_PLAIN: tuple[tuple[str, ...], ...] = ((),)
_SPEEDS = ((), ("0ms",), ("100ms",), ("250ms",), ("500ms",), ("1000ms",))
_OF_ONE: dict[str, tuple[tuple[str, ...], ...]] = {
    "trade": _PLAIN,
    "aggTrade": _PLAIN,
    "bookTicker": _PLAIN,
    "miniTicker": _PLAIN,
    "ticker": _PLAIN,
    "forceOrder": _PLAIN,
    "markPrice": ((), ("1s",), ("3s",)),
    "depth": _SPEEDS,
    "rpiDepth": _SPEEDS,
}
_OF_ALL: dict[str, tuple[tuple[str, ...], ...]] = {
    "bookTicker": _PLAIN,
    "miniTicker": (("arr",),),
    "ticker": (("arr",),),
    "forceOrder": (("arr",),),
    "markPrice": (("arr",), ("arr", "1s"), ("arr", "3s")),
}
"""Which arguments a kind may have, for one symbol and for all."""


class StreamName(msgspec.Struct, frozen=True):
    """A stream taken apart: "btcusdt@depth5@100ms" is symbol BTCUSDT, kind "depth5", arguments ("100ms",); all markets have no symbol."""

    name: str
    symbol: str
    kind: str
    arguments: tuple[str, ...] = ()

    @property
    def category(self) -> str:
        """Return the USD-M category that carries the stream.

        Source: USDⓈ-M Futures, Websocket Market Streams, Connect: public has books and trades, market the rest.
        """
        return "public" if self.kind.rstrip("0123456789") in _PUBLIC_KINDS else "market"

    @property
    def levels(self) -> int:
        """Return how many levels a partial book has, 0 for the whole difference.

        Source: Binance spot API, Partial Book Depth Streams: 5, 10 or 20.
        """
        digits = self.kind.removeprefix("depth")
        return int(digits) if self.kind.startswith("depth") and digits in _DEPTHS else 0


def parse_stream(name: str) -> StreamName | None:
    """Return a stream name taken apart, None when it names no stream (nothing will ever come by it).

    Source: Binance spot API, WebSocket Streams: all symbols for streams are lowercase.
    """
    head, *rest = name.split("@")
    if head.startswith("!"):
        stream = StreamName(name, "", head[1:], tuple(rest))
        return stream if stream.arguments in _OF_ALL.get(stream.kind, ()) else None
    if not rest or not head or head != head.lower():
        return None
    stream = StreamName(name, head.upper(), rest[0], tuple(rest[1:]))
    if stream.kind.startswith("kline_"):
        return None if stream.arguments else stream
    kind = "depth" if stream.levels else stream.kind
    return stream if stream.arguments in _OF_ONE.get(kind, ()) else None


class Address(msgspec.Struct, frozen=True):
    """What the path of a stream connection says: wrapped or raw, the USD-M category, streams, a listenKey and its events."""

    combined: bool
    category: str
    streams: tuple[str, ...]
    listen_key: str = ""
    events: frozenset[str] = frozenset()


def is_ws_api(path: str) -> bool:
    """Tell whether a path is that of the ws-api.

    Source: Binance spot API, WebSocket API: /ws-api/v3; USDⓈ-M Futures, WebSocket API: /ws-fapi/v1.
    """
    return path.rstrip("/").endswith(("/ws-api/v3", "/ws-fapi/v1"))


def parse_address(path: str, query: str) -> Address:
    """Return what a path asks for; anything may stand before /ws or /stream, and a numeric tail is a label.

    Source: Binance spot API, WebSocket Streams, General information; USDⓈ-M Futures, Connect and User Data Streams.

    Raises:
        ApiError: 404, no such path.
    """
    parts = [unquote(part) for part in path.split("/") if part]
    marks = [place for place, part in enumerate(parts) if part in ("ws", "stream")]
    if not marks:
        raise ApiError(-1000, "Not found.", 404)
    mark, asked = marks[-1], parse_qs(query)
    combined = parts[mark] == "stream"
    category = next((part for part in parts[:mark] if part in _CATEGORIES), "")
    streams = [part for part in parts[mark + 1 :] if not part.isdigit()]
    streams += [name for value in asked.get("streams", ()) for name in value.split("/") if name]
    events = frozenset(name for value in asked.get("events", ()) for name in value.split("/") if name)
    return Address(combined, category, tuple(streams), asked.get("listenKey", [""])[0], events)


def speed_ms(product: Product, stream: StreamName) -> int:
    """Return how often a depth stream is sent, in milliseconds.

    Source: Binance spot API, Diff. Depth Stream: 1000ms or 100ms; USDⓈ-M Futures: 250ms, 500ms, 100ms.
    """
    if stream.arguments:
        return int(stream.arguments[0].removesuffix("ms"))
    return 1000 if product is Product.SPOT else 250
