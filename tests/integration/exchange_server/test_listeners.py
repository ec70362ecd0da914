"""The server over real sockets, as a client meets it: requests, WebSockets, TLS, slow readers, starts and stops."""

import asyncio
import json
import socket
import ssl
import stat
import threading
import warnings

import aiohttp
import aiohttp.web
import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.commands import OpenAccount
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from tests.support.echo_surface import DEPTH, EchoSurface, address, echo, echo_server, say, socket_of, until

SECOND_NS = 1_000_000_000


def test_a_request_reaches_the_surface_as_it_was_written() -> None:
    async def story() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.ports["binance_spot"])
        body = b"a=1%2B1&b=x+y"
        writer.write(
            b"DELETE /api/v3/order?q=%20%2F&signature=Ab HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: K\r\nConnection: close\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        told = json.loads(answer)
        assert (told["method"], told["path"]) == ("DELETE", "/api/v3/order")
        assert (told["query"], told["body"]) == ("q=%20%2F&signature=Ab", "a=1%2B1&b=x+y")
        assert told["headers"]["x-mbx-apikey"] == "K"
        assert told["client"] == "127.0.0.1"
        assert b"X-Weight: 1" in head
        assert b"application/json" in head

    with echo_server() as server:
        asyncio.run(story())


def test_a_client_that_is_gone_before_its_handshake_is_answered_is_forgotten_without_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    prepare = aiohttp.web.WebSocketResponse.prepare

    async def reset_first(ws: aiohttp.web.WebSocketResponse, request: aiohttp.web.BaseRequest) -> object:
        assert request.transport is not None
        request.transport.abort()
        return await prepare(ws, request)

    async def story() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(aiohttp.web.WebSocketResponse, "prepare", reset_first)
            with pytest.raises(aiohttp.ClientError):
                async with socket_of(server, "/ws"):
                    pass
        await until(lambda: not echo(server).connections)
        async with socket_of(server, "/ws") as ws:
            await ws.send_json({"id": 1, "method": "x", "params": "y"})
            assert (await ws.receive_json(timeout=5))["result"] == "y"

    with echo_server() as server:
        asyncio.run(story())
        assert server.failures == ()
    assert caplog.text == ""


@pytest.mark.parametrize(
    "path", ["/ws", "/stream?streams=a@trade", "/any/prefix/stream/0", "/ws-api/v3", "/private/ws"]
)
@pytest.mark.parametrize("compress", [0, 15])
def test_a_websocket_opens_on_any_path_and_is_compressed_only_when_asked(path: str, compress: int) -> None:
    async def story() -> None:
        async with socket_of(server, path, compress=compress) as ws:
            assert bool(ws.compress) is bool(compress)
            for size in (1, 125, 126, 70_000):
                await ws.send_json({"id": size, "method": "x", "params": "y" * size})
                assert (await ws.receive_json(timeout=5))["result"] == "y" * size
        await until(lambda: not echo(server).connections)

    with echo_server() as server:
        asyncio.run(story())


def test_compression_keeps_no_context_when_the_client_says_so() -> None:
    async def story() -> None:
        headers = {
            "Sec-WebSocket-Extensions": "permessage-deflate; server_no_context_takeover; server_max_window_bits=10"
        }
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(address(server, "/ws", "ws"), headers=headers, compress=15) as ws,
        ):
            for _ in range(3):
                assert (await ws.receive_json(timeout=5))["e"] == "welcome"
                say(server, '{"e":"welcome"}')

    with echo_server() as server:
        asyncio.run(story())


def test_a_surface_refuses_a_handshake_with_its_status() -> None:
    async def story() -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(address(server, "/refused/ws", "ws"))
        assert refused.value.status == 429
        assert refused.value.headers["Retry-After"] == "7"
        assert server.call(lambda s: dict(s.faults.sockets)) == {}

    with echo_server() as server:
        asyncio.run(story())


def test_pings_of_a_client_are_answered_and_its_close_too() -> None:
    async def story() -> None:
        async with socket_of(server) as ws:
            await ws.ping(b"are you there")
            pong = await ws.receive(timeout=5)
            assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"are you there")
            await ws.close(code=1000)
            assert ws.close_code == 1000

    with echo_server() as server:
        asyncio.run(story())


