"""Orders and the hours of their market: the day's end, waiting for the opening, lunch, extended hours."""

from importlib.util import find_spec

import pytest

from foxtrot.exchange.commands import TradingState
from tests.support.futu_trade_rig import (
    BOB,
    HONG_KONG,
    MODIFY,
    NEW_YORK,
    REAL,
    SELL,
    SIMULATE,
    TradeRig,
    local,
)

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")

MORNING, LUNCH = local(HONG_KONG, "2026-03-10 10:00:00"), local(HONG_KONG, "2026-03-10 12:30:00")
AFTERNOON, CLOSE = local(HONG_KONG, "2026-03-10 13:00:00"), local(HONG_KONG, "2026-03-10 16:00:00")
NEXT_OPEN, SATURDAY = local(HONG_KONG, "2026-03-11 09:30:00"), local(HONG_KONG, "2026-03-14 11:00:00")
US_OPEN, US_CLOSE = local(NEW_YORK, "2026-03-10 09:30:00"), local(NEW_YORK, "2026-03-10 16:00:00")
PRE_MARKET, AFTER_HOURS = local(NEW_YORK, "2026-03-10 08:00:00"), local(NEW_YORK, "2026-03-10 17:00:00")
LATE = local(NEW_YORK, "2026-03-10 20:00:00")


def rig_at(now_ns: int) -> TradeRig:
    rig = TradeRig(now_ns, always_open=False)
    rig.unlock()
    rig.listen(REAL, SIMULATE)
    rig.go_to(now_ns)
    return rig


def test_a_day_order_ends_when_its_market_closes() -> None:
    rig = rig_at(MORNING)
    part, whole, lasting = rig.place(qty=200), rig.place(), rig.place(timeInForce=1)
    rig.place(BOB, trdSide=SELL)
    rig.go_to(CLOSE - 1)
    assert [rig.row(one).orderStatus for one in (part, whole, lasting)] == [10, 5, 5]
    rig.log.clear()
    rig.go_to(CLOSE)
    rows = [rig.row(one) for one in (part, whole, lasting)]
    assert [row.orderStatus for row in rows] == [14, 15, 5]
    assert [row.lastErrMsg for row in rows] == ["The order has expired"] * 2 + [""]
    assert rig.path() == [14, 15]


def test_nothing_trades_at_lunch_and_orders_wait_for_the_afternoon() -> None:
    rig = rig_at(MORNING)
    rig.place(BOB, trdSide=SELL)
    rig.go_to(LUNCH)
    assert rig.venue.trading_state("00700.SEHK") is TradingState.HALTED
    rig.log.clear()
    order_id = rig.place()
    assert rig.row(order_id).orderStatus == 1
    assert rig.log[0][0] == "answer"
    assert rig.path() == [1]
    assert len(rig.venue.open_orders("bob")) == 1
    rig.go_to(AFTERNOON)
    assert rig.path() == [1, 2, 5, 11]
    assert rig.row(order_id).fillQty == 100
    assert {s2c.order.orderIDEx for s2c in rig.told(2208)} == {order_id}, "it keeps its id"
    (fill,) = rig.send(2211, rig.asked(2211)).orderFillList
    assert fill.orderIDEx == order_id


def test_an_order_of_the_weekend_is_entered_on_monday_and_ends_that_day() -> None:
    rig = rig_at(SATURDAY)
    order_id = rig.place()
    rig.go_to(local(HONG_KONG, "2026-03-16 09:29:59"))
    assert rig.row(order_id).orderStatus == 1
    rig.go_to(local(HONG_KONG, "2026-03-16 09:30:00"))
    assert rig.row(order_id).orderStatus == 5
    rig.go_to(local(HONG_KONG, "2026-03-16 16:00:00"))
    assert rig.row(order_id).orderStatus == 15


def test_a_waiting_order_can_be_modified_and_cancelled() -> None:
    rig = rig_at(LUNCH)
    order_id, other = rig.place(), rig.place()
    rig.log.clear()
    rig.send(MODIFY, rig.change(order_id, operation=1, qty=300, price=390))
    assert [(s2c.order.orderStatus, s2c.order.qty, s2c.order.price) for s2c in rig.told(2208)] == [(1, 300, 390)]
    rig.cancel(other)
    assert rig.path() == [1, 13, 15]
    assert rig.refusal(MODIFY, rig.change(other)) == f"Order {other} has ended; it cannot be changed"
    rig.go_to(AFTERNOON)
    (report,) = rig.venue.open_orders("alice")
    assert (report.quantity, report.price) == (300, 390_000)
    assert rig.row(order_id).orderStatus == 5


def test_a_waiting_order_that_the_venue_refuses_has_failed() -> None:
    rig = rig_at(LUNCH)
    orders = [rig.place(qty=2000) for _ in range(2)]
    rig.log.clear()
    rig.go_to(AFTERNOON)
    assert [rig.row(one).orderStatus for one in orders] == [5, 21]
    assert rig.row(orders[1]).lastErrMsg == "购买力不足"
    assert sorted(rig.path()) == [2, 5, 21]


