"""Rounds of questions: what Binance refuses to tell of one symbol is left out, said once, and costs the others nothing."""

from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import NamedTuple

import msgspec
import pytest
from loguru import logger

from foxtrot.adapter.binance.account import AccountAnswers
from foxtrot.adapter.binance.account_polling import AccountPolling
from foxtrot.adapter.binance.orders import Orders
from foxtrot.core.notices import TradesLoaded
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import VenueRejected
from foxtrot.domain.order import TradeData
from tests.support.scripted_binance import START_MS, Params, ScriptedSession, btcusdt, run
from tests.unit.adapter.binance.test_orders import approved, row, told

BTC = btcusdt()
ETH = msgspec.structs.replace(BTC, instrument_id="ETHUSDT.BINANCE", symbol="ETHUSDT", base_asset="ETH")
REFUSED = VenueRejected("binance", "-1121", "Invalid symbol.")
BUSY = VenueRejected("binance", "-1001", "Internal error.")


class Parts(NamedTuple):
    """What a story plays with."""

    session: ScriptedSession
    orders: Orders
    answers: AccountAnswers
    polling: AccountPolling


def play(story: Callable[[Parts], Awaitable[None]]) -> ScriptedSession:
    session = ScriptedSession(instruments=(BTC, ETH))
    session.health = SimpleNamespace(used_weight=0)  # type: ignore[attr-defined]
    session.reply("privateGetAccount", {"balances": []})
    session.reply("privateGetMyTrades", [])
    session.reply("privateGetOpenOrders", listed)

    async def whole() -> None:
        orders = Orders(session.adapter, session)  # type: ignore[arg-type]
        answers = AccountAnswers(session.adapter, session, orders)  # type: ignore[arg-type]
        await story(Parts(session, orders, answers, AccountPolling(session, orders, answers)))  # type: ignore[arg-type]
        await session.settle()
        await session.end()

    run(whole)
    return session


def placed(asked: Params) -> dict[str, object]:
    """An order of the symbol that is asked for; its number and its id are the symbol's."""
    symbol, number = asked["symbol"], 28 if asked["symbol"] == "BTCUSDT" else 29
    return row(symbol=symbol, orderId=number, clientOrderId=f"t-{number}")


def listed(asked: Params) -> list[dict[str, object]]:
    """The open orders of the symbol that is asked for, or of both."""
    return [placed(asked)] if asked else [placed({"symbol": symbol}) for symbol in ("BTCUSDT", "ETHUSDT")]


def fill(number: int) -> dict[str, object]:
    return {
        "symbol": "ETHUSDT", "id": number, "orderId": 29, "price": "100", "qty": "1", "quoteQty": "100", "commission": "0",
        "commissionAsset": "ETH", "time": START_MS, "isBuyer": True, "isMaker": True,
    }  # fmt: skip


def unless(symbol: str, refusal: Exception, then: Callable[[Params], object]) -> Callable[[Params], object]:
    """An answer of every symbol but one."""

    def answer(asked: Params) -> object:
        if asked["symbol"] == symbol:
            raise refusal
        return then(asked)

    return answer


async def place_both(parts: Parts) -> None:
    parts.session.reply("privatePostOrder", placed)
    await parts.orders.place(approved("t-28"))
    await parts.orders.place(approved("t-29", instrument_id=ETH.instrument_id))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    heard: list[str] = []
    sink = logger.add(heard.append, format="{message}", level="WARNING")
    yield heard
    logger.remove(sink)


def test_a_symbol_whose_orders_are_refused_is_left_out_of_every_round_and_said_once(lines: list[str]) -> None:
    async def story(parts: Parts) -> None:
        await place_both(parts)
        parts.polling._whole_ns = parts.session.clock.monotonic_ns()
        traded = row("PARTIALLY_FILLED", "0.5", symbol="ETHUSDT", orderId=29, clientOrderId="t-29")
        parts.session.reply("privateGetOpenOrders", unless("BTCUSDT", REFUSED, lambda _asked: [traded]))
        for _ in range(3):
            await parts.polling.poll(whole=False)

    session = play(story)
    assert told(session, "t-29") == [OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED]
    assert told(session, "t-28") == [OrderStatus.ACCEPTED]
    assert session.asked("privateGetOrder") == []
    assert len([line for line in lines if "BTCUSDT" in line]) == 1


