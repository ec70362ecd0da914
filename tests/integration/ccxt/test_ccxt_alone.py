"""Unmodified ccxt.pro against the scripted venues, without our adapter: the scripts speak what ccxt's classes understand."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ccxt
import ccxt.pro
import pytest

from foxtrot.domain.enums import Side
from tests.support.scripted_venues.backpack import BackpackScript
from tests.support.scripted_venues.bybit import BybitScript
from tests.support.scripted_venues.grvt import GrvtScript
from tests.support.scripted_venues.kraken import KrakenScript
from tests.support.scripted_venues.okx import OkxScript
from tests.support.scripted_venues.script import VenueScript
from tests.support.scripted_venues.server import ScriptedServer
from tests.support.waiting import wait_until

VENUES: dict[type[VenueScript], tuple[str, int | None]] = {
    OkxScript: ("BTC/USDT", None),
    BybitScript: ("BTC/USDT:USDT", 50),
    KrakenScript: ("BTC/USD", 10),
    BackpackScript: ("SOL/USDC", None),
    GrvtScript: ("BTC/USDT:USDT", None),
}
"""Scripts, with ccxt's symbol and the depth that is asked for."""
NEEDED_CHANGES = 12
"""So many changes ccxt wants of Backpack before it asks for a snapshot."""


@pytest.fixture(params=VENUES, ids=lambda script: script.exchange)
def server(request: pytest.FixtureRequest) -> Iterator[ScriptedServer]:
    """Serve a venue."""
    with ScriptedServer(request.param()) as serving:
        yield serving


def test_its_watcher_gives_the_book_and_follows_it(server: ScriptedServer) -> None:
    """Markets, a subscription, a snapshot, a change of a level and one that removes another."""

    async def check(exchange: Any, symbol: str, limit: int | None) -> None:
        script = server.script
        book = await first_book(server, exchange, symbol, limit)
        assert levels(book) == truth(script, limit)
        frame = script.change(Side.BUY, script.price[0], script.size[0])
        assert levels(await next_book(server, exchange, symbol, limit, frame)) == truth(script, limit)
        frame = script.change(Side.BUY, script.price[0], "0")
        assert levels(await next_book(server, exchange, symbol, limit, frame)) == truth(script, limit)

    play(server, check)


def test_its_request_gives_the_book(server: ScriptedServer) -> None:
    """REST."""

    async def check(exchange: Any, symbol: str, _limit: int | None) -> None:
        assert levels(await exchange.fetch_order_book(symbol, 50)) == truth(server.script, None)

    play(server, check)


def test_its_watcher_follows_again_over_a_new_connection(server: ScriptedServer) -> None:
    """What was changed while nobody listened is in the snapshot."""

    async def check(exchange: Any, symbol: str, limit: int | None) -> None:
        script = server.script
        await first_book(server, exchange, symbol, limit)
        waiting = asyncio.ensure_future(exchange.watch_order_book(symbol, limit))
        await asyncio.sleep(0.01)
        server.close_sockets()
        with pytest.raises(ccxt.NetworkError):
            await waiting
        script.change(Side.SELL, script.price[1], script.size[1])
        exchange.orderbooks.clear()
        assert levels(await first_book(server, exchange, symbol, limit)) == truth(script, limit)

    play(server, check)


def test_of_a_lost_change_it_says_nothing_but_at_okx(server: ScriptedServer) -> None:
    """It hides the ids that would tell, which is why our taps read the messages before it does."""

    async def check(exchange: Any, symbol: str, limit: int | None) -> None:
        script = server.script
        await first_book(server, exchange, symbol, limit)
        script.change(Side.BUY, script.price[0], script.size[0])
        after = script.change(Side.SELL, script.price[1], script.size[1])
        if isinstance(script, OkxScript):
            with pytest.raises(ccxt.InvalidNonce):
                await next_book(server, exchange, symbol, limit, after)
            return
        assert levels(await next_book(server, exchange, symbol, limit, after)) != truth(script, limit)

    play(server, check)


def play(server: ScriptedServer, check: Callable[[Any, str, int | None], Awaitable[None]]) -> None:
    """Run a check with ccxt's own class, whose URLs alone are changed."""

    async def run() -> None:
        exchange = getattr(ccxt.pro, server.script.exchange)({"enableRateLimit": False, "verify": False})
        exchange.urls["api"] = rerouted(exchange.urls["api"], exchange.hostname or "", server.port)
        try:
            await asyncio.wait_for(check(exchange, *VENUES[type(server.script)]), 10)
        finally:
            await exchange.close()

    asyncio.run(run())


async def first_book(server: ScriptedServer, exchange: Any, symbol: str, limit: int | None) -> Any:
    """Return what the first watch gives; Backpack's needs changes."""
    waiting = asyncio.ensure_future(exchange.watch_order_book(symbol, limit))
    if isinstance(server.script, BackpackScript):
        await asyncio.to_thread(wait_until, lambda: server.subscribed("book") > 0)
        for _ in range(NEEDED_CHANGES):
            server.push("book", server.script.change(Side.BUY, "214.07", "21.41"))
    return await waiting


async def next_book(server: ScriptedServer, exchange: Any, symbol: str, limit: int | None, frame: Any) -> Any:
    """Return what a watch gives that waits while a frame is pushed."""
    waiting = asyncio.ensure_future(exchange.watch_order_book(symbol, limit))
    await asyncio.sleep(0.01)
    server.push("book", frame)
    return await waiting


def rerouted(urls: Any, hostname: str, port: int) -> Any:
    """Return URLs of this machine, the host as the first part of their path."""
    if isinstance(urls, dict):
        return {name: rerouted(inner, hostname, port) for name, inner in urls.items()}
    scheme, _, rest = urls.replace("{hostname}", hostname).partition("://")
    return f"{'ws' if scheme.startswith('ws') else 'http'}://127.0.0.1:{port}/{rest}"


def levels(book: Any) -> tuple[list[list[float]], list[list[float]]]:
    """Return prices and sizes of ccxt's book."""
    bids, asks = ([[row[0], row[1]] for row in book[side]] for side in ("bids", "asks"))
    return bids, asks


def truth(script: VenueScript, best: int | None) -> tuple[list[list[float]], list[list[float]]]:
    """Return those of the venue's best levels."""
    bids, asks = ([[float(price), float(size)] for price, size in side[:best]] for side in script.book())
    return bids, asks
