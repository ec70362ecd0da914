"""A TCP link to a server on loopback that can be cut between two messages: everything that stands is reset at once."""

import asyncio
import socket
import struct
from contextlib import suppress

from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.core.clock import SystemClock

OUT, BACK = "to the venue", "from the venue"
LONGEST_READ = 1 << 20
DEADLINE_S = 5.0
_RESET = struct.pack("ii", 1, 0)


class CutLink:
    """Passes on what each side sends, as it comes: one write of a side is one message, or a few.

    Thread: the test's; the link runs on one of its own.
    """

    def __init__(self, port: int) -> None:
        self.cuts = 0
        self.passed = 0
        self._target = port
        self._bridge = AsyncBridge("cut-link", SystemClock())
        self._writers: set[asyncio.StreamWriter] = set()
        self._armed: tuple[str, bool] | None = None
        self._left = 0
        self._bridge.start()
        self._server = self._bridge.submit(self._listen()).result(DEADLINE_S)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def arm(self, direction: str, after: int, *, delivered: bool) -> None:
        """Cut the link at a message of one direction: behind it when it is to be `delivered`, else in front of it."""

        def set_it() -> None:
            self._armed, self._left = (direction, delivered), after

        self._bridge.call_soon(set_it)

    def disarm(self) -> None:
        """Let everything pass."""
        self._bridge.call_soon(lambda: setattr(self, "_armed", None))

    def close(self) -> None:
        """End the link and its thread."""
        self._bridge.submit(self._end()).result(DEADLINE_S)
        assert self._bridge.stop(DEADLINE_S) == ""

    # --- on the link's thread ---------------------------------------------------------------------------------------

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LONGEST_READ)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target, limit=LONGEST_READ)
        except OSError:
            _reset(writer)
            return
        both = {writer, far_writer}
        self._writers |= both
        try:
            await asyncio.gather(self._pass(reader, far_writer, OUT), self._pass(far_reader, writer, BACK))
        finally:
            self._writers -= both
            for one in both:
                one.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str) -> None:
        with suppress(OSError):
            while data := await reader.read(LONGEST_READ):
                cut = self._is_due(direction)
                if not cut or (self._armed is not None and self._armed[1]):
                    writer.write(data)
                    await writer.drain()
                    self.passed += 1
                if cut:
                    self._cut()
                    return
        writer.close()

    def _is_due(self, direction: str) -> bool:
        if self._armed is None or self._armed[0] != direction:
            return False
        self._left -= 1
        return self._left <= 0

    def _cut(self) -> None:
        self._armed = None
        self.cuts += 1
        for writer in tuple(self._writers):
            _reset(writer)

    async def _end(self) -> None:
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and not writer.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
