"""A client's connection to the hub: opened again whenever it is lost, with every stream asked for anew."""

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any, Final

import aiohttp
from loguru import logger

from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.secret import Secret
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import BadMessage, BookOutOfSync, ConfigError, ConnectionLost, FoxtrotError, LoginFailed
from foxtrot.hub.client_feeds import FeedKey, HubFeed
from foxtrot.hub.client_shared import SharedStream
from foxtrot.hub.wire import (
    NO_TOKEN,
    PROTOCOL,
    VERSION,
    Accepted,
    AnyAsk,
    AnyTold,
    Change,
    Conflated,
    ErrorTold,
    Hello,
    HelloAsk,
    Snapshot,
    StateTold,
    Status,
    StatusAsk,
    Subscribed,
    Ticker,
    UnsubscribeAsk,
    encode,
    read_told,
)

Feed = HubFeed[Any]
Stream = SharedStream[Any]
CONNECT_S: Final = 5.0
LONGEST_FRAME: Final = 64 * 1024 * 1024
_SILENT_BEATS: Final = 3
"""After so many heartbeats that did not come the hub is held to be gone."""
_RETRY_S: Final = 1.0
_RETRIED: Final = ("not_yet", "twice")
"""Refusals that pass: the instrument is not there yet; the stream that was closed here is still open there."""
_PARTING: Final = aiohttp.ClientWSTimeout(ws_close=0.25)
"""A hub that says nothing any more answers no close frame either, and the feeds are to be told soon."""


