"""Perpetuals and futures: positions, margin, liquidation, funding and settlement; money is conserved throughout."""

from decimal import Decimal

import pytest

from foxtrot.domain.enums import PositionMode, PositionSide
from foxtrot.domain.fees import FeeSchedule
from foxtrot.exchange.commands import SetFundingRate, SetMarginRates, Withdraw
from foxtrot.exchange.events import (
    ChargeBooked,
    FundingPaid,
    Liquidated,
    OrderAmended,
    OrderCancelled,
    PositionChanged,
    PositionSettled,
)
from foxtrot.exchange.result import ResultCode as R
from tests.support.instruments import a_future, a_perpetual
from tests.support.trading_floor import TradingFloor

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
EIGHT_HOURS_NS = 28_800 * 10**9


def perpetual_floor(usdt: str = "1000000", **more: object) -> TradingFloor:
    return TradingFloor(a_perpetual(), funds={"USDT": Decimal(usdt)}, **more)  # type: ignore[arg-type]


def trade(floor: TradingFloor, buyer: str, seller: str, quantity: int, price: int) -> None:
    floor.sell(seller, quantity, price)
    assert floor.buy(buyer, quantity, price).ok


def test_a_position_opens_grows_shrinks_and_turns_over() -> None:
    floor = perpetual_floor()
    trade(floor, "a", "m", 1_000, 10_000)
    trade(floor, "a", "m", 1_000, 20_000)
    trade(floor, "m", "a", 500, 30_000)
    held = floor.venue.positions("a")[0]
    assert (held.quantity, held.average_price, held.realised_profit) == (1_500, 150.0, Decimal(75))
    trade(floor, "m", "a", 2_000, 10_000)
    held = floor.venue.positions("a")[0]
    assert (held.quantity, held.average_price, held.realised_profit) == (-500, 100.0, Decimal(0))
    assert floor.total("a", "USDT") == Decimal(1_000_000)
    floor.venue.validate()


def test_profit_is_exact_where_the_average_price_is_not() -> None:
    floor = perpetual_floor()
    for quantity, price in ((1, 100), (1, 101), (1, 101)):
        trade(floor, "a", "m", quantity, price)
    for _ in range(3):
        trade(floor, "m", "a", 1, 103)
    assert floor.venue.positions("a")[0].realised_profit == Decimal("0.00007")
    assert floor.total("a", "USDT") == Decimal("1000000.00007")
    floor.venue.validate()


def test_a_position_event_follows_each_command_that_changed_it() -> None:
    floor = perpetual_floor()
    trade(floor, "a", "m", 10, 100)
    told = [(event.account, event.quantity) for event in floor.told(PositionChanged)]
    assert told == [("m", -10), ("a", 10)]


def test_orders_need_margin_for_the_worse_side_and_closing_needs_none() -> None:
    floor = perpetual_floor("100")
    assert floor.buy("a", 10_000, 10_001).code is R.ACCOUNT_INSUFFICIENT_MARGIN
    order = floor.buy("a", 10_000, 10_000).order_id
    assert floor.venue.margin("a", "USDT").initial == Decimal(100)
    assert floor.sell("a", 10_000, 10_000, post_only=True).code is R.MATCHING_POST_ONLY
    assert floor.sell("a", 1, 10_001).ok
    assert floor.buy("a", 1, 9_000).code is R.ACCOUNT_INSUFFICIENT_MARGIN
    floor.cancel("a", order)
    assert floor.venue.margin("a", "USDT").initial < Decimal(1)


def test_sells_need_margin_as_buys_do_and_the_smaller_side_is_free() -> None:
    floor = perpetual_floor("100")
    assert floor.sell("a", 10_001, 10_000).code is R.ACCOUNT_INSUFFICIENT_MARGIN
    assert floor.sell("a", 8_000, 10_000).ok
    assert floor.buy("a", 8_000, 9_000).ok
    assert floor.venue.margin("a", "USDT").initial == Decimal(80)
    assert floor.sell("a", 2_001, 10_000).code is R.ACCOUNT_INSUFFICIENT_MARGIN
    assert floor.sell("a", 2_000, 10_000).ok


def test_a_full_position_can_be_closed_and_its_margin_comes_back() -> None:
    floor = perpetual_floor("100")
    trade(floor, "a", "m", 9_000, 10_000)
    assert floor.venue.margin("a", "USDT").initial == Decimal(90)
    assert floor.buy("a", 2_000, 10_000).code is R.ACCOUNT_INSUFFICIENT_MARGIN
    floor.buy("m", 9_000, 10_000)
    assert floor.sell("a", 9_000).ok
    assert floor.venue.margin("a", "USDT").initial == 0
    floor.venue.validate()