def test_the_server_pings_by_its_clock_and_parts_with_who_does_not_answer() -> None:
    clock = ManualClock(1_700_000_000 * SECOND_NS)

    async def story() -> None:
        async with socket_of(server) as answering, socket_of(server) as deaf:
            for ws in (answering, deaf):
                clock.advance(0)
                assert ws.closed is False
            clock.advance(20 * SECOND_NS)
            server.step()
            for ws in (answering, deaf):
                ping = await ws.receive(timeout=5)
                assert ping.type is aiohttp.WSMsgType.PING
            await answering.pong(ping.data)
            await until(lambda: server.call(lambda s: sorted(one.pongs for one in s.faults.sockets.values())) == [0, 1])
            clock.advance(59 * SECOND_NS)
            server.step()
            assert (await deaf.receive(timeout=5)).type is aiohttp.WSMsgType.PING
            clock.advance(SECOND_NS)
            server.step()
            closed = await deaf.receive(timeout=5)
            assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 1008)
            assert (await answering.receive(timeout=5)).type is aiohttp.WSMsgType.PING

    with echo_server(clock) as server:
        asyncio.run(story())


def test_a_connection_lives_for_its_time_only() -> None:
    clock = ManualClock(1_700_000_000 * SECOND_NS)

    async def story() -> None:
        async with socket_of(server) as ws:
            clock.advance(30 * SECOND_NS)
            server.step()
            assert (await ws.receive(timeout=5)).data == 1001

    with echo_server(clock, surface=SurfaceSettings(connection_life_s=30, ping_interval_s=1000)) as server:
        asyncio.run(story())


