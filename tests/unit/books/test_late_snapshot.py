"""A snapshot that took long: the changes that waited for it and that it holds already are old, however long ago they came."""

from foxtrot.books.depth_book import DepthBook
from foxtrot.books.old_run import CATCH_UP_NS, OLD_LIMIT
from foxtrot.books.sequence import ContiguousIds
from foxtrot.domain.enums import BookState
from foxtrot.domain.market import DepthChange, DepthData
from tests.support.instruments import a_spot

INSTRUMENT = a_spot()


def change(number: int, time_ns: int) -> DepthChange:
    """The change of one id, at a time by the venue's clock."""
    bids = ((90.0 + number % 9, 1.0),)
    return DepthChange(INSTRUMENT.instrument_id, time_ns, time_ns, number, number, number - 1, bids, ())


def test_a_snapshot_newer_than_all_that_waited_is_taken() -> None:
    book, pause_ns = DepthBook(INSTRUMENT, ContiguousIds()), CATCH_UP_NS // 2
    for number in range(1, 20):
        book.apply(change(number, number * pause_ns))
    book.load(DepthData(INSTRUMENT.instrument_id, 1, 1, 15, ((90.0, 1.0),), ((101.0, 1.0),)))
    assert (book.state, book.update_id) == (BookState.LIVE, 19)


def test_a_snapshot_newer_than_many_that_waited_is_taken() -> None:
    book, number = DepthBook(INSTRUMENT, ContiguousIds()), 3 * OLD_LIMIT
    for waiting in range(1, number + 1):
        book.apply(change(waiting, waiting))
    book.load(DepthData(INSTRUMENT.instrument_id, 1, 1, number, ((90.0, 1.0),), ((101.0, 1.0),)))
    assert book.state is BookState.LIVE
    assert book.apply(change(number + 1, number + 1))
