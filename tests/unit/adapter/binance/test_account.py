"""Balances, positions, orders and fills of an account: complete, exact, and told by lists and by the user stream alike."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from foxtrot.adapter.binance.account import AccountAnswers
from foxtrot.adapter.binance.orders import Orders
from foxtrot.core.notices import OpenOrdersLoaded, PositionsLoaded, RequestFailed, TradesLoaded
from foxtrot.domain.account import AccountCharge, AccountData, PositionData
from foxtrot.domain.enums import PositionSide, Product
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.order import OrderData, TradeData
from tests.support.scripted_binance import START_MS, Params, ScriptedSession, btcusdt, run
from tests.unit.adapter.binance.test_orders import algo_row, approved, row, traded

Story = Callable[[ScriptedSession, AccountAnswers, Orders], Awaitable[None]]
DAY_MS = 86_400_000


def play(story: Story, product: Product = Product.SPOT) -> ScriptedSession:
    session = ScriptedSession(product, (btcusdt(product),))

    async def whole() -> None:
        orders = Orders(session.adapter, session)  # type: ignore[arg-type]
        await story(session, AccountAnswers(session.adapter, session, orders), orders)  # type: ignore[arg-type]
        await session.settle()
        await session.end()

    run(whole)
    return session


def totals(data: AccountData) -> dict[str, tuple[Decimal, Decimal]]:
    return {balance.asset: (balance.total, balance.locked) for balance in data.balances}


SPOT_ACCOUNT = {
    "updateTime": START_MS,
    "balances": [
        {"asset": "BTC", "free": "4723846.89208129", "locked": "0.00000001"},
        {"asset": "USDT", "free": "4763368.68006011", "locked": "0.00000000"},
        {"asset": "LTC", "free": "0.00000000", "locked": "0.00000000"},
    ],
}
USDM_ACCOUNT = {
    "totalInitialMargin": "12.5",
    "availableBalance": "987.50000001",
    "assets": [
        {"asset": "USDT", "walletBalance": "1000.00000001", "initialMargin": "12.5", "updateTime": START_MS},
        {"asset": "BNB", "walletBalance": "0", "initialMargin": "0", "updateTime": 0},
    ],
}


def test_spot_balances_are_exact_and_leave_out_what_was_never_held() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        session.reply("privateGetAccount", SPOT_ACCOUNT)
        await answers.tell_account()

    (data,) = play(story).heard.of(AccountData)
    assert totals(data) == {
        "BTC": (Decimal("4723846.89208130"), Decimal("0.00000001")),
        "USDT": (Decimal("4763368.68006011"), Decimal(0)),
    }
    assert data.margin_available == 0


def test_contract_balances_say_wallet_margin_used_and_margin_available() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        session.reply("fapiPrivateV3GetAccount", USDM_ACCOUNT)
        await answers.tell_account()

    (data,) = play(story, Product.PERPETUAL).heard.of(AccountData)
    assert totals(data) == {"USDT": (Decimal("1000.00000001"), Decimal("12.5"))}
    assert (data.margin_used, data.margin_available) == (Decimal("12.5"), Decimal("987.50000001"))


def test_a_touched_balance_replaces_the_old_one_and_the_rest_is_told_with_it() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        session.reply("privateGetAccount", SPOT_ACCOUNT)
        await answers.tell_account()
        event = {"e": "outboundAccountPosition", "E": START_MS, "u": START_MS + 1}
        assert answers.hear({"subscriptionId": 0, "event": {**event, "B": [{"a": "BTC", "f": "0", "l": "0"}]}})
        answers.hear({**event, "u": START_MS - 1, "B": [{"a": "USDT", "f": "1", "l": "0"}]})

    told = play(story).heard.of(AccountData)
    assert len(told) == 2
    assert totals(told[-1]) == {"BTC": (Decimal(0), Decimal(0)), "USDT": (Decimal("4763368.68006011"), Decimal(0))}


def test_what_the_stream_said_during_a_query_is_newer_than_its_answer() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        def answer(_asked: Params) -> object:
            news = {
                "e": "outboundAccountPosition",
                "E": START_MS,
                "u": START_MS + 5,
                "B": [{"a": "BTC", "f": "1", "l": "0"}],
            }
            answers.hear(news)
            return SPOT_ACCOUNT

        session.reply("privateGetAccount", answer)
        await answers.tell_account()

    assert totals(play(story).heard.of(AccountData)[-1])["BTC"] == (Decimal(1), Decimal(0))


def test_deposits_and_withdrawals_are_charges() -> None:
    async def story(_session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        for amount in ("100.00000000", "-0.5"):
            answers.hear({"e": "balanceUpdate", "E": START_MS, "a": "BTC", "d": amount, "T": START_MS})

    charges = play(story).heard.of(AccountCharge)
    assert [(charge.kind, charge.asset, charge.amount) for charge in charges] == [
        ("deposit", "BTC", Decimal(100)),
        ("withdrawal", "BTC", Decimal("-0.5")),
    ]
    assert len({charge.charge_id for charge in charges}) == 2


def account_update(reason: str, change: str = "0", **position: str) -> dict[str, object]:
    row_ = {
        "s": "BTCUSDT",
        "pa": "0.010",
        "ep": "50000.1",
        "bep": "0",
        "cr": "200",
        "up": "-1.5",
        "mt": "cross",
        "ps": "BOTH",
    }
    wallet = {"a": "USDT", "wb": "999.8", "cw": "999.8", "bc": change}
    return {
        "e": "ACCOUNT_UPDATE", "E": START_MS, "T": START_MS,
        "a": {"m": reason, "B": [wallet], "P": [{**row_, **position}] if position else []},
    }  # fmt: skip


def test_a_change_of_a_contract_account_is_told_at_once_and_its_margins_are_asked_for() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        session.reply("fapiPrivateV3GetAccount", USDM_ACCOUNT)
        await answers.tell_account()
        for _ in range(5):
            answers.hear(account_update("ORDER", pa="0.010"))
        assert totals(session.heard.of(AccountData)[-1]) == {"USDT": (Decimal("999.8"), Decimal("12.5"))}
        await session.advance(5)

    session = play(story, Product.PERPETUAL)
    position = session.heard.of(PositionData)[0]
    assert (position.instrument_id, position.quantity, position.average_price) == (
        "BTCUSDT.BINANCE_USDM",
        0.01,
        50000.1,
    )
    assert (position.unrealised_profit, position.realised_profit) == (Decimal("-1.5"), Decimal(200))
    assert len(session.asked("fapiPrivateV3GetAccount")) == 2
    assert session.heard.of(AccountCharge) == []
    assert totals(session.heard.of(AccountData)[-1])["USDT"][0] == Decimal("1000.00000001")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (account_update("FUNDING_FEE", "-0.25"), ("funding", Decimal("-0.25"), "")),
        (account_update("FUNDING_FEE", "-0.25", mt="isolated"), ("funding", Decimal("-0.25"), "BTCUSDT.BINANCE_USDM")),
        (account_update("DEPOSIT", "100"), ("deposit", Decimal(100), "")),
        (account_update("COIN_SWAP_DEPOSIT", "1"), ("coin_swap_deposit", Decimal(1), "")),
    ],
)
def test_money_that_moves_without_a_trade_is_a_charge(
    event: dict[str, object], expected: tuple[str, Decimal, str]
) -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        session.reply("fapiPrivateV3GetAccount", USDM_ACCOUNT)
        answers.hear(event)

    (charge,) = play(story, Product.PERPETUAL).heard.of(AccountCharge)
    assert (charge.kind, charge.amount, charge.instrument_id) == expected


def test_equal_charges_of_one_moment_are_told_apart_and_one_that_comes_twice_is_known_again() -> None:
    def funding(wallet: str, **position: str) -> dict[str, object]:
        event = account_update("FUNDING_FEE", "-0.25", **position)
        return {**event, "a": {**event["a"], "B": [{"a": "USDT", "wb": wallet, "bc": "-0.25"}]}}  # type: ignore[dict-item]

    crossed = [funding("999.75"), funding("999.5")]
    isolated = [funding("999.25", ps=side) for side in ("LONG", "SHORT")]

    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        session.reply("fapiPrivateV3GetAccount", USDM_ACCOUNT)
        for event in (*crossed, *isolated, *crossed):
            answers.hear(event)

    ids = [charge.charge_id for charge in play(story, Product.PERPETUAL).heard.of(AccountCharge)]
    assert len(set(ids[:4])) == 4
    assert ids[4:] == ids[:2]


def test_positions_are_those_that_are_held() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        held = {
            "symbol": "BTCUSDT", "positionSide": "SHORT", "positionAmt": "-0.400", "entryPrice": "100.5", "markPrice": "101",
            "unRealizedProfit": "-0.2", "liquidationPrice": "180", "updateTime": START_MS,
        }  # fmt: skip
        session.reply("fapiPrivateV3GetPositionRisk", [held, {**held, "positionSide": "LONG", "positionAmt": "0.000"}])
        await answers.tell_positions()

    (loaded,) = play(story, Product.PERPETUAL).heard.of(PositionsLoaded)
    (position,) = loaded.positions
    assert (position.position_side, position.quantity, position.average_price) == (PositionSide.SHORT, -0.4, 100.5)
    assert (position.unrealised_profit, position.liquidation_price) == (Decimal("-0.2"), 180.0)


@pytest.mark.parametrize(("side", "price"), [("LONG", 42.0), ("SHORT", 180.0)])
def test_a_position_that_changes_keeps_the_liquidation_price_of_its_side(side: str, price: float) -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        one = {"symbol": "BTCUSDT", "positionSide": "LONG", "positionAmt": "0.4", "liquidationPrice": "42"}
        other = {**one, "positionSide": "SHORT", "positionAmt": "-0.4", "liquidationPrice": "180"}
        session.reply("fapiPrivateV3GetAccount", USDM_ACCOUNT)
        session.reply("fapiPrivateV3GetPositionRisk", [one, other])
        await answers.tell_positions()
        answers.hear(account_update("ORDER", pa="0.5", ps=side))
        answers.hear(account_update("ORDER", pa="0", ps=side))

    told = play(story, Product.PERPETUAL).heard.of(PositionData)
    assert [position.liquidation_price for position in told] == [price, 0.0]


def test_a_spot_account_has_no_positions_and_asks_for_none() -> None:
    async def story(_session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        await answers.tell_positions()

    session = play(story)
    assert session.heard.of(PositionsLoaded)[0].positions == ()
    assert session.calls == []


def test_open_orders_are_the_ordinary_and_the_waiting_ones_and_are_not_told_again() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, orders: Orders) -> None:
        plain = row("PARTIALLY_FILLED", "0.4", clientOrderId="t-8", orderId=31)
        session.reply("fapiPrivateGetOpenOrders", [plain])
        session.reply("fapiPrivateGetOpenAlgoOrders", [algo_row()])
        await answers.tell_orders()
        orders._queries.take_plain(plain)

    session = play(story, Product.PERPETUAL)
    (loaded,) = session.heard.of(OpenOrdersLoaded)
    assert {order.order_id: order.filled_quantity for order in loaded.orders} == {"t-8": 0.4, "t-1": 0.0}
    assert session.heard.of(OrderData) == []


# --- fills ----------------------------------------------------------------------------------------------------------------


class Tape:
    """The venue's fills of one symbol, answered page by page as Binance does."""

    def __init__(self, times_ms: list[int]) -> None:
        self.rows = [
            {
                "symbol": "BTCUSDT", "id": 10 * n, "orderId": 100 + n // 3, "price": "100", "qty": "0.1", "commission": "0.0001",
                "commissionAsset": "BTC", "time": time, "isBuyer": True, "isMaker": False,
            }
            for n, time in enumerate(times_ms)
        ]  # fmt: skip

    def fills(self, asked: Params) -> object:
        limit, rows = int(asked["limit"]), self.rows
        if "fromId" in asked:
            return [r for r in rows if int(str(r["id"])) >= int(asked["fromId"])][:limit]
        if "startTime" in asked:
            start, end = int(asked["startTime"]), int(asked["endTime"])
            assert end - start < DAY_MS
            return [r for r in rows if start <= int(str(r["time"])) <= end][:limit]
        return rows[-limit:]

    def orders(self, asked: Params) -> object:
        ids = sorted({int(str(r["orderId"])) for r in self.rows})
        found = [number for number in ids if number >= int(asked["orderId"])][: int(asked["limit"])]
        return [row("FILLED", "1", orderId=number, clientOrderId=f"t-{number}") for number in found]


