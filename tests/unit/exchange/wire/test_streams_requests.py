"""Where stream connections stand, what they may ask, and how they end."""

from typing import Any

import pytest

from foxtrot.domain.enums import Product, Side
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.streams_names import is_ws_api, parse_address, parse_stream
from foxtrot.exchange.wire.binance.surface import SurfaceSettings
from tests.support.binance_surface import MS_NS, Line, SurfaceRig


def trade(rig: SurfaceRig) -> None:
    unit = 1 if rig.product is Product.PERPETUAL else 100_000
    price = 600_000 if rig.product is Product.PERPETUAL else 6_000_000
    rig.order(Side.SELL, price, unit, "bob")
    rig.order(Side.BUY, price, unit, "alice")


@pytest.mark.parametrize(
    ("path", "query", "combined", "category", "streams"),
    [
        ("/ws", "", False, "", ()),
        ("/ws/0", "", False, "", ()),
        ("/stream.sim/ws/17", "", False, "", ()),
        ("/ws/btcusdt@trade", "", False, "", ("btcusdt@trade",)),
        ("/ws/btcusdt@trade/!bookTicker", "", False, "", ("btcusdt@trade", "!bookTicker")),
        ("/ws/%21ticker%40arr", "", False, "", ("!ticker@arr",)),
        ("/stream", "", True, "", ()),
        ("/stream", "streams=a@trade/b@trade", True, "", ("a@trade", "b@trade")),
        ("/public/ws/3", "", False, "public", ()),
        ("/market/stream", "streams=a@kline_1m", True, "market", ("a@kline_1m",)),
        ("/deep/below/private/ws", "", False, "private", ()),
    ],
)
def test_paths_say_what_a_connection_is(
    path: str, query: str, combined: bool, category: str, streams: tuple[str, ...]
) -> None:
    address = parse_address(path, query)
    assert (address.combined, address.category, address.streams) == (combined, category, streams)


def test_a_private_path_names_key_and_events() -> None:
    address = parse_address("/private/ws", "listenKey=K&events=ORDER_TRADE_UPDATE/ACCOUNT_UPDATE")
    assert (address.listen_key, address.events) == ("K", frozenset({"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"}))


def test_other_paths_are_refused_and_the_ws_api_is_told_apart() -> None:
    with pytest.raises(ApiError) as refused:
        SurfaceRig().open("/nothing/here")
    assert refused.value.status == 404
    assert [is_ws_api(path) for path in ("/ws-api/v3", "/ws-fapi/v1", "/ws", "/x/ws-api/v3")] == [
        True,
        True,
        False,
        True,
    ]


def test_stream_names_are_taken_apart() -> None:
    name = parse_stream("btcusdt@depth20@100ms")
    assert name is not None
    assert (name.symbol, name.levels, name.arguments, name.category) == ("BTCUSDT", 20, ("100ms",), "public")
    assert parse_stream("BTCUSDT@trade") is None
    assert parse_stream("rubbish") is None
    categories = {"btcusdt@aggTrade": "market", "!bookTicker": "public", "btcusdt@rpiDepth": "public"}
    assert {name: getattr(parse_stream(name), "category", "") for name in categories} == categories


def test_subscribing_answers_then_delivers_and_unsubscribing_ends_it() -> None:
    rig = SurfaceRig()
    line = rig.open("/ws/0")
    line.ask({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1})
    assert line.take() == [{"result": None, "id": 1}]
    line.ask({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 2})
    assert line.take() == [{"result": None, "id": 2}]
    trade(rig)
    assert len(line.take()) == 1
    line.ask({"method": "UNSUBSCRIBE", "params": ["btcusdt@trade", "btcusdt@never"], "id": 3})
    assert line.take() == [{"result": None, "id": 3}]
    trade(rig)
    assert line.take() == []


@pytest.mark.parametrize("number", [7, 0, "abc", "x" * 36, None])
def test_an_id_comes_back_as_it_was(number: object) -> None:
    line = SurfaceRig().open("/ws/btcusdt@trade")
    line.ask({"method": "LIST_SUBSCRIPTIONS", "id": number})
    (answer,) = line.take()
    assert answer == {"result": ["btcusdt@trade"], "id": number}
    assert type(answer["id"]) is type(number)


def test_a_connection_can_be_wrapped_or_not_at_will() -> None:
    rig = SurfaceRig()
    line = rig.open("/ws/btcusdt@trade")
    for message, result in (
        ({"method": "GET_PROPERTY", "params": ["combined"], "id": 1}, False),
        ({"method": "SET_PROPERTY", "params": ["combined", True], "id": 2}, None),
        ({"method": "GET_PROPERTY", "params": ["combined"], "id": 3}, True),
    ):
        line.ask(message)
        assert line.take()[0]["result"] is result
    trade(rig)
    assert line.take()[0]["stream"] == "btcusdt@trade"


