"""The rule of venues whose snapshots have no number."""

from foxtrot.books.checksums import Checksum
from foxtrot.books.level_book import LevelBook
from foxtrot.books.sequence import NonceChain, Verdict
from foxtrot.books.unnumbered_snapshot import UnnumberedSnapshot
from foxtrot.domain.market import DepthChange


def change(number: int, checksum: int | None = None) -> DepthChange:
    """Return a change that names the number before its own."""
    return DepthChange("X.TEST", 1, 1, number, number, number - 1, (), (), checksum)


def test_what_comes_first_after_a_snapshot_follows_it() -> None:
    """Whatever its number, high or low."""
    rule = UnnumberedSnapshot(NonceChain())
    for number in (1, 1061214):
        assert rule.after_snapshot(0, change(number)) is Verdict.FOLLOWS


def test_after_that_the_numbers_have_to_follow() -> None:
    """By the rule inside."""
    rule = UnnumberedSnapshot(NonceChain())
    assert rule.after_change(5, change(6)) is Verdict.FOLLOWS
    assert rule.after_change(5, change(5)) is Verdict.OLD
    assert rule.after_change(5, change(7)) is Verdict.GAP


def test_checksums_are_those_of_the_rule_inside() -> None:
    """It looks at none itself."""
    rule = UnnumberedSnapshot(Checksum(NonceChain(), lambda _: 4))
    assert rule.matches(LevelBook(), change(6, 4))
    assert not rule.matches(LevelBook(), change(6, 5))
    assert rule.name == "UnnumberedSnapshot(Checksum(NonceChain))"


def test_it_says_that_snapshots_have_no_numbers() -> None:
    """Also from within another rule."""
    rule = UnnumberedSnapshot(NonceChain())
    assert not rule.numbers_snapshots
    assert not Checksum(rule, lambda _: 4).numbers_snapshots
    assert Checksum(NonceChain(), lambda _: 4).numbers_snapshots
