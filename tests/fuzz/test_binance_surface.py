"""Whatever a client sends, it is answered or refused in Binance's words; nothing else is ever raised, no frame is malformed."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.domain.enums import Product, Side
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Security
from tests.support.binance_surface import KEY, SurfaceRig

VALUES = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["BTCUSDT", "0", "-1", "1" * 30, "1.5", "1m", "1h", "[]", '["BTCUSDT"]', "٣", "null", "1700006400000"]
    ),
)
NAMES = st.sampled_from(
    ["symbol", "symbols", "limit", "interval", "startTime", "endTime", "fromId", "windowSize", "listenKey"]
)
STREAMS = st.one_of(
    st.sampled_from(
        [
            "btcusdt@trade",
            "btcusdt@depth@0ms",
            "btcusdt@kline_1s",
            "!ticker@arr",
            'btcusdt@ticker@"',
            "btcusdt@depth5@-1ms",
        ]
    ),
    st.text(max_size=8),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | STREAMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
METHODS = st.sampled_from(
    [
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "LIST_SUBSCRIPTIONS",
        "SET_PROPERTY",
        "ping",
        "depth",
        "session.status",
        "userDataStream.unsubscribe",
    ]
)
RIGS = {product: SurfaceRig(product) for product in (Product.SPOT, Product.PERPETUAL)}
ROUTES = [
    (product, method, path)
    for product, rig in RIGS.items()
    for (method, path), endpoint in rig.surface.routes.items()
    if endpoint.security is not Security.SIGNED and method != "WS"
]


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ROUTES), st.dictionaries(NAMES, VALUES, max_size=4))
def test_unsigned_calls(route: tuple[Product, str, str], params: dict[str, str]) -> None:
    product, method, path = route
    answer = RIGS[product].call(method, path, urlencode(params), key=KEY)
    body = json.loads(answer.body)
    assert answer.status == 200 or {"code", "msg"} <= set(body)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["/ws/btcusdt@trade", "/stream", "/ws-api/v3"]),
    st.lists(
        st.fixed_dictionaries({}, optional={"method": METHODS | JSON, "params": JSON | st.lists(STREAMS), "id": JSON}),
        max_size=4,
    ),
)
def test_messages_of_any_kind(path: str, messages: list[dict[str, object]]) -> None:
    rig = RIGS[Product.SPOT]
    line = rig.open(path)
    for message in messages:
        line.ask(json.dumps(message))
    rig.order(Side.BUY, 5_999_990 + rig.orders % 5, 100_000)
    rig.order(Side.SELL, 6_000_000, 100_000, "alice")
    rig.order(Side.BUY, 6_000_000, 100_000, "bob")
    rig.wait(1_000, 100)
    for frame in line.take():
        assert frame
    rig.surface.closed(line.connection)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["/ws", "/ws-api/v3"]),
    st.text(max_size=30)
    | st.sampled_from(["[" * 100_000, '{"id":1e999,"method":"ping"}', '{"method":"LIST_SUBSCRIPTIONS","id":1e999}']),
)
def test_texts_of_any_kind(path: str, text: str) -> None:
    rig = RIGS[Product.SPOT]
    line = rig.open(path)
    line.ask(text)
    assert len(line.take()) == 1
    rig.surface.closed(line.connection)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_paths_of_any_kind(path: str, query: str) -> None:
    rig = RIGS[Product.PERPETUAL]
    try:
        line = rig.open("/" + path, query)
    except ApiError as error:
        if error.status not in (400, 404):
            raise
    else:
        rig.surface.closed(line.connection)
