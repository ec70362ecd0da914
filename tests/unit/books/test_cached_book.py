"""One book of a cache through everything that can come to it."""

import pytest

from foxtrot.books.audit import AuditVerdict
from foxtrot.books.cached_book import CROSSED_LIMIT, CachedBook
from foxtrot.books.checksums import Checksum
from foxtrot.books.depth_book import Loss
from foxtrot.books.late_books import LATE_LIMIT, LATE_NS
from foxtrot.books.sequence import ContiguousIds, FullSnapshot, NonceChain, SequenceRule
from foxtrot.books.unnumbered_snapshot import UnnumberedSnapshot
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import OffGrid
from tests.support.book_facts import BTC, CROSSED, LIVE, MS, STALE, SYNCING, Listener, change, snapshot


@pytest.fixture
def owner() -> Listener:
    return Listener()


def a_book(owner: Listener, rule: SequenceRule | None = None, window: int = 0) -> CachedBook:
    return CachedBook(BTC, rule or ContiguousIds(), owner, owner.need, window)


def a_live_book(owner: Listener, rule: SequenceRule | None = None) -> CachedBook:
    book = a_book(owner, rule)
    book.begin()
    assert book.load(snapshot(), book.generation)
    owner.take()
    return book


def test_a_book_begins_by_asking_for_a_snapshot_and_is_live_with_it(owner: Listener) -> None:
    book = a_book(owner)
    book.begin()
    book.apply(change(99, 102, bids=((99.97, 1.0),)))
    assert book.load(snapshot(), book.generation)
    assert owner.take() == ["syncing", "ask", "live", "book"]
    assert book.view(5).update_id == 102


def test_a_gap_is_told_before_a_snapshot_is_asked_for(owner: Listener) -> None:
    book = a_live_book(owner)
    assert not book.apply(change(103, 104))
    assert owner.take() == ["syncing", "ask"]
    assert "does not follow 100 by ContiguousIds" in owner.causes[-1]
    assert book.counters.gaps == 1


