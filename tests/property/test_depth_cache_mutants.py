"""Each guard of the local books is taken out once: the checks of test_depth_cache.py must notice."""

import functools
from collections.abc import Callable

import msgspec
import pytest

import foxtrot.books.cached_book as cached_book_module
import foxtrot.books.late_books as late_books_module
import foxtrot.books.old_run as old_run_module
from foxtrot.books.audit import Audit, AuditResult, AuditVerdict
from foxtrot.books.cached_book import BookView, CachedBook
from foxtrot.books.checksums import Checksum
from foxtrot.books.depth_book import DepthBook
from foxtrot.books.level_book import LevelBook, UnitLevel
from foxtrot.books.old_run import OldRun
from foxtrot.books.sequence import ContiguousIds, NonceChain, PreviousId, Verdict
from foxtrot.domain.enums import BookState, Side
from foxtrot.domain.market import DepthChange, DepthData
from tests.support.book_world import KINDS, Disproved, World

Patch = pytest.MonkeyPatch
Break = Callable[[Patch], None]
UPDATES = 2_500
SEEDS = (4, 9, 1, 12)
WORLDS = {kind.name: kind for kind in KINDS}
WORLDS["shallow"] = msgspec.structs.replace(WORLDS["previous"], name="shallow", limit=2)
"""Snapshots of two levels: often the best level is not known."""
BREAKS: dict[str, tuple[str, Break]] = {}


def breaks(kind: str) -> Callable[[Break], Break]:
    """Say in which kind of world a missing guard shows."""

    def keep(mutant: Break) -> Break:
        BREAKS[f"{mutant.__name__}-{kind}"] = kind, mutant
        return mutant

    return keep


def judge_as(patch: Patch, rule: type, method: str, wrong: Verdict) -> None:
    """Let a rule say FOLLOWS where it says `wrong`."""
    real = getattr(rule, method)

    def judge(self: object, known: int, change: DepthChange) -> Verdict:
        verdict: Verdict = real(self, known, change)
        return Verdict.FOLLOWS if verdict is wrong else verdict

    patch.setattr(rule, method, judge)


@breaks("contiguous")
def gaps_are_not_seen(patch: Patch) -> None:
    judge_as(patch, ContiguousIds, "after_change", Verdict.GAP)


@breaks("previous")
def gaps_are_not_seen_by_previous_ids(patch: Patch) -> None:
    judge_as(patch, PreviousId, "after_change", Verdict.GAP)


@breaks("nonce")
def gaps_are_not_seen_in_a_chain(patch: Patch) -> None:
    judge_as(patch, NonceChain, "after_change", Verdict.GAP)


@breaks("contiguous")
def old_changes_are_applied(patch: Patch) -> None:
    judge_as(patch, ContiguousIds, "after_change", Verdict.OLD)


@breaks("previous")
def changes_older_than_the_snapshot_are_applied(patch: Patch) -> None:
    judge_as(patch, PreviousId, "after_snapshot", Verdict.OLD)


@breaks("contiguous")
def a_snapshot_need_not_be_bridged(patch: Patch) -> None:
    judge_as(patch, ContiguousIds, "after_snapshot", Verdict.GAP)


@breaks("previous")
def a_snapshot_need_not_be_bridged_by_previous_ids(patch: Patch) -> None:
    judge_as(patch, PreviousId, "after_snapshot", Verdict.GAP)


@breaks("contiguous")
def a_snapshot_of_another_generation_is_taken(patch: Patch) -> None:
    real = CachedBook.load
    patch.setattr(
        CachedBook, "load", lambda self, snapshot, _old, limit=0: real(self, snapshot, self.generation, limit)
    )


@breaks("contiguous")
def the_stream_is_not_held_to_be_gone(patch: Patch) -> None:
    real = CachedBook._renew
    patch.setattr(CachedBook, "_renew", lambda self, *, streams: real(self, streams=True))
    patch.setattr(CachedBook, "generation", property(lambda self: 0, lambda self, value: None), raising=False)


@breaks("nonce")
def silence_is_not_told(patch: Patch) -> None:
    patch.setattr(CachedBook, "silence", lambda self, cause: None)


@breaks("contiguous")
def changes_are_not_kept_for_the_snapshot(patch: Patch) -> None:
    real = DepthBook.load

    def load(self: DepthBook, snapshot: DepthData, limit: int = 0) -> None:
        self._buffer.clear()
        real(self, snapshot, limit)

    patch.setattr(DepthBook, "load", load)


@breaks("contiguous")
def an_older_snapshot_replaces_the_book(patch: Patch) -> None:
    patch.setattr(CachedBook, "_is_behind", lambda self, snapshot: False)


@breaks("whole")
def a_whole_book_that_comes_late_is_taken(patch: Patch) -> None:
    patch.setattr(late_books_module, "LATE_LIMIT", 0)


