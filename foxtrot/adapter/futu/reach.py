"""How OpenD is found and whether it listens, without the SDK, which would wait for ever for either."""

import asyncio
from contextlib import suppress
from ipaddress import AddressValueError, IPv4Address
from typing import Final

from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.futu.config import FutuSettings
from foxtrot.adapter.futu.errors import VENUE
from foxtrot.adapter.futu.link import look_up
from foxtrot.adapter.futu.worker import Worker
from foxtrot.domain.errors import ConnectionLost, RequestTimedOut

LOOK_S: Final = 5.0
"""How long a name may be looked up, and a connection made."""
PROBE_S: Final = 0.4
"""How often it is tried whether OpenD listens again, while the next attempt is not due yet."""


class Reach:
    """Looks the host up and tries its port.

    Thread: futu-io; names are looked up on a thread of its own, `futu-resolver`, another one when one hangs.
    """

    def __init__(self, settings: FutuSettings, bridge: AsyncBridge) -> None:
        self.host = settings.host
        self.port = settings.port
        self._bridge = bridge
        self._resolver = Worker("futu-resolver")
        self._address: tuple[str, int] | None = None
        self._closed = self._came_back = False

    async def address(self) -> tuple[str, int]:
        """Return the dotted address and the port.

        Raises:
            ConnectionLost: the host has no IPv4 address, or none is found in time.
        """
        try:
            found = str(IPv4Address(self.host))
        except AddressValueError:
            found = await self._look_up()
        self._address = (found, self.port)
        return self._address

    async def _look_up(self) -> str:
        try:
            return await self._bridge.within(self._resolver.run(lambda: look_up(self.host)), LOOK_S)
        except (OSError, UnicodeError) as error:
            text = f"host {self.host!r} has no IPv4 address ({error}); mend host"
            raise ConnectionLost(VENUE, "host", text) from error
        except RequestTimedOut as error:
            self._resolver.end()
            self._resolver = Worker("futu-resolver")
            text = f"host {self.host!r} was not found in {LOOK_S:g} s; write its IPv4 address"
            raise ConnectionLost(VENUE, "host", text) from error

    async def probe(self, address: tuple[str, int]) -> None:
        """Return when the port takes connections.

        Raises:
            ConnectionLost: it does not.
        """
        where, was_closed = f"{address[0]}:{address[1]}", self._closed
        self._closed = True
        try:
            _, writer = await self._bridge.within(asyncio.open_connection(*address), LOOK_S)
        except OSError as error:
            text = f"nobody listens on {where} ({error.strerror or error}); is OpenD running?"
            raise ConnectionLost(VENUE, "connect", text) from error
        except RequestTimedOut as error:
            raise ConnectionLost(VENUE, "connect", f"{where} did not take the connection in {LOOK_S:g} s") from error
        self._closed, self._came_back = False, self._came_back or was_closed
        writer.close()

    async def wait(self, seconds: float) -> None:
        """Wait, but less long when a port that was closed takes connections again."""
        clock = self._bridge.clock
        due_ns = clock.monotonic_ns() + int(seconds * 1e9)
        while (left_ns := due_ns - clock.monotonic_ns()) > 0 and not self._came_back:
            await self._bridge.wait_s(min(left_ns / 1e9, PROBE_S))
            if clock.monotonic_ns() < due_ns and self._address is not None:
                with suppress(ConnectionLost):
                    await self.probe(self._address)

    def take_return(self) -> bool:
        """Tell whether a port that was closed has taken connections again since this was asked."""
        came_back, self._came_back = self._came_back, False
        return came_back

    def end(self) -> None:
        """Look nothing up any more."""
        self._resolver.end()
