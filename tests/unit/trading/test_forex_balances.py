"""Currencies of forex pairs are balances: a venue need not tell a position of what was traded, and no difference is seen in that."""

from decimal import Decimal

from foxtrot.core.notices import PositionsLoaded
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import PositionSide, Product, Side
from foxtrot.trading.difference import Comparison
from tests.support.builders import ACCOUNT, OWNER, T0, TradingFloor, a_position, a_request, a_spot, a_tick, an_account

PAIR = a_spot("EURUSD", "EUR", "USD", instrument_id="EURUSD.IDEALPRO", venue="IDEALPRO", product=Product.FOREX)


def floor() -> TradingFloor:
    made = TradingFloor(PAIR)
    made.put(a_tick(PAIR.instrument_id, 1.09, 1.11), an_account({"USD": "10000", "EUR": "500"}))
    return made


def test_what_was_traded_of_a_pair_is_no_position_that_the_venue_must_tell() -> None:
    made = floor()
    made.put(PositionsLoaded(ACCOUNT, (), T0))
    made.fill(a_request(Side.BUY, 100.0, 1.1, instrument_id=PAIR.instrument_id), 1.1, OWNER, fee_asset="USD")
    comparison = Comparison(made.desk, made.portfolio)
    assert list(comparison.positions(ACCOUNT, PositionsLoaded(ACCOUNT, (), T0))) == []
    assert made.portfolio.balances(ACCOUNT) == {"USD": Decimal("9890.0"), "EUR": Decimal(600)}
    told = an_account({"USD": "9890", "EUR": "600"})
    assert list(comparison.balances(ACCOUNT, told)) == []
    assert [one.subject for one in comparison.balances(ACCOUNT, an_account({"USD": "9890", "EUR": "500"}))] == ["EUR"]


def test_a_position_that_is_told_of_a_pair_all_the_same_is_not_taken_for_one() -> None:
    made = floor()
    made.put(PositionsLoaded(ACCOUNT, (a_position(20_000.0, 1.1, PAIR.instrument_id),), T0))
    assert made.portfolio.position(EXTERNAL, ACCOUNT, PAIR.instrument_id, PositionSide.NET) is None
    assert made.portfolio.balances(ACCOUNT) == {"USD": Decimal(10000), "EUR": Decimal(500)}
