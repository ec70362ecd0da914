"""An exchange that serves TWS's protocol on loopback, and a client of it made of a socket and frames alone, for tests."""

import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal

from foxtrot.core.clock import Clock
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.ib.surface_settings import IbSettings

ACCOUNT = "main"
ACCOUNT_ID = "DU1000001"
VENUE_ACCOUNT = "main-ib"
MONEY = {"USD": Decimal(1_000_000), "EUR": Decimal(100_000), "HKD": Decimal(1_000_000)}
DEADLINE_S = 10.0
_LENGTH_BYTES = 4
_FIRST_MESSAGES = 5
"""Accounts, the next order id, and one notice for each of three farms."""


@contextmanager
def served_ib(
    *,
    agents: int = 0,
    ib: IbSettings | None = None,
    clock: Clock | None = None,
    accounts: tuple[str, ...] = (ACCOUNT,),
    instruments: tuple[Instrument, ...] | None = None,
    queue_bytes: int = 4_194_304,
    faults: tuple[Fault, ...] = (),
) -> Iterator[ExchangeServer]:
    """A running server with one account, and without other traders unless told; nothing of it may have failed at the end."""
    settings = ServerSettings(
        ports=ServerPorts(ib=0, control=0),
        accounts=tuple(AccountSetup(name, balances=MONEY) for name in accounts),
        instruments=instruments,
        agents=agents,
        ib=ib or IbSettings(),
        queue_bytes=queue_bytes,
        faults=faults,
    )
    server = ExchangeServer(settings, clock)
    server.start()
    try:
        yield server
        assert server.failures == ()
    finally:
        assert server.stop() == ""


def ib_port(server: ExchangeServer) -> int:
    """Return the port that TWS's protocol is served on."""
    port = server.ports["ib"]
    assert port is not None
    return port


class RawIb:
    """One connection, written from the description of the protocol: it does what no library would."""

    def __init__(self, port: int, *, receive_bytes: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(("127.0.0.1", port))
        self.version = 0
        self.heard: list[list[str]] = []
        """Every message that was read, in order."""
        self._bytes = bytearray()
        self._messages: deque[list[str]] = deque()

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def greet(self, versions: str = "v100..157") -> list[str]:
        """Say what is spoken and return the server's two fields."""
        body = versions.encode()
        self.socket.sendall(b"API\0" + len(body).to_bytes(_LENGTH_BYTES, "big") + body)
        told = self.read()
        self.version = int(told[0])
        return told

    def start(self, client_id: int = 1, versions: str = "v100..157") -> list[list[str]]:
        """Get in and return what the server says first: accounts, the next order id, and notices."""
        self.greet(versions)
        self.send(71, 2, client_id, "")
        first = [self.read()]
        while len(first) < _FIRST_MESSAGES and first[-1][3:4] not in (["326"], ["2110"]):
            first.append(self.read())
        return first

    def send(self, *fields: object) -> None:
        """Send one message."""
        body = b"".join(str(field).encode() + b"\0" for field in fields)
        self.send_body(body)

    def send_body(self, body: bytes) -> None:
        """Send a body as it is."""
        self.socket.sendall(len(body).to_bytes(_LENGTH_BYTES, "big") + body)

    def read(self) -> list[str]:
        """Return the fields of the next message.

        Raises:
            EOFError: the server closed the connection.
        """
        while not self._messages:
            data = self.socket.recv(65_536)
            if not data:
                raise EOFError("the server closed the connection")
            self._bytes += data
            self._cut()
        fields = self._messages.popleft()
        self.heard.append(fields)
        return fields

    def read_until(self, message_id: int) -> list[str]:
        """Return the next message of an id; what comes before it is in `heard`."""
        while True:
            fields = self.read()
            if fields[0] == str(message_id):
                return fields

    def is_closed(self) -> bool:
        """Read until the server closes the connection."""
        with suppress(ConnectionError):
            while True:
                try:
                    self.read()
                except EOFError:
                    return True
        return True

    def _cut(self) -> None:
        while len(self._bytes) >= _LENGTH_BYTES:
            end = _LENGTH_BYTES + int.from_bytes(self._bytes[:_LENGTH_BYTES], "big")
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[_LENGTH_BYTES:end])
            del self._bytes[:end]
            assert body.endswith(b"\0"), body
            self._messages.append(body[:-1].decode("ascii").split("\0"))


def stock_fields(symbol: str = "AAPL", exchange: str = "SMART", currency: str = "USD") -> tuple[object, ...]:
    """Return the twelve fields that name a share."""
    return (0, symbol, "STK", "", "0.0", "", "", exchange, "", currency, "", "")
