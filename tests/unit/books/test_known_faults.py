"""Two faults of python-binance's DepthCacheManager, whose interface people know, are none of ours.

Source: python-binance, binance/ws/depthcache.py, DepthCacheManager._process_depth_message.
"""

from foxtrot.domain.enums import BookState
from tests.support.depth_script import AFTER_A_GAP, STRADDLING, Played, event


def test_an_event_that_straddles_the_snapshot_follows_it_and_no_second_one_is_asked_for() -> None:
    played = Played(STRADDLING)
    assert (played.asked, played.view.update_id, played.best_bid) == (1, 103, 10.0)
    assert played.view.state is BookState.LIVE
    played.take(event(104, 110, [["10.00", "0.00000000"]]))
    assert (played.asked, played.view.update_id, played.best_bid) == (1, 110, 9.9)


def test_an_event_older_than_the_fresh_snapshot_is_not_applied_to_it() -> None:
    played = Played(AFTER_A_GAP)
    assert (played.asked, played.view.update_id, played.best_bid) == (2, 110, 9.9)
    assert played.states[-3:] == [BookState.SYNCING, BookState.LIVE, BookState.LIVE]
    played.take(event(111, 112, [["10.10", "1.00000000"]]))
    assert (played.asked, played.view.update_id, played.best_bid) == (2, 112, 10.1)


def test_nobody_sees_the_book_between_the_gap_and_the_fresh_snapshot_as_live() -> None:
    played = Played({**AFTER_A_GAP, "events": AFTER_A_GAP["events"][:1]})
    looks: list[BookState] = []
    played.cache.listen(played.book.instrument_id, lambda view: looks.append(view.state))
    played.take(AFTER_A_GAP["events"][1])
    assert looks[0] is BookState.SYNCING
