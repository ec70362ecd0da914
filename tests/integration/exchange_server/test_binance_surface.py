"""The server with Binance's own surface: an order over REST is heard on the user stream, before and after a restart."""

import asyncio
import hashlib
import hmac
import json
from decimal import Decimal

import aiohttp

from foxtrot.core.clock import SystemClock
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.echo_surface import address, fault

ACCOUNT = AccountSetup("alice", (ApiKey("KEY", "alice", secret="SECRET"),), {"USDT": Decimal(100_000)})


def signed(query: str) -> str:
    query += f"&timestamp={SystemClock().now_ns() // 1_000_000}"
    return f"{query}&signature={hmac.new(b'SECRET', query.encode(), hashlib.sha256).hexdigest()}"


async def events(ws: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, object]:
    while True:
        event = await ws.receive_json(timeout=5)
        if event["e"] == kind:
            assert isinstance(event, dict)
            return event


def test_an_order_is_traded_told_and_kept_over_a_restart() -> None:
    settings = ServerSettings(ServerPorts(binance_spot=0, binance_usdm=0), accounts=(ACCOUNT,), agents=0, tick_ms=2)
    server = ExchangeServer(settings)

    async def story() -> None:
        async with aiohttp.ClientSession(headers={"X-MBX-APIKEY": "KEY"}) as session:

            async def post(path: str, query: str) -> dict[str, object]:
                async with session.post(address(server, f"{path}?{query}", port="binance_usdm")) as answer:
                    return json.loads(await answer.text())

            key = (await post("/fapi/v1/listenKey", ""))["listenKey"]
            url = address(server, f"/private/ws?listenKey={key}", "ws", "binance_usdm")
            order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&newClientOrderId="
            async with session.ws_connect(url) as user:
                assert (await post("/fapi/v1/order", signed(order + "first")))["status"] == "NEW"
                assert (await events(user, "ORDER_TRADE_UPDATE"))["o"]["c"] == "first"  # type: ignore[index]
                await asyncio.to_thread(server.restart)
            async with session.ws_connect(url) as user:
                fault(server, "ack_lost", endpoint="POST /fapi/v1/order", code=-1007)
                assert (await post("/fapi/v1/order", signed(order + "second")))["code"] == -1007
                assert (await events(user, "ORDER_TRADE_UPDATE"))["o"]["c"] == "second"  # type: ignore[index]
                fault(server, "expire_listen_key", account="alice")
                assert (await events(user, "listenKeyExpired"))["listenKey"] == key
        kept = server.call(lambda s: [one.client_order_id for one in s.host.venue.open_orders("alice")])
        assert kept == ["first", "second"]

    server.start()
    try:
        asyncio.run(story())
    finally:
        assert server.stop() == ""
    assert server.failures == ()


def test_times_of_a_skewed_clock_are_the_servers() -> None:
    server = ExchangeServer(ServerSettings(ServerPorts(binance_spot=0), agents=0))

    async def story() -> None:
        fault(server, "clock_skew", skew_ms=3_600_000)
        before_ms = SystemClock().now_ns() // 1_000_000
        async with aiohttp.ClientSession() as session, session.get(address(server, "/api/v3/time")) as answer:
            told = (await answer.json())["serverTime"]
        assert 3_600_000 <= told - before_ms < 3_700_000

    server.start()
    try:
        asyncio.run(story())
    finally:
        assert server.stop() == ""
