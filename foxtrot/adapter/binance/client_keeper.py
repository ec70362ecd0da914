"""Keeps the present ccxt client of a session: makes it, hears its connections end, drops one, and lets it go."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.binance import client
from foxtrot.adapter.binance.client import BinanceExchange, ConnectorMaker, Tap
from foxtrot.adapter.binance.config import BinanceSettings
from foxtrot.adapter.binance.errors import VENUE, clean
from foxtrot.adapter.binance.request_pace import WEIGHT_PER_MINUTE, RequestPace
from foxtrot.adapter.binance.rest_door import RestDoor
from foxtrot.adapter.reconnect import ConnectionBudget
from foxtrot.core.clock import Clock
from foxtrot.domain.errors import ConnectionLost

LAND_S: Final = 2.0
"""How long a client that is let go keeps its HTTP session for orders on their way, in real time."""


class ClientKeeper:
    """Makes a new client for every link, so that nothing of a broken one outlives it.

    Thread: binance-io.

    Args:
        settings: of the account.
        clock: whose time is signed.
        door: told which client to ask by.
        make_connector: see make_exchange.
    """

    def __init__(
        self, settings: BinanceSettings, clock: Clock, door: RestDoor, make_connector: ConnectorMaker | None
    ) -> None:
        self.market_tap: Tap = client.leave
        self.user_tap: Tap = client.leave
        self.is_repeated: Callable[[Mapping[str, Any]], bool] = _never
        """Tells of an event of the account whether it was heard over another connection."""
        self.on_frame: Callable[[Any], None] = client.ignore
        self.on_ending: Callable[[Any, str], None] = client.ignore
        self.on_weight: Callable[[int], None] = client.ignore
        self.budget = ConnectionBudget(settings.connection_limit)
        self.pace = RequestPace(WEIGHT_PER_MINUTE[settings.product], clock.monotonic_ns, door.wait_s)
        self._settings = settings
        self._clock = clock
        self._door = door
        self._make_connector = make_connector
        self._closers: set[asyncio.Task[None]] = set()

    @property
    def exchange(self) -> BinanceExchange:
        """Return the present client.

        Raises:
            ConnectionLost: there is none.
        """
        if self._door.exchange is None:
            raise ConnectionLost(VENUE, "not_connected", "the venue is not connected")
        return self._door.exchange

    def renew(self) -> None:
        """Make a client and ask by it from now on."""
        made = client.make_exchange(self._settings, self._clock, self.budget, self._door.wait_s, self._make_connector)
        made.market_tap, made.user_tap = self._tap_market, self._tap_user
        made.pace = self.pace  # what one client has asked counts for the next
        made.on_frame, made.on_weight = self.on_frame, self.on_weight
        made.on_ending = partial(self._hear_ending, made)
        self._door.use(made)

    def let_go(self, *, at_once: bool) -> None:
        """Ask by nobody, and close the client in the background: `at_once`, or when orders on their way have landed."""
        exchange = self._door.exchange
        self._door.use(None)
        if exchange is not None:
            closer = asyncio.get_running_loop().create_task(self._close(exchange, at_once), name="binance client end")
            self._closers.add(closer)
            closer.add_done_callback(self._closers.discard)

    async def closed(self) -> None:
        """Wait until every client that was let go is closed."""
        await asyncio.gather(*self._closers, return_exceptions=True)

    async def kick(self, url: str, cause: str) -> None:
        """Drop one connection, so that its watchers fail and the next call dials anew."""
        exchange = self._door.exchange
        if exchange is not None and url in exchange.clients:
            logger.warning("{} drops its connection to {}: {}", self._settings.environment, clean(url), cause)
            await client.kick(exchange, url, client.kicked(cause))

    async def _close(self, exchange: BinanceExchange, at_once: bool) -> None:
        try:
            if not at_once:
                await self._door.drain(LAND_S)
        finally:
            await client.end_exchange(exchange)

    def _tap_market(self, connection: Any, message: Mapping[str, Any]) -> bool:
        return self.market_tap(connection, message)

    def _tap_user(self, connection: Any, event: Mapping[str, Any]) -> bool:
        return self.is_repeated(event) or self.user_tap(connection, event)

    def _hear_ending(self, exchange: BinanceExchange, connection: Any, kind: str) -> None:
        if exchange is self._door.exchange:
            self.on_ending(connection, kind)


def _never(_event: Mapping[str, Any]) -> bool:
    return False