def test_a_snapshot_is_asked_for_even_if_who_is_told_of_the_loss_fails(
    owner: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(book: CachedBook, cause: str) -> None:
        raise ValueError(cause)

    book = a_live_book(owner)
    monkeypatch.setattr(owner, "on_state", fail)
    with pytest.raises(ValueError, match="does not follow"):
        book.apply(change(103, 104))
    assert owner.take() == ["ask"]
    monkeypatch.undo()
    book.load(snapshot(104), book.generation)
    owner.take()
    monkeypatch.setattr(owner, "on_state", fail)
    with pytest.raises(ValueError, match="again"):
        book.begin("again")
    assert owner.take() == ["ask"]


def test_a_snapshot_that_was_asked_for_before_the_gap_is_dropped(owner: Listener) -> None:
    book = a_live_book(owner)
    before = book.generation
    book.apply(change(103, 104))
    assert not book.load(snapshot(104), before)
    assert book.load(snapshot(104), book.generation)
    assert book.counters.snapshots_dropped == 1


def test_nothing_is_taken_while_the_stream_is_gone(owner: Listener) -> None:
    book = a_live_book(owner)
    book.silence("cut")
    assert book.state is STALE
    assert not book.apply(change(101, 101))
    assert not book.load(snapshot(101), book.generation)
    assert not book.replace(snapshot(101))
    assert owner.take() == ["stale"]


def test_a_snapshot_older_than_a_live_book_is_dropped(owner: Listener) -> None:
    book = a_live_book(owner)
    book.apply(change(101, 105))
    assert not book.load(snapshot(103), book.generation)
    assert (book.state, book.book.update_id) == (LIVE, 105)


# --- ids that begin anew ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("anew", [1, 80, 99])
def test_a_lower_id_at_a_later_time_is_a_restart_and_not_old(owner: Listener, anew: int) -> None:
    book = a_live_book(owner)
    book.apply(change(101, 110))
    assert not book.apply(change(anew, anew, ms=150))
    assert (book.state, book.counters.restarts, book.counters.gaps) == (SYNCING, 1, 1)
    assert book.load(snapshot(anew, ms=150), book.generation)
    assert book.state is LIVE


def test_a_lower_id_of_the_time_before_is_a_repeat(owner: Listener) -> None:
    book = a_live_book(owner)
    book.apply(change(101, 110))
    book.apply(change(111, 120))
    assert not book.apply(change(101, 110))
    assert (book.state, book.counters.old) == (LIVE, 1)


def test_a_restart_while_changes_wait_throws_them_away_and_the_request_under_way(owner: Listener) -> None:
    book = a_book(owner)
    book.begin()
    under_way = book.generation
    book.apply(change(500, 501))
    book.apply(change(1, 2, ms=600))
    assert not book.load(snapshot(501), under_way)
    book.apply(change(3, 4, ms=700))
    assert book.load(snapshot(2, ms=600), book.generation)
    assert book.view(1).update_id == 4


# --- checksums, sizes, crossing -----------------------------------------------------------------------------------------


def test_a_wrong_checksum_gives_the_book_up_and_is_counted(owner: Listener) -> None:
    book = a_live_book(owner, Checksum(ContiguousIds(), len))
    assert book.apply(change(101, 101, bids=((99.9, 1.0),), checksum=4))
    assert not book.apply(change(102, 102, bids=((99.8, 1.0),), checksum=4))
    assert (book.state, book.counters.checksum_failures, book.book.lost_by) == (SYNCING, 1, Loss.CHECKSUM)
    assert "without the venue's checksum, after 101 by Checksum(ContiguousIds)" in owner.causes[-1]


def test_a_change_without_a_checksum_is_believed(owner: Listener) -> None:
    book = a_live_book(owner, Checksum(ContiguousIds(), lambda levels: 0))
    assert book.apply(change(101, 101))


@pytest.mark.parametrize("level", [(99.9, -1.0), (99.999, 1.0), (float("nan"), 1.0), (99.9, float("inf"))])
def test_a_level_that_cannot_be_begins_the_book_anew(owner: Listener, level: tuple[float, float]) -> None:
    book = a_live_book(owner)
    assert not book.apply(change(101, 101, bids=(level,)))
    assert (book.state, book.counters.off_grid) == (SYNCING, 1)
    with pytest.raises(OffGrid):
        book.load(snapshot(102, bids=(level,)), book.generation)
    assert not book.replace(snapshot(103, bids=(level,)))
    assert book.counters.off_grid == 2
    assert book.load(snapshot(104), book.generation)
    assert book.state is LIVE


def test_levels_without_size_are_no_levels(owner: Listener) -> None:
    book = a_book(owner)
    book.begin()
    book.load(snapshot(100, bids=((99.0, 0.0), (98.0, -0.0), (97.0, 1.0))), book.generation)
    book.apply(change(101, 101, bids=((97.0, -0.0), (96.0, 2.0))))
    assert book.view(5).bids == ((9_600, 2_000),)


def test_a_locked_book_is_crossed_and_given_up_when_it_stays_so(owner: Listener) -> None:
    book = a_live_book(owner)
    book.apply(change(101, 101, bids=((100.01, 1.0),)))
    assert (book.state, book.counters.crossings) == (CROSSED, 1)
    for number in range(102, 101 + CROSSED_LIMIT):
        book.apply(change(number, number))
    assert book.state is CROSSED
    book.apply(change(101 + CROSSED_LIMIT, 101 + CROSSED_LIMIT))
    assert book.state is SYNCING
    assert owner.heard[-2:] == ["syncing", "ask"]


# --- whole books by stream ----------------------------------------------------------------------------------------------


def test_every_whole_book_is_live_as_it_comes(owner: Listener) -> None:
    book = a_book(owner, FullSnapshot())
    book.begin()
    assert book.replace(snapshot(1))
    assert book.replace(snapshot(2, bids=((99.0, 1.0),)))
    assert owner.take() == ["syncing", "ask", "live", "book", "book"]
    assert (book.view(5).bids, book.counters.replaced) == (((9_900, 1_000),), 2)


def test_a_whole_book_may_have_lower_ids_and_then_not_an_earlier_time(owner: Listener) -> None:
    book = a_live_book(owner)
    assert not book.replace(snapshot(99, ms=50))
    assert book.replace(snapshot(1, ms=300))
    assert book.apply(change(2, 2, ms=400))
    assert (book.state, book.book.update_id) == (LIVE, 2)


@pytest.mark.parametrize("ms", [50, 0])
def test_a_whole_book_of_a_higher_id_is_newer_whatever_the_clocks_say(owner: Listener, ms: int) -> None:
    book = a_live_book(owner)
    assert book.replace(snapshot(101, ms=ms))
    assert (book.book.update_id, book.counters.old) == (101, 0)


def test_whole_books_without_ids_are_judged_by_their_times_if_both_have_one(owner: Listener) -> None:
    book = a_book(owner, FullSnapshot())
    book.begin()
    taken = [book.replace(snapshot(0, ms=ms)) for ms in (100, 99, 101, 0, 50)]
    assert taken == [True, False, True, True, True]


def test_a_venue_whose_clock_went_back_is_believed_a_second_later(owner: Listener) -> None:
    book = a_live_book(owner)
    second = LATE_NS // MS
    assert [book.replace(snapshot(ms, ms=ms)) for ms in (10, 60, 10 + second // 100)] == [False, False, False]
    book.book.venue_time_ns += LATE_NS * 10
    book.book.update_id += second * 10
    assert not book.replace(snapshot(10 + second, ms=10 + second))
    assert book.replace(snapshot(11 + second, ms=11 + second))
    assert (book.state, book.book.update_id) == (LIVE, 11 + second)


def test_so_many_older_books_at_once_are_believed_too(owner: Listener) -> None:
    book = a_live_book(owner)
    taken = [book.replace(snapshot(number, ms=50)) for number in range(1, 2 + LATE_LIMIT)]
    assert taken == [False] * LATE_LIMIT + [True]


def test_what_came_before_a_whole_book_is_in_it_and_what_came_after_goes_on(owner: Listener) -> None:
    book = a_book(owner, NonceChain())
    book.begin()
    book.apply(change(900, 950))
    book.apply(change(951, 960))
    assert book.replace(snapshot(955))
    assert (book.state, book.book.update_id) == (LIVE, 960)


def test_without_a_time_all_that_came_before_a_whole_book_is_in_it(owner: Listener) -> None:
    book = a_book(owner)
    book.begin()
    book.apply(change(951, 960, ms=960))
    assert book.replace(snapshot(955, ms=0))
    assert (book.state, book.book.update_id) == (LIVE, 955)


def test_what_came_before_a_whole_book_without_a_number_is_in_it_whatever_its_time(owner: Listener) -> None:
    book = a_book(owner, UnnumberedSnapshot(NonceChain()))
    book.begin()
    book.apply(change(12, 12, ms=1012))  # the one before it is lost, and a snapshot without a number cannot show it
    assert book.replace(snapshot(0, ms=1010))
    assert (book.state, book.book.update_id) == (LIVE, 0)
    assert book.apply(change(13, 13, ms=1013))


def test_a_whole_book_from_which_changes_are_missing_is_asked_for_again(owner: Listener) -> None:
    book = a_book(owner)
    book.begin()
    book.apply(change(120, 121))
    owner.take()
    assert not book.replace(snapshot(100))
    assert (book.state, owner.take()) == (SYNCING, ["ask"])
    assert book.replace(snapshot(120))


def test_a_change_is_no_part_of_a_stream_of_whole_books(owner: Listener) -> None:
    book = a_live_book(owner, FullSnapshot())
    book.apply(change(101, 101))
    assert book.state is SYNCING


# --- what is known ------------------------------------------------------------------------------------------------------


def test_what_lies_beyond_a_snapshot_that_was_cut_is_not_known(owner: Listener) -> None:
    book = a_book(owner)
    book.begin()
    book.load(snapshot(), book.generation, limit=2)
    view = book.view(5)
    assert (view.lowest_known, view.highest_known) == (9_998, None)
    book.apply(change(101, 101, bids=((99.9, 7.0), (99.99, 0.0)), asks=((105.0, 1.0),)))
    assert (book.view(5).lowest_known, book.view(5).highest_known) == (9_998, None)
    assert book.book.knows(Side.BUY, 9_998)
    assert not book.book.knows(Side.BUY, 9_997)
    assert book.book.knows(Side.SELL, 10**9)


def test_a_best_level_where_the_snapshot_did_not_reach_is_not_known(owner: Listener) -> None:
    book = a_book(owner)
    book.begin()
    book.load(snapshot(), book.generation, limit=2)
    assert book.view(1).is_best_known
    book.apply(change(101, 101, bids=((99.99, 0.0), (99.98, 0.0), (99.9, 7.0))))
    assert book.state is LIVE
    assert not book.view(1).is_best_known
    assert not book.book.is_best_known
    book.apply(change(102, 102, bids=((99.9, 0.0),)))
    assert not book.view(1).is_best_known


def test_a_book_that_has_become_thin_is_renewed_by_an_audit(owner: Listener) -> None:
    book = a_book(owner)
    book.begin()
    asks = tuple(((10_001 + n) / 100, 1.0) for n in range(10))
    book.load(snapshot(asks=asks), book.generation, limit=10)
    book.apply(change(101, 101, asks=tuple((price, 0.0) for price, _ in asks[:4])))
    assert not book.is_thin
    book.apply(change(102, 102, asks=((asks[4][0], 0.0),)))
    assert book.is_thin
    book.begin_audit()
    further = (*asks[5:], (101.0, 2.0), (102.0, 2.0), (103.0, 2.0), (104.0, 2.0), (105.0, 2.0))
    assert book.finish_audit(snapshot(102, asks=further), limit=10).verdict is AuditVerdict.EQUAL
    assert (book.is_thin, book.view(1).highest_known) == (False, 10_500)
    assert book.state is LIVE


def test_a_stream_of_the_best_levels_keeps_just_those(owner: Listener) -> None:
    book = a_book(owner, window=2)
    book.begin()
    book.load(snapshot(), book.generation, limit=2)
    book.apply(change(101, 101, bids=((100.0, 1.0),), asks=((100.02, 1.0), (100.03, 1.0))))
    view = book.view(5)
    assert view.bids == ((10_000, 1_000), (9_999, 1_500))
    assert view.asks == ((10_001, 500), (10_002, 1_000))
    assert (view.lowest_known, view.highest_known) == (9_999, 10_002)
    book.apply(change(102, 102, asks=((100.01, 0.0),)))
    assert book.view(5).highest_known is None
