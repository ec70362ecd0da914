"""ccxt's WebSocket client with a hook on the raw text of market frames, and a reader that survives a bad one.

ccxt keeps the connection, its subscriptions and pings. What differs from its own reader: all frames that arrived together are
one batch, whose end is told; a frame on which ccxt raises ends the connection by an error, so that every watcher hears of it
(ccxt's reader would end in silence); a close frame is told once; and what a market connection sends, pings and pongs too, keeps
to a pace.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from aiohttp import WSMsgType
from ccxt.async_support.base.ws.client import MSG_SIZE_OVERHEAD, Client
from ccxt.base.errors import NetworkError

from foxtrot.adapter.binance.message_pace import MessagePace
from foxtrot.core.clock import Clock

PRIVATE_MARKS = ("/ws-api", "/ws-fapi", "listenKey=")
_TEXT = WSMsgType.TEXT
_LAST_TYPES = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class RawHooks(Protocol):
    """What sees the text of market frames before ccxt does.

    Thread: the loop's.
    """

    def take(self, text: str) -> bool:
        """Take a frame; False when it is for ccxt."""
        ...

    def end_batch(self) -> None:
        """Hear that all frames that arrived together were given."""
        ...


class FastClient(Client):  # type: ignore[misc]  # ccxt has no types
    """One connection of ccxt's, read in batches.

    Thread: the loop's.
    """

    owner: Any
    """The exchange it belongs to."""
    is_market: bool = True
    """Whether it carries public market data, and so is shown to the raw hooks."""
    last_text_at: int | None = None
    """When the last text came, in ms by the exchange's clock; pongs do not count."""
    reader: "asyncio.Task[None] | None" = None
    answers: "set[asyncio.Task[None]]"
    """Answers to pings that are being sent."""
    dropped: bool = False
    """Whether it is given up; one that was being dialled then is closed as soon as it stands, and asks for nothing."""
    leaving: bool = False
    """Whether another takes its place; it goes on until that is live."""
    made_ns: int = 0
    """When it was made, by the monotonic clock."""
    hooks: "RawHooks | None" = None
    """What sees its market frames first, in place of the exchange's hooks."""
    pace: MessagePace | None = None
    """What its messages wait for; None lets them leave at once."""

    async def send(self, message: Any) -> None:
        """Send a message when it is its turn, as ccxt's method of this name; on a connection that closes meanwhile it does not."""
        if self.pace is not None and not await self.pace.turn():
            return
        if not self.dropped:
            await super().send(message)

    async def aiohttp_close(self) -> None:
        """Close the connection, as ccxt's method of this name."""
        if self.pace is not None:
            self.pace.end()
        if self.connection is not None:  # a socket that holds its own methods would stay until a collection finds it
            for name in ("ping", "pong"):
                self.connection.__dict__.pop(name, None)
        await super().aiohttp_close()

    def receive_loop(self) -> None:
        """Begin to read; called once, when the connection stands."""
        if self.dropped:
            self.reader = self.asyncio_loop.create_task(self.aiohttp_close())
            return
        if self.pace is not None:  # ccxt sends pings and pongs by the socket itself
            for name in ("ping", "pong"):
                setattr(self.connection, name, partial(_paced, self.pace, getattr(self.connection, name)))
        self.reader = self.asyncio_loop.create_task(self._read())
        self.reader.add_done_callback(self._end)

    def handle_text_or_binary_message(self, data: Any) -> None:
        """Show a market frame to the raw hooks first, then to ccxt."""
        hooks = self._hooks()
        if hooks is None or not hooks.take(data if isinstance(data, str) else data.decode()):
            super().handle_text_or_binary_message(data)

    async def _read(self) -> None:
        while not self.closed():
            message = await self.receive()
            self.last_message_at = self.owner.milliseconds()
            if message.type is _TEXT:
                self.last_text_at = self.last_message_at
            self.owner.on_frame(self)
            while True:
                self._handle(message)
                if message.type in _LAST_TYPES:
                    break
                waiting = self.buffer
                if not waiting:
                    break
                self._drain(waiting)
                message = await self.receive()  # does not wait: one is left
            hooks = self._hooks()
            if hooks is not None:
                hooks.end_batch()
            if message.type is WSMsgType.CLOSE:
                return  # told by ccxt's handler, which also closes
        self.on_close(1006)

    def _drain(self, waiting: "deque[tuple[Any, int]]") -> None:
        """Handle all but the last of the waiting frames; reading that one then accounts for the room of all."""
        room = 0
        hooks = self._hooks()
        take: Callable[[str], bool] = _take_nothing if hooks is None else hooks.take
        pass_on = super().handle_text_or_binary_message
        while len(waiting) > 1:
            message, size = waiting.popleft()
            room += size + MSG_SIZE_OVERHEAD
            if message.type is not _TEXT:
                self._handle(message)
            elif not take(message.data):
                pass_on(message.data)
        last, size = waiting[0]
        waiting[0] = (last, size + room)

    def _hooks(self) -> RawHooks | None:
        """Return what sees market frames first: nothing of a connection that is given up goes any further."""
        if self.dropped:
            return _DEAF
        raw = self.owner.raw_hooks if self.is_market else None
        return raw if raw is None or self.hooks is None else self.hooks

    def _handle(self, message: Any) -> None:
        if message.type is _TEXT:
            self.handle_text_or_binary_message(message.data)
        elif message.type is WSMsgType.PING:
            answer = self.asyncio_loop.create_task(self._answer_ping(message.data))
            self.answers.add(answer)
            answer.add_done_callback(self.answers.discard)
        else:
            seen_at = self.last_message_at
            self.handle_message(message)
            self.last_message_at = seen_at  # by the exchange's clock, where ccxt would put the machine's

    async def _answer_ping(self, payload: bytes) -> None:
        """Answer the venue's ping, which may have come just before the connection broke: the reader hears of that."""
        with suppress(ConnectionError):
            await self.connection.pong(payload)

    def _end(self, reader: "asyncio.Task[None]") -> None:
        if reader.cancelled():
            return
        error = reader.exception()
        if error is not None:
            self.on_error(NetworkError(f"{self.url}: a frame could not be handled: {type(error).__name__}: {error}"))


