"""The stream of what happens to an account: subscribed by us over ccxt's connections, and a lifeline that breaks with it.

Spot: the WebSocket API, subscribed by signature. USD-M: a listen key that we ask for, renew and give up. ccxt's own way to
either renews a key once only, forgets why a subscription was refused and then hangs; so ccxt dials, signs and reads here, and
the events go to our tap, never into its conflating caches.

A connection that is old gives its place to another over which the same events come: while both speak, each is heard once.
"""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from math import inf
from typing import Any, Final

import msgspec
from loguru import logger

from foxtrot.adapter.binance.client import NEVER_STALE_MS, BinanceExchange, kick, kicked
from foxtrot.adapter.binance.errors import UNKNOWN_LISTEN_KEY, clean
from foxtrot.adapter.binance.rest_door import RestDoor
from foxtrot.adapter.binance.topic import first
from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.health import AdapterHealth, StalenessRule, StreamHealth
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import AdapterError, BadMessage, ConnectionLost

LIFELINE: Final = "foxtrot:lifeline"
DIAL_DEADLINE_S: Final = 15.0
RENEW_AFTER_S: Final = 22 * 60.0
RENEW_AGAIN_S: Final = 60.0
ROTATE_AGAIN_S: Final = 60.0
PONG_WITHIN_S: Final = 5.0
"""How long a connection may take to answer a ping, behind all events it was sent before; and how long events are compared after."""
PONG_PERIOD_S: Final = 0.1
NEVER_STALE: Final = StalenessRule(floor_s=inf, ceiling_s=inf)
"""An account may be quiet for ever; that its stream lives is told by pongs."""
Lost = Callable[[str], None]
_numbers = count(1)


