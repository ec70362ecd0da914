"""Spot orders through their rows: what is answered, what becomes of them, and what both sides hear."""

from decimal import Decimal

import pytest

from foxtrot.domain.fees import FeeSchedule
from foxtrot.exchange.wire.binance.api_error import ApiError
from tests.support.spot_rig import BTC, START_NS, SpotRig

MS = START_NS // 1_000_000


@pytest.fixture
def rig() -> SpotRig:
    return SpotRig()


def test_a_resting_limit_order_is_answered_in_full(rig: SpotRig) -> None:
    assert rig.order(newClientOrderId="mine") == {
        "symbol": BTC,
        "orderId": 1,
        "orderListId": -1,
        "clientOrderId": "mine",
        "transactTime": MS + 1,
        "price": "40000.00000000",
        "origQty": "0.01000000",
        "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "workingTime": MS + 1,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "fills": [],
    }
    assert rig.balance("alice", "USDT") == ("999600.00000000", "400.00000000")


def test_ack_and_result_leave_out_what_was_not_asked_for(rig: SpotRig) -> None:
    ack = rig.order(newOrderRespType="ACK")
    assert list(ack) == ["symbol", "orderId", "orderListId", "clientOrderId", "transactTime"]
    assert "fills" not in rig.order(newOrderRespType="RESULT")
    assert "status" not in rig.order(type="LIMIT_MAKER", price="30000")


def test_names_are_made_for_those_who_send_none(rig: SpotRig) -> None:
    names = {str(rig.order()["clientOrderId"]) for _ in range(3)}
    assert len(names) == 3
    assert all(len(name) == 22 for name in names)


def test_a_taker_gets_its_fills_with_the_answer_and_the_maker_is_told_that_it_made(rig: SpotRig) -> None:
    rig.order("bob", side="SELL", quantity="0.004", newClientOrderId="rest")
    rig.order("bob", side="SELL", price="40001", quantity="0.004")
    rig.heard.clear()
    answer = rig.order(price="40001", quantity="0.01")
    assert (answer["status"], answer["executedQty"], answer["cummulativeQuoteQty"]) == (
        "PARTIALLY_FILLED", "0.00800000", "320.00400000",
    )  # fmt: skip
    assert answer["fills"] == [
        {
            "price": "40000.00000000",
            "qty": "0.00400000",
            "commission": "0.00000000",
            "commissionAsset": "USDT",
            "tradeId": 1,
        },
        {
            "price": "40001.00000000",
            "qty": "0.00400000",
            "commission": "0.00000000",
            "commissionAsset": "USDT",
            "tradeId": 2,
        },
    ]
    maker = rig.told("bob")[0]
    assert (maker["x"], maker["X"], maker["m"], maker["t"], maker["c"]) == ("TRADE", "FILLED", True, 1, "rest")
    assert [row["x"] for row in rig.told("alice")] == ["NEW", "TRADE", "TRADE"]
    assert [row["isMaker"] for row in rig.rows("GET", "/api/v3/myTrades", "bob", symbol=BTC)] == [True, True]


def test_every_report_has_its_fields_and_balances_follow_the_reports(rig: SpotRig) -> None:
    rig.order("bob", side="SELL", quantity="0.004")
    rig.heard.clear()
    rig.order(newClientOrderId="mine")
    kinds = [payload["e"] for name, payload in rig.heard if name == "alice"]
    assert kinds == ["executionReport", "executionReport", "outboundAccountPosition"]
    new, trade = rig.told("alice")
    assert new == {
        "e": "executionReport", "E": MS + 2, "s": BTC, "c": "mine", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.01000000",
        "p": "40000.00000000", "P": "0.00000000", "F": "0.00000000", "g": -1, "C": "", "x": "NEW", "X": "NEW", "r": "NONE",
        "i": 2, "z": "0.00000000", "T": MS + 2, "I": new["I"], "w": True, "O": MS + 2, "Z": "0.00000000", "Q": "0.00000000",
        "V": "EXPIRE_MAKER", "W": MS + 2, "l": "0.00000000", "L": "0.00000000", "n": "0", "N": None, "t": -1, "m": False,
        "M": False, "Y": "0.00000000",
    }  # fmt: skip
    assert (trade["X"], trade["l"], trade["L"], trade["z"], trade["Z"]) == (
        "PARTIALLY_FILLED", "0.00400000", "40000.00000000", "0.00400000", "160.00000000",
    )  # fmt: skip
    assert int(str(trade["I"])) > int(str(new["I"]))
    position = rig.told("alice", "outboundAccountPosition")[0]
    assert position["B"] == [
        {"a": "USDT", "f": "999600.00000000", "l": "240.00000000"},
        {"a": "BTC", "f": "100.00400000", "l": "0.00000000"},
    ]


