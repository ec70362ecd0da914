"""One accepted connection of a protocol of frames on plain TCP: messages in, bytes out, pushes conflated while the client is slow."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Generic, Protocol, Self, TypeVar

from foxtrot.exchange.serving.outlet import Outlet

SLOW_BYTES = 65_536
"""With so much waiting in the transport a client counts as slow."""
Client = TypeVar("Client")
Message = TypeVar("Message")
Told_co = TypeVar("Told_co", covariant=True)


class Reader(Protocol[Told_co]):
    """Puts messages together from bytes that come in pieces of any size."""

    def feed(self, data: bytes) -> Sequence[Told_co]:
        """Return the messages that are whole now.

        Raises:
            ValueError: the bytes are no messages.
        """
        ...


class FramedWayOut(asyncio.Protocol):
    """The way out of a connection, and what faults do to it.

    Thread: exchange-io.

    Args:
        limit: what may wait for the client, in bytes; more closes the connection.
    """

    answers_once: ClassVar[bool] = True
    """Whether the answer of a request is one frame; where it is not, all that leaves while it is executed counts as its answer."""
    outlet: Outlet

    def __init__(self, limit: int) -> None:
        self.is_closing = False
        self.is_stalled = False
        """A fault makes it look as if the client did not read."""
        self.sent = 0
        self._limit = limit
        self._is_slow = False
        self._catches_up = False
        self._latest: dict[str, bytes] = {}
        self._latest_bytes = 0
        self._stalled: list[bytes] = []
        self._stalled_bytes = 0
        self._held: list[bytes] | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def waiting_bytes(self) -> int:
        """Return how much the client has not taken yet."""
        return self.outlet.waiting_bytes + self._stalled_bytes + self._latest_bytes

    @property
    def is_behind(self) -> bool:
        """Tell whether the client reads slowly, so that only the newest of each key is sent to it."""
        return self._is_slow or self.is_stalled or self._catches_up or self.outlet.waiting_bytes > SLOW_BYTES

    def put(self, data: bytes) -> None:
        """Send one frame; a client that does not take what it gets is dropped."""
        if self.is_closing:
            return
        if self._held is not None and not (self._held and self.answers_once):
            self._held.append(data)
            return
        self.sent += 1
        if self.is_stalled:
            self._stalled.append(data)
            self._stalled_bytes += len(data)
        else:
            self.outlet.write(data)
        if self.waiting_bytes > self._limit:
            self.is_closing = True
            self.outlet.abort()

    def put_latest(self, data: bytes, key: str) -> None:
        """Send one frame, in place of an older one of the same key where the client is slow."""
        if not self.is_behind:
            self.put(data)
            return
        self._latest_bytes += len(data) - len(self._latest.get(key, b""))
        self._latest[key] = data
        if not (self._is_slow or self.is_stalled or self._catches_up):
            # So much was sent in this turn of the loop that the transport had no say yet.
            self._catches_up = True
            self._loop.call_soon(self._catch_up)

    def withheld(self, execute: Callable[[], None]) -> list[bytes]:
        """Execute a request and return its answer, which is not sent; what it pushes besides is."""
        held: list[bytes] = []
        self._held = held
        try:
            execute()
        finally:
            self._held = None
        return held

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.is_closing = True
        self.outlet.reset()

    def stall(self, *, is_stalled: bool) -> None:
        """Stop writing, or go on: what waits leaves, then the newest of each key."""
        if is_stalled == self.is_stalled:
            return
        self.is_stalled = is_stalled
        if not is_stalled:
            waiting, self._stalled, self._stalled_bytes = self._stalled, [], 0
            for data in waiting:
                self.outlet.write(data)
            self._catch_up()

    def close(self) -> None:
        """End the connection (FIN) once what is queued is out."""
        self.is_closing = True
        self.outlet.end()

    def cut(self, data: bytes) -> None:
        """Send the first half of a frame and close the connection."""
        self.outlet.write(data[: max(1, len(data) // 2)])
        self.close()

    def pause_writing(self) -> None:
        """Hear that the client reads slowly."""
        self._is_slow = True

    def resume_writing(self) -> None:
        """Hear that the client has caught up: the newest of each key goes out."""
        self._is_slow = False
        self._catch_up()

    def _catch_up(self) -> None:
        self._catches_up = False
        if self.is_closing:
            return
        if not self.outlet.is_trickling:
            self.outlet.flush()
        if self.is_stalled or self._is_slow:
            return
        waiting, self._latest, self._latest_bytes = self._latest, {}, 0
        for data in waiting.values():
            self.put(data)


class FramedSocket(FramedWayOut, Generic[Client, Message]):
    """A client's connection with its way out and what faults know of it; each protocol has its own kind of it.

    Thread: exchange-io.

    Args:
        hear: takes each message.
        opened: makes the surface's side of it, once there is a transport.
        gone: hears that it has ended.
        limit: what may wait for it, in bytes; more closes it.
    """

    product: ClassVar[str]
    client: Client

    def __init__(
        self,
        hear: Callable[[Self, Message], None],
        opened: Callable[[Self], Client],
        gone: Callable[[Self], None],
        limit: int,
    ) -> None:
        super().__init__(limit)
        self._hear = partial(hear, self)
        self._opened = partial(opened, self)
        self._gone = partial(gone, self)
        self._reader = self._new_reader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hear that there is a transport: what is sent leaves from now on."""
        if not isinstance(transport, asyncio.Transport):
            transport.close()
            return
        transport.set_write_buffer_limits(high=SLOW_BYTES, low=SLOW_BYTES // 4)
        self.outlet = Outlet(transport, self._loop, self._limit)
        self.client = self._opened()
        self.outlet.release()

    def data_received(self, data: bytes) -> None:
        """Hear what a client sends; bytes that are no message end the connection."""
        if self.is_closing or self.outlet.is_mute:
            return
        try:
            messages = self._reader.feed(data)
        except ValueError:
            self.close()
            return
        for message in messages:
            self._hear(message)

    def connection_lost(self, error: Exception | None) -> None:
        """Hear that it is over."""
        self.is_closing = True
        self._latest, self._latest_bytes = {}, 0
        self._gone()

    @abstractmethod
    def _new_reader(self) -> Reader[Message]:
        """Return what puts this protocol's messages together."""
