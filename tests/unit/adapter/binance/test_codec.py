"""Binance's public frames become facts, or BadMessage."""

import json
from collections.abc import Mapping

import pytest

from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.domain.enums import Product, Side
from foxtrot.domain.errors import BadMessage, ConfigError
from foxtrot.domain.market import BarData, DepthChange, DepthData, MarketTrade, TickData

SPOT = MarketCodec(Product.SPOT)
USDM = MarketCodec(Product.PERPETUAL)
MS = 1_000_000
NOW = 1_700_000_000_123_456_789
E = 1_700_000_000_000

SPOT_DEPTH = {
    "e": "depthUpdate",
    "E": E,
    "s": "BTCUSDT",
    "U": 157,
    "u": 160,
    "b": [["0.0024", "10"]],
    "a": [["0.0026", "0.00000000"]],
}
USDM_DEPTH = {"e": "depthUpdate", "E": E, "T": E - 7, "s": "BTCUSDT", "U": 157, "u": 160, "pu": 149, "b": [], "a": []}
TRADE = {
    "e": "trade",
    "E": E,
    "s": "BTCUSDT",
    "t": 12345,
    "p": "50000.01",
    "q": "0.01",
    "T": E - 1,
    "m": True,
    "M": True,
}
AGG_TRADE = {
    "e": "aggTrade",
    "E": E,
    "s": "BTCUSDT",
    "a": 77,
    "p": "5",
    "q": "2",
    "f": 1,
    "l": 3,
    "T": E - 1,
    "m": False,
}
SPOT_TICKER = {"u": 400900217, "s": "BNBUSDT", "b": "25.35190000", "B": "31.21", "a": "25.36520000", "A": "40.66"}
USDM_TICKER = {"e": "bookTicker", "u": 4, "E": E, "T": E - 2, "s": "BTCUSDT", "b": "1", "B": "2", "a": "3", "A": "4"}
KLINE = {
    "e": "kline",
    "E": E,
    "s": "BTCUSDT",
    "k": {
        "t": E, "T": E + 59_999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 9, "o": "2", "c": "3", "h": "4", "l": "1", "v": "10.5",
        "n": 9, "x": True, "q": "25.25", "V": "5", "Q": "12", "B": "0",
    },
}  # fmt: skip
SNAPSHOT = {"lastUpdateId": 160, "bids": [["0.0024", "10"]], "asks": [["0.0026", "100"]]}


def as_bytes(frame: Mapping[str, object]) -> bytes:
    return json.dumps(frame).encode()


def test_a_spot_depth_update_names_the_id_before_its_first_as_the_previous() -> None:
    assert SPOT.decode(as_bytes(SPOT_DEPTH), NOW) == DepthChange(
        "BTCUSDT.BINANCE", E * MS, NOW, 157, 160, 156, ((0.0024, 10.0),), ((0.0026, 0.0),)
    )


def test_a_futures_depth_update_has_its_own_previous_id_and_transaction_time() -> None:
    assert USDM.decode(as_bytes(USDM_DEPTH), NOW) == DepthChange(
        "BTCUSDT.BINANCE_USDM", (E - 7) * MS, NOW, 157, 160, 149, (), ()
    )


def test_a_trade_whose_buyer_was_the_maker_was_a_sale() -> None:
    assert SPOT.decode(as_bytes(TRADE), NOW) == MarketTrade(
        "BTCUSDT.BINANCE", (E - 1) * MS, NOW, "12345", 50000.01, 0.01, Side.SELL
    )
    assert USDM.decode(as_bytes(AGG_TRADE), NOW) == MarketTrade(
        "BTCUSDT.BINANCE_USDM", (E - 1) * MS, NOW, "77", 5.0, 2.0, Side.BUY
    )


def test_a_book_ticker_is_a_tick_and_on_spot_the_local_time_stands_in() -> None:
    assert SPOT.decode(as_bytes(SPOT_TICKER), NOW) == TickData(
        "BNBUSDT.BINANCE", NOW, NOW, 25.3519, 31.21, 25.3652, 40.66
    )
    assert USDM.decode(as_bytes(USDM_TICKER), NOW) == TickData(
        "BTCUSDT.BINANCE_USDM", (E - 2) * MS, NOW, 1.0, 2.0, 3.0, 4.0
    )


def test_a_closed_kline_is_a_bar_that_ends_where_the_next_begins() -> None:
    assert SPOT.decode(as_bytes(KLINE), NOW) == BarData(
        "BTCUSDT.BINANCE", "1m", E * MS, (E + 60_000) * MS, 2.0, 4.0, 1.0, 3.0, 10.5, 25.25, 9, NOW
    )


def test_an_unfinished_kline_and_an_answer_carry_no_fact() -> None:
    unfinished = KLINE | {"k": KLINE["k"] | {"x": False}}  # type: ignore[operator]
    assert SPOT.decode(as_bytes(unfinished), NOW) is None
    assert SPOT.decode(b'{"result":null,"id":1}', NOW) is None
    assert SPOT.decode({"result": None, "id": "abc"}, NOW) is None


def test_a_snapshot_takes_its_symbol_from_the_caller() -> None:
    assert SPOT.decode(as_bytes(SNAPSHOT), NOW, "BTCUSDT") == DepthData(
        "BTCUSDT.BINANCE", NOW, NOW, 160, ((0.0024, 10.0),), ((0.0026, 100.0),)
    )
    with pytest.raises(BadMessage, match="names no symbol"):
        SPOT.decode(as_bytes(SNAPSHOT), NOW)


