"""The HTTP and WebSocket side of one product: bytes of aiohttp in, the surface's texts out, faults between."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.client import responses

import msgspec
from aiohttp import web

from foxtrot.domain.enums import Product
from foxtrot.exchange.fault_script import Place
from foxtrot.exchange.faults import Scope
from foxtrot.exchange.serving.binance_frames import (
    client_order_ids,
    connection_kinds,
    listen_key,
    read_request,
)
from foxtrot.exchange.serving.client_socket import GOING_AWAY, ClientSocket
from foxtrot.exchange.serving.fault_answers import refused_handshake
from foxtrot.exchange.serving.fault_desk import FaultDesk
from foxtrot.exchange.serving.guard import Guard
from foxtrot.exchange.serving.outlet import Outlet, forget_politeness
from foxtrot.exchange.serving.request_faults import Broken, RequestFaults
from foxtrot.exchange.serving.surface_port import Surface
from foxtrot.exchange.serving.traffic import Traffic
from foxtrot.exchange.serving.venue_host import VenueHost
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.connection import Connection, HttpAnswer, HttpRequest
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings

_SECOND_NS = 1_000_000_000
_PARTING_TURNS = 50
"""How many milliseconds clients are given to take the rest of what was sent before a stop."""
_SETTLING_TURNS = 8
SHUTDOWN_S = 0.001
"""aiohttp waits for ever when it is told to wait no time."""
_FAILED = HttpAnswer(500, b'{"code":-1000,"msg":"An unknown error occurred while processing the request."}')
LONGEST_FRAME = 4 * 1024 * 1024
"""A client's message may have this many bytes."""


