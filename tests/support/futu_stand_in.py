"""A tiny FutuOpenD on loopback for the life of a session: introductions, keep-alives, states and accounts, and what can go wrong."""

import asyncio
import hashlib
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.core.clock import SystemClock

HEADER = struct.Struct("<2sIBBII20s8s")
INIT, STATE, NOTIFY, KEEP_ALIVE, ACCOUNTS, SUB_PUSH = 1001, 1002, 1003, 1004, 2001, 2008
AES_KEY, AES_IV = "0123456789abcdef", "fedcba9876543210"
HK_AND_US = (1, 2)


def message(name: str, kind: str = "Response") -> Any:
    """Return an empty message of one of the SDK's generated modules."""
    module = __import__(f"futu.common.pb.{name}_pb2", fromlist=[kind])
    return getattr(module, kind)()


class FutuStandIn:
    """A server on a thread of its own; its switches may be set from the test's.

    `accounts` are (id, real, markets); `muted` are ids that are not answered, `refused` those that are refused, with the words.
    """

    def __init__(self, rsa_file: str = "") -> None:
        self.port = 0
        self.accounts: list[tuple[int, bool, tuple[int, ...]]] = [(1000001, False, HK_AND_US)]
        self.muted: set[int] = set()
        self.spoilt: set[int] = set()
        """Ids whose answers have a checksum that is wrong."""
        self.refused: dict[int, tuple[int, str]] = {}
        self.logged_in = (True, True)
        self.asked: list[int] = []
        self.pushed_accounts: list[tuple[int, ...]] = []
        self.connections: dict[int, asyncio.StreamWriter] = {}
        self._rsa_file = rsa_file
        self._bridge = AsyncBridge("futu-stand-in", SystemClock())
        self._server: asyncio.Server | None = None
        self.taken = 0
        """How many connections were taken, probes among them."""
        self._served: set[asyncio.Task[None]] = set()

    def start(self) -> "FutuStandIn":
        """Listen, on the port of the last time if there was one."""
        self._bridge.start()
        self._bridge.submit(self._listen()).result(5.0)
        return self

    def stop(self) -> None:
        """End every connection with FIN and listen no more."""
        if self._bridge.running:
            self._bridge.submit(self._end()).result(5.0)
            assert self._bridge.stop(5.0) == ""

    def drop(self) -> None:
        """End every connection with FIN; new ones are taken."""
        self._do(lambda: [writer.close() for writer in self.connections.values()])

    def abort(self) -> None:
        """End every connection with RST."""

        def reset() -> None:
            for writer in self.connections.values():
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()

        self._do(reset)

    def tell_upstream(self, quotes: bool, trading: bool) -> None:
        """Say by Notify whether OpenD is logged in."""
        self.logged_in = (quotes, trading)
        notice = message("Notify")
        notice.retType, notice.s2c.type = 0, 3
        notice.s2c.connectStatus.qotLogined, notice.s2c.connectStatus.trdLogined = quotes, trading
        self.push(NOTIFY, notice)

    def push(self, proto_id: int, response: Any) -> None:
        """Send a push to every connection."""
        self._do(lambda: [writer.write(self._frame(proto_id, 1, response)) for writer in self.connections.values()])

    # --- inside -----------------------------------------------------------------------------------------------------

    def _do(self, job: Callable[[], object]) -> None:
        async def act() -> None:
            job()

        self._bridge.submit(act()).result(5.0)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self.connections.values()):
            writer.close()
        await asyncio.gather(*self._served)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._served.add(task)
        task.add_done_callback(self._served.discard)
        self.taken += 1
        number = self.taken
        self.connections[number] = writer
        try:
            while True:
                head = HEADER.unpack(await reader.readexactly(HEADER.size))
                body = await reader.readexactly(head[5])
                response = self._answer(number, head[1], self._plain(head[1], body))
                if response is not None:
                    writer.write(self._frame(head[1], head[4], response))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.connections.pop(number, None)

    def _answer(self, number: int, proto_id: int, body: bytes) -> Any:
        self.asked.append(proto_id)
        if proto_id in self.muted:
            return None
        response = message(NAMES.get(proto_id, "KeepAlive"))
        if proto_id in self.refused or proto_id not in NAMES:
            response.retType, response.retMsg = self.refused.get(proto_id, (-1, "unknown protocol"))
            return response
        response.retType = 0
        _FILL[proto_id](self, number, response.s2c, body)
        return response

    def _init(self, number: int, s2c: Any, body: bytes) -> None:
        s2c.serverVer, s2c.loginUserID, s2c.connID, s2c.keepAliveInterval = 1011, 7, number, 10
        s2c.connAESKey = AES_KEY
        if self._rsa_file:
            s2c.aesCBCiv = AES_IV

    def _state(self, number: int, s2c: Any, body: bytes) -> None:
        for name in ("marketHK", "marketUS", "marketSH", "marketSZ", "marketHKFuture"):
            setattr(s2c, name, 3)
        s2c.qotLogined, s2c.trdLogined = self.logged_in
        s2c.serverVer, s2c.serverBuildNo, s2c.time = 1011, 7108, int(time.time())

    def _beat(self, number: int, s2c: Any, body: bytes) -> None:
        s2c.time = int(time.time())

    def _list(self, number: int, s2c: Any, body: bytes) -> None:
        for account_id, real, markets in self.accounts:
            row = s2c.accList.add()
            row.trdEnv, row.accID, row.accType, row.accStatus = int(real), account_id, 2, 0
            row.trdMarketAuthList.extend(markets)
            if real:
                row.securityFirm = 1
            else:
                row.simAccType = 1

    def _sub(self, number: int, s2c: Any, body: bytes) -> None:
        request = message("Trd_SubAccPush", "Request")
        request.ParseFromString(body)
        self.pushed_accounts.append(tuple(request.c2s.accIDList))

    def _frame(self, proto_id: int, serial: int, response: Any) -> bytes:
        plain = response.SerializeToString()
        body = self._sealed(proto_id, plain)
        digest = bytes(20) if proto_id in self.spoilt else hashlib.sha1(plain).digest()
        return HEADER.pack(b"FT", proto_id, 0, 0, serial, len(body), digest, bytes(8)) + body

    def _plain(self, proto_id: int, body: bytes) -> bytes:
        if not self._rsa_file:
            return body
        if proto_id == INIT:
            key = _rsa(self._rsa_file)
            return b"".join(key.decrypt(body[at : at + 128], b"") for at in range(0, len(body), 128))
        padded = _aes().decrypt(body)
        return padded[: -padded[-1]]

    def _sealed(self, proto_id: int, plain: bytes) -> bytes:
        if not self._rsa_file:
            return plain
        if proto_id == INIT:
            key = _rsa(self._rsa_file)
            return b"".join(key.encrypt(plain[at : at + 100]) for at in range(0, len(plain), 100))
        padding = 16 - len(plain) % 16
        return bytes(_aes().encrypt(plain + bytes([padding]) * padding))


NAMES = {
    INIT: "InitConnect",
    STATE: "GetGlobalState",
    KEEP_ALIVE: "KeepAlive",
    ACCOUNTS: "Trd_GetAccList",
    SUB_PUSH: "Trd_SubAccPush",
}
_FILL: dict[int, Callable[[FutuStandIn, int, Any, bytes], None]] = {
    INIT: FutuStandIn._init,
    STATE: FutuStandIn._state,
    KEEP_ALIVE: FutuStandIn._beat,
    ACCOUNTS: FutuStandIn._list,
    SUB_PUSH: FutuStandIn._sub,
}


def _rsa(file: str) -> Any:
    from Crypto.Cipher import PKCS1_v1_5
    from Crypto.PublicKey import RSA

    return PKCS1_v1_5.new(RSA.import_key(Path(file).read_bytes()))


def _aes() -> Any:
    from Crypto.Cipher import AES

    return AES.new(AES_KEY.encode(), AES.MODE_CBC, AES_IV.encode())