class UserStream:
    """Opens the account's stream and keeps it; tells `lost` once, with the cause, when it is gone.

    Thread: binance-io.
    """

    def __init__(self, product: Product, door: RestDoor, bridge: AsyncBridge, health: AdapterHealth) -> None:
        self.url = ""
        self.refused_for_s = 0.0
        """For how long the venue wants not to be dialled, by the handshake that it refused last."""
        self.rotate_after_s = 0.0
        """How old its connection may grow before another takes its place; 0 is any age."""
        self._client: Any = None
        self._seen: set[bytes] | None = None
        self._leaving = asyncio.Event()
        self._product = product
        self._door = door
        self._bridge = bridge
        self._counts = health.connections
        self._figures = health.stream("user", lambda name: StreamHealth(name, NEVER_STALE))

    async def open(self, lost: Lost) -> None:
        """Connect and subscribe; when it returns, every later event is heard.

        Raises:
            AdapterError: it could not be had.
        """
        self._client, self.refused_for_s, self._seen = None, 0.0, None
        self._leaving.clear()
        try:
            await self._dial(lost)
        except ConnectionLost:
            self.refused_for_s = getattr(self._client, "last_retry_after", None) or 0.0
            raise
        self._figures.up(self._bridge.clock.monotonic_ns())

    def note(self, event: Mapping[str, Any]) -> None:
        """Count an event, and how long it was under way by its own time.

        Source: Binance spot API and USDⓈ-M Futures, User Data Streams ("E", event time in ms).
        """
        sent_ms, clock = event.get("E"), self._bridge.clock
        venue_ms = clock.now_ns() / 1e6 - sent_ms if isinstance(sent_ms, int) else None
        self._figures.heard(clock.monotonic_ns(), venue_ms=venue_ms)

    def fell_back(self) -> None:
        """Count that the account was asked for by REST."""
        self._figures.fell_back()

    def is_repeated(self, event: Mapping[str, Any]) -> bool:
        """Tell whether an event was heard already over the other of two connections."""
        if self._seen is None:
            return False
        text = msgspec.json.encode(event, order="deterministic")
        repeated = text in self._seen
        self._seen.add(text)
        return repeated

    def hear_leaving(self) -> None:
        """Hear that the venue is about to close the connection: it is replaced as if it were old."""
        self._leaving.set()

    async def keep(self, lost: Lost) -> None:
        """Renew the listen key and replace the connection in time, for ever; a key that Binance does not know any more is a loss."""
        await asyncio.gather(self._renew(lost), self._rotate(lost))

    async def replace(self, lost: Lost) -> bool:
        """Let another connection take the place of the present one; False when none could be had, and the old one goes on."""
        exchange, old, url = self._door.exchange, self._client, self.url
        if exchange is None or exchange.clients.get(url) is not old:
            return False
        old.url = aside = f"{url}#{next(_numbers)}"
        exchange.clients[aside], self._seen = exchange.clients.pop(url), set()
        try:
            await self._dial(lost)
        except AdapterError as error:
            logger.warning("the account's stream stays where it is, no other connection could be had: {}", error)
            await kick(exchange, self.url, kicked("another was to take its place"))
            old.url, self.url, self._client, self._seen = url, url, old, None
            if exchange.clients.pop(aside, None) is not None:
                exchange.clients[url] = old
            return False
        if not (await self._answers(old) and await self._answers(self._client)):
            lost("user stream: it does not answer while another takes its place")
            return True
        for lifeline in old.futures.values():
            lifeline.cancel()  # so that its end is told to nobody
        await kick(exchange, aside, kicked("another has taken its place"))
        self._counts.rotations += 1
        await self._bridge.wait_s(PONG_WITHIN_S)
        self._seen = None
        return True

    async def _dial(self, lost: Lost) -> None:
        open_product = self._open_spot if self._product is Product.SPOT else self._open_usdm
        await self._door.ask(lambda found: open_product(found, lost), DIAL_DEADLINE_S)

    async def _answers(self, client: Any) -> bool:
        """Ping a connection; True when the pong is back, and with it every event that was sent before."""
        client.lastPong = None
        try:
            await client.connection.ping()
        except (ConnectionError, AttributeError):
            return False
        waited_s = 0.0
        while client.lastPong is None and waited_s < PONG_WITHIN_S:
            await self._bridge.wait_s(PONG_PERIOD_S)
            waited_s += PONG_PERIOD_S
        return client.lastPong is not None

    async def _rotate(self, lost: Lost) -> None:
        pause_s = self.rotate_after_s or inf
        while True:
            await first(self._leaving.wait(), self._pause(pause_s))
            self._leaving.clear()
            if await self.replace(lost):
                pause_s = self.rotate_after_s or inf
            else:
                pause_s = ROTATE_AGAIN_S
                self._counts.failed_replacements += 1

    async def _pause(self, seconds: float) -> None:
        if seconds == inf:
            await asyncio.get_running_loop().create_future()
        await self._bridge.wait_s(seconds)

    async def _renew(self, lost: Lost) -> None:
        pause_s = RENEW_AFTER_S
        while self._product is not Product.SPOT:
            await self._bridge.wait_s(pause_s)
            try:
                await self._door.request("fapiPrivatePutListenKey", {})
                pause_s = RENEW_AFTER_S
            except AdapterError as error:
                if error.code == UNKNOWN_LISTEN_KEY:
                    lost("Binance does not know our listen key any more")
                    return
                logger.warning("the listen key could not be renewed ({}); again in {} s", error, RENEW_AGAIN_S)
                pause_s = RENEW_AGAIN_S

    async def _open_spot(self, exchange: BinanceExchange, lost: Lost) -> None:
        url = self.url = exchange.urls["api"]["ws"]["ws-api"]["spot"]
        client = self._client = exchange.client(url)
        lifeline = client.future(LIFELINE)
        lifeline.add_done_callback(_seen)
        number = str(exchange.request_id(url))
        message = {
            "id": number,
            "method": "userDataStream.subscribe.signature",
            "params": exchange.sign_params({}),
        }
        await exchange.watch(url, number, message, number, {"id": number, "method": _subscribed})
        client.subscriptions.pop(number, None)
        _hold(client, lifeline, lost)

    async def _open_usdm(self, exchange: BinanceExchange, lost: Lost) -> None:
        answer = await exchange.fapiPrivatePostListenKey({})
        key = answer.get("listenKey") if isinstance(answer, dict) else None
        if not isinstance(key, str) or not key:
            raise BadMessage("binance", "listen_key", "the answer has no listen key")
        exchange.options["linear"] = {"listenKey": key, "lastAuthenticatedTime": NEVER_STALE_MS}
        url = self.url = exchange.get_private_ws_url("linear", key)
        lifeline = exchange.watch(url, LIFELINE, None, "linear")
        client = self._client = exchange.client(url)
        await asyncio.wait({lifeline, client.connected}, return_when=asyncio.FIRST_COMPLETED)
        if lifeline.done():
            lifeline.result()
        _hold(client, lifeline, lost)


def _subscribed(client: Any, message: Any) -> None:
    """Hear the answer to our subscription, as ccxt calls it."""
    client.resolve(message, str(message["id"]))


def _seen(broken: "asyncio.Future[Any]") -> None:
    """Look at the error of a lifeline that breaks before anybody holds it; the subscription tells the same."""
    if not broken.cancelled():
        broken.exception()


def _hold(client: Any, lifeline: "asyncio.Future[Any]", lost: Lost) -> None:
    """Tell `lost` when the lifeline breaks; one that was cancelled was cut by ourselves."""

    def tell(broken: "asyncio.Future[Any]") -> None:
        if broken.cancelled():
            return
        error = broken.exception()
        reason = getattr(client, "close_reason", "")
        lost(reason or f"user stream: {clean(error)}")

    lifeline.add_done_callback(tell)
