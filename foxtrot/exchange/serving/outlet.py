"""The way out of one socket: frames queue here, never wait, and leave together at the end of a turn of the loop."""

import asyncio
import socket
import struct
from collections import deque

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on with no time: closing the socket sends a reset."""


class Outlet:
    """Bytes for one client. What its socket does not take waits in the transport, up to `limit` bytes.

    Thread: exchange-io.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, limit: int) -> None:
        self.is_mute = False
        self.is_trickling = False
        self._transport = transport
        self._loop = loop
        self._limit = limit
        self._waiting: deque[bytes | memoryview] = deque()
        self._waiting_bytes = 0
        self._flush_is_due = False
        self._is_held = True
        self._ends = False

    @property
    def waiting_bytes(self) -> int:
        """Return how much the client has not taken yet."""
        return self._waiting_bytes + (0 if self._transport.is_closing() else self._transport.get_write_buffer_size())

    @property
    def is_full(self) -> bool:
        """Tell whether the client is too slow to be kept."""
        return self.waiting_bytes > self._limit

    def write(self, data: bytes) -> None:
        """Queue bytes; a mute outlet swallows them."""
        if self.is_mute or self._ends:
            return
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if not self._flush_is_due and not self._is_held:
            self._flush_is_due = True
            self._loop.call_soon(self.flush)

    def release(self) -> None:
        """Begin to write: what was queued so far leaves now."""
        self._is_held = False
        self.flush()

    def flush(self) -> None:
        """Hand what is queued to the socket; byte by byte when it trickles."""
        self._flush_is_due = False
        if self._is_held:
            return
        if self.is_trickling and self._waiting:
            self._trickle()
        elif self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
            if not self._transport.is_closing():
                self._transport.write(data)
        if self._ends and not self._waiting:
            self._transport.close()

    def end(self) -> None:
        """Close the socket after what is queued; nothing more is taken."""
        self._ends = True
        self._is_held = False
        if not (self._waiting and self.is_trickling):
            self.flush()

    def abort(self) -> None:
        """Close the socket now; what is queued is lost."""
        self._ends = True
        self._waiting.clear()
        self._waiting_bytes = 0
        self._transport.abort()

    def reset(self) -> None:
        """Close the socket now with a TCP reset."""
        forget_politeness(self._transport)
        self.abort()

    def freeze(self) -> None:
        """Neither read nor write any more, and leave the socket as it is."""
        self.is_mute = True
        self._waiting.clear()
        self._waiting_bytes = 0
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def _trickle(self) -> None:
        """Write one byte in this turn of the loop, and the next in the next."""
        head = memoryview(self._waiting.popleft())
        self._waiting_bytes -= 1
        if not self._transport.is_closing():
            self._transport.write(head[:1])
        if len(head) > 1:
            self._waiting.appendleft(head[1:])
        if self._waiting:
            self._flush_is_due = True
            self._loop.call_soon(self.flush)


def forget_politeness(transport: asyncio.Transport) -> None:
    """Make the end of a connection a TCP reset."""
    raw = transport.get_extra_info("socket")
    if raw is not None and not transport.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
