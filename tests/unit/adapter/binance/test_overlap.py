"""What a newcomer says while the old connection speaks: every fact once, in the order of its ids."""

import pytest

from foxtrot.adapter.binance.overlap import Joint, Step
from foxtrot.adapter.binance.topic import TopicKind

CHAIN = (TopicKind.BOOK, "BTCUSDT", False)


class Told:
    """A chain that both connections bring: what was told of it, by the last id."""

    def __init__(self, last: int | None) -> None:
        self.last = last
        self.ids: list[int] = []

    def step(self, previous: int, last: int) -> Step:
        return Step(previous, last, lambda: self.tell(last))

    def tell(self, last: int) -> None:
        self.ids.append(last)
        self.last = last


@pytest.fixture(params=[False, True], ids=["contiguous", "by the previous id"])
def joint(request: pytest.FixtureRequest) -> Joint:
    return Joint(strict=request.param)


def offer(joint: Joint, told: Told, *steps: tuple[int, int]) -> None:
    for previous, last in steps:
        joint.offer(CHAIN, told.step(previous, last), lambda: told.last)


def test_what_was_told_is_left_out_and_what_follows_is_told(joint: Joint) -> None:
    told = Told(10)
    offer(joint, told, (8, 9), (9, 10), (10, 12), (12, 13))
    assert told.ids == [12, 13]
    assert not joint.waits


def test_what_is_ahead_waits_until_the_old_connection_has_told_what_lies_between(joint: Joint) -> None:
    told = Told(10)
    offer(joint, told, (12, 14), (14, 15))
    assert (told.ids, joint.waits) == ([], True)
    told.tell(12)
    offer(joint, told, (15, 16))
    assert told.ids == [12, 14, 15, 16]
    assert not joint.waits


def test_what_waited_and_was_told_meanwhile_is_left_out(joint: Joint) -> None:
    told = Told(10)
    offer(joint, told, (11, 12))
    told.tell(14)
    offer(joint, told, (12, 14), (14, 15))
    assert told.ids == [14, 15]


def test_while_there_is_nothing_to_join_everything_waits(joint: Joint) -> None:
    told = Told(None)
    offer(joint, told, (1, 2), (2, 3))
    assert (told.ids, joint.waits) == ([], True)


def test_in_the_end_everything_is_told_whether_it_joins_or_not(joint: Joint) -> None:
    told = Told(10)
    offer(joint, told, (12, 14), (14, 15))
    joint.open()
    assert told.ids == [14, 15]
    assert not joint.waits


@pytest.mark.parametrize(("strict", "ids"), [(False, [12]), (True, [])])
def test_what_begins_before_the_last_id_joins_only_where_its_rule_allows_that(strict: bool, ids: list[int]) -> None:
    joint, told = Joint(strict=strict), Told(10)
    offer(joint, told, (8, 12))
    assert told.ids == ids
    assert joint.waits is strict


def test_chains_do_not_wait_for_each_other(joint: Joint) -> None:
    one, other = Told(10), Told(5)
    offer(joint, one, (12, 13))
    joint.offer((TopicKind.TRADE, "BTCUSDT", False), other.step(5, 6), lambda: other.last)
    assert (one.ids, other.ids) == ([], [6])
