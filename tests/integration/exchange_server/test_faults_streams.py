"""Faults of frames and connections, as the client sees them on the wire."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import WSMsgType

from foxtrot.core.clock import ManualClock
from foxtrot.exchange.server import ExchangeServer
from tests.support.echo_surface import DEPTH, FILL, address, echo, echo_server, fault, say, socket_of, until

SECOND_NS = 1_000_000_000
TRADE = '{"e":"trade","s":"BTCUSDT","t":%d,"p":"60000.01","q":"0.5"}'


def run(
    story: Callable[[ExchangeServer, aiohttp.ClientWebSocketResponse], Awaitable[None]],
    clock: ManualClock | None = None,
    path: str = "/ws",
) -> None:
    async def told(server: ExchangeServer) -> None:
        async with socket_of(server, path) as ws:
            await story(server, ws)

    with echo_server(clock) as server:
        asyncio.run(told(server))


async def numbers(ws: aiohttp.ClientWebSocketResponse, key: str, count: int) -> list[int]:
    return [(await ws.receive_json(timeout=5))[key] for _ in range(count)]


def test_fills_are_told_twice_and_in_the_wrong_order() -> None:
    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "duplicate_fills", after=1)
        say(server, FILL % 1, FILL % 2, FILL % 3)
        assert await numbers(ws, "t", 4) == [1, 2, 2, 3]
        fault(server, "reorder_fills")
        say(server, FILL % 4, FILL % 5, FILL % 6)
        assert await numbers(ws, "t", 3) == [5, 4, 6]

    run(story, path="/private/ws")


def test_a_fill_held_back_comes_by_the_clock_when_no_other_follows() -> None:
    clock = ManualClock(1_700_000_000 * SECOND_NS)

    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "reorder_fills", delay_s=2)
        say(server, FILL % 1, TRADE % 9)
        assert await numbers(ws, "t", 1) == [9]
        clock.advance(2 * SECOND_NS)
        assert await numbers(ws, "t", 1) == [1]

    run(story, clock)


def test_a_gap_swallows_so_many_messages_of_the_streams_meant() -> None:
    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "gap", count=2, after=1, stream="btcusdt@depth@100ms")
        say(server, DEPTH % (1, 1), DEPTH % (2, 2), TRADE % 0, DEPTH % (3, 3), DEPTH % (4, 4))
        assert (await ws.receive_json(timeout=5))["u"] == 1
        assert (await ws.receive_json(timeout=5))["e"] == "trade"
        assert (await ws.receive_json(timeout=5))["u"] == 4

    run(story)


def test_silent_streams_still_answer_pings_and_requests_until_their_time() -> None:
    clock = ManualClock(1_700_000_000 * SECOND_NS)

    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "go_silent", for_s=60, stream="*@depth*")
        say(server, DEPTH % (1, 1), TRADE % 1)
        assert (await ws.receive_json(timeout=5))["e"] == "trade"
        fault(server, "go_silent", for_s=30)
        say(server, DEPTH % (2, 2), TRADE % 2)
        await ws.ping(b"x")
        assert (await ws.receive(timeout=5)).type is WSMsgType.PONG
        await ws.send_json({"id": 1, "method": "SUBSCRIBE", "params": ["a"]})
        assert (await ws.receive_json(timeout=5)) == {"result": None, "id": 1}
        clock.advance(30 * SECOND_NS)
        say(server, DEPTH % (3, 3), TRADE % 3)
        while (message := await ws.receive(timeout=5)).type is WSMsgType.PING:
            await ws.pong(message.data)
        assert json.loads(message.data)["t"] == 3

    run(story, clock)


def test_pongs_stop_and_begin_again() -> None:
    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        number = fault(server, "stop_pongs", connection="stream")
        await ws.ping(b"1")
        await ws.send_json({"id": 1, "method": "x"})
        assert (await ws.receive_json(timeout=5))["id"] == 1
        server.clear_faults(number)
        await ws.ping(b"2")
        assert (await ws.receive(timeout=5)).data == b"2"

    run(story)


@pytest.mark.parametrize(
    ("kind", "settings", "seen"),
    [
        ("close", {"code": 1001, "msg": "bye"}, WSMsgType.CLOSE),
        ("close_without_frame", {}, WSMsgType.CLOSED),
        ("reset", {}, WSMsgType.CLOSED),
    ],
)
def test_open_connections_of_a_kind_end_at_once_and_new_ones_live(
    kind: str, settings: dict[str, object], seen: WSMsgType
) -> None:
    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        async with socket_of(server, "/public/ws") as first, socket_of(server, "/public/stream") as second:
            fault(server, kind, connection="public", **settings)
            for one in (first, second):
                message = await one.receive(timeout=5)
                assert message.type in (seen, WSMsgType.ERROR) if kind == "reset" else message.type is seen
                if kind == "close":
                    assert (message.data, message.extra) == (1001, "bye")
            await until(lambda: len(echo(server).connections) == 1)
            say(server, TRADE % 1)
            assert await numbers(ws, "t", 1) == [1]
            async with socket_of(server, "/public/ws") as third:
                say(server, TRADE % 2)
                assert await numbers(third, "t", 1) == [2]

    run(story)


def test_a_reset_is_a_reset_of_tcp() -> None:
    async def story(server: ExchangeServer, _ws: aiohttp.ClientWebSocketResponse) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.ports["binance_spot"])
        writer.write(
            b"GET /market/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"welcome")
        fault(server, "reset", connection="market")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    run(story)


def test_a_connection_fails_on_the_nth_frame_of_a_stream() -> None:
    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "close", stream="*@depth", after=1, code=1012)
        say(server, DEPTH % (1, 1), TRADE % 1, DEPTH % (2, 2))
        assert [(await ws.receive_json(timeout=5))["e"] for _ in range(2)] == ["depthUpdate", "trade"]
        assert (await ws.receive(timeout=5)).data == 1012

    run(story)


def test_a_half_open_connection_says_and_hears_nothing_until_it_is_dropped() -> None:
    clock = ManualClock(1_700_000_000 * SECOND_NS)

    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "half_open", for_s=100, count=1)
        heard = len(echo(server).heard)
        await ws.ping(b"x")
        await ws.send_json({"id": 1, "method": "x"})
        say(server, TRADE % 1)
        clock.advance(99 * SECOND_NS)
        server.step()
        async with socket_of(server) as other:
            say(server, TRADE % 2)
            assert await numbers(other, "t", 1) == [2]
        assert len(echo(server).heard) == heard
        with pytest.raises(asyncio.TimeoutError):
            await ws.receive(timeout=0.02)
        clock.advance(SECOND_NS)
        server.step()
        assert (await ws.receive(timeout=5)).type in (WSMsgType.CLOSED, WSMsgType.ERROR, WSMsgType.CLOSING)

    run(story, clock)


def test_one_byte_writes_change_nothing_but_the_packets() -> None:
    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "one_byte_writes")
        say(server, *(TRADE % number for number in range(5)))
        await ws.ping(b"p")
        assert await numbers(ws, "t", 5) == [0, 1, 2, 3, 4]
        assert (await ws.receive(timeout=5)).data == b"p"
        server.clear_faults()
        say(server, TRADE % 6)
        assert await numbers(ws, "t", 1) == [6]

    run(story)


def test_a_frame_is_cut_in_its_middle() -> None:
    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "cut_mid_frame", after=1)
        say(server, TRADE % 1, TRADE % 2)
        assert await numbers(ws, "t", 1) == [1]
        assert (await ws.receive(timeout=5)).type in (WSMsgType.CLOSED, WSMsgType.ERROR)

    run(story)


def test_numbers_and_frames_are_malformed() -> None:
    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "malformed_number")
        fault(server, "malformed_number", text="1e999", stream="*@depth")
        fault(server, "malformed_frame")
        fault(server, "malformed_frame", text="[]")
        say(server, TRADE % 1, DEPTH % (2, 2), TRADE % 3, TRADE % 4, TRADE % 5)
        assert (await ws.receive_json(timeout=5))["p"] == "NaN"
        assert (await ws.receive_json(timeout=5))["b"] == [["1e999", "1.5"]]
        with pytest.raises(json.JSONDecodeError):
            await ws.receive_json(timeout=5)
        assert await ws.receive_json(timeout=5) == []
        assert await numbers(ws, "t", 1) == [5]

    run(story)


def test_subscriptions_are_refused_or_never_answered() -> None:
    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "reject_subscribe", msg="no")
        fault(server, "drop_subscribe_reply")
        for number in ("one", 2, 3):
            await ws.send_json({"id": number, "method": "SUBSCRIBE", "params": ["btcusdt@depth"]})
        assert await ws.receive_json(timeout=5) == {"error": {"code": 2, "msg": "no"}, "id": "one"}
        assert await ws.receive_json(timeout=5) == {"result": None, "id": 3}
        assert [json.loads(text)["id"] for text in echo(server).heard] == [2, 3]
        assert server.call(lambda s: [one.streams for one in s.faults.sockets.values()]) == [{"btcusdt@depth"}]

    run(story)


def test_user_streams_are_refused_and_ended() -> None:
    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "reject_user_stream")
        await ws.send_json({"id": "u", "method": "userDataStream.subscribe.signature", "params": {}})
        reply = await ws.receive_json(timeout=5)
        assert (reply["id"], reply["status"], reply["error"]["code"]) == ("u", 401, -2015)
        fault(server, "expire_listen_key", account="alice")
        fault(server, "terminate_user_stream", account="bob", product="spot")
        assert echo(server).ended == ["key of alice", "stream of bob"]
        assert echo(server, "usdm").ended == ["key of alice"]

    run(story, path="/ws-api/v3")


def test_a_user_connection_is_known_by_the_key_it_was_given() -> None:
    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        async with aiohttp.ClientSession() as session:
            await session.post(address(server, "/fapi/v1/listenKey", port="binance_usdm"))
        async with socket_of(server, "/ws/" + "K" * 64, port="binance_usdm") as user:
            fault(server, "close", connection="user")
            assert (await user.receive(timeout=5)).data == 1001
            say(server, TRADE % 1)
            assert await numbers(ws, "t", 1) == [1]

    run(story)


def test_the_clock_of_the_server_is_skewed_for_a_time() -> None:
    clock = ManualClock(1_700_000_000 * SECOND_NS)

    async def story(server: ExchangeServer, _ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "clock_skew", skew_ms=-1500, for_s=10)
        assert server.call(lambda s: s.host.now_ns() - clock.now_ns()) == -1_500_000_000
        clock.advance(10 * SECOND_NS)
        server.step()
        assert server.call(lambda s: s.host.skew_ns) == 0

    run(story, clock)


def test_a_fault_of_a_script_begins_at_its_time() -> None:
    clock = ManualClock(1_700_000_000 * SECOND_NS)

    async def story(server: ExchangeServer, ws: aiohttp.ClientWebSocketResponse) -> None:
        fault(server, "close", at_s=5)
        say(server, TRADE % 1)
        assert await numbers(ws, "t", 1) == [1]
        clock.advance(5 * SECOND_NS)
        server.step()
        assert (await ws.receive(timeout=5)).data == 1001

    run(story, clock)
