"""One accepted WebSocket: what comes in, pings and pongs, how it ends. What goes out passes the faults first."""

import asyncio
from collections.abc import Callable, Collection
from typing import Final

from aiohttp import WSMsgType, web

from foxtrot.exchange.serving.binance_frames import connection_kinds
from foxtrot.exchange.serving.frames import PING, PONG, TextFrames, close_frame, frame
from foxtrot.exchange.serving.outlet import Outlet
from foxtrot.exchange.wire.binance.connection import Connection

GOING_AWAY: Final = 1001
POLICY: Final = 1008
CLOSE_WAIT_S: Final = 2.0
"""How long a client may take to answer a close frame before its socket is closed all the same, in real time."""
_SECOND_NS: Final = 1_000_000_000


class ClientSocket:
    """A WebSocket with its way out and what faults know of it.

    Thread: exchange-io.

    Args:
        connection: what the surface holds of it; its `send` and `close` are to be set by the maker.
        outlet: the bytes to the client.
        product: spot or usdm.
    """

    def __init__(self, connection: Connection, outlet: Outlet, product: str) -> None:
        self.connection = connection
        self.outlet = outlet
        self.product = product
        self.kinds = connection_kinds(connection.path, connection.query)
        self.account = ""
        self.streams: Collection[str] = ()
        self.answers_pings = True
        self.is_closing = False
        self.held = ""
        self.held_until_ns = 0
        self.replies: dict[str, Callable[[str], str | None]] = {}
        self.sent = 0
        self.pongs = 0
        self._frames = TextFrames("")
        self._pinged_ns = connection.opened_ns
        self._unanswered_ns = 0
        self._timer: asyncio.TimerHandle | None = None

    def accept(self, extensions: str) -> None:
        """Begin to send: the handshake is on the socket."""
        self._frames = TextFrames(extensions)
        self.outlet.release()

    def put(self, text: str) -> None:
        """Send one text frame as it is; a client that does not take what it gets is closed with 1008."""
        if self.is_closing:
            return
        self.sent += 1
        self.outlet.write(self._frames.encode(text))
        if self.outlet.is_full:
            self.close(POLICY, "Slow consumer: too much is waiting to be read")

    def cut(self, text: str) -> None:
        """Send the first half of a frame and close the socket."""
        data = self._frames.encode(text)
        self.is_closing = True
        self.outlet.write(data[: max(1, len(data) // 2)])
        self.outlet.end()

    def close(self, code: int, reason: str) -> None:
        """Send a close frame after what is queued; the socket closes when it is answered or its time is up."""
        if self.is_closing:
            return
        self.is_closing = True
        self.outlet.write(close_frame(code, reason))
        self._timer = asyncio.get_running_loop().call_later(CLOSE_WAIT_S, self.outlet.abort)

    def tick(self, now_ns: int, ping_ns: int, pong_deadline_ns: int, life_ns: int) -> None:
        """Ping when it is time, and part with who does not answer or has been here for too long."""
        if self.is_closing or self.outlet.is_mute:
            return
        if now_ns - self.connection.opened_ns >= life_ns:
            self.close(GOING_AWAY, "Connection life is over")
        elif self._unanswered_ns and now_ns - self._unanswered_ns >= pong_deadline_ns:
            self.close(POLICY, "Pong timeout")
        elif now_ns - self._pinged_ns >= ping_ns:
            self._pinged_ns = now_ns
            self._unanswered_ns = self._unanswered_ns or now_ns
            self.outlet.write(frame(PING, str(now_ns // 1_000_000).encode()))

    async def converse(self, ws: web.WebSocketResponse, hear: Callable[[str], None]) -> None:
        """Hear the client until it is gone."""
        while True:
            message = await ws.receive()
            if message.type is WSMsgType.TEXT:
                hear(message.data)
            elif message.type is WSMsgType.BINARY:
                hear(message.data.decode("utf-8", "replace"))
            elif message.type is WSMsgType.PING:
                if self.answers_pings:
                    self.outlet.write(frame(PONG, message.data))
            elif message.type is WSMsgType.PONG:
                self.pongs += 1
                self._unanswered_ns = 0
            else:
                self._part(message.data if message.type is WSMsgType.CLOSE else None)
                return

    def dispose(self) -> None:
        """Leave no timer and no open socket behind."""
        if self._timer is not None:
            self._timer.cancel()
        self.outlet.end()

    def _part(self, code: object) -> None:
        """Answer the client's close frame unless it is the answer to ours."""
        if isinstance(code, int) and not self.is_closing:
            self.outlet.write(close_frame(code if code >= 1000 else 1000, ""))
        self.is_closing = True
        self.outlet.end()
