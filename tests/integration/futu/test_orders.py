"""Orders of the Futu client on the served exchange, over the unmodified SDK: paper accounts, whose fills are derived, and real ones."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from foxtrot.core.notices import (
    AdapterStatus,
    ContractsLoaded,
    OpenOrdersLoaded,
    OrderMissing,
    PositionsLoaded,
    RequestFailed,
    TradesLoaded,
)
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, Liquidity, OrderStatus, OrderType, Side, TimeInForce
from foxtrot.domain.fees import FeeBasis, load_preset
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.order_state import may_move
from tests.support.futu_trading_rig import HK, US, FutuTradingRig

S = OrderStatus
Made = Callable[..., FutuTradingRig]
OPENING = (AdapterStatus, ContractsLoaded, AccountData, PositionsLoaded, OpenOrdersLoaded, TradesLoaded)


@pytest.fixture
def rigs(futu_sdk: object) -> Iterator[Made]:
    """Makes rigs that end with the test."""
    made: list[FutuTradingRig] = []

    def make(**settings: object) -> FutuTradingRig:
        made.append(FutuTradingRig(**settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for rig in made:
        rig.__exit__()


@pytest.fixture(params=["simulate", "real"])
def rig(request: pytest.FixtureRequest, rigs: Made) -> FutuTradingRig:
    """A connected client, with and without real money."""
    return rigs(real=request.param == "real").start()


def statuses(rig: FutuTradingRig, order_id: str) -> list[OrderStatus]:
    told = [report.status for report in rig.heard.reports(order_id)]
    return [status for n, status in enumerate(told) if n == 0 or told[n - 1] is not status]


def test_a_link_is_brought_up_to_date_in_the_promised_order(rig: FutuTradingRig) -> None:
    found = [event for event in rig.heard.events() if isinstance(event, OPENING)]
    assert [event.state if isinstance(event, AdapterStatus) else type(event) for event in found] == [
        AdapterState.CONNECTING, AdapterState.CONNECTED, ContractsLoaded, AccountData, PositionsLoaded, OpenOrdersLoaded,
        TradesLoaded, AdapterState.READY,
    ]  # fmt: skip
    money = {row.asset: (row.total, row.locked) for row in rig.heard.of(AccountData)[0].balances}
    assert money == {"HKD": (10_000_000, 0), "USD": (1_000_000, 0)}


def test_an_order_rests_under_our_id_and_is_cancelled(rig: FutuTradingRig) -> None:
    order_id = rig.send(price="399.8")
    (told,) = rig.heard.reports(order_id)
    assert (told.status, told.price, told.quantity, told.time_in_force) == (S.ACCEPTED, 399.8, 300.0, TimeInForce.DAY)
    assert told.venue_order_id
    rig.cancel(order_id)
    rig.until(order_id, S.CANCELLED)
    assert statuses(rig, order_id) == [S.ACCEPTED, S.CANCELLED]
    assert rig.requests("Trd_PlaceOrder") == 1


def test_fills_add_up_and_are_told_once_after_the_state_that_counts_them(rig: FutuTradingRig) -> None:
    order_id = rig.send(quantity=600, price="400")
    for quantity in (100, 200, 300):
        rig.rest(Side.SELL, "400", quantity)
        rig.settle()
    fills = rig.filled(order_id, 600)
    rig.until(order_id, S.FILLED)
    assert sum(fill.quantity for fill in fills) == 600
    assert {fill.price for fill in fills} == {400.0}
    assert len({fill.trade_id for fill in fills}) == len(fills)
    counted, filled = 0.0, 0.0
    for event in rig.heard.events():
        if isinstance(event, OrderData):
            counted = event.filled_quantity
        elif isinstance(event, TradeData):
            filled += event.quantity
            assert filled <= counted
    moves = statuses(rig, order_id)
    assert all(may_move(a, b) for a, b in pairwise(moves))


@pytest.mark.parametrize("real", [False, True])
def test_fees_are_those_of_futus_schedules(rigs: Made, real: bool) -> None:
    rig = rigs(real=real, outside_session="send").start()
    rig.rest(Side.SELL, "400", 1_000)
    order_id = rig.send(quantity=1_000, price="")
    (fill,) = rig.filled(order_id, 1_000)
    assert (fill.price, fill.fee_asset) == (400.0, "HKD")
    basis = FeeBasis(Side.BUY, Liquidity.TAKER, Decimal(1_000), Decimal(400_000))
    assert fill.fee == load_preset("futu_hk").fee(basis)
    rig.rest(Side.SELL, "200", 100, name=US)
    (fill,) = rig.filled(rig.send(quantity=100, price="", instrument_id=US), 100)
    assert (fill.price, fill.fee_asset, str(fill.fee)) == (200.0, "USD", "2.29")


def test_money_and_holdings_are_asked_for_after_a_fill(rig: FutuTradingRig) -> None:
    rig.rest(Side.SELL, "400", 100)
    before = len(rig.heard)
    rig.filled(rig.send(quantity=100, price=""), 100)
    rig.wait(lambda: bool(rig.heard.of(PositionsLoaded, before) and rig.heard.of(AccountData, before)))
    held = rig.heard.of(PositionsLoaded, before)[-1].positions
    assert [(row.instrument_id, row.quantity, row.average_price) for row in held] == [(HK, 100.0, 400.0)]


def test_a_sweep_of_two_prices_is_two_fills_or_their_exact_average(rig: FutuTradingRig) -> None:
    rig.rest(Side.SELL, "400", 100)
    rig.rest(Side.SELL, "400.2", 200)
    order_id = rig.send(quantity=300, price="400.2")
    fills = rig.filled(order_id, 300)
    value = sum(fill.price * fill.quantity for fill in fills)
    assert value == pytest.approx(100 * 400 + 200 * 400.2, rel=1e-12)
    if rig.real:
        assert [fill.price for fill in fills] == [400.0, 400.2]
    else:
        assert all(fill.trade_id.endswith("avg") == (round(fill.price, 1) != fill.price) for fill in fills)


def test_what_futu_refuses_is_rejected_with_its_words(rig: FutuTradingRig) -> None:
    order_id = rig.send(quantity=10_000_000, price="400")
    last = rig.heard.reports(order_id)[-1]
    assert (last.status, last.rule) == (S.REJECTED, "venue")
    assert last.reason


def test_an_order_that_cannot_be_expressed_is_denied_and_never_leaves(rig: FutuTradingRig) -> None:
    order_id = rig.send(post_only=True)
    assert [(report.status, report.rule) for report in rig.heard.reports(order_id)] == [(S.DENIED, "post_only")]
    assert rig.requests("Trd_PlaceOrder") == 0


def test_a_closed_permit_denies_and_cancels_pass_it(rig: FutuTradingRig) -> None:
    resting = rig.send(price="399.8")
    rig.permit.close("kill switch")
    order_id = rig.send()
    (report,) = rig.heard.reports(order_id)
    assert (report.status, report.rule, report.reason) == (S.DENIED, "send_permit", "kill switch")
    rig.cancel(resting)
    rig.until(resting, S.CANCELLED)
    assert rig.requests("Trd_PlaceOrder") == 1


def test_an_id_is_never_sent_twice(rig: FutuTradingRig) -> None:
    order = rig.order(price="399.8")
    for _ in range(3):
        rig.adapter.send_order(order)
    rig.wait(lambda: len(rig.heard.of(RequestFailed)) == 2)
    rig.wait(lambda: bool(rig.heard.reports(order.order_id)))
    assert rig.requests("Trd_PlaceOrder") == 1
    assert statuses(rig, order.order_id) == [S.ACCEPTED]


def test_fills_of_an_earlier_run_are_told_by_a_list_with_the_same_ids(rigs: Made, tmp_path: Path) -> None:
    for real in (False, True):
        rig = rigs(real=real, home=tmp_path).start()
        order_id = rig.send(quantity=600, price="400")
        rig.rest(Side.SELL, "400", 100)
        first = rig.filled(order_id, 100)
        rig.adapter.close()
        rig.rest(Side.SELL, "400", 200)
        before = len(rig.heard)
        rig.restart()
        (listed,) = rig.heard.of(TradesLoaded, before)
        assert listed.trades[0].trade_id == first[0].trade_id
        assert [(trade.order_id, trade.quantity) for trade in listed.trades] == [(order_id, 100.0), (order_id, 200.0)]
        assert [order.filled_quantity for order in rig.heard.of(OpenOrdersLoaded, before)[0].orders] == [300.0]
        assert rig.heard.of(TradeData, before) == []
        rig.rest(Side.SELL, "400", 300)
        rig.until(order_id, S.FILLED)
        rig.wait(lambda r=rig, b=before: bool(r.heard.of(TradeData, b)))
        assert [fill.quantity for fill in rig.heard.of(TradeData, before)] == [300.0]


def test_what_happened_while_the_link_was_lost_is_told_once_it_is_back(rig: FutuTradingRig) -> None:
    filled, cancelled = rig.send(quantity=200, price="400"), rig.send(price="399.8")
    since = len(rig.heard)
    rig.fault("reset")
    rig.wait(lambda: AdapterState.LOST in rig.heard.states(since))
    rig.rest(Side.SELL, "400", 200)
    rig.cancel_elsewhere(cancelled)
    rig.come_back(since)
    rig.until(filled, S.FILLED)
    rig.until(cancelled, S.CANCELLED)
    (listed,) = rig.heard.of(TradesLoaded, since)
    told = [*listed.trades, *rig.heard.of(TradeData, since)]
    assert [(trade.order_id, trade.quantity) for trade in told] == [(filled, 200.0)]


def test_an_order_without_an_answer_is_unknown_until_it_is_found(rig: FutuTradingRig) -> None:
    rig.fault("ack_lost", endpoint="Trd_PlaceOrder", count=1)
    order = rig.order(price="399.8")
    since = len(rig.heard)
    rig.adapter.send_order(order)
    rig.wait(lambda: AdapterState.LOST in rig.heard.states(since))
    assert statuses(rig, order.order_id) in ([S.UNKNOWN], [S.ACCEPTED])
    rig.come_back(since)
    rig.until(order.order_id, S.ACCEPTED)
    assert rig.requests("Trd_PlaceOrder") == 1


def test_an_order_that_futu_never_had_is_proved_absent_past_the_bound_only(rig: FutuTradingRig) -> None:
    order = rig.order(price="399.8")
    rig.adapter.session.call_soon(lambda: rig.adapter.trading.recover(order, rig.clock.now_ns()))
    rig.until(order.order_id, S.UNKNOWN)
    rig.advance(rig.adapter.capabilities.unknown_bound_s - 1)
    assert statuses(rig, order.order_id) == [S.UNKNOWN]
    rig.advance(30)
    last = rig.until(order.order_id, S.DENIED)
    assert last.rule == "never_reached_market"


def test_one_order_is_told_on_demand_and_its_absence_only_past_the_bound(rig: FutuTradingRig) -> None:
    order_id = rig.send(price="399.8")
    before = len(rig.heard)
    rig.adapter.query_order(order_id, HK)
    rig.wait(lambda: bool(rig.heard.of(OrderData, before)))
    rig.adapter.query_order("nobodys", HK)
    rig.settle()
    assert rig.heard.of(OrderMissing) == []
    rig.advance(rig.adapter.capabilities.unknown_bound_s + 1)
    rig.adapter.query_order("nobodys", HK)
    rig.wait(lambda: bool(rig.heard.of(OrderMissing)))


def test_stops_and_at_once_orders_of_a_real_account(rigs: Made) -> None:
    rig = rigs(real=True).start()
    stop = rig.send(price="", order_type=OrderType.STOP, trigger_units=410_000)
    assert statuses(rig, stop) == [S.ACCEPTED]
    assert rig.heard.reports(stop)[0].trigger_price == 410.0
    rig.rest(Side.SELL, "400", 100)
    at_once = rig.send(quantity=300, price="400", time_in_force=TimeInForce.IOC)
    assert rig.until(at_once, S.CANCELLED).filled_quantity == 100.0
    whole = rig.send(quantity=300, price="400", time_in_force=TimeInForce.FOK)
    rig.wait(lambda: rig.heard.reports(whole)[-1].status in (S.CANCELLED, S.REJECTED, S.EXPIRED))
    lasting = rig.send(price="399.8", time_in_force=TimeInForce.GTC)
    assert rig.heard.reports(lasting)[-1].time_in_force is TimeInForce.GTC


def test_a_lock_by_somebody_else_is_told_and_undone(rigs: Made) -> None:
    rig = rigs(real=True).start()
    rig.fault("lock_trade")
    refused = rig.send(price="399.8")
    assert rig.heard.reports(refused)[-1].status is S.REJECTED
    rig.wait(lambda: any("locked again" in failure.error for failure in rig.heard.of(RequestFailed)))
    rig.wait(lambda: not rig.adapter.trading.orders.unlocking.locked)
    assert statuses(rig, rig.send(price="399.8")) == [S.ACCEPTED]
    assert rig.requests("Trd_UnlockTrade") == 2


def test_a_wrong_password_leaves_the_link_up_and_every_order_denied(rigs: Made) -> None:
    rig = rigs(real=True, password="wrong").start()
    denied = rig.send(price="399.8")
    (report,) = rig.heard.reports(denied)
    assert (report.status, report.rule) == (S.DENIED, "locked")
    assert rig.requests("Trd_PlaceOrder") == 0
    assert any(failure.what == "unlocking of trading" for failure in rig.heard.of(RequestFailed))


def test_pushes_that_are_lost_are_made_up_for_by_looking(rig: FutuTradingRig) -> None:
    order_id = rig.send(quantity=200, price="400")
    rig.settle()
    number = rig.fault("go_silent")
    rig.rest(Side.SELL, "400", 200)
    rig.advance(1)
    rig.server.clear_faults(number)
    for _ in range(20):  # a look that is under way in real time lets the clock run on
        if rig.heard.reports(order_id)[-1].status is not S.FILLED:
            rig.advance(3)
    rig.until(order_id, S.FILLED)
    rig.advance(4)
    assert [fill.quantity for fill in rig.filled(order_id, 200)] == [200.0]


def test_an_order_while_the_market_is_closed_never_leaves(rig: FutuTradingRig) -> None:
    denied = rig.send(price="200", instrument_id=US)
    (report,) = rig.heard.reports(denied)
    assert (report.status, report.rule) == (S.DENIED, "outside_session")
    assert "New_York" in report.reason
    assert rig.requests("Trd_PlaceOrder") == 0
