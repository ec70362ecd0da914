"""Orders, executions and accounts at the served TWS as ibapi 9.81, unmodified, sends and hears them over a socket."""

from collections.abc import Iterator
from typing import Any

import pytest

from foxtrot.domain.enums import OrderType, Side
from foxtrot.exchange.commands import OpenAccount, PlaceOrder
from foxtrot.exchange.server import ExchangeServer
from tests.support.ib_served_rig import ACCOUNT_ID, VENUE_ACCOUNT, ib_port, served_ib
from tests.support.ibapi_rig import connected
from tests.support.waiting import wait_until


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    """A server on which AAPL is 199 to 200."""
    with served_ib() as served:
        served.call(quote_both_sides)
        yield served


@pytest.fixture
def client(server: ExchangeServer) -> Iterator[Any]:
    with connected(ib_port(server)) as one:
        yield one


def quote_both_sides(server: ExchangeServer) -> None:
    """Let a maker stand on both sides."""
    venue, now_ns = server.host.venue, server.host.now_ns()
    server.host.execute(OpenAccount(now_ns, "maker", margin_checked=False))
    (apple,) = [one for one in venue.instruments() if one.instrument_id == "AAPL.NASDAQ"]
    for side, price in ((Side.BUY, "199"), (Side.SELL, "200")):
        order = PlaceOrder(
            now_ns, "maker", apple.instrument_id, side.value, side, OrderType.LIMIT, 1_000, apple.price_units(price)
        )
        assert server.host.execute(order).ok


def share() -> Any:
    from ibapi.contract import Contract

    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = "AAPL", "STK", "SMART", "USD"
    return contract


def order(action: str = "BUY", kind: str = "LMT", price: float = 150.0, **more: object) -> Any:
    from ibapi.order import Order

    made = Order()
    made.action, made.orderType, made.totalQuantity, made.lmtPrice = action, kind, 100, price
    made.account, made.orderRef, made.eTradeOnly, made.firmQuoteOnly = ACCOUNT_ID, "mine", False, False
    for name, value in more.items():
        setattr(made, name, value)
    return made


def told_of(client: Any, order_id: int) -> list[str]:
    """What was heard of an order, in order: the names of the callbacks, statuses and codes."""
    lines = []
    for name, arguments in list(client.heard):
        if name == "openOrder" and arguments[0] == order_id:
            lines.append(f"openOrder {arguments[3].status}")
        elif name == "orderStatus" and arguments[0] == order_id:
            lines.append(f"{arguments[1]} {arguments[2]:g}/{arguments[3]:g}")
        elif name == "execDetails" and arguments[2].orderId == order_id:
            lines.append(f"execDetails {arguments[0]}")
        elif name == "error" and arguments[0] == order_id:
            lines.append(f"error {arguments[1]}")
        elif name == "commissionReport":
            lines.append("commissionReport")
    return lines


def test_place_modify_cancel(client: Any) -> None:
    client.placeOrder(1, share(), order())
    client.wait_for("orderStatus", 2)
    client.placeOrder(1, share(), order(price=151.0, totalQuantity=50))
    client.wait_for("orderStatus", 4)
    client.cancelOrder(1)
    client.wait_for("error", 4)
    accepted = ["openOrder PreSubmitted", "PreSubmitted 0/{0}", "openOrder Submitted", "Submitted 0/{0}"]
    assert told_of(client, 1) == [
        *(one.format(100) for one in accepted),
        *(one.format(50) for one in accepted),
        "PendingCancel 0/50",
        "Cancelled 0/50",
        "error 202",
    ]
    told = client.named("openOrder")[-1]
    assert (told[2].lmtPrice, told[2].totalQuantity, told[2].orderRef) == (151.0, 50, "mine")
    assert (told[2].clientId, told[2].deltaNeutralOrderType) == (1, "None")
    assert told[2].permId == client.named("orderStatus")[0][5] > 0
    assert (told[1].conId > 0, told[1].localSymbol, told[1].exchange) == (True, "AAPL", "SMART")


def test_a_fill_is_told_before_its_status_and_its_commission_after(client: Any, server: ExchangeServer) -> None:
    client.placeOrder(1, share(), order(kind="MKT", price=0.0))
    client.wait_for("commissionReport")
    assert told_of(client, 1)[4:] == ["execDetails -1", "openOrder Filled", "Filled 100/0", "commissionReport"]
    (fill,) = client.named("execDetails")
    (report,) = client.named("commissionReport")[0]
    assert report.execId == fill[2].execId
    (own,) = server.call(lambda one: one.host.venue.fills(VENUE_ACCOUNT))
    assert report.commission == float(own.fee)
    assert (fill[2].side, fill[2].shares, fill[2].price, fill[2].acctNumber) == ("BOT", 100, 200.0, ACCOUNT_ID)


def test_refusals_come_under_the_orders_id(client: Any) -> None:
    from ibapi.order import Order

    as_it_comes = Order()
    as_it_comes.action, as_it_comes.orderType, as_it_comes.totalQuantity, as_it_comes.lmtPrice = "BUY", "LMT", 1, 100.0
    client.placeOrder(1, share(), as_it_comes)
    client.placeOrder(2, share(), order(price=150.005))
    nowhere = share()
    nowhere.symbol = "NOWHERE"
    client.placeOrder(3, nowhere, order())
    client.placeOrder(4, share(), order(totalQuantity=1_000_000))
    client.cancelOrder(9)
    wait_until(lambda: {10268, 110, 200, 201, 10147} <= set(client.codes()))
    told = {(arguments[0], arguments[1]) for arguments in client.named("error")}
    assert {(1, 10268), (2, 110), (3, 200), (4, 201), (9, 10147)} <= told
    assert told_of(client, 4) == ["error 201", "openOrder Inactive", "Inactive 0/1e+06"]


