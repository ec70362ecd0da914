"""What faults do to FutuOpenD's connections: to requests, answers, pushes, whole connections, and OpenD's own link upstream."""

from collections.abc import Callable
from typing import Final

from foxtrot.exchange.fault_script import ArmedFault, Place
from foxtrot.exchange.faults import Fault, Scope
from foxtrot.exchange.serving.fault_desk import FaultDesk
from foxtrot.exchange.serving.futu_socket import FutuSocket
from foxtrot.exchange.wire.futu.frame import HEADER, Frame
from foxtrot.exchange.wire.futu.message_types import PROTOCOLS, PUSHES
from foxtrot.exchange.wire.futu.refusal import FAILED, FutuRefused
from foxtrot.exchange.wire.futu.venue_side import FutuSide

FRAME_SCOPES: Final = (Scope.FRAME, Scope.CONNECTION, Scope.STATE)
REPLY: Final = "reply"
_FILL: Final = "Trd_UpdateOrderFill"
_TEXTS: Final[dict[str, str]] = {
    "refuse_handshake": "InitConnect is refused",
    "refuse_websockets": "InitConnect is refused",
    "error_code": "the request failed",
    "too_many_requests": "the request is too frequent; try again later",
}
Refuse = Callable[[FutuSocket, Frame, FutuRefused], None]


class FutuFaults:
    """Stands between the sockets of FutuOpenD's protocol and its surface.

    Thread: exchange-io.

    Args:
        desk: the script of faults and its clock.
        side: the venue as the surface sees it; OpenD's link upstream is a state of it.
        sockets: returns the open connections.
        refuse: answers a request with a refusal.
    """

    def __init__(
        self, desk: FaultDesk, side: FutuSide, sockets: Callable[[], tuple[FutuSocket, ...]], refuse: Refuse
    ) -> None:
        self._desk = desk
        self._script = desk.script
        self._side = side
        self._sockets = sockets
        self._refuse = refuse
        self._frozen: list[tuple[FutuSocket, ArmedFault]] = []

    # --- in ---------------------------------------------------------------------------------------------------------

    def request(self, one: FutuSocket, frame: Frame, execute: Callable[[], None]) -> None:
        """Execute a request, or not; its answer passes the fault."""
        now_ns, place = self._desk.now_ns(), futu_place(one, frame.proto_id)
        mute = self._script.lasting("mute", place, now_ns)
        if mute is not None:
            if mute.executed:
                one.withheld(execute)
            return
        armed = None
        if frame.proto_id == _INIT_CONNECT:
            armed = self._script.take(Scope.HANDSHAKE, place, now_ns)
        if armed is None:
            armed = self._script.take(Scope.REQUEST, place, now_ns, lambda fault: fault.kind in _REQUESTS)
        if armed is None:
            execute()
        elif armed.fault.scope is Scope.HANDSHAKE:
            self._refused(one, frame, armed.fault)
        else:
            _REQUESTS[armed.fault.kind](self, one, frame, armed.fault, execute)

    def lose(self, one: FutuSocket, _frame: Frame, fault: Fault, execute: Callable[[], None]) -> None:
        """Execute and lose the answer, and the connection unless it hangs."""
        one.withheld(execute)
        if fault.reset:
            one.reset()
        elif not fault.hang:
            one.close()

    def delay(self, one: FutuSocket, _frame: Frame, fault: Fault, execute: Callable[[], None]) -> None:
        """Wait before the request is executed, or before its answer leaves."""
        work = execute
        if fault.executed:
            held = one.withheld(execute)

            def work() -> None:
                for data in held:
                    one.put(data)

        over = self._desk.wait_s(fault.delay_s)
        over.add_done_callback(lambda done: None if done.cancelled() else work())

    def fail(self, one: FutuSocket, frame: Frame, fault: Fault, execute: Callable[[], None]) -> None:
        """Answer with a refusal, whether it is executed or not."""
        if fault.executed:
            one.withheld(execute)
        self._refused(one, frame, fault)

    def cut(self, one: FutuSocket, _frame: Frame, _fault: Fault, execute: Callable[[], None]) -> None:
        """Execute, answer with half of a frame, and close."""
        for data in one.withheld(execute):
            one.cut(data)

    def _refused(self, one: FutuSocket, frame: Frame, fault: Fault) -> None:
        text = fault.msg or _TEXTS.get(fault.kind, "the request failed")
        self._refuse(one, frame, FutuRefused(text, fault.code if fault.code < 0 else FAILED))

    # --- out --------------------------------------------------------------------------------------------------------

    def send(self, one: FutuSocket, data: bytes, key: str = "") -> None:
        """Send a frame, or what the faults make of it."""
        now_ns = self._desk.now_ns()
        if not self._script.has(FRAME_SCOPES, now_ns):
            _pass(one, data, key)
            return
        stream = push_name(data)
        place = futu_place(one, stream=stream)
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
            lambda fault: fault.kind in _FRAMES and (stream != REPLY or fault.stream == REPLY),
        )
        if armed is None:
            _pass(one, data, key)
        else:
            _FRAMES[armed.fault.kind](one, data, key)

    # --- connections, and what lasts --------------------------------------------------------------------------------

    def strike(self, armed: ArmedFault, one: FutuSocket) -> None:
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
            if not one.is_closing and armed.take(futu_place(one)):
                self.strike(armed, one)

    def bend(self, now_ns: int) -> None:
        """Bring what lasts to what the script says now."""
        for one in self._sockets():
            self.bend_one(one, now_ns)
        lost = [one.fault.connection for one in self._script.active(Scope.STATE, now_ns) if _cuts_off(one)]
        self._side.quote_is_up = not any(which in ("", "quote") for which in lost)
        self._side.trade_is_up = not any(which in ("", "trade") for which in lost)
        still = self._script.armed()
        for one, armed in self._frozen:
            if armed.has_ended(now_ns) or armed not in still:
                one.outlet.abort()
        self._frozen = [pair for pair in self._frozen if pair[1] in still and not pair[1].has_ended(now_ns)]

    def bend_one(self, one: FutuSocket, now_ns: int) -> None:
        """Let what lasts concern one connection."""
        place = futu_place(one)
        one.outlet.is_trickling = self._script.lasting("one_byte_writes", place, now_ns) is not None
        one.stall(is_stalled=self._script.lasting("slow_reader", place, now_ns) is not None)


