"""Fills of before an account's begin are part of what it began with: no look at orders tells them as new ones."""

import asyncio

import pytest

from foxtrot.domain.order import TradeData
from tests.support import futu_messages as m
from tests.support.futu_market_rig import MORNING_NS
from tests.unit.adapter.futu.test_orders import World

pytestmark = pytest.mark.usefixtures("futu_sdk")
OLD_S = MORNING_NS / 1e9 - 2 * 3600


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("status", [m.ALL, m.PART])
def test_fills_of_before_the_begin_are_not_told_by_looking(real: bool, status: int) -> None:
    async def run() -> World:
        world = World(real=real, trades_since_hours=1)
        filled = 300.0 if status == m.ALL else 100.0
        world.opend.orders = [
            m.order_message(remark="", orderIDEx="FT1", orderStatus=status, fillQty=filled, fillAvgPrice=400.0,
                            createTimestamp=OLD_S, updateTimestamp=OLD_S)
        ]  # fmt: skip
        if real:
            world.opend.deals = [m.deal_message(fillID=5, orderIDEx="FT1", qty=filled, createTimestamp=OLD_S)]
        await world.trading.open()
        await world.settle()
        await world.advance(15)
        world.trading.orders.watch.note_fills()
        await world.advance(15)
        for task in world.tasks:
            task.cancel()
        await asyncio.gather(*world.tasks, return_exceptions=True)
        return world

    world = asyncio.run(run())
    assert not world.trading.tracker.lacks
    assert world.heard.of(TradeData) == []


def test_a_growth_of_an_order_of_before_the_begin_is_told_alone() -> None:
    async def run() -> World:
        world = World(trades_since_hours=1)
        world.opend.orders = [
            m.order_message(remark="", orderIDEx="FT1", orderStatus=m.PART, fillQty=100.0, fillAvgPrice=400.0,
                            createTimestamp=OLD_S, updateTimestamp=OLD_S)
        ]  # fmt: skip
        await world.trading.open()
        world.push_order(remark="", orderIDEx="FT1", orderStatus=m.ALL, fillQty=300.0, fillAvgPrice=400.0,
                         createTimestamp=OLD_S)  # fmt: skip
        await world.settle()
        for task in world.tasks:
            task.cancel()
        await asyncio.gather(*world.tasks, return_exceptions=True)
        return world

    world = asyncio.run(run())
    assert [fill.quantity for fill in world.heard.of(TradeData)] == [200.0]
    assert not world.trading.tracker.lacks