def test_commission_is_taken_from_what_is_received(rig: SpotRig) -> None:
    rig = SpotRig(FeeSchedule.percentage(Decimal("0.001"), Decimal("0.001")))
    rig.order("bob", side="SELL")
    fills = rig.order()["fills"]
    assert isinstance(fills, list)
    assert (fills[0]["commission"], fills[0]["commissionAsset"]) == ("0.00001000", "BTC")
    assert rig.told("alice")[1]["N"] == "BTC"
    assert rig.balance("alice", "BTC") == ("100.00999000", "0.00000000")
    assert rig.balance("bob", "USDT") == ("1000399.60000000", "0.00000000")


@pytest.mark.parametrize(
    ("time_in_force", "status", "executed", "reason"),
    [
        ("IOC", "EXPIRED", "0.00400000", "UNFILLED_IOC_QUANTITY_EXPIRED"),
        ("FOK", "EXPIRED", "0.00000000", "UNFILLED_FOK_ORDER_EXPIRED"),
    ],
)
def test_what_may_not_rest_expires(rig: SpotRig, time_in_force: str, status: str, executed: str, reason: str) -> None:
    rig.order("bob", side="SELL", quantity="0.004")
    rig.heard.clear()
    answer = rig.order(timeInForce=time_in_force)
    assert (answer["status"], answer["executedQty"]) == (status, executed)
    last = rig.told("alice")[-1]
    assert (last["x"], last["X"], last["eR"], last["w"]) == ("EXPIRED", "EXPIRED", reason, False)
    assert rig.row("GET", "/api/v3/order", symbol=BTC, orderId=answer["orderId"])["status"] == "EXPIRED"


def test_a_market_order_that_finds_nobody_expires(rig: SpotRig) -> None:
    assert rig.order(type="MARKET")["status"] == "EXPIRED"
    assert rig.told("alice")[-1]["eR"] == "INSUFFICIENT_LIQUIDITY"


def test_a_fill_or_kill_order_that_can_be_filled_is(rig: SpotRig) -> None:
    rig.order("bob", side="SELL")
    assert rig.order(timeInForce="FOK")["status"] == "FILLED"


def test_a_market_order_for_money_buys_whole_lots_for_at_most_that(rig: SpotRig) -> None:
    rig.order("bob", side="SELL", quantity="0.001")
    rig.order("bob", side="SELL", price="41000", quantity="0.1")
    answer = rig.order(type="MARKET", quantity=None, quoteOrderQty="100")
    assert (answer["executedQty"], answer["cummulativeQuoteQty"]) == ("0.00246000", "99.86000000")
    assert (answer["origQuoteOrderQty"], answer["status"]) == ("100.00000000", "FILLED")


def test_money_that_the_book_cannot_take_is_left(rig: SpotRig) -> None:
    rig.order("bob", side="SELL", quantity="0.001")
    answer = rig.order(type="MARKET", quantity=None, quoteOrderQty="100")
    assert (answer["executedQty"], answer["status"]) == ("0.00100000", "EXPIRED")


