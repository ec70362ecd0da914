"""What is read off Binance's messages to know whether a fault concerns them, and frames as bytes."""

import pytest

from foxtrot.exchange.serving.binance_frames import (
    client_order_ids,
    connection_kinds,
    listen_key,
    lower_snapshot,
    path_streams,
    read_frame,
    read_request,
    spoil_number,
)
from foxtrot.exchange.serving.frames import TextFrames, close_frame, frame


@pytest.mark.parametrize(
    ("text", "stream"),
    [
        ('{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"BTCUSDT"}}', "btcusdt@depth@100ms"),
        ('{"e":"depthUpdate","s":"BTCUSDT"}', "btcusdt@depth"),
        ('{"e":"kline","s":"BTCUSDT","k":{"i":"1m"}}', "btcusdt@kline_1m"),
        ('{"e":"24hrTicker","s":"BTCUSDT"}', "btcusdt@ticker"),
        ('{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}', "btcusdt@bookTicker"),
        ('{"lastUpdateId":1,"bids":[],"asks":[]}', "@depth"),
        ('[{"e":"24hrMiniTicker","s":"BTCUSDT"}]', "!miniTicker@arr"),
        ('{"stream":"KKKK","data":{"e":"ACCOUNT_UPDATE"}}', "ACCOUNT_UPDATE"),
        ('{"subscriptionId":0,"event":{"e":"outboundAccountPosition"}}', "outboundAccountPosition"),
        ('{"id":1,"result":null}', "reply"),
        ("[]", "!@arr"),
        ("{", ""),
        ("7", ""),
    ],
)
def test_a_frame_names_its_stream(text: str, stream: str) -> None:
    assert read_frame(text).stream == stream


@pytest.mark.parametrize(
    ("text", "is_fill"),
    [
        ('{"e":"executionReport","x":"TRADE"}', True),
        ('{"e":"executionReport","x":"NEW"}', False),
        ('{"stream":"K","data":{"e":"ORDER_TRADE_UPDATE","o":{"x":"TRADE"}}}', True),
        ('{"subscriptionId":0,"event":{"e":"executionReport","x":"TRADE"}}', True),
        ('{"e":"trade"}', False),
    ],
)
def test_a_fill_is_known(text: str, is_fill: bool) -> None:
    assert read_frame(text).is_fill is is_fill


def test_ids_of_requests_and_replies_are_compared_as_json() -> None:
    for text in ('{"id":1,"method":"x"}', '{"id":"1","method":"x"}', '{"id":null,"method":"x"}'):
        assert read_request(text).reply_id == read_frame(text.replace('"method":"x"', '"result":null')).reply_id
    assert read_request("[]").method == ""


@pytest.mark.parametrize(
    ("path", "query", "kinds"),
    [
        ("/ws-api/v3", "", ("ws_api", "user")),
        ("/x/ws-fapi/v1", "a=b", ("ws_api", "user")),
        ("/public/ws", "", ("public",)),
        ("/market/stream", "streams=a", ("market",)),
        ("/private/ws", "listenKey=abc", ("private", "user")),
        ("/ws/" + "k" * 64, "", ("stream", "user")),
        ("/stream", "streams=" + "k" * 64, ("stream", "user")),
        ("/ws/0", "", ("stream",)),
    ],
)
def test_a_path_says_what_a_connection_is_for(path: str, query: str, kinds: tuple[str, ...]) -> None:
    assert connection_kinds(path, query) == kinds
    assert bool(listen_key(path, query)) is ("user" in kinds and "ws_api" not in kinds)


def test_streams_and_client_ids_are_found_in_paths_and_bodies() -> None:
    assert path_streams("/x/ws/btcusdt@depth/ethusdt@trade", "") == {"btcusdt@depth", "ethusdt@trade"}
    assert path_streams("/stream", "streams=a@trade%2Fb@trade") == {"a@trade", "b@trade"}
    assert path_streams("/ws/3", "") == set()
    assert client_order_ids("symbol=X&newClientOrderId=x-a%3A1&b=2") == ["x-a:1"]
    assert client_order_ids('{"params":{"newClientOrderId": "x+1"}}') == ["x+1"]
    assert client_order_ids("batchOrders=%5B%7B%22newClientOrderId%22%3A%22one%22%7D%5D") == ["one"]
    assert client_order_ids("origClientOrderId=x") == []


def test_numbers_are_spoiled_and_snapshots_made_old() -> None:
    assert spoil_number('{"s":"BTC","p":"1.5","q":"2"}', "NaN") == '{"s":"BTC","p":"NaN","q":"2"}'
    assert lower_snapshot(b'{"lastUpdateId":50,"bids":[]}', 20) == b'{"lastUpdateId":30,"bids":[]}'
    assert lower_snapshot(b'{"lastUpdateId":5}', 20) == b'{"lastUpdateId":1}'


def test_frames_have_the_length_their_payload_needs() -> None:
    for size, header in ((0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)):
        assert len(frame(1, b"x" * size)) == header + size
    assert close_frame(1008, "no") == b"\x88\x04\x03\xf0no"
    assert len(close_frame(1000, "x" * 500)) <= 2 + 125
    assert TextFrames("").encode("a") == b"\x81\x01a"
    assert TextFrames("permessage-deflate").encode("a")[0] == 0xC1


def test_text_that_is_nested_without_end_is_no_request() -> None:
    assert read_request("[" * 100_000).method == ""
