"""The portfolio: owners and accounts, cash, charges, equity in several currencies."""

from decimal import Decimal

import pytest

from foxtrot.core.notices import PositionsLoaded
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import PositionSide, Product, Side
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
)

ID, BUY, SELL = "BTCUSDT.PERP", Side.BUY, Side.SELL


def floor(*instruments: object, **options: object) -> TradingFloor:
    made = TradingFloor(*instruments, **options)  # type: ignore[arg-type]
    made.put(*(a_tick(instrument.instrument_id) for instrument in made.instruments.all()))
    return made


def test_two_strategies_hold_opposite_positions_and_the_account_their_sum() -> None:
    made = floor()
    made.fill(a_request(BUY, 1.0), 100.0, "alpha")
    made.fill(a_request(SELL, 0.4), 101.0, "beta")
    held = {owner: position.quantity for (owner, *_), position in made.portfolio.positions()}
    assert held == {"alpha": 1000, "beta": -400}
    net = made.portfolio.net_position(ACCOUNT, ID)
    assert net is not None
    assert (net.quantity, net.realised_profit()) == (600, Decimal("0.4"))
    assert made.portfolio.owners() == {"alpha", "beta"}


def test_cash_is_capital_and_what_fills_fees_and_funding_moved_each_in_its_asset() -> None:
    made = floor()
    made.portfolio.capital[OWNER] = Decimal(1000)
    made.fill(a_request(BUY, 1.0), 100.0, fee=Decimal("0.01"), fee_asset="BNB")
    made.fill(a_request(SELL, 0.5), 110.0, fee=Decimal("0.05"))
    made.put(a_charge("-0.2", "f1"), a_charge("-0.2", "f1"))
    assert made.portfolio.cash(OWNER) == {"USDT": Decimal("1004.75"), "BNB": Decimal("-0.01")}
    position = made.portfolio.position(OWNER, ACCOUNT, ID)
    assert position is not None
    assert position.fees == {"BNB": Decimal("0.01"), "USDT": Decimal("0.05")}
    assert position.funding == {"USDT": Decimal("-0.2")}


def test_funding_is_shared_by_position_and_who_holds_against_the_others_gets_the_opposite() -> None:
    made = floor()
    made.hold(3000, owner="alpha")
    made.hold(-1000, owner="beta")
    made.put(an_account({"USDT": "100"}), a_charge("-2", "f1"))
    paid = {owner: position.funding for (owner, *_), position in made.portfolio.positions()}
    assert paid == {"alpha": {"USDT": Decimal(-3)}, "beta": {"USDT": Decimal(1)}}
    assert made.portfolio.balances(ACCOUNT) == {"USDT": Decimal(98)}


def test_shares_of_funding_that_do_not_divide_still_sum_to_it() -> None:
    made = floor()
    for owner in ("a", "b", "c"):
        made.hold(1000, owner=owner)
    made.put(a_charge("-1", "f1"))
    parts = [position.funding["USDT"] for _, position in made.portfolio.positions()]
    assert sum(parts) == -1
    assert max(parts) - min(parts) <= Decimal("1E-11")


def test_funding_of_positions_that_cancel_out_goes_to_the_largest_and_of_none_to_external() -> None:
    made = floor()
    made.put(a_charge("-1", "f0"))
    assert made.portfolio.virtual_balances(EXTERNAL, ACCOUNT) == {"USDT": -1}
    made.hold(1000, owner="alpha")
    made.hold(-1000, owner="beta")
    made.put(a_charge("-1", "f1"))
    assert [position.funding for _, position in made.portfolio.positions()] == [{"USDT": -1}, {}]


def test_a_deposit_is_externals_and_no_profit() -> None:
    made = floor()
    made.hold(1000)
    made.put(an_account({"USDT": "100"}), a_charge("50", "d1", "deposit", ""))
    assert made.portfolio.balances(ACCOUNT) == {"USDT": 150}
    assert made.portfolio.equity(OWNER) == 0
    assert made.portfolio.virtual_balances(EXTERNAL, ACCOUNT) == {"USDT": 150}


def test_equal_charge_ids_of_two_kinds_are_two_charges() -> None:
    made = floor()
    made.put(a_charge("1", "7", "funding"), a_charge("2", "7", "rebate"))
    assert made.portfolio.balances(ACCOUNT) == {"USDT": 3}


def test_what_an_account_held_at_first_is_externals() -> None:
    made = floor(a_perpetual(), a_spot(), a_spot("AAPL", "AAPL", "USD", instrument_id="AAPL.X", product=Product.STOCK))
    rows = (a_position(2.0, 90.05), a_position(3.0, 50.0, "AAPL.X"), a_position(9.0, 1.0, "BTCUSDT.SPOT"))
    made.put(an_account({"USDT": "500", "BTC": "9"}))
    made.portfolio.on_positions(PositionsLoaded(ACCOUNT, rows, T0))
    made.portfolio.on_positions(PositionsLoaded(ACCOUNT, (a_position(7.0, 90.0),), T0 + 1))
    held = {(owner, name): position.quantity for (owner, _, name, _), position in made.portfolio.positions()}
    assert held == {(EXTERNAL, ID): 2000, (EXTERNAL, "AAPL.X"): 300_000}
    external = made.portfolio.position(EXTERNAL, ACCOUNT, ID)
    assert external is not None
    assert external.average_price == pytest.approx(90.05)
    assert made.portfolio.balances(ACCOUNT) == {"USDT": 500, "BTC": 9, "AAPL": 3, "USD": 0}


