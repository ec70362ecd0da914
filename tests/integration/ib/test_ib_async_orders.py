"""ib_async, an independent client, trades on the served TWS at 157 and at 178: every field of what it is told must fit."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.integration.ib.test_served_orders import quote_both_sides
from tests.support.ib_async_rig import with_ib_async
from tests.support.ib_served_rig import ACCOUNT_ID, ib_port, served_ib


@pytest.fixture(params=[157, 178])
def server(request: pytest.FixtureRequest) -> Iterator[ExchangeServer]:
    with served_ib(ib=IbSettings(newest_version=request.param)) as served:
        served.call(quote_both_sides)
        yield served


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that ib_async will hear."""
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


async def apple(ib: Any) -> Any:
    import ib_async

    (share,) = await ib.qualifyContractsAsync(ib_async.Stock("AAPL", "SMART", "USD"))
    return share


def test_it_places_modifies_and_cancels_an_order(server: ExchangeServer) -> None:
    import ib_async

    async def work(ib: Any) -> list[str]:
        share = await apple(ib)
        order = ib_async.LimitOrder("BUY", 10, 150.0, orderRef="mine", tif="GTC")
        trade = ib.placeOrder(share, order)
        await until(lambda: trade.orderStatus.status == "Submitted")
        order.lmtPrice = 151.0
        ib.placeOrder(share, order)
        heard: list[float] = []
        ib.openOrderEvent += lambda one: heard.append(one.order.lmtPrice)
        await until(lambda: len(heard) >= 2)
        echoed = (await ib.reqOpenOrdersAsync())[-1]
        assert (echoed.order.lmtPrice, echoed.order.orderRef) == (151.0, "mine")
        await ib.reqAllOpenOrdersAsync()
        ib.cancelOrder(order)
        await until(lambda: trade.orderStatus.status == "Cancelled")
        return [one.status for one in trade.log]

    log = with_ib_async(ib_port(server), work)
    assert log[0] == "PendingSubmit"
    assert log[-1] == "Cancelled"


def test_a_market_order_gets_its_fill_and_commission_and_what_if_its_margin(server: ExchangeServer) -> None:
    import ib_async

    async def work(ib: Any) -> Any:
        share = await apple(ib)
        trade = ib.placeOrder(share, ib_async.MarketOrder("BUY", 10))
        await until(lambda: bool(trade.fills and trade.fills[0].commissionReport.execId))
        state = await ib.whatIfOrderAsync(share, ib_async.LimitOrder("BUY", 100, 199.5))
        asked = await ib.reqExecutionsAsync()
        ended = await ib.reqCompletedOrdersAsync(False)
        await until(lambda: bool(ib.positions()))
        return trade, state, asked, ended, ib.positions(), await ib.accountSummaryAsync()

    trade, state, asked, ended, positions, summary = with_ib_async(ib_port(server), work)
    assert trade.orderStatus.status == "Filled"
    (fill,) = trade.fills
    assert (fill.execution.price, fill.execution.shares, fill.execution.acctNumber) == (200.0, 10.0, ACCOUNT_ID)
    assert fill.commissionReport.commission == pytest.approx(1.0, abs=0.2)
    assert [one.execution.execId for one in asked] == [fill.execution.execId]
    assert [one.order.permId for one in ended] == [trade.orderStatus.permId]
    assert float(state.initMarginChange) == pytest.approx(100 * 200.0 / 2)
    assert float(state.initMarginAfter) == pytest.approx(110 * 200.0 / 2)
    assert state.commission == pytest.approx(1.0, abs=0.2)
    assert [(one.account, one.contract.symbol, one.position) for one in positions] == [(ACCOUNT_ID, "AAPL", 10.0)]
    assert {one.tag for one in summary} >= {"NetLiquidation", "BuyingPower", "CashBalance"}


def test_a_bracket_is_filled_and_its_stop_ends_with_its_target(server: ExchangeServer) -> None:
    async def work(ib: Any) -> list[str]:
        share = await apple(ib)
        trades = [ib.placeOrder(share, one) for one in ib.bracketOrder("BUY", 5, 200.0, 199.0, 180.0)]
        parent, target, stop = trades
        await until(lambda: target.orderStatus.status == "Filled" and stop.isDone())
        assert parent.orderStatus.status == "Filled"
        assert (target.orderStatus.status, stop.orderStatus.status) == ("Filled", "Cancelled")
        ended = {one.order.permId: one for one in await ib.reqCompletedOrdersAsync(True)}
        return [ended[one.orderStatus.permId].order.ocaGroup for one in trades]

    own, of_target, of_stop = with_ib_async(ib_port(server), work)
    assert own == ""
    assert of_target == of_stop != ""


def test_trailing_and_adaptive_orders_come_back_as_they_were_sent(server: ExchangeServer) -> None:
    import ib_async

    async def work(ib: Any) -> Any:
        share = await apple(ib)
        ib.placeOrder(share, ib_async.MarketOrder("BUY", 10))
        adaptive = ib_async.LimitOrder("BUY", 1, 150.0, algoStrategy="Adaptive")
        adaptive.algoParams = [ib_async.TagValue("adaptivePriority", "Urgent")]
        trades = [ib.placeOrder(share, adaptive)]
        trades.append(
            ib.placeOrder(share, ib_async.Order(action="SELL", totalQuantity=1, orderType="TRAIL", auxPrice=5.0))
        )
        await until(lambda: all(one.orderStatus.status in ("Submitted", "PreSubmitted") for one in trades))
        return {one.order.orderType: one.order for one in await ib.reqAllOpenOrdersAsync()}

    told = with_ib_async(ib_port(server), work)
    assert told["LMT"].algoStrategy == "Adaptive"
    assert [(one.tag, one.value) for one in told["LMT"].algoParams] == [("adaptivePriority", "Urgent")]
    assert told["TRAIL"].auxPrice == 5.0
