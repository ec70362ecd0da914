"""How long what was asked for is believed, and how a book that is given up again and again is fetched."""

from foxtrot.adapter.ccxt.patience import CALM_S, LONGEST_PAUSE_S, FailedPolls, Recovery

S = 1_000_000_000


def test_three_failures_over_more_than_three_intervals_end_the_belief() -> None:
    polls = FailedPolls()
    polls.answered(10 * S)
    assert [polls.failed(at * S, 1.0) for at in (11, 12, 13, 14)] == [False, False, False, True]


def test_failures_that_come_quickly_end_nothing_before_their_time() -> None:
    polls = FailedPolls()
    polls.answered(10 * S)
    assert not any(polls.failed(10 * S + at, 1.0) for at in range(50))


def test_an_answer_begins_the_count_anew() -> None:
    polls = FailedPolls()
    polls.answered(10 * S)
    for at in (11, 12, 20):
        polls.failed(at * S, 1.0)
    polls.answered(21 * S)
    assert not polls.failed(30 * S, 1.0)


def test_a_single_gap_recovers_at_once_and_more_of_them_ever_slower() -> None:
    recovery, pauses = Recovery(), []
    for at in range(10):
        recovery.whole(at * S)
        recovery.need(at * S + 1)
        pauses.append(recovery.pause_s)
    assert pauses == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, *[LONGEST_PAUSE_S] * 3]


def test_after_a_calm_time_nothing_is_held_against_a_book() -> None:
    recovery = Recovery()
    for at in range(5):
        recovery.whole(at * S)
        recovery.need(at * S + 1)
    recovery.whole(10 * S)
    recovery.whole(30 * S)  # whole all the time: it counts from the first
    recovery.need(int((10 + CALM_S) * S))
    assert recovery.pause_s == 0.0