@pytest.mark.parametrize("whole", [False, True])
def test_an_order_of_a_symbol_that_is_not_listed_any_more_does_not_stop_the_rounds(
    lines: list[str], *, whole: bool
) -> None:
    async def story(parts: Parts) -> None:
        await place_both(parts)
        parts.polling._whole_ns = parts.session.clock.monotonic_ns()
        del parts.session.instruments[BTC.instrument_id]
        parts.session.reply("privateGetOpenOrders", [])
        parts.session.reply("privateGetOrder", row("CANCELED", symbol="ETHUSDT", orderId=29, clientOrderId="t-29"))
        for _ in range(3):
            await parts.polling.poll(whole=whole)

    session = play(story)
    assert told(session, "t-29") == [OrderStatus.ACCEPTED, OrderStatus.CANCELLED]
    assert len([line for line in lines if "BTCUSDT" in line]) == 1


@pytest.mark.parametrize("endpoint", ["privateGetOpenOrders", "privateGetMyTrades"])
def test_a_server_that_fails_fails_the_round(endpoint: str) -> None:
    async def story(parts: Parts) -> None:
        await place_both(parts)
        parts.polling._whole_ns = parts.session.clock.monotonic_ns()
        parts.session.reply(endpoint, BUSY)
        with pytest.raises(VenueRejected):
            await parts.polling.poll(whole=True)

    play(story)


def test_fills_that_are_refused_over_a_new_link_are_told_once_they_can_be_had(lines: list[str]) -> None:
    async def story(parts: Parts) -> None:
        await place_both(parts)
        refuse = unless("ETHUSDT", REFUSED, lambda _asked: [])
        parts.session.reply("privateGetMyTrades", refuse)
        before_ns = parts.session.clock.now_ns() - 1_000_000_000
        await parts.answers.tell_trades(before_ns)
        parts.session.clock.advance(5_000_000_000)
        await parts.answers.tell_trades(parts.session.clock.now_ns())
        parts.session.reply("privateGetMyTrades", unless("BTCUSDT", REFUSED, lambda _asked: [fill(7)]))
        await parts.answers.tell_trades(parts.session.clock.now_ns())

    session = play(story)
    assert [[trade.trade_id for trade in loaded.trades] for loaded in session.heard.of(TradesLoaded)] == [[], [], ["7"]]
    assert [line.split()[3] for line in lines if "fills" in line] == ["ETHUSDT", "BTCUSDT"]


def test_fills_that_are_refused_in_a_round_are_told_in_a_later_one() -> None:
    async def story(parts: Parts) -> None:
        await place_both(parts)
        await parts.answers.tell_trades(parts.session.clock.now_ns())
        parts.session.reply("privateGetOpenOrders", [])
        parts.session.reply("privateGetOrder", done)
        parts.session.reply("privateGetMyTrades", unless("ETHUSDT", REFUSED, lambda _asked: []))
        await parts.polling.poll(whole=True)
        assert parts.session.heard.of(TradeData) == []
        parts.session.reply("privateGetMyTrades", unless("BTCUSDT", REFUSED, lambda _asked: [fill(7)]))
        await parts.polling.poll(whole=True)

    session = play(story)
    assert [trade.trade_id for trade in session.heard.of(TradeData)] == ["7"]


def done(asked: Params) -> dict[str, object]:
    """The end of the order that is asked for: filled, or cancelled without a fill."""
    if asked["symbol"] == "ETHUSDT":
        return row("FILLED", "1.00000000", symbol="ETHUSDT", orderId=29, clientOrderId="t-29")
    return row("CANCELED", orderId=28, clientOrderId="t-28")


def test_pairs_that_are_halted_are_not_asked_for_fills_unless_something_was_heard_of_them() -> None:
    async def story(parts: Parts) -> None:
        balances = [{"asset": asset, "free": "1", "locked": "0"} for asset in ("BTC", "ETH", "USDT")]
        parts.session.reply("privateGetAccount", {"updateTime": START_MS, "balances": balances})
        await parts.answers.tell_account()
        assert parts.answers.symbols() == {"BTCUSDT", "ETHUSDT"}
        parts.session.halted = {ETH.instrument_id: "BREAK"}
        assert parts.answers.symbols() == {"BTCUSDT"}
        parts.session.halted = {}
        await place_both(parts)
        parts.session.halted = {ETH.instrument_id: "BREAK"}
        assert parts.answers.symbols() == {"BTCUSDT", "ETHUSDT"}

    play(story)
