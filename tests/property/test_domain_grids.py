"""Numbers cross between float, text and units without loss on every grid that a venue uses."""

from contextlib import suppress
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.domain.errors import OffGrid
from foxtrot.domain.instrument import EXACT_UNITS, Grid, common_step

STEPS = {
    "stock": "0.01",
    "satoshi": "1e-8",
    "es": "0.25",
    "binance": "0.0001",
    "hong kong": "0.001",
    "fx": "0.00005",
    "thirty-seconds": "0.03125",
    "whole": "1",
    "nikkei": "5",
    "lots": "100",
}
grids = st.sampled_from([Grid.of(step) for step in STEPS.values()])
exact_units = st.integers(-EXACT_UNITS, EXACT_UNITS)
large_units = st.integers(EXACT_UNITS, 2**60)


def exact(grid, units):
    return Fraction(units * grid.numerator, grid.denominator)


@given(grids, exact_units)
def test_a_grid_point_comes_back_from_its_float(grid, units):
    assert grid.from_float(grid.to_float(units)) == units


@given(grids, st.sampled_from([2**50, 2**51, EXACT_UNITS]), st.integers(-3000, 0), st.sampled_from([1, -1]))
def test_the_round_trip_holds_up_to_the_last_unit_promised(grid, edge, offset, sign):
    units = sign * (edge + offset)
    assert grid.from_float(grid.to_float(units)) == units


@given(grids, large_units)
def test_beyond_the_promise_a_float_never_gives_units_of_another_float(grid, units):
    value = grid.to_float(units)
    with suppress(OffGrid):
        assert grid.to_float(grid.from_float(value)) == value


@given(grids, st.integers(1, 10**9).map(lambda count: count * 10_000_000))
def test_a_large_round_number_is_what_it_prints_as(grid, value):
    assert grid.from_float(float(value)) == grid.from_decimal(value)


@given(grids, st.integers(-(2**53), 2**53))
def test_the_float_of_a_grid_point_is_the_correctly_rounded_one(grid, units):
    assert grid.to_float(units) == float(exact(grid, units))


@given(grids, st.integers(-(2**80), 2**80))
def test_a_grid_point_comes_back_from_its_text_and_decimal_at_any_size(grid, units):
    assert grid.from_decimal(grid.to_text(units)) == units
    assert grid.from_decimal(grid.to_decimal(units)) == units
    assert "e" not in grid.to_text(units).lower()
    assert Fraction(grid.to_decimal(units)) == exact(grid, units)


@given(grids, exact_units)
def test_the_context_of_the_caller_does_not_matter(grid, units):
    with localcontext() as context:
        context.prec = 3
        assert grid.from_decimal(grid.to_text(units)) == units
        assert Fraction(grid.to_decimal(units)) == exact(grid, units)


@given(grids, st.integers(-(2**48), 2**48), st.sampled_from(["0.5", "0.1", "0.999", "0.25", "1e-25"]))
def test_between_two_points_is_refused_with_both_named(grid, units, part):
    with localcontext() as context:
        context.prec = 80
        value = grid.to_decimal(units) + Decimal(part) * grid.step
    with pytest.raises(OffGrid) as refusal:
        grid.from_decimal(value)
    assert refusal.value.below == grid.to_text(units)
    assert refusal.value.above == grid.to_text(units + 1)


@given(grids, st.floats(-1e7, 1e7))
def test_a_float_is_on_the_grid_exactly_when_a_grid_point_rounds_to_it(grid, value):
    nearest = round(Fraction(value) * grid.denominator / grid.numerator)
    if grid.to_float(nearest) == value:
        assert grid.from_float(value) == nearest
    else:
        with pytest.raises(OffGrid):
            grid.from_float(value)


@given(grids, st.decimals(-(10**12), 10**12, places=12))
def test_rounding_agrees_with_exact_fractions(grid, value):
    ratio = Fraction(value) / exact(grid, 1)
    floor = ratio.numerator // ratio.denominator
    ceiling = -(-ratio.numerator // ratio.denominator)
    assert grid.round(value, "down") == floor
    assert grid.round(value, "up") == ceiling
    assert grid.round(value, "to_zero") == (floor if value >= 0 else ceiling)
    assert grid.round(value) == round(ratio)


@given(grids, st.integers(-(2**40), 2**40))
def test_a_half_goes_to_the_even_neighbour(grid, units):
    half = grid.to_decimal(2 * units + 1) / 2
    assert grid.round(half) % 2 == 0
    assert abs(2 * grid.round(half) - (2 * units + 1)) == 1


@given(grids, st.sampled_from(["nan", "inf", "-inf", "1e999", "-1e999", "abc", "", "1e-999999999"]))
def test_what_is_no_usable_number_is_refused(grid, text):
    with pytest.raises(OffGrid):
        grid.from_decimal(text)
    with pytest.raises(OffGrid):
        grid.round(text)


@given(grids, st.floats(allow_nan=True, allow_infinity=True))
def test_any_float_whatever_is_converted_or_refused(grid, value):
    with suppress(OffGrid):
        assert grid.to_float(grid.from_float(value)) == value


@given(st.lists(st.sampled_from(sorted(STEPS.values())), min_size=1, max_size=4))
def test_the_common_step_divides_every_step_and_no_larger_one_does(steps):
    common = common_step(tuple(Decimal(step) for step in steps))
    multiples = [Fraction(Decimal(step)) / Fraction(common) for step in steps]
    assert all(multiple.denominator == 1 for multiple in multiples)
    assert Fraction(common) == _fraction_gcd([Fraction(Decimal(step)) for step in steps])


def _fraction_gcd(values):
    common = values[0]
    for value in values[1:]:
        rest = value
        while rest:
            common, rest = rest, common % rest
    return common