def futu_place(one: FutuSocket, proto_id: int = 0, stream: str = "") -> Place:
    """Return where a connection, one request or one frame of it is; requests and pushes go by the names of their protocols."""
    endpoint = PROTOCOLS.get(proto_id, str(proto_id)) if proto_id else ""
    return Place("futu", endpoint, stream, (one.kind,), "", stream == _FILL)


def push_name(data: bytes) -> str:
    """Return the name of a push's protocol, "reply" for an answer.

    Source: Futu OpenAPI documentation, Protocol Introduction (protocol structure).
    """
    proto_id: int = HEADER.unpack_from(data)[1]
    return PROTOCOLS[proto_id] if proto_id in PUSHES else REPLY


def _cuts_off(armed: ArmedFault) -> bool:
    return armed.fault.kind == "upstream_lost" and armed.fault.product in ("", "futu")


def _pass(one: FutuSocket, data: bytes, key: str) -> None:
    if key:
        one.put_latest(data, key)
    else:
        one.put(data)


def _swallow(_one: FutuSocket, _data: bytes, _key: str) -> bool:
    return False


def _twice(one: FutuSocket, data: bytes, _key: str) -> None:
    one.put(data)
    one.put(data)


def _spoil(one: FutuSocket, data: bytes, _key: str) -> None:
    """Send a frame whose body is not what its SHA-1 says."""
    one.put(data[:-1] + bytes((data[-1] ^ 0xFF,)))


def _half(one: FutuSocket, data: bytes, _key: str) -> None:
    one.cut(data)


_INIT_CONNECT: Final = 1001
_FRAMES: Final[dict[str, Callable[[FutuSocket, bytes, str], object]]] = {
    "gap": _swallow,
    "go_silent": _swallow,
    "duplicate_fills": _twice,
    "malformed_frame": _spoil,
    "cut_mid_frame": _half,
}
_REQUESTS: Final[dict[str, Callable[[FutuFaults, FutuSocket, Frame, Fault, Callable[[], None]], None]]] = {
    "ack_lost": FutuFaults.lose,
    "delay": FutuFaults.delay,
    "error_code": FutuFaults.fail,
    "too_many_requests": FutuFaults.fail,
    "cut_answer": FutuFaults.cut,
}
