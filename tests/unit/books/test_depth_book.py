"""A local book through its life: buffering, snapshot, gap, silence."""

import pytest

from foxtrot.books.depth_book import DepthBook
from foxtrot.books.sequence import ContiguousIds, PreviousId
from foxtrot.domain.enums import BookState, Product
from foxtrot.domain.errors import BookOutOfSync, OffGrid
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import DepthChange, DepthData, Level

BTC = Instrument(
    instrument_id="BTCUSDT.BINANCE",
    symbol="BTCUSDT",
    venue="BINANCE",
    product=Product.SPOT,
    base_asset="BTC",
    quote_asset="USDT",
    settle_asset="USDT",
    price_grid=Grid.of("0.01"),
    quantity_grid=Grid.of("0.00001"),
)


def change(first: int, last: int, bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = ()) -> DepthChange:
    return DepthChange("BTCUSDT.BINANCE", last * 10, last * 10 + 1, first, last, first - 1, bids, asks)


def snapshot(update_id: int = 100) -> DepthData:
    return DepthData("BTCUSDT.BINANCE", 5, 6, update_id, ((99.99, 1.5), (99.98, 2.0)), ((100.01, 0.5),))


@pytest.fixture
def book() -> DepthBook:
    return DepthBook(BTC, ContiguousIds())


def test_a_new_book_is_empty(book: DepthBook) -> None:
    assert book.state is BookState.EMPTY
    assert book.depth(5).bids == ()


def test_changes_before_the_snapshot_are_kept_and_applied_to_it(book: DepthBook) -> None:
    assert not book.apply(change(98, 100, bids=((99.99, 9.0),)))
    assert not book.apply(change(101, 103, bids=((99.99, 0.0),)))
    assert book.state is BookState.SYNCING
    book.load(snapshot())
    assert book.state is BookState.LIVE
    assert book.update_id == 103
    assert book.depth(5).bids == ((99.98, 2.0),)


def test_a_live_book_gives_its_top_with_the_times_of_the_last_change(book: DepthBook) -> None:
    book.load(snapshot())
    assert book.apply(change(101, 102, asks=((100.0, 0.12345),)))
    depth = book.depth(1)
    assert depth == DepthData("BTCUSDT.BINANCE", 1020, 1021, 102, ((99.99, 1.5),), ((100.0, 0.12345),))


def test_an_old_change_is_ignored(book: DepthBook) -> None:
    book.load(snapshot())
    assert not book.apply(change(90, 100, bids=((1.0, 1.0),)))
    assert book.state is BookState.LIVE
    assert book.update_id == 100


def test_a_gap_drops_the_levels_and_keeps_the_change_for_the_next_snapshot(book: DepthBook) -> None:
    book.load(snapshot())
    book.apply(change(101, 101))
    with pytest.raises(BookOutOfSync, match=r"change 103\.\.105 .* does not follow 101 by ContiguousIds"):
        book.apply(change(103, 105, bids=((99.0, 1.0),)))
    assert book.state is BookState.SYNCING
    assert book.depth(5).bids == ()
    book.load(snapshot(104))
    assert book.state is BookState.LIVE
    assert book.depth(5).bids[-1] == (99.0, 1.0)


def test_a_snapshot_older_than_the_kept_changes_is_refused_and_a_newer_one_works(book: DepthBook) -> None:
    book.apply(change(110, 112))
    book.apply(change(113, 115, bids=((99.0, 3.0),)))
    with pytest.raises(BookOutOfSync):
        book.load(snapshot(100))
    assert book.state is BookState.SYNCING
    book.load(snapshot(111))
    assert book.update_id == 115
    assert book.state is BookState.LIVE
    assert book.depth(9).bids[-1] == (99.0, 3.0)


def test_a_hole_among_the_kept_changes_is_found_by_the_snapshot(book: DepthBook) -> None:
    book.apply(change(101, 102))
    book.apply(change(105, 106))
    book.apply(change(107, 108))
    with pytest.raises(BookOutOfSync):
        book.load(snapshot(100))
    book.load(snapshot(105))
    assert book.update_id == 108


def test_a_silent_book_is_stale_until_the_next_change_that_follows(book: DepthBook) -> None:
    book.load(snapshot())
    book.mark_stale()
    assert book.state is BookState.STALE
    assert book.depth(1).bids == ((99.99, 1.5),)
    book.apply(change(101, 101))
    assert book.state is BookState.LIVE


def test_a_crossed_book_says_so_and_recovers(book: DepthBook) -> None:
    book.load(snapshot())
    book.apply(change(101, 101, bids=((100.01, 1.0),)))
    assert book.state is BookState.CROSSED
    book.apply(change(102, 102, bids=((100.01, 0.0),)))
    assert book.state is BookState.LIVE


def test_a_dropped_book_starts_over(book: DepthBook) -> None:
    book.load(snapshot())
    book.drop()
    assert book.state is BookState.EMPTY
    assert book.update_id == 0
    assert not book.apply(change(101, 101))
    assert book.state is BookState.SYNCING


def test_a_price_off_the_grid_is_refused_and_leaves_the_book_as_it_was(book: DepthBook) -> None:
    book.load(snapshot())
    with pytest.raises(OffGrid):
        book.apply(change(101, 101, bids=((99.995, 1.0), (99.99, 0.0))))
    assert book.update_id == 100
    assert book.depth(1).bids == ((99.99, 1.5),)


def test_previous_ids_bridge_where_the_snapshot_lies_inside_a_change() -> None:
    book = DepthBook(BTC, PreviousId())
    book.apply(DepthChange("X", 1, 1, 90, 105, 80, ((99.97, 1.0),), ()))
    book.apply(DepthChange("X", 1, 1, 120, 130, 105, (), ((100.02, 1.0),)))
    book.load(snapshot(100))
    assert book.update_id == 130
    assert book.depth(9).bids[-1] == (99.97, 1.0)