class FastClients:
    """Makes an exchange of ccxt.pro use FastClient; put it before the exchange among the bases.

    `raw_hooks` is set by whoever wants the raw text of market frames, `on_frame` by whoever counts silence: it hears of each
    batch that came on a connection, and of each frame that is not text.
    """

    clock: Clock
    aside: "dict[str, Callable[[], Any]] | None" = None
    """By URL, what gives the old connection to those that still go on over it, while it is replaced."""
    raw_hooks: RawHooks | None = None
    on_frame: Callable[[Any], None]

    def client(self, url: str) -> Any:
        """Return the client of a URL, as ccxt's method of this name; of one that is being replaced, the one that the caller is to have."""
        aside = (self.aside or {}).get(url)
        if aside is not None and (old := aside()) is not None:
            return old
        made = super().client(url)  # type: ignore[misc]  # the exchange's
        if type(made) is Client:
            made.__class__ = FastClient
            made.owner = self
            made.answers = set()
            made.made_ns = self.clock.monotonic_ns()
            made.is_market = not any(mark in url for mark in PRIVATE_MARKS)
            made.pace = self.new_pace() if made.is_market else None
        return made

    def new_pace(self) -> MessagePace | None:
        """Return the pace of a new market connection; None is any."""
        return None


class _Deaf:
    """Takes every frame and tells nothing.

    Thread: stateless, any thread.
    """

    def take(self, _text: str) -> bool:
        """Take a frame."""
        return True

    def end_batch(self) -> None:
        """Tell nothing."""


_DEAF = _Deaf()


def _take_nothing(_text: str) -> bool:
    return False


async def _paced(pace: MessagePace, send: Callable[..., Any], *payload: Any) -> None:
    """Send a ping or pong when it is its turn."""
    if await pace.control_turn():
        await send(*payload)
