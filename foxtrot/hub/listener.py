"""The hub's sockets: the page, the WebSocket handshake with its origin and token, and one conversation per client."""

import asyncio
import base64
import errno
import hashlib
import ipaddress
import re
import socket
from contextlib import suppress
from importlib.resources import files
from typing import Final

from aiohttp import WSMsgType, web
from loguru import logger

from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.domain.errors import ConfigError, RequestTimedOut
from foxtrot.hub.board import Board
from foxtrot.hub.peer import Peer
from foxtrot.hub.session_desk import HubCounters, SessionDesk, fits
from foxtrot.hub.settings import HubSettings
from foxtrot.hub.wire import FULL, GOING_AWAY, NO_TOKEN, PATH, POLICY, Heartbeat, Hello

_BEARER: Final = "Bearer "
_WRITER_BYTES: Final = 65_536
"""So much of what a client does not take may be in its socket's hands; what is more waits in its queue."""
_SOCKET_BYTES: Final = 131_072
"""What the system keeps of unread frames for a client: what it holds is old news that a slow one must read first."""
_PARTING_S: Final = 0.25
"""How long a client may take to answer the close frame, in real time."""
_BACKLOG: Final = 256
_TAKEN: Final = (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL)


class HubListener:
    """Accepts clients and ends them.

    Thread: hub-io.
    """

    def __init__(self, settings: HubSettings, board: Board, counters: HubCounters, bridge: AsyncBridge) -> None:
        self.port = settings.port
        self._settings = settings
        self._board = board
        self._counters = counters
        self._bridge = bridge
        self._runner: web.AppRunner | None = None
        self._page, self._policy = _page()
        self._open: dict[Peer, tuple[web.WebSocketResponse, asyncio.Transport]] = {}
        self._beat: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen.

        Raises:
            ConfigError: the port cannot be had.
        """
        listening = _bound(self._settings.host, self.port)
        self.port = listening.getsockname()[1]
        app = web.Application()
        app.add_routes([web.get("/", self._show), web.get(PATH, self._upgrade)])
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_PARTING_S)
        await self._runner.setup()
        await web.SockSite(self._runner, listening, backlog=_BACKLOG).start()
        self._beat = asyncio.ensure_future(self._beats())

    async def close(self) -> None:
        """Say goodbye to every client and stop listening."""
        if self._beat is not None:
            self._beat.cancel()
        if self._runner is not None:
            for site in tuple(self._runner.sites):
                await site.stop()
        await asyncio.gather(*(self._part(peer, GOING_AWAY, "the hub ends") for peer in tuple(self._open)))
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def _beats(self) -> None:
        while True:
            await self._bridge.wait_s(self._settings.heartbeat_s)
            frame = Heartbeat(time_us=self._bridge.clock.now_ns() // 1000)
            for peer in self._open:
                if not peer.urgent_frames:  # who reads nothing needs no second one
                    peer.answer(frame)

    # --- the page ---------------------------------------------------------------------------------------------------

    async def _show(self, _request: web.Request) -> web.Response:
        headers = {
            "Content-Security-Policy": self._policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        return web.Response(body=self._page, content_type="text/html", charset="utf-8", headers=headers)

    # --- clients ----------------------------------------------------------------------------------------------------

    async def _upgrade(self, request: web.Request) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            self._counters.refused += 1
            return refusal
        ws = web.WebSocketResponse(
            timeout=_PARTING_S,
            autoclose=True,
            compress=False,
            max_msg_size=self._settings.limits.frame_bytes,
            writer_limit=_WRITER_BYTES,
        )
        if not ws.can_prepare(request) or request.transport is None:
            return web.Response(status=400, text="open a WebSocket here, as version 13 of it; the page is at /\n")
        transport = request.transport
        try:
            await ws.prepare(request)
        except ConnectionResetError:
            return ws
        if len(self._open) >= self._settings.limits.clients:
            self._counters.refused += 1
            await ws.close(code=FULL, message=f"{self._settings.limits.clients} clients are the most".encode())
            return ws
        await self._serve(ws, transport, has_token=bool(_bearer(request)))
        return ws

    def _refusal(self, request: web.Request) -> web.Response | None:
        """Return why a handshake is refused, None when it is not."""
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self._origins():
            return web.Response(
                status=403,
                text=f"pages of {origin[:100]} may not read this hub; add it to origins in the [hub] table if they should\n",
            )
        if "token" in request.query:
            return web.Response(
                status=400,
                text="a token in a URL ends in logs: send it in the header Authorization or in the hello frame\n",
            )
        token = _bearer(request)
        if token and self._settings.token and not fits(token, self._settings):
            return web.Response(status=401, text="the token in the header Authorization is wrong\n")
        return None

    def _origins(self) -> set[str]:
        """Return whose scripts may read: those of the hub's own page by this machine's names, and those allowed.

        The header Host says nothing here: a name of somebody else's may lead to this address.
        """
        host = ipaddress.ip_address(self._settings.host)
        names = {f"[{host}]" if host.version == 6 else str(host)}
        if host.is_loopback or host.is_unspecified:
            names |= {"127.0.0.1", "localhost", "[::1]"}
        return {f"http://{name}:{self.port}" for name in names} | set(self._settings.origins)

    async def _serve(self, ws: web.WebSocketResponse, transport: asyncio.Transport, *, has_token: bool) -> None:
        limits = self._settings.limits
        peer = Peer(limits.queue_bytes)
        desk = SessionDesk(peer, self._board, self._settings, self._counters, self._bridge.clock)
        desk.is_trusted = desk.is_trusted or has_token
        self._open[peer] = ws, transport
        self._counters.peers.add(peer)
        self._counters.accepted += 1
        peer.answer(Hello(needs_token=not desk.is_trusted, heartbeat_s=self._settings.heartbeat_s, limits=limits))
        writer = asyncio.ensure_future(self._write(peer, ws, transport))
        guard = None if desk.is_trusted else asyncio.ensure_future(self._wait_for_token(peer, desk))
        try:
            await self._converse(ws, peer, desk)
        finally:
            writer.cancel()
            if guard is not None:
                guard.cancel()
            self._board.leave(peer)
            self._counters.peers.discard(peer)
            self._open.pop(peer, None)
            transport.close()

    async def _converse(self, ws: web.WebSocketResponse, peer: Peer, desk: SessionDesk) -> None:
        while True:
            message = await ws.receive()
            if message.type is WSMsgType.TEXT:
                ending = desk.hear(message.data)
            elif message.type is WSMsgType.BINARY:
                ending = POLICY, "frames are text"
            else:
                return
            if ending is not None:
                await self._part(peer, *ending)
                return

    async def _write(self, peer: Peer, ws: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        """Send what waits; part with a client that takes nothing for too long."""
        patience_s = self._settings.limits.patience_s

        async def send(data: bytes) -> None:
            sending = ws.send_frame(data, WSMsgType.TEXT)
            if transport.get_write_buffer_size() < _WRITER_BYTES:
                await sending
            else:
                await self._bridge.within(sending, patience_s)

        with suppress(ConnectionResetError):
            try:
                await peer.write(send)
            except RequestTimedOut:
                self._counters.slow += 1
                logger.warning("hub: a client took nothing for {} s; its connection is dropped", patience_s)
                transport.abort()

    async def _wait_for_token(self, peer: Peer, desk: SessionDesk) -> None:
        await self._bridge.wait_s(self._settings.limits.token_s)
        if not desk.is_trusted:
            await self._part(peer, NO_TOKEN, "no token came in time")

    async def _part(self, peer: Peer, code: int, reason: str) -> None:
        """End a connection: a close frame for who reads, and the end of the socket for everybody."""
        found = self._open.get(peer)
        if found is None:
            return
        ws, transport = found
        with suppress(TimeoutError, ConnectionResetError):
            async with asyncio.timeout(2 * _PARTING_S):
                await ws.close(code=code, message=reason.encode()[:120])
        transport.abort()


def _bearer(request: web.Request) -> str:
    told = request.headers.get("Authorization", "")
    return told[len(_BEARER) :].strip() if told.startswith(_BEARER) else ""


def _page() -> tuple[bytes, str]:
    """Return the page, and the policy that lets its own script run and no other."""
    page = files("foxtrot.hub").joinpath("page.html").read_text("utf-8")
    allowed = {tag: _hashes(tag, page) for tag in ("script", "style")}
    policy = (
        f"default-src 'none'; script-src {allowed['script']}; style-src {allowed['style']}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page.encode(), policy


def _hashes(tag: str, page: str) -> str:
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in found)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)  # clients' sockets inherit it
    bound.setblocking(False)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno not in _TAKEN:
            raise
        raise ConfigError(
            f"port {port} of {host} is taken or not allowed; choose another, or 0 to have one picked"
        ) from None
    return bound