def test_a_post_only_order_rests_or_is_refused(rig: SpotRig) -> None:
    rig.order("bob", side="SELL")
    assert rig.refused_order(type="LIMIT_MAKER", price="40000") == (-2010, "Order would immediately match and take.")
    assert rig.order(type="LIMIT_MAKER", price="39999", newOrderRespType="RESULT")["type"] == "LIMIT_MAKER"


def test_an_iceberg_shows_a_part(rig: SpotRig) -> None:
    answer = rig.order(icebergQty="0.002")
    assert answer["icebergQty"] == "0.00200000"
    assert rig.told("alice")[0]["F"] == "0.00200000"
    assert rig.venue.depth("BTCUSDT.BINANCE")[1] == ((4_000_000, 200_000),)


def test_a_stop_waits_and_the_same_order_works_when_it_is_triggered(rig: SpotRig) -> None:
    rig.trade_at("40000")
    placed = rig.order(
        type="STOP_LOSS_LIMIT",
        side="SELL",
        stopPrice="39000",
        price="38900",
        timeInForce="GTC",
        newOrderRespType="FULL",
    )
    assert (placed["status"], placed["workingTime"], placed["stopPrice"]) == ("NEW", -1, "39000.00000000")
    asked = rig.row("GET", "/api/v3/order", symbol=BTC, orderId=placed["orderId"])
    assert (asked["status"], asked["isWorking"]) == ("NEW", False)
    new = rig.told("alice")[0]
    assert (new["w"], new["P"], new["o"]) == (False, "39000.00000000", "STOP_LOSS_LIMIT")
    assert "W" not in new
    rig.order("bob", price="38950", quantity="0.001")
    rig.order("bob", side="SELL", price="38950", quantity="0.001", selfTradePreventionMode="NONE")
    asked = rig.row("GET", "/api/v3/order", symbol=BTC, orderId=placed["orderId"])
    assert (asked["status"], asked["isWorking"]) == ("NEW", True)
    assert [(row["x"], row["w"]) for row in rig.told("alice")] == [("NEW", False), ("NEW", True)]


@pytest.mark.parametrize(
    ("order_type", "side", "stop"),
    [
        ("STOP_LOSS", "SELL", "40001"),
        ("STOP_LOSS", "SELL", "40000"),
        ("STOP_LOSS", "BUY", "40000"),
        ("STOP_LOSS", "BUY", "39999"),
        ("TAKE_PROFIT", "SELL", "39999"),
        ("TAKE_PROFIT", "BUY", "40001"),
    ],
)
def test_a_stop_that_the_last_price_has_reached_is_refused(rig: SpotRig, order_type: str, side: str, stop: str) -> None:
    rig.trade_at("40000")
    expected = (-2010, "Stop price would trigger immediately.")
    assert rig.refused_order(type=order_type, side=side, stopPrice=stop) == expected


def test_a_trailing_stop_follows_at_its_distance(rig: SpotRig) -> None:
    rig.trade_at("40000")
    placed = rig.order(type="STOP_LOSS", side="SELL", trailingDelta=100, newOrderRespType="RESULT")
    assert (placed["type"], placed["trailingDelta"], placed["stopPrice"]) == ("STOP_LOSS", 100, "39600.00000000")
    assert rig.told("alice")[0]["d"] == 100
    assert rig.refused_order(type="STOP_LOSS", side="SELL", trailingDelta=5) == (
        -1013,
        "Filter failure: TRAILING_DELTA",
    )


@pytest.mark.parametrize(
    ("mode", "old", "new"),
    [
        ("EXPIRE_MAKER", "EXPIRED_IN_MATCH", "NEW"),
        ("EXPIRE_TAKER", "NEW", "EXPIRED_IN_MATCH"),
        ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
    ],
)
def test_own_orders_do_not_trade_with_each_other(rig: SpotRig, mode: str, old: str, new: str) -> None:
    resting = rig.order()
    answer = rig.order(side="SELL", selfTradePreventionMode=mode)
    assert (answer["status"], answer["selfTradePreventionMode"]) == (new, mode)
    assert rig.row("GET", "/api/v3/order", symbol=BTC, orderId=resting["orderId"])["status"] == old
    ended = [row for row in rig.told("alice") if row["x"] == "TRADE_PREVENTION"]
    assert {row["X"] for row in ended} == {"EXPIRED_IN_MATCH"}


