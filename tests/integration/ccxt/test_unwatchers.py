"""The rows' own ways to end a stream, by unmodified ccxt.pro: where ccxt has none, or one that the venue would not understand."""

import asyncio
from random import Random
from typing import Any

import ccxt
import ccxt.pro
import pytest

from foxtrot.adapter.ccxt.client import on_loopback
from foxtrot.adapter.ccxt.config import BookWay
from foxtrot.adapter.ccxt.topics import Topic
from foxtrot.adapter.ccxt.unsubscribing import end_subscription
from foxtrot.adapter.ccxt.venue import Stream, Venue
from foxtrot.adapter.ccxt.venues import backpack, bybit, grvt, kraken, okx
from foxtrot.adapter.ccxt.watching import watcher_of
from foxtrot.adapter.reconnect import Backoff
from tests.support.scripted_venues.backpack import BackpackScript
from tests.support.scripted_venues.bybit import BybitScript
from tests.support.scripted_venues.grvt import GrvtScript
from tests.support.scripted_venues.kraken import KrakenScript
from tests.support.scripted_venues.okx import OkxScript
from tests.support.scripted_venues.script import VenueScript
from tests.support.scripted_venues.server import ScriptedServer
from tests.support.waiting import wait_until

VENUES: list[tuple[Venue, type[VenueScript], str]] = [
    (backpack.VENUE, BackpackScript, "SOL/USDC"),
    (bybit.VENUE, BybitScript, "BTC/USDT:USDT"),
    (grvt.VENUE, GrvtScript, "BTC/USDT:USDT"),
    (kraken.VENUE, KrakenScript, "BTC/USD"),
    (okx.VENUE, OkxScript, "BTC/USDT"),
]
CASES = [(*case, stream) for case in VENUES for stream in case[0].unwatchers]


@pytest.mark.parametrize(
    ("venue", "script", "symbol", "stream"), CASES, ids=[f"{case[0].exchange} {case[3]}" for case in CASES]
)
def test_a_stream_ends_and_can_be_had_again(
    venue: Venue, script: type[VenueScript], symbol: str, stream: Stream
) -> None:
    """The venue hears of it, who watches hears of it, and the next to watch subscribes anew."""

    async def check(server: ScriptedServer, exchange: Any) -> None:
        for _ in range(2):
            watching = asyncio.ensure_future(watch(exchange, venue, stream, symbol))
            await until(lambda: server.subscribed(stream) == 1)
            await venue.unwatchers[stream](exchange, symbol)
            await until(lambda: server.subscribed(stream) == 0)
            with pytest.raises(ccxt.UnsubscribeError):
                await watching

    play(script, check)


def test_where_nothing_is_subscribed_nothing_is_ended() -> None:
    """No connection is dialled for it."""

    async def check(server: ScriptedServer, exchange: Any) -> None:
        await exchange.load_markets()
        await kraken.VENUE.unwatchers[Stream.BOOK](exchange, "BTC/USD")
        await end_subscription(exchange, "ws://127.0.0.1:1/nowhere", ("a", "b"), {})
        assert exchange.clients == {}
        assert server.sockets == 0

    play(KrakenScript, check)


def play(script: type[VenueScript], check: Any) -> None:
    """Run a check with ccxt's own class, whose URLs alone are changed."""

    async def run(server: ScriptedServer) -> None:
        exchange = getattr(ccxt.pro, server.script.exchange)({"enableRateLimit": False, "verify": False})
        exchange.urls["api"] = on_loopback(exchange.urls["api"], f"127.0.0.1:{server.port}", exchange.hostname or "")
        try:
            await asyncio.wait_for(check(server, exchange), 10)
        finally:
            await exchange.close()

    with ScriptedServer(script()) as serving:
        asyncio.run(run(serving))


async def watch(exchange: Any, venue: Venue, stream: Stream, symbol: str) -> None:
    """Watch until it ends."""
    watcher = watcher_of(Topic(stream, symbol, "", Backoff(Random(1))), venue, BookWay.DEPTH_CACHE)
    while True:
        await watcher(exchange, symbol)


async def until(condition: Any) -> None:
    """Wait while the loop goes on."""
    await asyncio.to_thread(wait_until, condition)
