"""A tiny TWS on loopback that speaks frames and does as it is told: split replies, bursts, nonsense, silence, resets."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from tests.support.waiting import wait_until

LONG_AGO = "20261128 02:37:00 EST"


def frame(*fields: object) -> bytes:
    """Return a framed message of text fields."""
    body = "".join(f"{field}\0" for field in fields).encode("ascii", "backslashreplace")
    return struct.pack("!I", len(body)) + body


class RawClient:
    """One client that has connected."""

    def __init__(self, server: "IbRawServer", made: socket.socket) -> None:
        self.socket = made
        self.greeting = ""
        self.received: list[list[str]] = []
        self.gone = False
        self._server = server
        self._buffer = b""
        self.thread = threading.Thread(target=self._serve, name="ib-raw-client")

    def send(self, data: bytes) -> None:
        with suppress(OSError):
            self.socket.sendall(data)

    def tell(self, *fields: object) -> None:
        self.send(frame(*fields))

    def fin(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def rst(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RD)
        self.socket.close()

    def messages(self, message_id: int) -> list[list[str]]:
        return [fields for fields in tuple(self.received) if fields[0] == str(message_id)]

    def _serve(self) -> None:
        try:
            if self._exactly(4) != b"API\0":
                return
            self.greeting = self._body().decode()
            self._server.greet(self)
            while True:
                fields = self._body().decode("latin-1").split("\0")[:-1]
                self.received.append(fields)
                self._server.answer(self, fields)
        except (OSError, ValueError):
            pass
        finally:
            self.gone = True
            self.socket.close()

    def _body(self) -> bytes:
        (length,) = struct.unpack("!I", self._exactly(4))
        return self._exactly(length)

    def _exactly(self, number: int) -> bytes:
        while len(self._buffer) < number:
            if self._server.deaf.is_set():
                self._server.hears_again.wait()
            part = self.socket.recv(65_536)
            if not part:
                raise OSError("the client has gone")
            self._buffer += part
        found, self._buffer = self._buffer[:number], self._buffer[number:]
        return found


class IbRawServer:
    """Greets, tells accounts and the next id, answers the time; everything else as the test says."""

    def __init__(self, port: int = 0) -> None:
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self.listener.getsockname()[1])
        self.version = 157
        self.accounts = "DU1000001"
        self.next_id = 1
        self.mute = False
        self.tells_time = True
        self.used_ids = False
        self.on_greet: Callable[[RawClient, bytes], None] | None = None
        """Sends the version reply in place of the server."""
        self.on_message: Callable[[RawClient, list[str]], None] | None = None
        self.clients: list[RawClient] = []
        self.deaf = threading.Event()
        self.hears_again = threading.Event()
        self.hears_again.set()
        self._thread = threading.Thread(target=self._accept, name="ib-raw-listener")

    def start(self) -> "IbRawServer":
        self._thread.start()
        return self

    def stop(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.hears_again.set()
        for client in self.clients:
            client.fin()
        self._thread.join(5)
        for client in self.clients:
            client.thread.join(5)

    @property
    def client(self) -> RawClient:
        """Return the client that connected last."""
        wait_until(lambda: bool(self.clients))
        return self.clients[-1]

    def greet(self, client: RawClient) -> None:
        reply = frame(self.version, LONG_AGO)
        if self.on_greet is not None:
            self.on_greet(client, reply)
        elif not self.mute:
            client.send(reply)

    def answer(self, client: RawClient, fields: list[str]) -> None:
        if self.mute:
            return
        if fields[0] == "71":
            self._begin(client)
        elif fields[0] == "49" and self.tells_time:
            client.tell(49, 1, 1_795_000_000)
        if self.on_message is not None:
            self.on_message(client, fields)

    def _begin(self, client: RawClient) -> None:
        if self.used_ids:
            client.tell(4, 2, -1, 326, "Unable to connect as the client id is already in use.")
            client.fin()
            return
        client.tell(15, 1, self.accounts)
        client.tell(9, 1, self.next_id)
        client.tell(4, 2, -1, 2104, "Market data farm connection is OK:usfarm")

    def _accept(self) -> None:
        while True:
            try:
                made, _ = self.listener.accept()
            except OSError:
                return
            client = RawClient(self, made)
            self.clients.append(client)
            client.thread.start()
