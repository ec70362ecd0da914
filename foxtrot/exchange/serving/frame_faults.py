"""What faults do to frames on their way to a client and to open connections."""

from collections.abc import Callable
from typing import Final

from foxtrot.exchange.fault_script import ArmedFault, FaultScript, Place
from foxtrot.exchange.faults import Fault, Scope
from foxtrot.exchange.serving.binance_frames import REPLY, FrameFacts, read_frame, spoil_number
from foxtrot.exchange.serving.client_socket import GOING_AWAY, ClientSocket

FRAME_SCOPES: Final = (Scope.FRAME, Scope.CONNECTION)
_SECOND_NS: Final = 1_000_000_000
_LONGEST_HOLD_S: Final = 1.0
_BROKEN: Final = '{"e":"depthUpdate","E":1'


class FrameFaults:
    """Lets every frame pass unless a fault is armed that concerns frames or connections.

    Thread: exchange-io.
    """

    def __init__(self, script: FaultScript, now_ns: Callable[[], int]) -> None:
        self._script = script
        self._now_ns = now_ns
        self._frozen: list[tuple[ClientSocket, ArmedFault]] = []
        self._spoil: dict[str, Callable[[ClientSocket, Fault, str], None]] = {
            "duplicate_fills": _twice,
            "reorder_fills": self._hold,
            "malformed_number": lambda socket, fault, text: socket.put(spoil_number(text, fault.text or "NaN")),
            "malformed_frame": lambda socket, fault, text: socket.put(fault.text or _BROKEN),
            "cut_mid_frame": lambda socket, fault, text: socket.cut(text),
        }

    def send(self, socket: ClientSocket, text: str) -> None:
        """Send a frame, or what the faults make of it."""
        now_ns = self._now_ns()
        if not (socket.replies or socket.held or self._script.has(FRAME_SCOPES, now_ns)):
            socket.put(text)
            return
        facts = read_frame(text)
        changed = self._reply(socket, facts, text)
        if changed is not None:
            self._send(socket, facts, changed, now_ns)

    def strike(self, armed: ArmedFault, socket: ClientSocket) -> None:
        """Do to a connection what a fault of connections asks for."""
        fault = armed.fault
        if fault.kind == "close":
            socket.close(fault.code or GOING_AWAY, fault.msg)
        elif fault.kind == "close_without_frame":
            socket.is_closing = True
            socket.outlet.end()
        elif fault.kind == "reset":
            socket.is_closing = True
            socket.outlet.reset()
        else:
            socket.outlet.freeze()
            self._frozen.append((socket, armed))

    def tick(self, sockets: tuple[ClientSocket, ...], now_ns: int) -> None:
        """Release what was held too long, and drop the sockets that were frozen for their time."""
        for socket in sockets:
            if socket.held and now_ns >= socket.held_until_ns:
                text, socket.held = socket.held, ""
                socket.put(text)
        still = self._script.armed()
        for socket, armed in self._frozen:
            if armed.has_ended(now_ns) or armed not in still:
                socket.outlet.abort()
        self._frozen = [one for one in self._frozen if one[1] in still and not one[1].has_ended(now_ns)]

    def _reply(self, socket: ClientSocket, facts: FrameFacts, text: str) -> str | None:
        """Let who waits for the answer to a request have it first: it may change, keep or drop it."""
        waiting = socket.replies.pop(facts.reply_id, None) if facts.stream == REPLY else None
        return waiting(text) if waiting else text

    def _send(self, socket: ClientSocket, facts: FrameFacts, text: str, now_ns: int) -> None:
        if socket.held and facts.is_fill:
            held, socket.held = socket.held, ""
            socket.put(text)
            socket.put(held)
            return
        place = socket_place(socket, facts)
        broken = self._script.take(Scope.CONNECTION, place, now_ns)
        if broken is not None:
            self.strike(broken, socket)
            return
        armed = self._script.take(
            Scope.FRAME, place, now_ns, lambda fault: facts.stream != REPLY or fault.stream == REPLY
        )
        if armed is None:
            socket.put(text)
        elif armed.fault.kind in self._spoil:
            self._spoil[armed.fault.kind](socket, armed.fault, text)

    def _hold(self, socket: ClientSocket, fault: Fault, text: str) -> None:
        socket.held = text
        socket.held_until_ns = self._now_ns() + int((fault.delay_s or _LONGEST_HOLD_S) * _SECOND_NS)


def socket_place(socket: ClientSocket, facts: FrameFacts | None = None) -> Place:
    """Return where a connection, or one frame of it, is."""
    stream, is_fill = (facts.stream, facts.is_fill) if facts else ("", False)
    return Place(socket.product, "", stream, socket.kinds, socket.account, is_fill)


def _twice(socket: ClientSocket, _fault: Fault, text: str) -> None:
    socket.put(text)
    socket.put(text)
