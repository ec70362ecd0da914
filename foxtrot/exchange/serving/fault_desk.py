"""All faults of a server: set, removed and moved on; what has no place in a request or a frame is done here."""

import asyncio
from heapq import heappop, heappush
from typing import Protocol

from foxtrot.domain.errors import FoxtrotError
from foxtrot.exchange.fault_script import ArmedFault, FaultScript
from foxtrot.exchange.faults import Fault, Scope
from foxtrot.exchange.serving.client_socket import ClientSocket
from foxtrot.exchange.serving.fault_actions import FaultActions
from foxtrot.exchange.serving.frame_faults import FrameFaults, socket_place
from foxtrot.exchange.serving.venue_host import VenueHost

_SECOND_NS = 1_000_000_000
_MS_NS = 1_000_000


class Guest(Protocol):
    """The faults of another protocol, which act on connections of its own.

    Thread: exchange-io.
    """

    def bend(self, now_ns: int) -> None:
        """Bring what lasts to what the script says now."""
        ...

    def sweep(self, armed: ArmedFault) -> None:
        """Strike the connections that are open now."""
        ...


class FaultDesk:
    """Keeps the script of faults and acts on the sockets and the venue.

    Times of faults are those of the injected clock, without the skew that a fault sets.

    Thread: exchange-io.
    """

    def __init__(self, host: VenueHost) -> None:
        self.script = FaultScript()
        self.sockets: dict[int, ClientSocket] = {}
        self.frames = FrameFaults(self.script, self.now_ns)
        self.actions = FaultActions(host)
        self.guests: list[Guest] = []
        self._host = host
        self._waits: list[tuple[int, int, asyncio.Future[None]]] = []
        self._waited = 0

    def now_ns(self) -> int:
        """Return the time by which faults are judged."""
        return self._host.clock.now_ns()

    def arm(self, fault: Fault) -> ArmedFault:
        """Set a fault; one that concerns open connections acts on them at once."""
        armed = self.script.arm(fault, self.now_ns())
        self._refresh(self.now_ns())
        return armed

    def disarm(self, number: int = 0) -> int:
        """Remove one fault, or all; return how many."""
        gone = self.script.disarm(number)
        self._refresh(self.now_ns())
        return gone

    def join(self, socket: ClientSocket) -> None:
        """Let faults concern a new connection."""
        self.sockets[socket.connection.number] = socket
        self._bend(socket, self.now_ns())

    def leave(self, socket: ClientSocket) -> None:
        """Forget a connection."""
        self.sockets.pop(socket.connection.number, None)

    def tick(self) -> None:
        """Do what has come due by the clock."""
        now_ns = self.now_ns()
        while self._waits and self._waits[0][0] <= now_ns:
            done = heappop(self._waits)[2]
            if not done.done():
                done.set_result(None)
        self._refresh(now_ns)
        self.frames.tick(tuple(self.sockets.values()), now_ns)

    def wait_s(self, seconds: float) -> "asyncio.Future[None]":
        """Return what is done when seconds have passed by the clock, counted from now."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waited += 1
        heappush(self._waits, (self.now_ns() + int(seconds * _SECOND_NS), self._waited, done))
        return done

    def cancel_waits(self) -> None:
        """End every wait: the server stops."""
        for _, _, done in self._waits:
            done.cancel()
        self._waits.clear()

    def _refresh(self, now_ns: int) -> None:
        """Bring all that lasts, and all that is done once, to what the script says now."""
        skews = [armed.fault.skew_ms for armed in self.script.active(Scope.STATE, now_ns)]
        self._host.skew_ns = sum(skews) * _MS_NS
        for socket in self.sockets.values():
            self._bend(socket, now_ns)
        for guest in self.guests:
            guest.bend(now_ns)
        for armed in self.script.active(Scope.CONNECTION, now_ns):
            self._sweep(armed)
        for armed in self.script.active(Scope.ACTION, now_ns):
            armed.fired += 1
            try:
                self.actions.act(armed.fault)
            except FoxtrotError as error:
                armed.error = str(error)

    def _bend(self, socket: ClientSocket, now_ns: int) -> None:
        place = socket_place(socket)
        socket.answers_pings = self.script.lasting("stop_pongs", place, now_ns) is None
        socket.outlet.is_trickling = self.script.lasting("one_byte_writes", place, now_ns) is not None

    def _sweep(self, armed: ArmedFault) -> None:
        """Strike the connections that are open now, all of them unless a count was told, once."""
        fault = armed.fault
        if armed.has_swept or fault.after or fault.stream:
            return
        armed.has_swept = True
        for socket in tuple(self.sockets.values()):
            if fault.count and armed.fired >= fault.count:
                return
            if not socket.is_closing and armed.take(socket_place(socket)):
                self.frames.strike(armed, socket)
        for guest in self.guests:
            guest.sweep(armed)
