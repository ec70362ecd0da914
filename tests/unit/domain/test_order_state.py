"""The order table, cell by cell. The expected table is written out again here, so that a change needs two hands."""

import itertools

import pytest

from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.order_state import OPEN, TERMINAL, TRANSITIONS, WORKING, may_move, merge_status

ORDER = [
    "created",
    "submitted",
    "unknown",
    "denied",
    "accepted",
    "partially_filled",
    "rejected",
    "expired",
    "cancelled",
    "filled",
]
TABLE = """
created           . x x x x x x x x x
submitted         . . x x x x x x x x
unknown           . . . x x x x x x x
denied            . . . . x x x x x x
accepted          . . . . . x x x x x
partially_filled  . . . . . . x x x x
rejected          . . . . . . . x x x
expired           . . . . . . . . x x
cancelled         . . . . . . . . . x
filled            . . . . . . . . . .
"""
CELLS = [
    (OrderStatus(row.split()[0]), OrderStatus(column), mark == "x")
    for row in TABLE.strip().splitlines()
    for column, mark in zip(ORDER, row.split()[1:], strict=True)
]


@pytest.mark.parametrize(("current", "new", "legal"), CELLS)
def test_a_cell_of_the_table(current, new, legal):
    assert may_move(current, new) is legal


def test_the_walk_covers_every_cell():
    assert {(current, new) for current, new, _ in CELLS} == set(itertools.product(OrderStatus, repeat=2))
    assert set(TRANSITIONS) == set(OrderStatus)


def test_every_status_is_either_open_or_terminal():
    assert set(OrderStatus) == OPEN | TERMINAL
    assert not OPEN & TERMINAL
    assert WORKING < OPEN


def test_a_terminal_order_never_opens_again_unless_we_alone_had_denied_it():
    for status in TERMINAL - {OrderStatus.DENIED}:
        assert not TRANSITIONS[status] & OPEN


@pytest.mark.parametrize("status", OrderStatus)
def test_every_open_order_can_end(status):
    if status in OPEN:
        assert TRANSITIONS[status] & TERMINAL


@pytest.mark.parametrize(("left", "right"), list(itertools.product(OrderStatus, repeat=2)))
def test_merging_is_commutative_idempotent_and_moves_only_where_the_table_allows(left, right):
    merged = merge_status(left, right)
    assert merged is merge_status(right, left)
    assert merged in (left, right)
    assert merge_status(merged, right) is merged
    assert merged is left or may_move(left, merged)


def test_merging_is_associative():
    for first, second, third in itertools.product(OrderStatus, repeat=3):
        assert merge_status(merge_status(first, second), third) is merge_status(first, merge_status(second, third))
