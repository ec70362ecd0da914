"""Order lists (OCO) through their rows: what is answered, what both orders become, and what the customer hears."""

import pytest

from foxtrot.exchange.venue import Venue
from tests.support.spot_rig import BTC, START_NS, Row, SpotRig

MS = START_NS // 1_000_000
PLACE = ("POST", "/api/v3/orderList/oco")
SELL: Row = {
    "symbol": BTC, "side": "SELL", "quantity": "0.01", "listClientOrderId": "list",
    "aboveType": "LIMIT_MAKER", "abovePrice": "41000", "aboveClientOrderId": "profit",
    "belowType": "STOP_LOSS", "belowStopPrice": "39000", "belowClientOrderId": "stop",
}  # fmt: skip
BUY: Row = {
    "symbol": BTC, "side": "BUY", "quantity": "0.01", "aboveType": "STOP_LOSS_LIMIT", "aboveStopPrice": "41000",
    "abovePrice": "41500", "aboveTimeInForce": "GTC", "belowType": "LIMIT_MAKER", "belowPrice": "39000",
}  # fmt: skip


@pytest.fixture
def rig() -> SpotRig:
    rig = SpotRig()
    rig.trade_at("40000")
    return rig


def place(rig: SpotRig, terms: Row = SELL, **changes: object) -> Row:
    wanted = {name: value for name, value in (terms | changes).items() if value is not None}
    return rig.row(*PLACE, **wanted)


def refused(rig: SpotRig, terms: Row = SELL, **changes: object) -> tuple[int, str]:
    return rig.refusal(*PLACE, **(terms | changes))


def status(rig: SpotRig, name: str) -> object:
    return rig.row("GET", "/api/v3/order", symbol=BTC, origClientOrderId=name)["status"]


def lists_told(rig: SpotRig) -> list[tuple[object, object]]:
    return [(row["l"], row["L"]) for row in rig.told("alice", "listStatus")]


STARTED, DONE = ("EXEC_STARTED", "EXECUTING"), ("ALL_DONE", "ALL_DONE")


def test_a_list_is_answered_with_both_orders_and_told_after_their_reports(rig: SpotRig) -> None:
    answer = place(rig)
    number = answer["orderListId"]
    assert isinstance(number, int)
    orders = [
        {"symbol": BTC, "orderId": number + i, "clientOrderId": name} for i, name in enumerate(("stop", "profit"))
    ]
    now = MS + 3
    assert {name: value for name, value in answer.items() if name != "orderReports"} == {
        "orderListId": number, "contingencyType": "OCO", "listStatusType": "EXEC_STARTED", "listOrderStatus": "EXECUTING",
        "listClientOrderId": "list", "transactionTime": now, "symbol": BTC, "orders": orders,
    }  # fmt: skip
    reports = answer["orderReports"]
    assert isinstance(reports, list)
    told = [(row["type"], row["status"], row["orderListId"], row["workingTime"]) for row in reports]
    assert told == [("STOP_LOSS", "NEW", number, -1), ("LIMIT_MAKER", "NEW", number, now)]
    assert reports[0]["stopPrice"] == "39000.00000000"
    assert [name for name, _ in rig.heard] == ["alice"] * 4
    assert [row["e"] for _, row in rig.heard] == [
        "executionReport", "executionReport", "listStatus", "outboundAccountPosition",
    ]  # fmt: skip
    assert [(row["x"], row["g"], row["c"]) for row in rig.told("alice")] == [
        ("NEW", number, "stop"), ("NEW", number, "profit"),
    ]  # fmt: skip
    assert rig.told("alice", "listStatus") == [
        {
            "e": "listStatus", "E": now, "s": BTC, "g": number, "c": "OCO", "l": "EXEC_STARTED", "L": "EXECUTING", "r": "NONE",
            "C": "list", "T": now, "O": [{"s": BTC, "i": number, "c": "stop"}, {"s": BTC, "i": number + 1, "c": "profit"}],
        }
    ]  # fmt: skip
    assert rig.balance("alice", "BTC")[1] == "0.01000000"