class Numbers:
    """Numbers of connections, one after the other for the whole server.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self._last = 0

    def take(self) -> int:
        """Return the next number."""
        self._last += 1
        return self._last


class BinanceListener:
    """Serves one product's surface on any number of sockets, plain or TLS.

    Thread: exchange-io.
    """

    def __init__(self, product: str, desk: FaultDesk, shared: "SharedParts", queue_bytes: int) -> None:
        self.product = product
        self._desk = desk
        self._shared = shared
        self._queue_bytes = queue_bytes
        self._host: VenueHost = shared.host
        self._requests = RequestFaults(desk)
        self._web: web.Server | None = None
        self._servers: list[asyncio.Server] = []
        self._keys: dict[str, str] = {}
        figures = shared.settings.for_product(Product.SPOT if product == "spot" else Product.PERPETUAL)
        self._ping_ns = int(figures.ping_interval_s * _SECOND_NS)
        self._pong_ns = int(figures.pong_timeout_s * _SECOND_NS)
        self._life_ns = int(figures.connection_life_s * _SECOND_NS)

    @property
    def surface(self) -> Surface:
        """Return the surface of the product."""
        return self._host.surfaces[self.product]

    async def open(self, listening: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accept on a socket that is bound."""
        if self._web is None:
            self._web = web.Server(
                self._handle, handler_cancellation=True, access_log=None, lingering_time=0, keepalive_timeout=3600
            )
        server = await asyncio.get_running_loop().create_server(self._web, sock=listening, ssl=tls)
        self._servers.append(server)

    async def close(self) -> None:
        """Stop accepting and drop every connection."""
        await stop_accepting(self._servers)
        self._requests.cancel()
        for one in self.sockets():
            one.close(GOING_AWAY, "Server is going away")
            one.outlet.end()
        for _ in range(_PARTING_TURNS):
            if not self.sockets():
                break
            await asyncio.sleep(0.001)
        for one in self.sockets():
            one.outlet.abort()
        if self._web is not None:
            await self._web.shutdown(timeout=SHUTDOWN_S)
        await settled()
        self._servers, self._web = [], None

    def sockets(self) -> tuple[ClientSocket, ...]:
        """Return the product's open WebSockets."""
        return tuple(one for one in self._desk.sockets.values() if one.product == self.product)

    def tick(self, now_ns: int) -> None:
        """Ping, and part with who is deaf or too old."""
        for one in self.sockets():
            one.tick(now_ns, self._ping_ns, self._pong_ns, self._life_ns)

    # --- requests ---------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._upgrade(request, path, query)
        body = (await request.read()).decode("utf-8", "replace")
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = HttpRequest(request.method, path, query, body, headers, request.remote or "")
        place = Place(
            self.product,
            f"{request.method} {path}",
            account=self._host.account_of(headers.get("x-mbx-apikey", "")),
        )
        self._note(place, query, body)
        try:
            answer = await self._requests.rest(asked, place, lambda: self._answer(asked, place))
        except Broken as broken:
            await _break(request, broken)
            return web.Response()
        if self._desk.script.lasting("one_byte_writes", place, self._desk.now_ns()):
            await _trickle(request, answer)
            return web.Response()
        return _response(answer)

    def _answer(self, asked: HttpRequest, place: Place) -> HttpAnswer:
        answers: list[HttpAnswer] = []
        if not self._shared.guard.run(
            place.endpoint, lambda: answers.append(self._host.run(lambda: self.surface.answer(asked)))
        ):
            return _FAILED
        answer = answers[0]
        if asked.path.endswith(("/listenKey", "/userDataStream")) and answer.status == HTTPStatus.OK:
            self._note_key(place.account, _listen_key_of(answer.body))
        return answer

    def _note_key(self, account: str, key: str) -> None:
        """Keep whose a listenKey is; an account has one at a time, and an answer without one is of a key that is known."""
        if key and self._keys.get(key) != account:
            self._keys = {known: owner for known, owner in self._keys.items() if owner != account}
            self._keys[key] = account

    def _note(self, place: Place, query: str, body: str = "") -> None:
        traffic = self._shared.traffic
        is_known = self.surface.knows(place.endpoint)
        traffic.note_request(self.product, place.endpoint, is_known=is_known)
        if not is_known:
            return
        if place.endpoint.startswith("POST ") or place.endpoint.startswith(("order", "sor.")):
            ids = client_order_ids(query) + client_order_ids(body)
            traffic.note_orders(self._host.now_ns(), (self.product, place.endpoint, place.account), ids)

    # --- WebSockets -------------------------------------------------------------------------------------------------

    async def _upgrade(self, request: web.BaseRequest, path: str, query: str) -> web.StreamResponse:
        account = self._keys.get(listen_key(path, query), "")
        place = Place(self.product, kinds=connection_kinds(path, query), account=account)
        armed = self._desk.script.take(Scope.HANDSHAKE, place, self._desk.now_ns())
        if armed is not None:
            return _response(refused_handshake(armed, self._desk.now_ns()))
        transport = request.transport
        ws = web.WebSocketResponse(autoping=False, autoclose=False, timeout=1.0, max_msg_size=LONGEST_FRAME)
        if transport is None or not ws.can_prepare(request):
            return web.Response(status=400, text="the WebSocket handshake is not one")
        one = self._socket(transport, (path, query, request.remote or ""))
        one.account = account
        refusal = self._entered(one)
        if refusal is not None:
            return _response(refusal)
        self._desk.join(one)
        self._shared.traffic.connections[self.product] += 1
        try:
            if not await _is_prepared(ws, request):
                return web.Response(status=400, text="the client is gone")
            one.accept(ws.headers.get("Sec-WebSocket-Extensions", ""))
            await one.converse(ws, lambda text: self._hear(one, text))
        finally:
            self._desk.leave(one)
            one.dispose()
            self._shared.guard.run("closed", lambda: self._host.run(lambda: self.surface.closed(one.connection)))
        return ws

    def _entered(self, one: ClientSocket) -> HttpAnswer | None:
        """Tell the surface of a connection; return what the handshake is answered with when it is refused."""
        refused: list[ApiError] = []

        def enter() -> None:
            try:
                self._host.run(lambda: self.surface.open(one.connection))
                one.streams = self.surface.streams_of(one.connection)
            except ApiError as error:
                refused.append(error)

        if not self._shared.guard.run("a new connection", enter):
            return _FAILED
        if not refused:
            return None
        error = refused[0]
        return HttpAnswer(error.status, msgspec.json.encode({"code": error.code, "msg": error.msg}), error.headers)

    def _socket(self, transport: asyncio.Transport, asked: tuple[str, str, str]) -> ClientSocket:
        path, query, client = asked

        def send(text: str) -> None:
            self._desk.frames.send(one, text)

        def close(code: int, reason: str) -> None:
            one.close(code, reason)

        number, now_ns = self._shared.numbers.take(), self._host.now_ns()
        connection = Connection(number, path, query, client, now_ns, send=send, close=close)
        outlet = Outlet(transport, asyncio.get_running_loop(), self._queue_bytes)
        one = ClientSocket(connection, outlet, self.product)
        return one

    def _hear(self, one: ClientSocket, text: str) -> None:
        """Hand a text frame to the surface, past the faults of requests and subscriptions."""
        if one.is_closing:
            return
        asked = read_request(text)
        params = asked.params
        if isinstance(params, dict):
            one.account = self._host.account_of(str(params.get("apiKey", ""))) or one.account
        stream = str(params[0]) if isinstance(params, list) and params else ""
        place = Place(self.product, asked.method, stream, one.kinds, one.account)
        execute = self._guarded(one, text)
        if not asked.method:
            execute()
        elif self._requests.incoming(one, asked, place):
            self._note(place, text)
            if "ws_api" in one.kinds:
                self._requests.ws_api(one, asked, place, execute)
            else:
                execute()
                one.streams = self.surface.streams_of(one.connection)

    def _guarded(self, one: ClientSocket, text: str) -> Callable[[], None]:
        def execute() -> None:
            if not self._shared.guard.run(
                "a text frame", lambda: self._host.run(lambda: self.surface.receive(one.connection, text))
            ):
                one.close(1011, "Internal error")

        return execute


