"""The log is judged before SQLite sees it: whole, cut off at its end, or damaged in the middle."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from foxtrot.domain.errors import InputError
from foxtrot.storage.journal_file import wal_of
from foxtrot.storage.journal_reader import open_journal
from foxtrot.storage.journal_records import JournalRecord
from foxtrot.storage.journal_writer import JournalWriter
from foxtrot.storage.wal_check import FRAME, FRAME_HEADER, HEADER, WalTail, check_wal
from tests.support.journal_rig import Sink, a_journal, an_intent, files_of, put_files

Files = dict[str, bytes]
WAL = "journal.db-wal"
COMMITS = 6


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What a crash leaves of a run of six commits, each of two pages or more."""
    folder = tmp_path_factory.mktemp("left")
    sink = Sink()
    journal = a_journal(folder / "journal.db", sink)
    for number in range(COMMITS):
        journal.append(an_intent(number))
        sink.wait_for(number + 1)
    files = files_of(folder)
    journal.close()
    return files


def commits_of(wal: bytes) -> list[int]:
    """The offsets behind each commit frame, the start included."""
    starts = range(HEADER, len(wal), FRAME)
    return [HEADER] + [at + FRAME for at in starts if wal[at + 4 : at + 8] != bytes(4)]


def judge(folder: Path, files: Files, wal: bytes) -> WalTail:
    return check_wal(wal_of(put_files(folder, files | {WAL: wal})))


def test_a_log_that_is_absent_empty_or_whole_has_no_tail(tmp_path: Path, left: Files) -> None:
    assert check_wal(tmp_path / WAL) == WalTail(0, 0)
    assert judge(tmp_path, left, b"") == WalTail(0, 0)
    assert judge(tmp_path, left, left[WAL]) == WalTail(len(left[WAL]), 0)
    assert len(commits_of(left[WAL])) == COMMITS + 1


def test_a_log_cut_anywhere_keeps_its_whole_transactions_and_tells_what_was_cut_off(
    tmp_path: Path, left: Files
) -> None:
    wal, whole = left[WAL], [an_intent(number) for number in range(COMMITS)]
    ends = commits_of(wal)
    rng = random.Random(3)
    cuts = {*ends, *(end - 1 for end in ends), *(end + 1 for end in ends[:-1]), *rng.sample(range(len(wal)), 60), 1, 31}
    for cut in sorted(cuts):
        path = put_files(tmp_path, left | {WAL: wal[:cut]})
        kept = sum(end <= cut for end in ends[1:])
        opening = open_journal(path)
        assert list(opening.records()) == whole[:kept], cut
        assert opening.dropped_bytes == (cut - ends[kept] if cut > HEADER else cut % HEADER), cut
        assert bool(opening.dropped) == bool(opening.dropped_bytes)
        if opening.dropped:
            assert f"{opening.dropped_bytes} bytes from byte" in opening.dropped


def flips(size: int, seed: int, count: int) -> Iterator[tuple[int, int]]:
    """Bytes and bits to flip, seeded."""
    rng = random.Random(seed)
    for offset in sorted(rng.sample(range(size), count)):
        yield offset, 1 << rng.randrange(8)


def flipped(data: bytes, offset: int, bit: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ bit]) + data[offset + 1 :]


def outcome(path: Path) -> tuple[str, list[JournalRecord]]:
    """How a journal opens, and with which records."""
    try:
        opening = open_journal(path)
        return ("dropped" if opening.dropped else "whole"), list(opening.records())
    except InputError as error:
        told = str(error)
    assert f"{path}" in told
    assert "restore a copy" in told
    return "refused", []


def check_flips(folder: Path, left: Files, offsets: Iterator[tuple[int, int]]) -> dict[str, int]:
    """A flip in the log is refused, or dropped with the last transaction, or told; never is something else read."""
    whole, ends = [an_intent(number) for number in range(COMMITS)], commits_of(left[WAL])
    counts = dict.fromkeys(("refused", "dropped", "whole"), 0)
    for offset, bit in offsets:
        found, records = outcome(put_files(folder, left | {WAL: flipped(left[WAL], offset, bit)}))
        counts[found] += 1
        assert found != "whole", (offset, bit)
        if offset < ends[-2]:
            assert found == "refused", (offset, bit)
        else:
            assert found == "refused" or records == whole[:-1], (offset, bit)
    return counts


def test_every_flipped_bit_of_the_log_is_refused_or_told(tmp_path: Path, left: Files) -> None:
    heads = [(at + byte, 1) for at in range(HEADER, len(left[WAL]), FRAME) for byte in range(FRAME_HEADER)]
    counts = check_flips(tmp_path, left, iter([*flips(HEADER, 1, 32), *heads, *flips(len(left[WAL]), 2, 100)]))
    assert counts["refused"] > 200
    assert counts["dropped"] > 30


@pytest.mark.slow
def test_every_flipped_bit_of_the_log_is_refused_or_told_in_thousands(tmp_path: Path, left: Files) -> None:
    check_flips(tmp_path, left, flips(len(left[WAL]), 4, 4_000))


def test_a_lost_write_inside_the_last_transaction_is_a_torn_tail_though_its_end_is_there(
    tmp_path: Path, left: Files
) -> None:
    wal = left[WAL]
    start, end = commits_of(wal)[-2:]
    assert end - start >= 2 * FRAME
    torn = wal[:start] + bytes(FRAME) + wal[start + FRAME :]
    assert judge(tmp_path, left, torn) == WalTail(start, end - start)


def test_a_damaged_transaction_that_a_later_one_follows_is_refused_with_its_place(tmp_path: Path, left: Files) -> None:
    start = commits_of(left[WAL])[2]
    with pytest.raises(InputError, match=f"journal.db-wal: the frame at byte {start} is damaged"):
        judge(tmp_path, left, flipped(left[WAL], start + 100, 1))


def test_what_an_earlier_use_of_the_log_left_behind_is_no_tail(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    writer = JournalWriter(path)
    for number in range(40):
        writer.write([an_intent(number)])
        if number == 30:
            writer.checkpoint()
    wal = wal_of(path).read_bytes()
    tail = check_wal(wal_of(path))
    writer.close()
    assert HEADER < tail.end < len(wal)
    assert tail.torn_bytes == 0


def test_a_log_without_its_journal_and_a_journal_without_its_log_are_refused(tmp_path: Path, left: Files) -> None:
    alone = put_files(tmp_path / "a", {WAL: left[WAL]})
    with pytest.raises(InputError, match=r"stands there without journal.db"):
        open_journal(alone)
    bare = put_files(tmp_path / "b", {"journal.db": left["journal.db"]})
    with pytest.raises(InputError, match=r"journal.db-wal is missing"):
        open_journal(bare)


def test_the_next_run_writes_over_a_torn_tail(tmp_path: Path, left: Files) -> None:
    path = put_files(tmp_path, left | {WAL: left[WAL][:-10]})
    sink = Sink()
    assert open_journal(path).dropped_bytes == FRAME * 2 - 10
    journal = a_journal(path, sink)
    journal.append(an_intent(9))
    sink.wait_for(1)
    journal.close()
    opening = open_journal(path)
    assert opening.dropped == ""
    assert list(opening.records()) == [*(an_intent(number) for number in range(COMMITS - 1)), an_intent(9)]