def test_microseconds_are_told_from_milliseconds() -> None:
    fact = SPOT.decode(as_bytes(TRADE | {"T": 1_700_000_000_123_456}), NOW)
    assert isinstance(fact, MarketTrade)
    assert fact.venue_time_ns == 1_700_000_000_123_456_000
    bar = SPOT.decode(as_bytes(KLINE | {"k": KLINE["k"] | {"t": E * 1000, "T": E * 1000 + 59_999_999}}), NOW)  # type: ignore[operator]
    assert isinstance(bar, BarData)
    assert bar.close_time_ns - bar.open_time_ns == 60_000 * MS


@pytest.mark.parametrize(
    ("codec", "stream", "frame"),
    [
        (SPOT, "btcusdt@depth@100ms", SPOT_DEPTH),
        (USDM, "btcusdt@depth@0ms", USDM_DEPTH),
        (SPOT, "btcusdt@trade", TRADE),
        (USDM, "btcusdt@aggTrade", AGG_TRADE),
        (SPOT, "bnbusdt@bookTicker", SPOT_TICKER),
        (USDM, "btcusdt@bookTicker", USDM_TICKER),
        (USDM, "!bookTicker", USDM_TICKER),
        (SPOT, "btcusdt@kline_1m", KLINE),
    ],
)
def test_a_combined_stream_and_a_parsed_frame_give_the_same_fact(
    codec: MarketCodec, stream: str, frame: dict[str, object]
) -> None:
    bare = codec.decode(as_bytes(frame), NOW)
    wrapped = {"stream": stream, "data": frame}
    assert bare is not None
    assert codec.decode(as_bytes(wrapped), NOW) == bare
    assert codec.decode(wrapped, NOW) == bare
    assert codec.decode(frame, NOW) == bare
    assert codec.decode(json.dumps(frame), NOW) == bare


def test_a_partial_book_stream_is_a_snapshot_under_its_stream_s_symbol() -> None:
    spot = SPOT.decode(as_bytes({"stream": "btcusdt@depth5@100ms", "data": SNAPSHOT}), NOW)
    assert spot == SPOT.decode(as_bytes(SNAPSHOT), NOW, "BTCUSDT")
    usdm = USDM.decode(as_bytes({"stream": "btcusdt@depth20@100ms", "data": USDM_DEPTH}), NOW)
    assert usdm == DepthData("BTCUSDT.BINANCE_USDM", (E - 7) * MS, NOW, 160, (), ())


@pytest.mark.parametrize(
    "number", ["NaN", "nan", "Infinity", "-Infinity", "inf", "-1", "1_0", "0x1", "", "abc", None, True, [], "1e999"]
)
def test_impossible_numbers_are_refused(number: object) -> None:
    for frame in (
        TRADE | {"p": number},
        TRADE | {"q": number},
        SPOT_DEPTH | {"b": [[number, "1"]]},
        SPOT_DEPTH | {"a": [["1", number]]},
        SPOT_TICKER | {"B": number},
        KLINE | {"k": KLINE["k"] | {"h": number}},  # type: ignore[operator]
    ):
        with pytest.raises(BadMessage):
            SPOT.decode(as_bytes(frame), NOW)
        with pytest.raises(BadMessage):
            SPOT.decode(frame, NOW)


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"[]", b"{}", b"nonsense", b'{"e":"depthUpdate"}', b'{"e":"24hrTicker"}', b'{"e":5}', b"\xff\xfe", b"[" * 100_000,
        b'{"a":' * 100_000, b'{"stream":"x@trade"}', b'{"stream":"x@trade","data":[]}', b'{"stream":"","data":{}}', b'{"stream":"\xff"}',
        b'{"lastUpdateId":1}', as_bytes(TRADE | {"T": -1}), as_bytes(TRADE | {"T": 10**18}), as_bytes(TRADE | {"s": ""}),
        as_bytes(SPOT_DEPTH | {"U": 161}), as_bytes(SPOT_DEPTH | {"u": 2**63}), as_bytes(SPOT_DEPTH | {"b": [["1"]]}),
        as_bytes(SPOT_DEPTH | {"b": [["0", "1"]]}), as_bytes(TRADE | {"q": "0"}), as_bytes(KLINE | {"k": KLINE["k"] | {"i": "1M"}}),  # type: ignore[operator]
        as_bytes(KLINE | {"k": KLINE["k"] | {"h": "0.5"}}), as_bytes({"stream": "x@trade", "data": SPOT_DEPTH}),  # type: ignore[operator]
        as_bytes(KLINE | {"k": KLINE["k"] | {"i": "0m"}}),  # type: ignore[operator]
    ],
)  # fmt: skip
def test_malformed_frames_are_refused(frame: bytes) -> None:
    with pytest.raises(BadMessage):
        SPOT.decode(frame, NOW, "BTCUSDT")


def test_bad_message_names_the_venue_and_the_place() -> None:
    with pytest.raises(BadMessage, match=r"BINANCE_USDM frame: .*\$\.p") as caught:
        USDM.decode(as_bytes(TRADE | {"p": "nan"}), NOW)
    assert caught.value.venue == "BINANCE_USDM"


def test_other_products_are_refused() -> None:
    with pytest.raises(ConfigError, match="use spot or perpetual"):
        MarketCodec(Product.STOCK)
