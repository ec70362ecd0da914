"""Grouping by price step at its edges."""

import pytest

from foxtrot.books.grouping import Grouped, group, group_known
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import ConfigError

BIDS = ((110, 1), (109, 2), (100, 4), (99, 8), (80, 16))
ASKS = ((111, 1), (120, 2), (121, 4), (130, 8), (150, 16))


def test_bids_go_down_to_the_step_and_asks_up_to_it() -> None:
    assert group(BIDS, 10, Side.BUY) == ((110, 1), (100, 6), (90, 8), (80, 16))
    assert group(ASKS, 10, Side.SELL) == ((120, 3), (130, 12), (150, 16))


def test_a_step_of_one_unit_changes_nothing() -> None:
    assert group(BIDS, 1, Side.BUY) == BIDS
    assert group(ASKS, 1, Side.SELL) == ASKS


def test_so_many_groups_and_no_more() -> None:
    assert group(BIDS, 10, Side.BUY, 2) == ((110, 1), (100, 6))
    assert group(BIDS, 10, Side.BUY, 4) == group(BIDS, 10, Side.BUY, 9)
    assert group((), 10, Side.SELL, 2) == ()


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, Grouped(((110, 1), (100, 6), (90, 8), (80, 16)))),
        (80, Grouped(((110, 1), (100, 6), (90, 8), (80, 16)))),
        (81, Grouped(((110, 1), (100, 6), (90, 8)))),
        (90, Grouped(((110, 1), (100, 6), (90, 8)))),
        (91, Grouped(((110, 1), (100, 6), (90, 8)), complete=False)),
        (101, Grouped(((110, 1), (100, 2)), complete=False)),
        (200, Grouped((), complete=False)),
    ],
)
def test_bid_groups_end_where_the_book_is_not_known(known: int | None, expected: Grouped) -> None:
    assert group_known(BIDS, 10, Side.BUY, known=known) == expected


@pytest.mark.parametrize(("known", "complete"), [(130, True), (129, False), (120, True), (119, False)])
def test_ask_groups_end_where_the_book_is_not_known(known: int, complete: bool) -> None:
    assert group_known(ASKS, 10, Side.SELL, known=known).complete is complete


def test_the_last_of_so_many_groups_is_complete_when_levels_follow_that_are_known() -> None:
    assert group_known(BIDS, 10, Side.BUY, 2, known=99).complete
    assert group_known(BIDS, 10, Side.BUY, 2, known=100).complete


def test_a_step_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="step 0"):
        group(BIDS, 0, Side.BUY)
