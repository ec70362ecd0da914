"""Our ccxt.pro clients: by our clock, over our own HTTP session, with taps in front of ccxt and its errors kept whole."""

import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, partial
from typing import Any, Final, cast

import aiohttp
import ccxt
import ccxt.pro
import certifi
from aiohttp import WSMsgType

from foxtrot.adapter.binance.config import BinanceSettings
from foxtrot.adapter.binance.errors import Refusal
from foxtrot.adapter.binance.fast_client import FastClients
from foxtrot.adapter.binance.message_pace import MessagePace
from foxtrot.adapter.binance.permit_request import PermitRequest, abort_used
from foxtrot.adapter.binance.request_pace import (
    CANCEL_WEIGHT,
    ORDER_WEIGHT,
    UNIT_WEIGHT,
    WEIGHT_PER_MINUTE,
    RequestPace,
)
from foxtrot.adapter.reconnect import ConnectionBudget
from foxtrot.core.clock import Clock
from foxtrot.domain.enums import Product

Tap = Callable[[Any, Mapping[str, Any]], bool]
"""Sees a decoded message and the ccxt client it came on before ccxt does; True when ccxt need not see it."""
ConnectorMaker = Callable[[], aiohttp.BaseConnector]
Wait = Callable[[float], Awaitable[None]]
"""Waits for seconds, by the injected clock."""
USED_WEIGHT: Final = "X-MBX-USED-WEIGHT-1M"
KEEP_ALIVE_MS: Final = 10_000
TRADES_LIMIT: Final = 20_000
AT_ONCE: Final = frozenset((verb, path) for verb in ("POST", "DELETE") for path in ("order", "algoOrder"))
"""Orders and cancels: neither waits behind questions. Orders have a count of their own."""
NEVER_STALE_MS: Final = 1 << 52
"""A moment no clock reaches: ccxt then never renews a listen key by itself, nor leaves a timer behind to do so."""
USER_EVENTS: Final = frozenset(
    {
        "executionReport",
        "outboundAccountPosition",
        "balanceUpdate",
        "listStatus",
        "externalLockUpdate",
        "ORDER_TRADE_UPDATE",
        "ACCOUNT_UPDATE",
        "ACCOUNT_CONFIG_UPDATE",
        "ALGO_UPDATE",
        "TRADE_LITE",
        "MARGIN_CALL",
        "CONDITIONAL_ORDER_TRIGGER_REJECT",
    }
)
"""Events of an account.

Source: Binance spot API and USDⓈ-M Futures, User Data Streams.
"""
ENDINGS: Final = frozenset({"listenKeyExpired", "serverShutdown", "eventStreamTerminated"})
"""Events after which a connection says nothing more, although it stays open."""


