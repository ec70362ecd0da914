"""The sequence rules, cell by cell."""

import pytest

from foxtrot.books.sequence import ContiguousIds, PreviousId, SequenceRule, Verdict
from foxtrot.domain.market import DepthChange

FOLLOWS, OLD, GAP = Verdict.FOLLOWS, Verdict.OLD, Verdict.GAP


def change(first: int, last: int, previous: int = 0) -> DepthChange:
    return DepthChange("X", 0, 0, first, last, previous, (), ())


@pytest.mark.parametrize(
    ("first", "last", "verdict"),
    [(90, 99, OLD), (90, 100, OLD), (90, 101, FOLLOWS), (101, 101, FOLLOWS), (101, 110, FOLLOWS), (102, 110, GAP)],
)
def test_contiguous_ids_after_snapshot_100(first: int, last: int, verdict: Verdict) -> None:
    assert ContiguousIds().after_snapshot(100, change(first, last)) is verdict


@pytest.mark.parametrize(
    ("first", "last", "verdict"),
    [(101, 105, FOLLOWS), (101, 101, FOLLOWS), (102, 105, GAP), (95, 100, OLD), (100, 105, GAP), (80, 90, OLD)],
)
def test_contiguous_ids_after_change_100(first: int, last: int, verdict: Verdict) -> None:
    assert ContiguousIds().after_change(100, change(first, last)) is verdict


@pytest.mark.parametrize(
    ("first", "last", "previous", "verdict"),
    [
        (90, 99, 89, OLD),
        (90, 100, 89, FOLLOWS),
        (100, 100, 98, FOLLOWS),
        (100, 120, 98, FOLLOWS),
        (104, 110, 100, FOLLOWS),
        (104, 110, 102, GAP),
    ],
)
def test_previous_id_after_snapshot_100(first: int, last: int, previous: int, verdict: Verdict) -> None:
    assert PreviousId().after_snapshot(100, change(first, last, previous)) is verdict


@pytest.mark.parametrize(
    ("first", "last", "previous", "verdict"),
    [(130, 140, 100, FOLLOWS), (101, 110, 99, GAP), (110, 120, 104, GAP), (90, 100, 80, OLD)],
)
def test_previous_id_after_change_100(first: int, last: int, previous: int, verdict: Verdict) -> None:
    assert PreviousId().after_change(100, change(first, last, previous)) is verdict


@pytest.mark.parametrize("rule", [ContiguousIds(), PreviousId()])
def test_a_rule_is_named_after_itself(rule: SequenceRule) -> None:
    assert rule.name == type(rule).__name__
