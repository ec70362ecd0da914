"""The adapter on the embedded exchange's own TWS, with the real ibapi: connects, comes back from every fault, and closes."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.ib.adapter import IbAdapter
from foxtrot.adapter.reconnect import Backoff
from foxtrot.adapter.registry import load_adapter
from foxtrot.core.clock import SystemClock
from foxtrot.core.notices import (
    AdapterStatus,
    AmendAnswered,
    ContractsLoaded,
    OpenOrdersLoaded,
    PositionsLoaded,
    RequestFailed,
    TradesLoaded,
)
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, CancelRequest, OrderData
from foxtrot.domain.outcome import Outcome
from foxtrot.exchange.server import ExchangeServer
from tests.support.ib_served_rig import ib_port, served_ib
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed: pip install 'foxtrot[ib]'")


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with served_ib() as made:
        yield made


def made(port: int, home: Path | None = None, **settings: Any) -> tuple[IbAdapter, Recorder]:
    sink = Recorder()
    settings = {
        "port": port,
        "always_open": True,
        "instruments": "AAPL.NASDAQ, EURUSD.IDEALPRO",
        "mute_after_s": 10.0,
        **settings,
    }
    context = AdapterContext("ib", sink, SendPermit(), SystemClock(), settings, {}, home=home)
    adapter = IbAdapter(context, Random(1))
    adapter.session.backoff = Backoff(Random(1), base_s=0.05, cap_s=0.2)
    return adapter, sink


@pytest.fixture
def adapter(server: ExchangeServer) -> Iterator[tuple[IbAdapter, Recorder]]:
    found, sink = made(ib_port(server))
    found.connect()
    yield found, sink
    assert found.close() == ""


def wait_ready(sink: Recorder, times: int = 1) -> None:
    wait_until(lambda: [told.state for told in sink.of(AdapterStatus)].count(AdapterState.READY) >= times, 20.0)


def test_the_adapter_is_found_by_its_name() -> None:
    assert load_adapter("ib") is IbAdapter
    assert IbAdapter.real_money("live")
    assert not IbAdapter.real_money("paper")
    assert not IbAdapter.real_money("")


def test_everything_is_told_in_the_promised_order(adapter: tuple[IbAdapter, Recorder]) -> None:
    _, sink = adapter
    wait_ready(sink)
    kinds = (ContractsLoaded, AccountData, PositionsLoaded, OpenOrdersLoaded, TradesLoaded)
    order = [type(event) for event in sink.events() if isinstance(event, kinds)]
    assert list(dict.fromkeys(order)) == list(kinds)
    listed = sink.of(ContractsLoaded)[0].instruments
    assert {"AAPL.NASDAQ", "EURUSD.IDEALPRO"} <= {one.instrument_id for one in listed}
    assert sink.of(RequestFailed) == []


def test_before_connecting_and_after_closing_everything_is_refused_and_nothing_raises(tmp_path: Path) -> None:
    found, sink = made(1)
    found.query_account()
    found.query_orders()
    assert len(sink.of(RequestFailed)) == 2
    assert found.close() == ""
    found.connect()
    found.query_positions()
    assert len(sink.of(RequestFailed)) == 3
    assert found.close() == ""


def test_a_server_that_goes_and_comes_back_is_found_again(server: ExchangeServer) -> None:
    found, sink = made(ib_port(server))
    found.connect()
    wait_ready(sink)
    found.renew_link("the test says so")
    wait_ready(sink, 2)
    assert found.close() == ""


def test_an_algorithm_of_ibs_own_works_an_order_and_an_unknown_one_is_refused_there(
    server: ExchangeServer, adapter: tuple[IbAdapter, Recorder]
) -> None:
    found, sink = adapter
    wait_ready(sink)
    plain = ApprovedOrder(
        "t-1", "tester", "ib", "AAPL.NASDAQ", Side.BUY, OrderType.LIMIT, 1, 100, 0, TimeInForce.GTC, False, False,
        PositionSide.NET, 0, 0, 0, found.clock.now_ns(), algo="Adaptive",
        algo_params=(("adaptivePriority", "Patient"),),
    )  # fmt: skip

    def told(order_id: str, status: OrderStatus) -> list[OrderData]:
        return [one for one in sink.of(OrderData) if one.order_id == order_id and one.status is status]

    found.send_order(plain)
    wait_until(lambda: told("t-1", OrderStatus.ACCEPTED), 10.0)
    wrong = msgspec.structs.replace(plain, order_id="t-2", algo_params=(("adaptivePriority", "Hasty"),))
    found.send_order(wrong)
    wait_until(lambda: told("t-2", OrderStatus.REJECTED), 10.0)
    assert "441" in told("t-2", OrderStatus.REJECTED)[-1].reason
    found.send_order(msgspec.structs.replace(plain, order_id="t-3", algo="Twap", algo_params=()))
    wait_until(lambda: told("t-3", OrderStatus.DENIED), 10.0)
    assert "Adaptive" in told("t-3", OrderStatus.DENIED)[-1].reason
    found.amend_order(ApprovedAmend(1, msgspec.structs.replace(plain, price_units=101)))
    wait_until(lambda: sink.of(AmendAnswered), 10.0)
    assert sink.of(AmendAnswered)[0].outcome is Outcome.CONFIRMED
    found.cancel_order(CancelRequest("t-1", "ib", "AAPL.NASDAQ"))
    wait_until(lambda: told("t-1", OrderStatus.CANCELLED), 10.0)
