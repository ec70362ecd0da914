"""A small HTTP server for this machine alone: one token, bounded threads, bounded requests, and nothing a browser may use.

What it refuses before its handler is asked: a Host that is not loopback (a page that makes its own name point here), an Origin
(any page at all), a wrong token, too many of those, a body that is too long or of no stated length. It knows no CORS.
"""

import hmac
import os
import selectors
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, ClassVar

import msgspec
from loguru import logger
from typing_extensions import override

from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError

LOOPBACK = "127.0.0.1"
JSON = "application/json"
MOST_BODY = 64 * 1024
MOST_AT_ONCE = 8
"""Connections that are served at the same time; a further one is closed at once."""
LONGEST_S = 10.0
"""How long a connection may take from its first byte to its last, so that a slow one does not keep its thread for ever."""
WRONG_TOKENS = 20
"""Wrong tokens in a row after which nobody is let in for a while."""
LOCKED_S = 30.0
_LOOK_S = 0.1
_HOSTS = frozenset({LOOPBACK, "localhost"})


def _always() -> bool:
    return True


class HttpRequest(msgspec.Struct, frozen=True):
    """A request that has passed every check; names of headers are in small letters, the path is without its query.

    `is_awaited` tells whether whoever asked still listens for the answer.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    is_awaited: Callable[[], bool] = _always


class HttpAnswer(msgspec.Struct, frozen=True):
    """What is answered."""

    status: int
    content_type: str
    body: bytes


Handler = Callable[[HttpRequest], HttpAnswer]


def json_answer(status: int, found: object) -> HttpAnswer:
    """Return an answer that holds an object as JSON."""
    return HttpAnswer(status, JSON, msgspec.json.encode(found))


class LoopbackHttp:
    """A server on 127.0.0.1 and its threads: NAME accepts, NAME-1, NAME-2 … serve one request each and end.

    Thread: `start` and `stop`, one; the handler is called on the serving threads, several at once.

    Args:
        name: of the thread that accepts.
        handler: answers; what it raises is logged and answered by 500.
        token: what `Authorization: Bearer …` must hold.
        clock: tells when a lockout is over.
    """

    def __init__(self, name: str, handler: Handler, token: Secret, clock: Clock | None = None) -> None:
        self.name = name
        self.door = TokenDoor(token, clock or SystemClock())
        self._handler = handler
        self._clock = clock or SystemClock()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int) -> int:
        """Listen on a port, 0 picks one, and return it.

        Raises:
            ConfigError: the port cannot be had.
        """
        try:
            server = _Server(self.name, (LOOPBACK, port), self._handler, self.door, self._clock)
        except (OSError, OverflowError) as error:
            words = getattr(error, "strerror", None) or error
            raise ConfigError(f"port {port} of {LOOPBACK} cannot be had: {words}; name another, or 0") from None
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(_LOOK_S,), name=self.name, daemon=True)
        self._thread.start()
        return int(server.server_address[1])

    @property
    def thread(self) -> threading.Thread | None:
        """Return the thread that accepts, None before the start and after the stop."""
        return self._thread

    def stop(self, deadline_s: float = 2.0) -> str:
        """End everything; returns the name of a thread that overran the deadline, or "". A second call does nothing.

        Blocks: at most `deadline_s` and a tenth of a second.
        """
        server, thread, self._server, self._thread = self._server, self._thread, None, None
        if server is None or thread is None:
            return ""
        until_ns = self._clock.monotonic_ns() + int(deadline_s * 1e9)
        server.shutdown()
        server.server_close()
        for one in (thread, *server.hang_up()):
            one.join(max(0.0, (until_ns - self._clock.monotonic_ns()) / 1e9))
            if one.is_alive():
                return one.name
        return ""


class TokenDoor:
    """Compares tokens in constant time, and lets nobody in for a while after many wrong ones in a row.

    Thread: any; one lock guards the count.
    """

    def __init__(self, token: Secret, clock: Clock) -> None:
        if not token.reveal():
            raise ConfigError("the token of a server must not be empty")
        self._token = token
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong = 0
        self._locked_until_ns = 0
        self.lockouts = 0

    def refusal(self, authorization: str) -> int:
        """Return the HTTP status that refuses what stands under Authorization, 0 when it is let in."""
        given = authorization.removeprefix("Bearer ").strip().encode("utf-8", "replace")
        is_right = hmac.compare_digest(given, self._token.reveal().encode())
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            if now_ns < self._locked_until_ns:
                return 429
            if is_right:
                self._wrong = 0
                return 0
            self._wrong += 1
            if self._wrong < WRONG_TOKENS:
                return 401
            self._wrong, self._locked_until_ns = 0, now_ns + int(LOCKED_S * 1e9)
            self.lockouts += 1
        logger.warning("{} wrong tokens in a row: nobody is let in for {:.0f} s", WRONG_TOKENS, LOCKED_S)
        return 429


class _Server(ThreadingMixIn, TCPServer):
    """Gives each connection a thread of its own, up to a number, and ends those that take too long.

    Thread: made by whoever starts it; accepting and ending, NAME; each request, one of NAME-1, NAME-2 …; a lock guards who is open.
    """

    allow_reuse_address = os.name == "posix"  # elsewhere it would let another program take the port from under us
    request_queue_size = 32
    block_on_close = False

    def __init__(self, name: str, address: tuple[str, int], handler: Handler, door: TokenDoor, clock: Clock) -> None:
        self.name = name
        self.handler = handler
        self.door = door
        self._clock = clock
        self._pause = threading.Event()
        self._served = 0
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, tuple[Any, int]] = {}
        self.asked: set[Any] = set()
        """Connections whose handler is at work."""
        super().__init__(address, _Connection)

    @override
    def get_request(self) -> tuple[Any, Any]:
        """Accept; where no descriptor is left wait a moment, for the one that asks stays in line."""
        try:
            return super().get_request()
        except OSError:
            self._pause.wait(_LOOK_S)
            raise

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            is_full = len(self._open) >= MOST_AT_ONCE
            self._served += 1
            thread = threading.Thread(
                target=self._serve, args=(request, client_address), name=f"{self.name}-{self._served}", daemon=True
            )
            if not is_full:
                self._open[thread] = (request, self._clock.monotonic_ns() + int(LONGEST_S * 1e9))
        if is_full:
            self.shutdown_request(request)
        else:
            thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    @override
    def service_actions(self) -> None:
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            late = [request for request, until_ns in self._open.values() if until_ns < now_ns]
        for request in late:
            _hang_up(request)

    def hang_up(self) -> tuple[threading.Thread, ...]:
        """End every connection and return the threads that serve them."""
        with self._lock:
            serving = dict(self._open)
        for request, _ in serving.values():
            _hang_up(request)
        return tuple(thread for thread in serving if thread.ident is not None)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what the handler raised and answer 500; that a connection broke is nobody's fault."""
        error = sys.exception()
        if request not in self.asked:
            logger.debug("{}: a connection broke: {}", self.name, error)
            return
        self.asked.discard(request)
        logger.opt(exception=error).error("{}: a request failed by a fault of ours", self.name)
        with suppress(OSError):
            request.sendall(b"HTTP/1.0 500 Internal Server Error\r\nConnection: close\r\n\r\n")


