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
from foxtrot.hub.client_feeds import HubFeed
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
        self._feeds: dict[Feed, None] = {}
        self._by_stream: dict[int, Feed] = {}
        self._asked: dict[int, Feed] = {}
        self._statuses: dict[int, Future[Status]] = {}
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
        """Read one more stream."""
        if self._failure is not None:
            self._finish(feed, self._failure)
            return
        self._feeds[feed] = None
        if self.is_connected:
            self._subscribe(feed)

    def remove(self, feed: Feed) -> None:
        """Read a stream no more."""
        self._feeds.pop(feed, None)
        if feed.stream is not None and self._by_stream.pop(feed.stream, None) is not None:
            self._send(UnsubscribeAsk(id=next(self._numbers), stream=feed.stream))
            feed.stream = None

    def part(self, feed: Feed) -> None:
        """Read a stream that its reader has closed no more, and let its callbacks know."""
        self.remove(feed)
        self._finish(feed, None)

    def ask_status(self, answer: "Future[Status]") -> None:
        """Ask how the hub does."""
        if not self.is_connected:
            answer.set_exception(ConnectionLost(PROTOCOL, "not_connected", f"no connection to {self.url}"))
            return
        number = next(self._numbers)
        self._statuses[number] = answer
        self._send(StatusAsk(id=number))

    def end(self) -> None:
        """Let whoever waits know that nothing comes any more."""
        for feed in tuple(self._feeds):
            self._finish(feed, None)
        self._feeds.clear()
        self._lose("closed")

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
                for feed in self._feeds:
                    self._subscribe(feed)
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
            feed = self._by_stream.get(frame.stream)
            if feed is not None:
                self._take(feed, frame)
        elif isinstance(frame, Subscribed):
            self._subscribed(frame)
        elif isinstance(frame, Status):
            answer = self._statuses.pop(_number(frame.id), None)
            if answer is not None and answer.set_running_or_notify_cancel():
                answer.set_result(frame)
        elif isinstance(frame, ErrorTold):
            self._refused(frame)

    def _take(self, feed: Feed, frame: Snapshot | Change | StateTold | Ticker | Conflated) -> None:
        try:
            value = feed.kept.take(frame, self._bridge.clock.now_ns())
        except BookOutOfSync as gap:
            logger.warning("hub client: {}; the stream is read anew", gap)
            self._give(feed, feed.kept.nothing(BookState.SYNCING, str(gap)))
            number = feed.stream
            self.remove(feed)
            if number is not None:
                self.add(feed)
            return
        self._give(feed, value)

    def _give(self, feed: Feed, value: Any) -> None:
        if not feed.is_ended:
            feed.give(value)
            self._tell(feed, value)

    def _finish(self, feed: Feed, error: FoxtrotError | None) -> None:
        """End a feed and call its callbacks with its last value, once."""
        feed.finish(error)
        if not feed.has_parted:
            feed.has_parted = True
            self._tell(feed, feed.latest)

    def _tell(self, feed: Feed, value: Any) -> None:
        loop = asyncio.get_running_loop()  # not by the bridge, which takes no job once it has been told to stop
        for callback in tuple(feed.callbacks):
            loop.call_soon(callback, value)

    def _subscribe(self, feed: Feed) -> None:
        feed.kept.restart()
        feed.stream = None
        number = next(self._numbers)
        self._asked[number] = feed
        ask = feed.ask
        self._send(type(ask)(id=number, instrument=ask.instrument, kind=ask.kind, levels=ask.levels, group=ask.group))

    def _subscribed(self, frame: Subscribed) -> None:
        feed = self._asked.pop(_number(frame.id), None)
        if feed is None or feed not in self._feeds:
            self._send(UnsubscribeAsk(id=next(self._numbers), stream=frame.stream))
            return
        feed.stream = frame.stream
        self._by_stream[frame.stream] = feed

    def _refused(self, frame: ErrorTold) -> None:
        feed = self._asked.pop(_number(frame.id), None)
        if feed is None:
            logger.warning("hub client: {}: {}", self.url, frame.text)
        elif frame.code in _RETRIED:
            self._give(feed, feed.kept.nothing(BookState.EMPTY, frame.text))
            asyncio.get_running_loop().call_later(_RETRY_S, self._ask_again, feed)
        else:
            self._feeds.pop(feed, None)
            self._finish(feed, ConfigError(frame.text))

    def _ask_again(self, feed: Feed) -> None:
        if self.is_connected and feed in self._feeds and feed.stream is None:
            self._subscribe(feed)

    def _send(self, ask: AnyAsk) -> None:
        if self.is_connected:
            self._out.put_nowait(encode(ask))

    # --- ends -------------------------------------------------------------------------------------------------------

    def _lose(self, cause: str) -> None:
        self.is_connected = False
        self._out = asyncio.Queue()
        self._by_stream.clear()
        self._asked.clear()
        for answer in self._statuses.values():
            if answer.set_running_or_notify_cancel():
                answer.set_exception(ConnectionLost(PROTOCOL, "lost", cause))
        self._statuses.clear()
        for feed in self._feeds:
            feed.stream = None
            state = BookState.EMPTY if feed.state is BookState.EMPTY else BookState.STALE
            if feed.state is not state or feed.latest.cause != cause:
                self._give(feed, feed.kept.nothing(state, cause))

    def _give_up(self, error: LoginFailed) -> None:
        self._failure = error
        logger.error("hub client: {}", error)
        self._lose(str(error))
        for feed in tuple(self._feeds):
            self._finish(feed, error)
        self._feeds.clear()


def _number(told: int | str) -> int:
    """Return the number that a request of ours had, 0, which none has, for what is no number."""
    return told if isinstance(told, int) else 0
