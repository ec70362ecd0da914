"""What goes out on market streams: the documented fields, at the documented moments."""

import json
from decimal import Decimal

import pytest

from foxtrot.domain.enums import PositionSide, Product, Side
from foxtrot.exchange.commands import SetFundingRate, SetMarkPrice
from foxtrot.exchange.events import Liquidated
from tests.support.binance_surface import MS_NS, SurfaceRig

MINUTE_NS = 60_000 * MS_NS


def rig_of(product: Product) -> SurfaceRig:
    rig = SurfaceRig(product)
    rig.now_ns += 1_234 * MS_NS
    return rig


def trade(rig: SurfaceRig, side: Side = Side.BUY, up: int = 0, lots: int = 20) -> None:
    """Let alice take from bob, 60000 and some ticks."""
    price, unit = (6_000_000, 1_000) if rig.product is Product.SPOT else (600_000, 1)
    rig.order(side.opposite, price + up, lots * unit, "bob")
    rig.order(side, price + up, lots * unit, "alice")


def test_a_trade_and_its_aggregate_go_out_at_once() -> None:
    rig = rig_of(Product.SPOT)
    line = rig.open("/ws/btcusdt@trade/btcusdt@aggTrade")
    trade(rig)
    now = rig.now_ms
    assert line.take() == [
        {
            "e": "trade", "E": now, "s": "BTCUSDT", "t": 1, "p": "60000.00000000", "q": "0.00020000", "T": now, "m": False,
            "M": True,
        },
        {
            "e": "aggTrade", "E": now, "s": "BTCUSDT", "a": 1, "p": "60000.00000000", "q": "0.00020000", "f": 1, "l": 1,
            "T": now, "m": False, "M": True,
        },
    ]  # fmt: skip
    trade(rig, Side.SELL)
    assert [frame["m"] for frame in line.take()] == [True, True]


def test_trades_of_usdm_have_their_own_fields() -> None:
    rig = rig_of(Product.PERPETUAL)
    line = rig.open("/ws/btcusdt@trade/btcusdt@aggTrade")
    trade(rig)
    first, second = line.take()
    assert (first["X"], first["p"], first["q"]) == ("MARKET", "60000.0", "0.020")
    assert "M" not in first | second


def test_the_best_bid_and_ask_go_out_when_they_change_and_only_then() -> None:
    rig = rig_of(Product.SPOT)
    line, every = rig.open("/ws/btcusdt@bookTicker"), rig.open("/ws/!bookTicker")
    rig.order(Side.BUY, 5_999_999, 100_000)
    expected = {
        "u": 1, "s": "BTCUSDT", "b": "59999.99000000", "B": "0.00100000", "a": "0.00000000", "A": "0.00000000",
    }  # fmt: skip
    assert line.take() == every.take() == [expected]
    rig.order(Side.BUY, 5_999_998, 100_000)
    assert line.take() == []
    rig.order(Side.SELL, 6_000_001, 200_000)
    assert [(frame["u"], frame["a"]) for frame in line.take()] == [(3, "60000.01000000")]
    usdm = rig_of(Product.PERPETUAL)
    line = usdm.open("/public/ws/btcusdt@bookTicker")
    usdm.order(Side.BUY, 599_999, 5)
    (frame,) = line.take()
    assert frame | {"e": "bookTicker", "E": usdm.now_ms, "T": usdm.now_ms, "b": "59999.9", "B": "0.005"} == frame
    assert set(frame) == {"e", "u", "E", "T", "s", "b", "B", "a", "A"}


@pytest.mark.parametrize("product", [Product.SPOT, Product.PERPETUAL])
def test_depth_is_gathered_for_a_tenth_of_a_second(product: Product) -> None:
    rig = rig_of(product)
    line = rig.open("/ws/btcusdt@depth@100ms")
    rig.wait(100)
    unit = 1 if product is Product.PERPETUAL else 100_000
    one, two = rig.order(Side.BUY, 500_000, 20 * unit), rig.order(Side.SELL, 700_000, 30 * unit)
    assert one != two
    assert line.take() == []
    rig.wait(100)
    (frame,) = line.take()
    zeros = {"e": "depthUpdate", "s": "BTCUSDT", "U": 1, "u": 2}
    assert frame | zeros == frame
    if product is Product.SPOT:
        assert set(frame) == {"e", "E", "s", "U", "u", "b", "a"}
        assert (frame["b"], frame["a"]) == ([["5000.00000000", "0.02000000"]], [["7000.00000000", "0.03000000"]])
    else:
        assert set(frame) == {"e", "E", "T", "s", "U", "u", "pu", "b", "a"}
        assert (frame["b"], frame["a"], frame["pu"]) == ([["50000.0", "0.020"]], [["70000.0", "0.030"]], 0)


