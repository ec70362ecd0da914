"""Our ccxt.pro clients: by our clock, over our own HTTP session, with a tap in front of ccxt and every subscription's way noted."""

import logging
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache, partial
from typing import Any, Final, cast

import aiohttp
import ccxt
import ccxt.pro
import certifi
from aiohttp import WSMsgType

from foxtrot.adapter.ccxt.config import TESTNET, CcxtSettings
from foxtrot.adapter.ccxt.errors import RAISED
from foxtrot.core.clock import Clock

Tap = Callable[[Any, Any], bool]
"""Sees a ccxt client and a decoded message before ccxt does; True when ccxt need not see it."""
TRADES_LIMIT: Final = 20_000
SCHEMES: Final = {"http": "http", "https": "http", "ws": "ws", "wss": "ws"}


class Route:
    """The connection and the keys by which ccxt has subscribed something.

    Thread: the loop's.
    """

    def __init__(self) -> None:
        self.url = ""
        self.keys: set[str] = set()


ROUTE: ContextVar[Route | None] = ContextVar("route", default=None)
"""Where the watcher that runs now wants its subscription noted."""


class _Taps:
    """What our clients add to ccxt's.

    Thread: the loop's.
    """

    clock: Clock
    tap: Tap
    on_frame: Callable[[Any], None]
    on_ending: Callable[[Any, str], None]

    def milliseconds(self) -> int:
        """Return our clock's time."""
        return self.clock.now_ns() // 1_000_000

    def ws_dial_delay(self, _url: str) -> float:
        """Dial at once: back-off is our topics'."""
        return 0.0

    def client(self, url: str) -> Any:
        """Return the connection of a URL; the frames of a new one are noted."""
        made = super().client(url)  # type: ignore[misc]  # ccxt's
        if "handle_message" not in vars(made):
            made.handle_message = partial(self._note_frame, made)
            made.heard_ns = self.clock.monotonic_ns()
        return made

    def watch(self, url: str, message_hash: str, *rest: Any) -> Any:
        """Note where a subscription goes, and let ccxt make it."""
        _note_route(url, rest[1:2])
        return super().watch(url, message_hash, *rest)  # type: ignore[misc]  # ccxt's

    def watch_multiple(self, url: str, message_hashes: list[str], *rest: Any) -> Any:
        """Note where subscriptions go, and let ccxt make them."""
        _note_route(url, tuple(rest[1] or ()) if len(rest) > 1 else ())
        return super().watch_multiple(url, message_hashes, *rest)  # type: ignore[misc]  # ccxt's

    def handle_message(self, client: Any, message: Any) -> None:
        """Show a message to the tap, and to ccxt what it leaves; a connection whose message breaks ccxt is not believed any more."""
        if self.tap(client, message):
            return
        try:
            super().handle_message(client, message)  # type: ignore[misc]  # ccxt's
        except RAISED as error:
            self.on_ending(client, f"a message that ccxt cannot read: {type(error).__name__}: {error}")

    def _note_frame(self, client: Any, message: Any) -> None:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            client.heard_ns = self.clock.monotonic_ns()
        self.on_frame(client)
        type(client).handle_message(client, message)


@cache
def _class_of(exchange: str) -> Any:
    """Return ccxt.pro's class with our taps in front."""
    return type(f"Tapped_{exchange}", (_Taps, getattr(ccxt.pro, exchange)), {})


def make_exchange(settings: CcxtSettings, clock: Clock) -> Any:
    """Return a client over an HTTP session of its own; to be called on the loop, and ended by `end_exchange`."""
    made = _class_of(settings.exchange)(
        {"enableRateLimit": settings.rate_limit, "options": {"tradesLimit": TRADES_LIMIT}}
    )
    if settings.environment == TESTNET:
        made.set_sandbox_mode(True)
    if settings.loopback:
        made.urls["api"] = on_loopback(made.urls["api"], settings.loopback, made.hostname or "")
    made.clock, made.tap = clock, leave
    made.on_frame = made.on_ending = ignore
    made.has = {**made.has, "fetchCurrencies": False}  # else one more request for what is not used
    made.ssl_context = _tls()
    made.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=made.ssl_context), trust_env=False)
    made.own_session = False
    made.timeout_on_exit = 0
    made.logger = _quiet_logger()
    return made


def on_loopback(urls: Any, address: str, hostname: str = "") -> Any:
    """Return ccxt's URLs at one address of this machine; the host becomes the first part of the path, so that all stay distinct."""
    if isinstance(urls, dict):
        return {name: on_loopback(inner, address, hostname) for name, inner in urls.items()}
    scheme, separator, rest = str(urls).replace("{hostname}", hostname).partition("://")
    return f"{SCHEMES[scheme]}://{address}/{rest}" if separator and scheme in SCHEMES else urls


async def end_exchange(exchange: Any) -> None:
    """Close a client, its connections and its HTTP session."""
    http = exchange.session
    await exchange.close()
    if http is not None:
        await http.close()


async def kick(exchange: Any, url: str, cause: str) -> None:
    """Drop one connection: its watchers fail, and the next call dials anew.

    ccxt's own close would cancel the watchers instead, which looks like an end of ours.
    """
    client = exchange.clients.pop(url, None)
    if client is None:
        return
    error = cast("Exception", ccxt.NetworkError(cause))
    client.error = error  # so that its own close is not told again
    client.reset(error)
    client.rejections.clear()
    await client.aiohttp_close()


def leave(_client: Any, _message: Any) -> bool:
    """Leave every message to ccxt: the tap of nobody."""
    return False


def ignore(*_heard: Any) -> None:
    """Hear nothing."""


def _note_route(url: str, keys: tuple[Any, ...]) -> None:
    route = ROUTE.get()
    if route is not None:
        route.url = url
        route.keys.update(str(key) for key in keys if key is not None)


@cache
def _quiet_logger() -> logging.Logger:
    quiet = logging.getLogger("foxtrot.ccxt")
    quiet.setLevel(logging.WARNING)
    return quiet


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
