"""How a client's rows of a book become the book as it is now: the fewest operations, in an order in which each can be done."""

from collections.abc import Sequence
from typing import Final

import msgspec

INSERT, UPDATE, DELETE = 0, 1, 2
"""Operations on a row: an insert moves the rows from its place on down, a delete moves the rows below it up.

Source: TWS API documentation, Market Depth Data (Level II).
"""
Row = tuple[int, int]
"""Price and size of a row, in units."""
_GONE: Final = (0, 0)


class RowChange(msgspec.Struct, frozen=True, gc=False):
    """One operation on one row of one side."""

    position: int
    operation: int
    price: int
    size: int


def row_changes(told: Sequence[Row], rows: Sequence[Row], *, is_bid: bool) -> list[RowChange]:
    """Return what makes the rows a client has the rows that there are.

    Deletes come first, from the last row up, so that the client never has more rows than the longer of the two lists; then
    inserts and updates from the first row down. Between two prices that both lists have, rows become one another as far as they go.

    Args:
        told: what the client has, best price first.
        rows: what there is, best price first.
        is_bid: whether the highest price is the best.

    Source: TWS API documentation, Market Depth Data (Level II); seen with ibapi 9.81: positions count from 0.
    """
    first, size = _equal(told, rows), len(rows)
    if len(told) == size and first < size - 1:
        # Most changes of a full book put one row in and push the last one out, or take one out and let one in at the end.
        if told[first:-1] == rows[first + 1 :]:
            return [RowChange(size - 1, DELETE, *_GONE), RowChange(first, INSERT, *rows[first])]
        if told[first + 1 :] == rows[first:-1]:
            return [RowChange(first, DELETE, *_GONE), RowChange(size - 1, INSERT, *rows[-1])]
    last = _equal(told[:first:-1], rows[:first:-1]) if first < min(len(told), len(rows)) - 1 else 0
    return _changes(told[: len(told) - last], rows[: len(rows) - last], first, is_bid=is_bid)


def _equal(told: Sequence[Row], rows: Sequence[Row]) -> int:
    """Return how many rows are the same from the first one on."""
    count = 0
    for was, now in zip(told, rows, strict=False):
        if was != now:
            break
        count += 1
    return count


def _changes(told: Sequence[Row], rows: Sequence[Row], first: int, *, is_bid: bool) -> list[RowChange]:
    deletes: list[RowChange] = []
    others: list[RowChange] = []
    old = new = first
    while old < len(told) or new < len(rows):
        old_end, new_end = _next_common(told, rows, (old, new), is_bid=is_bid)
        shared = min(old_end - old, new_end - new)
        others += [RowChange(new + n, UPDATE, *rows[new + n]) for n in range(shared)]
        others += [RowChange(at, INSERT, *rows[at]) for at in range(new + shared, new_end)]
        deletes += [RowChange(at, DELETE, *_GONE) for at in range(old + shared, old_end)]
        if old_end < len(told) and told[old_end] != rows[new_end]:
            others.append(RowChange(new_end, UPDATE, *rows[new_end]))
        old, new = old_end + 1, new_end + 1
    return deletes[::-1] + others


def inserts(rows: Sequence[Row]) -> list[RowChange]:
    """Return what fills a client's empty side.

    Source: TWS API documentation, Market Depth Data (Level II): the first rows of a subscription.
    """
    return [RowChange(at, INSERT, price, size) for at, (price, size) in enumerate(rows)]


def _next_common(told: Sequence[Row], rows: Sequence[Row], at: tuple[int, int], *, is_bid: bool) -> tuple[int, int]:
    """Return where the next price stands that both have, the ends of both where there is none."""
    old, new = at
    while old < len(told) and new < len(rows):
        was, now = told[old][0], rows[new][0]
        if was == now:
            return old, new
        if (was > now) == is_bid:
            old += 1
        else:
            new += 1
    return len(told), len(rows)
