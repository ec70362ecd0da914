"""One account's session at Binance: its loop, its ccxt client, its requests and the streams that tell what happened to it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol

from foxtrot.core.clock import Clock
from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Instrument

Tap = Callable[[Any, Mapping[str, Any]], bool]
"""Sees a decoded frame and the ccxt client it came on before ccxt does; True when ccxt need not see it."""


class BinanceSession(Protocol):
    """What the parts of the adapter are given.

    Thread: binance-io, except `call_soon`.
    """

    product: Product
    """SPOT or PERPETUAL (USD-M)."""
    clock: Clock
    account: str
    linked: bool
    """Between CONNECTED and LOST or CLOSED."""
    instruments: dict[str, Instrument]
    """By instrument id, set once contracts are loaded."""
    exchange: Any
    """Our ccxt.pro instance; made anew after a hard reset, so always read through the session."""
    market_tap: Tap
    """Set by MarketData; sees every frame of a connection that carries market data."""
    user_tap: Tap
    """Set by the adapter: Orders.hear and the account; sees every user event, unwrapped."""

    def market_symbol(self, instrument_id: str) -> str:
        """Return the venue's symbol, "BTCUSDT"; VenueRejected when it is not listed."""
        ...

    def unified(self, instrument_id: str) -> str:
        """Return ccxt's symbol, "BTC/USDT" or "BTC/USDT:USDT"."""
        ...

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        """Return a listed instrument or None; any thread may ask."""
        ...

    async def request(self, endpoint: str, params: Mapping[str, str], *, deadline_s: float = 10.0) -> Any:
        """Call ccxt's implicit method of that name ("privateGetOpenOrders"); raises AdapterError only."""
        ...

    async def send_permitted(self, endpoint: str, params: Mapping[str, str], *, reduces: bool) -> Any:
        """Send an order request; raises PermitClosed, UnknownOutcome, or AdapterError of a refusal."""
        ...

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Run a coroutine until it ends or the session closes."""
        ...

    async def wait_s(self, seconds: float) -> None:
        """Wait by the injected clock."""
        ...

    def call_soon(self, function: Callable[[], None]) -> bool:
        """Run a function on binance-io, from any thread; False when the session is closed."""
        ...

    async def kick(self, url: str, cause: str) -> None:
        """Drop one of ccxt's connections so that its watchers fail and the next call dials anew."""
        ...

    def lose(self, cause: str) -> None:
        """Say that the link is gone: LOST, back-off, connect again. Doing it while lost does nothing."""
        ...


Opening = Callable[[], Awaitable[None]]
