"""Public REST of both products: the shapes that are documented, and the rows a range of time or ids chooses."""

import json
from decimal import Decimal
from typing import Any

import pytest

from foxtrot.domain.enums import Product, Side
from foxtrot.exchange.commands import AdvanceTime, SetFundingRate, SetMarkPrice, SetTradingState, TradingState
from foxtrot.exchange.listings import REFERENCE_PRICES, listing
from foxtrot.exchange.market_maker import Population
from foxtrot.exchange.wire.binance.market_intervals import bar_open_ms, next_open_ms, window_ms
from tests.support.binance_surface import KEY, MS_NS, SurfaceRig

MINUTE = 60_000
BOTH = pytest.mark.parametrize("product", [Product.SPOT, Product.PERPETUAL])


def base(product: Product) -> str:
    return "/api/v3" if product is Product.SPOT else "/fapi/v1"


def traded(product: Product = Product.SPOT) -> SurfaceRig:
    """Return a rig in which bob sold to alice at 60000, then alice to bob at 60001, a minute and a half apart."""
    rig = SurfaceRig(product)
    unit = 1 if product is Product.PERPETUAL else 100_000
    price = 600_000 if product is Product.PERPETUAL else 6_000_000
    step = price // 60_000
    rig.now_ns += 5_000 * MS_NS
    rig.order(Side.BUY, price, 5 * unit, "alice")
    rig.order(Side.SELL, price, 2 * unit, "bob")
    rig.now_ns += 90_000 * MS_NS
    rig.order(Side.SELL, price + step, 4 * unit, "alice")
    rig.order(Side.BUY, price + step, 3 * unit, "bob")
    return rig


@BOTH
def test_ping_time_and_depth(product: Product) -> None:
    rig = traded(product)
    assert rig.get(base(product) + "/ping") == {}
    assert rig.get(base(product) + "/time") == {"serverTime": rig.now_ms}
    depth = rig.get(base(product) + "/depth", symbol="BTCUSDT", limit=5)
    spot = {"bids": [["60000.00000000", "0.00300000"]], "asks": [["60001.00000000", "0.00100000"]]}
    usdm = {"bids": [["60000.0", "0.003"]], "asks": [["60001.0", "0.001"]], "E": rig.now_ms, "T": rig.now_ms}
    update_id = depth.pop("lastUpdateId")
    assert update_id == rig.venue.depth(rig.name())[0] > 0
    assert depth == (spot if product is Product.SPOT else usdm)


def test_trades_in_all_their_forms() -> None:
    rig = traded()
    first = {
        "id": 1, "price": "60000.00000000", "qty": "0.00200000", "quoteQty": "120.00000000", "isBuyerMaker": True,
        "time": rig.now_ms - 90_000, "isBestMatch": True,
    }  # fmt: skip
    trades = rig.get("/api/v3/trades", symbol="BTCUSDT")
    assert trades[0] == first
    assert [(row["id"], row["isBuyerMaker"]) for row in trades] == [(1, True), (2, False)]
    assert rig.get("/api/v3/trades", symbol="BTCUSDT", limit=1) == trades[1:]
    assert rig.get("/api/v3/historicalTrades", symbol="BTCUSDT", fromId=1, limit=1) == trades[:1]
    aggregates = rig.get("/api/v3/aggTrades", symbol="BTCUSDT", limit=10)
    assert aggregates[1] == {
        "a": 2, "p": "60001.00000000", "q": "0.00300000", "f": 2, "l": 2, "T": rig.now_ms, "m": False, "M": True,
    }  # fmt: skip
    assert rig.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=2) == aggregates[1:]
    assert rig.get("/api/v3/aggTrades", symbol="BTCUSDT", startTime=0, endTime=rig.now_ms - 1) == aggregates[:1]
    usdm = traded(Product.PERPETUAL)
    assert set(usdm.get("/fapi/v1/trades", symbol="BTCUSDT")[0]) == set(first) - {"isBestMatch"}
    assert "M" not in usdm.get("/fapi/v1/aggTrades", symbol="BTCUSDT")[0]
    assert usdm.call("GET", "/fapi/v1/historicalTrades", "symbol=BTCUSDT").status == 401
    assert usdm.call("GET", "/fapi/v1/historicalTrades", "symbol=BTCUSDT", key=KEY).status == 200