@breaks("silent")
def crossed_books_are_live(patch: Patch) -> None:
    patch.setattr(LevelBook, "is_crossed", property(lambda self: False))


@breaks("silent")
def crossed_books_are_left_crossed(patch: Patch) -> None:
    patch.setattr(cached_book_module, "CROSSED_LIMIT", 10**9)


@breaks("contiguous")
def the_snapshot_is_asked_for_first(patch: Patch) -> None:
    real = CachedBook._lose

    def lose(self: CachedBook, cause: str) -> None:
        self._need_snapshot(self)
        real(self, cause)

    patch.setattr(CachedBook, "_lose", lose)


@breaks("previous")
def a_gap_is_not_told(patch: Patch) -> None:
    real = CachedBook._tell

    def tell(self: CachedBook, state: BookState, cause: str) -> None:
        if state is not BookState.SYNCING:
            real(self, state, cause)

    patch.setattr(CachedBook, "_tell", tell)


@breaks("contiguous")
@breaks("previous")
def ids_that_begin_anew_are_old(patch: Patch) -> None:
    patch.setattr(OldRun, "is_restart", lambda self, change: False)
    patch.setattr(OldRun, "is_restart_after", lambda self, change, last_id, time_ns: False)


@breaks("contiguous")
def a_stream_may_stay_behind_a_snapshot(patch: Patch) -> None:
    patch.setattr(old_run_module, "CATCH_UP_NS", 10**18)
    patch.setattr(old_run_module, "OLD_LIMIT", 10**9)
    patch.setattr(DepthBook, "_leaves_out", lambda self, change: bool(self._old.note_heard(change)))


@breaks("contiguous")
@breaks("window")
def all_of_a_snapshot_is_known(patch: Patch) -> None:
    real = DepthBook._set

    def put(self: DepthBook, snapshot: DepthData, limit: int) -> None:
        real(self, snapshot, limit)
        self.lowest_known = self.highest_known = None

    patch.setattr(DepthBook, "_set", put)
    patch.setattr(DepthBook, "_cut", lambda self: None)


@breaks("shallow")
def a_best_beyond_what_is_known_is_believed(patch: Patch) -> None:
    patch.setattr(DepthBook, "is_best_known", property(lambda self: True))
    patch.setattr(BookView, "is_best_known", property(lambda self: True))


@breaks("digits")
@breaks("paired")
def checksums_are_not_compared(patch: Patch) -> None:
    patch.setattr(Checksum, "matches", lambda self, levels, change: True)


@breaks("silent")
def audits_find_nothing(patch: Patch) -> None:
    patch.setattr(Audit, "compare", lambda self, snapshot, limit: AuditResult(1, 1, AuditVerdict.EQUAL))


@breaks("contiguous")
def an_audit_takes_away_what_is_known(patch: Patch) -> None:
    def adopt(self: DepthBook, other: DepthBook) -> None:
        self.levels = other.levels
        self.lowest_known, self.highest_known = other.lowest_known, other.highest_known

    patch.setattr(DepthBook, "adopt", adopt)


@breaks("nonce")
def an_audit_teaches_what_is_wrong(patch: Patch) -> None:
    def news(self: DepthBook, other: DepthBook, side: Side) -> list[UnitLevel]:
        return [(price, size + 1) for price, size in other.levels.levels(side)]

    patch.setattr(DepthBook, "_news", news)


@functools.cache
def goes_well(kind: str, seed: int, updates: int) -> bool:
    """Tell whether with all guards in place nothing is noticed in a world."""
    World(WORLDS[kind], seed).run(updates)
    return True


@pytest.mark.parametrize("name", BREAKS)
def test_a_missing_guard_is_noticed_and_nothing_where_none_is_missing(name: str, monkeypatch: Patch) -> None:
    kind, mutant = BREAKS[name]
    mutant(monkeypatch)
    for seed in SEEDS:
        world = World(WORLDS[kind], seed)
        try:
            world.run(UPDATES)
        except Disproved as error:
            print(f"{name}: seed {seed}, {world.figures.updates} updates: {error}")
            monkeypatch.undo()
            assert goes_well(kind, seed, 500 * (world.figures.updates // 500 + 1))
            return
    raise pytest.fail.Exception(f"nobody noticed: {name}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted({kind for kind, _ in BREAKS.values()}))
def test_with_all_guards_in_place_nothing_is_noticed(kind: str) -> None:
    for seed in SEEDS:
        assert goes_well(kind, seed, UPDATES)


def test_a_book_of_which_little_is_known_is_right_while_it_is_live() -> None:
    figures = World(WORLDS["shallow"], SEEDS[0]).run(800)
    assert figures.compared > figures.unknown > 0
