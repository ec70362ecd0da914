"""What passes between a listener and the Binance surface: a request, an answer, and a WebSocket as both see it."""

from collections.abc import Callable, Mapping

import msgspec


class HttpRequest(msgspec.Struct, frozen=True):
    """One HTTP request as it came: path without query, query and body undecoded, header names in lower case."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    client: str


class HttpAnswer(msgspec.Struct, frozen=True):
    """One HTTP answer; the content type is JSON unless the headers say otherwise."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class Connection:
    """One open WebSocket as the surface sees it; the listener makes it and gives it its ways out.

    `send` queues one text frame and never waits (a full queue closes the connection with 1008); `close` sends a close frame with
    code and reason after what is queued. `client` is the address of the other side, `path` and `query` are those of the handshake.

    Thread: exchange-io.
    """

    __slots__ = ("client", "close", "number", "opened_ns", "path", "query", "send")

    def __init__(
        self,
        number: int,
        path: str,
        query: str,
        client: str,
        opened_ns: int,
        *,
        send: Callable[[str], None],
        close: Callable[[int, str], None],
    ) -> None:
        self.number = number
        self.path = path
        self.query = query
        self.client = client
        self.opened_ns = opened_ns
        self.send = send
        self.close = close