def test_klines_fill_quiet_minutes_with_flat_bars_and_end_with_the_open_one() -> None:
    rig = traded()
    opened = rig.now_ms - rig.now_ms % MINUTE
    rig.now_ns += 120_000 * MS_NS
    rows = rig.get("/api/v3/klines", symbol="BTCUSDT", interval="1m")
    assert [row[0] - opened for row in rows] == [-MINUTE, 0, MINUTE, 2 * MINUTE]
    assert rows[0] == [
        opened - MINUTE, "60000.00000000", "60000.00000000", "60000.00000000", "60000.00000000", "0.00200000",
        opened - 1, "120.00000000", 1, "0.00000000", "0.00000000", "0",
    ]  # fmt: skip
    assert rows[1][9:11] == ["0.00300000", "180.00300000"]
    assert rows[2][1:6] == ["60001.00000000"] * 4 + ["0.00000000"]
    assert rows[2][8] == 0
    assert rig.get("/api/v3/uiKlines", symbol="BTCUSDT", interval="1m", limit=2) == rows[2:]
    chosen = rig.get("/api/v3/klines", symbol="BTCUSDT", interval="1m", startTime=opened - 1, endTime=opened + MINUTE)
    assert chosen == rows[1:3]
    assert rig.get("/api/v3/klines", symbol="BTCUSDT", interval="1m", startTime=0, limit=1) == rows[:1]
    assert rig.get("/api/v3/klines", symbol="BTCUSDT", interval="1m", endTime=opened, limit=1) == rows[1:2]
    assert rig.get("/api/v3/klines", symbol="ETHUSDT", interval="1m") == []
    hour = rig.get("/api/v3/klines", symbol="BTCUSDT", interval="1h")
    assert hour[0][1:6] == ["60000.00000000", "60001.00000000", "60000.00000000", "60001.00000000", "0.00500000"]
    assert [row[8] for row in rig.get("/api/v3/klines", symbol="BTCUSDT", interval="1s", limit=121)] == [1] + [0] * 120


def test_bars_of_every_length_begin_where_binances_do() -> None:
    wednesday = 1_700_006_400_000  # 2023-11-15 00:00 UTC
    moment = wednesday + 12_345_678
    assert bar_open_ms("1w", moment) == wednesday - 2 * 86_400_000
    assert bar_open_ms("1M", moment) == 1_698_796_800_000
    assert next_open_ms("1M", 1_698_796_800_000) == 1_701_388_800_000
    assert bar_open_ms("4h", moment) == wednesday
    assert next_open_ms("1w", wednesday - 2 * 86_400_000) == wednesday + 5 * 86_400_000
    assert (window_ms("59m"), window_ms("7d")) == (59 * MINUTE, 7 * 86_400_000)


def test_the_ticker_of_24_hours() -> None:
    rig = traded()
    row = rig.get("/api/v3/ticker/24hr", symbol="BTCUSDT")
    assert row == {
        "symbol": "BTCUSDT", "priceChange": "1.00000000", "priceChangePercent": "0.002", "prevClosePrice": "60000.00000000",
        "weightedAvgPrice": "60000.60000000", "lastPrice": "60001.00000000", "lastQty": "0.00300000",
        "bidPrice": "60000.00000000", "bidQty": "0.00300000", "askPrice": "60001.00000000", "askQty": "0.00100000",
        "openPrice": "60000.00000000", "highPrice": "60001.00000000", "lowPrice": "60000.00000000", "volume": "0.00500000",
        "quoteVolume": "300.00300000", "openTime": rig.now_ms - 86_400_000, "closeTime": rig.now_ms, "firstId": 1,
        "lastId": 2, "count": 2,
    }  # fmt: skip
    every = rig.get("/api/v3/ticker/24hr")
    assert [one["symbol"] for one in every] == ["BTCUSDT", "ETHUSDT"]
    assert (every[1]["count"], every[1]["lastPrice"], every[1]["firstId"]) == (0, "0.00000000", -1)
    assert set(rig.get("/api/v3/ticker/24hr", symbol="BTCUSDT", type="MINI")) < set(row)
    rolling = rig.get("/api/v3/ticker", symbol="BTCUSDT", windowSize="1m")
    assert (rolling["count"], rolling["openTime"]) == (1, rig.now_ms - MINUTE)
    assert rig.get("/api/v3/avgPrice", symbol="BTCUSDT")["price"] == "60000.60000000"
    rig.now_ns += 86_400_000 * MS_NS
    quiet = rig.get("/api/v3/ticker/24hr", symbol="BTCUSDT")
    assert (quiet["count"], quiet["openPrice"], quiet["lastPrice"]) == (0, "60001.00000000", "60001.00000000")
    usdm = traded(Product.PERPETUAL).get("/fapi/v1/ticker/24hr", symbol="BTCUSDT")
    assert set(row) - set(usdm) == {"prevClosePrice", "bidPrice", "bidQty", "askPrice", "askQty"}


