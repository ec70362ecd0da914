"""Old changes: how long they are believed to be repeats, or of a stream that lags, and when to be of another count of ids."""

import msgspec
import pytest

from foxtrot.books.cached_book import CachedBook
from foxtrot.books.old_run import CATCH_UP_MOST_NS, CATCH_UP_NS, OLD_LIMIT, REPEATS_NS, OldRun
from foxtrot.books.sequence import ContiguousIds
from foxtrot.domain.market import DepthChange
from tests.support.book_facts import BTC, LIVE, MS, SYNCING, Listener, change, snapshot

EVERY_MS = 100
MINUTE = 60_000 // EVERY_MS


@pytest.fixture
def owner() -> Listener:
    return Listener()


def a_loaded_book(owner: Listener, update_id: int) -> CachedBook:
    book = CachedBook(BTC, ContiguousIds(), owner, owner.need)
    book.begin()
    assert book.load(snapshot(update_id), book.generation)
    owner.take()
    return book


def test_a_stream_may_lag_behind_a_snapshot_for_a_while_only(owner: Listener) -> None:
    book = a_loaded_book(owner, 1_000)
    book.apply(change(10, 10))
    book.apply(change(11, 11, ms=10 + CATCH_UP_NS // MS))
    assert book.state is LIVE
    book.apply(change(12, 12, ms=11 + CATCH_UP_NS // MS))
    assert (book.state, book.counters.restarts) == (SYNCING, 1)


@pytest.mark.parametrize(("lag_ms", "restarts"), [(900, 0), (1_200, 1), (2_000, 1), (3_000, 2), (28_000, 5)])
def test_a_stream_that_lags_steadily_is_waited_for(owner: Listener, lag_ms: int, restarts: int) -> None:
    book, lag = CachedBook(BTC, ContiguousIds(), owner, owner.need), lag_ms // EVERY_MS
    book.begin()
    for now in range(1_000, 1_000 + 2 * MINUTE):
        if book.state is SYNCING:
            book.load(snapshot(now, ms=0), book.generation, 1_000)
        book.apply(change(now - lag, now - lag, ms=(now - lag) * EVERY_MS))
    assert (book.counters.restarts, book.counters.snapshots) == (restarts, restarts + 1)
    assert (book.state, book.book.update_id) == (LIVE, 1_000 + 2 * MINUTE - 1 - lag)


def test_a_stream_is_waited_for_as_shortly_as_at_first_once_it_has_reached_a_snapshot(owner: Listener) -> None:
    book = a_loaded_book(owner, 1_000)
    step = CATCH_UP_NS // MS + 1
    for number in (1, 2):
        book.apply(change(number, number, ms=number * step))
    assert (book.state, book.counters.restarts) == (SYNCING, 1)
    book.load(snapshot(3), book.generation)
    book.apply(change(4, 4, ms=4 * step))
    book.begin()
    book.load(snapshot(2_000), book.generation)
    for number in (5, 6):
        book.apply(change(number, number, ms=number * step))
    assert (book.state, book.counters.restarts) == (SYNCING, 2)


def test_no_stream_is_waited_for_for_ever() -> None:
    run, step = OldRun(), CATCH_UP_MOST_NS // MS
    for at in range(20):
        run.clear()
        assert not run.is_restart(change(1, 1, ms=at * 3 * step))
        restarted = run.is_restart(change(2, 2, ms=at * 3 * step + step + 1))
        assert restarted


def test_repeats_that_come_all_at_once_are_repeats_however_many_they_are(owner: Listener) -> None:
    """As the backlog of the second of two connections."""
    book = a_loaded_book(owner, 100)
    for number in range(101, 1_001):
        book.apply(change(number, number, ms=number * EVERY_MS))
    for number in range(101, 1_001):
        book.apply(replayed(number, arrives_ms=1_000 * EVERY_MS))
    assert (book.state, book.counters.old, book.counters.restarts) == (LIVE, 900, 0)
    assert book.apply(change(1_001, 1_001, ms=1_001 * EVERY_MS))


def test_a_backlog_after_a_snapshot_is_no_restart(owner: Listener) -> None:
    book = a_loaded_book(owner, 1_000)
    for number in range(1, 1_001):
        book.apply(replayed(number, arrives_ms=1_000 * EVERY_MS))
    assert (book.state, book.counters.restarts) == (LIVE, 0)
    assert book.apply(change(1_001, 1_001, ms=1_001 * EVERY_MS))


def test_a_stream_that_leaves_something_out_before_it_reaches_the_snapshot_may_be_of_another_count(
    owner: Listener,
) -> None:
    """The venue came back with ids between those that were heard and the snapshot's; else it would be followed from 1001 on."""
    book = a_loaded_book(owner, 1_000)
    for number in (10, 11, 10, 12):
        book.apply(change(number, number, ms=0))
    assert book.state is LIVE
    book.apply(change(14, 14, ms=0))
    assert (book.state, book.counters.gaps, book.counters.restarts) == (SYNCING, 1, 0)


def test_a_snapshot_is_not_told_from_what_waited_for_it_by_what_was_lost_there(owner: Listener) -> None:
    book = CachedBook(BTC, ContiguousIds(), owner, owner.need)
    book.begin()
    for number in (10, 12, 11):
        book.apply(change(number, number, ms=0))
    assert book.load(snapshot(20), book.generation)
    book.apply(change(13, 13, ms=0))
    assert book.state is LIVE
    book.apply(change(15, 15, ms=0))
    assert book.state is SYNCING


def test_a_venue_whose_ids_and_clock_went_back_is_found_by_time(owner: Listener) -> None:
    book = a_loaded_book(owner, 100_000)
    book.apply(change(100_001, 100_001))
    last = REPEATS_NS // MS
    for ms in (0, last):
        book.apply(change(1 + ms, 1 + ms, ms=1 + ms))
    assert book.state is LIVE
    book.apply(change(2 + last, 2 + last, ms=2 + last))
    assert (book.state, book.counters.restarts) == (SYNCING, 1)


@pytest.mark.parametrize("followed", [True, False])
def test_without_a_clock_so_many_in_a_row_are_a_restart(owner: Listener, followed: bool) -> None:
    book = a_loaded_book(owner, 1_000)
    if followed:
        book.apply(change(1_001, 1_001, ms=0))
    for anew in range(1, OLD_LIMIT + 1):
        book.apply(change(anew, anew, ms=0))
    assert book.state is LIVE
    book.apply(change(OLD_LIMIT + 1, OLD_LIMIT + 1, ms=0))
    assert (book.state, book.counters.restarts) == (SYNCING, 1)


def replayed(number: int, arrives_ms: int) -> DepthChange:
    """Return a change of its own time by the venue's clock, that arrives later."""
    return msgspec.structs.replace(change(number, number, ms=number * EVERY_MS), local_time_ns=arrives_ms * MS)
