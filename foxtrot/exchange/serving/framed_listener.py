"""A listener of a protocol of frames on plain TCP: it accepts, keeps the open connections, and parts from them at the end."""

import asyncio
import socket
from abc import ABC, abstractmethod
from typing import Final, Generic, TypeVar

from foxtrot.exchange.serving.framed_socket import FramedWayOut
from foxtrot.exchange.serving.listener import settled, stop_accepting

Socket = TypeVar("Socket", bound=FramedWayOut)
_PARTING_TURNS: Final = 50
"""How many milliseconds clients are given to take the rest of what was sent before a stop."""


class FramedListener(ABC, Generic[Socket]):
    """Serves one protocol on any number of sockets.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self._sockets: dict[int, Socket] = {}
        self._servers: list[asyncio.Server] = []

    async def open(self, listening: socket.socket) -> None:
        """Accept on a socket that is bound."""
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(self._protocol, sock=listening))

    async def close(self) -> None:
        """Stop accepting and drop every connection."""
        await stop_accepting(self._servers)
        for one in self.sockets():
            one.close()
        for _ in range(_PARTING_TURNS):
            if not self._sockets:
                break
            await asyncio.sleep(0.001)
        for one in self.sockets():
            one.outlet.abort()
        await settled()
        self._servers = []

    def sockets(self) -> tuple[Socket, ...]:
        """Return the open connections."""
        return tuple(self._sockets.values())

    @abstractmethod
    def _protocol(self) -> Socket:
        """Return what serves one more connection."""
