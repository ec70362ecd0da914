"""ib_async, which is no part of the platform, does its whole connect, looks and trades on the served TWS, at 157 and at 178."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_async_rig import with_ib_async
from tests.support.ib_served_rig import ACCOUNT_ID, ib_port, served_ib

ASKED_FIRST = (
    "reqPositions",
    "reqOpenOrders",
    "reqCompletedOrders",
    "reqAccountUpdates",
    "reqAccountUpdatesMulti",
    "reqExecutions",
)


@pytest.fixture(params=[157, 178])
def server(request: pytest.FixtureRequest) -> Iterator[ExchangeServer]:
    settings = IbSettings(newest_version=request.param)
    with served_ib(agents=4, ib=settings, accounts=("main", "second")) as running:
        yield running


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that ib_async will hear."""
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


def test_the_connect_is_whole(server: ExchangeServer) -> None:
    async def work(ib: Any) -> Any:
        return ib.client.serverVersion(), ib.managedAccounts(), {one.account for one in ib.accountValues()}

    version, accounts, told = with_ib_async(ib_port(server), work, account=ACCOUNT_ID)
    assert version == server.settings.ib.newest_version
    assert accounts == [ACCOUNT_ID, "DU1000002"]
    assert ACCOUNT_ID in told
    asked = server.call(lambda one: dict(one.traffic.requests))
    assert all(asked.get(f"ib {name}") for name in ASKED_FIRST)


def test_it_looks_at_details_depth_and_history(server: ExchangeServer) -> None:
    import ib_async

    async def work(ib: Any) -> Any:
        (share,) = await ib.qualifyContractsAsync(ib_async.Stock("AAPL", "SMART", "USD"))
        ticker = ib.reqMktDepth(share, 5, isSmartDepth=True)
        await until(lambda: bool(ticker.domBids and ticker.domAsks))
        bids, asks = [row.price for row in ticker.domBids], [row.price for row in ticker.domAsks]
        ib.cancelMktDepth(share, isSmartDepth=True)
        bars = await ib.reqHistoricalDataAsync(share, "", "1 D", "1 min", "TRADES", False, formatDate=2)
        return max(bids), min(asks), bars

    bid, ask, bars = with_ib_async(ib_port(server), work)
    assert 150 < bid < ask < 250
    assert all(bar.low <= bar.open <= bar.high for bar in bars)


def test_it_places_cancels_and_trades(server: ExchangeServer) -> None:
    import ib_async

    async def work(ib: Any) -> Any:
        (share,) = await ib.qualifyContractsAsync(ib_async.Stock("AAPL", "SMART", "USD"))
        resting = ib.placeOrder(share, ib_async.LimitOrder("BUY", 100, 150, account=ACCOUNT_ID))
        await until(lambda: resting.orderStatus.status == "Submitted")
        ib.cancelOrder(resting.order)
        await until(lambda: resting.orderStatus.status == "Cancelled")
        taking = ib.placeOrder(share, ib_async.MarketOrder("BUY", 100, account=ACCOUNT_ID))
        await until(lambda: taking.orderStatus.status == "Filled")
        await until(lambda: all(fill.commissionReport.execId for fill in taking.fills))
        await until(lambda: [one.position for one in ib.positions()] == [100])
        return taking.fills, ib.positions()

    fills, positions = with_ib_async(ib_port(server), work)
    assert sum(fill.execution.shares for fill in fills) == 100
    assert sum(fill.commissionReport.commission for fill in fills) == pytest.approx(1.0072)
    assert [(one.account, one.contract.symbol) for one in positions] == [(ACCOUNT_ID, "AAPL")]