def test_each_speed_gathers_for_itself() -> None:
    rig = rig_of(Product.PERPETUAL)
    speeds = ("@depth@0ms", "@depth@100ms", "@depth", "@depth@500ms")
    lines = [rig.open(f"/ws/btcusdt{speed}") for speed in speeds]
    rig.now_ns += 1_000 * MS_NS - rig.now_ns % (1_000 * MS_NS)
    rig.wait(10)
    for step in range(100):
        rig.order(Side.BUY, 500_000 + step, 1)
        rig.wait(10)
    frames = [line.take() for line in lines]
    assert [len(taken) for taken in frames] == [100, 10, 4, 2]
    for taken in frames:
        assert [later["pu"] for later in taken[1:]] == [frame["u"] for frame in taken[:-1]]


def test_partial_books_tell_the_best_levels() -> None:
    rig = rig_of(Product.SPOT)
    line = rig.open("/ws/btcusdt@depth5@100ms")
    for step in range(7):
        rig.order(Side.BUY, 5_000_000 - step, 100_000)
    rig.wait(100)
    frame = line.take()[-1]
    assert set(frame) == {"lastUpdateId", "bids", "asks"}
    assert (len(frame["bids"]), frame["bids"][0][0], frame["lastUpdateId"]) == (5, "50000.00000000", 7)
    rig.wait(300)
    assert line.take() == []
    usdm = rig_of(Product.PERPETUAL)
    line = usdm.open("/ws/btcusdt@depth10")
    for step in range(2):
        usdm.order(Side.BUY, 500_000 - step, 1)
        usdm.wait(250)
    frames = line.take()
    assert [(frame["e"], frame["U"], frame["u"], frame["pu"]) for frame in frames[-2:]] == [
        ("depthUpdate", 1, 1, 0),
        ("depthUpdate", 2, 2, 1),
    ]


def test_a_kline_is_told_while_it_is_open_and_once_as_closed() -> None:
    rig = rig_of(Product.SPOT)
    rig.now_ns += MINUTE_NS - rig.now_ns % MINUTE_NS
    line = rig.open("/ws/btcusdt@kline_1m")
    opened = rig.now_ms
    trade(rig)
    rig.wait(10)
    (frame,) = line.take()
    assert frame["k"] == {
        "t": opened, "T": opened + 59_999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 1, "o": "60000.00000000",
        "c": "60000.00000000", "h": "60000.00000000", "l": "60000.00000000", "v": "0.00020000", "n": 1, "x": False,
        "q": "12.00000000", "V": "0.00020000", "Q": "12.00000000", "B": "0",
    }  # fmt: skip
    rig.wait(60_000, 250)
    closed = [one["k"] for one in line.take() if one["k"]["x"]]
    assert [(one["t"], one["n"]) for one in closed] == [(opened, 1)]
    rig.wait(120_000, 250)
    flat = [one["k"] for one in line.take() if one["k"]["x"]]
    assert [(one["t"] - opened, one["n"], one["f"], one["c"]) for one in flat] == [
        (60_000, 0, -1, "60000.00000000"),
        (120_000, 0, -1, "60000.00000000"),
    ]


def test_the_first_trade_of_a_bar_closes_the_one_before() -> None:
    rig = rig_of(Product.PERPETUAL)
    line = rig.open("/market/ws/btcusdt@kline_5m")
    trade(rig)
    rig.now_ns += 5 * MINUTE_NS
    trade(rig, up=3)
    rig.wait(10)
    bars = [(frame["k"]["x"], frame["k"]["c"]) for frame in line.take()]
    assert bars == [(True, "60000.0"), (False, "60000.3")]


def test_closed_klines_of_the_stream_are_those_of_rest() -> None:
    rig = rig_of(Product.SPOT)
    trade(rig)
    lines = {name: rig.open(f"/ws/btcusdt@kline_{name}") for name in ("1s", "1m", "3m")}
    for step in range(40):
        rig.wait(7_000, 1_000)
        trade(rig, up=step * (-1) ** step)
    for name, line in lines.items():
        rows = {row[0]: row for row in rig.get("/api/v3/klines", symbol="BTCUSDT", interval=name, limit=1000)}
        closed = [frame["k"] for frame in line.take() if frame["k"]["x"]]
        assert len(closed) >= (1 if name == "3m" else 4)
        for k in closed:
            assert [k[key] for key in "tohlcvTqnVQ"] == rows[k["t"]][:11], name


