"""A book of levels in integer units."""

import pytest

from foxtrot.books.level_book import LevelBook
from foxtrot.domain.enums import Side


@pytest.fixture
def book() -> LevelBook:
    book = LevelBook()
    book.load([(100, 5), (99, 7), (97, 1)], [(101, 4), (103, 6), (104, 10)])
    return book


def test_best_prices_are_the_highest_bid_and_the_lowest_ask(book: LevelBook) -> None:
    assert book.best_bid() == (100, 5)
    assert book.best_ask() == (101, 4)
    assert not book.is_crossed


def test_an_empty_book_has_no_best_price_and_is_not_crossed() -> None:
    book = LevelBook()
    assert book.best_bid() is None
    assert book.best_ask() is None
    assert not book.is_crossed
    assert book.imbalance() == 0.0
    assert len(book) == 0


def test_sizes_are_absolute_and_zero_removes(book: LevelBook) -> None:
    book.apply([(100, 0), (98, 2), (99, 3)], [(101, 9), (102, 1), (555, 0)])
    assert book.top(10) == (((99, 3), (98, 2), (97, 1)), ((101, 9), (102, 1), (103, 6), (104, 10)))
    assert book.size_at(Side.BUY, 100) == 0
    assert book.size_at(Side.SELL, 101) == 9


def test_top_cuts_to_the_best_levels(book: LevelBook) -> None:
    assert book.top(1) == (((100, 5),), ((101, 4),))
    assert book.top(0) == ((), ())


def test_a_snapshot_does_not_change_with_the_book(book: LevelBook) -> None:
    snapshot = book.snapshot()
    book.apply([(100, 0)], [(101, 0)])
    assert snapshot.bids == ((100, 5), (99, 7), (97, 1))
    assert snapshot.asks == ((101, 4), (103, 6), (104, 10))
    assert book.snapshot(1).bids == ((99, 7),)


def test_depth_to_a_price_includes_that_price(book: LevelBook) -> None:
    assert book.depth_to(Side.BUY, 99) == 12
    assert book.depth_to(Side.BUY, 98) == 12
    assert book.depth_to(Side.SELL, 103) == 10
    assert book.depth_to(Side.SELL, 100) == 0


def test_a_sweep_walks_the_levels_from_the_best(book: LevelBook) -> None:
    sweep = book.sweep(Side.BUY, 7)
    assert (sweep.filled, sweep.cost, sweep.worst_price) == (7, 4 * 101 + 3 * 103, 103)
    assert sweep.average_price == (4 * 101 + 3 * 103) / 7
    assert book.sweep(Side.SELL, 5).average_price == 100.0


def test_a_sweep_larger_than_the_book_fills_what_there_is(book: LevelBook) -> None:
    assert book.sweep(Side.SELL, 1_000).filled == 13
    assert LevelBook().sweep(Side.BUY, 5).average_price == 0.0


def test_imbalance_compares_the_two_sides(book: LevelBook) -> None:
    assert book.imbalance() == (5 - 4) / 9
    assert book.imbalance(2) == (12 - 10) / 22


def test_touching_prices_are_crossed(book: LevelBook) -> None:
    book.apply([(101, 1)], [])
    assert book.is_crossed


def test_clear_forgets_every_level(book: LevelBook) -> None:
    book.clear()
    assert book.snapshot().bids == ()
    book.apply([(1, 1)], [])
    assert book.best_bid() == (1, 1)


def test_loading_leaves_out_empty_levels() -> None:
    book = LevelBook()
    book.load([(5, 0), (4, 1)], [(6, 0)])
    assert book.top(5) == (((4, 1),), ())
