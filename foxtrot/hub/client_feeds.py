"""What a program reads of one stream: the latest value, each value by callback, or one after the other in a loop, blocking or async."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Generic

from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import ConfigError, FoxtrotError, RequestTimedOut
from foxtrot.hub.client_streams import KeptStream, Value
from foxtrot.hub.wire import PROTOCOL, Kind, SubscribeAsk

FeedKey = tuple[Kind, str, int, str]
"""Kind, instrument, levels, step."""


class HubFeed(Generic[Value]):
    """One stream of a hub, kept over every reconnect.

    `for value in feed` and `async for value in feed` give the newest value whenever there is a newer one, and leave out those that came in
    between; a callback gets each. A value that is not LIVE is given too, without levels: believe nothing until the next one that is.

    Thread: any; values are made on hub-client.

    Args:
        ask: what to subscribe to.
        kept: the stream as the client keeps it.
        end: called once when it is closed.
    """

    def __init__(self, ask: SubscribeAsk, kept: KeptStream[Value], end: "Callable[[HubFeed[Value]], None]") -> None:
        self.ask = ask
        self.kept: KeptStream[Value] = kept
        self.stream: int | None = None
        """The hub's number of it on this connection; hub-client's alone."""
        self.callbacks: list[Callable[[Value], None]] = []
        self._end: Callable[[HubFeed[Value]], None] = end
        self._lock = threading.Lock()
        self._latest: Value = kept.nothing(BookState.EMPTY, "not subscribed yet")
        self._error: FoxtrotError | None = None
        self._version = 0
        self._is_closed = False
        self._waiters: list[Future[None]] = []

    @property
    def key(self) -> FeedKey:
        """Return what tells it from other feeds of a client."""
        return self.ask.kind, self.ask.instrument, self.ask.levels, self.ask.group

    @property
    def instrument_id(self) -> str:
        """Return whose it is."""
        return self.ask.instrument

    @property
    def latest(self) -> Value:
        """Return the last value, at once; it is EMPTY before the first."""
        return self._latest

    @property
    def state(self) -> BookState:
        """Return whether the last value may be believed."""
        return self._latest.state

    @property
    def error(self) -> FoxtrotError | None:
        """Return why the hub gives no such stream, None while it does or may."""
        return self._error

    @property
    def conflated(self) -> int:
        """Return how many frames the hub left out because this client was too slow."""
        return self.kept.conflated

    def listen(self, on_value: Callable[[Value], None]) -> None:
        """Call `on_value` with every value from now on, on hub-client, which it must not keep waiting; an error in it is logged."""
        self.callbacks.append(on_value)

    def wait(self, timeout_s: float = 5.0) -> Value:
        """Return the latest value that is LIVE, at once when it is.

        Blocks: at most `timeout_s`, between changes.

        Raises:
            RequestTimedOut: none came in time.
            FoxtrotError: the hub refused, or the feed is closed.
        """
        for value in self._values(timeout_s):
            if value.is_live:
                return value
        raise ConfigError(f"the feed of {self.instrument_id} is closed")

    async def wait_async(self, timeout_s: float = 5.0) -> Value:
        """Return the latest value that is LIVE, as `wait` does, without blocking the loop."""
        try:
            async with asyncio.timeout(timeout_s):
                async for value in self:
                    if value.is_live:
                        return value
        except TimeoutError:
            raise self._too_late(timeout_s) from None
        raise ConfigError(f"the feed of {self.instrument_id} is closed")

    def __iter__(self) -> Iterator[Value]:
        return self._values(None)

    async def __aiter__(self) -> AsyncIterator[Value]:
        seen = -1
        while True:
            waiter = self._newer_than(seen)
            try:
                await asyncio.wrap_future(waiter)
            finally:
                self._forget(waiter)
            seen, value = self._read()
            if value is None:
                return
            yield value

    def close(self) -> None:
        """Read no more: loops over it end; again is harmless."""
        self.finish(None)
        self._end(self)

    # --- from hub-client --------------------------------------------------------------------------------------------

    def give(self, value: Value) -> None:
        """Take a new value."""
        with self._lock:
            if self._is_closed:
                return
            self._latest = value
            self._renew()

    def finish(self, error: FoxtrotError | None) -> None:
        """Give nothing any more; an error is raised where somebody waits."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._error = error
                self._latest = self.kept.nothing(BookState.EMPTY, str(error) if error else "closed")
                self._renew()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _values(self, timeout_s: float | None) -> Iterator[Value]:
        seen = -1
        while True:
            waiter = self._newer_than(seen)
            try:
                waiter.result(timeout_s)
            except FutureTimeout:
                raise self._too_late(timeout_s or 0.0) from None
            finally:
                self._forget(waiter)
            seen, value = self._read()
            if value is None:
                return
            yield value

    def _read(self) -> tuple[int, Value | None]:
        with self._lock:
            if self._error is not None:
                raise self._error
            return self._version, None if self._is_closed else self._latest

    def _newer_than(self, seen: int) -> "Future[None]":
        waiter: Future[None] = Future()
        with self._lock:
            if self._is_closed or self._version > seen:
                waiter.set_result(None)
            else:
                self._waiters.append(waiter)
        return waiter

    def _forget(self, waiter: "Future[None]") -> None:
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _renew(self) -> None:
        """Count a change and wake who waits; the lock is held."""
        self._version += 1
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if waiter.set_running_or_notify_cancel():
                waiter.set_result(None)

    def _too_late(self, timeout_s: float) -> RequestTimedOut:
        latest = self._latest
        return RequestTimedOut(
            PROTOCOL,
            "timeout",
            f"no LIVE {self.ask.kind} of {self.instrument_id} in {timeout_s} s: it is {latest.state}, {latest.cause}",
        )