class HubLink:
    """The connection and its streams.

    Thread: hub-client, except `is_connected`, from any.
    """

    def __init__(self, url: str, token: Secret, bridge: AsyncBridge) -> None:
        self.url = url
        self.is_connected = False
        self._token = token
        self._bridge = bridge
        self._backoff = Backoff(Random(), base_s=0.1, cap_s=2.0, good_after_s=5.0)
        self._streams: dict[FeedKey, Stream] = {}
        self._by_number: dict[int, Stream] = {}
        self._asked: dict[int, Stream] = {}
        self._statuses: dict[int, Future[Status]] = {}
        self._waiting: list[Future[Status]] = []  # for the connection
        self.trouble = "it has not answered yet"
        """Why there is no connection, while there is none."""
        self._numbers = count(1)
        self._failure: LoginFailed | None = None
        self._out: asyncio.Queue[bytes] = asyncio.Queue()

    async def run(self) -> None:
        """Connect, and again, until cancelled or told that it is no use; whatever ends it, no feed is believed after it."""
        try:
            await self._keep()
        finally:
            self._lose("the connection is not kept any more")

    async def _keep(self) -> None:
        clock = self._bridge.clock
        while True:
            try:
                await self._live()
                cause = "the hub closed the connection"
            except LoginFailed as error:
                self._give_up(error)
                return
            except (aiohttp.ClientError, OSError, TimeoutError, FoxtrotError) as error:
                cause = str(error) or type(error).__name__
            self._lose(cause)
            delay_s = self._backoff.next_delay_s(clock.monotonic_ns())
            logger.info("hub client: {}: {}; again in {:.2f} s", self.url, cause, delay_s)
            await self._bridge.wait_s(delay_s)

    def add(self, feed: Feed) -> None:
        """Let one more feed read what it asks for."""
        if self._failure is not None:
            feed.part(self._failure)
            return
        stream = self._streams.get(feed.key)
        if stream is not None:
            stream.join(feed)
        else:
            self._open(SharedStream(feed))

    def part(self, feed: Feed) -> None:
        """Let a feed that its reader has closed read no more, and its callbacks know; its stream ends with the last one."""
        stream = self._streams.get(feed.key)
        if stream is not None and stream.leave(feed):
            self._drop(stream)
        feed.part(None)

    def ask_status(self, answer: "Future[Status]") -> None:
        """Ask how the hub does, once it is there."""
        if self._failure is not None:
            _fail(answer, self._failure)
            return
        if not self.is_connected:
            self._waiting = [*(one for one in self._waiting if not one.cancelled()), answer]
            return
        number = next(self._numbers)
        self._statuses[number] = answer
        self._send(StatusAsk(id=number))

    def end(self) -> None:
        """Let whoever waits know that nothing comes any more."""
        for stream in self._streams.values():
            stream.finish(None)
        self._streams.clear()
        self._lose("closed")
        self._refuse_waiting(ConnectionLost(PROTOCOL, "closed", "the client is closed"))

    # --- one connection ---------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.ws_connect(self.url, max_msg_size=LONGEST_FRAME, timeout=_PARTING) as ws,
        ):
            hello = await self._greet(ws)
            self.is_connected = True
            self._backoff.good(self._bridge.clock.monotonic_ns())
            writer = asyncio.ensure_future(self._write(ws))
            try:
                for stream in self._streams.values():
                    self._subscribe(stream)
                waiting, self._waiting = self._waiting, []
                for answer in waiting:
                    self.ask_status(answer)
                while True:
                    self._hear(await self._receive(ws, _SILENT_BEATS * hello.heartbeat_s))
            finally:
                writer.cancel()
                self.is_connected = False

    async def _greet(self, ws: aiohttp.ClientWebSocketResponse) -> Hello:
        hello = await self._receive(ws, CONNECT_S)
        if not isinstance(hello, Hello) or hello.protocol != PROTOCOL:
            raise BadMessage(PROTOCOL, "bad_frame", f"{self.url} is no hub: it began with {type(hello).__name__}")
        if hello.version != VERSION:
            raise LoginFailed(PROTOCOL, "version", f"the hub speaks version {hello.version}, this client {VERSION}")
        if hello.needs_token:
            await ws.send_str(encode(HelloAsk(token=self._token.reveal())).decode())
            while not isinstance(await self._receive(ws, CONNECT_S), Accepted):
                continue
        return hello

    async def _receive(self, ws: aiohttp.ClientWebSocketResponse, patience_s: float) -> AnyTold:
        async with asyncio.timeout(patience_s):
            message = await ws.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return read_told(message.data)
        if ws.close_code == NO_TOKEN:
            raise LoginFailed(PROTOCOL, str(NO_TOKEN), f"{self.url}: the token is missing or wrong")
        raise ConnectionLost(PROTOCOL, str(ws.close_code), f"{self.url}: {message.extra or 'the connection is gone'}")

    async def _write(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        with suppress(ConnectionError):
            while True:
                await ws.send_str((await self._out.get()).decode())

    # --- frames -----------------------------------------------------------------------------------------------------

    def _hear(self, frame: AnyTold) -> None:
        if isinstance(frame, Snapshot | Change | StateTold | Ticker | Conflated):
            stream = self._by_number.get(frame.stream)
            if stream is not None:
                self._take(stream, frame)
        elif isinstance(frame, Subscribed):
            self._subscribed(frame)
        elif isinstance(frame, Status):
            answer = self._statuses.pop(_number(frame.id), None)
            if answer is not None and answer.set_running_or_notify_cancel():
                answer.set_result(frame)
        elif isinstance(frame, ErrorTold):
            self._refused(frame)

    def _take(self, stream: Stream, frame: Snapshot | Change | StateTold | Ticker | Conflated) -> None:
        try:
            value = stream.kept.take(frame, self._bridge.clock.now_ns())
        except BookOutOfSync as gap:
            logger.warning("hub client: {}; the stream is read anew", gap)
            stream.give(stream.kept.nothing(BookState.SYNCING, str(gap)))
            self._drop(stream)
            self._open(stream)
            return
        stream.give(value)

    def _open(self, stream: Stream) -> None:
        self._streams[stream.key] = stream
        if self.is_connected:
            self._subscribe(stream)

    def _drop(self, stream: Stream) -> None:
        self._streams.pop(stream.key, None)
        if stream.number is not None and self._by_number.pop(stream.number, None) is not None:
            self._send(UnsubscribeAsk(id=next(self._numbers), stream=stream.number))
            stream.number = None

    def _subscribe(self, stream: Stream) -> None:
        stream.kept.restart()
        stream.number = None
        number = next(self._numbers)
        self._asked[number] = stream
        ask = stream.ask
        self._send(type(ask)(id=number, instrument=ask.instrument, kind=ask.kind, levels=ask.levels, group=ask.group))

    def _subscribed(self, frame: Subscribed) -> None:
        stream = self._asked.pop(_number(frame.id), None)
        if stream is None or self._streams.get(stream.key) is not stream:
            self._send(UnsubscribeAsk(id=next(self._numbers), stream=frame.stream))
            return
        stream.number = frame.stream
        self._by_number[frame.stream] = stream

    def _refused(self, frame: ErrorTold) -> None:
        stream = self._asked.pop(_number(frame.id), None)
        if stream is None:
            logger.warning("hub client: {}: {}", self.url, frame.text)
        elif frame.code in _RETRIED:
            stream.give(stream.kept.nothing(BookState.EMPTY, frame.text))
            asyncio.get_running_loop().call_later(_RETRY_S, self._ask_again, stream)
        else:
            if self._streams.get(stream.key) is stream:
                del self._streams[stream.key]
            stream.finish(ConfigError(frame.text))

    def _ask_again(self, stream: Stream) -> None:
        if self.is_connected and self._streams.get(stream.key) is stream and stream.number is None:
            self._subscribe(stream)

    def _send(self, ask: AnyAsk) -> None:
        if self.is_connected:
            self._out.put_nowait(encode(ask))

    # --- ends -------------------------------------------------------------------------------------------------------

    def _lose(self, cause: str) -> None:
        self.is_connected = False
        self.trouble = cause
        self._out = asyncio.Queue()
        self._by_number.clear()
        self._asked.clear()
        for answer in self._statuses.values():
            _fail(answer, ConnectionLost(PROTOCOL, "lost", cause))
        self._statuses.clear()
        for stream in self._streams.values():
            stream.number = None
            state = BookState.EMPTY if stream.state is BookState.EMPTY else BookState.STALE
            if stream.state is not state or stream.latest.cause != cause:
                stream.give(stream.kept.nothing(state, cause))

    def _give_up(self, error: LoginFailed) -> None:
        self._failure = error
        logger.error("hub client: {}", error)
        self._lose(str(error))
        for stream in self._streams.values():
            stream.finish(error)
        self._streams.clear()
        self._refuse_waiting(error)

    def _refuse_waiting(self, error: FoxtrotError) -> None:
        waiting, self._waiting = self._waiting, []
        for answer in waiting:
            _fail(answer, error)


def _fail(answer: "Future[Status]", error: FoxtrotError) -> None:
    if answer.set_running_or_notify_cancel():
        answer.set_exception(error)


def _number(told: int | str) -> int:
    """Return the number that a request of ours had, 0, which none has, for what is no number."""
    return told if isinstance(told, int) else 0
