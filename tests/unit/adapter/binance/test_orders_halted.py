"""An order of an instrument that does not trade now is denied with what to do; what rests there can be cancelled and asked for."""

from collections.abc import Awaitable, Callable

import pytest

from foxtrot.adapter.binance.orders import Orders
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import OrderStatus, Product
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import CancelRequest, OrderData
from tests.support.scripted_binance import ScriptedSession, btcusdt, run
from tests.unit.adapter.binance.test_orders import approved, row, told

NAME = btcusdt().instrument_id


def play(story: Callable[[ScriptedSession, Orders], Awaitable[None]]) -> ScriptedSession:
    session = ScriptedSession(Product.SPOT, (btcusdt(),))

    async def whole() -> None:
        await story(session, Orders(session.adapter, session))  # type: ignore[arg-type]
        await session.settle()
        await session.end()

    run(whole)
    return session


def test_a_new_order_is_denied_until_the_instrument_trades_again() -> None:
    looked_at: list[Instrument] = []

    async def story(session: ScriptedSession, orders: Orders) -> None:
        orders.on_halted = looked_at.append
        session.reply("privatePostOrder", row(clientOrderId="t-2"))
        session.halted = {NAME: "BREAK"}
        await orders.place(approved("t-1"))
        assert session.calls == []
        del session.halted[NAME]
        await orders.place(approved("t-2"))

    session = play(story)
    denied = session.heard.of(OrderData)[0]
    assert (denied.status, denied.rule) == (OrderStatus.DENIED, "instrument_halted")
    assert "(BREAK): open orders can be cancelled" in denied.reason
    assert told(session, "t-2") == [OrderStatus.ACCEPTED]
    assert looked_at == [btcusdt()]


@pytest.mark.parametrize("asks", [False, True])
def test_what_rests_there_can_be_cancelled_and_asked_for(*, asks: bool) -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", row())
        await orders.place(approved())
        session.halted = {NAME: "HALT"}
        session.reply("privateDeleteOrder", row("CANCELED"))
        session.reply("privateGetOrder", row("CANCELED"))
        if asks:
            await orders.look_at("t-1", NAME)
        else:
            await orders.cancel(CancelRequest("t-1", "ours", NAME))

    session = play(story)
    assert told(session) == [OrderStatus.ACCEPTED, OrderStatus.CANCELLED]
    assert session.heard.of(RequestFailed) == []
