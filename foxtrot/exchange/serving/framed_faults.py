"""What faults do to the connections of a protocol of frames on plain TCP: to requests, answers, pushes, and whole connections."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

from foxtrot.exchange.fault_script import ArmedFault, Place
from foxtrot.exchange.faults import Fault, Scope
from foxtrot.exchange.serving.fault_desk import FaultDesk
from foxtrot.exchange.serving.framed_socket import FramedWayOut

FRAME_SCOPES: Final = (Scope.FRAME, Scope.CONNECTION, Scope.STATE)
REPLY: Final = "reply"
"""The stream of what answers a request, which a fault of streams leaves alone unless it names it."""
REFUSALS: Final[Mapping[str, str]] = {
    "refuse_handshake": "the connection is refused",
    "refuse_websockets": "the connection is refused",
    "error_code": "the request failed",
    "too_many_requests": "the request is too frequent; try again later",
}
Message = TypeVar("Message")
Socket = TypeVar("Socket", bound=FramedWayOut)


class FramedFaults(ABC, Generic[Socket, Message]):
    """Stands between the sockets of one protocol and its surface; what is the protocol's own is added by a class of its own.

    Thread: exchange-io.

    Args:
        desk: the script of faults and its clock.
        sockets: returns the open connections.
    """

    def __init__(self, desk: FaultDesk, sockets: Callable[[], tuple[Socket, ...]]) -> None:
        self._desk = desk
        self._script = desk.script
        self._sockets = sockets
        self._frozen: list[tuple[Socket, ArmedFault]] = []
        self._requests: dict[str, Callable[[Socket, Message, Fault, Callable[[], None]], None]] = {
            "ack_lost": self.lose,
            "delay": self.delay,
            "error_code": self.fail,
            "too_many_requests": self.fail,
            "cut_answer": self.cut,
        }
        self._frames: dict[str, Callable[[Socket, bytes, str, Fault], None]] = {
            "gap": _swallow,
            "go_silent": _swallow,
            "duplicate_fills": _twice,
            "malformed_frame": lambda one, data, _key, fault: one.put(self.spoilt(data, fault)),
            "cut_mid_frame": lambda one, data, _key, _fault: one.cut(data),
        }

    # --- the protocol's own -----------------------------------------------------------------------------------------

    @abstractmethod
    def place(self, one: Socket, message: Message | None = None, stream: str = "") -> Place:
        """Return where a connection, one request or one frame of it is."""

    @abstractmethod
    def stream_of(self, data: bytes) -> str:
        """Return the name of a frame by which faults of streams know it."""

    @abstractmethod
    def is_handshake(self, one: Socket, message: Message) -> bool:
        """Tell whether a request is one by which a client gets in."""

    @abstractmethod
    def refuse(self, one: Socket, message: Message, fault: Fault, text: str) -> None:
        """Answer a request with a refusal."""

    @abstractmethod
    def spoilt(self, data: bytes, fault: Fault) -> bytes:
        """Return a frame that its reader cannot take."""

    # --- in ---------------------------------------------------------------------------------------------------------

    def request(self, one: Socket, message: Message, execute: Callable[[], None]) -> None:
        """Execute a request, or not; its answer passes the fault."""
        now_ns, place = self._desk.now_ns(), self.place(one, message)
        mute = self._script.lasting("mute", place, now_ns)
        if mute is not None:
            if mute.executed:
                one.withheld(execute)
            return
        armed = None
        if self.is_handshake(one, message):
            armed = self._script.take(Scope.HANDSHAKE, place, now_ns, self.acts_on_handshake(one, message))
        if armed is None:
            armed = self._script.take(Scope.REQUEST, place, now_ns, lambda fault: fault.kind in self._requests)
        if armed is None:
            execute()
        elif armed.fault.scope is Scope.HANDSHAKE:
            self.handshake(one, message, armed.fault, execute)
        else:
            self._requests[armed.fault.kind](one, message, armed.fault, execute)

    def acts_on_handshake(self, _one: Socket, _message: Message) -> Callable[[Fault], bool]:
        """Return which faults of handshakes act on one step of it: a refusal acts on any."""
        return lambda fault: fault.kind in REFUSALS

    def handshake(self, one: Socket, message: Message, fault: Fault, _execute: Callable[[], None]) -> None:
        """Do to one step of a handshake what a fault asks for: it is refused."""
        self.refused(one, message, fault)

    def lose(self, one: Socket, _message: Message, fault: Fault, execute: Callable[[], None]) -> None:
        """Execute and lose the answer, and the connection unless it hangs."""
        one.withheld(execute)
        if fault.reset:
            one.reset()
        elif not fault.hang:
            one.close()

    def delay(self, one: Socket, _message: Message, fault: Fault, execute: Callable[[], None]) -> None:
        """Wait before the request is executed, or before its answer leaves."""
        work = execute
        if fault.executed:
            held = one.withheld(execute)

            def work() -> None:
                for data in held:
                    one.put(data)

        over = self._desk.wait_s(fault.delay_s)
        over.add_done_callback(lambda done: None if done.cancelled() else work())

    def fail(self, one: Socket, message: Message, fault: Fault, execute: Callable[[], None]) -> None:
        """Answer with a refusal, whether it is executed or not."""
        if fault.executed:
            one.withheld(execute)
        self.refused(one, message, fault)

    def cut(self, one: Socket, _message: Message, _fault: Fault, execute: Callable[[], None]) -> None:
        """Execute, answer with half of a frame, and close."""
        for data in one.withheld(execute)[:1]:
            one.cut(data)

    def refused(self, one: Socket, message: Message, fault: Fault) -> None:
        """Answer a request with the refusal that a fault tells, or its own."""
        self.refuse(one, message, fault, fault.msg or REFUSALS.get(fault.kind, "the request failed"))

    # --- out --------------------------------------------------------------------------------------------------------

    def send(self, one: Socket, data: bytes, key: str = "") -> None:
        """Send a frame, or what the faults make of it."""
        now_ns = self._desk.now_ns()
        if not self._script.has(FRAME_SCOPES, now_ns):
            pass_on(one, data, key)
            return
        stream = self.stream_of(data)
        place = self.place(one, stream=stream)
        if self._script.lasting("mute", place, now_ns) is not None:
            return
        broken = self._script.take(Scope.CONNECTION, place, now_ns)
        if broken is not None:
            self.strike(broken, one)
            return
        armed = self._script.take(
            Scope.FRAME,
            place,
            now_ns,
            lambda fault: fault.kind in self._frames and (stream != REPLY or fault.stream == REPLY),
        )
        if armed is None:
            pass_on(one, data, key)
        else:
            self._frames[armed.fault.kind](one, data, key, armed.fault)

    # --- connections, and what lasts --------------------------------------------------------------------------------

    def strike(self, armed: ArmedFault, one: Socket) -> None:
        """Do to a connection what a fault of connections asks for."""
        if armed.fault.kind in ("close", "close_without_frame"):
            one.close()
        elif armed.fault.kind == "reset":
            one.reset()
        else:
            one.outlet.freeze()
            self._frozen.append((one, armed))

    def sweep(self, armed: ArmedFault) -> None:
        """Strike the connections that are open now, all of them unless a count was told."""
        for one in self._sockets():
            if armed.fault.count and armed.fired >= armed.fault.count:
                return
            if not one.is_closing and armed.take(self.place(one)):
                self.strike(armed, one)

    def bend(self, now_ns: int) -> None:
        """Bring what lasts to what the script says now."""
        for one in self._sockets():
            self.bend_one(one, now_ns)
        self.bend_states(now_ns)
        still = self._script.armed()
        for one, armed in self._frozen:
            if armed.has_ended(now_ns) or armed not in still:
                one.outlet.abort()
        self._frozen = [pair for pair in self._frozen if pair[1] in still and not pair[1].has_ended(now_ns)]

    @abstractmethod
    def bend_states(self, now_ns: int) -> None:
        """Bring the states of the surface to what the script says now."""

    def bend_one(self, one: Socket, now_ns: int) -> None:
        """Let what lasts concern one connection."""
        place = self.place(one)
        one.outlet.is_trickling = self._script.lasting("one_byte_writes", place, now_ns) is not None
        one.stall(is_stalled=self.is_held(one, now_ns))

    def is_held(self, one: Socket, now_ns: int) -> bool:
        """Tell whether nothing leaves for a connection: its client looks as if it did not read."""
        return self._script.lasting("slow_reader", self.place(one), now_ns) is not None


def pass_on(one: FramedWayOut, data: bytes, key: str) -> None:
    """Send a frame unharmed."""
    if key:
        one.put_latest(data, key)
    else:
        one.put(data)


def _swallow(_one: FramedWayOut, _data: bytes, _key: str, _fault: Fault) -> None:
    """Let a frame never leave."""


def _twice(one: FramedWayOut, data: bytes, _key: str, _fault: Fault) -> None:
    one.put(data)
    one.put(data)
