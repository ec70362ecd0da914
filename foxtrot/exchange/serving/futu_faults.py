"""What faults do to FutuOpenD's connections, and to OpenD's own link upstream."""

from collections.abc import Callable
from typing import Final

from foxtrot.exchange.fault_script import ArmedFault, Place
from foxtrot.exchange.faults import Fault, Scope
from foxtrot.exchange.serving.fault_desk import FaultDesk
from foxtrot.exchange.serving.framed_faults import REPLY, FramedFaults
from foxtrot.exchange.serving.futu_socket import FutuSocket
from foxtrot.exchange.wire.futu.frame import HEADER, Frame
from foxtrot.exchange.wire.futu.message_types import PROTOCOLS, PUSHES
from foxtrot.exchange.wire.futu.refusal import FAILED, FutuRefused
from foxtrot.exchange.wire.futu.venue_side import FutuSide

_FILL: Final = "Trd_UpdateOrderFill"
_INIT_CONNECT: Final = 1001
Refuse = Callable[[FutuSocket, Frame, FutuRefused], None]


class FutuFaults(FramedFaults[FutuSocket, Frame]):
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
        super().__init__(desk, sockets)
        self._side = side
        self._refuse = refuse

    def place(self, one: FutuSocket, message: Frame | None = None, stream: str = "") -> Place:
        """Return where a connection, one request or one frame of it is; requests and pushes go by the names of their protocols."""
        endpoint = "" if message is None else PROTOCOLS.get(message.proto_id, str(message.proto_id))
        return Place("futu", endpoint, stream, (one.kind,), "", stream == _FILL)

    def stream_of(self, data: bytes) -> str:
        """Return the name of a push's protocol, "reply" for an answer."""
        proto_id: int = HEADER.unpack_from(data)[1]
        return PROTOCOLS[proto_id] if proto_id in PUSHES else REPLY

    def is_handshake(self, _one: FutuSocket, message: Frame) -> bool:
        """Tell whether a request is InitConnect."""
        return message.proto_id == _INIT_CONNECT

    def refuse(self, one: FutuSocket, message: Frame, fault: Fault, text: str) -> None:
        """Answer a request with a refusal."""
        told = "InitConnect is refused" if fault.scope is Scope.HANDSHAKE and not fault.msg else text
        self._refuse(one, message, FutuRefused(told, fault.code if fault.code < 0 else FAILED))

    def spoilt(self, data: bytes, _fault: Fault) -> bytes:
        """Return a frame whose body is not what its SHA-1 says."""
        return data[:-1] + bytes((data[-1] ^ 0xFF,))

    def bend_states(self, now_ns: int) -> None:
        """Cut OpenD off its servers, or link it again."""
        lost = [one.fault.connection for one in self._script.active(Scope.STATE, now_ns) if _cuts_off(one)]
        self._side.quote_is_up = not any(which in ("", "quote") for which in lost)
        self._side.trade_is_up = not any(which in ("", "trade") for which in lost)


def _cuts_off(armed: ArmedFault) -> bool:
    return armed.fault.kind == "upstream_lost" and armed.fault.product in ("", "futu")
