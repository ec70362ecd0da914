"""An order's request meets the permit in front of its one write: refused, not one byte of it arrives. Over real sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from foxtrot.adapter.binance.errors import PermitClosed
from foxtrot.adapter.binance.permit_request import ORDER_PASS, OrderPass, Passage, PermitRequest
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import GateState
from foxtrot.domain.errors import InvariantBroken

BODY = b"symbol=BTCUSDT&side=BUY&newClientOrderId=t-1-1&signature=abc"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
ELSEWHERE = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"


class _Server:
    """Keeps every byte and answers each request with the same."""

    def __init__(self, answer: bytes = OK) -> None:
        self.received = bytearray()
        self.connections = 0
        self._answer = answer
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        while data := await reader.read(65_536):
            self.received += data
            writer.write(self._answer)
        writer.close()


def _run(
    scene: Callable[[aiohttp.ClientSession, str, _Server], Awaitable[None]],
    request_class: type[PermitRequest] = PermitRequest,
    answer: bytes = OK,
    connector: Callable[[], aiohttp.BaseConnector] = aiohttp.TCPConnector,
) -> _Server:
    """Play a scene against a server, and let everything that was written arrive before it is looked at."""
    server = _Server(answer)

    async def play() -> None:
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/api/v3/order"
        async with aiohttp.ClientSession(connector=connector(), request_class=request_class) as session:
            await scene(session, url, server)
        for _ in range(5):
            await asyncio.sleep(0)
        listener.close()
        await listener.wait_closed()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)

    asyncio.run(play())
    return server


def _order(permit: SendPermit, *, reduces: bool = False) -> OrderPass:
    way = OrderPass(permit, reduces=reduces)
    ORDER_PASS.set(way)
    return way


async def _post(session: aiohttp.ClientSession, url: str) -> str:
    async with session.post(url, data=BODY) as response:
        return await response.text()


def test_an_order_that_may_leave_arrives_whole_and_once() -> None:
    async def scene(session: aiohttp.ClientSession, url: str, server: _Server) -> None:
        way = _order(SendPermit())
        assert await _post(session, url) == "{}"
        assert way.passage is Passage.LEFT

    received = bytes(_run(scene).received)
    assert received.count(b"POST /api/v3/order HTTP/1.1\r\n") == 1
    assert received.endswith(b"\r\n\r\n" + BODY)


def test_not_one_byte_of_a_refused_order_arrives() -> None:
    async def scene(session: aiohttp.ClientSession, url: str, server: _Server) -> None:
        permit = SendPermit()
        permit.close("kill switch")
        way = _order(permit)
        with pytest.raises(PermitClosed, match="kill switch"):
            await _post(session, url)
        assert way.passage is Passage.REFUSED

    server = _run(scene)
    assert server.connections == 1
    assert bytes(server.received) == b""


def test_a_permit_that_closes_once_the_connection_stands_is_seen() -> None:
    permit = SendPermit()

    class Connector(aiohttp.TCPConnector):
        async def connect(self, *args: Any, **named: Any) -> Any:
            connection = await super().connect(*args, **named)
            permit.close("while connecting")
            return connection

    async def scene(session: aiohttp.ClientSession, url: str, server: _Server) -> None:
        _order(permit)
        with pytest.raises(PermitClosed, match="while connecting"):
            await _post(session, url)

    assert bytes(_run(scene, connector=Connector).received) == b""


def test_a_permit_that_closes_when_only_the_write_is_left_is_seen() -> None:
    permit = SendPermit()

    class Late(PermitRequest):
        async def write_bytes(self, *args: Any, **named: Any) -> None:
            permit.close("at the last moment")
            await super().write_bytes(*args, **named)

    async def scene(session: aiohttp.ClientSession, url: str, server: _Server) -> None:
        _order(permit)
        with pytest.raises(PermitClosed, match="at the last moment"):
            await _post(session, url)

    assert bytes(_run(scene, Late).received) == b""


def test_the_bytes_are_written_while_the_permit_is_held() -> None:
    held: list[bool] = []

    class Watched(SendPermit):
        inside = False

        def send(self, hand_over: Callable[[], None], *, reduces: bool) -> bool:
            def watched() -> None:
                self.inside = True
                hand_over()
                self.inside = False

            return super().send(watched, reduces=reduces)

    permit = Watched()

    class Seen(PermitRequest):
        async def write_bytes(self, writer: Any, conn: Any, content_length: int | None = None) -> None:
            write = conn.transport.write

            def seen(data: bytes) -> None:
                held.append(permit.inside)
                write(data)

            class Transport:
                def __getattr__(self, name: str) -> Any:
                    return seen if name == "write" else getattr(transport, name)

            transport = conn.protocol.transport
            conn.protocol.transport = Transport()
            try:
                await super().write_bytes(writer, conn, content_length)
            finally:
                conn.protocol.transport = transport

    async def scene(session: aiohttp.ClientSession, url: str, server: _Server) -> None:
        _order(permit)
        await _post(session, url)

    _run(scene, Seen)
    assert held == [True]


def test_a_reducing_order_passes_while_only_reducing_is_allowed() -> None:
    async def scene(session: aiohttp.ClientSession, url: str, server: _Server) -> None:
        permit = SendPermit()
        permit.allow(GateState.REDUCING, "loss limit")
        _order(permit, reduces=True)
        await _post(session, url)
        _order(permit)
        with pytest.raises(PermitClosed, match="loss limit"):
            await _post(session, url)

    assert bytes(_run(scene).received).count(BODY) == 1


def test_what_is_no_order_asks_no_permit() -> None:
    async def scene(session: aiohttp.ClientSession, url: str, server: _Server) -> None:
        ORDER_PASS.set(None)
        await _post(session, url)
        async with session.delete(url + "?symbol=BTCUSDT") as response:
            await response.text()

    received = bytes(_run(scene).received)
    assert BODY in received
    assert b"DELETE /api/v3/order?symbol=BTCUSDT" in received


def test_a_redirected_order_does_not_leave_a_second_time() -> None:
    async def scene(session: aiohttp.ClientSession, url: str, server: _Server) -> None:
        way = _order(SendPermit())
        with pytest.raises(InvariantBroken):
            await _post(session, url)
        assert way.passage is Passage.LEFT

    assert bytes(_run(scene, answer=ELSEWHERE).received).count(BODY) == 1


def test_an_order_without_a_body_is_a_fault_of_ours_and_does_not_leave() -> None:
    async def scene(session: aiohttp.ClientSession, url: str, server: _Server) -> None:
        _order(SendPermit())
        with pytest.raises(InvariantBroken):
            async with session.post(url):
                pass

    assert bytes(_run(scene).received) == b""
