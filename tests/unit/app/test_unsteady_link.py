"""A link that falls back too often is told of once, and again only after it was calm."""

import pytest

from foxtrot.app.unsteady_link import UnsteadyCounts, UnsteadyLink, UnsteadyRule

SECOND = 10**9


def looked(link: UnsteadyLink, *totals: tuple[int, int, int]) -> list[bool]:
    """What each look says; totals are (second, answers by REST, reconnects)."""
    return [link.look(second * SECOND, fallbacks, reconnects) for second, fallbacks, reconnects in totals]


@pytest.mark.parametrize(("fallbacks", "reconnects"), [(4, 0), (0, 3)])
def test_more_than_the_limit_of_either_within_the_window_is_told_once(fallbacks: int, reconnects: int) -> None:
    link = UnsteadyLink(UnsteadyRule(rest_fallbacks=3, reconnects=2, window_s=10))
    said = looked(link, (0, 100, 100), (1, 100 + fallbacks, 100 + reconnects), (2, 100 + fallbacks, 100 + reconnects))
    assert said == [False, True, False]
    assert link.counts == UnsteadyCounts(fallbacks, reconnects)
    assert (link.is_unsteady, link.alerts) == (True, 1)


def test_exactly_the_limit_is_not_told() -> None:
    link = UnsteadyLink(UnsteadyRule(rest_fallbacks=3, reconnects=2, window_s=10))
    assert looked(link, (0, 0, 0), (1, 3, 2)) == [False, False]


def test_what_is_older_than_the_window_does_not_count() -> None:
    link = UnsteadyLink(UnsteadyRule(rest_fallbacks=3, reconnects=0, window_s=10))
    steady = [(second, second // 4, 0) for second in range(100)]
    assert not any(looked(link, *steady)), "one in four seconds is two or three in ten"
    assert link.counts.rest_fallbacks in (2, 3)


def test_a_link_that_hovers_around_the_limit_is_not_told_again_every_second() -> None:
    link = UnsteadyLink(UnsteadyRule(rest_fallbacks=4, reconnects=0, window_s=10))
    totals = [sum(1 for past in range(second) if past % 9 in (0, 2, 4, 6)) for second in range(200)]
    counts = set()
    said = 0
    for second, total in enumerate(totals):
        said += link.look(second * SECOND, total, 0)
        counts.add(link.counts.rest_fallbacks)
    assert counts >= {4, 5}, "four and five in ten seconds, by turns"
    assert said == 1


def test_after_a_calm_it_is_told_again() -> None:
    link = UnsteadyLink(UnsteadyRule(rest_fallbacks=3, reconnects=0, window_s=10))
    assert looked(link, (0, 0, 0), (1, 5, 0), (20, 5, 0), (21, 5, 0), (22, 10, 0)) == [False, True, False, False, True]
    assert link.alerts == 2


def test_a_limit_of_zero_is_none() -> None:
    link = UnsteadyLink(UnsteadyRule(rest_fallbacks=0, reconnects=0, window_s=10))
    assert looked(link, (0, 0, 0), (1, 10**6, 10**6)) == [False, False]