def test_equity_is_capital_and_profit_after_fees_and_funding_at_the_mark() -> None:
    made = floor()
    made.portfolio.capital[OWNER] = Decimal(1000)
    assert made.portfolio.equity(OWNER) == 1000
    made.fill(a_request(BUY, 1.0), 90.0, fee=Decimal("0.5"))
    made.put(a_charge("-0.25", "f1"))
    assert made.portfolio.equity(OWNER) == Decimal("1009.25")
    assert made.portfolio.account_profit(ACCOUNT) == Decimal("9.25")


def test_the_venues_mark_price_values_a_position_where_there_is_one() -> None:
    made = floor()
    made.hold(1000, 900)
    made.put(a_tick().__class__(ID, T0, T0, 99.9, 1.0, 100.1, 1.0, mark_price=95.0))
    assert made.portfolio.equity(OWNER) == 5


def test_a_fee_in_the_base_asset_is_worth_what_the_asset_is() -> None:
    made = floor(a_spot())
    made.fill(a_request(BUY, 1.0, 0.0, "BTCUSDT.SPOT"), 90.0, fee=Decimal("0.001"), fee_asset="BTC")
    assert made.portfolio.equity(OWNER) == Decimal("9.9")


def test_without_a_price_equity_is_none_and_not_zero() -> None:
    made = TradingFloor()
    made.hold(1000)
    assert made.portfolio.equity(OWNER) is None
    assert made.portfolio.account_profit(ACCOUNT) is None


@pytest.mark.parametrize(
    ("pairs", "equity"),
    [({"EUR/USDT": 1.1}, Decimal("11.0")), ({"USDT/EUR": 0.5}, Decimal(20)), ({}, None), ({"EUR/USD": 1.1}, None)],
)
def test_a_foreign_profit_is_converted_by_a_named_rate_or_not_at_all(
    pairs: dict[str, float], equity: Decimal | None
) -> None:
    made = floor(a_spot("BTCEUR", "BTC", "EUR"), pairs=pairs)
    made.hold(100_000, 9_000, instrument_id="BTCEUR.SPOT")
    assert made.portfolio.equity(OWNER) == equity


def test_a_fee_without_a_rate_makes_equity_none_and_a_flat_position_without_a_mark_none_too_only_if_it_must() -> None:
    made = floor()
    made.fill(a_request(BUY, 1.0), 90.0, fee=Decimal("0.01"), fee_asset="BNB")
    assert made.portfolio.equity(OWNER) is None
    made = TradingFloor()
    made.hold(1000, 900)
    made.hold(-1000, 1000)
    assert made.portfolio.equity(OWNER) == 10


def test_hedged_positions_are_kept_apart() -> None:
    made = floor()
    made.hold(1000, 1000, position_side=PositionSide.LONG)
    made.hold(-1000, 1100, position_side=PositionSide.SHORT)
    sides = {side: position.quantity for (_, _, side), position in made.portfolio.net_positions()}
    assert sides == {PositionSide.LONG: 1000, PositionSide.SHORT: -1000}
    assert made.portfolio.balances(ACCOUNT) == {"USDT": 0}
    assert made.portfolio.equity(OWNER) == 10


def test_accounts_are_kept_apart() -> None:
    made = floor(accounts=(ACCOUNT, "second"))
    made.hold(1000)
    made.hold(-1000, 1100, account="second")
    assert made.portfolio.account_profit(ACCOUNT) == 0
    assert made.portfolio.account_profit("second") == 10
    assert made.portfolio.equity(OWNER) == 10


def test_a_rate_older_than_the_limit_is_no_rate() -> None:
    made = floor(a_spot("EURUSDT", "EUR", "USDT"))
    found = made.rates.rate("EUR", "USDT")
    assert found is not None
    assert (found.value, found.source) == (Decimal("100.0"), "EURUSDT.SPOT")
    made.clock.advance(3600 * SECOND)
    found = made.rates.rate("USDT", "EUR")
    assert found is not None
    assert (found.value, found.age_s, found.source) == (Decimal("0.01"), 3600.0, "1/EURUSDT.SPOT")
    made.clock.advance(1)
    assert made.rates.rate("EUR", "USDT") is None
    assert made.rates.convert(Decimal(5), "EUR", "USDT") is None


@pytest.mark.parametrize("owner", [OWNER, EXTERNAL])
def test_what_a_strategy_bought_on_a_spot_market_before_the_opening_leaves_no_short_position_to_anybody(
    owner: str,
) -> None:
    made = floor(a_spot())
    made.put(an_account({"USDT": "500", "BTC": "9"}))
    trade = a_trade("o", "1", instrument_id="BTCUSDT.SPOT", fee=Decimal("0.001"), fee_asset="BTC")
    made.portfolio.apply_fill(trade, owner, 100_000, 1000, opened=True)
    held = {name: position.exact_quantity for (name, *_), position in made.portfolio.positions()}
    net = sum((position.exact_quantity for _, position in made.portfolio.net_positions()), Decimal(0))
    bought = Decimal("0.999") if owner == OWNER else Decimal(0)
    assert (held, net) == ({owner: bought}, bought)
    assert made.portfolio.balances(ACCOUNT) == {"USDT": 500, "BTC": 9}
    assert made.portfolio.virtual_balances(EXTERNAL, ACCOUNT)["BTC"] == 9 - bought
