"""What the spot exchange refuses, and that it does so in Binance's words."""

import pytest

from foxtrot.domain.enums import Product
from foxtrot.exchange.commands import SetTradingState, TradingState
from foxtrot.exchange.result import CommandResult, ResultCode
from foxtrot.exchange.wire.binance.order_errors import refused
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.spot_rig import BTC, SpotRig


@pytest.fixture
def rig() -> SpotRig:
    return SpotRig()


MALFORMED = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
NUMBER = r"legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'."
BAD_ORDERS: list[tuple[dict[str, object], int, str]] = [
    ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
    ({"side": "HOLD"}, -1117, "Invalid side."),
    ({"type": "FANCY"}, -1116, "Invalid orderType."),
    ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
    ({"timeInForce": None}, -1102, MALFORMED.format("timeInForce")),
    ({"price": None}, -1102, MALFORMED.format("price")),
    ({"quantity": None}, -1102, MALFORMED.format("quantity")),
    (
        {"type": "MARKET", "quantity": None},
        -1102,
        "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!",
    ),
    ({"type": "MARKET", "quoteOrderQty": "5"}, -1128, "Combination of optional parameters invalid."),
    ({"type": "MARKET", "price": "40000"}, -1106, "Parameter 'price' sent when not required."),
    ({"type": "MARKET", "timeInForce": "GTC"}, -1106, "Parameter 'timeInForce' sent when not required."),
    (
        {"type": "LIMIT_MAKER", "price": "40000", "timeInForce": "GTC"},
        -1106,
        "Parameter 'timeInForce' sent when not required.",
    ),
    ({"stopPrice": "40000"}, -1106, "Parameter 'stopPrice' sent when not required."),
    ({"type": "STOP_LOSS"}, -1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!"),
    ({"price": "40000.123456789"}, -1111, "Parameter 'price' has too much precision."),
    ({"quantity": "0.000000001"}, -1111, "Parameter 'quantity' has too much precision."),
    ({"price": "1e4"}, -1100, f"Illegal characters found in parameter 'price'; {NUMBER}"),
    ({"quantity": "-1"}, -1100, f"Illegal characters found in parameter 'quantity'; {NUMBER}"),
    (
        {"newClientOrderId": "a b"},
        -1100,
        "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[\\.A-Z\\:/a-z0-9_-]{1,36}$'.",
    ),
    (
        {"newClientOrderId": "x" * 37},
        -1100,
        "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[\\.A-Z\\:/a-z0-9_-]{1,36}$'.",
    ),
    ({"newOrderRespType": "LONG"}, -1130, "Data sent for parameter 'newOrderRespType' is not valid."),
    ({"selfTradePreventionMode": "X"}, -1130, "Data sent for parameter 'selfTradePreventionMode' is not valid."),
    ({"price": "0"}, -1013, "Invalid price."),
    ({"quantity": "0"}, -1013, "Invalid quantity."),
    ({"price": "40000.001"}, -1013, "Filter failure: PRICE_FILTER"),
    ({"price": "1000000.01"}, -1013, "Filter failure: PRICE_FILTER"),
    ({"type": "STOP_LOSS", "side": "SELL", "stopPrice": "1.001"}, -1013, "Filter failure: PRICE_FILTER"),
    ({"quantity": "0.000015"}, -1013, "Filter failure: LOT_SIZE"),
    ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
    ({"quantity": "9001", "price": "1"}, -1013, "Filter failure: LOT_SIZE"),
    ({"type": "MARKET", "quantity": "9001"}, -1013, "Filter failure: MARKET_LOT_SIZE"),
    ({"quantity": "0.0001"}, -1013, "Filter failure: NOTIONAL"),
    ({"type": "MARKET", "quantity": None, "quoteOrderQty": "1"}, -1013, "Filter failure: NOTIONAL"),
    ({"icebergQty": "0.02"}, -2010, "IcebergQty exceeds QTY."),
    ({"icebergQty": "0.002", "timeInForce": "IOC"}, -1014, "Unsupported order combination."),
    ({"quantity": "2", "icebergQty": "0.00001", "price": "10"}, -1013, "Filter failure: ICEBERG_PARTS"),
    ({"quantity": "30"}, -2010, "Account has insufficient balance for requested action."),
    ({"side": "SELL", "quantity": "101"}, -2010, "Account has insufficient balance for requested action."),
    (
        {"type": "MARKET", "quantity": None, "quoteOrderQty": "10"},
        -2010,
        "Order book liquidity is less than symbol minimum quantity.",
    ),
]


@pytest.mark.parametrize(("params", "code", "text"), BAD_ORDERS, ids=[str(row[0]) for row in BAD_ORDERS])
def test_a_bad_order_is_refused_in_words_and_leaves_no_trace(
    rig: SpotRig, params: dict[str, object], code: int, text: str
) -> None:
    assert rig.refused_order(**params) == (code, text)
    assert rig.heard == []
    assert rig.rows("GET", "/api/v3/allOrders", symbol=BTC) == []


def test_a_test_order_is_judged_but_not_entered(rig: SpotRig) -> None:
    wish = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "40000", "timeInForce": "GTC"}
    assert rig.row("POST", "/api/v3/order/test", **wish) == {}
    rates = rig.row("POST", "/api/v3/order/test", computeCommissionRates="true", **wish)
    assert list(rates) == [
        "standardCommissionForOrder",
        "specialCommissionForOrder",
        "taxCommissionForOrder",
        "discount",
    ]
    refusal = rig.refusal("POST", "/api/v3/order/test", **(wish | {"quantity": "0.0001"}))
    assert refusal == (-1013, "Filter failure: NOTIONAL")
    assert rig.heard == []
    assert rig.rows("GET", "/api/v3/openOrders") == []


