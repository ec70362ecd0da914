"""USD-M orders changed, cancelled, asked about, sent several at once and cancelled by the clock."""

import msgspec
import pytest

from foxtrot.domain.enums import Side
from tests.support.usdm_rig import START_NS, UsdmRig

START_MS = START_NS // 1_000_000
SYMBOL = {"symbol": "BTCUSDT"}


@pytest.fixture
def rig() -> UsdmRig:
    return UsdmRig()


def modify(rig: UsdmRig, **terms: object) -> dict[str, object]:
    usual = {"symbol": "BTCUSDT", "side": "BUY", "orderId": 1, "quantity": "0.010", "price": "50000"}
    return rig.call("PUT", "v1/order", **{k: v for k, v in (usual | terms).items() if v is not None})


def modify_refusal(rig: UsdmRig, **terms: object) -> tuple[int, str]:
    usual = {"symbol": "BTCUSDT", "side": "BUY", "orderId": 1, "quantity": "0.010", "price": "50000"}
    return rig.refusal("PUT", "v1/order", **{k: v for k, v in (usual | terms).items() if v is not None})


def test_modifying_keeps_the_id_and_tells_an_amendment(rig: UsdmRig) -> None:
    rig.order(newClientOrderId="mine")
    rig.now_ns += 5_000_000
    row = modify(rig, orderId=None, origClientOrderId="mine", quantity="0.020", price="49000")
    assert (row["orderId"], row["origQty"], row["price"], row["status"]) == (1, "0.020", "49000.0", "NEW")
    assert row["updateTime"] == START_MS + 5
    told = rig.events("ORDER_TRADE_UPDATE")[-1]["o"]
    assert (told["x"], told["X"], told["q"], told["p"]) == ("AMENDMENT", "NEW", "0.020", "49000.0")


def test_modifying_refuses_what_makes_no_sense(rig: UsdmRig) -> None:
    assert modify_refusal(rig) == (-2013, "Order does not exist.")
    rig.order()
    assert modify_refusal(rig) == (-5027, "No need to modify the order.")
    assert modify_refusal(rig, price=None)[0] == -1102
    assert modify_refusal(rig, side="UP")[0] == -1117
    assert modify_refusal(rig, quantity="10") == (-2019, "Margin is insufficient.")
    rig.call("DELETE", "v1/order", **SYMBOL, orderId=1)
    assert modify_refusal(rig, price="1") == (-2011, "Unknown order sent.")
    text = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
    assert modify_refusal(rig, orderId=None) == (-1102, text)


def test_modifying_below_what_is_filled_or_into_the_other_side_cancels(rig: UsdmRig) -> None:
    rig.quote(Side.SELL, 4, 500_000)
    rig.order()
    assert modify(rig, orderId=2, quantity="0.004")["status"] == "CANCELED"
    rig.quote(Side.SELL, 4, 500_000)
    rig.order(price="49000", timeInForce="GTX")
    row = modify(rig, orderId=4)
    assert (row["status"], row["orderId"]) == ("CANCELED", 4)


def test_cancelling_answers_the_order_as_it_ended(rig: UsdmRig) -> None:
    rig.quote(Side.SELL, 4, 500_000)
    rig.order(newClientOrderId="mine")
    row = rig.call("DELETE", "v1/order", **SYMBOL, origClientOrderId="mine")
    assert (row["status"], row["executedQty"], row["clientOrderId"]) == ("CANCELED", "0.004", "mine")
    told = rig.events("ORDER_TRADE_UPDATE")[-1]["o"]
    assert (told["x"], told["X"], told["z"]) == ("CANCELED", "CANCELED", "0.004")
    unknown = (-2011, "Unknown order sent.")
    assert rig.refusal("DELETE", "v1/order", **SYMBOL, origClientOrderId="mine") == unknown
    assert rig.refusal("DELETE", "v1/order", **SYMBOL, orderId=99) == unknown
    assert rig.refusal("DELETE", "v1/order", **SYMBOL, orderId="x")[0] == -1100


def test_cancelling_all_is_by_symbol(rig: UsdmRig) -> None:
    rig.order()
    rig.order(symbol="ETHUSDT", price="2000")
    done = {"code": 200, "msg": "The operation of cancel all open order is done."}
    assert rig.call("DELETE", "v1/allOpenOrders", **SYMBOL) == done
    assert rig.call("DELETE", "v1/allOpenOrders", **SYMBOL) == done
    assert [row["symbol"] for row in rig.call("GET", "v1/openOrders")] == ["ETHUSDT"]


def test_orders_are_found_open_ended_and_by_page(rig: UsdmRig) -> None:
    for _ in range(3):
        rig.order()
        rig.now_ns += 1_000_000
    rig.call("DELETE", "v1/order", **SYMBOL, orderId=2)
    row = rig.call("GET", "v1/order", **SYMBOL, orderId=2)
    assert (row["status"], row["time"], row["updateTime"]) == ("CANCELED", START_MS + 1, START_MS + 3)
    assert "cumQty" not in row
    assert rig.call("GET", "v1/openOrder", **SYMBOL, orderId=1)["orderId"] == 1
    for number in (2, 9):
        assert rig.refusal("GET", "v1/openOrder", **SYMBOL, orderId=number) == (-2013, "Order does not exist.")
    assert rig.refusal("GET", "v1/order", **SYMBOL, orderId=9) == (-2013, "Order does not exist.")

    def ids(path: str, **params: object) -> list[int]:
        return [row["orderId"] for row in rig.call("GET", path, **params)]

    assert ids("v1/openOrders", **SYMBOL) == [1, 3]
    assert ids("v1/openOrders") == [1, 3]
    assert ids("v1/openOrders", symbol="ETHUSDT") == []
    assert ids("v1/allOrders", **SYMBOL) == [1, 2, 3]
    assert ids("v1/allOrders", **SYMBOL, limit=2) == [2, 3]
    assert ids("v1/allOrders", **SYMBOL, orderId=2, limit=1) == [2]
    assert ids("v1/allOrders", **SYMBOL, startTime=START_MS + 1, endTime=START_MS + 1) == [2]
    assert rig.routes["GET", "/fapi/v1/openOrders"].security.value == "signed"


