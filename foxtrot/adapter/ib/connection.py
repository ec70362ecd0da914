"""The socket to TWS, in place of ibapi's own, which loses messages, hangs in the handshake and closes late.

Source: seen with ibapi 9.81 and 10.46 (connection.py, client.py): bursts of 4096 bytes are dropped, a version reply in two segments is
    waited for without end, partial sends are ignored, and a close without a shutdown is seen a second later.
"""

import selectors
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

PermitCheck = Callable[[Callable[[], None]], bool]
"""Calls what it is given, which hands bytes to the socket, if an order may leave, and tells whether it did: `SendPermit.send`."""
CONNECT_S: Final = 3.0
"""How long each address of a host may take to accept a connection."""
READ_S: Final = 1.0
"""How often ibapi's reader looks whether it is still wanted."""
CHUNK: Final = 16_384
"""How much is read at once; of what is read ibapi's reader copies the rest for each message."""
LONGEST_HELLO: Final = 4_096
"""How long a frame of the handshake may be; a longer one comes from something that is no TWS."""


class Outgoing:
    """What becomes of one message on its way to the socket.

    Thread: ib-send.
    """

    def __init__(self, permit_check: PermitCheck | None = None) -> None:
        self.permit_check = permit_check
        self.refused = False
        """Whether the send permit did not let it leave."""
        self.begun = False
        """Whether a byte of it may have left."""
        self.whole = False
        self.failure = ""


