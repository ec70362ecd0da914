"""Back-off, budget and breaker: their laws hold for all histories."""

from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter import reconnect
from foxtrot.adapter.reconnect import Backoff, BreakerState, CircuitBreaker, ConnectionBudget

SECOND_NS = 1_000_000_000


class _Highest(Random):
    """Always the longest pause."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_the_ceiling_doubles_from_half_a_second_to_thirty() -> None:
    backoff = Backoff(_Highest())
    assert [backoff.next_delay_s(0) for _ in range(9)] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


@given(seed=st.integers(0, 2**32), attempts=st.integers(1, 80))
def test_every_pause_lies_between_nothing_and_its_ceiling(seed: int, attempts: int) -> None:
    backoff = Backoff(Random(seed))
    for number in range(attempts):
        assert 0.0 <= backoff.next_delay_s(0) <= min(30.0, 0.5 * 2**number)
    assert backoff.attempt == attempts


@given(good_s=st.floats(0, 100))
def test_it_starts_anew_only_after_thirty_seconds_of_good_data(good_s: float) -> None:
    backoff = Backoff(_Highest())
    for _ in range(5):
        backoff.next_delay_s(0)
    backoff.good(0)
    backoff.good(int(good_s / 2 * SECOND_NS))
    backoff.next_delay_s(int(good_s * SECOND_NS))
    assert backoff.attempt == (1 if int(good_s * SECOND_NS) >= 30 * SECOND_NS else 6)


def test_what_the_venue_asks_for_is_waited_at_least() -> None:
    assert Backoff(Random(1)).next_delay_s(0, at_least_s=7.0) >= 7.0


@given(steps=st.lists(st.integers(0, 400), max_size=60), limit=st.integers(1, 5))
def test_the_budget_never_lets_more_through_than_its_limit_in_any_window(steps: list[int], limit: int) -> None:
    budget, now_s, opened = ConnectionBudget(limit, 300.0), 0, []
    for step in steps:
        now_s += step
        wait_s = budget.wait_s(now_s * SECOND_NS)
        assert (wait_s == 0.0) == (budget.left(now_s * SECOND_NS) > 0)
        if wait_s == 0.0:
            budget.spend(now_s * SECOND_NS)
            opened.append(now_s)
        else:
            assert opened[-limit] + 300 == now_s + wait_s
    for first in opened:
        assert sum(first <= other < first + 300 for other in opened) <= limit


def test_the_breakers_table_has_a_move_for_every_state_and_outcome() -> None:
    assert set(reconnect._MOVES) == set(product(BreakerState, reconnect._Outcome))


def test_it_opens_after_failures_in_a_row_and_tries_one_request_after_its_rest() -> None:
    now = [0]
    breaker = CircuitBreaker(lambda: now[0], failures=3, rest_s=10.0)
    breaker.failed()
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert (breaker.state, breaker.allows()) == (BreakerState.OPEN, False)
    now[0] = 10 * SECOND_NS
    assert breaker.state is BreakerState.HALF_OPEN
    assert (breaker.allows(), breaker.allows()) == (True, False)
    breaker.failed()
    assert (breaker.state, breaker.allows()) == (BreakerState.OPEN, False)
    now[0] = 20 * SECOND_NS
    assert breaker.allows()
    breaker.succeeded()
    assert (breaker.state, breaker.allows()) == (BreakerState.CLOSED, True)


@given(st.lists(st.tuples(st.sampled_from(["ok", "bad", "ask"]), st.integers(0, 15)), max_size=60))
def test_an_open_breaker_lets_nothing_through_before_its_rest(history: list[tuple[str, int]]) -> None:
    now = [0]
    breaker = CircuitBreaker(lambda: now[0], failures=2, rest_s=10.0)
    opened_at = None
    for event, step in history:
        now[0] += step * SECOND_NS
        before = breaker.state
        if event == "ask":
            if breaker.allows() and opened_at is not None:
                assert now[0] - opened_at >= 10 * SECOND_NS
        else:
            (breaker.succeeded if event == "ok" else breaker.failed)()
        after = breaker.state
        if after is BreakerState.OPEN and before is not BreakerState.OPEN:
            opened_at = now[0]
        elif after is BreakerState.CLOSED:
            opened_at = None


@pytest.mark.parametrize(("wish_s", "rest_s"), [(0.0, 10), (4.0, 10), (10.0, 10), (60.0, 60)])
def test_a_tripped_breaker_rests_as_long_as_was_asked(wish_s: float, rest_s: int) -> None:
    now = [0]
    breaker = CircuitBreaker(lambda: now[0], failures=5, rest_s=10.0)
    breaker.trip(wish_s)
    now[0] = rest_s * SECOND_NS - 1
    assert (breaker.shown, breaker.state, breaker.allows()) == (BreakerState.OPEN, BreakerState.OPEN, False)
    now[0] += 1
    assert breaker.shown is BreakerState.HALF_OPEN
    assert breaker.allows()
    breaker.trip(wish_s)  # refused again, in the same words
    now[0] += rest_s * SECOND_NS - 1
    assert breaker.state is BreakerState.OPEN
    now[0] += 1
    assert breaker.allows()
    breaker.succeeded()
    breaker.failed()
    assert breaker.state is BreakerState.CLOSED, "failures are counted from nothing after a success"
