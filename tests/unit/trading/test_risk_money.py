"""Rules about money: funds, daily loss, drawdown."""

from decimal import Decimal

import pytest

from foxtrot.core.notices import PositionsLoaded
from foxtrot.domain.enums import OrderStatus, Product, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.trading.limits import Limits, LimitTable
from foxtrot.trading.losses import TradingDay
from tests.support.builders import (
    ACCOUNT,
    OWNER,
    SECOND,
    T0,
    TradingFloor,
    a_charge,
    a_perpetual,
    a_position,
    a_request,
    a_spot,
    a_tick,
    a_trade,
    an_account,
    an_order,
)

BUY, SELL = Side.BUY, Side.SELL
SPOT = "BTCUSDT.SPOT"
DAY = 86_400 * SECOND


def spot_floor(**balances: str) -> TradingFloor:
    made = TradingFloor(a_spot(), limits=Limits())
    made.put(a_tick(SPOT), an_account(balances))
    return made


def a_stock() -> object:
    return a_spot("AAPL", "AAPL", "USD", instrument_id="AAPL.NASDAQ", product=Product.STOCK)


# --- funds --------------------------------------------------------------------------------------------------------------


def test_before_balances_were_heard_nothing_can_be_paid() -> None:
    made = TradingFloor(a_spot(), limits=Limits())
    made.put(a_tick(SPOT))
    assert made.send(a_request(BUY, 1.0, 100.0, SPOT)).rule == "funds"


def test_a_buy_needs_price_and_fee_in_free_cash() -> None:
    made = spot_floor(USDT="100.1")
    order = made.send(a_request(BUY, 1.00001, 100.0, SPOT))
    assert order.rule == "funds"
    assert "100.1 USDT free in main" in order.reason
    assert made.send(a_request(BUY, 1.0, 100.0, SPOT)).rule == ""


def test_a_sell_needs_the_asset() -> None:
    made = spot_floor(USDT="1000", BTC="1")
    assert made.send(a_request(SELL, 1.00001, 100.0, SPOT)).rule == "funds"
    assert made.send(a_request(SELL, 1.0, 100.0, SPOT)).rule == ""


def test_open_orders_hold_their_money_and_fees_until_they_end() -> None:
    made = spot_floor(USDT="200.2", BTC="1")
    first = made.send(a_request(BUY, 1.0, 100.0, SPOT))
    assert made.send(a_request(BUY, 1.00001, 99.999, SPOT)).rule == "price_grid"
    assert made.send(a_request(BUY, 1.01, 100.0, SPOT), owner="beta").rule == "funds"
    made.put(an_order(first.order_id, OrderStatus.CANCELLED, instrument_id=SPOT))
    assert made.send(a_request(BUY, 1.01, 100.0, SPOT), owner="beta").rule == ""


def test_the_fee_of_an_open_order_is_held_too() -> None:
    made = spot_floor(USDT="200.15")
    made.send(a_request(BUY, 1.0, 100.0, SPOT))
    assert made.risk.funds.free(ACCOUNT, "USDT") == Decimal("100.05")
    assert made.send(a_request(BUY, 1.0, 100.0, SPOT), owner="beta").rule == "funds"


def test_an_open_market_order_holds_what_it_is_worth_now() -> None:
    made = spot_floor(USDT="150")
    made.send(a_request(BUY, 1.0, 0.0, SPOT))
    assert made.send(a_request(BUY, 0.9, 0.0, SPOT)).rule == "funds"


def test_fills_and_charges_change_what_is_free() -> None:
    made = spot_floor(USDT="100.1")
    made.fill(a_request(BUY, 1.0, 0.0, SPOT), 100.0, fee=Decimal("0.1"))
    assert made.portfolio.balances(ACCOUNT) == {"USDT": 0, "BTC": 1}
    assert made.send(a_request(BUY, 0.1, 100.0, SPOT)).rule == "funds"
    made.put(a_charge("100", "d1", "deposit", ""))
    assert made.send(a_request(BUY, 0.1, 100.0, SPOT)).rule == ""


def test_a_perpetual_needs_its_margin_and_the_fee() -> None:
    made = TradingFloor(limits=Limits())
    made.put(a_tick(), an_account({"USDT": "10.1"}))
    assert made.send(a_request(BUY, 1.001, 100.0)).rule == "funds"
    assert made.send(a_request(BUY, 1.0, 100.0)).rule == ""
    assert made.send(a_request(BUY, 0.01, 99.0)).rule == "funds"