@pytest.mark.parametrize(
    ("message", "code", "msg"),
    [
        ({"method": "SUBSCRIBE", "id": 5}, 2, "Invalid request: "),
        ({"method": "SUBSCRIBE", "params": [], "id": 5}, 2, "Invalid request: "),
        ({"method": "SUBSCRIBE", "params": [1], "id": 5}, 2, "Invalid request: "),
        ({"method": "SUBSCRIBE", "params": "btcusdt@trade", "id": 5}, 2, "Invalid request: "),
        ({"params": ["btcusdt@trade"], "id": 5}, 2, "Invalid request: missing field `method`"),
        (
            {"method": "BUY", "params": [], "id": 5},
            2,
            "Invalid request: unknown variant BUY, expected one of `SUBSCRIBE`",
        ),
        ({"method": "SET_PROPERTY", "params": ["combined", 1], "id": 5}, 1, "Invalid value type: expected Boolean"),
        ({"method": "SET_PROPERTY", "params": ["x", True], "id": 5}, 0, "Unknown property"),
        ({"method": "GET_PROPERTY", "params": [], "id": 5}, 2, "Invalid request: property name must be a string"),
    ],
)
def test_a_wrong_request_is_told_so(message: dict[str, Any], code: int, msg: str) -> None:
    line = SurfaceRig().open("/ws")
    line.ask(message)
    (answer,) = line.take()
    assert (answer["id"], answer["error"]["code"]) == (5, code)
    assert answer["error"]["msg"].startswith(msg)


def test_broken_json_and_ids_that_are_none() -> None:
    line = SurfaceRig().open("/ws")
    for text in ("{", "[]", "1", '{"method": "SUBSCRIBE", "params": ["a@trade"], "id": 1.5}'):
        line.ask(text)
    line.ask({"method": "LIST_SUBSCRIPTIONS", "id": "x" * 37})
    assert [answer["error"]["code"] for answer in line.take()] == [3, 3, 3, 2, 2]


def test_more_streams_than_allowed_are_refused_whole() -> None:
    line = SurfaceRig(settings=SurfaceSettings(streams_per_connection=2)).open("/ws/a@trade")
    line.ask({"method": "SUBSCRIBE", "params": ["b@trade", "c@trade"], "id": 1})
    assert line.take()[0]["error"]["code"] == 2
    line.ask({"method": "SUBSCRIBE", "params": ["a@trade", "b@trade"], "id": 2})
    assert line.take()[0]["result"] is None


def test_who_talks_too_much_is_closed() -> None:
    rig = SurfaceRig(settings=SurfaceSettings())
    line = rig.open("/ws")
    for number in range(5):
        line.ask({"method": "LIST_SUBSCRIPTIONS", "id": number})
    assert line.closes == []
    rig.now_ns += 1_000 * MS_NS
    for number in range(6):
        line.ask({"method": "LIST_SUBSCRIPTIONS", "id": number})
    assert line.closes == [(1008, "Too many requests")]


def test_a_wrong_category_hears_nothing_when_routing_is_strict() -> None:
    for is_strict in (True, False):
        rig = SurfaceRig(Product.PERPETUAL, SurfaceSettings(limits=False, strict_routing=is_strict))
        lines = [rig.open(f"/{category}ws/btcusdt@trade") for category in ("public/", "market/", "")]
        trade(rig)
        assert [len(line.take()) for line in lines] == [1, 0 if is_strict else 1, 1]


def test_connections_end_after_a_day_and_are_told_before() -> None:
    rig = SurfaceRig()
    line = rig.open("/stream")
    young = rig.open("/ws-api/v3")
    rig.now_ns += (86_400 - 600) * 1_000 * MS_NS
    rig.wait(30)
    assert line.take() == [{"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": rig.now_ms - 20}}]
    rig.now_ns += 600_000 * MS_NS
    rig.wait(10)
    assert (line.closes[0][0], young.closes[0][0]) == (1001, 1001)
    late = rig.open("/ws")
    rig.surface.announce_shutdown()
    assert late.take() == [{"e": "serverShutdown", "E": rig.now_ms}]


def test_too_many_connections_are_refused_at_the_handshake() -> None:
    rig = SurfaceRig(settings=SurfaceSettings(connections_per_5min=2))
    for _ in range(2):
        rig.open("/ws")
    with pytest.raises(ApiError) as refused:
        rig.open("/ws")
    assert refused.value.status == 429
    assert int(refused.value.headers["Retry-After"]) > 0


def test_a_closed_connection_leaves_nothing_behind() -> None:
    rig = SurfaceRig()
    lines: list[Line] = [rig.open("/ws/btcusdt@trade/btcusdt@depth/btcusdt@kline_1m/btcusdt@ticker/btcusdt@bookTicker")]
    rig.surface.closed(lines[0].connection)
    trade(rig)
    rig.wait(2_000, 100)
    lines[0].ask({"method": "LIST_SUBSCRIPTIONS", "id": 1})
    assert lines[0].take() == []


def test_connections_that_break_while_they_are_sent_to_disturb_nobody() -> None:
    rig = SurfaceRig()
    names = [f"btcusdt@{kind}" for kind in ("trade", "depth@100ms", "depth5", "kline_1s", "ticker", "bookTicker")]
    key = rig.surface.channels.create_key("alice")
    doomed = [rig.open("/stream", f"streams={name}") for name in (*names, "!bookTicker", key)]
    good = rig.open("/ws/btcusdt@depth@100ms/btcusdt@trade")
    rig.wait(100)
    for line in doomed:
        line.connection.send = lambda _, line=line: rig.surface.closed(line.connection)
    rig.surface.channels.deliver("alice", {"e": "x"})
    trade(rig)
    rig.wait(2_000, 100)
    assert len(good.take()) >= 2