def test_a_client_that_does_not_read_is_closed_with_1008_and_holds_up_nobody() -> None:
    async def story() -> None:
        slow = socket.create_connection(("127.0.0.1", server.ports["binance_spot"]))
        slow.sendall(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        async with socket_of(server) as ws:
            await until(lambda: len(echo(server).connections) == 2)
            text = json.dumps({"e": "x", "pad": "z" * 50_000})
            sent = 0
            while len(echo(server).connections) == 2 and not _closing(server):
                say(server, text)
                assert await ws.receive_str(timeout=5) == text
                sent += 1
                assert sent < 1000
            assert sent > 1
        received = bytearray()
        slow.settimeout(5)
        while chunk := slow.recv(65_536):
            received += chunk
            if received.endswith(b"read"):
                break
        slow.close()
        assert b"\x03\xf0Slow consumer" in received

    with echo_server(queue_bytes=200_000) as server:
        asyncio.run(story())


def _closing(server: ExchangeServer) -> bool:
    return server.call(lambda s: any(one.is_closing for one in s.faults.sockets.values()))


def test_tls_is_trusted_by_the_ca_file_alone_and_its_key_is_private() -> None:
    async def story() -> None:
        assert server.ca_file is not None
        trusted = ssl.create_default_context(cafile=str(server.ca_file))
        connector = aiohttp.TCPConnector(resolver=_Loopback(), ssl=trusted)
        async with aiohttp.ClientSession(connector=connector) as session:
            for host in ("127.0.0.1", "localhost", "fapi.binance.com"):
                url = f"https://{host}:{server.ports['binance_spot_tls']}/api/v3/time"
                async with session.get(url) as answer:
                    assert answer.status == 200
            async with session.ws_connect(address(server, "/ws", "wss", "binance_spot_tls")) as ws:
                assert (await ws.receive_json(timeout=5))["e"] == "welcome"
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(address(server, "/api/v3/time", "https", "binance_spot_tls"))
        assert stat.S_IMODE((server.ca_file.parent / "key.pem").stat().st_mode) == 0o600
        assert stat.S_IMODE(server.ca_file.parent.stat().st_mode) == 0o700

    with echo_server(ports=ServerPorts(binance_spot_tls=0)) as server:
        folder = server.ca_file
        asyncio.run(story())
    assert folder is not None
    assert not folder.parent.exists()
    assert server.ca_file is None


class _Loopback(aiohttp.abc.AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[aiohttp.abc.ResolveResult]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        """Holds nothing."""


def test_start_and_stop_can_be_repeated_and_keep_ports_and_venue() -> None:
    with echo_server() as server:
        ports, venue = server.ports, server.host.venue
        server.start()
        assert server.stop() == ""
        assert server.stop() == ""
        assert set(server.ports.values()) == {None}
        with pytest.raises(ConfigError, match="start it first"):
            server.call(lambda s: None)
        server.start()
        assert server.ports == ports
        assert server.host.venue is venue
        assert {"binance_spot_tls": None, "binance_usdm_tls": None}.items() <= ports.items()


def test_a_stop_with_open_connections_and_requests_says_goodbye_and_leaves_nothing() -> None:
    async def story(server: ExchangeServer) -> None:
        async with socket_of(server) as ws:
            hanging = asyncio.create_task(_get(address(server, "/api/v3/ping")))
            await until(lambda: bool(echo(server).asked))
            assert await asyncio.to_thread(server.stop) == ""
            assert (await ws.receive_json(timeout=5))["e"] == "serverShutdown"
            assert (await ws.receive(timeout=5)).data == 1001
            with pytest.raises(aiohttp.ClientError):
                await hanging
            assert not echo(server).connections

    from tests.support.echo_surface import fault

    with warnings.catch_warnings(), echo_server() as server:
        warnings.simplefilter("error", ResourceWarning)
        fault(server, "ack_lost", endpoint="GET /api/v3/ping", hang=True)
        asyncio.run(story(server))
    assert not [one for one in threading.enumerate() if one.name == "exchange-io"]


async def _get(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status


def test_a_port_that_is_taken_is_named_and_nothing_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = ExchangeServer(
            ServerSettings(ports=ServerPorts(binance_spot=0, binance_usdm=port), agents=0), surface=EchoSurface
        )
        with pytest.raises(ConfigError, match=f"binance_usdm: port {port}"):
            server.start()
    assert not server.is_running
    server.start()
    assert server.ports["binance_usdm"] == port
    assert server.stop() == ""


def test_listeners_are_bound_to_the_loopback_address() -> None:
    with echo_server() as server:
        for port in filter(None, server.ports.values()):
            probe = socket.create_connection(("127.0.0.1", port))
            assert probe.getpeername()[0] == "127.0.0.1"
            probe.close()
            with socket.socket() as other, pytest.raises(OSError, match="refused"):
                other.connect(("127.0.0.2", port))


def test_connections_that_come_while_it_stops_are_neither_lost_half_made_nor_left() -> None:
    for _ in range(6):
        with echo_server() as server:
            for port in filter(None, server.ports.values()):
                socket.create_connection(("127.0.0.1", port)).close()


def test_an_error_of_a_surface_ends_its_request_or_connection_and_no_other() -> None:
    async def story(server: ExchangeServer) -> None:
        async with socket_of(server) as broken, socket_of(server) as other, aiohttp.ClientSession() as session:
            await broken.send_str("not json")
            assert (await broken.receive(timeout=5)).data == 1011
            async with session.get(address(server, "/api/v3/time")) as answer:
                assert answer.status == 200
            say(server, DEPTH % (1, 2))
            assert (await other.receive_json(timeout=5))["u"] == 2

    with pytest.raises(AssertionError, match="a text frame: JSONDecodeError"), echo_server() as server:
        asyncio.run(story(server))


@pytest.mark.parametrize("part", ["open", "tick", "on_event", "answer"])
def test_a_surface_that_fails_is_named_and_the_other_product_goes_on(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("our own")

    async def story(server: ExchangeServer) -> None:
        monkeypatch.setattr(echo(server), part, fail, raising=True)
        server.call(lambda s: s.host.execute(OpenAccount(s.host.now_ns(), "bob")))
        async with aiohttp.ClientSession() as session:
            async with session.get(address(server, "/api/v3/time")) as answer:
                assert answer.status == (500 if part == "answer" else 200)
            if part == "open":
                with pytest.raises(aiohttp.WSServerHandshakeError, match="500"):
                    await session.ws_connect(address(server, "/ws", "ws"))
        async with socket_of(server, port="binance_usdm") as ws:
            say(server, DEPTH % (1, 7), product="usdm")
            assert (await ws.receive_json(timeout=5))["u"] == 7
        await until(lambda: "our own" in str(server.failures))

    with pytest.raises((AssertionError, ZeroDivisionError), match="our own"), echo_server() as server:
        asyncio.run(story(server))


def test_calls_return_what_the_function_returns_or_raise_what_it_raises() -> None:
    with echo_server() as server:
        assert server.call(lambda s: s.call(lambda t: threading.current_thread().name)) == "exchange-io"
        with pytest.raises(ZeroDivisionError):
            server.call(lambda s: 1 / 0)