def test_tickers_come_every_second_and_only_what_traded_in_arrays() -> None:
    rig = rig_of(Product.SPOT)
    trade(rig)
    mini, full, every = (
        rig.open(f"/ws/{name}") for name in ("btcusdt@miniTicker", "btcusdt@ticker", "!miniTicker@arr")
    )
    rig.wait(10)
    (frame,) = mini.take()
    assert frame == {
        "e": "24hrMiniTicker", "E": rig.now_ms, "s": "BTCUSDT", "c": "60000.00000000", "o": "60000.00000000",
        "h": "60000.00000000", "l": "60000.00000000", "v": "0.00020000", "q": "12.00000000",
    }  # fmt: skip
    (frame,) = full.take()
    assert set(frame) == set("eEspPwxcQbBaAohlvqOCFLn")
    assert [one["s"] for one in every.take()[0]] == ["BTCUSDT", "ETHUSDT"]
    rig.wait(2_000)
    assert len(mini.take()) == len(full.take()) == 2
    assert every.take() == []
    trade(rig)
    rig.wait(1_000)
    assert [one["s"] for one in every.take()[0]] == ["BTCUSDT"]
    usdm = rig_of(Product.PERPETUAL)
    line = usdm.open("/ws/btcusdt@ticker")
    usdm.wait(10)
    assert set(line.take()[0]) == set("eEspPwcQohlvqOCFLn")


def test_mark_prices_come_every_one_or_three_seconds() -> None:
    rig = rig_of(Product.PERPETUAL)
    rig.now_ns -= rig.now_ns % (3_000 * MS_NS)
    fast, slow, every = (
        rig.open(f"/ws/{n}") for n in ("btcusdt@markPrice@1s", "btcusdt@markPrice", "!markPrice@arr@1s")
    )
    rig.wait(10)
    assert fast.take() == []
    rig.do(SetMarkPrice(rig.now_ns, rig.name(), 600_001))
    rig.do(SetFundingRate(rig.now_ns, rig.name(), Decimal("0.0001")))
    rig.wait(3_000)
    frames, price = fast.take(), "60000.10000000"
    assert frames[0] == {
        "e": "markPriceUpdate", "E": frames[0]["E"], "s": "BTCUSDT", "p": price, "ap": price, "P": price, "i": price,
        "r": "0.00010000", "T": rig.venue.funding(rig.name())[1] // MS_NS,
    }  # fmt: skip
    assert (len(frames), len(slow.take())) == (3, 1)
    assert [[one["s"] for one in frame] for frame in every.take()] == [["BTCUSDT"]] * 3


def test_a_liquidation_is_told() -> None:
    rig = rig_of(Product.PERPETUAL)
    line, every = rig.open("/ws/btcusdt@forceOrder"), rig.open("/ws/!forceOrder@arr")
    event = Liquidated(1, rig.now_ns, "alice", rig.name(), PositionSide.LONG, 3, 2, 590_000)
    rig.surface.on_event(event)
    (frame,) = line.take()
    assert frame == {
        "e": "forceOrder", "E": rig.now_ms,
        "o": {
            "s": "BTCUSDT", "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "0.005", "p": "59000.0", "ap": "59000.0",
            "X": "FILLED", "l": "0.005", "z": "0.005", "T": rig.now_ms,
        },
    }  # fmt: skip
    assert every.take() == [frame]


def test_a_frame_is_encoded_once_and_wrapped_for_combined_connections() -> None:
    rig = rig_of(Product.SPOT)
    raw, other, combined = (
        rig.open("/ws/btcusdt@trade"),
        rig.open("/ws/btcusdt@trade"),
        rig.open("/stream", "streams=btcusdt@trade"),
    )
    trade(rig)
    assert raw.texts[0] is other.texts[0]
    assert json.loads(combined.texts[0]) == {"stream": "btcusdt@trade", "data": json.loads(raw.texts[0])}


def test_an_event_names_only_levels_that_changed_since_the_one_before() -> None:
    rig = rig_of(Product.SPOT)
    line = rig.open("/ws/btcusdt@depth@100ms")
    rig.wait(100)
    rig.order(Side.BUY, 5_000_000, 100_000)
    rig.now_ns += 1
    late = rig.open("/ws/btcusdt@depth")
    rig.wait(100)
    rig.order(Side.SELL, 7_000_000, 100_000)
    rig.wait(1_000)
    assert [[len(frame["b"]), len(frame["a"])] for frame in line.take()] == [[1, 0], [0, 1]]
    assert [(frame["U"], frame["b"], len(frame["a"])) for frame in late.take()] == [(2, [], 1)]