def test_decremented_orders_keep_what_was_asked_and_tell_what_was_prevented(rig: SpotRig) -> None:
    rig.order(quantity="0.004")
    answer = rig.order(side="SELL", selfTradePreventionMode="DECREMENT")
    assert (answer["origQty"], answer["preventedQuantity"], answer["status"]) == ("0.01000000", "0.00400000", "NEW")
    assert [(r["x"], r["X"]) for r in rig.told("alice")[2:]] == [
        ("TRADE_PREVENTION", "EXPIRED_IN_MATCH"), ("TRADE_PREVENTION", "NEW"),
    ]  # fmt: skip


def test_a_cancel_has_a_name_of_its_own(rig: SpotRig) -> None:
    placed = rig.order(newClientOrderId="mine")
    rig.heard.clear()
    answer = rig.row("DELETE", "/api/v3/order", symbol=BTC, origClientOrderId="mine", newClientOrderId="gone")
    assert (answer["status"], answer["origClientOrderId"], answer["clientOrderId"]) == ("CANCELED", "mine", "gone")
    report = rig.told("alice")[0]
    assert (report["x"], report["X"], report["C"], report["c"]) == ("CANCELED", "CANCELED", "mine", "gone")
    unknown = (-2011, "Unknown order sent.")
    assert rig.refusal("DELETE", "/api/v3/order", symbol=BTC, orderId=placed["orderId"]) == unknown
    assert rig.balance("alice", "USDT") == ("1000000.00000000", "0.00000000")


def test_a_cancel_may_be_restricted_by_status(rig: SpotRig) -> None:
    placed = rig.order()
    wanted = {"symbol": BTC, "orderId": placed["orderId"]}
    refusal = rig.refusal("DELETE", "/api/v3/order", cancelRestrictions="ONLY_PARTIALLY_FILLED", **wanted)
    assert refusal == (-2011, "Order was not canceled due to cancel restrictions.")
    assert rig.refusal("DELETE", "/api/v3/order", cancelRestrictions="X", **wanted)[0] == -1145
    assert rig.row("DELETE", "/api/v3/order", cancelRestrictions="ONLY_NEW", **wanted)["status"] == "CANCELED"


def test_all_orders_of_a_symbol_are_cancelled_and_none_is_an_error(rig: SpotRig) -> None:
    rig.order()
    rig.order(price="39000")
    assert [row["status"] for row in rig.rows("DELETE", "/api/v3/openOrders", symbol=BTC)] == ["CANCELED", "CANCELED"]
    assert len(rig.told("alice", "outboundAccountPosition")) == 3
    assert rig.refusal("DELETE", "/api/v3/openOrders", symbol=BTC) == (-2011, "Unknown order sent.")


REPLACE = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "price": "41000", "quantity": "2", "timeInForce": "GTC"}