def test_somebody_elses_order_is_not_found(rig: UsdmRig) -> None:
    number = rig.quote(Side.SELL, 4, 500_000)
    assert rig.refusal("GET", "v1/order", **SYMBOL, orderId=number)[0] == -2013
    assert rig.refusal("DELETE", "v1/order", **SYMBOL, orderId=number)[0] == -2011


def test_trades_tell_price_fee_side_and_profit(rig: UsdmRig) -> None:
    rig.hold("BUY", 10, 500_000)
    rig.quote(Side.BUY, 4, 501_000)
    rig.now_ns += 1_000_000
    rig.order("SELL", "0.004", "50100")
    rows = rig.call("GET", "v1/userTrades", **SYMBOL)
    assert rows[1] == {
        "symbol": "BTCUSDT", "id": 2, "orderId": 4, "side": "SELL", "price": "50100.0", "qty": "0.004",
        "realizedPnl": "0.40000000", "quoteQty": "200.4000", "commission": "0.10020000", "commissionAsset": "USDT",
        "time": START_MS + 1, "positionSide": "BOTH", "buyer": False, "maker": False,
    }  # fmt: skip
    ids = [[row["id"] for row in rig.call("GET", "v1/userTrades", **SYMBOL, **more)] for more in (
        {"fromId": 2}, {"orderId": 2}, {"limit": 1}, {"startTime": START_MS, "endTime": START_MS}, {"fromId": 1, "limit": 1},
    )]  # fmt: skip
    assert ids == [[2], [1], [2], [1], [1]]


def test_several_orders_are_each_answered_by_themselves(rig: UsdmRig) -> None:
    good = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "price": "50000", "timeInForce": "GTC"}
    batch = [{**good, "quantity": "0.01"}, {**good, "quantity": "0"}, {**good, "quantity": 0.02, "reduceOnly": False}]
    rows = rig.call("POST", "v1/batchOrders", batchOrders=msgspec.json.encode(batch).decode())
    assert [row.get("orderId", row.get("code")) for row in rows] == [1, -4003, 2]
    change = [{"symbol": "BTCUSDT", "side": "BUY", "orderId": 1, "quantity": "0.03", "price": "49000"}]
    rows = rig.call("PUT", "v1/batchOrders", batchOrders=msgspec.json.encode(change).decode())
    assert rows[0]["origQty"] == "0.030"
    rows = rig.call("DELETE", "v1/batchOrders", **SYMBOL, orderIdList="[1,7]")
    assert (rows[0]["status"], rows[1]) == ("CANCELED", {"code": -2011, "msg": "Unknown order sent."})
    name = rig.call("GET", "v1/openOrders")[0]["clientOrderId"]
    rows = rig.call("DELETE", "v1/batchOrders", **SYMBOL, origClientOrderIdList=f'["{name}"]')
    assert rows[0]["status"] == "CANCELED"
    rig.order()
    assert rig.call("DELETE", "v1/batchOrders", **SYMBOL, orderidlist='["3"]')[0]["status"] == "CANCELED"


def test_batches_have_bounds(rig: UsdmRig) -> None:
    too_many = msgspec.json.encode([{}] * 6).decode()
    for wrong in ("[]", too_many):
        assert rig.refusal("POST", "v1/batchOrders", batchOrders=wrong) == (
            -4082,
            "Invalid number of batch place orders.",
        )
    assert rig.refusal("POST", "v1/batchOrders", batchOrders="[")[0] == -1102
    assert rig.refusal("DELETE", "v1/batchOrders", **SYMBOL)[0] == -1102
    assert rig.refusal("DELETE", "v1/batchOrders", **SYMBOL, orderIdList=list(range(11))) == (
        -4032,
        "Exceed maximum cancel order size.",
    )


def test_the_countdown_cancels_unless_it_is_begun_anew_or_stopped(rig: UsdmRig) -> None:
    rig.order()
    rig.order(symbol="ETHUSDT", price="2000")
    answer = rig.call("POST", "v1/countdownCancelAll", **SYMBOL, countdownTime=1000)
    assert answer == {"symbol": "BTCUSDT", "countdownTime": "1000"}
    rig.wait(0.9)
    rig.call("POST", "v1/countdownCancelAll", **SYMBOL, countdownTime=1000)
    rig.wait(0.9)
    assert len(rig.call("GET", "v1/openOrders", **SYMBOL)) == 1
    rig.wait(0.1)
    assert [row["symbol"] for row in rig.call("GET", "v1/openOrders")] == ["ETHUSDT"]
    rig.order()
    rig.call("POST", "v1/countdownCancelAll", **SYMBOL, countdownTime=1000)
    rig.call("POST", "v1/countdownCancelAll", **SYMBOL, countdownTime=0)
    rig.wait(5)
    assert len(rig.call("GET", "v1/openOrders")) == 2
    assert rig.refusal("POST", "v1/countdownCancelAll", **SYMBOL, countdownTime=-1)[0] == -1102
