"""USD-M orders through their endpoints: shapes, refusals, and what becomes of them."""

import pytest

from foxtrot.domain.enums import Side
from tests.support.usdm_rig import START_NS, UsdmRig


@pytest.fixture
def rig() -> UsdmRig:
    return UsdmRig()


def test_a_resting_limit_order_is_answered_whole(rig: UsdmRig) -> None:
    assert rig.order(newClientOrderId="mine-1") == {
        "orderId": 1, "symbol": "BTCUSDT", "status": "NEW", "clientOrderId": "mine-1", "price": "50000.0",
        "avgPrice": "0.00000", "origQty": "0.010", "executedQty": "0.000", "cumQty": "0.000", "cumQuote": "0.0000",
        "timeInForce": "GTC", "type": "LIMIT", "reduceOnly": False, "closePosition": False, "side": "BUY",
        "positionSide": "BOTH", "stopPrice": "0.0", "workingType": "CONTRACT_PRICE", "priceProtect": False,
        "origType": "LIMIT", "priceMatch": "NONE", "selfTradePreventionMode": "NONE", "goodTillDate": 0,
        "updateTime": START_NS // 1_000_000,
    }  # fmt: skip


def test_a_market_order_over_two_prices_tells_its_average(rig: UsdmRig) -> None:
    rig.quote(Side.SELL, 5, 500_000)
    rig.quote(Side.SELL, 20, 500_010)
    row = rig.order(quantity="0.010", price=None)
    assert (row["status"], row["executedQty"], row["avgPrice"]) == ("FILLED", "0.010", "50000.50000")
    assert (row["cumQuote"], row["type"], row["timeInForce"], row["price"]) == ("500.0050", "MARKET", "GTC", "0.0")


def test_an_acknowledgement_tells_nothing_of_the_fill(rig: UsdmRig) -> None:
    rig.quote(Side.SELL, 20, 500_000)
    row = rig.order(price=None, newOrderRespType="ACK")
    assert (row["status"], row["executedQty"], row["cumQty"], row["cumQuote"]) == ("NEW", "0.000", "0.000", "0.0000")
    assert rig.call("GET", "v1/order", symbol="BTCUSDT", orderId=row["orderId"])["status"] == "FILLED"
    assert rig.order_refusal(newOrderRespType="FULL") == (-1136, "Invalid newOrderRespType")


def test_an_order_without_a_client_id_is_given_one(rig: UsdmRig) -> None:
    first, second = rig.order()["clientOrderId"], rig.order()["clientOrderId"]
    assert first != second
    assert rig.call("GET", "v1/order", symbol="BTCUSDT", origClientOrderId=second)["orderId"] == 2


