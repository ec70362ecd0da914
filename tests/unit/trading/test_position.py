"""One position: average cost, profit, flows, fees in the base asset."""

from decimal import Decimal
from itertools import permutations

import pytest

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Grid
from foxtrot.trading.position import Position
from tests.support.builders import T0, a_perpetual, a_spot


def apply(position: Position, *fills: tuple[int, int]) -> Position:
    for units, price in fills:
        number = str(position.fills)
        position.apply((T0, len(number), number, units, price))
    return position


def held(*fills: tuple[int, int], **terms: object) -> Position:
    return apply(Position(a_perpetual(**terms)), *fills)


@pytest.mark.parametrize(
    ("fills", "quantity", "average", "realised"),
    [
        (((1000, 1000),), 1000, 100.0, "0"),
        (((1000, 1000), (1000, 1010)), 2000, 100.5, "0"),
        (((1000, 1000), (-400, 1100)), 600, 100.0, "4"),
        (((1000, 1000), (-1000, 1100)), 0, 0.0, "10"),
        (((1000, 1000), (-3000, 1100)), -2000, 110.0, "10"),
        (((-1000, 1000), (400, 900)), -600, 100.0, "4"),
        (((-1000, 1000), (3000, 900)), 2000, 90.0, "10"),
        (((1, 1000), (2, 1001), (-1, 1000)), 2, 100.06666666666666, "-0.000066666666666666"),
    ],
)
def test_fills_make_quantity_average_and_realised_profit(
    fills: tuple[tuple[int, int], ...], quantity: int, average: float, realised: str
) -> None:
    position = held(*fills)
    assert position.quantity == quantity
    assert position.average_price == pytest.approx(average, rel=1e-15)
    assert position.realised_profit() == Decimal(realised)


def test_realised_and_unrealised_profit_are_cash_flow_plus_value_exactly() -> None:
    position = held((1, 1000), (2, 1001), (-1, 1000), (-4, 999), (7, 1003))
    mark = Decimal("100.05")
    assert position.realised_profit() + position.unrealised_profit(mark) == position.profit(mark)


def test_the_multiplier_counts_in_money_and_not_in_quantity_or_price() -> None:
    position = held((2, 400), (-1, 410), price_grid=Grid.of("0.25"), quantity_grid=Grid.of(1), multiplier=Decimal(50))
    assert position.realised_profit() == Decimal(125)
    assert position.unrealised_profit(Decimal("101.25")) == Decimal("62.5")
    assert position.average_price == 100.0


def test_money_finer_than_eighteen_decimals_stays_exact() -> None:
    fine = {
        "price_grid": Grid.of("0.0000000001"),
        "quantity_grid": Grid.of("0.0000000001"),
        "multiplier": Decimal("0.01"),
    }
    assert held((1, 1), (-1, 3), **fine).realised_profit() == Decimal("2E-22")


def test_flows_of_an_owned_asset_are_base_and_quote_and_fees() -> None:
    position = Position(a_spot())
    apply(position, (100_000, 10_000))
    position.charge("BTC", Decimal("0.001"))
    apply(position, (-50_000, 11_000))
    position.charge("BNB", Decimal("0.01"))
    assert position.flows() == {"BTC": Decimal("0.499"), "USDT": Decimal(-45), "BNB": Decimal("-0.01")}


def test_flows_of_a_derivative_are_realised_profit_and_its_virtual_ones_what_was_paid() -> None:
    position = held((1000, 1000), (-400, 1100))
    assert position.flows() == {"USDT": 4}
    assert position.virtual_flows() == {"USDT": Decimal(-56)}


def test_a_fee_in_the_base_asset_takes_from_what_is_held_and_leaves_only_whole_units() -> None:
    position = Position(a_spot())
    apply(position, (100_000, 10_000))
    position.charge("BTC", Decimal("0.0010000001"))
    assert position.exact_quantity == Decimal("0.9989999999")
    assert (position.quantity, position.whole_units) == (100_000, 99_899)


def test_what_was_found_is_held_and_costs_nothing_now() -> None:
    position = Position(a_spot(product=Product.STOCK, base_asset="AAPL"))
    position.find(200_000, 200_000 * 9_000)
    assert (position.quantity, position.average_price) == (200_000, 90.0)
    assert position.flows() == {"AAPL": 0, "USDT": 0}
    assert position.profit(Decimal(100)) == 20
    apply(position, (-200_000, 10_000))
    assert position.flows() == {"AAPL": -2, "USDT": 200}


def test_fills_heard_out_of_order_count_in_the_order_in_which_they_happened() -> None:
    fills = [
        (T0, 1, "1", 1000, 1000),
        (T0, 1, "9", -1000, 1100),
        (T0, 2, "10", 1000, 1200),
        (T0 + 1, 1, "0", -500, 1150),
    ]
    in_order = Position(a_perpetual())
    for fill in fills:
        in_order.apply(fill)
    assert in_order.realised_profit() == Decimal("7.5")
    for shuffled in permutations(fills):
        position = Position(a_perpetual())
        for fill in shuffled:
            position.apply(fill)
        assert (position.quantity, position.cost, position.realised) == (500, in_order.cost, in_order.realised)