class SharedParts:
    """What the listeners of one server share.

    Thread: exchange-io.
    """

    def __init__(self, host: VenueHost, guard: Guard, settings: SurfaceSettings) -> None:
        self.host = host
        self.guard = guard
        self.settings = settings
        self.traffic = Traffic()
        self.numbers = Numbers()


async def stop_accepting(servers: Iterable[asyncio.Server]) -> None:
    """Close listening sockets, once what they have just accepted is on its way: asyncio would lose it half-made."""
    loop = asyncio.get_running_loop()
    for server in servers:
        for listening in server.sockets:
            loop.remove_reader(listening.fileno())
    await settled()
    for server in servers:
        server.close()


async def settled() -> None:
    """Let the loop finish what it has begun."""
    for _ in range(_SETTLING_TURNS):
        await asyncio.sleep(0)


def _response(answer: HttpAnswer) -> web.Response:
    headers = {"Content-Type": "application/json;charset=UTF-8", **answer.headers}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


def _listen_key_of(body: bytes) -> str:
    try:
        message = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return str(message.get("listenKey", "")) if isinstance(message, dict) else ""


def _raw(answer: HttpAnswer) -> bytes:
    """Return an HTTP answer as bytes, to be written past aiohttp.

    Source: RFC 9112 section 2.1 (message format).
    """
    headers = {
        "Content-Type": "application/json;charset=UTF-8",
        **answer.headers,
        "Content-Length": str(len(answer.body)),
        "Connection": "close",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reason = responses.get(answer.status, "")
    return f"HTTP/1.1 {answer.status} {reason}\r\n{lines}\r\n".encode("latin-1") + answer.body


async def _break(request: web.BaseRequest, broken: Broken) -> None:
    """Write all but the second half of the body, or nothing, and close."""
    transport = request.transport
    if transport is not None:
        answer = broken.answer
        if broken.is_reset:
            forget_politeness(transport)
        if answer is not None:
            raw = _raw(answer)
            transport.write(raw[: len(raw) - len(answer.body) + len(answer.body) // 2])
        transport.close()


async def _trickle(request: web.BaseRequest, answer: HttpAnswer) -> None:
    """Write an answer byte by byte and close."""
    transport = request.transport
    if transport is None:
        return
    for byte in _raw(answer):
        if transport.is_closing():
            return
        transport.write(bytes((byte,)))
        await asyncio.sleep(0)
    transport.close()


async def _is_prepared(ws: web.WebSocketResponse, request: web.BaseRequest) -> bool:
    """Answer a handshake; False when its client was gone by then, which is no fault of ours to log."""
    try:
        await ws.prepare(request)
    except ConnectionResetError:
        return False
    return True