@pytest.mark.parametrize(
    ("terms", "code", "text"),
    [
        ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ({"side": "UP"}, -1117, "Invalid side."),
        ({"type": "ICEBERG"}, -1116, "Invalid orderType."),
        ({"timeInForce": "DAY"}, -1115, "Invalid timeInForce."),
        ({"timeInForce": ""}, -1102, "Mandatory parameter 'timeinforce' was not sent, was empty/null, or malformed."),
        ({"price": ""}, -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
        ({"quantity": ""}, -1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."),
        ({"quantity": "0"}, -4003, "Quantity less than or equal to zero."),
        ({"quantity": "0.0105"}, -1111, "Precision is over the maximum defined for this asset."),
        ({"quantity": "5000"}, -4005, "Quantity greater than max quantity."),
        ({"price": "50000.05"}, -1111, "Precision is over the maximum defined for this asset."),
        ({"price": "-1"}, -4001, "Price less than 0."),
        ({"quantity": "0.001", "price": "100"}, -4164,
         "Order's notional must be no smaller than 5 (unless you choose reduce only)."),
        ({"quantity": "10"}, -2019, "Margin is insufficient."),
        ({"reduceOnly": "true"}, -2022, "ReduceOnly Order is rejected."),
        ({"reduceOnly": "maybe"}, -1102, "Mandatory parameter 'reduceonly' was not sent, was empty/null, or malformed."),
        ({"positionSide": "LONG"}, -4061, "Order's position side does not match user's setting."),
        ({"positionSide": "UP"}, -4060, "Invalid position side."),
        ({"newClientOrderId": "x" * 37}, -4015, "Client order id length should be less than 36 chars"),
        ({"newClientOrderId": "a b"}, -4015, "Client order id is not valid."),
        ({"selfTradePreventionMode": "HOPE"}, -5039, "Invalid self trade prevention mode"),
        ({"stopPrice": "1"}, -1106, "Parameter 'stopprice' sent when not required."),
        ({"goodTillDate": "1"}, -1106, "Parameter 'goodtilldate' sent when not required."),
        ({"closePosition": "true"}, -4136, "Target strategy invalid for orderType LIMIT,closePosition true"),
        ({"priceMatch": "OPPONENT"}, -1106, "Parameter 'price' sent when not required."),
        ({"price": "", "priceMatch": "BEST"}, -5037, "Invalid price match"),
        ({"price": "", "priceMatch": "QUEUE_5"}, -5041, "No depth matches this BBO order"),
        ({"timeInForce": "GTD"}, -1102,
         "Mandatory parameter 'goodtilldate' was not sent, was empty/null, or malformed."),
        ({"timeInForce": "GTD", "goodTillDate": str(START_NS // 1_000_000 + 600_000)}, -5040,
         "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than"
         " 253402300799000 (UTC 9999-12-31 23:59:59)"),
    ],
)  # fmt: skip
def test_each_fault_has_its_code_and_text(rig: UsdmRig, terms: dict[str, object], code: int, text: str) -> None:
    assert rig.order_refusal(**terms) == (code, text)
    assert rig.call("GET", "v1/openOrders") == []
    assert rig.events() == []


@pytest.mark.parametrize("kind", ["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"])
def test_conditional_types_are_sent_to_the_other_endpoint(rig: UsdmRig, kind: str) -> None:
    text = "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
    assert rig.order_refusal(type=kind, stopPrice="45000") == (-4120, text)


@pytest.mark.parametrize(("name", "value"), [("price", "1"), ("timeInForce", "GTC")])
def test_a_market_order_takes_neither_price_nor_life(rig: UsdmRig, name: str, value: str) -> None:
    refusal = (-1106, f"Parameter '{name.lower()}' sent when not required.")
    assert rig.order_refusal(**{"price": None, name: value, "type": "MARKET"}) in (refusal, (-1106, refusal[1]))
    text = "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT"
    assert rig.order_refusal(price=None, priceMatch="QUEUE") == (-5038, text)


def test_a_client_id_of_an_open_order_is_taken_and_free_again_after_it(rig: UsdmRig) -> None:
    rig.order(newClientOrderId="same")
    assert rig.order_refusal(newClientOrderId="same") == (-4116, "ClientOrderId is duplicated.")
    rig.call("DELETE", "v1/order", symbol="BTCUSDT", origClientOrderId="same")
    assert rig.order(newClientOrderId="same")["status"] == "NEW"


def test_post_only_rests_or_is_refused(rig: UsdmRig) -> None:
    rig.quote(Side.SELL, 20, 500_000)
    assert rig.order(price="49999.9", timeInForce="GTX")["timeInForce"] == "GTX"
    assert rig.order_refusal(timeInForce="GTX") == (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected."
        " The order will not be recorded in the order history.",
    )


def test_fill_or_kill_fills_or_is_refused(rig: UsdmRig) -> None:
    rig.quote(Side.SELL, 10, 500_000)
    assert rig.order_refusal(quantity="0.011", timeInForce="FOK") == (
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected."
        " The order will not be recorded in the order history.",
    )
    assert rig.order(timeInForce="FOK")["status"] == "FILLED"


def test_what_immediate_or_cancel_leaves_expires(rig: UsdmRig) -> None:
    rig.quote(Side.SELL, 4, 500_000)
    row = rig.order(timeInForce="IOC")
    assert (row["status"], row["executedQty"], row["timeInForce"]) == ("EXPIRED", "0.004", "IOC")
    assert rig.order(price=None)["status"] == "EXPIRED"


def test_good_till_date_is_in_whole_seconds_and_ends_the_order(rig: UsdmRig) -> None:
    end_ms = START_NS // 1_000_000 + 700_900
    row = rig.order(timeInForce="GTD", goodTillDate=end_ms)
    assert (row["timeInForce"], row["goodTillDate"]) == ("GTD", end_ms // 1000 * 1000)
    rig.wait(701)
    assert rig.call("GET", "v1/order", symbol="BTCUSDT", orderId=1)["status"] == "EXPIRED"
    assert rig.events("ORDER_TRADE_UPDATE")[-1]["o"]["X"] == "EXPIRED"


@pytest.mark.parametrize(
    ("match", "price"), [("OPPONENT", "50002.0"), ("QUEUE", "49999.0"), ("OPPONENT_5", None), ("QUEUE_5", None)]
)
def test_a_price_can_be_taken_from_the_book(rig: UsdmRig, match: str, price: str | None) -> None:
    rig.quote(Side.BUY, 20, 499_990)
    rig.quote(Side.SELL, 20, 500_020)
    if price is None:
        assert rig.order_refusal(price="", priceMatch=match)[0] == -5041
    else:
        assert rig.order(price="", priceMatch=match)["price"] == price


def test_reduce_only_closes_no_more_than_there_is(rig: UsdmRig) -> None:
    rig.hold("BUY", 10)
    rig.quote(Side.BUY, 50, 499_000)
    row = rig.order("SELL", "0.030", None, reduceOnly="true")
    assert (row["status"], row["executedQty"], row["reduceOnly"]) == ("FILLED", "0.010", True)
    assert rig.call("GET", "v3/positionRisk") == []
    assert rig.order_refusal(side="SELL", price=None, reduceOnly="true") == (-2022, "ReduceOnly Order is rejected.")


def test_a_test_order_is_judged_and_forgotten(rig: UsdmRig) -> None:
    terms = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "50000"}
    assert rig.call("POST", "v1/order/test", **terms, quantity="0.01")["status"] == "NEW"
    assert rig.refusal("POST", "v1/order/test", **terms, quantity="5000")[0] == -4005
    assert rig.call("GET", "v1/openOrders") == []


def test_self_trades_are_prevented_as_asked(rig: UsdmRig) -> None:
    resting = rig.order("SELL", price="50000")
    row = rig.order("BUY", price="50000", selfTradePreventionMode="EXPIRE_MAKER")
    assert (row["status"], row["selfTradePreventionMode"]) == ("NEW", "EXPIRE_MAKER")
    assert rig.call("GET", "v1/order", symbol="BTCUSDT", orderId=resting["orderId"])["status"] == "EXPIRED_IN_MATCH"
    told = rig.events("ORDER_TRADE_UPDATE")[-1]["o"]
    assert (told["x"], told["X"], told["i"]) == ("EXPIRED", "EXPIRED_IN_MATCH", resting["orderId"])


def test_a_key_that_may_not_trade_only_reads(rig: UsdmRig) -> None:
    key = rig.side.keys["K"]
    rig.side.keys["K"] = type(key)(key.api_key, key.account, key.secret, can_trade=False)
    assert rig.order_refusal() == (-2015, "Invalid API-key, IP, or permissions for action.")
    assert rig.call("GET", "v1/openOrders") == []
