"""USD-M conditional orders: their own ids and events, when they fire, and the ordinary order that comes of it."""

import pytest

from foxtrot.domain.enums import Side
from tests.support.usdm_rig import START_NS, UsdmRig

START_MS = START_NS // 1_000_000
SYMBOL = {"symbol": "BTCUSDT"}
FIRST = 2_000_000_000_001


@pytest.fixture
def rig() -> UsdmRig:
    """Alice is long 0.010 at 50,000; the maker bids 48,000 and 40,000 for plenty."""
    rig = UsdmRig()
    rig.hold("BUY", 10, 500_000)
    rig.quote(Side.BUY, 100, 480_000)
    rig.quote(Side.BUY, 1000, 400_000)
    return rig


def told(rig: UsdmRig) -> list[tuple[str, str]]:
    return [(event["o"]["X"], event["o"]["ai"]) for event in rig.events("ALGO_UPDATE")]


def algo_refusal(rig: UsdmRig, **terms: object) -> tuple[int, str]:
    usual = {"algoType": "CONDITIONAL", "side": "SELL", "type": "STOP_MARKET", "triggerPrice": "45000"}
    sent = {**SYMBOL, **usual, "quantity": "0.010", **terms}
    return rig.refusal("POST", "v1/algoOrder", **{k: v for k, v in sent.items() if v is not None})


def test_a_waiting_stop_is_answered_and_told_apart_from_orders(rig: UsdmRig) -> None:
    row = rig.algo(clientAlgoId="stop-1", reduceOnly="true")
    assert row == {
        "algoId": FIRST, "clientAlgoId": "stop-1", "algoType": "CONDITIONAL", "orderType": "STOP_MARKET",
        "symbol": "BTCUSDT", "side": "SELL", "positionSide": "BOTH", "timeInForce": "GTC", "quantity": "0.010",
        "algoStatus": "NEW", "triggerPrice": "45000.0", "price": "0.0", "icebergQuantity": None,
        "selfTradePreventionMode": "NONE", "workingType": "CONTRACT_PRICE", "priceMatch": "NONE",
        "closePosition": False, "priceProtect": False, "reduceOnly": True, "activatePrice": "", "callbackRate": "",
        "createTime": START_MS, "updateTime": START_MS, "triggerTime": 0, "goodTillDate": 0,
    }  # fmt: skip
    assert rig.call("GET", "v1/openOrders") == []
    assert rig.events() == [
        {"e": "ALGO_UPDATE", "T": START_MS, "E": START_MS, "o": {
            "caid": "stop-1", "aid": FIRST, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT", "S": "SELL",
            "ps": "BOTH", "f": "GTC", "q": "0.010", "X": "NEW", "ai": "", "ap": "0.0", "aq": "0.000", "act": "0",
            "tp": "45000.0", "p": "0.0", "V": "NONE", "wt": "CONTRACT_PRICE", "pm": "NONE", "cp": False, "pP": False,
            "R": True, "tt": 0, "gtd": 0, "rm": ""}},
    ]  # fmt: skip


def test_a_stop_that_fires_becomes_an_ordinary_order_and_ends_with_it(rig: UsdmRig) -> None:
    rig.algo(clientAlgoId="stop-1", triggerPrice="49000", reduceOnly="true")
    rig.trade_at(490_001)
    assert told(rig) == [("NEW", "")]
    rig.told.clear()
    rig.now_ns += 1_000_000
    rig.trade_at(490_000)
    assert rig.kinds() == [
        "ALGO_UPDATE", "ALGO_UPDATE", "ORDER_TRADE_UPDATE:NEW", "TRADE_LITE", "ACCOUNT_UPDATE",
        "ORDER_TRADE_UPDATE:TRADE", "ALGO_UPDATE",
    ]  # fmt: skip
    order_id = rig.events("ORDER_TRADE_UPDATE")[0]["o"]["i"]
    assert told(rig) == [("TRIGGERING", ""), ("TRIGGERED", str(order_id)), ("FINISHED", str(order_id))]
    last = rig.events("ALGO_UPDATE")[-1]["o"]
    assert (last["ap"], last["aq"], last["tt"], last["act"]) == ("48000.0", "0.010", START_MS + 1, "MARKET")
    traded = rig.events("ORDER_TRADE_UPDATE")[-1]["o"]
    assert (traded["c"], traded["o"], traded["si"], traded["R"]) == ("stop-1", "MARKET", FIRST, True)
    row = rig.call("GET", "v1/algoOrder", algoId=FIRST)
    assert (row["algoStatus"], row["actualOrderId"], row["actualPrice"]) == ("FINISHED", str(order_id), "48000.0")
    assert rig.call("GET", "v1/openAlgoOrders") == []
    assert rig.refusal("DELETE", "v1/algoOrder", algoId=FIRST) == (-2011, "Unknown order sent.")


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "quiet", "fires"),
    [
        ("SELL", "STOP_MARKET", "49000", 490_001, 490_000),
        ("BUY", "STOP_MARKET", "51000", 509_999, 510_000),
        ("SELL", "TAKE_PROFIT_MARKET", "51000", 509_999, 510_000),
        ("BUY", "TAKE_PROFIT_MARKET", "49000", 490_001, 490_000),
    ],
)
def test_stops_and_profits_fire_on_their_side(
    rig: UsdmRig, side: str, kind: str, trigger: str, quiet: int, fires: int
) -> None:
    rig.algo(side=side, type=kind, triggerPrice=trigger)
    rig.trade_at(quiet)
    assert [row["algoStatus"] for row in rig.call("GET", "v1/openAlgoOrders")] == ["NEW"]
    rig.trade_at(fires)
    assert rig.call("GET", "v1/openAlgoOrders") == []


