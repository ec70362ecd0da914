"""Shares of Shanghai and Shenzhen through Hong Kong's connect: by the SDK alone on the served exchange, and by the adapter."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest

from foxtrot.adapter.futu.adapter import FutuAdapter
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import ContractsLoaded, PositionsLoaded
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.market import DepthData
from foxtrot.domain.order import ApprovedOrder
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.server import ExchangeServer
from tests.support.futu_connect_rig import MOUTAI, PINGAN, connect_exchange, connected, sell
from tests.support.futu_rig import REAL
from tests.support.futu_sdk import FutuContexts
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

SHANGHAI = ZoneInfo("Asia/Shanghai")
Adapter = tuple[FutuAdapter, Recorder, ExchangeServer]


def shanghai_ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp()) * 10**9


# --- the exchange, by the SDK alone -------------------------------------------------------------------------------------


@pytest.fixture
def server(futu_sdk: ModuleType) -> Iterator[ExchangeServer]:
    with connect_exchange(ManualClock(shanghai_ns("2026-03-10 10:00:00"))) as made:
        yield made


@pytest.fixture
def trade(server: ExchangeServer, futu_sdk: ModuleType, futu_contexts: FutuContexts) -> object:
    context = futu_contexts.trade(server.ports["futu"] or 0, "HKCC")
    assert context.unlock_trade("foxtrot")[0] == 0
    return context


def test_the_sdk_is_told_of_both_shares_their_lots_and_days(
    server: ExchangeServer, futu_sdk: ModuleType, futu_contexts: FutuContexts
) -> None:
    quotes = futu_contexts.quote(server.ports["futu"] or 0)
    for market, code in ((futu_sdk.Market.SH, "SH.600519"), (futu_sdk.Market.SZ, "SZ.000001")):
        ret, table = quotes.get_stock_basicinfo(market, futu_sdk.SecurityType.STOCK)
        assert ret == 0, table
        assert table[["code", "lot_size"]].values.tolist() == [[code, 100]]
    ret, days = quotes.request_trading_days(futu_sdk.TradeDateMarket.CN, "2026-02-13", "2026-02-25")
    assert (ret, [day["time"] for day in days]) == (0, ["2026-02-13", "2026-02-24", "2026-02-25"])


def test_only_the_account_with_real_money_trades_through_the_connect(trade: object) -> None:
    ret, table = trade.get_acc_list()  # type: ignore[attr-defined]
    assert ret == 0
    assert {row.acc_id: row.trdmarket_auth for row in table.itertuples()} == {
        number: ["HK", "US", "HKCC"] for number in (REAL, REAL + 1)
    }


def test_the_sdk_buys_a_lot_and_is_refused_what_the_connect_does_not_take(
    server: ExchangeServer, futu_sdk: ModuleType, trade: object
) -> None:
    place = trade.place_order  # type: ignore[attr-defined]
    sell(server, MOUTAI, 100, 150_000)
    buy = {"code": "SH.600519", "trd_side": futu_sdk.TrdSide.BUY, "trd_env": futu_sdk.TrdEnv.REAL, "acc_id": REAL}
    ret, text = place(price=0.0, qty=100, order_type=futu_sdk.OrderType.MARKET, **buy)
    assert (ret, "limit orders for the day only" in text) == (-1, True)
    ret, text = place(price=1500.0, qty=100, time_in_force=futu_sdk.TimeInForce.GTC, **buy)
    assert (ret, "limit orders for the day only" in text) == (-1, True)
    ret, text = place(price=1500.0, qty=50, **buy)
    assert ret == -1, text
    ret, table = place(price=1500.0, qty=100, **buy)
    assert ret == 0, table
    fills = server.call(lambda running: running.host.venue.fills("main"))
    assert [(fill.fill_price, fill.fill_quantity, fill.fee) for fill in fills] == [(150_000, 100, Decimal(0))]
    ret, held = trade.position_list_query(trd_env=futu_sdk.TrdEnv.REAL, acc_id=REAL)  # type: ignore[attr-defined]
    assert (ret, held[["code", "qty", "currency"]].values.tolist()) == (0, [["SH.600519", 100.0, "CNH"]])


# --- the adapter ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ours(futu_sdk: ModuleType) -> Iterator[Adapter]:
    clock = ManualClock(shanghai_ns("2026-03-10 10:00:00"))
    with connect_exchange(clock) as server, connected(server, clock) as (adapter, heard):
        yield adapter, heard, server


def order(name: str, instrument_id: str, price_cents: int, **changes: object) -> ApprovedOrder:
    terms: dict[str, object] = {
        "order_type": OrderType.LIMIT, "quantity_units": 100, "time_in_force": TimeInForce.DAY, "reduce_only": False,
        "post_only": False, "position_side": PositionSide.NET, "trigger_units": 0, "trailing_offset_units": 0,
        "display_units": 0, "expire_time_ns": 0, "created_time_ns": 0,
    }  # fmt: skip
    return ApprovedOrder(  # type: ignore[misc]
        order_id=name, strategy_id="tester", account="ours", instrument_id=instrument_id, side=Side.BUY,
        price_units=price_cents, **(terms | changes),
    )  # fmt: skip


def last(heard: Recorder, order_id: str) -> OrderStatus | None:
    reports = heard.reports(order_id)
    return reports[-1].status if reports else None


def test_both_shares_are_listed_with_steps_lots_and_hours_of_the_mainland(ours: Adapter) -> None:
    _, heard, _ = ours
    (contracts,) = heard.of(ContractsLoaded)
    assert [
        (one.instrument_id, one.lot_units, one.quote_asset, one.calendar, str(one.price_grid.to_decimal(1)))
        for one in contracts.instruments
    ] == [(MOUTAI, 100, "CNH", "XSHG", "0.01"), (PINGAN, 100, "CNH", "XSHG", "0.01")]


@pytest.mark.parametrize(("name", "asset"), [(MOUTAI, "600519"), (PINGAN, "000001")])
def test_the_adapter_streams_buys_and_knows_what_it_holds(ours: Adapter, name: str, asset: str) -> None:
    adapter, heard, server = ours
    sell(server, name, 100, 1_234)
    adapter.subscribe(SubscribeRequest(name, ticks=True, depth_levels=5))
    wait_until(lambda: any(one.asks == ((12.34, 100.0),) for one in heard.of(DepthData)), 10.0)
    adapter.send_order(order("t-1", name, 1_234))
    wait_until(lambda: last(heard, "t-1") is OrderStatus.FILLED, 10.0)
    wait_until(lambda: len(heard.fills("t-1")) == 1, 10.0)
    (fill,) = heard.fills("t-1")
    assert (fill.price, fill.quantity, fill.fee) == (12.34, 100.0, Decimal(0))
    adapter.query_positions()
    held = [(name, 100.0)]
    wait_until(
        lambda: [(one.instrument_id, one.quantity) for one in heard.of(PositionsLoaded)[-1].positions] == held, 10.0
    )
    adapter.query_account()
    wait_until(
        lambda: {one.asset: one.total for one in heard.of(AccountData)[-1].balances}.get("CNH") == Decimal("9998766"),
        10.0,
    )
    assert server.call(lambda running: running.host.venue.balances("main"))[asset][0] == 100


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("order_type", {"order_type": OrderType.MARKET, "price_units": 0}),
        ("time_in_force", {"time_in_force": TimeInForce.GTC}),
        ("time_in_force", {"time_in_force": TimeInForce.IOC}),
    ],
)
def test_what_the_connect_does_not_take_is_denied_and_never_leaves(
    ours: Adapter, rule: str, changes: dict[str, object]
) -> None:
    adapter, heard, server = ours
    price = int(changes.pop("price_units", 1_000))  # type: ignore[call-overload]
    adapter.send_order(order("t-2", MOUTAI, price, **changes))
    wait_until(lambda: last(heard, "t-2") is OrderStatus.DENIED, 10.0)
    assert heard.reports("t-2")[-1].rule == rule
    assert not server.call(lambda running: running.traffic.orders)


def test_over_the_mainlands_lunch_an_order_is_refused_though_hong_kong_trades(futu_sdk: ModuleType) -> None:
    clock = ManualClock(shanghai_ns("2026-03-10 11:45:00"))
    with connect_exchange(clock, always_open=False) as server, connected(server, clock) as (adapter, heard):
        adapter.send_order(order("t-3", MOUTAI, 1_000))
        wait_until(lambda: last(heard, "t-3") is OrderStatus.DENIED, 10.0)
        assert heard.reports("t-3")[-1].rule == "outside_session"