class _Taps(FastClients):
    """What our clients of both products add to ccxt's.

    Thread: the loop's.
    """

    clock: Clock
    budget: ConnectionBudget
    market_tap: Tap
    user_tap: Tap
    on_ending: Callable[[Any, str], None]
    on_frame: Callable[[Any], None]
    on_weight: Callable[[int], None]
    wait_s: Wait
    subscriptions_per_s: int
    pace: RequestPace
    unit_weight: int
    order_weight: int

    def milliseconds(self) -> int:
        """Return our clock's time; everything that is signed carries it."""
        return self.clock.now_ns() // 1_000_000

    def client(self, url: str) -> Any:
        """Return the connection of a URL; a new one is counted and its frames are noted."""
        made = super().client(url)
        if "handle_message" not in vars(made):
            made.handle_message = partial(self._note_frame, made)
            made.close_reason = ""
            made.throttle = _at_once  # messages have a pace of their own, and ccxt's goes by the machine's time of day
            self.budget.spend(self.clock.monotonic_ns())
            self.on_frame(made)
        return made

    def new_pace(self) -> MessagePace:
        """Return the pace of a new market connection."""
        return MessagePace(self.subscriptions_per_s, self.clock.monotonic_ns, self.wait_s)

    def ws_dial_delay(self, _url: str) -> float:
        """Return how long to wait before dialling: what our budget of connections wants; back-off is the session's."""
        return self.budget.wait_s(self.clock.monotonic_ns())

    def calculate_rate_limiter_cost(self, api: Any, method: Any, path: str, params: Any, config: Any) -> Any:
        """Return what a request costs; ccxt compares `limit` with numbers, and our parameters are text.

        What may not wait costs less than nothing, or nothing: its weight below zero.
        """
        if (method, path) in AT_ONCE:
            return -(self.order_weight if method == "POST" else CANCEL_WEIGHT)
        limit = params.get("limit")
        counted = {**params, "limit": int(limit)} if isinstance(limit, str) else params
        return super().calculate_rate_limiter_cost(api, method, path, counted, config)  # type: ignore[misc]  # ccxt's

    async def throttle(self, cost: Any = 1) -> None:
        """Wait until a request may leave, in place of ccxt's method of this name, unless it may not wait."""
        if cost <= 0:
            self.pace.pass_by(-cost)
        else:
            await self.pace.turn(self.unit_weight * cost)

    def handle_message(self, client: Any, message: Any) -> None:
        """Show a message to the taps, and to ccxt what they leave; after plain text a connection is not believed any more."""
        if isinstance(message, str):
            self.on_ending(client, "a frame that is no JSON")
            return
        event = user_event(message)
        if event is not None:
            kind = event.get("e")
            if kind in ENDINGS:
                self.on_ending(client, str(kind))
                return
            if kind in USER_EVENTS and self.user_tap(client, event):
                return
        if isinstance(message, dict) and self.market_tap(client, message):
            return
        super().handle_message(client, message)  # type: ignore[misc]  # ccxt's

    def handle_errors(self, code: int, reason: str, url: str, method: str, *rest: Any) -> Any:
        """Let ccxt raise its error, and keep with it what Binance said."""
        headers, response = rest[0], rest[2]
        try:
            return super().handle_errors(code, reason, url, method, *rest)  # type: ignore[misc]  # ccxt's
        except ccxt.BaseError as error:
            error.refusal = _refusal(code, headers, response)
            raise

    def on_rest_response(self, code: int, reason: str, url: str, method: str, headers: Any, *rest: Any) -> Any:
        """Note how much of the minute's weight is used, which every answer says.

        Source: Binance spot API, LIMITS (X-MBX-USED-WEIGHT-(intervalNum)(intervalLetter)).
        """
        weight = next((value for name, value in headers.items() if name.upper() == USED_WEIGHT), "")
        if weight.isdecimal():
            self.on_weight(int(weight))
        return super().on_rest_response(code, reason, url, method, headers, *rest)  # type: ignore[misc]  # ccxt's

    def _note_frame(self, client: Any, message: Any) -> None:
        self.on_frame(client)
        if message.type is WSMsgType.CLOSE:
            client.close_reason = str(message.extra or "")
        type(client).handle_message(client, message)


class SpotExchange(_Taps, ccxt.pro.binance):  # type: ignore[misc]  # ccxt has no types
    """Binance spot.

    Thread: the loop's.
    """


class UsdmExchange(_Taps, ccxt.pro.binanceusdm):  # type: ignore[misc]  # ccxt has no types
    """Binance USD-M futures.

    Thread: the loop's.
    """


BinanceExchange = SpotExchange | UsdmExchange


def make_exchange(
    settings: BinanceSettings,
    clock: Clock,
    budget: ConnectionBudget,
    wait_s: Wait,
    make_connector: ConnectorMaker | None = None,
) -> BinanceExchange:
    """Return a client over an HTTP session of its own; to be called on the loop, and ended by `end_exchange`.

    Args:
        settings: of the account.
        clock: whose time is signed.
        budget: of connections, shared by all clients of an adapter.
        wait_s: waits by that clock.
        make_connector: makes what dials; by default plain TCP and TLS with certifi's certificates.
    """
    spot = settings.product is Product.SPOT
    made: Any = (SpotExchange if spot else UsdmExchange)(_configuration(settings, spot=spot))
    if settings.signer is not None:
        settings.signer.install(made)
    made.clock, made.budget, made.wait_s = clock, budget, wait_s
    made.pace = RequestPace(WEIGHT_PER_MINUTE[settings.product], clock.monotonic_ns, wait_s)
    made.unit_weight, made.order_weight = UNIT_WEIGHT[settings.product], ORDER_WEIGHT[settings.product]
    made.subscriptions_per_s = settings.subscriptions_per_s
    made.market_tap = made.user_tap = leave
    made.on_ending = made.on_frame = made.on_weight = ignore
    exact = made.exceptions["exact"]
    made.exceptions["exact"] = {**exact, **made.exceptions["spot" if spot else "linear"]["exact"]}
    made.ssl_context = _tls()
    connector = make_connector() if make_connector is not None else aiohttp.TCPConnector(ssl=made.ssl_context)
    made.session = aiohttp.ClientSession(connector=connector, request_class=PermitRequest, trust_env=False)
    made.own_session = False
    made.timeout_on_exit = 0
    made.logger = _quiet_logger()  # ccxt's own writes the headers of every request, keys included, at DEBUG
    return cast("BinanceExchange", made)