def test_what_would_fire_at_once_is_refused(rig: UsdmRig) -> None:
    for terms in (
        {"triggerPrice": "50000"},
        {"side": "BUY", "triggerPrice": "49999"},
        {"type": "TAKE_PROFIT_MARKET", "triggerPrice": "50000"},
        {"type": "TRAILING_STOP_MARKET", "callbackRate": "1", "activatePrice": "49000", "triggerPrice": None},
    ):
        assert algo_refusal(rig, **terms) == (-2021, "Order would immediately trigger.")


def test_a_stop_limit_rests_at_its_price(rig: UsdmRig) -> None:
    rig.algo(type="STOP", triggerPrice="49000", price="49500")
    rig.trade_at(490_000)
    (row,) = rig.call("GET", "v1/openOrders")
    assert (row["type"], row["price"], row["status"]) == ("LIMIT", "49500.0", "NEW")
    assert told(rig)[-1] == ("TRIGGERED", str(row["orderId"]))
    assert rig.events("ALGO_UPDATE")[-1]["o"]["act"] == "LIMIT"
    rig.call("DELETE", "v1/order", **SYMBOL, orderId=row["orderId"])
    assert told(rig)[-1][0] == "FINISHED"
    assert rig.events("ALGO_UPDATE")[-1]["o"]["aq"] == "0.000"


def test_a_trailing_stop_follows_and_waits_for_its_activation(rig: UsdmRig) -> None:
    rig.algo(type="TRAILING_STOP_MARKET", callbackRate="1", triggerPrice=None)
    rig.algo(type="TRAILING_STOP_MARKET", callbackRate="1", triggerPrice=None, activatePrice="52000")
    for price in (510_000, 504_901):
        rig.trade_at(price)
    assert len(rig.call("GET", "v1/openAlgoOrders")) == 2
    rig.trade_at(504_900)
    assert [row["activatePrice"] for row in rig.call("GET", "v1/openAlgoOrders")] == ["52000.0"]
    rig.trade_at(520_000)
    rig.trade_at(514_800)
    assert rig.call("GET", "v1/openAlgoOrders") == []


def test_a_buying_trail_follows_down(rig: UsdmRig) -> None:
    rig.algo(side="BUY", type="TRAILING_STOP_MARKET", callbackRate="2", triggerPrice=None)
    rig.trade_at(490_000)
    rig.trade_at(499_799)
    assert len(rig.call("GET", "v1/openAlgoOrders")) == 1
    rig.trade_at(499_800)
    assert rig.call("GET", "v1/openAlgoOrders") == []


def test_the_mark_price_can_be_watched_instead_of_trades(rig: UsdmRig) -> None:
    rig.mark(500_000)
    rig.algo(workingType="MARK_PRICE", triggerPrice="49000")
    rig.trade_at(480_100)
    assert len(rig.call("GET", "v1/openAlgoOrders")) == 1
    rig.mark(490_000)
    assert rig.call("GET", "v1/openAlgoOrders") == []


def test_a_trade_is_the_mark_price_while_none_was_set(rig: UsdmRig) -> None:
    rig.algo(workingType="MARK_PRICE", triggerPrice="49000")
    rig.trade_at(480_100)
    assert rig.call("GET", "v1/openAlgoOrders") == []


def test_closing_the_position_takes_whatever_is_held_then(rig: UsdmRig) -> None:
    rig.algo(closePosition="true", triggerPrice="49000", quantity=None)
    rig.quote(Side.SELL, 5, 500_000)
    rig.order("BUY", "0.005", None)
    rig.trade_at(490_000)
    last = rig.events("ORDER_TRADE_UPDATE")[-1]["o"]
    assert (last["z"], last["cp"], last["X"]) == ("0.015", True, "FILLED")
    assert rig.call("GET", "v3/positionRisk") == []
    rig.algo(type="TAKE_PROFIT_MARKET", closePosition="true", triggerPrice="49000", quantity=None)
    rig.trade_at(490_000)
    assert told(rig)[-1] == ("EXPIRED", "")