def test_losses_of_open_positions_take_from_the_margin_and_what_reduces_needs_none() -> None:
    made = TradingFloor(limits=Limits())
    made.put(a_tick(), an_account({"USDT": "25"}))
    made.hold(1000)
    assert made.send(a_request(BUY, 1.0, 100.0)).rule == ""
    made = TradingFloor(limits=Limits())
    made.put(a_tick(), an_account({"USDT": "25"}))
    made.hold(1000, 1100)
    assert made.send(a_request(BUY, 1.0, 100.0)).rule == "funds"
    assert made.send(a_request(SELL, 1.0, 100.0)).rule == ""


def test_a_broker_that_lends_lets_shares_be_bought_and_sold_short_up_to_the_margin() -> None:
    made = TradingFloor(a_stock(), limits=Limits(), base_currency="USD")  # type: ignore[arg-type]
    made.put(a_tick("AAPL.NASDAQ"), an_account({"USD": "0"}, margin_available=Decimal("100.1")))
    assert made.send(a_request(SELL, 1.01, 100.0, "AAPL.NASDAQ")).rule == "funds"
    assert made.send(a_request(SELL, 1.0, 100.0, "AAPL.NASDAQ")).rule == ""
    assert made.send(a_request(SELL, 0.01, 101.0, "AAPL.NASDAQ")).rule == "funds"


def test_without_a_loan_shares_need_cash_and_only_those_held_are_sold() -> None:
    made = TradingFloor(a_stock(), limits=Limits(), base_currency="USD")  # type: ignore[arg-type]
    made.put(a_tick("AAPL.NASDAQ"), an_account({"USD": "100"}))
    made.portfolio.on_positions(PositionsLoaded(ACCOUNT, (a_position(2.0, 90.0, "AAPL.NASDAQ"),), T0))
    assert made.send(a_request(SELL, 2.01, 100.0, "AAPL.NASDAQ")).rule == "funds"
    assert made.send(a_request(SELL, 2.0, 100.0, "AAPL.NASDAQ")).rule == ""
    assert made.send(a_request(BUY, 1.0, 99.95, "AAPL.NASDAQ")).rule == "funds"


# --- losses -------------------------------------------------------------------------------------------------------------


def losing(scope: str, **limits: Decimal) -> TradingFloor:
    strict, loose = Limits(check_funds=False, **limits), Limits(check_funds=False)  # type: ignore[arg-type]
    tables = {
        "platform": LimitTable(strict), f"account {ACCOUNT}": LimitTable(loose, {ACCOUNT: strict}),
        f"strategy {OWNER}": LimitTable(loose, {}, {OWNER: strict}),
    }  # fmt: skip
    made = TradingFloor(limits=tables[scope])
    made.portfolio.capital[OWNER] = Decimal(1000)
    made.put(a_tick())
    made.hold(1000)
    made.risk.mark_losses()
    return made


def price(made: TradingFloor, mid: float) -> None:
    made.put(a_tick(bid=mid - 0.1, ask=mid + 0.1, at=made.clock.now_ns()))


SCOPES = ["platform", f"account {ACCOUNT}", f"strategy {OWNER}"]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("rule", ["max_daily_loss", "max_drawdown"])
def test_a_scope_that_lost_its_limit_opens_no_more_but_may_still_reduce(scope: str, rule: str) -> None:
    made = losing(scope, **{rule: Decimal(10)})
    price(made, 90.1)
    assert made.send(a_request(quantity=0.1)).rule == ""
    price(made, 90.0)
    order = made.send(a_request(quantity=0.2))
    assert order.rule == rule
    assert order.reason == f"{rule}: 10.0000 is against the limit 10 of {scope}"
    assert made.send(a_request(SELL, 1.0)).rule == ""


def test_a_daily_loss_begins_anew_each_day_and_a_drawdown_does_not() -> None:
    for rule, after in (("max_daily_loss", ""), ("max_drawdown", "max_drawdown")):
        made = losing("platform", **{rule: Decimal(10)})
        price(made, 90.0)
        assert made.send(a_request(quantity=0.1)).rule == rule
        made.clock.move_to(T0 + DAY)
        price(made, 90.0)
        made.risk.mark_losses()
        assert made.send(a_request(quantity=0.1)).rule == after


def test_a_drawdown_is_measured_from_the_peak_that_was_marked() -> None:
    made = losing("platform", max_drawdown=Decimal(10))
    price(made, 108.0)
    made.risk.mark_losses()
    price(made, 98.1)
    assert made.send(a_request(quantity=0.1)).rule == ""
    price(made, 98.0)
    assert made.send(a_request(quantity=0.2)).rule == "max_drawdown"


