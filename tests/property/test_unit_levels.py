"""A side at a time, levels get the units that the grid gives each figure, or are refused as it refuses them."""

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.books.unit_levels import UnitScale, to_floats
from foxtrot.domain.errors import OffGrid
from foxtrot.domain.instrument import Grid

STEPS = ("0.01", "0.5", "0.00000001", "1", "0.25", "100", "0.000000000001", "1e-25")
GRIDS = st.sampled_from([Grid.of(step) for step in STEPS])
UNITS = st.one_of(st.integers(-5, 200), st.integers(2**45, 2**54), st.integers(10**11, 10**13))
WILD = st.one_of(
    st.floats(), st.floats(0, 1_000), st.sampled_from([0.0, -0.0, -1.0, 1e300, 5e-324, float("nan"), float("inf")])
)


def by_the_grids(levels: list[tuple[float, float]], price: Grid, size: Grid) -> list[tuple[int, int]] | None:
    """Return units one by one, None where a figure is refused."""
    try:
        units = [(price.from_float(p), size.from_float(s)) for p, s in levels]
    except OffGrid:
        return None
    return None if any(s < 0 for _, s in levels) else units


def by_the_side(levels: list[tuple[float, float]], price: Grid, size: Grid) -> list[tuple[int, int]] | None:
    try:
        return UnitScale(price, size).units(tuple(levels))
    except OffGrid:
        return None


@given(GRIDS, GRIDS, st.lists(st.tuples(UNITS, UNITS), max_size=6))
def test_what_lies_on_the_grids_comes_out_and_back(price: Grid, size: Grid, units: list[tuple[int, int]]) -> None:
    levels = to_floats(tuple(units), price, size)
    assert by_the_side(list(levels), price, size) == by_the_grids(list(levels), price, size)


@given(GRIDS, GRIDS, st.lists(st.tuples(WILD, WILD), max_size=4), st.lists(st.tuples(UNITS, UNITS), max_size=3))
def test_what_the_grids_refuse_is_refused(
    price: Grid, size: Grid, wild: list[tuple[float, float]], units: list[tuple[int, int]]
) -> None:
    levels = [*to_floats(tuple(units), price, size), *wild]
    assert by_the_side(levels, price, size) == by_the_grids(levels, price, size)