def test_faults_of_conditional_orders_have_their_texts(rig: UsdmRig) -> None:
    for terms, code in (
        ({"algoType": "VP"}, -1102),
        ({"type": "LIMIT"}, -1116),
        ({"triggerPrice": None}, -1102),
        ({"triggerPrice": "0"}, -4006),
        ({"quantity": None}, -1102),
        ({"quantity": "5000"}, -4005),
        ({"type": "STOP"}, -1102),
        ({"workingType": "LAST"}, -4031),
        ({"timeInForce": "DAY"}, -1115),
        ({"type": "TRAILING_STOP_MARKET", "triggerPrice": None}, -1102),
        ({"type": "TRAILING_STOP_MARKET", "triggerPrice": None, "callbackRate": "11"}, -2007),
        ({"type": "STOP", "price": "1", "closePosition": "true", "quantity": None}, -4136),
        ({"closePosition": "true"}, -4137),
        ({"closePosition": "true", "quantity": None, "reduceOnly": "true"}, -1106),
        ({"timeInForce": "GTD", "goodTillDate": START_MS}, -5040),
        ({"positionSide": "LONG"}, -4061),
    ):
        assert algo_refusal(rig, **terms)[0] == code, terms
    assert rig.events() == []


def test_one_closing_order_a_direction_and_one_client_id(rig: UsdmRig) -> None:
    rig.algo(closePosition="true", quantity=None, clientAlgoId="same")
    assert algo_refusal(rig, closePosition="true", quantity=None, triggerPrice="44000")[0] == -4130
    assert algo_refusal(rig, clientAlgoId="same") == (-4116, "ClientOrderId is duplicated.")
    rig.algo(type="TAKE_PROFIT_MARKET", closePosition="true", quantity=None, triggerPrice="60000")


def test_conditional_orders_are_found_and_cancelled_by_either_id(rig: UsdmRig) -> None:
    rig.algo(clientAlgoId="one")
    rig.algo(clientAlgoId="two")
    rig.algo(clientAlgoId="eth", symbol="ETHUSDT", triggerPrice="1000")
    assert rig.call("GET", "v1/algoOrder", clientAlgoId="two")["algoId"] == FIRST + 1
    done = rig.call("DELETE", "v1/algoOrder", clientAlgoId="one")
    assert done == {"algoId": FIRST, "clientAlgoId": "one", "code": "200", "msg": "success"}
    assert rig.events()[-1]["o"]["X"] == "CANCELED"
    assert rig.refusal("DELETE", "v1/algoOrder", algoId=FIRST) == (-2011, "Unknown order sent.")
    assert rig.refusal("GET", "v1/algoOrder", algoId=9) == (-2013, "Order does not exist.")
    assert rig.refusal("GET", "v1/algoOrder")[0] == -1102
    assert [row["clientAlgoId"] for row in rig.call("GET", "v1/openAlgoOrders", **SYMBOL)] == ["two"]
    assert [row["clientAlgoId"] for row in rig.call("GET", "v1/openAlgoOrders")] == ["two", "eth"]
    statuses = [row["algoStatus"] for row in rig.call("GET", "v1/allAlgoOrders", **SYMBOL)]
    assert statuses == ["CANCELED", "NEW"]
    assert rig.call("DELETE", "v1/algoOpenOrders", **SYMBOL)["code"] == 200
    assert [row["clientAlgoId"] for row in rig.call("GET", "v1/openAlgoOrders")] == ["eth"]


def test_an_order_that_the_venue_then_refuses_is_told_with_its_reason(rig: UsdmRig) -> None:
    rig.quote(Side.SELL, 900_000, 520_000)
    rig.algo(side="BUY", triggerPrice="51000", quantity="900")
    rig.trade_at(510_000)
    last = rig.events("ALGO_UPDATE")[-1]["o"]
    assert (last["X"], last["rm"], last["ai"]) == ("REJECTED", "Margin is insufficient.", "")


def test_a_conditional_order_ends_with_its_date(rig: UsdmRig) -> None:
    rig.algo(type="STOP", price="44000", timeInForce="GTD", goodTillDate=START_MS + 1000)
    rig.wait(1)
    assert told(rig)[-1][0] == "EXPIRED"
    assert rig.call("GET", "v1/openAlgoOrders") == []


def test_an_order_for_as_long_as_the_position_ends_with_it(rig: UsdmRig) -> None:
    rig.algo(timeInForce="GTE_GTC", closePosition="true", quantity=None)
    rig.algo()
    rig.order("SELL", "0.004", None)
    assert len(rig.call("GET", "v1/openAlgoOrders")) == 2
    rig.order("SELL", "0.006", None)
    assert [row["timeInForce"] for row in rig.call("GET", "v1/openAlgoOrders")] == ["GTC"]
    assert told(rig)[-1] == ("EXPIRED", "")