class _Connection(BaseHTTPRequestHandler):
    """Reads one request, refuses it or hands it on, and answers; nothing is kept alive."""

    timeout: ClassVar[float | None] = LONGEST_S
    default_request_version = "HTTP/1.0"  # of a line that names none: answers always have their head
    server: _Server  # type: ignore[mutable-override]  # no other makes one

    @override
    def version_string(self) -> str:
        return "foxtrot"

    @override
    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(
            "{}: {}", self.server.name, repr(format % args)
        )  # repr: what a stranger sends makes no lines of its own

    @override
    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer an error as JSON; called by the base class for what is no HTTP."""
        with suppress(OSError):
            self._answer(json_answer(int(code), {"error": message or HTTPStatus(code).phrase}))

    def do_GET(self) -> None:
        """Serve a question."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Serve a command."""
        length = self.headers.get("Content-Length", "")
        refused = self._refusal()
        if refused:
            self.send_error(*refused)
        elif not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            self.send_error(411, "a body needs its length: Content-Length")
        elif len(length) > 9 or int(length) > MOST_BODY:
            self.send_error(413, f"a body has at most {MOST_BODY} bytes")
        elif len(body := self.rfile.read(int(length))) < int(length):
            self.send_error(400, "the body is shorter than its Content-Length")
        else:
            self._hand_on(body)

    def _serve(self, body: bytes) -> None:
        refused = self._refusal()
        if refused:
            self.send_error(*refused)
        else:
            self._hand_on(body)

    def _refusal(self) -> tuple[int, str] | None:
        host, _, port = self.headers.get("Host", "").partition(":")
        if host.lower() not in _HOSTS or port not in ("", str(self.server.server_address[1])):
            return 403, f"the Host of a request must be {LOOPBACK}:{self.server.server_address[1]}"
        if "Origin" in self.headers:
            return 403, "pages of a browser are not served"
        status = self.server.door.refusal(self.headers.get("Authorization", ""))
        return (status, _REFUSED[status]) if status else None

    def _hand_on(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = self.path.partition("?")[0]
        request = HttpRequest(self.command, path, headers, body, lambda: _listens(self.connection))
        self.server.asked.add(self.connection)
        answer = self.server.handler(request)
        self.server.asked.discard(self.connection)
        self._answer(answer)

    def _answer(self, answer: HttpAnswer) -> None:
        self.send_response(answer.status)
        for name, value in (
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        self.end_headers()
        self.wfile.write(answer.body)


_REFUSED = {401: "the token is missing or wrong", 429: f"too many wrong tokens: come back in {LOCKED_S:.0f} s"}


def _listens(connection: Any) -> bool:
    """Tell whether the other end of a connection has not hung up; where that cannot be told, it has."""
    try:
        with selectors.DefaultSelector() as looks:
            looks.register(connection, selectors.EVENT_READ)
            return not looks.select(0) or bool(connection.recv(1, socket.MSG_PEEK))
    except (OSError, ValueError):
        return False


def _hang_up(request: Any) -> None:
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