def test_a_waiting_order_ends_with_its_day_though_its_market_never_opened() -> None:
    rig = rig_at(SATURDAY)
    order_id = rig.place(timeInForce=3, expireTime="2026-03-15")
    rig.log.clear()
    rig.go_to(local(HONG_KONG, "2026-03-16 00:00:00"))
    assert (rig.row(order_id).orderStatus, rig.row(order_id).lastErrMsg) == (15, "The order has expired")
    assert rig.path() == [15]
    rig.go_to(local(HONG_KONG, "2026-03-16 10:00:00"))
    assert rig.venue.all_orders("alice", "00700.SEHK") == ()


@pytest.mark.parametrize("fields", [{"orderType": 2}, {"orderType": 8}, {"timeInForce": 2}])
def test_what_is_done_at_once_cannot_wait(fields: dict[str, int]) -> None:
    rig = rig_at(LUNCH)
    order_type = fields.get("orderType", 1)
    assert rig.refused(**fields) == f"Market 1 is closed; order type {order_type} cannot wait for it to open"


@pytest.mark.parametrize("moment", [LUNCH, SATURDAY, local(HONG_KONG, "2026-03-10 09:10:00")])
def test_simulate_is_open_in_regular_hours_only(moment: int) -> None:
    rig = rig_at(moment)
    assert rig.refused(SIMULATE) == "Simulated trade is open in regular trading hours only"


def test_us_orders_are_filled_before_the_opening_only_if_they_ask_for_it() -> None:
    rig = rig_at(PRE_MARKET)
    rig.place(BOB, "AAPL", trdSide=SELL, fillOutsideRTH=True, qty=20)
    patient = rig.place(code="AAPL")
    eager = rig.place(code="AAPL", fillOutsideRTH=True)
    assert [rig.row(one).orderStatus for one in (patient, eager)] == [1, 11]
    assert rig.row(eager).fillOutsideRTH
    rig.go_to(US_OPEN)
    assert rig.row(patient).orderStatus == 11


@pytest.mark.parametrize("fields", [{"session": 2}, {"session": 3}])
def test_the_session_of_an_order_says_it_too(fields: dict[str, int]) -> None:
    rig = rig_at(PRE_MARKET)
    order_id = rig.place(code="AAPL", **fields)
    assert (rig.row(order_id).orderStatus, rig.row(order_id).session) == (5, fields["session"])


def test_a_us_day_ends_at_16_or_with_extended_hours_at_20() -> None:
    rig = rig_at(US_OPEN)
    regular, extended = rig.place(code="AAPL"), rig.place(code="AAPL", fillOutsideRTH=True)
    rig.go_to(US_CLOSE)
    assert [rig.row(one).orderStatus for one in (regular, extended)] == [15, 5]
    rig.go_to(LATE)
    assert rig.row(extended).orderStatus == 15
    assert rig.venue.trading_state("AAPL.NASDAQ") is TradingState.HALTED


def test_simulate_knows_no_extended_hours() -> None:
    rig = rig_at(US_OPEN)
    order_id = rig.place(SIMULATE, "AAPL", fillOutsideRTH=True)
    rig.go_to(US_CLOSE)
    assert rig.row(order_id, SIMULATE).orderStatus == 15
    rig.go_to(AFTER_HOURS)
    assert rig.refused(SIMULATE, "AAPL", fillOutsideRTH=True) == "Simulated trade is open in regular trading hours only"


def test_after_hours_an_order_of_the_day_is_one_of_the_next() -> None:
    rig = rig_at(AFTER_HOURS)
    order_id = rig.place(code="AAPL")
    assert rig.row(order_id).orderStatus == 1
    rig.go_to(local(NEW_YORK, "2026-03-11 09:30:00"))
    assert rig.row(order_id).orderStatus == 5
    rig.go_to(local(NEW_YORK, "2026-03-11 16:00:00"))
    assert rig.row(order_id).orderStatus == 15


def test_an_order_until_a_day_ends_with_that_days_session() -> None:
    rig = rig_at(MORNING)
    order_id = rig.place(timeInForce=3, expireTime="2026-03-11")
    rig.go_to(local(HONG_KONG, "2026-03-11 15:59:59"))
    assert rig.row(order_id).orderStatus == 5
    rig.go_to(local(HONG_KONG, "2026-03-11 16:00:00"))
    assert rig.row(order_id).orderStatus == 15
    assert "day to come" in rig.refused(timeInForce=3, expireTime="2999-01-01"), "the calendar does not reach so far"


def test_always_open_a_day_lasts_24_hours() -> None:
    rig = TradeRig(SATURDAY)
    rig.unlock()
    order_id = rig.place()
    rig.go_to(SATURDAY + 86_400 * 10**9 - 1)
    assert rig.row(order_id).orderStatus == 5
    rig.go_to(SATURDAY + 86_400 * 10**9)
    assert rig.row(order_id).orderStatus == 15


def test_the_day_of_the_order_list_is_the_markets() -> None:
    rig = rig_at(MORNING)
    order_id = rig.place()
    rig.cancel(order_id)
    assert len(rig.send(2201, rig.asked(2201)).orderList) == 1
    rig.go_to(NEXT_OPEN)
    assert len(rig.send(2201, rig.asked(2201)).orderList) == 0


def test_a_market_restored_halted_trades_again_when_it_is_open() -> None:
    rig = rig_at(LUNCH)
    again = TradeRig(AFTERNOON, always_open=False)
    again.venue.take_up(rig.venue.snapshot())
    again.go_to(AFTERNOON)
    assert again.venue.trading_state("00700.SEHK") is TradingState.TRADING