async def end_exchange(exchange: BinanceExchange) -> None:
    """Close a client, its connections and its HTTP session."""
    http = exchange.session
    connector = http.connector if http is not None else None
    readers = [reader for client in exchange.clients.values() if (reader := getattr(client, "reader", None))]
    await exchange.close()
    for reader in readers:
        reader.cancel()
    if http is not None:
        await http.close()
    abort_used(connector)


def kicked(cause: str) -> Exception:
    """Return the error that watchers of a dropped connection get."""
    return cast("Exception", ccxt.NetworkError(cause))


async def kick(exchange: BinanceExchange, url: str, error: Exception) -> None:
    """Drop one connection: its watchers fail, and the next call dials anew.

    ccxt's own close would cancel the watchers instead, which looks like an end of ours.
    """
    client = exchange.clients.pop(url, None)
    if client is None:
        return
    client.dropped = True
    client.error = error  # so that its own close is not told again
    client.reset(error)
    client.rejections.clear()
    await client.aiohttp_close()


def user_event(message: Any) -> Mapping[str, Any] | None:
    """Return the event in a message, whatever it is wrapped in; None when there is none.

    Source: Binance WebSocket API, User Data Stream ({"subscriptionId", "event"}); WebSocket Streams ({"stream", "data"}).
    """
    if not isinstance(message, dict):
        return None
    for wrapper in ("event", "data"):
        inner = message.get(wrapper)
        if isinstance(inner, dict):
            message = inner
    return message if isinstance(message.get("e"), str) else None


def retry_after_s(headers: Any) -> float:
    """Return what a Retry-After header asks for, in seconds; 0.0 without one."""
    for name, value in dict(headers or {}).items():
        if str(name).lower() == "retry-after" and str(value).strip().isdecimal():
            return float(value)
    return 0.0


async def _at_once(_cost: float) -> None:
    """Let a message leave."""


@cache
def _quiet_logger() -> logging.Logger:
    quiet = logging.getLogger("foxtrot.ccxt")
    quiet.setLevel(logging.WARNING)
    return quiet


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


def _refusal(status: int, headers: Any, response: Any) -> Refusal:
    said = response if isinstance(response, dict) else {}
    return Refusal(status, str(said.get("code", "")), str(said.get("msg", "")), retry_after_s(headers))


def _configuration(settings: BinanceSettings, *, spot: bool) -> dict[str, Any]:
    return {
        "apiKey": settings.api_key.reveal(),
        "secret": settings.api_secret.reveal(),
        "urls": {"api": settings.urls},
        "enableRateLimit": settings.rate_limit,
        "streaming": {"keepAlive": KEEP_ALIVE_MS},
        "session": None,
        "options": {
            "fetchCurrencies": False,
            "fetchMargins": False,
            "fetchOpenOrders": {"warnWithoutSymbol": False},
            "watchTickers": {"name": "ticker"},
            "tradesLimit": TRADES_LIMIT,
            "watchBalance": {"fetchBalanceSnapshot": False, "awaitBalanceSnapshot": False},
            "watchPositions": {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False},
            "recvWindow": settings.recv_window_ms,
            "adjustForTimeDifference": False,
            **({"fetchMarkets": {"types": ["spot"]}} if spot else {}),
        },
    }


def leave(_client: Any, _message: Mapping[str, Any]) -> bool:
    """Leave every message to ccxt: the tap of nobody."""
    return False


def ignore(*_heard: Any) -> None:
    """Hear nothing."""