def test_fees_and_funding_count_as_losses() -> None:
    made = losing(f"strategy {OWNER}", max_daily_loss=Decimal(10))
    made.put(a_charge("-9.5", "f1"))
    assert made.send(a_request(quantity=0.1)).rule == ""
    made.fill(a_request(quantity=0.3), 100.0, fee=Decimal("0.5"))
    assert made.send(a_request(quantity=0.1, price=99.0)).rule == "max_daily_loss"


def test_one_strategys_loss_does_not_stop_another() -> None:
    made = losing(f"strategy {OWNER}", max_daily_loss=Decimal(10))
    price(made, 80.0)
    assert made.send(a_request(quantity=0.1)).rule == "max_daily_loss"
    assert made.send(a_request(quantity=0.1), owner="beta").rule == ""


def test_a_loss_that_cannot_be_told_refuses_what_could_add_to_it() -> None:
    strict = Limits(check_funds=False, max_daily_loss=Decimal(10))
    made = TradingFloor(
        a_perpetual(), a_perpetual("ETHUSDT"), limits=LimitTable(Limits(check_funds=False), {}, {OWNER: strict})
    )
    made.put(a_tick())
    made.hold(1000, instrument_id="ETHUSDT.PERP")
    order = made.send(a_request(quantity=0.1))
    assert order.rule == "max_daily_loss"
    assert "n/a" in order.reason


def test_a_trading_day_begins_at_its_local_time_on_both_sides_of_a_clock_change() -> None:
    day = TradingDay("Europe/Berlin", "17:00")
    noon_before = 1_711_796_400 * SECOND  # 2024-03-30 12:00 CET, the clocks go forward on the 31st
    assert day.start_of(noon_before) == 1_711_728_000 * SECOND  # the 29th, 17:00 CET
    assert day.start_of(noon_before + DAY) == 1_711_814_400 * SECOND  # the 30th, 17:00 CET
    assert day.start_of(noon_before + DAY + 5 * 3600 * SECOND) == 1_711_897_200 * SECOND  # the 31st, 17:00 CEST


@pytest.mark.parametrize(("zone", "start"), [("Mars/Olympus", "00:00"), ("UTC", "25:00"), ("UTC", "soon")])
def test_a_trading_day_that_cannot_be_is_refused(zone: str, start: str) -> None:
    with pytest.raises(ConfigError, match="give HH:MM"):
        TradingDay(zone, start)


def test_what_the_venue_has_filled_holds_its_money_until_the_fill_has_come() -> None:
    made = spot_floor(USDT="150", BTC="1")
    order = made.send(a_request(BUY, 1.0, 100.0, SPOT))
    made.put(an_order(order.order_id, OrderStatus.FILLED, 1.0, 100.0, instrument_id=SPOT))
    assert made.send(a_request(BUY, 0.9, 100.0, SPOT)).rule == "funds"
    sale = made.send(a_request(SELL, 1.0, 101.0, SPOT))
    made.put(an_order(sale.order_id, OrderStatus.FILLED, 1.0, 101.0, instrument_id=SPOT, side=SELL, price=101.0))
    assert made.send(a_request(SELL, 0.5, 101.0, SPOT)).rule == "funds"
    made.put(a_trade(order.order_id, instrument_id=SPOT))
    assert made.risk.funds.free(ACCOUNT, "USDT") == 50


def test_a_filled_perpetual_holds_its_margin_until_the_fill_has_come() -> None:
    made = TradingFloor(limits=Limits())
    made.put(a_tick(), an_account({"USDT": "15"}))
    order = made.send(a_request(BUY, 1.0, 100.0))
    made.put(an_order(order.order_id, OrderStatus.FILLED, 1.0, 100.0))
    assert made.send(a_request(BUY, 0.9, 100.0)).rule == "funds"


def test_a_broker_that_lends_counts_what_it_has_filled_until_the_fill_has_come() -> None:
    made = TradingFloor(a_stock(), limits=Limits(), base_currency="USD")  # type: ignore[arg-type]
    made.put(a_tick("AAPL.NASDAQ"), an_account({"USD": "0"}, margin_available=Decimal("150")))
    order = made.send(a_request(BUY, 1.0, 100.0, "AAPL.NASDAQ"))
    made.put(an_order(order.order_id, OrderStatus.FILLED, 1.0, 100.0, instrument_id="AAPL.NASDAQ"))
    assert made.send(a_request(BUY, 0.9, 100.0, "AAPL.NASDAQ")).rule == "funds"
