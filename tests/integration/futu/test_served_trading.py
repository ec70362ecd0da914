"""The unmodified SDK trades: what it is answered and told is what the venue's own books say."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.domain.enums import Liquidity, OrderType, Side
from foxtrot.domain.fees import FeeBasis, load_preset
from foxtrot.exchange.commands import OpenAccount, PlaceOrder
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from tests.support.futu_rig import ACCOUNT, MONEY, REAL, SIMULATE, futu_port, served_futu
from tests.support.futu_sdk import FutuContexts, hear_pushes, settled_rows
from tests.support.waiting import wait_until

TENCENT, APPLE = "HK.00700", "US.AAPL"
IDS = {TENCENT: "00700.SEHK", APPLE: "AAPL.NASDAQ"}
CENT = Decimal("0.01")


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    """An exchange without agents and without limits of frequency; somebody else is rich in money and stocks."""
    with served_futu(futu=FutuSettings(limits=False)) as one:
        one.call(_add_other)
        yield one


def _add_other(server: ExchangeServer) -> None:
    host = server.host
    host.execute(OpenAccount(host.now_ns(), "other"))
    for asset in ("HKD", "USD", "00700", "AAPL"):
        host.deposit("other", asset, Decimal(10_000_000))


def other(server: ExchangeServer, side: Side, code: str, price: float, quantity: int) -> None:
    """Let the other account enter a limit order."""

    def enter(one: ExchangeServer) -> None:
        host = one.host
        instrument = next(x for x in host.venue.instruments() if x.instrument_id == IDS[code])
        name = f"other-{host.venue.sequence}"
        units = instrument.price_units(price)
        command = PlaceOrder(
            host.now_ns(), "other", instrument.instrument_id, name, side, OrderType.LIMIT, quantity, units
        )
        assert host.execute(command).ok

    server.call(enter)


@pytest.fixture
def context(server: ExchangeServer, futu_contexts: FutuContexts) -> Any:
    """A trade context of the SDK on Hong Kong stocks, unlocked."""
    one = futu_contexts.trade(futu_port(server))
    assert one.unlock_trade("foxtrot") == (0, None)
    return one


def ok(answer: tuple[Any, ...]) -> list[dict[str, Any]]:
    """The rows of an answer that went well."""
    assert answer[0] == 0, answer[1]
    return settled_rows(answer[1])


def place(
    context: Any, code: str = TENCENT, side: str = "BUY", price: float = 400.0, qty: int = 100, **more: Any
) -> str:
    (row,) = ok(context.place_order(price=price, qty=qty, code=code, trd_side=side, **({"trd_env": "REAL"} | more)))
    return str(row["order_id"])


def listed(context: Any, environment: str = "REAL") -> dict[str, dict[str, Any]]:
    return {row["order_id"]: row for row in ok(context.order_list_query(trd_env=environment))}


def test_the_account_list_and_the_lock(server: ExchangeServer, futu_contexts: FutuContexts) -> None:
    context = futu_contexts.trade(futu_port(server))
    rows = ok(context.get_acc_list())
    assert [(row["acc_id"], row["trd_env"], row["trdmarket_auth"]) for row in rows] == [
        (REAL, "REAL", ["HK", "US"]),
        (SIMULATE, "SIMULATE", ["HK", "US"]),
    ]
    refused = context.place_order(price=400.0, qty=100, code=TENCENT, trd_side="BUY", trd_env="REAL")
    assert refused == (-1, "没有解锁交易，请先解锁交易")
    assert context.unlock_trade("wrong")[0] == -1
    assert context.unlock_trade("foxtrot") == (0, None)
    assert place(context)
    assert place(context, trd_env="SIMULATE")


def test_an_order_is_placed_modified_filled_in_parts_and_cancelled(
    server: ExchangeServer, context: Any, futu_contexts: FutuContexts
) -> None:
    futu = futu_contexts.futu
    orders = hear_pushes(context, futu.TradeOrderHandlerBase)
    deals = hear_pushes(context, futu.TradeDealHandlerBase)
    order_id = place(context, price=390.0, qty=200, remark="run-1-7")
    ok(context.modify_order("NORMAL", order_id, 300, 400.0, trd_env="REAL"))
    other(server, Side.SELL, TENCENT, 400.0, 100)
    ok(context.modify_order("CANCEL", order_id, 0, 0, trd_env="REAL"))
    wait_until(lambda: len(orders) == 6)
    told = [message.s2c.order for message in orders]
    assert [row.orderStatus for row in told] == [2, 5, 5, 10, 12, 14]
    assert [(row.qty, row.price) for row in told] == [(200, 390), (200, 390)] + [(300, 400)] * 4
    assert {(row.orderIDEx, row.remark) for row in told} == {(order_id, "run-1-7")}
    (deal,) = [message.s2c.orderFill for message in deals]
    assert (deal.orderIDEx, deal.qty, deal.price) == (order_id, 100, 400)
    row = listed(context)[order_id]
    assert (row["order_status"], row["dealt_qty"], row["dealt_avg_price"], row["remark"]) == (
        "CANCELLED_PART", 100, 400, "run-1-7",
    )  # fmt: skip
    assert [row["deal_id"] for row in ok(context.deal_list_query(trd_env="REAL"))] == [deal.fillID]


def test_the_sdks_own_handlers_read_the_pushes(
    server: ExchangeServer, context: Any, futu_contexts: FutuContexts
) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []

    class Orders(futu_contexts.futu.TradeOrderHandlerBase):  # type: ignore[name-defined, misc]
        def on_recv_rsp(self, message: Any) -> Any:
            result, frame = super().on_recv_rsp(message)
            heard.append(("order", settled_rows(frame)[0]))
            return result, frame

    class Deals(futu_contexts.futu.TradeDealHandlerBase):  # type: ignore[name-defined, misc]
        def on_recv_rsp(self, message: Any) -> Any:
            result, frame = super().on_recv_rsp(message)
            heard.append(("deal", settled_rows(frame)[0]))
            return result, frame

    context.set_handler(Orders())
    context.set_handler(Deals())
    other(server, Side.SELL, APPLE, 200.0, 10)
    order_id = place(context, APPLE, price=200.0, qty=10)
    wait_until(lambda: len(heard) == 4)
    assert [kind for kind, _ in heard] == ["order", "order", "order", "deal"]
    filled, deal = heard[2][1], heard[3][1]
    assert (filled["code"], filled["order_status"], filled["order_id"], filled["trd_env"], filled["currency"]) == (
        APPLE, "FILLED_ALL", order_id, "REAL", "USD",
    )  # fmt: skip
    assert (deal["code"], deal["order_id"], deal["qty"], deal["price"], deal["trd_side"]) == (
        APPLE, order_id, 10, 200, "BUY",
    )  # fmt: skip


def test_simulate_has_orders_and_no_deals(server: ExchangeServer, context: Any, futu_contexts: FutuContexts) -> None:
    orders = hear_pushes(context, futu_contexts.futu.TradeOrderHandlerBase)
    deals = hear_pushes(context, futu_contexts.futu.TradeDealHandlerBase)
    other(server, Side.SELL, TENCENT, 400.0, 100)
    order_id = place(context, trd_env="SIMULATE")
    wait_until(lambda: len(orders) == 3)
    assert listed(context, "SIMULATE")[order_id]["dealt_qty"] == 100
    assert (context.deal_list_query(trd_env="SIMULATE"), deals) == (
        (-1, "Simulated trade does not support deal list"),
        [],
    )
    (position,) = ok(context.position_list_query(trd_env="SIMULATE"))
    assert (position["code"], position["qty"]) == (TENCENT, 100)


def test_money_positions_and_fees_are_the_venues_own_to_the_cent(server: ExchangeServer, context: Any) -> None:
    bought, sold = [], []
    for code, price, qty in ((TENCENT, 400.0, 300), (APPLE, 200.0, 7)):
        other(server, Side.SELL, code, price, qty)
        bought.append(place(context, code, price=price, qty=qty))
        other(server, Side.BUY, code, price + 1, qty)
        sold.append(place(context, code, "SELL", price + 1, 100 if code == TENCENT else 3))
    orders = bought + sold
    fees = {row["order_id"]: row for row in ok(context.order_fee_query(orders, trd_env="REAL"))}
    expected = [
        _fee("futu_hk", Side.BUY, 300, 400), _fee("futu_us", Side.BUY, 7, 200),
        _fee("futu_hk", Side.SELL, 100, 401), _fee("futu_us", Side.SELL, 3, 201),
    ]  # fmt: skip
    told = [Decimal(str(fees[order_id]["fee_amount"])) for order_id in orders]
    assert told == expected
    for order_id in orders:
        items = sum(Decimal(str(value)) for _, value in fees[order_id]["fee_details"])
        assert items.quantize(CENT) == Decimal(str(fees[order_id]["fee_amount"]))
    hkd = MONEY["HKD"] - 120_000 + 40_100 - told[0] - told[2]
    usd = MONEY["USD"] - 1_400 + 603 - told[1] - told[3]
    (account,) = ok(context.accinfo_query(trd_env="REAL", currency="HKD"))
    assert [Decimal(str(account[name])) for name in ("hk_cash", "us_cash")] == [hkd, usd]
    balances = server.call(lambda one: one.host.venue.balances(ACCOUNT))
    assert (balances["HKD"][0], balances["USD"][0]) == (hkd, usd)
    held = {row["code"]: row for row in ok(context.position_list_query(trd_env="REAL"))}
    assert {code: row["qty"] for code, row in held.items()} == {TENCENT: 200, APPLE: 4}
    assert (held[TENCENT]["average_cost"], held[TENCENT]["market_val"]) == (400, 200 * 401)
    assert server.call(lambda one: one.host.venue.validate()) is None


def _fee(preset: str, side: Side, quantity: int, price: int) -> Decimal:
    notional = Decimal(quantity * price)
    return load_preset(preset).fee(FeeBasis(side, Liquidity.TAKER, Decimal(quantity), notional))


@pytest.mark.parametrize(
    ("order_type", "more"),
    [
        ("ABSOLUTE_LIMIT", {}),
        ("SPECIAL_LIMIT", {}),
        ("SPECIAL_LIMIT_ALL", {}),
        ("MARKET", {}),
        ("STOP", {"aux_price": 410.0}),
        ("STOP_LIMIT", {"aux_price": 410.0}),
        ("MARKET_IF_TOUCHED", {"aux_price": 390.0}),
        ("LIMIT_IF_TOUCHED", {"aux_price": 390.0}),
        ("TRAILING_STOP", {"trail_type": "AMOUNT", "trail_value": 5.0}),
    ],
)
def test_the_sdk_can_place_each_type(
    server: ExchangeServer, context: Any, order_type: str, more: dict[str, object]
) -> None:
    other(server, Side.SELL, TENCENT, 400.0, 100)
    order_id = place(context, order_type=order_type, **more)
    row = listed(context)[order_id]
    assert row["order_type"] == order_type
    assert row["order_status"] == ("SUBMITTED" if more else "FILLED_ALL")


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"time_in_force": "GTC"}, "SUBMITTED"),
        ({"time_in_force": "IOC"}, "CANCELLED_ALL"),
        ({"time_in_force": "GTD", "expire_time": "2031-01-02"}, "SUBMITTED"),
    ],
)
def test_the_sdk_can_place_each_time_in_force(context: Any, more: dict[str, object], status: str) -> None:
    order_id = place(context, **more)
    row = listed(context)[order_id]
    assert (row["time_in_force"], row["order_status"]) == (more["time_in_force"], status)


def test_extended_hours_and_the_most_that_can_be_traded(context: Any) -> None:
    order_id = place(context, APPLE, price=200.0, qty=1, fill_outside_rth=True)
    assert listed(context)[order_id]["fill_outside_rth"]
    (most,) = ok(context.acctradinginfo_query("NORMAL", TENCENT, 400.0, trd_env="REAL"))
    assert (most["max_cash_buy"], most["max_position_sell"]) == (2400, 0)
    refused = context.place_order(price=400.0, qty=2500, code=TENCENT, trd_side="BUY", trd_env="REAL")
    assert refused == (-1, "购买力不足")


def test_all_orders_are_cancelled_at_once(context: Any) -> None:
    orders = [place(context, price=390.0), place(context, APPLE, price=190.0, qty=1)]
    assert context.cancel_all_order(trd_env="REAL", trdmarket="US")[0] == 0
    assert [listed(context)[one]["order_status"] for one in orders] == ["SUBMITTED", "CANCELLED_ALL"]
    assert context.cancel_all_order(trd_env="REAL")[0] == 0
    assert listed(context)[orders[0]]["order_status"] == "CANCELLED_ALL"


def test_history_is_what_has_ended(server: ExchangeServer, context: Any) -> None:
    other(server, Side.SELL, TENCENT, 400.0, 100)
    place(context, price=390.0)
    done = place(context)
    assert [row["order_id"] for row in ok(context.history_order_list_query(trd_env="REAL"))] == [done]
    assert [row["order_id"] for row in ok(context.history_deal_list_query(trd_env="REAL"))] == [done]


def test_two_contexts_hear_of_one_account(server: ExchangeServer, context: Any, futu_contexts: FutuContexts) -> None:
    second = futu_contexts.trade(futu_port(server), "US")
    heard = [hear_pushes(one, futu_contexts.futu.TradeOrderHandlerBase) for one in (context, second)]
    place(context)
    wait_until(lambda: [len(messages) for messages in heard] == [2, 2])


def test_orders_and_the_unlock_survive_a_restart_of_the_server(server: ExchangeServer, context: Any) -> None:
    order_id = place(context, remark="before")
    old = context.get_sync_conn_id()
    server.restart()
    wait_until(lambda: context.get_sync_conn_id() != old and context.status == "READY")
    row = listed(context)[order_id]
    assert (row["remark"], row["order_status"], row["time_in_force"]) == ("before", "SUBMITTED", "DAY")
    ok(context.modify_order("CANCEL", order_id, 0, 0, trd_env="REAL"))


def test_orders_that_come_too_often_are_refused(futu_contexts: FutuContexts) -> None:
    with served_futu() as server:
        context = futu_contexts.trade(futu_port(server))
        for _ in range(15):
            place(context, trd_env="SIMULATE", price=390.0)
        refused = context.place_order(price=390.0, qty=100, code=TENCENT, trd_side="BUY", trd_env="SIMULATE")
        assert refused == (-1, "下单频率太高，请求失败，每30秒最多15次。")


def test_an_order_of_the_lunch_break_waits_and_the_close_ends_the_rest_of_the_day(futu_contexts: FutuContexts) -> None:
    clock = ManualClock(_hong_kong("2026-03-10 12:30:00"))
    settings = FutuSettings(always_open=False, limits=False)
    with served_futu(futu=settings, clock=clock) as server:
        context = futu_contexts.trade(futu_port(server))
        assert context.unlock_trade("foxtrot") == (0, None)
        orders = hear_pushes(context, futu_contexts.futu.TradeOrderHandlerBase)
        order_id = place(context)
        assert listed(context)[order_id]["order_status"] == "WAITING_SUBMIT"
        refused = context.place_order(price=400.0, qty=100, code=TENCENT, trd_side="BUY", trd_env="SIMULATE")
        assert refused == (-1, "Simulated trade is open in regular trading hours only")
        for moment in ("2026-03-10 13:00:00", "2026-03-10 16:00:00"):
            clock.move_to(_hong_kong(moment))
            server.step()
        wait_until(lambda: len(orders) == 4)
        assert [message.s2c.order.orderStatus for message in orders] == [1, 2, 5, 15]
        assert listed(context)[order_id]["last_err_msg"] == "The order has expired"


def _hong_kong(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Hong_Kong"))
    return int(moment.timestamp()) * 1_000_000_000
