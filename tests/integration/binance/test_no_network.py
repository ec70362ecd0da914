"""Nothing that the tests of Binance use gets past the guard of the network: aiohttp, ccxt, and the adapter with real addresses."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import ccxt
import ccxt.pro
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.clock import SystemClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until


async def by_aiohttp() -> None:
    async with aiohttp.ClientSession() as session, session.get("https://api.binance.com/api/v3/time"):
        raise AssertionError("it got through")


async def by_aiohttp_to_a_number() -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect("ws://192.0.2.1:9443/ws"):
        raise AssertionError("it got through")


async def by_ccxt() -> None:
    exchange = ccxt.pro.binance()
    try:
        await exchange.fetch_time()
    finally:
        await exchange.close()


async def by_a_stream_of_ccxt() -> None:
    exchange = ccxt.pro.binance()
    try:
        await exchange.watch("wss://stream.binance.com:9443/ws", "trades")
    finally:
        await exchange.close()


@pytest.mark.parametrize("reach", [by_aiohttp, by_aiohttp_to_a_number, by_ccxt, by_a_stream_of_ccxt])
def test_a_client_that_leaves_this_machine_is_refused(
    reach: Callable[[], Awaitable[None]], no_network: list[str]
) -> None:
    async def story() -> None:
        await reach()

    with pytest.raises((RuntimeError, ccxt.NetworkError), match="a test tried to reach"):
        asyncio.run(story())
    assert no_network != []
    no_network.clear()


@pytest.mark.parametrize("product", ["spot", "usdm"])
def test_an_adapter_with_real_addresses_and_its_own_connector_is_refused_and_seen(
    product: str, no_network: list[str]
) -> None:
    heard = Recorder()
    context = AdapterContext("us", heard, SendPermit(), SystemClock(), {"product": product}, {}, "live")
    adapter = BinanceAdapter(context)
    adapter.connect()
    wait_until(lambda: AdapterState.LOST in heard.states())
    assert adapter.close() == ""
    assert AdapterState.CONNECTED not in heard.states()
    assert all("binance.com" in text for text in no_network)
    assert no_network != []
    no_network.clear()