def test_a_client_id_is_free_again_when_its_order_has_ended(rig: SpotRig) -> None:
    rig.order(newClientOrderId="mine")
    assert rig.refused_order(newClientOrderId="mine") == (-2010, "Duplicate order sent.")
    rig.rows("DELETE", "/api/v3/openOrders", symbol=BTC)
    assert rig.order(newClientOrderId="mine")["orderId"] == 2


def test_a_name_given_by_an_amendment_is_taken_too(rig: SpotRig) -> None:
    rig.order(newClientOrderId="mine")
    rig.row("PUT", "/api/v3/order/amend/keepPriority", symbol=BTC, orderId=1, newQty="0.006", newClientOrderId="less")
    assert rig.refused_order(newClientOrderId="less") == (-2010, "Duplicate order sent.")
    rig.rows("DELETE", "/api/v3/openOrders", symbol=BTC)
    assert rig.order(newClientOrderId="less")["orderId"] == 2
    assert rig.row("GET", "/api/v3/order", symbol=BTC, origClientOrderId="less")["orderId"] == 2


def test_open_orders_and_waiting_orders_are_limited(rig: SpotRig) -> None:
    rig.trade_at("40000")
    stop = {"type": "STOP_LOSS", "side": "SELL", "stopPrice": "30000", "quantity": "0.001"}
    for _ in range(200):
        rig.order(**stop)
    assert rig.refused_order(**stop) == (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS")
    assert rig.refused_order() == (-1013, "Filter failure: MAX_NUM_ORDERS")


def test_a_market_that_is_halted_is_closed(rig: SpotRig) -> None:
    rig.venue.execute(SetTradingState(rig.now_ns, "BTCUSDT.BINANCE", TradingState.HALTED))
    assert rig.refused_order() == (-1013, "Market is closed.")


def test_a_key_that_may_not_trade_may_still_look(rig: SpotRig) -> None:
    rig.order()
    rig.side.keys["key-alice"] = ApiKey("key-alice", "alice", can_trade=False)
    denied = (-2015, "Invalid API-key, IP, or permissions for action.")
    assert rig.refused_order() == denied
    assert rig.refusal("DELETE", "/api/v3/order", symbol=BTC, orderId=1) == denied
    assert len(rig.rows("GET", "/api/v3/openOrders")) == 1
    assert rig.row("GET", "/api/v3/account")["canTrade"] is False


def test_neither_name_of_an_order_is_refused_and_both_must_fit(rig: SpotRig) -> None:
    rig.order(newClientOrderId="mine")
    text = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
    assert rig.refusal("GET", "/api/v3/order", symbol=BTC) == (-1102, text)
    missing = (-2013, "Order does not exist.")
    assert rig.refusal("GET", "/api/v3/order", symbol=BTC, orderId=1, origClientOrderId="other") == missing
    assert rig.refusal("GET", "/api/v3/order", symbol="ETHUSDT", orderId=1) == missing
    assert rig.refusal("GET", "/api/v3/order", "bob", symbol=BTC, orderId=1) == missing
    assert rig.refusal("GET", "/api/v3/order", symbol=BTC, orderId="x")[0] == -1100
    assert rig.row("GET", "/api/v3/order", symbol=BTC, orderId=1, origClientOrderId="mine")["orderId"] == 1


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/api/v3/openOrderList", []),
        ("GET", "/api/v3/allOrderList", []),
        ("GET", "/sapi/v1/margin/allPairs", []),
        ("GET", "/sapi/v1/margin/isolated/allPairs", []),
        ("POST", "/api/v3/order/oco", (-2010, "OCO orders are not supported for this symbol")),
        ("POST", "/api/v3/orderList/oto", (-2010, "OTO orders are not supported for this symbol")),
        ("GET", "/sapi/v1/margin/account", (-3003, "Margin account does not exist.")),
    ],
)
def test_what_this_venue_does_not_have(rig: SpotRig, method: str, path: str, answer: object) -> None:
    told = rig.call(method, path) if answer == [] else rig.refusal(method, path)
    assert told == answer


@pytest.mark.parametrize("code", [code for code in ResultCode if code is not ResultCode.OK])
def test_every_refusal_of_the_venue_has_a_code_and_a_text(code: ResultCode) -> None:
    error = refused(CommandResult(code))
    assert error.code < -1000
    assert error.msg


def test_stocks_and_perpetuals_are_no_symbols_of_the_spot_exchange(rig: SpotRig) -> None:
    assert rig.side.product is Product.SPOT
    assert rig.refused_order(symbol="AAPL") == (-1121, "Invalid symbol.")
