"""What an order's contract needs is set once, however many orders come together; a cancel does not overtake the order meanwhile."""

import asyncio
from types import SimpleNamespace

from foxtrot.adapter.binance.account_setup import AccountSetup
from foxtrot.adapter.binance.environments import TESTNET
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import OrderStatus, PositionMode
from foxtrot.domain.errors import RequestTimedOut
from foxtrot.domain.order import CancelRequest
from tests.support.binance_bench import BinanceBench
from tests.support.scripted_binance import Product, ScriptedSession, run

CONFIG = [{"symbol": "BTCUSDT", "leverage": 20, "marginType": "CROSSED"}]
SET = "fapiPrivatePostLeverage"
TWO = {"leverage": 2, "rate_limit": False}


def setup_of(session: ScriptedSession, told: list[tuple[str, int]]) -> AccountSetup:
    session.settings = SimpleNamespace(leverage=2, margin_type="")
    session.reply("fapiPrivateGetSymbolConfig", CONFIG)
    session.reply("fapiPrivateV3GetPositionRisk", [])
    session.reply(SET, {"symbol": "BTCUSDT", "leverage": 2})
    return AccountSetup(session, PositionMode.NETTING, lambda *one: told.append(one), lambda *_heard: None)  # type: ignore[arg-type]


def test_who_asks_while_the_leverage_is_being_set_waits_for_that() -> None:
    session, told = ScriptedSession(Product.PERPETUAL), []  # type: ignore[var-annotated]

    async def story() -> None:
        made = setup_of(session, told)
        await asyncio.gather(*(made.prepare("BTCUSDT") for _ in range(3)))

    run(story)
    assert session.asked(SET) == [{"symbol": "BTCUSDT", "leverage": "2"}]
    assert told == [("BTCUSDT", 2)]


def test_what_failed_for_one_is_tried_again_for_the_next() -> None:
    session, told = ScriptedSession(Product.PERPETUAL), []  # type: ignore[var-annotated]

    async def story() -> None:
        made = setup_of(session, told)
        session.reply(SET, RequestTimedOut("binance", "timeout", "no answer"), {})
        first, second = await asyncio.gather(made.prepare("BTCUSDT"), made.prepare("BTCUSDT"), return_exceptions=True)
        assert isinstance(first, RequestTimedOut)
        assert second is None

    run(story)
    assert len(session.asked(SET)) == 2
    assert told == [("BTCUSDT", 2)]


def test_a_symbol_with_a_position_is_looked_at_once_for_each_link() -> None:
    session, told = ScriptedSession(Product.PERPETUAL), []  # type: ignore[var-annotated]

    async def story() -> None:
        made = setup_of(session, told)
        session.settings.environment = TESTNET
        session.reply("fapiPrivateGetPositionSideDual", {"dualSidePosition": False})
        session.reply("fapiPrivateV3GetPositionRisk", [{"symbol": "BTCUSDT", "positionAmt": "0.5"}], [])
        for _ in range(3):
            await made.prepare("BTCUSDT")
        assert (len(session.asked("fapiPrivateGetSymbolConfig")), session.asked(SET)) == (1, [])
        await made.check()
        await made.prepare("BTCUSDT")

    run(story)
    assert told == [("BTCUSDT", 2)]


def posts(bench: BinanceBench) -> int:
    return bench.server.call(lambda server: server.traffic.requests["usdm POST /fapi/v1/leverage"])


def test_orders_sent_together_set_the_leverage_once() -> None:
    with BinanceBench("usdm", settings=dict(TWO)) as bench:
        bench.connect()
        orders = [bench.order() for _ in range(3)]
        for order in orders:
            bench.adapter.send_order(order)
        bench.wait(lambda: len(bench.open_orders()) == 3)
        assert posts(bench) == 1


def test_a_cancel_waits_for_an_order_that_is_still_being_prepared() -> None:
    with BinanceBench("usdm", settings=dict(TWO)) as bench:
        bench.connect()
        bench.fault("delay", endpoint="POST /fapi/v1/leverage", delay_s=2)
        order = bench.order()
        bench.adapter.send_order(order)
        bench.wait(lambda: posts(bench) == 1)
        bench.adapter.cancel_order(CancelRequest(order.order_id, "ours", order.instrument_id))
        bench.adapter.session.bridge.submit(_nothing()).result(5)
        bench.advance(2.5)
        bench.wait(lambda: len(bench.heard.reports(order.order_id)) == 2)
        told = [report.status for report in bench.heard.reports(order.order_id)]
        assert told == [OrderStatus.ACCEPTED, OrderStatus.CANCELLED]
        assert bench.heard.of(RequestFailed) == []


async def _nothing() -> None:
    """Let the loop take its turn."""


def test_an_order_whose_link_is_lost_while_it_is_prepared_is_denied() -> None:
    with BinanceBench("usdm", settings=dict(TWO)) as bench:
        bench.connect()
        bench.fault("delay", endpoint="POST /fapi/v1/leverage", delay_s=60)
        order = bench.order()
        bench.adapter.send_order(order)
        bench.wait(lambda: posts(bench) == 1)
        bench.adapter.session.call_soon(lambda: bench.adapter.session.lose("cut"))
        bench.wait(lambda: bool(bench.heard.reports(order.order_id)))
        (told,) = bench.heard.reports(order.order_id)
        assert (told.status, told.rule) == (OrderStatus.DENIED, "not_connected")