def fills_since(times_ms: list[int], since_ms: int) -> tuple[ScriptedSession, tuple[TradeData, ...], int]:
    tape, cursor = Tape(times_ms), [0]

    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        session.reply("privateGetMyTrades", tape.fills)
        session.reply("privateGetAllOrders", tape.orders)
        answers.wanted = lambda: ["BTCUSDT.BINANCE", "NOPE.BINANCE"]
        cursor[0] = await answers.tell_trades(since_ms * 1_000_000)

    session = play(story)
    return session, session.heard.of(TradesLoaded)[0].trades, cursor[0]


def test_fills_since_a_time_include_it_name_our_orders_and_give_the_cursor() -> None:
    session, trades, cursor = fills_since([START_MS - 10, START_MS - 5, START_MS - 5, START_MS], START_MS - 5)
    assert [(trade.trade_id, trade.order_id) for trade in trades] == [("10", "t-100"), ("20", "t-100"), ("30", "t-101")]
    assert cursor == START_MS * 1_000_000
    assert len(session.asked("privateGetMyTrades")) == 1


@pytest.mark.parametrize("since_ms", [0, START_MS - 40 * DAY_MS])
def test_many_fills_are_read_page_by_page_to_the_last(since_ms: int) -> None:
    times = [START_MS - 30 * DAY_MS + n * 60_000 for n in range(2_500)]
    _, trades, _ = fills_since(times, since_ms)
    assert [int(trade.trade_id) for trade in trades] == [10 * n for n in range(2_500)]
    assert {trade.order_id for trade in trades} == {f"t-{100 + n // 3}" for n in range(2_500)}