def test_the_profit_leg_trades_and_the_stop_expires(rig: SpotRig) -> None:
    number = place(rig)["orderListId"]
    rig.heard.clear()
    rig.order("bob", price="41000", quantity="0.004")
    kinds = [(row["c"], row["x"], row["X"], row["g"]) for row in rig.told("alice")]
    assert kinds == [("stop", "EXPIRED", "EXPIRED", number), ("profit", "TRADE", "PARTIALLY_FILLED", number)]
    assert lists_told(rig) == []
    rig.order("bob", price="41000", quantity="0.006")
    assert lists_told(rig) == [DONE]
    assert (status(rig, "stop"), status(rig, "profit")) == ("EXPIRED", "FILLED")
    assert rig.balance("alice", "BTC")[1] == "0.00000000"
    assert rig.rows("GET", "/api/v3/myTrades", symbol=BTC)[-1]["orderListId"] == number


def test_the_stop_triggers_and_the_profit_leg_expires_first(rig: SpotRig) -> None:
    place(rig)
    rig.order("bob", price="38900", quantity="0.02")
    rig.heard.clear()
    rig.order("alice", side="SELL", price="38900", quantity="0.001")
    told = [(row["c"], row["x"]) for row in rig.told("alice") if row["c"] in ("stop", "profit")]
    assert told == [("profit", "EXPIRED"), ("stop", "NEW"), ("stop", "TRADE")]
    assert lists_told(rig) == [DONE]
    assert (status(rig, "stop"), status(rig, "profit")) == ("FILLED", "EXPIRED")


@pytest.mark.parametrize("name", ["stop", "profit"])
def test_cancelling_one_order_cancels_the_list_and_is_answered_as_a_list(rig: SpotRig, name: str) -> None:
    number = place(rig)["orderListId"]
    rig.heard.clear()
    answer = rig.row("DELETE", "/api/v3/order", symbol=BTC, origClientOrderId=name, newClientOrderId="away")
    assert (answer["orderListId"], answer["listOrderStatus"]) == (number, "ALL_DONE")
    reports = answer["orderReports"]
    assert isinstance(reports, list)
    assert [(row["origClientOrderId"], row["clientOrderId"], row["status"]) for row in reports] == [
        ("stop", "away", "CANCELED"), ("profit", "away", "CANCELED"),
    ]  # fmt: skip
    assert {(row["C"], row["x"]) for row in rig.told("alice")} == {("stop", "CANCELED"), ("profit", "CANCELED")}
    assert lists_told(rig) == [DONE]


@pytest.mark.parametrize("how", ["orderListId", "listClientOrderId"])
def test_a_list_is_cancelled_by_number_or_by_name_and_only_once(rig: SpotRig, how: str) -> None:
    number = place(rig)["orderListId"]
    wanted: Row = {"symbol": BTC, how: number if how == "orderListId" else "list"}
    assert rig.row("DELETE", "/api/v3/orderList", **wanted)["listStatusType"] == "ALL_DONE"
    assert rig.rows("GET", "/api/v3/openOrders") == []
    assert rig.refusal("DELETE", "/api/v3/orderList", **wanted) == (-2011, "Unknown order sent.")


def test_cancel_all_answers_a_list_as_one_row(rig: SpotRig) -> None:
    place(rig)
    rig.order(price="30000")
    rows = rig.rows("DELETE", "/api/v3/openOrders", symbol=BTC)
    assert ["orderReports" in row for row in rows] == [True, False]
    assert rig.rows("GET", "/api/v3/openOrders") == []


