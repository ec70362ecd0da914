"""A surface that knows no venue's protocol: it says what it was asked, so that the server around it can be seen alone."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp

from foxtrot.core.clock import Clock
from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.faults import read_fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import ServerPorts, ServerSettings
from foxtrot.exchange.serving.binance_frames import path_streams
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.connection import Connection, HttpAnswer, HttpRequest
from foxtrot.exchange.wire.binance.venue_side import VenueSide

FILL = '{"e":"executionReport","x":"TRADE","t":%d}'
DEPTH = '{"e":"depthUpdate","s":"BTCUSDT","U":%d,"u":%d,"b":[["60000.00","1.5"]],"a":[]}'


class EchoSurface:
    """Answers with what it was asked; `broadcast` sends to all its connections."""

    def __init__(self, side: VenueSide) -> None:
        self.side = side
        self.asked: list[str] = []
        self.heard: list[str] = []
        self.events: list[VenueEvent] = []
        self.connections: dict[int, Connection] = {}
        self.ended: list[str] = []
        self.snapshots = 100
        self.streams: dict[int, set[str]] = {}

    def answer(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(f"{request.method} {request.path}")
        if request.path.endswith("/depth"):
            self.snapshots += 5000
            return HttpAnswer(200, b'{"lastUpdateId":%d,"bids":[],"asks":[]}' % self.snapshots)
        if request.path.endswith("/listenKey"):
            return HttpAnswer(200, json.dumps({"listenKey": "K" * 64}).encode())
        told = {name: getattr(request, name) for name in ("method", "path", "query", "body", "client")}
        return HttpAnswer(200, json.dumps({**told, "headers": dict(request.headers)}).encode(), {"X-Weight": "1"})

    def open(self, connection: Connection) -> None:
        if "refused" in connection.path:
            raise ApiError(-1003, "Too many connections.", 429, headers={"Retry-After": "7"})
        self.connections[connection.number] = connection
        self.streams[connection.number] = path_streams(connection.path, connection.query)
        connection.send('{"e":"welcome"}')

    def receive(self, connection: Connection, text: str) -> None:
        self.heard.append(text)
        message = json.loads(text)
        if message.get("method") == "SUBSCRIBE":
            self.streams[connection.number] |= set(message["params"])
            connection.send(json.dumps({"result": None, "id": message["id"]}))
        else:
            connection.send(json.dumps({"id": message.get("id"), "status": 200, "result": message.get("params")}))

    def closed(self, connection: Connection) -> None:
        del self.connections[connection.number], self.streams[connection.number]

    def on_event(self, event: VenueEvent) -> None:
        self.events.append(event)

    def tick(self, now_ns: int) -> None:
        """Has nothing due."""

    def knows(self, endpoint: str) -> bool:
        return "nothing" not in endpoint

    def streams_of(self, connection: Connection) -> frozenset[str]:
        return frozenset(self.streams[connection.number])

    def expire_listen_key(self, account: str) -> None:
        self.ended.append(f"key of {account}")

    def terminate_user_stream(self, account: str) -> None:
        self.ended.append(f"stream of {account}")

    def announce_shutdown(self) -> None:
        for connection in self.connections.values():
            connection.send('{"e":"serverShutdown"}')

    def broadcast(self, text: str) -> None:
        for connection in tuple(self.connections.values()):
            connection.send(text)


@contextlib.contextmanager
def echo_server(clock: Clock | None = None, **settings: object) -> Iterator[ExchangeServer]:
    """A started server of echo surfaces, stopped at the end; nothing of our own may have failed."""
    wanted = {"ports": ServerPorts(binance_spot=0, binance_usdm=0, control=0), "agents": 0, "tick_ms": 2, **settings}
    server = ExchangeServer(ServerSettings(**wanted), clock, surface=EchoSurface)  # type: ignore[arg-type]
    server.start()
    try:
        yield server
    finally:
        assert server.stop() == ""
    assert server.failures == (), server.failures


def echo(server: ExchangeServer, product: str = "spot") -> EchoSurface:
    """The surface of a product; to be touched in `server.call` unless it is only looked at."""
    surface = server.host.surfaces[product]
    assert isinstance(surface, EchoSurface)
    return surface


def say(server: ExchangeServer, *texts: str, product: str = "spot") -> None:
    """Send frames to every connection of a product."""
    for text in texts:
        server.call(lambda _, text=text: echo(server, product).broadcast(text))  # type: ignore[misc]


def fault(server: ExchangeServer, kind: str, **settings: object) -> int:
    """Set a fault as a script would."""
    return server.inject(read_fault({"kind": kind, **settings}))


def address(server: ExchangeServer, path: str, scheme: str = "http", port: str = "binance_spot") -> str:
    """The address of a path of a listener."""
    return f"{scheme}://127.0.0.1:{server.ports[port]}{path}"


@contextlib.asynccontextmanager
async def socket_of(
    server: ExchangeServer, path: str = "/ws", **options: object
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """An open WebSocket of its own session whose welcome was read."""
    port = str(options.pop("port", "binance_spot"))
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(address(server, path, "ws", port), autoping=False, **options) as ws,  # type: ignore[arg-type]
    ):
        assert await ws.receive_json(timeout=5) == {"e": "welcome"}
        yield ws


async def until(condition: Callable[[], bool], deadline_s: float = 5.0) -> None:
    """Return when a condition holds, letting the loop go on."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + deadline_s
    while not condition():
        assert loop.time() < ends, f"the condition did not hold within {deadline_s} s"
        await asyncio.sleep(0.002)
