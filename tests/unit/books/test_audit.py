"""Audits of a live book against a fresh snapshot."""

import pytest

from foxtrot.books.audit import AuditVerdict
from foxtrot.books.cached_book import CachedBook
from foxtrot.books.sequence import ContiguousIds
from tests.support.book_facts import BTC, LIVE, SYNCING, Listener, change, snapshot


@pytest.fixture
def book() -> CachedBook:
    owner = Listener()
    book = CachedBook(BTC, ContiguousIds(), owner, owner.need)
    book.begin()
    book.load(snapshot(), book.generation)
    return book


def test_a_snapshot_with_the_changes_since_is_equal_to_the_book(book: CachedBook) -> None:
    book.begin_audit()
    book.apply(change(101, 103, bids=((99.97, 3.0),)))
    result = book.finish_audit(snapshot())
    assert (result.verdict, result.levels, result.equal, result.score) == (AuditVerdict.EQUAL, 4, 4, 1.0)
    assert (book.state, book.counters.audits, book.counters.audits_failed) == (LIVE, 1, 0)


def test_a_difference_counts_and_the_book_begins_anew(book: CachedBook) -> None:
    book.begin_audit()
    result = book.finish_audit(snapshot(bids=((99.99, 1.4), (99.98, 2.0), (99.97, 1.0))))
    assert (result.verdict, result.levels, result.equal, result.score) == (AuditVerdict.DIFFERS, 4, 2, 0.5)
    assert (book.state, book.counters.audits_failed) == (SYNCING, 1)


def test_only_what_both_know_is_compared(book: CachedBook) -> None:
    book.begin_audit()
    result = book.finish_audit(snapshot(bids=((99.99, 1.5),)), limit=1)
    assert (result.verdict, result.levels) == (AuditVerdict.EQUAL, 2)


def test_an_audit_by_fewer_levels_takes_nothing_away(book: CachedBook) -> None:
    before = book.view(9)
    book.begin_audit()
    assert book.finish_audit(snapshot(bids=((99.99, 1.5),)), limit=1).verdict is AuditVerdict.EQUAL
    assert book.view(9) == before


def test_an_audit_by_more_levels_makes_more_known() -> None:
    owner = Listener()
    book = CachedBook(BTC, ContiguousIds(), owner, owner.need)
    book.begin()
    book.load(snapshot(bids=((99.99, 1.5), (99.98, 2.0))), book.generation, 2)
    book.apply(change(101, 103, bids=((99.5, 4.0),)))  # beyond what is known; another level lies between
    assert book.view(9).lowest_known == 9998
    book.begin_audit()
    whole = snapshot(103, bids=((99.99, 1.5), (99.98, 2.0), (99.97, 1.0), (99.5, 4.0)))
    assert book.finish_audit(whole, 4).verdict is AuditVerdict.EQUAL
    view = book.view(9)
    assert [price for price, _ in view.bids] == [9999, 9998, 9997, 9950]
    assert view.lowest_known == 9950


def test_a_snapshot_ahead_of_the_stream_is_compared_when_the_stream_is_there(book: CachedBook) -> None:
    book.begin_audit()
    fresh = snapshot(102, bids=((99.99, 1.5), (99.98, 2.0), (99.0, 1.0)))
    early = book.finish_audit(fresh)
    assert (early.verdict, early.is_early) == (AuditVerdict.UNKNOWN, True)
    book.apply(change(101, 103, bids=((99.0, 1.0),)))
    assert book.finish_audit(fresh).verdict is AuditVerdict.EQUAL


def test_a_snapshot_from_before_the_audit_says_nothing(book: CachedBook) -> None:
    book.apply(change(101, 101))
    book.begin_audit()
    book.apply(change(102, 102))
    result = book.finish_audit(snapshot(100))
    assert (result.verdict, result.is_early) == (AuditVerdict.UNKNOWN, False)
    assert book.counters.audits == 0


@pytest.mark.parametrize("what", ["gap", "silence", "begin", "restart"])
def test_a_book_that_was_given_up_meanwhile_is_not_compared(book: CachedBook, what: str) -> None:
    book.apply(change(101, 101))
    book.begin_audit()
    if what == "gap":
        book.apply(change(105, 106))
    elif what == "restart":
        book.apply(change(1, 1, ms=500))
    elif what == "silence":
        book.silence("cut")
    else:
        book.begin()
    assert book.finish_audit(snapshot(101)).verdict is AuditVerdict.UNKNOWN


def test_no_audit_was_begun(book: CachedBook) -> None:
    assert book.finish_audit(snapshot()).verdict is AuditVerdict.UNKNOWN


def test_a_book_that_is_not_live_is_not_audited(book: CachedBook) -> None:
    book.apply(change(105, 106))
    book.begin_audit()
    assert "no audit" in book.finish_audit(snapshot(106)).cause


def test_on_the_same_stream_a_snapshot_of_before_is_dropped_until_ids_begin_anew(book: CachedBook) -> None:
    book.apply(change(101, 110))
    book.begin("the market has left what is known", same_stream=True)
    assert not book.load(snapshot(105), book.generation)
    assert book.state is SYNCING
    assert book.load(snapshot(110), book.generation)
    assert book.state is LIVE
    book.begin("once more", same_stream=True)
    book.apply(change(3, 4))
    assert book.load(snapshot(3), book.generation)


def test_on_another_stream_ids_may_be_any(book: CachedBook) -> None:
    book.begin("a new link")
    assert book.load(snapshot(7), book.generation)
