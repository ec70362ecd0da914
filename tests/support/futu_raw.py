"""A client of FutuOpenD's protocol made of a socket and the messages alone: it does what the SDK never would."""

import socket
from collections import deque
from typing import Any

from foxtrot.exchange.wire.futu.frame import Frame, FrameReader, encode_frame
from foxtrot.exchange.wire.futu.message_types import PROTOCOLS, messages

DEADLINE_S = 10.0


class RawFutu:
    """One connection; requests are answered in order, pushes are kept in `pushes`."""

    def __init__(self, port: int, *, receive_bytes: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(("127.0.0.1", port))
        self.pushes: list[Frame] = []
        self._reader = FrameReader()
        self._frames: deque[Frame] = deque()
        self._serial = 0

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def init(self, **more: Any) -> Any:
        """Send InitConnect and return its response."""
        return self.ask(1001, **{"clientVer": 300, "clientID": "raw", "recvNotify": True, **more})

    def ask(self, proto_id: int, **fields: Any) -> Any:
        """Send a request and return its response; what is pushed meanwhile is kept."""
        serial = self.send(proto_id, **fields)
        while True:
            frame = self.read()
            if (frame.proto_id, frame.serial) == (proto_id, serial):
                return response_of(frame)
            self.pushes.append(frame)

    def send(self, proto_id: int, **fields: Any) -> int:
        """Send a request and return its serial number."""
        request = messages(PROTOCOLS[proto_id]).Request()
        request.c2s.SetInParent()
        for name, value in fields.items():
            setattr(request.c2s, name, value)
        return self.send_bytes(proto_id, request.SerializePartialToString())

    def send_bytes(self, proto_id: int, plain: bytes, wire: bytes | None = None) -> int:
        """Send a body as it is and return its serial number."""
        self._serial += 1
        self.socket.sendall(encode_frame(proto_id, self._serial, plain, wire))
        return self._serial

    def read(self) -> Frame:
        """Return the next frame.

        Raises:
            EOFError: the server closed the connection.
        """
        while not self._frames:
            data = self.socket.recv(65_536)
            if not data:
                raise EOFError("the server closed the connection")
            self._frames.extend(self._reader.feed(data))
        return self._frames.popleft()


def response_of(frame: Frame) -> Any:
    """Return a plain frame as the Response of its protocol."""
    response = messages(PROTOCOLS.get(frame.proto_id, "KeepAlive")).Response()
    response.MergeFromString(frame.body)
    return response