def test_unrealised_loss_counts_against_new_orders_and_withdrawals() -> None:
    floor = perpetual_floor("100")
    trade(floor, "a", "m", 4_000, 10_000)
    floor.mark(9_000)
    report = floor.venue.margin("a", "USDT")
    assert (report.equity, report.initial, report.maintenance) == (Decimal(60), Decimal(36), Decimal(18))
    assert (
        floor.venue.execute(Withdraw(floor.tick(), "a", "USDT", Decimal("24.01"))).code
        is R.ACCOUNT_INSUFFICIENT_BALANCE
    )
    assert floor.venue.execute(Withdraw(floor.tick(), "a", "USDT", Decimal(24))).ok


def test_higher_margin_rates_hold_at_once() -> None:
    floor = perpetual_floor("100")
    assert (
        floor.venue.execute(SetMarginRates(1, floor.name, Decimal("0.05"), Decimal("0.2"))).code
        is R.INSTRUMENT_UNSUPPORTED
    )
    assert floor.venue.execute(SetMarginRates(1, floor.name, Decimal("0.5"), Decimal("0.2"))).ok
    assert floor.buy("a", 10_000, 2_001).code is R.ACCOUNT_INSUFFICIENT_MARGIN
    assert floor.buy("a", 10_000, 2_000).ok


def test_a_breach_of_maintenance_sells_the_position_into_the_book() -> None:
    floor = perpetual_floor("100")
    floor.open("rich")
    trade(floor, "a", "rich", 8_000, 10_000)
    resting = floor.buy("a", 100, 5_000).order_id
    floor.buy("rich", 8_000, 9_600)
    floor.mark(9_211)
    assert not floor.told(Liquidated)
    floor.mark(9_210)
    event = floor.told(Liquidated)[0]
    assert (event.account, event.closed_in_book, event.taken_over) == ("a", 8_000, 0)
    assert [e.reason for e in floor.told(OrderCancelled) if e.order_id == resting] == ["liquidation"]
    assert floor.total("a", "USDT") == Decimal(68)
    assert floor.venue.positions("a")[0].quantity == 0
    floor.venue.validate()


def test_the_insurance_fund_takes_over_what_the_book_cannot_and_pays_the_deficit() -> None:
    floor = perpetual_floor("100")
    floor.open("rich")
    trade(floor, "a", "m", 8_000, 10_000)
    floor.buy("rich", 1_000, 5_000)
    floor.mark(5_000)
    event = floor.told(Liquidated)[0]
    assert (event.account, event.closed_in_book, event.taken_over) == ("a", 1_000, 7_000)
    assert floor.total("a", "USDT") == 0
    insurance = floor.venue.positions("@insurance")[0]
    assert (insurance.quantity, insurance.average_price) == (7_000, 50.0)
    assert floor.total("@insurance", "USDT") == Decimal(-300)
    charges = [(e.account, e.amount) for e in floor.told(ChargeBooked) if e.kind == "insurance"]
    assert charges == [("a", Decimal(300)), ("@insurance", Decimal(-300))]
    floor.venue.validate()


def test_without_a_mark_price_the_last_trade_liquidates() -> None:
    floor = perpetual_floor("100")
    trade(floor, "a", "m", 8_000, 10_000)
    trade(floor, "x", "y", 1, 9_000)
    assert [event.account for event in floor.told(Liquidated)] == ["a"]
    floor.venue.validate()


def test_accounts_that_are_not_checked_are_never_liquidated() -> None:
    floor = perpetual_floor("1", account={"margin_checked": False})
    trade(floor, "a", "m", 8_000, 10_000)
    floor.mark(1)
    assert not floor.told(Liquidated)
    floor.venue.validate()


