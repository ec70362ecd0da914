"""What a BookStream tells, and that who is told may look at the book at once."""

from decimal import Decimal
from typing import Any

import pytest

from foxtrot.adapter.book_stream import BookStream, figures_of
from foxtrot.books.audit import AuditVerdict
from foxtrot.books.sequence import ContiguousIds
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import OffGrid
from foxtrot.domain.market import REST, STREAM, DepthChange, DepthData, Level
from tests.support.instruments import a_spot

INSTRUMENT = a_spot()
NAME = INSTRUMENT.instrument_id


class Heard:
    """A way up that keeps everything and looks at the book whenever it is told something."""

    def __init__(self) -> None:
        self.facts: list[Any] = []
        self.stream: BookStream | None = None
        self.looked: list[int | None] = []
        self.needs = 0

    def on_depth(self, depth: DepthData) -> None:
        self.facts.append(depth)
        self._look()

    def on_depth_change(self, change: DepthChange) -> None:
        self.facts.append(change)
        self._look()

    def on_book_state(self, _instrument_id: str, state: BookState, _cause: str = "") -> None:
        self.facts.append(state)
        self._look()

    def need(self) -> None:
        self.needs += 1
        self._look()

    def _look(self) -> None:
        if self.stream is not None:
            book = self.stream.exact(1)
            self.looked.append(None if book is None else book.update_id)


def _scene(levels: int = 5, *, changes: bool = False) -> tuple[BookStream, Heard]:
    heard = Heard()
    stream = heard.stream = BookStream(INSTRUMENT, ContiguousIds(), heard, heard.need)
    stream.want(levels, changes=changes)
    return stream, heard


def _whole(update_id: int, *bids: Level, asks: tuple[Level, ...] = ((101.0, 1.0),)) -> DepthData:
    return DepthData(NAME, 7, 8, update_id, bids or ((99.0, 1.0),), asks)


def _change(first: int, last: int, *bids: Level) -> DepthChange:
    return DepthChange(NAME, 9, 10, first, last, first - 1, bids, ())


def test_whoever_is_told_sees_the_book_as_it_is_then() -> None:
    stream, heard = _scene(changes=True)
    stream.begin("a new link")
    stream.load(_whole(10), stream.generation)
    stream.publish()
    stream.take(_change(11, 12, (99.5, 2.0)))
    stream.take(_change(20, 21, (99.6, 2.0)))
    kinds = [fact if isinstance(fact, BookState) else type(fact) for fact in heard.facts]
    assert kinds == [BookState.SYNCING, BookState.LIVE, DepthData, DepthChange, BookState.SYNCING]
    assert heard.looked == [None, None, 10, 10, 12, None, None]
    assert (heard.needs, stream.counters.gaps) == (2, 1)


def test_a_change_that_reaches_back_behind_the_snapshot_is_told_as_one_that_follows_it() -> None:
    stream, heard = _scene(0, changes=True)
    stream.begin()
    stream.load(_whole(10), stream.generation)
    stream.publish()
    assert stream.take(_change(8, 12, (99.5, 2.0)))
    told = heard.facts[-1]
    assert (told.first_update_id, told.last_update_id, told.previous_update_id) == (11, 12, 10)
    assert told.bids == ((99.5, 2.0),)


def test_a_book_by_requests_is_told_as_such_and_never_exact() -> None:
    stream, heard = _scene()
    stream.load_polled(_whole(10))
    stream.publish()
    assert heard.facts[0] is BookState.LIVE
    assert heard.facts[1].source == REST
    assert stream.exact(1) is None
    assert not stream.take(_change(11, 12, (99.5, 2.0)))
    stream.begin("the stream is back")
    stream.load(_whole(20), stream.generation)
    stream.publish()
    assert heard.facts[-1].source == STREAM
    assert stream.exact(1) is not None


def test_a_snapshot_asked_for_before_requests_took_over_is_dropped() -> None:
    stream, _ = _scene()
    stream.begin()
    asked = stream.generation
    stream.load_polled(_whole(12))
    assert not stream.load(_whole(10), asked)
    assert stream.update_id == 12


def test_whole_books_of_a_stream_follow_each_other_and_are_exact() -> None:
    stream, heard = _scene()
    assert not stream.replace(_whole(9)), "the stream has not begun"
    stream.begin()
    assert stream.replace(_whole(10))
    stream.publish()
    assert stream.replace(_whole(15, (98.0, 3.0)))
    stream.publish()
    depths = [fact for fact in heard.facts if isinstance(fact, DepthData)]
    assert [(one.update_id, one.bids) for one in depths] == [(10, ((99.0, 1.0),)), (15, ((98.0, 3.0),))]
    exact = stream.exact(1)
    assert exact is not None
    assert exact.bids == ((Decimal("98"), Decimal("3")),)
    assert [fact for fact in heard.facts if isinstance(fact, BookState)] == [BookState.SYNCING, BookState.LIVE]


