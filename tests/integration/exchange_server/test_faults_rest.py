"""Faults of requests and handshakes, as the client sees them on the wire."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.echo_surface import address, echo, echo_server, fault, socket_of, until

SECOND_NS = 1_000_000_000
ORDER = "POST /api/v3/order"
Story = Callable[[ExchangeServer, aiohttp.ClientSession], Awaitable[None]]


def run(story: Story, clock: ManualClock | None = None, **settings: object) -> None:
    async def told(server: ExchangeServer) -> None:
        async with aiohttp.ClientSession() as session:
            await story(server, session)

    with echo_server(clock, **settings) as server:
        asyncio.run(told(server))


async def post(
    server: ExchangeServer, session: aiohttp.ClientSession, path: str = "/api/v3/order", **options: str
) -> tuple[int, object, dict[str, str]]:
    async with session.post(address(server, path), **options) as answer:  # type: ignore[arg-type]
        text = await answer.text()
        is_json = answer.content_type == "application/json"
        return answer.status, json.loads(text) if is_json else text, dict(answer.headers)


def test_a_lost_acknowledgement_comes_after_the_order_was_taken() -> None:
    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        fault(server, "ack_lost", endpoint=ORDER, after=1)
        assert (await post(server, session))[0] == 200
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await post(server, session)
        assert (await post(server, session))[0] == 200
        assert echo(server).asked == [ORDER] * 3

    run(story)


def test_the_connection_of_a_lost_acknowledgement_may_be_reset() -> None:
    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        fault(server, "ack_lost", endpoint=ORDER, reset=True)
        with pytest.raises(aiohttp.ClientOSError, match="reset by peer"):
            await post(server, session)
        assert echo(server).asked == [ORDER]

    run(story)


def test_a_lost_acknowledgement_may_be_a_timeout_of_the_venue() -> None:
    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        fault(server, "ack_lost", endpoint=ORDER, code=-1007)
        status, body, _ = await post(server, session)
        assert (status, body["code"]) == (408, -1007)  # type: ignore[index]
        assert echo(server).asked == [ORDER]

    run(story)


def test_a_delayed_answer_waits_by_the_clock_before_or_after_the_order_is_taken() -> None:
    clock = ManualClock(1_700_000_000 * SECOND_NS)

    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        for executed in (False, True):
            echo(server).asked.clear()
            fault(server, "delay", endpoint=ORDER, delay_s=12, executed=executed)
            waiting = asyncio.create_task(post(server, session))
            await until(lambda: bool(server.call(lambda s: s.faults._waits)))
            assert len(echo(server).asked) == int(executed)
            clock.advance(12 * SECOND_NS)
            assert (await waiting)[0] == 200
            assert len(echo(server).asked) == 1

    run(story, clock)


@pytest.mark.parametrize(
    ("kind", "settings", "status", "code"),
    [
        ("http_status", {"status": 502}, 502, None),
        ("http_status", {"status": 503}, 503, None),
        ("http_status", {"status": 503, "msg": "Service Unavailable."}, 503, -1000),
        ("error_code", {"code": -1006}, 500, -1006),
        ("error_code", {"code": -1007}, 408, -1007),
        ("error_code", {"code": -1008}, 503, -1008),
        ("error_code", {"code": -2010, "msg": "mine", "status": 409}, 409, -2010),
        ("html", {}, 200, None),
    ],
)
@pytest.mark.parametrize("executed", [False, True])
def test_an_endpoint_answers_something_else(
    kind: str, settings: dict[str, object], status: int, code: int | None, executed: bool
) -> None:
    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        fault(server, kind, endpoint="POST /api/v3/ord*", executed=executed, **settings)
        got, body, _ = await post(server, session)
        assert got == status
        if code is None:
            assert str(body).startswith("<html>")
        else:
            assert body["code"] == code  # type: ignore[index]
            assert body["msg"]  # type: ignore[index]
        assert len(echo(server).asked) == int(executed)
        assert (await post(server, session))[0] == 200

    run(story)


@pytest.mark.parametrize(("kind", "status"), [("too_many_requests", 429), ("banned", 418)])
def test_limits_hold_until_their_time_and_say_how_long(kind: str, status: int) -> None:
    clock = ManualClock(1_700_000_000 * SECOND_NS)

    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        fault(server, kind, for_s=30)
        for left in (30, 20, 10):
            got, body, headers = await post(server, session)
            assert (got, body["code"], headers["Retry-After"]) == (status, -1003, str(left))  # type: ignore[index]
            clock.advance(10 * SECOND_NS)
        assert (await post(server, session))[0] == 200
        assert len(echo(server).asked) == 1

    run(story, clock)


def test_a_stale_snapshot_is_an_older_answer_or_has_a_lower_id() -> None:
    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        ids = []
        for settings in (None, {}, {"lag": 77}, None):
            if settings is not None:
                fault(server, "stale_snapshot", endpoint="GET /api/v3/depth", **settings)
            async with session.get(address(server, "/api/v3/depth?symbol=BTCUSDT")) as answer:
                ids.append((await answer.json())["lastUpdateId"])
        assert ids == [5100, 5100, 15_100 - 77, 20_100]

    run(story)


def test_an_answer_is_cut_or_comes_byte_by_byte() -> None:
    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        fault(server, "cut_answer", endpoint=ORDER)
        with pytest.raises(aiohttp.ClientPayloadError):
            await post(server, session)
        number = fault(server, "one_byte_writes", endpoint=ORDER)
        status, body, headers = await post(server, session)
        assert (status, headers["X-Weight"]) == (200, "1")
        assert body["path"] == "/api/v3/order"  # type: ignore[index]
        server.clear_faults(number)
        assert (await post(server, session))[2].get("Connection") != "close"

    run(story)


def test_a_fault_keeps_to_its_product_and_account() -> None:
    key = ApiKey("KEY", "alice", secret="s")
    accounts = (AccountSetup("alice", (key,)),)

    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        fault(server, "http_status", status=502, product="usdm", count=9)
        fault(server, "http_status", status=503, account="alice", count=9)
        assert (await post(server, session))[0] == 200
        async with session.post(address(server, "/fapi/v1/order", port="binance_usdm")) as answer:
            assert answer.status == 502
        async with session.post(address(server, "/api/v3/order"), headers={"X-MBX-APIKEY": "KEY"}) as answer:
            assert answer.status == 503

    run(story, accounts=accounts)


def test_handshakes_are_refused_once_or_for_a_time() -> None:
    clock = ManualClock(1_700_000_000 * SECOND_NS)

    async def refused(server: ExchangeServer) -> tuple[int, str | None]:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as error:
                await session.ws_connect(address(server, "/ws", "ws"))
        assert error.value.headers is not None
        return error.value.status, error.value.headers.get("Retry-After")

    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        fault(server, "refuse_handshake", status=429, retry_after_s=5)
        assert await refused(server) == (429, "5")
        async with socket_of(server):
            fault(server, "refuse_websockets", for_s=10)
            assert await refused(server) == (503, "10")
            clock.advance(9 * SECOND_NS)
            assert await refused(server) == (503, "1")
            assert (await post(server, session))[0] == 200
        clock.advance(SECOND_NS)
        async with socket_of(server):
            assert server.call(lambda s: len(s.faults.sockets)) >= 1

    run(story, clock)


def test_requests_of_the_websocket_api_meet_the_same_faults() -> None:
    clock = ManualClock(1_700_000_000 * SECOND_NS)

    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        async with socket_of(server, "/ws-api/v3") as ws:

            async def ask(number: int) -> None:
                await ws.send_json(
                    {"id": number, "method": "order.place", "params": {"newClientOrderId": f"c{number}"}}
                )

            fault(server, "ack_lost", endpoint="order.place")
            fault(server, "ack_lost", endpoint="order.place", code=-1007)
            fault(server, "error_code", endpoint="order.place", code=-1008)
            fault(server, "banned", endpoint="order.place", count=1)
            fault(server, "delay", endpoint="order.place", delay_s=3)
            for number in range(1, 7):
                await ask(number)
            replies = [await ws.receive_json(timeout=5) for _ in range(4)]
            assert [(one["id"], one["status"]) for one in replies] == [(2, 408), (3, 503), (4, 418), (6, 200)]
            assert [one["error"]["code"] for one in replies[:3]] == [-1007, -1008, -1003]
            clock.advance(3 * SECOND_NS)
            assert (await ws.receive_json(timeout=5))["id"] == 5
            heard = [json.loads(text)["id"] for text in echo(server).heard]
            assert heard == [1, 2, 6, 5]

    run(story, clock)


def test_snapshots_and_answers_of_the_websocket_api_are_old_or_cut() -> None:
    async def story(server: ExchangeServer, session: aiohttp.ClientSession) -> None:
        async with socket_of(server, "/ws-api/v3") as ws:
            fault(server, "stale_snapshot", endpoint="depth", lag=5)
            await ws.send_str('{"id":1,"method":"depth","params":{"lastUpdateId":50}}')
            assert (await ws.receive_str(timeout=5)) == '{"id": 1, "status": 200, "result": {"lastUpdateId": 45}}'
            fault(server, "cut_answer", endpoint="depth")
            await ws.send_str('{"id":2,"method":"depth"}')
            assert (await ws.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)

    run(story)
