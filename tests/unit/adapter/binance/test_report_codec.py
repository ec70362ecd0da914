"""What Binance says of orders and fills becomes facts, or BadMessage."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.adapter.binance.report_codec import ReportCodec
from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.order import OrderData, TradeData

SPOT = ReportCodec(Product.SPOT, "ours")
USDM = ReportCodec(Product.PERPETUAL, "ours")
NOW = 1_800_000_000_000_000_000
S = OrderStatus

FULL = {
    "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": "t-1", "transactTime": 1_700_000_000_000,
    "price": "40000.00000000", "origQty": "0.03000000", "executedQty": "0.03000000", "origQuoteOrderQty": "0.00000000",
    "cummulativeQuoteQty": "1199.90000000", "status": "FILLED", "timeInForce": "GTC", "type": "LIMIT", "side": "BUY",
    "workingTime": 1_700_000_000_000, "selfTradePreventionMode": "NONE",
    "fills": [
        {"price": "39990.00000000", "qty": "0.01000000", "commission": "0.00001000", "commissionAsset": "BTC", "tradeId": 56},
        {"price": "40000.00000000", "qty": "0.02000000", "commission": "0.00001234", "commissionAsset": "BNB", "tradeId": 57},
    ],
}  # fmt: skip
RESULT = {
    "orderId": 22542179, "symbol": "BTCUSDT", "status": "PARTIALLY_FILLED", "clientOrderId": "t-2", "price": "100.00",
    "avgPrice": "99.66667", "origQty": "1.000", "executedQty": "0.300", "cumQty": "0.300", "cumQuote": "29.9",
    "timeInForce": "GTX", "type": "LIMIT", "origType": "LIMIT", "side": "SELL", "positionSide": "SHORT", "reduceOnly": True,
    "closePosition": False, "stopPrice": "0", "workingType": "CONTRACT_PRICE", "priceProtect": False,
    "priceMatch": "NONE", "selfTradePreventionMode": "NONE", "goodTillDate": 0, "updateTime": 1_700_000_000_001,
}  # fmt: skip
ALGO = {
    "algoId": 2148719, "clientAlgoId": "t-3", "algoType": "CONDITIONAL", "orderType": "STOP_MARKET", "symbol": "BTCUSDT",
    "side": "SELL", "positionSide": "BOTH", "timeInForce": "GTC", "quantity": "0.010", "algoStatus": "NEW",
    "triggerPrice": "45000.00", "price": "0.00", "workingType": "CONTRACT_PRICE", "closePosition": False,
    "priceProtect": False, "reduceOnly": False, "createTime": 1_700_000_000_000, "updateTime": 1_700_000_000_000,
    "triggerTime": 0,
}  # fmt: skip
EXECUTION = {
    "e": "executionReport", "E": 1_700_000_000_001, "s": "BTCUSDT", "c": "t-1", "S": "BUY", "o": "LIMIT", "f": "GTC",
    "q": "0.03", "p": "40000", "P": "0", "F": "0", "g": -1, "C": "", "x": "TRADE", "X": "PARTIALLY_FILLED", "r": "NONE",
    "i": 28, "l": "0.01", "z": "0.02", "L": "39990", "n": "0.00001", "N": "BNB", "T": 1_700_000_000_000, "t": 56,
    "I": 8_641_984, "w": True, "m": True, "M": False, "O": 1, "Z": "799.85", "Y": "399.9", "Q": "0", "W": 1, "V": "NONE",
}  # fmt: skip
UPDATE = {
    "e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": {
        "s": "BTCUSDT", "c": "t-2", "S": "BUY", "o": "MARKET", "f": "GTC", "q": "0.01", "p": "0", "ap": "50000.1", "sp": "45000",
        "x": "TRADE", "X": "FILLED", "i": 28, "l": "0.01", "z": "0.01", "L": "50000.1", "n": "0.2", "N": "USDT",
        "T": 1_700_000_000_000, "t": 56, "b": "0", "a": "0", "m": False, "R": True, "wt": "CONTRACT_PRICE", "ot": "STOP_MARKET",
        "ps": "LONG", "cp": False, "rp": "0", "pP": False, "si": 0, "ss": 0, "V": "NONE", "pm": "NONE", "gtd": 0,
    },
}  # fmt: skip


def test_a_full_answer_tells_the_order_and_its_fills_exactly() -> None:
    order, fills = SPOT.order_row(FULL, NOW)
    assert (order.order_id, order.venue_order_id, order.instrument_id) == ("t-1", "28", "BTCUSDT.BINANCE")
    assert (order.status, order.quantity, order.filled_quantity, order.price) == (S.FILLED, 0.03, 0.03, 40000.0)
    assert order.average_price == float(Decimal("1199.9") / Decimal("0.03"))
    assert (order.venue_time_ns, order.local_time_ns) == (1_700_000_000_000_000_000, NOW)
    assert [(fill.trade_id, fill.price, fill.quantity, fill.fee, fill.fee_asset) for fill in fills] == [
        ("56", 39990.0, 0.01, Decimal("0.00001000"), "BTC"),
        ("57", 40000.0, 0.02, Decimal("0.00001234"), "BNB"),
    ]
    assert {fill.liquidity for fill in fills} == {Liquidity.TAKER}


def test_a_contract_answer_averages_by_what_was_traded() -> None:
    order, fills = USDM.order_row(RESULT, NOW)
    assert order.average_price == float(Decimal("29.9") / Decimal("0.3"))
    assert (order.status, order.post_only, order.reduce_only) == (S.PARTIALLY_FILLED, True, True)
    assert (order.position_side, order.time_in_force, fills) == (PositionSide.SHORT, TimeInForce.GTC, ())


def test_the_answer_to_a_cancel_speaks_of_the_order_and_not_of_the_cancel() -> None:
    raw = {**FULL, "status": "CANCELED", "clientOrderId": "cancel-9", "origClientOrderId": "t-1", "fills": []}
    assert SPOT.order_row(raw, NOW)[0].order_id == "t-1"
    event = {**EXECUTION, "x": "CANCELED", "X": "CANCELED", "c": "cancel-9", "C": "t-1", "t": -1}
    assert SPOT.execution_report(event, NOW)[0].order_id == "t-1"


def test_a_conditional_order_waits_and_then_names_what_it_became() -> None:
    order, spawned = USDM.algo_row(ALGO, NOW)
    assert (order.order_id, order.status, order.order_type, spawned) == ("t-3", S.ACCEPTED, OrderType.STOP, "")
    assert (order.trigger_price, order.venue_order_id) == (45000.0, "algo2148719")
    raw = {**ALGO, "algoStatus": "TRIGGERED", "actualOrderId": "77"}
    order, spawned = USDM.algo_row(raw, NOW)
    assert (order.status, order.venue_order_id, spawned) == (S.ACCEPTED, "77", "77")


def test_a_fill_of_the_stream_carries_fee_and_liquidity() -> None:
    order, fill = SPOT.execution_report(EXECUTION, NOW)
    assert (order.status, order.filled_quantity, order.average_price) == (S.PARTIALLY_FILLED, 0.02, 39992.5)
    assert fill is not None
    assert (fill.trade_id, fill.price, fill.quantity) == ("56", 39990.0, 0.01)
    assert (fill.fee, fill.fee_asset, fill.liquidity) == (Decimal("0.00001"), "BNB", Liquidity.MAKER)
    assert (fill.order_id, fill.venue_order_id, fill.side) == ("t-1", "28", Side.BUY)


def test_a_contract_update_keeps_the_type_the_order_was_placed_with() -> None:
    order, fill = USDM.order_update(UPDATE, NOW)
    assert (order.order_type, order.trigger_price, order.reduce_only) == (OrderType.STOP, 45000.0, True)
    assert order.position_side is PositionSide.LONG
    assert fill is not None
    assert (fill.fee, fill.liquidity, fill.position_side) == (Decimal("0.2"), Liquidity.TAKER, PositionSide.LONG)


def test_a_trailing_stop_on_spot_is_known_by_its_delta() -> None:
    raw = {**FULL, "type": "STOP_LOSS", "status": "NEW", "executedQty": "0", "trailingDelta": 100, "fills": []}
    assert SPOT.order_row(raw, NOW)[0].order_type is OrderType.TRAILING_STOP
    event = {**EXECUTION, "o": "STOP_LOSS", "x": "NEW", "X": "NEW", "z": "0", "Z": "0", "t": -1, "d": 100}
    assert SPOT.execution_report(event, NOW)[0].order_type is OrderType.TRAILING_STOP


def test_a_fill_or_kill_of_which_nothing_was_done_is_refused_on_either_product() -> None:
    raw = {
        **FULL,
        "timeInForce": "FOK",
        "status": "EXPIRED",
        "executedQty": "0",
        "cummulativeQuoteQty": "0",
        "fills": [],
    }
    order, _ = SPOT.order_row(raw, NOW)
    assert (order.status, bool(order.reason)) == (S.REJECTED, True)


@pytest.mark.parametrize(
    ("status", "filled", "expected"),
    [
        ("NEW", "0", S.ACCEPTED),
        ("PENDING_NEW", "0", S.ACCEPTED),
        ("PARTIALLY_FILLED", "0.01", S.PARTIALLY_FILLED),
        ("PENDING_CANCEL", "0.01", S.PARTIALLY_FILLED),
        ("FILLED", "0.03", S.FILLED),
        ("CANCELED", "0.01", S.CANCELLED),
        ("EXPIRED", "0.01", S.EXPIRED),
        ("EXPIRED_IN_MATCH", "0", S.EXPIRED),
        ("REJECTED", "0", S.REJECTED),
    ],
)
def test_each_status_has_its_meaning(status: str, filled: str, expected: OrderStatus) -> None:
    order, _ = SPOT.order_row({**FULL, "status": status, "executedQty": filled, "fills": []}, NOW)
    assert order.status is expected
    assert bool(order.reason) is (expected in (S.EXPIRED, S.REJECTED))


def test_a_fill_of_a_list_is_named_by_who_asks() -> None:
    row = {
        "symbol": "BTCUSDT", "id": 28457, "orderId": 100234, "orderListId": -1, "price": "4.00000100", "qty": "12.00000000",
        "quoteQty": "48.000012", "commission": "10.10000000", "commissionAsset": "BNB", "time": 1_499_865_549_590,
        "isBuyer": False, "isMaker": True, "isBestMatch": True,
    }  # fmt: skip
    fill = SPOT.trade_row(row, "t-9", NOW)
    assert (fill.order_id, fill.side, fill.liquidity, fill.fee) == ("t-9", Side.SELL, Liquidity.MAKER, Decimal("10.1"))
    row = {**row, "isBuyer": None, "isMaker": None, "buyer": True, "maker": False, "positionSide": "SHORT"}
    fill = USDM.trade_row(row, "t-9", NOW)
    assert (fill.side, fill.liquidity, fill.position_side) == (Side.BUY, Liquidity.TAKER, PositionSide.SHORT)


@pytest.mark.parametrize(
    "change",
    [
        {"q": "NaN"}, {"q": "-1"}, {"z": "1"}, {"L": "0"}, {"L": "Infinity"}, {"p": "x"}, {"S": "HOLD"}, {"o": "MAGIC"},
        {"X": "MAYBE"}, {"f": "SOON"}, {"i": -1}, {"T": "soon"}, {"s": ""}, {"q": "1e30"}, {"z": None},
    ],
)  # fmt: skip
def test_an_impossible_report_is_a_bad_message(change: dict[str, object]) -> None:
    with pytest.raises(BadMessage):
        SPOT.execution_report({**EXECUTION, **change}, NOW)


@pytest.mark.parametrize("raw", [None, [], "order", 7, {}, {**FULL, "fills": [{"price": "1"}]}])
def test_what_is_no_order_is_a_bad_message(raw: object) -> None:
    with pytest.raises(BadMessage):
        SPOT.order_row(raw, NOW)


def _frames(folder: Path, name: str) -> list[dict[str, object]]:
    path = folder / "binance_user_data" / name
    if not path.exists():
        pytest.skip(f"no {path}")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_recorded_frames_of_a_market_order_tell_its_whole_life(data_dir: Path) -> None:
    events = [frame["event"] for frame in _frames(data_dir, "ws_api_execution_reports.jsonl") if "event" in frame]
    told = [SPOT.execution_report(event, NOW) for event in events]  # type: ignore[arg-type]
    (new, _), (filled, fill), (_, sold) = told
    assert (new.status, filled.status, filled.order_type) == (S.ACCEPTED, S.FILLED, OrderType.MARKET)
    assert filled.average_price == 63817.61
    assert fill is not None
    assert sold is not None
    assert (fill.fee, fill.fee_asset, sold.side) == (Decimal("0.00001563"), "BNB", Side.SELL)


def test_the_documented_frames_are_read(data_dir: Path) -> None:
    told: dict[str, OrderData] = {}
    fills: dict[str, TradeData | None] = {}
    for frame in _frames(data_dir, "fixtures_spot_futures.jsonl"):
        event = frame["message"].get("event", frame["message"])  # type: ignore[attr-defined]
        name = str(frame["file"]).removesuffix(".json")
        if event["e"] == "executionReport":
            told[name], fills[name] = SPOT.execution_report(event, NOW)
        elif event["e"] == "ORDER_TRADE_UPDATE":
            told[name], fills[name] = USDM.order_update(event, NOW)
        elif event["e"] == "ALGO_UPDATE":
            told[name] = USDM.algo_update(event, NOW)[0]
    assert len(told) == 17
    assert told["execution_report_expired"].reason == "INSUFFICIENT_LIQUIDITY"
    assert told["order_update_new"].order_type is OrderType.TRAILING_STOP
    assert told["algo_update_canceled"].status is S.CANCELLED
    assert fills["order_update_calculated_pending"] is None
    assert fills["order_update_calculated"] is not None
