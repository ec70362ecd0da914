"""What the served TWS does wrong with orders and fills when it is told to, and what is true afterwards, as ibapi hears it."""

from collections.abc import Iterator
from typing import Any

import pytest

from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from tests.support.ib_served_rig import ACCOUNT_ID, VENUE_ACCOUNT, ib_port, served_ib
from tests.support.ibapi_rig import connected
from tests.support.waiting import wait_until


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    """A server with one account and no agents."""
    with served_ib() as served:
        yield served


@pytest.fixture
def client(server: ExchangeServer) -> Iterator[Any]:
    with connected(ib_port(server)) as one:
        yield one


def ib(kind: str, **more: object) -> Fault:
    """A fault of TWS's connections."""
    return Fault(kind=kind, product="ib", **more)  # type: ignore[arg-type]


def place(client: Any, order_id: int, price: float = 100.0, ref: str = "mine") -> None:
    """Bid for a hundred AAPL."""
    from ibapi.contract import Contract
    from ibapi.order import Order

    share, order = Contract(), Order()
    share.symbol, share.secType, share.exchange, share.currency = "AAPL", "STK", "SMART", "USD"
    order.action, order.orderType, order.totalQuantity, order.lmtPrice = "BUY", "LMT", 100, price
    order.orderRef, order.eTradeOnly, order.firmQuoteOnly = ref, False, False
    order.account = ACCOUNT_ID
    client.placeOrder(order_id, share, order)


def sell_to(server: ExchangeServer) -> None:
    """Let the second account sell a hundred AAPL at 100."""
    server.inject(ib("other_order", account="second", symbol="AAPL", side="SELL", quantity="100", price="100"))
    server.step()


def open_orders(server: ExchangeServer) -> list[str]:
    """The marks of the orders that work at the venue."""
    return server.call(lambda one: [row.client_order_id for row in one.host.venue.open_orders(VENUE_ACCOUNT)])


def filled(server: ExchangeServer) -> int:
    """How much was bought at the venue."""
    return server.call(lambda one: sum(row.fill_quantity for row in one.host.venue.fills(VENUE_ACCOUNT)))


@pytest.fixture
def trading() -> Iterator[tuple[ExchangeServer, Any]]:
    """A server with two accounts, and a client of it."""
    with served_ib(accounts=("main", "second")) as served, connected(ib_port(served)) as one:
        yield served, one


def test_an_order_whose_answer_is_lost_is_at_the_venue_all_the_same(server: ExchangeServer) -> None:
    server.inject(ib("ack_lost", endpoint="placeOrder"))
    with connected(ib_port(server)) as client:
        place(client, 1)
        client.wait_for("connectionClosed")
        assert client.named("openOrder") == []
    assert open_orders(server) == ["mine"]
    with connected(ib_port(server)) as client:
        assert client.named("nextValidId") == [(2,)]
        client.reqOpenOrders()
        client.wait_for("openOrderEnd")
        assert [order.orderRef for _, _, order, _ in client.named("openOrder")] == ["mine"]


def test_an_order_that_hangs_is_at_the_venue_and_the_link_goes_on(server: ExchangeServer, client: Any) -> None:
    server.inject(ib("ack_lost", endpoint="placeOrder", hang=True))
    place(client, 1)
    wait_until(lambda: open_orders(server) == ["mine"])
    client.reqIds(1)
    client.wait_for("nextValidId", 2)
    assert client.named("openOrder") == []


def test_an_order_that_is_refused_though_it_was_taken(server: ExchangeServer, client: Any) -> None:
    server.inject(ib("error_code", endpoint="placeOrder", code=201, msg="Order rejected - reason:no", executed=True))
    place(client, 1)
    wait_until(lambda: 201 in client.codes())
    assert open_orders(server) == ["mine"]


def test_open_order_comes_twice(server: ExchangeServer, client: Any) -> None:
    server.inject(ib("duplicate_orders"))
    place(client, 1)
    wait_until(lambda: client.named("orderStatus")[-1:] and client.named("orderStatus")[-1][1] == "Submitted")
    ids = [order_id for order_id, *_ in client.named("openOrder")]
    assert len(ids) == 3
    assert set(ids) == {1}


def test_a_fill_comes_twice_with_the_same_id(trading: tuple[ExchangeServer, Any]) -> None:
    server, client = trading
    place(client, 1)
    wait_until(lambda: open_orders(server) == ["mine"])
    server.inject(ib("duplicate_fills"))
    sell_to(server)
    client.wait_for("execDetails", 2)
    first, second = client.named("execDetails")
    assert first[2].execId == second[2].execId
    assert filled(server) == 100


def test_a_fill_of_the_window_of_1100_is_told_by_executions_alone(trading: tuple[ExchangeServer, Any]) -> None:
    from ibapi.execution import ExecutionFilter

    server, client = trading
    place(client, 1)
    wait_until(lambda: open_orders(server) == ["mine"])
    server.inject(ib("upstream_lost"))
    wait_until(lambda: 1100 in client.codes())
    sell_to(server)
    assert filled(server) == 100
    place(client, 2, ref="in the window")
    wait_until(lambda: open_orders(server) == ["in the window"])
    server.clear_faults()
    wait_until(lambda: 1102 in client.codes())
    assert client.named("execDetails") == []
    client.reqExecutions(50, ExecutionFilter())
    client.wait_for("execDetailsEnd")
    (execution,) = [told for _, _, told in client.named("execDetails") if told.acctNumber == ACCOUNT_ID]
    assert (execution.shares, execution.orderRef) == (100, "mine")
    client.reqOpenOrders()
    client.wait_for("openOrderEnd")
    assert [order.orderRef for _, _, order, _ in client.named("openOrder")][-1] == "in the window"


def test_an_id_that_comes_back_after_a_restart_is_refused_as_a_duplicate(server: ExchangeServer) -> None:
    with connected(ib_port(server)) as client:
        place(client, 7)
        wait_until(lambda: open_orders(server) == ["mine"])
        server.restart(lower_by=5)
        client.wait_for("connectionClosed")
    with connected(ib_port(server)) as client:
        assert client.named("nextValidId") == [(3,)]
        place(client, 7, ref="another", price=90.0)
        wait_until(lambda: 103 in client.codes() or client.named("openOrder"))
        assert "another" not in open_orders(server)
