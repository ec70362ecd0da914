"""FutuOpenD's protocol on sockets: bytes of asyncio in, the surface's frames out, faults between."""

from foxtrot.exchange.serving.fault_desk import FaultDesk
from foxtrot.exchange.serving.framed_listener import FramedListener
from foxtrot.exchange.serving.futu_faults import FutuFaults
from foxtrot.exchange.serving.futu_socket import FutuSocket
from foxtrot.exchange.serving.listener import SharedParts
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.frame import Frame
from foxtrot.exchange.wire.futu.gateway import FutuGateway
from foxtrot.exchange.wire.futu.message_types import PROTOCOLS
from foxtrot.exchange.wire.futu.refusal import FutuRefused

FUTU = "futu"
_PLACE_ORDER = 2202
_TRADE_IDS = range(2000, 3000)


class FutuListener(FramedListener[FutuSocket]):
    """Serves FutuOpenD's surface on any number of sockets.

    Thread: exchange-io.
    """

    def __init__(self, gateway: FutuGateway, desk: FaultDesk, shared: SharedParts, queue_bytes: int) -> None:
        super().__init__()
        self.gateway = gateway
        self._desk = desk
        self._shared = shared
        self._queue_bytes = queue_bytes
        self.faults = FutuFaults(desk, gateway.side, self.sockets, self._refuse)
        desk.guests.append(self.faults)
        gateway.on_order = self._note_order

    # --- inside -----------------------------------------------------------------------------------------------------

    def _protocol(self) -> FutuSocket:
        return FutuSocket(self._hear, self._open, self._gone, self._queue_bytes)

    def _open(self, one: FutuSocket) -> FutuClient:
        host = self._shared.host
        client = FutuClient(
            self._shared.numbers.take(),
            host.now_ns(),
            send=lambda data: self.faults.send(one, data),
            push=lambda data, key: self.faults.send(one, data, key),
            close=one.close,
        )
        self._sockets[client.number] = one
        self._shared.traffic.connections[FUTU] += 1
        self.faults.bend_one(one, self._desk.now_ns())
        self._shared.guard.run("a new connection", lambda: host.run(lambda: self.gateway.open(client)))
        return client

    def _gone(self, one: FutuSocket) -> None:
        self._sockets.pop(one.client.number, None)
        self._shared.guard.run("closed", lambda: self._shared.host.run(lambda: self.gateway.closed(one.client)))

    def _hear(self, one: FutuSocket, frame: Frame) -> None:
        name = PROTOCOLS.get(frame.proto_id, str(frame.proto_id))
        self._shared.traffic.note_request(FUTU, name, is_known=self.gateway.knows(frame.proto_id))
        if frame.proto_id in _TRADE_IDS:
            one.kind = "trade"
        self.faults.request(one, frame, lambda: self._execute(one, frame, name))

    def _note_order(self, account: str, remark: str) -> None:
        """Keep the customer's mark of an order that came."""
        place = (FUTU, PROTOCOLS[_PLACE_ORDER], account)
        self._shared.traffic.note_orders(self._shared.host.now_ns(), place, [remark])

    def _refuse(self, one: FutuSocket, frame: Frame, refused: FutuRefused) -> None:
        self.gateway.refuse(one.client, frame, refused)

    def _execute(self, one: FutuSocket, frame: Frame, name: str) -> None:
        host = self._shared.host
        if not self._shared.guard.run(name, lambda: host.run(lambda: self.gateway.receive(one.client, frame))):
            self._refuse(one, frame, FutuRefused("An unknown error occurred in the server"))