def test_lists_are_found_open_and_ended(rig: SpotRig) -> None:
    first = place(rig)["orderListId"]
    rig.row("DELETE", "/api/v3/orderList", symbol=BTC, orderListId=first)
    second = place(rig, BUY)["orderListId"]
    assert [row["orderListId"] for row in rig.rows("GET", "/api/v3/openOrderList")] == [second]
    assert [row["orderListId"] for row in rig.rows("GET", "/api/v3/allOrderList")] == [first, second]
    assert [row["orderListId"] for row in rig.rows("GET", "/api/v3/allOrderList", fromId=second)] == [second]
    assert rig.row("GET", "/api/v3/orderList", origClientOrderId="list")["listOrderStatus"] == "ALL_DONE"
    assert rig.row("GET", "/api/v3/orderList", orderListId=second)["listOrderStatus"] == "EXECUTING"
    assert rig.refusal("GET", "/api/v3/orderList", orderListId=99) == (-2013, "Order does not exist.")
    assert rig.refusal("GET", "/api/v3/orderList", "bob", orderListId=second)[0] == -2013
    assert rig.refusal("GET", "/api/v3/orderList")[0] == -1102
    assert rig.balance("alice", "USDT")[1] == "415.00000000"


def test_a_list_outlives_a_restart_of_the_venue(rig: SpotRig) -> None:
    number = place(rig)["orderListId"]
    rig.venue.take_up(rig.venue.snapshot())
    assert isinstance(rig.venue, Venue)
    row = rig.row("GET", "/api/v3/orderList", origClientOrderId="list")
    assert (row["orderListId"], row["listOrderStatus"]) == (number, "EXECUTING")
    rig.order("bob", price="41000")
    assert (status(rig, "stop"), status(rig, "profit")) == ("EXPIRED", "FILLED")


BAD = (-2010, "The relationship of the prices for the orders is not correct.")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"belowStopPrice": "40000"}, BAD),
        ({"abovePrice": "40000"}, BAD),
        ({"side": "BUY"}, (-1014, "Unsupported order combination.")),
        (
            {"aboveType": "TAKE_PROFIT", "aboveStopPrice": "41000", "abovePrice": ""},
            (-1014, "Unsupported order combination."),
        ),
        ({"aboveType": "PEGGED"}, (-1116, "Invalid orderType.")),
        (
            {"belowStopPrice": ""},
            (-1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!"),
        ),
        ({"belowTimeInForce": "GTC"}, (-1106, "Parameter 'timeInForce' sent when not required.")),
        ({"belowClientOrderId": "profit"}, (-2010, "Duplicate order sent.")),
        ({"quantity": "200"}, (-2010, "Account has insufficient balance for requested action.")),
    ],
)
def test_what_makes_no_list_is_refused_and_nothing_is_entered(
    rig: SpotRig, changes: Row, refusal: tuple[int, str]
) -> None:
    assert refused(rig, **changes) == refusal
    assert rig.rows("GET", "/api/v3/openOrders") == []
    assert rig.heard == []


def test_names_of_open_orders_and_lists_are_not_taken_twice(rig: SpotRig) -> None:
    place(rig)
    duplicate = (-2010, "Duplicate order sent.")
    assert refused(rig) == duplicate
    assert refused(rig, aboveClientOrderId="a", belowClientOrderId="b") == duplicate
    assert refused(rig, listClientOrderId="another", aboveClientOrderId="a") == duplicate
    place(rig, listClientOrderId="another", aboveClientOrderId="a", belowClientOrderId="b")


def test_a_list_counts_as_two_orders_and_its_parts_are_not_amended(rig: SpotRig) -> None:
    assert (rig.routes[PLACE].counts_order, rig.routes[PLACE].orders) == (True, 2)
    number = place(rig)["orderListId"]
    assert isinstance(number, int)
    refusal = rig.refusal("PUT", "/api/v3/order/amend/keepPriority", symbol=BTC, orderId=number + 1, newQty="0.005")
    assert refusal == (-2038, "Order amend rejected.")
