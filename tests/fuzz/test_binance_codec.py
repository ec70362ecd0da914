"""Whatever bytes arrive, the codec gives a fact or BadMessage, and every fact can be written down again."""

import json
from math import isfinite

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.market import BarData, DepthChange, DepthData, MarketTrade, TickData

CODECS = [MarketCodec(Product.SPOT), MarketCodec(Product.PERPETUAL)]
FACTS = TickData | MarketTrade | DepthChange | DepthData | BarData

NUMBERS = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.floats(),
    st.integers(-(2**70), 2**70),
    st.sampled_from(["0.1", "1", "NaN", "-0", "1e400", "", "1,5"]),
    st.text(max_size=5),
    st.none(),
    st.booleans(),
)
LEVELS = st.lists(st.lists(NUMBERS, max_size=3), max_size=3)
KINDS = ["depthUpdate", "trade", "aggTrade", "bookTicker", "kline", "other"]
KEYS = [
    "E",
    "T",
    "U",
    "u",
    "pu",
    "t",
    "a",
    "b",
    "A",
    "B",
    "p",
    "q",
    "m",
    "x",
    "n",
    "f",
    "l",
    "s",
    "i",
    "o",
    "h",
    "c",
    "v",
    "lastUpdateId",
]
VALUES = st.one_of(NUMBERS, LEVELS, st.just("BTCUSDT"), st.just("1m"), st.integers(0, 2**53))
FIELDS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=len(KEYS))
FRAMES = st.builds(lambda e, fields, k: {"e": e, **fields, "k": k}, st.sampled_from(KINDS), FIELDS, FIELDS)
STREAMS = st.sampled_from(["x@depth", "x@depth5", "x@trade", "x@kline_1m", "x@bookTicker", "", "@", "x@nothing"])
WRAPPED = st.builds(lambda stream, data: {"stream": stream, "data": data}, STREAMS, st.one_of(FRAMES, VALUES))


def is_sound(frame: bytes | dict[str, object]) -> None:
    for codec in CODECS:
        try:
            fact = codec.decode(frame, 1, "BTCUSDT")
        except BadMessage:
            continue
        if fact is not None:
            assert isinstance(fact, FACTS)
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(fact), type=type(fact)) == fact
            assert all(isfinite(value) for value in msgspec.structs.astuple(fact) if isinstance(value, float))


@given(st.binary(max_size=200))
@settings(max_examples=500)
def test_any_bytes(frame: bytes) -> None:
    is_sound(frame)


@given(st.one_of(FRAMES, WRAPPED))
@settings(max_examples=600)
def test_any_fields_as_text_and_as_parsed(frame: dict[str, object]) -> None:
    is_sound(json.dumps(frame).encode())
    is_sound(frame)


@given(st.data())
@settings(max_examples=400)
def test_a_good_frame_with_bytes_changed(data: st.DataObject) -> None:
    good = json.dumps(
        {
            "stream": "btcusdt@depth",
            "data": {"e": "depthUpdate", "E": 1, "s": "BTCUSDT", "U": 1, "u": 2, "b": [["1.5", "2"]], "a": []},
        }
    ).encode()
    at = data.draw(st.integers(0, len(good) - 1))
    end = data.draw(st.integers(at, len(good)))
    is_sound(good[:at] + data.draw(st.binary(max_size=4)) + good[end:])