def test_what_differs_between_two_whole_books_is_told_where_it_is_known_else_the_whole_book_again() -> None:
    stream, heard = _scene(0, changes=True)
    stream.begin()
    stream.replace(_whole(10))
    stream.publish()
    stream.replace(_whole(11, (99.5, 1.0)), _change(11, 11, (99.0, 0.0), (99.5, 1.0)))
    stream.publish()
    assert isinstance(heard.facts[-1], DepthChange)
    stream.replace(_whole(12))
    stream.publish()
    assert isinstance(heard.facts[-1], DepthData)


def test_a_whole_book_whose_sides_cross_is_told_as_crossed_and_not_published() -> None:
    stream, heard = _scene()
    stream.begin()
    stream.replace(_whole(10, (102.0, 1.0)))
    stream.publish()
    assert heard.facts == [BookState.SYNCING, BookState.CROSSED]
    assert stream.exact(1) is None


def test_a_stream_that_is_gone_leaves_no_book_that_may_be_believed() -> None:
    stream, heard = _scene()
    stream.begin()
    stream.load(_whole(10), stream.generation)
    stream.stale("the link is lost")
    assert heard.facts[-1] is BookState.STALE
    assert stream.exact(1) is None
    stream.end()
    assert not stream.take(_change(11, 12, (99.5, 2.0)))


def test_a_snapshot_off_the_grid_is_refused_and_the_book_stays_unusable() -> None:
    stream, _ = _scene()
    stream.begin()
    with pytest.raises(OffGrid):
        stream.load(_whole(10, (99.001, 1.0)), stream.generation)
    assert stream.exact(1) is None
    assert stream.state is BookState.SYNCING


def test_the_exact_book_ends_where_a_snapshot_of_so_many_levels_did() -> None:
    stream, _ = _scene()
    stream.begin()
    two = DepthData(NAME, 7, 8, 10, ((99.0, 1.0), (98.0, 1.0)), ((101.0, 1.0), (102.0, 1.0)))
    assert stream.load(two, stream.generation, 2)
    stream.take(_change(11, 11, (97.0, 5.0), (98.5, 2.0)))
    exact = stream.exact(1)
    assert exact is not None
    assert [price for price, _ in exact.bids] == [Decimal("99"), Decimal("98.5"), Decimal("98")]
    assert [price for price, _ in exact.asks] == [Decimal("101"), Decimal("102")]


def test_an_audit_that_finds_another_level_begins_the_book_anew_and_asks_for_a_snapshot() -> None:
    stream, heard = _scene()
    stream.begin()
    stream.load(_whole(10), stream.generation)
    stream.begin_audit()
    stream.take(_change(11, 11, (98.0, 2.0)))
    assert stream.finish_audit(_whole(11, (99.0, 1.0), (98.0, 2.0)), 100).verdict is AuditVerdict.EQUAL
    stream.begin_audit()
    assert stream.finish_audit(_whole(11, (99.0, 4.0), (98.0, 2.0)), 100).verdict is AuditVerdict.DIFFERS
    assert (heard.facts[-1], heard.needs) == (BookState.SYNCING, 2)
    figures = figures_of(stream, "depth_cache", 1_000_000_010, 0.5)
    assert (figures.implementation, figures.audits, figures.audits_failed, figures.match_score) == (
        "depth_cache",
        2,
        1,
        0.5,
    )
    assert figures.age_ms is None


def test_only_what_is_known_is_told() -> None:
    stream, heard = _scene()
    stream.begin()
    stream.load(_whole(10, (99.0, 1.0), (98.0, 1.0)), stream.generation, 2)
    stream.take(_change(11, 11, (90.0, 5.0)))  # beyond the snapshot: others may stand between
    stream.publish()
    depth = heard.facts[-1]
    assert depth.bids == ((99.0, 1.0), (98.0, 1.0))
    book = stream.exact(11)
    assert book is not None
    assert [float(price) for price, _ in book.bids] == [99.0, 98.0]


def test_a_book_whose_market_has_left_what_is_known_begins_anew_before_it_is_told() -> None:
    stream, heard = _scene()
    stream.begin()
    stream.load(_whole(10, (99.0, 1.0), (98.0, 1.0)), stream.generation, 2)
    stream.publish()
    told = len(heard.facts)
    stream.take(_change(11, 11, (99.0, 0.0), (98.0, 0.0), (90.0, 5.0)))
    stream.publish()
    assert heard.facts[told:] == [BookState.SYNCING]
    assert heard.needs == 2
    assert stream.exact(11) is None
