"""A scripted venue on loopback: REST and WebSocket on one port, for unmodified ccxt.pro to talk to."""

import asyncio
import json
import threading
from collections.abc import Coroutine
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.support.scripted_venues.script import Asked, VenueScript


class ScriptedServer:
    """Serves one script from a thread of its own.

    Thread: the test's; what it asks is done on the server's before the call returns.
    """

    def __init__(self, script: VenueScript) -> None:
        self.script = script
        self.port = 0
        self.requests: list[str] = []
        """Method and path of every request, in order."""
        self.heard: list[Any] = []
        """Every frame of clients, in order."""
        self.refuses = 0
        """The HTTP status that WebSockets are refused with; 0: none are."""
        self.deaf = False
        """Whether frames of clients are left unanswered."""
        self.fails = 0
        """The HTTP status that requests are answered with; 0: what the script says."""
        self._sockets: dict[web.WebSocketResponse, set[str]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="scripted-venue", daemon=True)
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._start())
        return self

    def __exit__(self, *_exception: object) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    # --- what a test does ---------------------------------------------------------------------------------------------

    def push(self, stream: str, frame: Any) -> None:
        """Send a frame to every socket that has a stream."""
        self._do(self._push(stream, frame))

    def close_sockets(self, code: int = 1001) -> None:
        """Close every socket."""
        self._do(self._close_sockets(code))

    def subscribed(self, stream: str) -> int:
        """Return how many sockets have a stream."""
        return sum(stream in streams for streams in tuple(self._sockets.values()))

    def arrive(self) -> None:
        """Let what clients have sent be heard and answered."""
        self._do(_some_turns())

    @property
    def sockets(self) -> int:
        """Return how many sockets are open."""
        return len(self._sockets)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _do(self, job: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(job, self._loop).result(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        await self._close_sockets(1001)
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_socket(request)
        text = await request.text()
        self.requests.append(f"{request.method} {request.path}")
        if self.fails:
            return web.json_response({"error": "as the test wants it"}, status=self.fails)
        body = json.loads(text) if text.startswith(("{", "[")) else text
        try:
            answer = self.script.rest(Asked(request.method, request.path, dict(request.query), body))
        except LookupError as unknown:
            return web.json_response({"error": f"not in the script: {unknown}"}, status=404)
        return web.json_response(answer)

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        if self.refuses:
            return web.Response(status=self.refuses)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets[socket] = set()
        try:
            for frame in self.script.greet():
                await _send(socket, frame)
            async for message in socket:
                if message.type is WSMsgType.TEXT and not self.deaf:
                    await self._answer(socket, message.data)
        finally:
            self._sockets.pop(socket, None)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, text: str) -> None:
        frame = json.loads(text) if text.startswith(("{", "[")) else text
        self.heard.append(frame)
        for answer in self.script.hear(frame, self._sockets[socket]):
            await _send(socket, answer)

    async def _push(self, stream: str, frame: Any) -> None:
        for socket, streams in list(self._sockets.items()):
            if stream in streams:
                await _send(socket, frame)

    async def _close_sockets(self, code: int) -> None:
        for socket in list(self._sockets):
            await socket.close(code=code)


async def _some_turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def _send(socket: web.WebSocketResponse, frame: Any) -> None:
    text = frame if isinstance(frame, str) else json.dumps(frame, separators=(",", ":"))
    if not socket.closed:
        await socket.send_str(text)