def test_longs_pay_shorts_at_every_funding_time() -> None:
    floor = perpetual_floor()
    trade(floor, "a", "m", 1_000, 10_000)
    assert floor.venue.funding(floor.name) == (Decimal(0), EIGHT_HOURS_NS)
    assert floor.venue.execute(SetFundingRate(floor.tick(), floor.name, Decimal("0.0001"))).ok
    floor.mark(20_000)
    floor.wait_until(2 * EIGHT_HOURS_NS)
    paid = [(event.time_ns, event.account, event.amount) for event in floor.told(FundingPaid)]
    assert sorted(paid) == [
        (EIGHT_HOURS_NS, "a", Decimal("-0.02")),
        (EIGHT_HOURS_NS, "m", Decimal("0.02")),
        (2 * EIGHT_HOURS_NS, "a", Decimal("-0.02")),
        (2 * EIGHT_HOURS_NS, "m", Decimal("0.02")),
    ]
    assert floor.total("a", "USDT") == Decimal("999999.96")
    floor.venue.validate()


def test_the_next_funding_can_be_told() -> None:
    floor = perpetual_floor()
    trade(floor, "a", "m", 1_000, 10_000)
    floor.venue.execute(SetFundingRate(floor.tick(), floor.name, Decimal("-0.0001"), 5_000))
    floor.wait_until(EIGHT_HOURS_NS)
    assert [event.time_ns for event in floor.told(FundingPaid)] == [5_000, 5_000]
    assert floor.total("a", "USDT") == Decimal("1000000.01")
    assert floor.venue.funding(floor.name)[1] == 5_000 + EIGHT_HOURS_NS


def test_an_expired_future_is_settled_in_cash_and_closed() -> None:
    floor = TradingFloor(a_future(), funds={"USD": Decimal(1_000_000)})
    trade(floor, "a", "m", 2, 16_000)
    floor.buy("a", 1, 15_000)
    floor.mark(16_100)
    floor.wait_until(2_000_000_000_000)
    settled = [(event.account, event.quantity) for event in floor.told(PositionSettled)]
    assert sorted(settled) == [("a", 2), ("m", -2)]
    assert floor.total("a", "USD") == Decimal(1_000_000) + Decimal("0.25") * 100 * 2 * 50
    assert floor.venue.open_orders("a") == ()
    assert floor.buy("a", 1, 16_000).code is R.INSTRUMENT_EXPIRED
    floor.venue.validate()


def test_reduce_only_closes_and_never_turns_a_position() -> None:
    floor = perpetual_floor()
    assert floor.sell("a", 10, 100, reduce_only=True).code is R.ACCOUNT_NOTHING_TO_REDUCE
    trade(floor, "a", "m", 10, 100)
    assert floor.buy("a", 10, 100, reduce_only=True).code is R.ACCOUNT_NOTHING_TO_REDUCE
    first = floor.sell("a", 25, 110, reduce_only=True).order_id
    second = floor.sell("a", 4, 111, reduce_only=True).order_id
    assert [report.quantity for report in floor.venue.open_orders("a")] == [10, 4]
    floor.buy("m", 8, 110)
    assert [(event.order_id, event.quantity) for event in floor.told(OrderAmended)] == [(second, 2)]
    floor.buy("m", 4, 111)
    assert floor.venue.positions("a")[0].quantity == 0
    assert [(event.order_id, event.reason) for event in floor.told(OrderCancelled)] == [(second, "nothing_to_reduce")]
    assert first
    floor.venue.validate()


def test_a_hedging_account_holds_a_long_and_a_short() -> None:
    floor = perpetual_floor(account={"position_mode": PositionMode.HEDGING})
    floor.sell("m", 10, 100, position_side=SHORT)
    floor.buy("a", 10, 100, position_side=LONG)
    floor.buy("m", 4, 100, position_side=LONG)
    floor.sell("a", 4, 100, position_side=SHORT)
    held = {(p.position_side, p.quantity) for p in floor.venue.positions("a")}
    assert held == {(LONG, 10), (SHORT, -4)}
    assert floor.buy("a", 9, 100, position_side=SHORT).ok
    assert floor.venue.open_orders("a")[0].quantity == 4
    assert floor.sell("m", 9, 101, position_side=LONG).ok
    assert floor.venue.open_orders("m")[-1].quantity == 4
    floor.venue.validate()


@pytest.mark.parametrize("mode", ["quote", "received"])
def test_fees_of_derivatives_are_taken_from_the_settle_asset(mode: str) -> None:
    floor = perpetual_floor(fees=FeeSchedule.percentage(Decimal("-0.0001"), Decimal("0.0004")), fee_asset_mode=mode)
    trade(floor, "a", "m", 1_000, 10_000)
    assert (floor.total("a", "USDT"), floor.total("m", "USDT")) == (Decimal("999999.96"), Decimal("1000000.01"))
    assert floor.total("@fees", "USDT") == Decimal("0.03")
    floor.venue.validate()
