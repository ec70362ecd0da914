"""Row operations on a book: whatever the book does, a client that applies them has it."""

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.exchange.wire.ib.depth_rows import DELETE, INSERT, UPDATE, Row, RowChange, inserts, row_changes

_SIDES = st.dictionaries(st.integers(1, 12), st.integers(1, 3), max_size=10)


def rows_of(levels: dict[int, int], *, is_bid: bool, most: int = 100) -> tuple[Row, ...]:
    return tuple(sorted(levels.items(), reverse=is_bid))[:most]


def applied(rows: tuple[Row, ...], changes: list[RowChange], most: int) -> tuple[Row, ...]:
    """Do what TWS documents, on a list, and refuse what makes no sense on one."""
    held = list(rows)
    for change in changes:
        assert 0 <= change.position < len(held) + (change.operation == INSERT)
        if change.operation == INSERT:
            held.insert(change.position, (change.price, change.size))
        elif change.operation == UPDATE:
            held[change.position] = (change.price, change.size)
        else:
            del held[change.position]
        assert len(held) <= most
    return tuple(held)


@given(_SIDES, _SIDES, st.booleans(), st.integers(1, 10))
def test_a_clients_rows_become_the_book(before: dict[int, int], now: dict[int, int], is_bid: bool, most: int) -> None:
    told, rows = rows_of(before, is_bid=is_bid, most=most), rows_of(now, is_bid=is_bid, most=most)
    changes = row_changes(told, rows, is_bid=is_bid)
    assert applied(told, changes, max(len(told), len(rows))) == rows


@given(_SIDES, _SIDES, st.booleans())
def test_no_more_operations_than_rows_that_differ(before: dict[int, int], now: dict[int, int], is_bid: bool) -> None:
    told, rows = rows_of(before, is_bid=is_bid), rows_of(now, is_bid=is_bid)
    gone = [price for price, _ in told if price not in now]
    new_or_changed = [price for price, size in rows if before.get(price) != size]
    assert len(row_changes(told, rows, is_bid=is_bid)) <= len(gone) + len(new_or_changed)
    assert (row_changes(told, rows, is_bid=is_bid) == []) == (told == rows)


@given(_SIDES, st.booleans())
def test_the_first_rows_are_inserts_from_the_top(now: dict[int, int], is_bid: bool) -> None:
    rows = rows_of(now, is_bid=is_bid)
    assert inserts(rows) == row_changes((), rows, is_bid=is_bid)
    assert [(one.position, one.operation) for one in inserts(rows)] == [(n, INSERT) for n in range(len(rows))]


def test_a_better_price_is_one_insert_and_pushes_the_last_row_out() -> None:
    told, rows = ((100, 1), (99, 2), (98, 3)), ((101, 5), (100, 1), (99, 2))
    assert row_changes(told, rows, is_bid=True) == [RowChange(2, DELETE, 0, 0), RowChange(0, INSERT, 101, 5)]


def test_a_best_price_that_moves_is_one_update() -> None:
    assert row_changes(((100, 1), (103, 2)), ((101, 4), (103, 2)), is_bid=False) == [RowChange(0, UPDATE, 101, 4)]


def test_a_size_that_changes_is_one_update() -> None:
    assert row_changes(((100, 1), (99, 2)), ((100, 1), (99, 7)), is_bid=True) == [RowChange(1, UPDATE, 99, 7)]
