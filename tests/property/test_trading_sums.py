"""Virtual positions and cash over all owners, EXTERNAL included, are the account's, to the last unit."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.core.notices import PositionsLoaded
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import PositionSide, Side
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.position import EXACT
from tests.support.builders import (
    ACCOUNT,
    T0,
    TradingFloor,
    a_charge,
    a_perpetual,
    a_position,
    a_spot,
    a_trade,
    an_account,
)

OWNERS = ("alpha", "beta", EXTERNAL)
ACCOUNTS = (ACCOUNT, "second")
PERP, SPOT = "BTCUSDT.PERP", "BTCUSDT.SPOT"

fills = st.tuples(
    st.sampled_from(OWNERS), st.sampled_from(ACCOUNTS), st.sampled_from([PERP, SPOT]), st.sampled_from(PositionSide),
    st.integers(-2000, 2000).filter(bool), st.integers(1, 3000), st.integers(-50, 500), st.sampled_from(["USDT", "BTC", "BNB"]),
    st.booleans(),
)  # fmt: skip
charges = st.tuples(st.integers(-10_000, 10_000), st.sampled_from([PERP, "", "nowhere"]))


def play(steps: list[tuple[object, ...]]) -> Portfolio:
    made = TradingFloor(a_perpetual(), a_spot(), accounts=ACCOUNTS)
    made.put(an_account({"USDT": "1000.5", "BTC": "3"}))
    made.portfolio.on_positions(PositionsLoaded(ACCOUNT, (a_position(-1.234, 99.97),), T0))
    for number, step in enumerate(steps):
        if len(step) == 2:
            amount, instrument_id = step
            made.put(a_charge(str(Decimal(amount) / 7000), str(number), instrument_id=instrument_id))  # type: ignore[arg-type]
            continue
        owner, account, instrument_id, side, units, price, fee, asset, opened = step
        trade = a_trade(
            "o", str(number), side=Side.BUY, account=account, instrument_id=instrument_id, position_side=side,
            fee=Decimal(fee) / 10_000_000, fee_asset=asset, venue_time_ns=T0 + number % 3,
        )  # fmt: skip
        made.portfolio.apply_fill(trade, owner, units, price, opened=opened)  # type: ignore[arg-type]
    return made.portfolio


@given(st.lists(st.one_of(fills, charges), max_size=25))
def test_positions_of_all_owners_sum_to_the_accounts(steps: list[tuple[object, ...]]) -> None:
    portfolio = play(steps)
    sums: dict[object, int] = {}
    for (_, *place), position in portfolio.positions():
        sums[tuple(place)] = sums.get(tuple(place), 0) + position.quantity
    nets = {place: position.quantity for place, position in portfolio.net_positions()}
    for place in sums.keys() | nets.keys():
        assert sums.get(place, 0) == nets.get(place, 0)


@given(st.lists(st.one_of(fills, charges), max_size=25))
def test_virtual_balances_of_all_owners_sum_to_the_accounts_less_the_cost_of_its_derivatives(
    steps: list[tuple[object, ...]],
) -> None:
    portfolio = play(steps)
    for account in ACCOUNTS:
        sums: dict[str, Decimal] = {}
        for owner in {*OWNERS, *portfolio.owners()}:
            for asset, amount in portfolio.virtual_balances(owner, account).items():
                sums[asset] = EXACT.add(sums.get(asset, Decimal(0)), amount)
        expected = portfolio.balances(account)
        for (name, _, _), position in portfolio.net_positions():
            if name == account and position.instrument.product.is_derivative:
                expected["USDT"] = EXACT.subtract(expected["USDT"], position.held_cost())
        for asset in sums.keys() | expected.keys():
            assert sums.get(asset, 0) == expected.get(asset, 0), asset


@given(st.lists(fills, max_size=25), st.integers(1, 5000))
def test_profits_of_all_owners_sum_to_the_accounts_whatever_the_price(
    steps: list[tuple[object, ...]], price: int
) -> None:
    portfolio = play(steps)
    mark = Decimal(price) / 10
    owned = sum((position.profit(mark) for _, position in portfolio.positions()), Decimal(0))
    assert owned == sum((position.profit(mark) for _, position in portfolio.net_positions()), Decimal(0))


@given(st.lists(st.one_of(fills, charges), max_size=25))
def test_realised_and_unrealised_profit_are_flow_and_value_for_everybody(steps: list[tuple[object, ...]]) -> None:
    for _, position in play(steps).positions():
        mark = Decimal("101.3")
        assert EXACT.add(position.realised_profit(), position.unrealised_profit(mark)) == position.profit(mark)