def test_an_order_is_replaced_by_a_new_one(rig: SpotRig) -> None:
    old = rig.order()
    answer = rig.row(
        "POST",
        "/api/v3/order/cancelReplace",
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=old["orderId"],
        **REPLACE,
    )
    assert (answer["cancelResult"], answer["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    cancel, new = answer["cancelResponse"], answer["newOrderResponse"]
    assert isinstance(cancel, dict)
    assert isinstance(new, dict)
    assert (cancel["status"], new["status"], new["orderId"]) == ("CANCELED", "NEW", 2)
    assert [row["x"] for row in rig.told("alice")] == ["NEW", "CANCELED", "NEW"]


@pytest.mark.parametrize(
    ("mode", "cancel_id", "price", "expected"),
    [
        ("STOP_ON_FAILURE", 99, "41000", (400, -2022, "FAILURE", "NOT_ATTEMPTED")),
        ("ALLOW_FAILURE", 99, "41000", (409, -2021, "FAILURE", "SUCCESS")),
        ("STOP_ON_FAILURE", 1, "900000", (409, -2021, "SUCCESS", "FAILURE")),
        ("ALLOW_FAILURE", 99, "900000", (400, -2022, "FAILURE", "FAILURE")),
    ],
)
def test_a_half_done_replacement_tells_both_halves(
    rig: SpotRig, mode: str, cancel_id: int, price: str, expected: tuple[int, int, str, str]
) -> None:
    rig.order()
    wish = REPLACE | {"price": price, "cancelReplaceMode": mode, "cancelOrderId": cancel_id}
    with pytest.raises(ApiError) as caught:
        rig.row("POST", "/api/v3/order/cancelReplace", **wish)
    error = caught.value
    assert isinstance(error.data, dict)
    told = (error.status, error.code, error.data["cancelResult"], error.data["newOrderResult"])
    assert told == expected
    responses = {"cancelResult": "cancelResponse", "newOrderResult": "newOrderResponse"}
    codes = {"cancelResult": -2011, "newOrderResult": -2010}
    for result, response in responses.items():
        if error.data[result] == "FAILURE":
            assert error.data[response]["code"] == codes[result]


def test_a_replacement_that_fails_a_filter_does_nothing(rig: SpotRig) -> None:
    rig.order()
    wish = REPLACE | {"price": "41000.001", "cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": 1}
    refusal = rig.refusal("POST", "/api/v3/order/cancelReplace", **wish)
    assert refusal == (-1013, "Filter failure: PRICE_FILTER")
    assert len(rig.rows("GET", "/api/v3/openOrders")) == 1


def test_an_amended_order_keeps_its_place_and_gets_a_new_name(rig: SpotRig) -> None:
    rig.order(newClientOrderId="mine")
    rig.heard.clear()
    answer = rig.row(
        "PUT", "/api/v3/order/amend/keepPriority", symbol=BTC, orderId=1, newQty="0.006", newClientOrderId="less"
    )
    amended = answer["amendedOrder"]
    assert isinstance(amended, dict)
    assert (amended["origClientOrderId"], amended["clientOrderId"], amended["qty"]) == ("mine", "less", "0.00600000")
    report = rig.told("alice")[0]
    assert (report["x"], report["X"], report["C"], report["c"], report["q"]) == (
        "REPLACED",
        "NEW",
        "mine",
        "less",
        "0.00600000",
    )
    assert report["I"] == answer["executionId"]
    assert rig.row("GET", "/api/v3/order", symbol=BTC, origClientOrderId="less")["origQty"] == "0.00600000"
    assert rig.refusal("GET", "/api/v3/order", symbol=BTC, origClientOrderId="mine")[0] == -2013
    more = rig.refusal("PUT", "/api/v3/order/amend/keepPriority", symbol=BTC, orderId=1, newQty="0.02")
    assert more == (-2038, "Order amend (quantity increase) is not supported.")


def test_money_adds_up_over_a_life(rig: SpotRig) -> None:
    rig = SpotRig(FeeSchedule.percentage(Decimal("0.0001"), Decimal("0.001")))
    rig.order("bob", side="SELL", quantity="0.01")
    rig.order(price="40100", quantity="0.004")
    rig.order(type="MARKET", quantity="0.003")
    rig.rows("DELETE", "/api/v3/openOrders", "bob", symbol=BTC)
    rig.venue.validate()
    assert rig.balance("bob", "BTC") == ("99.99300000", "0.00000000")
    assert rig.balance("bob", "USDT") == ("1000279.97200000", "0.00000000")
    assert rig.balance("alice", "USDT") == ("999720.00000000", "0.00000000")
    assert rig.balance("alice", "BTC") == ("100.00699300", "0.00000000")