def test_prices_and_best_bids_and_asks() -> None:
    rig, usdm = traded(), traded(Product.PERPETUAL)
    assert rig.get("/api/v3/ticker/price", symbol="BTCUSDT") == {"symbol": "BTCUSDT", "price": "60001.00000000"}
    assert rig.get("/api/v3/ticker/bookTicker", symbols='["BTCUSDT"]') == [
        {
            "symbol": "BTCUSDT", "bidPrice": "60000.00000000", "bidQty": "0.00300000", "askPrice": "60001.00000000",
            "askQty": "0.00100000",
        }
    ]  # fmt: skip
    assert usdm.get("/fapi/v2/ticker/price", symbol="BTCUSDT")["time"] == usdm.now_ms
    book = usdm.get("/fapi/v1/ticker/bookTicker", symbol="BTCUSDT")
    assert (book["bidQty"], book["time"]) == ("0.003", usdm.now_ms)
    assert book["lastUpdateId"] == usdm.venue.depth(usdm.name())[0]


def test_mark_prices_and_fundings() -> None:
    rig = SurfaceRig(Product.PERPETUAL)
    rig.do(SetMarkPrice(rig.now_ns, rig.name(), 600_005))
    rig.do(SetFundingRate(rig.now_ns, rig.name(), Decimal("0.0003")))
    due_ns = rig.venue.funding(rig.name())[1]
    assert rig.get("/fapi/v1/premiumIndex", symbol="BTCUSDT") == {
        "symbol": "BTCUSDT", "markPrice": "60000.50000000", "indexPrice": "60000.50000000", "time": rig.now_ms,
        "estimatedSettlePrice": "60000.50000000", "lastFundingRate": "0.00030000", "interestRate": "0.00010000",
        "nextFundingTime": due_ns // MS_NS,
    }  # fmt: skip
    assert len(rig.get("/fapi/v1/premiumIndex")) == 2
    assert rig.get("/fapi/v1/fundingInfo")[0]["fundingIntervalHours"] == 8
    rig.wait(10)
    rig.now_ns = due_ns + 1_000 * MS_NS
    rig.do(AdvanceTime(rig.now_ns))
    rig.wait(10)
    paid = {
        "symbol": "BTCUSDT", "fundingTime": due_ns // MS_NS, "fundingRate": "0.00030000", "markPrice": "60000.50000000",
    }  # fmt: skip
    assert rig.get("/fapi/v1/fundingRate", symbol="BTCUSDT") == [paid]
    assert rig.get("/fapi/v1/fundingRate", symbol="BTCUSDT", startTime=due_ns // MS_NS + 1) == []


def test_open_interest_is_the_sum_of_the_longs() -> None:
    rig = traded(Product.PERPETUAL)
    assert rig.get("/fapi/v1/openInterest", symbol="BTCUSDT")["openInterest"] == "0.001"


def filters(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["filterType"]: one for one in row["filters"]}


def test_exchange_info_of_spot_tells_every_rule_of_the_instrument() -> None:
    rig = SurfaceRig()
    info = rig.get("/api/v3/exchangeInfo", symbol="BTCUSDT")
    assert info["rateLimits"][0] == {
        "rateLimitType": "REQUEST_WEIGHT",
        "interval": "MINUTE",
        "intervalNum": 1,
        "limit": 6000,
    }
    (row,) = info["symbols"]
    assert (row["symbol"], row["status"], row["baseAsset"], row["quoteAsset"]) == ("BTCUSDT", "TRADING", "BTC", "USDT")
    assert row["filters"][0] == {
        "filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000",
    }  # fmt: skip
    known, told = listing("BTCUSDT.BINANCE"), filters(row)
    lot = told["LOT_SIZE"]
    assert (lot["minQty"], lot["maxQty"], lot["stepSize"]) == ("0.00001000", "9000.00000000", "0.00001000")
    assert Decimal(told["NOTIONAL"]["minNotional"]) == known.min_notional
    assert Decimal(told["NOTIONAL"]["maxNotional"]) == known.max_notional
    assert told["MAX_NUM_ORDERS"]["maxNumOrders"] == known.max_open_orders
    assert {"LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT"} <= set(row["orderTypes"])
    assert len(rig.get("/api/v3/exchangeInfo")["symbols"]) == 2
    assert len(rig.get("/api/v3/exchangeInfo", symbols='["ETHUSDT"]')["symbols"]) == 1


def test_exchange_info_of_usdm_tells_every_rule_of_the_instrument() -> None:
    info = SurfaceRig(Product.PERPETUAL).get("/fapi/v1/exchangeInfo")
    row, known = info["symbols"][0], listing("BTCUSDT.BINANCE_USDM")
    told = filters(row)
    assert info["futuresType"] == "U_MARGINED"
    assert info["assets"] == [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "0"}]
    assert (row["contractType"], row["marginAsset"], row["deliveryDate"]) == ("PERPETUAL", "USDT", 4133404800000)
    assert (row["pricePrecision"], row["quantityPrecision"]) == (1, 3)
    assert Decimal(row["requiredMarginPercent"]) == known.initial_margin_rate * 100
    assert Decimal(row["maintMarginPercent"]) == known.maintenance_margin_rate * 100
    assert row["filters"][0]["tickSize"] == "0.1"
    assert told["LOT_SIZE"] == {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000.000", "stepSize": "0.001"}
    assert told["MIN_NOTIONAL"] == {"filterType": "MIN_NOTIONAL", "notional": "5"}
    assert "GTX" in row["timeInForce"]


def test_a_halt_is_told() -> None:
    rig = SurfaceRig()
    rig.do(SetTradingState(rig.now_ns, rig.name(), TradingState.HALTED))
    assert rig.get("/api/v3/exchangeInfo", symbol="BTCUSDT")["symbols"][0]["status"] == "HALT"
    rig.do(SetTradingState(rig.now_ns, rig.name(), TradingState.TRADING))
    assert rig.get("/api/v3/exchangeInfo", symbol="BTCUSDT")["symbols"][0]["status"] == "TRADING"


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/api/v3/depth", "", -1102),
        ("/api/v3/depth", "symbol=NOSUCH", -1121),
        ("/api/v3/depth", "symbol=BTCUSDT&limit=x", -1100),
        ("/api/v3/depth", "symbol=BTCUSDT&limit=0", -1130),
        ("/api/v3/klines", "symbol=BTCUSDT", -1102),
        ("/api/v3/klines", "symbol=BTCUSDT&interval=7m", -1120),
        ("/api/v3/exchangeInfo", "symbol=BTCUSDT&symbols=[]", -1128),
        ("/api/v3/exchangeInfo", "symbols=BTCUSDT", -1130),
        ("/api/v3/exchangeInfo", "symbols=[%22BTCUSDT%22,%22BTCUSDT%22]", -1151),
        ("/api/v3/ticker", "", -1102),
        ("/api/v3/ticker", "symbol=BTCUSDT&windowSize=60m", -1130),
        ("/api/v3/ticker/price", "symbol=btcusdt", -1121),
    ],
)
def test_what_cannot_be_answered_is_refused_in_binances_words(path: str, query: str, code: int) -> None:
    answer = SurfaceRig().call("GET", path, query)
    assert (answer.status, json.loads(answer.body)["code"]) == (400, code)


