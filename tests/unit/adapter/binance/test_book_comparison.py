"""Two books of one stream, level by level: only at the same id, and only where ours is known."""

from typing import Any

from foxtrot.adapter.binance.book_comparison import BookComparison
from foxtrot.adapter.binance.market_fetching import _is_ahead
from foxtrot.adapter.binance.partial_books import PartialBook
from foxtrot.adapter.book_stream import BookStream
from foxtrot.books.sequence import ContiguousIds
from foxtrot.domain.enums import Side
from foxtrot.domain.market import DepthChange, DepthData, Level
from tests.support.instruments import a_spot

INSTRUMENT = a_spot()
BIDS, ASKS = ((99.0, 1.0), (98.0, 2.0)), ((101.0, 1.0), (102.0, 2.0))


class Nobody:
    """Hears everything and does nothing."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_facts, **_more: None


def whole(update_id: int, bids: tuple[Level, ...] = BIDS, asks: tuple[Level, ...] = ASKS) -> DepthData:
    return DepthData(INSTRUMENT.instrument_id, 1, 1, update_id, bids, asks)


def ours(limit: int = 0) -> BookStream:
    book = BookStream(INSTRUMENT, ContiguousIds(), Nobody(), lambda: None)
    book.begin()
    book.load(whole(10), book.generation, limit)
    return book


def theirs(update_id: int | None = 10, bids: tuple[Level, ...] = BIDS, asks: tuple[Level, ...] = ASKS) -> Any:
    return {"nonce": update_id, "bids": [list(level) for level in bids], "asks": [list(level) for level in asks]}


def test_equal_books_are_counted_and_nothing_is_found() -> None:
    comparison = BookComparison()
    assert comparison.compare(ours(), theirs()) is None
    assert (comparison.compared, comparison.differences) == (1, 0)


def test_the_first_level_that_differs_is_found_best_first() -> None:
    comparison = BookComparison()
    found = comparison.compare(ours(), theirs(bids=((99.0, 1.0), (97.0, 5.0))))
    assert found is not None
    assert (found.update_id, found.side, found.level, found.ours, found.theirs) == (
        10,
        Side.BUY,
        2,
        (98.0, 2.0),
        (97.0, 5.0),
    )
    assert "at id 10" in str(found)
    missing = comparison.compare(ours(), theirs(asks=ASKS[:1]))
    assert missing is not None
    assert (missing.side, missing.level, missing.theirs) == (Side.SELL, 2, None)
    assert (comparison.compared, comparison.differences) == (2, 2)


def test_books_of_different_ids_or_of_no_id_are_not_compared() -> None:
    comparison = BookComparison()
    assert comparison.compare(ours(), theirs(11, bids=())) is None
    assert comparison.compare(ours(), theirs(None, bids=())) is None
    stale = ours()
    stale.stale("gone")
    assert comparison.compare(stale, theirs(bids=())) is None
    assert comparison.compared == 0


def test_what_lies_beyond_what_is_known_of_ours_is_no_difference() -> None:
    comparison, book = BookComparison(), ours(limit=2)
    book.take(DepthChange(INSTRUMENT.instrument_id, 1, 1, 11, 11, 10, ((97.0, 1.0),), ()))
    assert comparison.compare(book, theirs(11, bids=(*BIDS, (97.5, 1.0), (97.0, 1.0)))) is None
    assert (comparison.compared, comparison.differences) == (1, 0)


def test_a_partial_book_has_fallen_behind_only_when_its_own_levels_are_others() -> None:
    book = PartialBook(INSTRUMENT, Nobody())
    book.begin()
    book.replace(whole(10))
    assert not _is_ahead(whole(12), book)
    assert _is_ahead(whole(12, bids=((99.0, 3.0), (98.0, 2.0))), book)
    assert _is_ahead(whole(12), ours())
    assert not _is_ahead(whole(10), ours())
