"""TWS's protocol on sockets: bytes of asyncio in, the surface's messages out, faults between."""

from foxtrot.exchange.serving.fault_desk import FaultDesk
from foxtrot.exchange.serving.framed_listener import FramedListener
from foxtrot.exchange.serving.ib_faults import IB, IbFaults
from foxtrot.exchange.serving.ib_socket import IbSocket
from foxtrot.exchange.serving.listener import SharedParts
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.gateway import PLACE_ORDER, IbGateway
from foxtrot.exchange.wire.ib.message_names import REQUESTS, request_id_of, request_name
from foxtrot.exchange.wire.ib.refusal import PROCESSING


class IbListener(FramedListener[IbSocket]):
    """Serves TWS's surface on any number of sockets.

    Thread: exchange-io.
    """

    def __init__(self, gateway: IbGateway, desk: FaultDesk, shared: SharedParts, queue_bytes: int) -> None:
        super().__init__()
        self.gateway = gateway
        self._desk = desk
        self._shared = shared
        self._queue_bytes = queue_bytes
        self.faults = IbFaults(desk, gateway, self.sockets)
        desk.guests.append(self.faults)
        gateway.on_order = self._note_order

    # --- inside -----------------------------------------------------------------------------------------------------

    def _protocol(self) -> IbSocket:
        return IbSocket(self._hear, self._open, self._gone, self._queue_bytes)

    def _open(self, one: IbSocket) -> IbClient:
        host = self._shared.host
        client = IbClient(
            self._shared.numbers.take(),
            host.now_ns(),
            send=lambda data: self.faults.send(one, data),
            push=lambda data, key: self.faults.send(one, data, key),
            close=one.close,
            is_slow=lambda: one.is_behind,
        )
        self._sockets[client.number] = one
        self._shared.traffic.connections[IB] += 1
        self._shared.guard.run("a new connection", lambda: host.run(lambda: self.gateway.open(client)))
        return client

    def _gone(self, one: IbSocket) -> None:
        self._sockets.pop(one.client.number, None)
        self._shared.guard.run("closed", lambda: self._shared.host.run(lambda: self.gateway.closed(one.client)))

    def _hear(self, one: IbSocket, body: bytes) -> None:
        if one.is_closing:
            return
        name = request_name(body)
        if one.client.version:
            self._shared.traffic.note_request(IB, name, is_known=name in REQUESTS.values())
        self.faults.request(one, body, lambda: self._execute(one, body, name))

    def _note_order(self, account: str, order_ref: str) -> None:
        """Keep the customer's mark of an order that came."""
        self._shared.traffic.note_orders(self._shared.host.now_ns(), (IB, REQUESTS[PLACE_ORDER], account), [order_ref])

    def _execute(self, one: IbSocket, body: bytes, name: str) -> None:
        host = self._shared.host
        if not self._shared.guard.run(name, lambda: host.run(lambda: self.gateway.receive(one.client, body))):
            self.gateway.error(
                one.client, request_id_of(body), PROCESSING, "Error processing request: it failed in the server"
            )
