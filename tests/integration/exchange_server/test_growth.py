"""What a client can make the server keep has bounds: names it makes up, streams it is refused, keys that are over."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import aiohttp
import pytest

from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.serving.traffic import LONGEST_ID
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.echo_surface import address, echo_server, socket_of

ALICE = AccountSetup("alice", (ApiKey("KEY", "alice", secret="s3cret"),), {"USDT": Decimal(1_000)})
Story = Callable[[ExchangeServer, aiohttp.ClientSession], Awaitable[None]]


def run(story: Story) -> None:
    """On Binance's own surfaces."""
    settings = ServerSettings(ports=ServerPorts(binance_spot=0, binance_usdm=0), accounts=(ALICE,), agents=0, tick_ms=2)
    server = ExchangeServer(settings)
    server.start()

    async def told() -> None:
        async with aiohttp.ClientSession(headers={"X-MBX-APIKEY": "KEY"}) as session:
            await story(server, session)

    try:
        asyncio.run(told())
    finally:
        assert server.stop() == ""
    assert server.failures == ()


def counted(server: ExchangeServer) -> dict[str, int]:
    return server.call(lambda s: dict(s.traffic.requests))


def test_requests_are_counted_by_endpoints_that_there_are() -> None:
    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        for number in range(5):
            await session.get(address(server, f"/made/up/{number}"))
            await session.post(address(server, f"/made/up/{number}?newClientOrderId=x"))
        await session.get(address(server, "/api/v3/time"))
        async with session.ws_connect(address(server, "/ws-api/v3", "ws")) as ws:
            for method in ("ping", "order.made.up", "x" * 1_000_000, "session.status"):
                await ws.send_json({"id": 1, "method": method, "params": {"newClientOrderId": "y"}})
                await ws.receive_json(timeout=5)
        async with session.ws_connect(address(server, "/ws", "ws", "binance_usdm")) as ws:
            for method in ("LIST_SUBSCRIPTIONS", "MADE_UP"):
                await ws.send_json({"id": 1, "method": method})
                await ws.receive_json(timeout=5)
        assert counted(server) == {
            "spot unknown": 12, "spot GET /api/v3/time": 1, "spot ping": 1, "spot session.status": 1,
            "usdm LIST_SUBSCRIPTIONS": 1, "usdm unknown": 1,
        }  # fmt: skip
        assert server.call(lambda s: list(s.traffic.orders)) == []

    run(story)


def test_a_client_order_id_is_kept_as_far_as_any_venue_would_take_it() -> None:
    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        await session.post(address(server, "/api/v3/order"), data="newClientOrderId=" + "z" * 500_000)
        (order,) = server.call(lambda s: list(s.traffic.orders))
        assert order.client_order_id == "z" * LONGEST_ID

    run(story)


@pytest.mark.parametrize("port", ["binance_spot", "binance_usdm"])
def test_streams_that_are_refused_are_not_kept(port: str) -> None:
    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(address(server, "/ws/btcusdt@trade", "ws", port)) as ws:
            many = [f"x{number}@trade" for number in range(2_000)]
            for names, method in (
                (many, "SUBSCRIBE"),
                (["btcusdt@depth"], "SUBSCRIBE"),
                (["btcusdt@trade"], "UNSUBSCRIBE"),
            ):
                await ws.send_json({"id": 1, "method": method, "params": names})
                while "id" not in await ws.receive_json(timeout=5):
                    continue
            (one,) = server.call(lambda s: [set(one.streams) for one in s.faults.sockets.values()])
            assert one == {"btcusdt@depth"}

    run(story)


def test_of_the_listen_keys_of_an_account_the_last_is_kept() -> None:
    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        url = address(server, "/fapi/v1/listenKey", port="binance_usdm")
        for _ in range(5):
            async with session.post(url) as answer:
                key = (await answer.json())["listenKey"]
            await session.put(url)
            async with session.ws_connect(address(server, f"/private/ws/{key}", "ws", "binance_usdm")):
                assert server.call(lambda s: [one.account for one in s.faults.sockets.values()]) == ["alice"]
            await session.delete(url)
        assert server.call(lambda s: len(s._doors._listeners["usdm"]._keys)) == 1

    run(story)


def test_an_answer_without_a_listen_key_makes_nobody_the_owner_of_other_connections() -> None:
    with echo_server(accounts=(ALICE,)) as server:

        async def story() -> None:
            async with aiohttp.ClientSession(headers={"X-MBX-APIKEY": "KEY"}) as session:
                await session.put(address(server, "/api/v3/userDataStream"))
                async with socket_of(server):
                    assert server.call(lambda s: [one.account for one in s.faults.sockets.values()]) == [""]

        asyncio.run(story())
