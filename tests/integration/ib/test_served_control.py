"""The control port beside TWS's: connections, orders that came by their mark, orders of others, restarts, faults refused."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.faults import read_fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_served_rig import ACCOUNT_ID, VENUE_ACCOUNT, ib_port, served_ib
from tests.support.ibapi_rig import connected
from tests.support.waiting import wait_until


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    """A server with a control port and without agents."""
    with served_ib() as served:
        yield served


def control(server: ExchangeServer, method: str, path: str, body: object = None) -> dict[str, object]:
    """Ask the control port."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.ports['control']}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"X-Foxtrot-Token": server.control_token},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def place(client: object, order_id: int, ref: str, price: float = 100.0) -> None:
    """Bid for a hundred AAPL."""
    from ibapi.contract import Contract
    from ibapi.order import Order

    share, order = Contract(), Order()
    share.symbol, share.secType, share.exchange, share.currency = "AAPL", "STK", "SMART", "USD"
    order.action, order.orderType, order.totalQuantity, order.lmtPrice = "BUY", "LMT", 100, price
    order.orderRef, order.account, order.eTradeOnly, order.firmQuoteOnly = ref, ACCOUNT_ID, False, False
    client.placeOrder(order_id, share, order)  # type: ignore[attr-defined]


def test_state_tells_of_connections_and_of_orders_by_their_mark(server: ExchangeServer) -> None:
    with connected(ib_port(server), client_id=7) as client:
        place(client, 1, "mine-1")
        client.wait_for("openOrder")
        state = control(server, "GET", "/state")
        (row,) = state["connections"]  # type: ignore[misc]
        assert (row["product"], row["client_id"], row["version"]) == ("ib", 7, 157)
        (order,) = state["counters"]["orders"]  # type: ignore[index,call-overload]
        assert (order["account"], order["endpoint"], order["client_order_id"]) == (
            VENUE_ACCOUNT,
            "placeOrder",
            "mine-1",
        )
        assert [row["client_order_id"] for row in state["accounts"][VENUE_ACCOUNT]["open_orders"]] == ["mine-1"]  # type: ignore[index,call-overload]
        assert state["counters"]["requests"]["ib placeOrder"] == 1  # type: ignore[index,call-overload]
        assert state["ports"]["ib"] == ib_port(server)  # type: ignore[index,call-overload]


def test_an_order_that_tws_refuses_is_counted_all_the_same() -> None:
    with served_ib(ib=IbSettings(read_only=True)) as server, connected(ib_port(server)) as client:
        place(client, 1, "refused")
        wait_until(lambda: len(client.codes()) > 3)
        (order,) = control(server, "GET", "/state")["counters"]["orders"]  # type: ignore[index,call-overload]
        assert order["client_order_id"] == "refused"


def test_somebody_else_trades_on_the_account_that_ib_s_clients_see(server: ExchangeServer) -> None:
    order = {"account": "main", "symbol": "ESZ6", "side": "BUY", "quantity": "1", "price": "6000"}
    names = server.call(lambda one: [row.instrument_id for row in one.host.venue.instruments()])
    order["symbol"] = next(name.removesuffix(".CME") for name in names if name.endswith(".CME"))
    control(server, "POST", "/orders", {**order, "product": "ib"})
    state = control(server, "GET", "/state")
    assert len(state["accounts"][VENUE_ACCOUNT]["open_orders"]) == 1  # type: ignore[index,call-overload]
    assert state["accounts"]["main"]["open_orders"] == []  # type: ignore[index,call-overload]
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(server, "POST", "/orders", {**order, "symbol": "NONE", "product": "ib"})
    with refused.value as error:
        assert "symbol 'NONE' is not listed; there are: 00700, AAPL, EURUSD" in error.read().decode()


def test_a_deposit_and_a_restart(server: ExchangeServer) -> None:
    control(server, "POST", "/deposit", {"account": VENUE_ACCOUNT, "asset": "USD", "amount": "5"})
    with connected(ib_port(server)) as client:
        place(client, 1, "stays")
        client.wait_for("openOrder")
        assert control(server, "POST", "/restart", {})["ports"]["ib"] == ib_port(server)  # type: ignore[index,call-overload]
        client.wait_for("connectionClosed")
    with connected(ib_port(server)) as client:
        client.reqOpenOrders()
        client.wait_for("openOrderEnd")
        assert [order.orderRef for _, _, order, _ in client.named("openOrder")] == ["stays"]
        client.reqAccountSummary(1, "All", "TotalCashValue")
        client.wait_for("accountSummaryEnd")
        assert client.named("accountSummary")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "html", "product": "ib"}, "has no fault html"),
        ({"kind": "nightly_reset", "product": "spot"}, "has no fault nightly_reset"),
        ({"kind": "farm_broken", "text": "moon"}, "usfarm, ushmds, secdefil"),
        ({"kind": "lock_trade", "product": "ib"}, "has no fault lock_trade"),
    ],
)
def test_a_fault_that_tws_has_not_is_refused_by_name(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_fault(table)


def test_faults_come_by_the_control_port(server: ExchangeServer) -> None:
    with connected(ib_port(server)) as client:
        control(server, "POST", "/faults", {"kind": "upstream_lost", "product": "ib", "code": 1101})
        wait_until(lambda: 1100 in client.codes())
        control(server, "DELETE", "/faults")
        wait_until(lambda: 1101 in client.codes())
