"""What is left of a journal after a power cut: every answered intent, nothing else than what was written, no false alarm.

A run is recorded once; then the power fails after a random number of its changes, and what was not synced is lost, kept or
torn write by write. A process that is only killed loses nothing of what it wrote, so it proves nothing about syncs.
"""

import random
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from foxtrot.core.notices import IntentDurable
from foxtrot.domain.errors import InputError
from foxtrot.storage import durable_journal
from foxtrot.storage.journal_reader import open_journal
from foxtrot.storage.journal_records import Intent, JournalRecord
from foxtrot.storage.journal_writer import JournalWriter
from tests.support.fault_vfs import Change, PowerCut, fault_vfs
from tests.support.journal_rig import Sink, a_journal, an_intent, files_of, handed, put_files, read_all, told, write_all

EARLIER = 5
GROUPS = 60


class Recording(NamedTuple):
    """A run: the files before it, all its changes, how many had been made when each intent was answered, what was written."""

    before: dict[str, bytes]
    changes: list[Change]
    answered: dict[str, int]
    written: list[JournalRecord]


def record(folder: Path, seed: int) -> Recording:
    """Run a journal through groups of many sizes, checkpoints and new beginnings of its log, up to its end in order."""
    rng, path = random.Random(seed), folder / "journal.db"
    earlier = [an_intent(number) for number in range(EARLIER)]
    write_all(path, *earlier)
    before, answered, written = files_of(folder), {}, list[JournalRecord](earlier)
    with fault_vfs() as vfs:

        def note(event: object) -> None:
            assert isinstance(event, IntentDurable)
            answered.update(dict.fromkeys(event.order_ids, len(vfs.changes)))

        sink, number = Sink(note), EARLIER
        journal = a_journal(path, sink, vfs.name)
        for _ in range(GROUPS):
            for _ in range(rng.choice((1, 1, 1, 2, 5, 12, 70))):
                for each in (an_intent(number), handed(number), told(number)):
                    written.append(each)
                    journal.append(each)
                number += 1
            sink.wait_for(number - EARLIER)
        journal.close()
        assert not journal.failed
        return Recording(before, list(vfs.changes), answered, written)


def judge(path: Path, recording: Recording, cut: int) -> str:
    """Return what is wrong with the journal that a power cut left, "" when nothing is."""
    due = [name for name, at in recording.answered.items() if at <= cut]
    try:
        found = read_all(path)
    except InputError as error:
        return f"refused: {error}"
    if found != recording.written[: len(found)]:
        return "something else was read than was written"
    there = {each.order.order_id for each in found if isinstance(each, Intent)}
    missing = [name for name in due if name not in there]
    return f"lost {missing}" if missing else ""


def bad_images(folder: Path, recording: Recording, count: int, seed: int) -> list[str]:
    rng, bad, power = random.Random(seed), [], PowerCut(recording.before, recording.changes)
    cuts = sorted(rng.randrange(len(recording.changes) + 1) for _ in range(count))
    for number, cut in enumerate(cuts):
        wrong = judge(put_files(folder, power.image(cut, rng)), recording, cut)
        if wrong:
            bad.append(f"image {number} after {cut} changes: {wrong}")
    return bad


@pytest.fixture(scope="module")
def small_logs() -> "pytest.MonkeyPatch":
    """Checkpoints and new beginnings of the log every few commits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("foxtrot.storage.journal_writer.WAL_PAGES", 12)
        patch.setattr("foxtrot.storage.journal_writer.WAL_PAGES_MOST", 40)
        yield patch


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory, small_logs: pytest.MonkeyPatch) -> Recording:
    return record(tmp_path_factory.mktemp("run"), 11)


def test_the_run_that_is_cut_off_has_what_can_go_wrong(recording: Recording) -> None:
    kinds = [(change.kind, change.file) for change in recording.changes]
    assert kinds.count(("sync", "journal.db")) >= 5, "too few checkpoints"
    assert [c.offset for c in recording.changes if c.kind == "write" and c.file.endswith("-wal")].count(0) >= 5
    assert {("create", "journal.db-wal"), ("truncate", "journal.db-wal"), ("delete", "journal.db-wal")} <= set(kinds)
    assert len(recording.answered) > 300


def test_no_answered_intent_is_lost_and_nothing_is_damaged_by_a_power_cut(tmp_path: Path, recording: Recording) -> None:
    assert bad_images(tmp_path / "image", recording, 120, 1) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_answered_intent_is_lost_in_thousands_of_power_cuts(tmp_path: Path, small_logs: pytest.MonkeyPatch) -> None:
    bad = []
    for seed in range(6):
        (tmp_path / str(seed)).mkdir()
        bad += bad_images(tmp_path / "image", record(tmp_path / str(seed), seed), 500, seed)
    assert bad == []


def test_a_journal_that_a_power_cut_left_goes_on_and_outlives_the_next(tmp_path: Path, recording: Recording) -> None:
    rng = random.Random(2)
    for _ in range(6):
        image = PowerCut(recording.before, recording.changes).image(rng.randrange(len(recording.changes)), rng)
        path = put_files(tmp_path / "first", image)
        kept = read_all(path)
        with fault_vfs() as vfs:
            sink, before = Sink(), files_of(path.parent)
            journal = a_journal(path, sink, vfs.name)
            for number in range(3):
                journal.append(an_intent(900 + number))
                sink.wait_for(number + 1)
            cut = PowerCut(before, list(vfs.changes)).image(len(vfs.changes), rng)
            journal.close()
        assert read_all(put_files(tmp_path / "second", cut)) == [
            *kept,
            *(an_intent(900 + number) for number in range(3)),
        ]


def test_the_same_cuts_do_lose_answered_intents_when_commits_are_not_synced(
    tmp_path: Path, small_logs: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable_journal, "JournalWriter", partial(JournalWriter, synchronous="NORMAL"))
        unsynced = record(tmp_path, 11)
    bad = bad_images(tmp_path / "image", unsynced, 60, 1)
    assert sum(": lost [" in line for line in bad) > 10


def test_opening_tells_of_a_tail_that_a_power_cut_left(tmp_path: Path, recording: Recording) -> None:
    rng, told_of = random.Random(3), 0
    for _ in range(60):
        image = PowerCut(recording.before, recording.changes).image(rng.randrange(len(recording.changes)), rng)
        told_of += bool(open_journal(put_files(tmp_path / "image", image)).dropped)
    assert told_of > 5