def test_what_a_client_asks_for_after_it_comes_back(server: ExchangeServer) -> None:
    with connected(ib_port(server), 7) as first:
        first.placeOrder(1, share(), order())
        first.placeOrder(2, share(), order(kind="MKT", price=0.0))
        first.wait_for("commissionReport")
        perm_id = first.named("orderStatus")[0][5]
    wait_until(lambda: server.call(lambda one: one._doors.ib_sockets()) == ())
    with connected(ib_port(server), 7) as again:
        assert again.wait_for("nextValidId") == (3,)
        again.reqOpenOrders()
        again.wait_for("openOrderEnd")
        (opened,) = again.named("openOrder")
        assert (opened[0], opened[2].permId) == (1, perm_id)
        from ibapi.execution import ExecutionFilter

        again.reqExecutions(50, ExecutionFilter())
        again.wait_for("execDetailsEnd")
        (fill,) = again.named("execDetails")
        assert (fill[0], fill[2].orderId, fill[2].clientId) == (50, 2, 7)
        again.reqCompletedOrders(False)
        again.wait_for("completedOrdersEnd")
        (ended,) = again.named("completedOrder")
        assert (ended[2].status, ended[2].completedStatus, ended[1].filledQuantity) == (
            "Filled",
            "Filled Size: 100",
            100,
        )
        assert ended[1].orderRef == "mine"
    with connected(ib_port(server), 8) as other:
        other.reqOpenOrders()
        other.wait_for("openOrderEnd")
        assert other.named("openOrder") == []
        other.reqAllOpenOrders()
        other.wait_for("openOrderEnd", 2)
        assert [arguments[2].clientId for arguments in other.named("openOrder")] == [7]


def test_the_account_as_a_client_hears_it(client: Any) -> None:
    client.reqAccountUpdates(True, ACCOUNT_ID)
    client.reqAccountSummary(31, "All", "NetLiquidation,BuyingPower,$LEDGER:ALL")
    client.reqPositions()
    client.reqAccountUpdatesMulti(32, ACCOUNT_ID, "", False)
    client.reqPnL(33, ACCOUNT_ID, "")
    for end in ("accountDownloadEnd", "accountSummaryEnd", "positionEnd", "accountUpdateMultiEnd", "pnl"):
        client.wait_for(end)
    assert client.named("position") == []
    client.placeOrder(1, share(), order(kind="MKT", price=0.0))
    (account, contract, size, cost) = client.wait_for("position")
    assert (account, contract.symbol, size) == (ACCOUNT_ID, "AAPL", 100)
    (report,) = client.wait_for("commissionReport")
    assert cost == pytest.approx(200 + report.commission / 100)
    wait_until(lambda: len(client.named("updatePortfolio")) >= 1)
    (contract, size, price, value, average, _, realised, account) = client.named("updatePortfolio")[-1]
    assert (contract.symbol, size, price, value, realised, account) == ("AAPL", 100, 200, 20_000, 0, ACCOUNT_ID)
    assert average == cost
    cash = [
        value
        for key, value, currency, _ in client.named("updateAccountValue")
        if (key, currency) == ("CashBalance", "USD")
    ]
    assert float(cash[-1]) == pytest.approx(1_000_000 - 20_000 - report.commission, abs=0.01)
    wait_until(lambda: client.named("pnl")[-1][1] == pytest.approx(-report.commission))
    client.cancelPnL(33)
    client.cancelPositions()
    client.cancelAccountSummary(31)
    client.cancelAccountUpdatesMulti(32)
    client.reqAccountUpdates(False, ACCOUNT_ID)


def test_orders_and_ids_outlive_the_server(server: ExchangeServer) -> None:
    with connected(ib_port(server), 7) as first:
        first.placeOrder(1, share(), order(kind="MKT", price=0.0))
        first.wait_for("commissionReport")
        first.placeOrder(2, share(), order(orderRef="kept"))
        first.wait_for("orderStatus", 5)
        perm_id = first.named("orderStatus")[-1][5]
    snapshot = server.call(lambda one: one.host.venue.snapshot())
    with served_ib() as second:
        second.call(lambda one: one.host.restore(snapshot))
        second.step()
        with connected(ib_port(second), 7) as again:
            assert again.wait_for("nextValidId") == (3,)
            again.reqOpenOrders()
            again.wait_for("openOrderEnd")
            (opened,) = again.named("openOrder")
            assert (opened[0], opened[2].permId, opened[2].orderRef) == (2, perm_id, "kept")
            again.placeOrder(2, share(), order(price=151.0))
            again.wait_for("orderStatus", 3)
            assert again.named("orderStatus")[-1][5] == perm_id
            again.placeOrder(1, share(), order())
            wait_until(lambda: 104 in again.codes())
            again.cancelOrder(2)
            wait_until(lambda: 202 in again.codes())