class SafeConnection:
    """A connection as ibapi's client uses it: `connect`, `isConnected`, `sendMsg`, `recvMsg`, `disconnect`.

    Until the version reply has come frames are read one by one, so that nothing behind it is lost.

    Thread: `connect` ib-dial; `recvMsg` ibapi's reader, ib-dial until the handshake is done; `sendMsg` ib-send, likewise; `disconnect` any.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.socket: socket.socket | None = None
        self.wrapper: Any = None
        self.lock = threading.Lock()
        self.stall_s = 5.0
        """How long TWS may take nothing from a full socket."""
        self.outgoing: Outgoing | None = None
        """The message that ib-send is about to send."""
        self.cause = ""
        """Why it is closed."""
        self.on_closed: Callable[[], None] | None = None
        self._writer: socket.socket | None = None
        self._greeting = True
        self._closed = False

    # --- life -------------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Connect to the first address of the host that accepts.

        Blocks: for the look-up of a name, and at most 3 s for each address.

        Raises:
            OSError: none does.
        """
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            self.cause = f"there is no host {self.host!r}: {error.strerror or error}"
            raise
        for position, (family, kind, protocol, _, address) in enumerate(found):
            try:
                self._connect(socket.socket(family, kind, protocol), address)
            except OSError as error:
                self._drop_socket()
                if self._closed or position == len(found) - 1:
                    self.cause = self.cause or f"{self.host}:{self.port} cannot be reached: {error.strerror or error}"
                    raise
            else:
                return

    def _connect(self, made: socket.socket, address: Any) -> None:
        with self.lock:
            if self._closed:
                made.close()
                raise ConnectionAbortedError("the connection is not wanted any more")
            self.socket = made
        made.settimeout(CONNECT_S)
        made.connect(address)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.settimeout(READ_S)
        writer = made.dup()  # a timeout belongs to the object, and what sends must never wait with the permit held
        writer.settimeout(0.0)
        with self.lock:
            self._writer = writer
            unwanted = bool(self._closed)
        if unwanted:
            self._drop_socket()
            raise ConnectionAbortedError("the connection is not wanted any more")

    def isConnected(self) -> bool:  # noqa: N802  # ibapi's name
        """Tell whether it stands."""
        return self._writer is not None and not self._closed

    def disconnect(self, cause: str = "") -> None:
        """Close both ways at once; the first cause is kept."""
        with self.lock:
            was_open, self._closed = not self._closed, True
        if was_open:
            self.cause = self.cause or cause
        self._drop_socket()
        if was_open and self.on_closed is not None:
            self.on_closed()

    def _drop_socket(self) -> None:
        with self.lock:
            dropped, self.socket, self._writer = (self.socket, self._writer), None, None
        for one in dropped:
            if one is not None:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()

    # --- reading ----------------------------------------------------------------------------------------------------

    def recvMsg(self) -> bytes:  # noqa: N802  # ibapi's name
        """Return what has come: whole frames of the handshake, then whatever there is; nothing after a second of silence.

        Blocks: at most a second; during the handshake until a frame has come, or `disconnect`.
        """
        if self._greeting:
            return self._recv_greeting()
        taken = self.socket
        if taken is None:
            return b""
        try:
            found = taken.recv(CHUNK)
        except TimeoutError:
            return b""
        except OSError as error:
            self.disconnect(f"the connection broke: {error.strerror or error}")
            return b""
        if not found:
            self.disconnect("TWS has closed the connection")
        return found

    def _recv_greeting(self) -> bytes:
        """Return one frame; the version reply, which has two fields, ends the handshake."""
        try:
            head = self._exactly(4)
            (length,) = struct.unpack("!I", head)
            if length > LONGEST_HELLO:
                raise OSError(f"what answered is no TWS: {head!r}")
            body = self._exactly(length)
        except OSError as error:
            self.disconnect(error.strerror or str(error))
            return b""
        if body.count(b"\0") == 2:
            self._greeting = False
        return head + body

    def _exactly(self, number: int) -> bytes:
        """Return so many bytes, however long they take: whoever dials sets the time, and disconnects."""
        found = b""
        while len(found) < number:
            taken = self.socket
            if taken is None:
                raise OSError("the connection is not wanted any more")
            with suppress(TimeoutError):
                part = taken.recv(number - len(found))
                if not part:
                    raise OSError("TWS has closed the connection before it told its version")
                found += part
        return found

    # --- sending ----------------------------------------------------------------------------------------------------

    def sendMsg(self, message: bytes) -> int:  # noqa: N802  # ibapi's name
        """Hand a whole message to the socket, if its permit lets it; returns how many bytes have left.

        The permit is read when the socket has room, as the last thing before the bytes go; it is never held while anything waits.

        Blocks: while TWS takes nothing from a full socket, at most `stall_s`, after which the connection is closed.
        """
        outgoing = self.outgoing or Outgoing()
        left = 0
        while left < len(message):
            writer = self._writer
            if writer is None:
                outgoing.failure = self.cause or "not connected"
                return left
            sent = self._offer(writer, message[left:], outgoing)
            if outgoing.refused or sent < 0:
                return left
            left += sent
            if sent == 0 and not self._wait_for_room(writer):
                outgoing.failure = f"TWS has taken nothing for {self.stall_s:g} s"
                self.disconnect(outgoing.failure)
                return left
        outgoing.whole = True
        return left

    def _offer(self, writer: socket.socket, message: bytes, outgoing: Outgoing) -> int:
        """Return how many bytes the socket took, 0 when it is full, -1 when it is broken."""
        taken = [0]

        def hand_over() -> None:
            try:
                taken[0] = writer.send(message)
            except BlockingIOError:
                return
            except OSError as error:
                taken[0] = -1
                outgoing.failure = f"the connection broke: {error.strerror or error}"

        check = None if outgoing.begun else outgoing.permit_check
        if check is None:
            hand_over()
        elif not check(hand_over):
            outgoing.refused = True
            return 0
        outgoing.begun = outgoing.begun or taken[0] > 0
        if taken[0] < 0:
            self.disconnect(outgoing.failure)
        return taken[0]

    def _wait_for_room(self, writer: socket.socket) -> bool:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(writer, selectors.EVENT_WRITE)
                return bool(selector.select(self.stall_s))
        except (OSError, ValueError):
            return True  # it is closed, which the next attempt sees
