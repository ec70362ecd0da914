"""How an order's request meets the send permit: as the very last thing before its bytes are given to the transport.

By then the request is signed, throttled and encoded, and the connection stands: nothing that waits lies between the permit
and the wire. aiohttp keeps the headers back until the body is written and writes both at once, so that one look is enough.
"""

import enum
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from aiohttp import ClientConnectionResetError, ClientRequest

from foxtrot.adapter.binance.errors import PermitClosed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import InvariantBroken


class Passage(enum.Enum):
    """How far an order's request got."""

    WAITING = "waiting"
    LEFT = "left"
    REFUSED = "refused"


ORDER_LEFT: ContextVar[Callable[[], None] | None] = ContextVar("binance_order_left", default=None)
"""Set by whoever sends an order and wants to hear the moment at which it has left."""


class OrderPass:
    """One order's way to the wire: asks the permit once, and never lets the same order leave twice.

    Thread: the loop's.
    """

    def __init__(self, permit: SendPermit, *, reduces: bool) -> None:
        self._permit = permit
        self._reduces = reduces
        self._on_left = ORDER_LEFT.get()
        self.passage = Passage.WAITING

    def write(self, writer: Any, body: bytes) -> None:
        """Give headers and body to the transport if the permit lets them.

        Raises:
            PermitClosed: it did not; nothing was written.
            InvariantBroken: this order has left before.
            ClientConnectionResetError: the transport is closing; nothing was written.
        """
        if self.passage is not Passage.WAITING:
            raise InvariantBroken("an order's request would be written twice")

        def hand_over() -> None:
            self.passage = Passage.LEFT
            try:
                _write_now(writer, body)
            except ClientConnectionResetError:
                self.passage = Passage.WAITING
                raise

        if not self._permit.send(hand_over, reduces=self._reduces):
            self.passage = Passage.REFUSED
            raise PermitClosed(self._permit.reason)
        if self._on_left is not None:
            self._on_left()


ORDER_PASS: ContextVar[OrderPass | None] = ContextVar("binance_order_pass", default=None)
"""Set where an order's request is made; a request made anywhere else asks no permit."""

USED: "WeakKeyDictionary[Any, WeakSet[Any]]" = WeakKeyDictionary()
"""The transports over which requests went, by connector: aiohttp forgets one that it has begun to close, and behind TLS that
close waits for the other side, which may never answer. Touched on each connector's own loop."""


def abort_used(connector: Any) -> None:
    """Drop whatever connections of a connector still stand or are still closing."""
    for transport in tuple(USED.pop(connector, ())):
        transport.abort()


class PermitRequest(ClientRequest):
    """An aiohttp request that, being an order's, asks the send permit in front of its one write.

    Thread: the loop's.
    """

    async def send(self, conn: Any) -> Any:
        """Send the request over a connection, as aiohttp's method of this name."""
        USED.setdefault(conn._connector, WeakSet()).add(conn.transport)  # noqa: SLF001  (aiohttp tells it in no other way)
        order = ORDER_PASS.get()
        if order is None:
            return await super().send(conn)
        if not self.body or order.passage is not Passage.WAITING:
            raise InvariantBroken("an order's request has a body and is sent once")
        return await super().send(conn)

    async def write_bytes(self, writer: Any, conn: Any, content_length: int | None = None) -> None:
        """Write headers and body, as aiohttp's method of this name; it runs as a task of the request."""
        order = ORDER_PASS.get()
        if order is None:
            await super().write_bytes(writer, conn, content_length)
            return
        protocol = conn.protocol
        try:
            order.write(writer, self.body.decode().encode())
        except (PermitClosed, InvariantBroken, ClientConnectionResetError) as error:
            protocol.set_exception(error)  # whoever waits for the answer hears it
            conn.close()
            return
        await writer.write_eof()
        protocol.start_timeout()


def _write_now(writer: Any, body: bytes) -> None:
    """Write in one step: a write that does not drain never waits, and one that would is a fault."""
    step = writer.write(body, drain=False)
    try:
        step.send(None)
    except StopIteration:
        return
    step.close()
    raise InvariantBroken("the write of an order's request waited")
