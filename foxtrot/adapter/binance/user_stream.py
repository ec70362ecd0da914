"""The stream of what happens to an account: subscribed by us over ccxt's connections, and a lifeline that breaks with it.

Spot: the WebSocket API, subscribed by signature. USD-M: a listen key that we ask for, renew and give up. ccxt's own way to
either renews a key once only, forgets why a subscription was refused and then hangs; so ccxt dials, signs and reads here, and
the events go to our tap, never into its conflating caches.
"""

import asyncio
from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.binance.client import NEVER_STALE_MS, BinanceExchange
from foxtrot.adapter.binance.errors import UNKNOWN_LISTEN_KEY, clean
from foxtrot.adapter.binance.rest_door import RestDoor
from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.health import AdapterHealth, StalenessRule, StreamHealth
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import AdapterError, BadMessage, ConnectionLost

LIFELINE: Final = "foxtrot:lifeline"
DIAL_DEADLINE_S: Final = 15.0
RENEW_AFTER_S: Final = 22 * 60.0
RENEW_AGAIN_S: Final = 60.0
NEVER_STALE: Final = StalenessRule(floor_s=inf, ceiling_s=inf)
"""An account may be quiet for ever; that its stream lives is told by pongs."""
Lost = Callable[[str], None]


class UserStream:
    """Opens the account's stream and keeps it; tells `lost` once, with the cause, when it is gone.

    Thread: binance-io.
    """

    def __init__(self, product: Product, door: RestDoor, bridge: AsyncBridge, health: AdapterHealth) -> None:
        self.url = ""
        self.refused_for_s = 0.0
        """For how long the venue wants not to be dialled, by the handshake that it refused last."""
        self._client: Any = None
        self._product = product
        self._door = door
        self._bridge = bridge
        self._figures = health.stream("user", lambda name: StreamHealth(name, NEVER_STALE))

    async def open(self, lost: Lost) -> None:
        """Connect and subscribe; when it returns, every later event is heard.

        Raises:
            AdapterError: it could not be had.
        """
        open_product = self._open_spot if self._product is Product.SPOT else self._open_usdm
        self._client, self.refused_for_s = None, 0.0
        try:
            await self._door.ask(lambda found: open_product(found, lost), DIAL_DEADLINE_S)
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

    async def keep(self, lost: Lost) -> None:
        """Renew the listen key for ever; a key that Binance does not know any more is a loss."""
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
