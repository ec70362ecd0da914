"""The control port beside Futu's: connections, orders that came by their remark, orders of others, restarts, faults refused."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.faults import Fault, read_fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from tests.support.futu_rig import ACCOUNT, MONEY, REAL, futu_port, served_futu
from tests.support.futu_sdk import FutuContexts, settled_rows
from tests.support.waiting import wait_until


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    """A server with a control port and without agents."""
    served = ExchangeServer(
        ServerSettings(
            ports=ServerPorts(futu=0, control=0), accounts=(AccountSetup(ACCOUNT, balances=MONEY),), agents=0
        )
    )
    served.start()
    yield served
    assert served.failures == ()
    assert served.stop() == ""


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


def test_state_tells_of_connections_and_of_orders_by_their_remark(
    server: ExchangeServer, futu_contexts: FutuContexts
) -> None:
    quote, trade = futu_contexts.quote(futu_port(server)), futu_contexts.trade(futu_port(server))
    assert quote.subscribe(["HK.00700"], ["QUOTE", "TICKER"])[0] == 0
    assert trade.place_order(300.0, 100, "HK.00700", "BUY", trd_env="SIMULATE", remark="mine-1")[0] == 0
    state = control(server, "GET", "/state")
    rows = sorted(state["connections"], key=lambda row: row["number"])  # type: ignore[call-overload]
    assert [(row["product"], row["kinds"]) for row in rows] == [("futu", ["quote"]), ("futu", ["trade"])]
    assert rows[0]["streams"] == ["1.00700:1", "1.00700:4"]
    assert rows[1]["accounts"] == [1_000_001, REAL]
    (order,) = state["counters"]["orders"]  # type: ignore[index,call-overload]
    assert (order["account"], order["endpoint"], order["client_order_id"]) == (
        "main-simulate", "Trd_PlaceOrder", "mine-1",
    )  # fmt: skip
    assert [row["client_order_id"] for row in state["accounts"]["main-simulate"]["open_orders"]] == ["mine-1"]  # type: ignore[index,call-overload]


def test_somebody_else_trades_and_a_deposit_comes(server: ExchangeServer, futu_contexts: FutuContexts) -> None:
    trade = futu_contexts.trade(futu_port(server))
    control(server, "POST", "/deposit", {"account": "main", "asset": "HKD", "amount": "5"})
    order = {"account": "main", "symbol": "00700", "side": "BUY", "quantity": "100", "price": "300"}
    control(server, "POST", "/orders", {**order, "product": "futu"})
    assert settled_rows(trade.accinfo_query(refresh_cache=True)[1])[0]["hk_cash"] == 1_000_005
    (row,) = settled_rows(trade.order_list_query(refresh_cache=True)[1])
    assert (row["qty"], row["price"], row["order_status"]) == (100, 300, "SUBMITTED")
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(server, "POST", "/orders", {**order, "symbol": "00701"})
    with refused.value as error:
        assert "symbol '00701' is not listed; there are: 00700, AAPL" in error.read().decode()


def test_a_restart_keeps_orders_and_the_client_comes_back(server: ExchangeServer, futu_contexts: FutuContexts) -> None:
    trade = futu_contexts.trade(futu_port(server))
    result, frame = trade.place_order(300.0, 100, "HK.00700", "BUY", trd_env="SIMULATE", remark="mine-2")
    assert result == 0, frame
    before = trade.get_sync_conn_id()
    assert control(server, "POST", "/restart", {"down_s": 0.1})["ports"]["futu"] == futu_port(server)  # type: ignore[index,call-overload]
    wait_until(lambda: trade.get_sync_conn_id() not in (0, before))
    (row,) = settled_rows(trade.order_list_query(trd_env="SIMULATE", refresh_cache=True)[1])
    assert (row["order_id"], row["remark"]) == (settled_rows(frame)[0]["order_id"], "mine-2")


def test_trading_is_locked_again_by_a_fault(server: ExchangeServer, futu_contexts: FutuContexts) -> None:
    trade = futu_contexts.trade(futu_port(server))
    assert trade.unlock_trade("foxtrot")[0] == 0
    assert trade.place_order(300.0, 100, "HK.00700", "BUY", trd_env="REAL")[0] == 0
    control(server, "POST", "/faults", {"kind": "lock_trade"})
    assert trade.place_order(300.0, 100, "HK.00700", "BUY", trd_env="REAL")[0] == -1
    assert trade.unlock_trade("foxtrot")[0] == 0
    assert trade.place_order(300.0, 100, "HK.00700", "BUY", trd_env="REAL")[0] == 0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            {"kind": "html", "product": "futu"},
            "product = 'futu' has no fault html; there are: ack_lost, delay, error_code",
        ),
        ({"kind": "mute", "product": "spot"}, "product = 'spot' has no fault mute; there are:"),
        ({"kind": "mute", "product": "futuu"}, "did you mean futu"),
        ({"kind": "upstream_lost", "connection": "trades"}, "did you mean trade"),
    ],
)
def test_faults_of_other_protocols_are_refused(table: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_fault(table)
    assert said in str(refused.value)


def test_trade_cannot_be_locked_where_futu_is_not_served() -> None:
    served = ExchangeServer(ServerSettings(ports=ServerPorts(binance_spot=0), agents=0))
    armed = served.faults.arm(Fault(kind="lock_trade"))
    assert "Futu is not served" in armed.error


def test_lost_pushes_of_one_protocol_come_again_when_the_fault_ends(futu_contexts: FutuContexts) -> None:
    with served_futu() as server:
        trade = futu_contexts.trade(futu_port(server))
        heard: list[object] = []
        base = futu_contexts.futu.TradeOrderHandlerBase
        trade.set_handler(type("Heard", (base,), {"on_recv_rsp": lambda _self, message: (0, heard.append(message))})())
        server.inject(Fault(kind="go_silent", product="futu", stream="Trd_UpdateOrder"))
        assert trade.place_order(300.0, 100, "HK.00700", "BUY", trd_env="SIMULATE")[0] == 0
        assert heard == []
        server.clear_faults()
        _, frame = trade.place_order(301.0, 100, "HK.00700", "BUY", trd_env="SIMULATE")
        wait_until(lambda: len(heard) >= 1)
        assert {one.s2c.order.orderIDEx for one in heard} == {settled_rows(frame)[0]["order_id"]}  # type: ignore[attr-defined]
