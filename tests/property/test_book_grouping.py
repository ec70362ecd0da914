"""Grouping, and average prices, against a twin that counts in decimals."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.books.grouping import group, group_known
from foxtrot.books.level_book import LevelBook
from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Grid

TICK = Grid.of("0.05")
PRICES = st.dictionaries(st.integers(-40, 200), st.integers(1, 9), max_size=30)
SIDES = st.sampled_from([Side.BUY, Side.SELL])


def best_first(sizes: dict[int, int], side: Side) -> list[tuple[int, int]]:
    return sorted(sizes.items(), reverse=side is Side.BUY)


def twin(sizes: dict[int, int], step: int, side: Side) -> dict[Decimal, int]:
    """Group by decimals: the price of a group is the multiple of the step on its worse side."""
    width, rounding = TICK.to_decimal(step), ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    groups: dict[Decimal, int] = {}
    for price, size in sizes.items():
        edge = (TICK.to_decimal(price) / width).to_integral_value(rounding) * width
        groups[edge] = groups.get(edge, 0) + size
    return groups


@given(PRICES, st.integers(1, 60), SIDES, st.integers(0, 6))
def test_groups_are_those_of_decimals(sizes: dict[int, int], step: int, side: Side, most: int) -> None:
    expected = sorted(twin(sizes, step, side).items(), reverse=side is Side.BUY)
    found = group(best_first(sizes, side), step, side, most)
    assert [(TICK.to_decimal(price), size) for price, size in found] == expected[: most or None]


@given(PRICES, st.integers(1, 60), SIDES, st.integers(-40, 200))
def test_a_group_that_is_said_to_be_complete_holds_all_that_the_venue_has_there(
    sizes: dict[int, int], step: int, side: Side, known: int
) -> None:
    """We know `sizes` up to `known`; beyond it the venue has a level at every price, of which we were told some."""
    down = side is Side.BUY
    beyond = range(-200, known) if down else range(known + 1, 400)
    truth = {price: size for price, size in sizes.items() if price not in beyond} | dict.fromkeys(beyond, 1)
    everything = twin(truth, step, side)
    found = group_known(best_first(sizes, side), step, side, known=known)
    whole = found.levels if found.complete else found.levels[:-1]
    for price, size in whole:
        assert everything[TICK.to_decimal(price)] == size
    if not found.complete and found.levels:
        price, size = found.levels[-1]
        assert everything[TICK.to_decimal(price)] > size


@given(PRICES, SIDES, st.integers(0, 80))
def test_the_volume_weighted_price_is_that_of_decimals(sizes: dict[int, int], taker: Side, wanted: int) -> None:
    book = LevelBook()
    book.load(sizes.items() if taker is Side.SELL else (), sizes.items() if taker is Side.BUY else ())
    one_by_one = [price for price, size in best_first(sizes, taker.opposite) for _ in range(size)][:wanted]
    found = book.volume_weighted_price(taker, wanted)
    if not wanted or len(one_by_one) < wanted:
        assert found is None
    else:
        assert found == float(sum(map(Decimal, one_by_one)) / wanted)


@given(PRICES, PRICES, st.integers(1, 12))
def test_a_cut_book_holds_its_best_levels_and_says_how_far(
    bids: dict[int, int], asks: dict[int, int], most: int
) -> None:
    book = LevelBook()
    book.load(bids.items(), asks.items())
    lowest, highest = book.cut(most)
    kept_bids, kept_asks = best_first(bids, Side.BUY)[:most], best_first(asks, Side.SELL)[:most]
    assert book.top(100) == (tuple(kept_bids), tuple(kept_asks))
    assert lowest == (kept_bids[-1][0] if len(kept_bids) == most else None)
    assert highest == (kept_asks[-1][0] if len(kept_asks) == most else None)
    assert len(book) == len(kept_bids) + len(kept_asks)