def test_usdm_has_no_seconds_and_few_depths() -> None:
    rig = SurfaceRig(Product.PERPETUAL)
    for query, path, code in (("limit=7", "depth", -4021), ("interval=1s", "klines", -1120)):
        answer = rig.call("GET", f"/fapi/v1/{path}", f"symbol=BTCUSDT&{query}")
        assert json.loads(answer.body)["code"] == code


def test_klines_agree_with_the_trades_of_a_living_market() -> None:
    rig = SurfaceRig()
    instrument = listing(rig.name())
    crowd = Population((instrument,), REFERENCE_PRICES, agents=4, seed=5)
    for command in crowd.opening(rig.now_ns):
        rig.do(command)
    for _ in range(12):
        rig.now_ns += 10_000 * MS_NS
        for command in crowd.act(rig.venue, rig.now_ns):
            rig.do(command)
    trades = rig.venue.trades(rig.name(), 1000)
    rows = rig.get("/api/v3/klines", symbol="BTCUSDT", interval="1m")
    assert len(trades) > 20
    for row in rows:
        minute = [one for one in trades if row[0] <= one.time_ns // MS_NS <= row[6]]
        if not minute or minute[0] is trades[0]:
            continue
        assert Decimal(row[1]) == instrument.price_grid.to_decimal(minute[0].price)
        assert Decimal(row[2]) == instrument.price_grid.to_decimal(max(one.price for one in minute))
        assert Decimal(row[4]) == instrument.price_grid.to_decimal(minute[-1].price)
        assert Decimal(row[5]) == instrument.quantity_grid.to_decimal(sum(one.quantity for one in minute))
        assert row[8] == len(minute)
        taken = [one for one in minute if one.aggressor is Side.BUY]
        assert Decimal(row[9]) == instrument.quantity_grid.to_decimal(sum(one.quantity for one in taken))


def test_a_venue_taken_back_to_a_snapshot_has_its_bars_again() -> None:
    rig = traded()
    rows = rig.get("/api/v3/klines", symbol="BTCUSDT", interval="1m")
    snapshot = rig.venue.snapshot()
    other = SurfaceRig()
    other.now_ns = rig.now_ns
    other.venue.take_up(snapshot)
    again = other.get("/api/v3/klines", symbol="BTCUSDT", interval="1m")
    assert [row[:9] for row in again] == [row[:9] for row in rows]