def test_no_fill_leaves_the_cursor_where_it_was() -> None:
    _, trades, cursor = fills_since([], START_MS)
    assert (trades, cursor) == ((), START_MS * 1_000_000)


def test_a_fill_of_a_triggered_order_is_named_by_the_conditional_order_it_was() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        rows = [{**r, "buyer": True, "maker": False} for r in Tape([START_MS]).rows]
        session.reply("fapiPrivateGetUserTrades", rows)
        session.reply("fapiPrivateGetAllAlgoOrders", [algo_row("FINISHED", "100")])
        answers.wanted = lambda: ["BTCUSDT.BINANCE_USDM"]
        await answers.tell_trades(0)

    session = play(story, Product.PERPETUAL)
    assert session.heard.of(TradesLoaded)[0].trades[0].order_id == "t-1"
    assert session.asked("fapiPrivateGetAllOrders") == []


def test_an_order_that_the_venue_forgot_keeps_a_name_of_its_number() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        session.reply("privateGetMyTrades", Tape([START_MS]).fills)
        session.reply("privateGetAllOrders", [])
        answers.wanted = lambda: ["BTCUSDT.BINANCE"]
        await answers.tell_trades(0)

    assert play(story).heard.of(TradesLoaded)[0].trades[0].order_id == "venue100"


