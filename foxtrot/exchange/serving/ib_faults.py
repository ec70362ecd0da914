"""What faults do to TWS's connections, and to TWS's own links upstream."""

from collections.abc import Callable
from typing import Final

from foxtrot.exchange.fault_script import Place
from foxtrot.exchange.faults import Fault, Scope
from foxtrot.exchange.serving.fault_desk import FaultDesk
from foxtrot.exchange.serving.framed_faults import REFUSALS, FramedFaults
from foxtrot.exchange.serving.ib_socket import IbSocket
from foxtrot.exchange.wire.ib.connectivity import DATA_KEPT, DATA_LOST
from foxtrot.exchange.wire.ib.frame import FIELD_END, LENGTH
from foxtrot.exchange.wire.ib.gateway import IbGateway
from foxtrot.exchange.wire.ib.handshake import IN_USE
from foxtrot.exchange.wire.ib.limits import MOST, TOO_MANY
from foxtrot.exchange.wire.ib.message_names import callback_name, request_id_of, request_name
from foxtrot.exchange.wire.ib.refusal import NO_REQUEST
from foxtrot.exchange.wire.ib.venue_side import MARKET_FARM

IB: Final = "ib"
PACING: Final = 162
PACING_TEXT: Final = "Historical Market Data Service error message:API historical data query pacing violation"
_FILL: Final = "execDetails"
_VERSION: Final = "API"
_HISTORY: Final = "reqHistoricalData"
_PAUSE_S: Final = 0.05
_SILENCE_S: Final = 1.5
_SECOND_NS: Final = 1_000_000_000
_IN_USE_TEXT: Final = "Unable to connect as the client id is already in use. Retry with a unique client id."


class IbFaults(FramedFaults[IbSocket, bytes]):
    """Stands between the sockets of TWS's protocol and its surface.

    Thread: exchange-io.

    Args:
        desk: the script of faults and its clock.
        gateway: the surface; its links upstream are states of it.
        sockets: returns the open connections.
    """

    def __init__(self, desk: FaultDesk, gateway: IbGateway, sockets: Callable[[], tuple[IbSocket, ...]]) -> None:
        super().__init__(desk, sockets)
        self._gateway = gateway
        self._restored_by = DATA_KEPT
        self._quiet: dict[IbSocket, int] = {}
        self._frames |= {
            "duplicate_orders": self._frames["duplicate_fills"],
            "malformed_number": lambda one, data, _key, fault: one.put(_with_last(data, fault.text or "abc")),
            "burst_4096": self._burst,
        }

    def place(self, one: IbSocket, message: bytes | None = None, stream: str = "") -> Place:
        """Return where a connection, one request or one frame of it is, by the names of TWS API's functions and callbacks."""
        endpoint = "" if message is None else request_name(message) if one.client.version else _VERSION
        return Place(IB, endpoint, stream, (), "", stream == _FILL)

    def stream_of(self, data: bytes) -> str:
        """Return the name of the callback that a frame becomes."""
        return callback_name(data)

    def is_handshake(self, one: IbSocket, _message: bytes) -> bool:
        """Tell whether a client is not in yet."""
        return not one.client.is_started

    def acts_on_handshake(self, one: IbSocket, _message: bytes) -> Callable[[Fault], bool]:
        """Return which faults act on this step: the version may come in two pieces, START_API may be refused."""
        if not one.client.version:
            return lambda fault: fault.kind == "split_handshake"
        return lambda fault: fault.kind in REFUSALS

    def handshake(self, one: IbSocket, message: bytes, fault: Fault, execute: Callable[[], None]) -> None:
        """Refuse START_API, or send the version in two segments."""
        if fault.kind != "split_handshake":
            self.refused(one, message, fault)
            return
        for data in one.withheld(execute):
            one.put_split(data, self._after_pause)

    def refuse(self, one: IbSocket, message: bytes, fault: Fault, text: str) -> None:
        """Answer a request with an error: one of pacing, the one that was told, or that the client id is in use."""
        if fault.scope is Scope.HANDSHAKE:
            self._gateway.refuse_start(one.client, IN_USE, fault.msg or _IN_USE_TEXT)
        elif fault.kind != "too_many_requests":
            self._gateway.error(one.client, request_id_of(message), fault.code, text)
        elif request_name(message) == _HISTORY:
            self._gateway.error(one.client, request_id_of(message), PACING, fault.msg or PACING_TEXT)
        else:
            told = f"Max rate of messages per second has been exceeded:max={MOST} rec={MOST + 1} (1)"
            self._gateway.error(one.client, NO_REQUEST, TOO_MANY, fault.msg or told)

    def spoilt(self, data: bytes, _fault: Fault) -> bytes:
        """Return a message that lacks its last field."""
        fields = data[LENGTH.size : -1].split(FIELD_END)[:-1] or [b"4"]
        return _framed(fields)

    def bend_states(self, now_ns: int) -> None:
        """Bring TWS's links, and the farms of data, to what the script says now."""
        active = [one.fault for one in self._script.active(Scope.STATE, now_ns) if one.fault.product in ("", IB)]
        link = self._gateway.connectivity
        broken = {fault.text or MARKET_FARM for fault in active if fault.kind == "farm_broken"}
        if any(fault.kind == "nightly_reset" for fault in active):
            broken.update(self._gateway.side.farms)
        lost = [fault for fault in active if fault.kind in ("upstream_lost", "nightly_reset")]
        if lost:
            self._restored_by = lost[0].code or (DATA_LOST if lost[0].kind == "nightly_reset" else DATA_KEPT)
        link.set_upstream(is_up=not lost, code=self._restored_by)
        for farm in self._gateway.side.farms:
            link.set_farm(farm, is_up=farm not in broken)
        open_now = set(self._sockets())
        self._quiet = {one: until for one, until in self._quiet.items() if until > now_ns and one in open_now}

    def is_held(self, one: IbSocket, now_ns: int) -> bool:
        """Tell whether nothing leaves: the client is slow, or there is silence after a burst."""
        return super().is_held(one, now_ns) or self._quiet.get(one, 0) > now_ns

    def _burst(self, one: IbSocket, data: bytes, _key: str, fault: Fault) -> None:
        """Send 4096 bytes at once, then nothing for longer than a second."""
        one.put_burst(data)
        now_ns = self._desk.now_ns()
        self._quiet[one] = now_ns + int((fault.delay_s or _SILENCE_S) * _SECOND_NS)
        self.bend_one(one, now_ns)

    def _after_pause(self, work: Callable[[], None]) -> None:
        over = self._desk.wait_s(_PAUSE_S)
        over.add_done_callback(lambda done: None if done.cancelled() else work())


def _with_last(data: bytes, text: str) -> bytes:
    """Return a message whose last field is another text."""
    fields = data[LENGTH.size : -1].split(FIELD_END)
    return _framed([*fields[:-1], text.encode("ascii", "replace")])


def _framed(fields: list[bytes]) -> bytes:
    body = b"".join(field + FIELD_END for field in fields)
    return LENGTH.pack(len(body)) + body