def test_a_pair_is_asked_for_when_it_was_traded_or_both_its_assets_are_held() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, orders: Orders) -> None:
        session.reply("privateGetMyTrades", [])
        session.reply("privateGetAccount", {"balances": [{"asset": "USDT", "free": "1", "locked": "0"}]})
        await answers.tell_account()
        await answers.tell_trades(0)
        assert session.asked("privateGetMyTrades") == []
        session.reply("privateGetAccount", SPOT_ACCOUNT)
        await answers.tell_account()
        await answers.tell_trades(0)
        assert len(session.asked("privateGetMyTrades")) == 1

    play(story)

    async def traded_story(session: ScriptedSession, answers: AccountAnswers, orders: Orders) -> None:
        session.reply("privateGetMyTrades", [])
        orders.hear(traded(1, "1", "1"))
        await answers.tell_trades(0)
        assert len(session.asked("privateGetMyTrades")) == 1

    play(traded_story)


def test_our_order_that_was_listed_before_its_answer_is_asked_for_its_fills() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, orders: Orders) -> None:
        answered = asyncio.Event()

        async def slow() -> object:
            await answered.wait()
            return row()

        session.reply("privatePostOrder", lambda _asked: slow())
        session.reply("privateGetOpenOrders", [row("PARTIALLY_FILLED", "0.1")])
        session.reply("privateGetMyTrades", [{**Tape([START_MS]).rows[0], "orderId": row()["orderId"]}])
        placed = session.spawn(orders.place(approved()), "place")
        await session.settle()
        await answers.tell_orders()
        answered.set()
        await placed
        await session.advance(3)

    assert [trade.quantity for trade in play(story).heard.of(TradeData)] == [0.1]


# --- bad messages ---------------------------------------------------------------------------------------------------------


def test_an_event_that_cannot_be_read_is_reported_and_the_account_asked_for() -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        session.reply("privateGetAccount", SPOT_ACCOUNT)
        assert answers.hear({"e": "outboundAccountPosition", "E": 1, "u": 1, "B": [{"a": "X", "f": "NaN", "l": "0"}]})
        assert not answers.hear({"e": "executionReport"})

    session = play(story)
    assert session.heard.of(RequestFailed)[0].what == "user event outboundAccountPosition"
    assert len(session.heard.of(AccountData)) == 1


@pytest.mark.parametrize("answer", [None, [], {"balances": [{"asset": "BTC", "free": "x", "locked": "0"}]}])
def test_an_answer_that_is_no_account_is_a_bad_message(answer: object) -> None:
    async def story(session: ScriptedSession, answers: AccountAnswers, _orders: Orders) -> None:
        session.reply("privateGetAccount", answer)
        with pytest.raises(BadMessage):
            await answers.tell_account()

    play(story)
