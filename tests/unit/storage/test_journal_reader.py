"""A journal is checked whole before anybody builds on it, and can be looked at while somebody writes it."""

import random
from pathlib import Path

import apsw
import msgspec
import pytest

from foxtrot.domain.errors import InputError
from foxtrot.storage.hash_chain import FIRST_HASH, next_hash
from foxtrot.storage.journal_file import open_to_look, wal_of
from foxtrot.storage.journal_reader import JournalOpening, open_journal, read_only
from foxtrot.storage.journal_records import Handed, JournalRecord, RunStopped, Snapshot, encode_record
from tests.support.builders import T0
from tests.support.journal_rig import (
    Sink,
    a_journal,
    an_intent,
    files_of,
    handed,
    order_id,
    put_files,
    read_all,
    said,
    told,
    write_all,
)

Files = dict[str, bytes]
RECORDS: list[JournalRecord] = [
    record
    for number in range(40)
    for record in (an_intent(number), handed(number), told(number), said(number, "x" * 900))
]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A journal of a run that ended in order: one file."""
    folder = tmp_path_factory.mktemp("closed")
    write_all(folder / "journal.db", *RECORDS)
    return files_of(folder)


def snapshot(number: int) -> Snapshot:
    return Snapshot(T0 + number, msgspec.Raw(b'{"orders":%d}' % number))


def change(path: Path, statement: str) -> None:
    """Do something to a journal behind its back."""
    connection = apsw.Connection(str(path))
    connection.execute(statement)
    connection.close()


def test_no_journal_yet_is_an_empty_one_and_nothing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    assert open_journal(path) == JournalOpening(path, 0, 1)
    assert list(open_journal(path).records()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_start_reads_from_the_last_snapshot_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write_all(path, an_intent(1), snapshot(1), an_intent(2), snapshot(2), handed(2), told(2))
    opening = open_journal(path)
    assert (opening.count, opening.first, opening.dropped) == (6, 4, "")
    assert list(opening.records()) == [snapshot(2), handed(2), told(2)]
    assert list(opening.records(frozenset({Handed, RunStopped}))) == [snapshot(2), told(2)]


def test_checking_and_reading_change_nothing(tmp_path: Path, closed: Files) -> None:
    path = put_files(tmp_path, closed)
    assert read_all(path) == RECORDS
    assert files_of(tmp_path) == closed
    assert [file.name for file in tmp_path.iterdir()] == ["journal.db"]


def check_flips(folder: Path, closed: Files, count: int, seed: int) -> tuple[int, int]:
    """Flip bits of the file: what opens all the same holds what it held. Returns how many were refused, and were not."""
    rng, data, refused = random.Random(seed), closed["journal.db"], 0
    offsets = sorted(rng.sample(range(len(data)), count))
    for offset in offsets:
        mangled = bytearray(data)
        mangled[offset] ^= 1 << rng.randrange(8)
        path = put_files(folder, {"journal.db": bytes(mangled)})
        try:
            opening = open_journal(path)
        except InputError as error:
            told = str(error)
            refused += 1
        else:
            told = f"{path} restore a copy"
            assert (opening.count, opening.dropped) == (len(RECORDS), ""), offset
            assert list(opening.records()) == RECORDS, offset
            with read_only(path) as view:
                assert [found.record for found in view.of_order(order_id(7))] == RECORDS[28:32], offset
        assert str(path) in told, offset
        assert "restore a copy" in told, offset
    return refused, count - refused


def test_a_flipped_bit_of_the_file_is_refused_with_its_place_or_was_in_no_use(tmp_path: Path, closed: Files) -> None:
    refused, unused = check_flips(tmp_path, closed, 250, 5)
    assert refused > 2 * unused


@pytest.mark.slow
def test_flipped_bits_in_thousands(tmp_path: Path, closed: Files) -> None:
    check_flips(tmp_path, closed, 5_000, 6)


@pytest.mark.parametrize("offset", [0, 15, 16, 18, 19, 20, 21, 59, 63, 71])
def test_a_flipped_bit_of_the_header_is_refused_with_its_byte(offset: int, tmp_path: Path, closed: Files) -> None:
    data = bytearray(closed["journal.db"])
    data[offset] ^= 4
    path = put_files(tmp_path, {"journal.db": bytes(data)})
    with pytest.raises(InputError, match=r"journal.db (is no journal of this format|is damaged) \(byte \d+\); restore"):
        open_journal(path)


TAMPERED = {
    "UPDATE record SET body = replace(CAST(body AS TEXT), '1000', '9000') WHERE sequence = 5": "damaged|record 5",
    "UPDATE record SET body = CAST(replace(CAST(body AS TEXT), '1000', '9000') AS BLOB) WHERE sequence = 5": "record 5 does not",
    "UPDATE record SET kind = 'handed' WHERE sequence = 9": "record 9 does not follow from the one before it",
    "UPDATE record SET order_id = 'F-000099' WHERE sequence = 9": "record 9 does not follow",
    "UPDATE record SET order_id = NULL WHERE sequence = 9": "record 9 does not follow",
    "UPDATE record SET hash = zeroblob(32) WHERE sequence = 12": "record 12 does not follow",
    "DELETE FROM record WHERE sequence = 20": r"record 20 is missing \(the next one is 21\)",
    "DELETE FROM record WHERE sequence = 1": r"record 1 is missing",
    "INSERT INTO record SELECT 1000, kind, order_id, hash, body FROM record WHERE sequence = 3": "record 161 is missing",
    "INSERT INTO record SELECT 161, kind, order_id, hash, body FROM record WHERE sequence = 3": "record 161 does not follow",
    "UPDATE record SET sequence = CASE sequence WHEN 7 THEN -8 ELSE -7 END WHERE sequence IN (7, 8)": "is missing",
    "DELETE FROM record WHERE sequence > 150": "after record 150 one is gone that was the last when a run ended in order",
    "DELETE FROM record": "after record 0 one is gone that was the last",
    "DELETE FROM mark": "its mark is 0 rows",
    "CREATE TABLE other (x)": "its tables are not those of a journal",
    "DROP INDEX record_order": "its tables are not those of a journal",
    "PRAGMA user_version = 2": r"no journal of this format \(byte 60\)",
    "PRAGMA application_id = 7": r"no journal of this format \(byte 68\)",
}


@pytest.mark.parametrize("statement", TAMPERED)
def test_what_was_changed_behind_its_back_is_refused(statement: str, tmp_path: Path, closed: Files) -> None:
    path = put_files(tmp_path, closed)
    try:
        change(path, statement)
    except apsw.ConstraintError:
        return  # the table itself does not take it
    with pytest.raises(InputError, match=TAMPERED[statement]) as refused:
        open_journal(path)
    assert "restore a copy" in str(refused.value)


def test_records_are_missed_that_an_orderly_end_has_seen_though_a_later_run_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write_all(path, *RECORDS[:10])
    change(path, "UPDATE mark SET is_open = 1")
    wal_of(path).touch()
    assert open_journal(path).count == 10
    change(path, "DELETE FROM record WHERE sequence = 10")
    wal_of(path).touch()
    with pytest.raises(InputError, match="after record 9 one is gone that was the last when a run ended in order"):
        open_journal(path)


def test_a_database_or_file_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "journal.db"
    change(other, "CREATE TABLE t (x)")
    with pytest.raises(InputError, match=r"no journal of this format|is damaged"):
        open_journal(other)
    other.write_bytes(b"")
    with pytest.raises(InputError, match=r"no journal of this format \(byte 0\)"):
        open_journal(other)


def test_a_file_cut_short_is_refused(tmp_path: Path, closed: Files) -> None:
    data = closed["journal.db"]
    for size in (50, 4096, len(data) // 2, len(data) - 4096, len(data) - 1):
        with pytest.raises(InputError, match="restore a copy"):
            open_journal(put_files(tmp_path, {"journal.db": data[:size]}))


def test_a_kind_of_a_newer_version_is_named_and_not_taken_for_damage(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write_all(path, an_intent(1))
    body = encode_record(RunStopped(T0, "r")).replace(b"run_stopped", b"run_dreamed")
    connection = apsw.Connection(str(path))
    (last,) = connection.execute("SELECT hash FROM record").fetchall()[0]
    values = (2, "run_dreamed", None, next_hash(last, "run_dreamed", None, body), body)
    connection.execute("INSERT INTO record (sequence, kind, order_id, hash, body) VALUES (?, ?, ?, ?, ?)", values)
    connection.execute("UPDATE mark SET hash = ?", (values[3],))
    connection.close()
    with pytest.raises(InputError, match=r"record 2 cannot be understood .* a newer Foxtrot wrote it"):
        list(open_journal(path).records())


def test_the_chain_begins_with_the_format_and_tells_kind_order_and_body_apart() -> None:
    hashes = {
        next_hash(FIRST_HASH, "a", "b", b"c"), next_hash(FIRST_HASH, "ab", "", b"c"), next_hash(FIRST_HASH, "a", "bc", b""),
        next_hash(FIRST_HASH, "a", None, b"bc"), next_hash(FIRST_HASH[::-1], "a", "b", b"c"),
    }  # fmt: skip
    assert len(hashes) == 5
    assert {len(found) for found in hashes} == {32}


# --- looking while somebody writes --------------------------------------------------------------------------------------


def test_a_view_sees_what_is_committed_meanwhile_and_the_writer_does_not_notice(tmp_path: Path) -> None:
    path, sink = tmp_path / "journal.db", Sink()
    journal = a_journal(path, sink)
    for number in range(3):
        journal.append(an_intent(number))
        journal.append(handed(number))
    sink.wait_for(3)
    before = files_of(tmp_path)
    with read_only(path) as view:
        assert [found.record for found in view.of_order(order_id(1))] == [an_intent(1), handed(1)]
        assert files_of(tmp_path) == before
        walk = view.newest_first()
        newest = next(walk)
        journal.append(an_intent(3))
        sink.wait_for(4)
        assert newest.sequence == 6
        assert [found.sequence for found in walk] == [5, 4, 3, 2, 1]
        assert next(view.newest_first()).record == an_intent(3)
        assert view.of_order("F-unknown") == []
    journal.close()
    assert not journal.failed
    assert [file.name for file in tmp_path.iterdir()] == ["journal.db"]


def test_a_view_does_not_keep_the_log_from_beginning_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foxtrot.storage.journal_writer.WAL_PAGES_MOST", 20)
    path, sink = tmp_path / "journal.db", Sink()
    journal = a_journal(path, sink)
    journal.append(an_intent(0))
    sink.wait_for(1)
    with read_only(path) as view:
        walk = view.newest_first()
        next(walk)
        for number in range(1, 80):
            journal.append(an_intent(number))
            sink.wait_for(number + 1)
    assert wal_of(path).stat().st_size < 40 * 4120
    journal.close()


def test_a_view_of_a_killed_platform_changes_nothing(tmp_path: Path) -> None:
    path, sink = tmp_path / "live" / "journal.db", Sink()
    journal = a_journal(path, sink)
    journal.append(an_intent(1))
    sink.wait_for(1)
    left = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    journal.close()
    copy = put_files(tmp_path / "dead", left)
    with read_only(copy) as view:
        assert [found.record for found in view.newest_first()] == [an_intent(1)]
    assert {file.name: file.read_bytes() for file in copy.parent.iterdir()} == left
    bare = put_files(tmp_path / "bare", {name: data for name, data in left.items() if not name.endswith("-shm")})
    with read_only(bare) as view:
        assert [found.record for found in view.newest_first()] == [an_intent(1)]
    assert files_of(bare.parent) == files_of(copy.parent)


@pytest.mark.parametrize("size", [0, 32])
def test_a_log_without_a_frame_is_as_good_as_none(size: int, tmp_path: Path) -> None:
    path, sink = tmp_path / "live" / "journal.db", Sink()
    write_all(path, an_intent(1))
    journal = a_journal(path, sink)
    with read_only(path) as view:
        assert [found.record for found in view.newest_first()] == [an_intent(1)]
    begun = files_of(path.parent)
    journal.append(an_intent(2))
    sink.wait_for(1)
    wal = wal_of(path).read_bytes()
    journal.close()
    copy = put_files(tmp_path / "dead", begun | {"journal.db-wal": wal[:size]})
    assert read_all(copy) == [an_intent(1)]
    with read_only(copy) as view:
        assert [found.record for found in view.newest_first()] == [an_intent(1)]


def test_a_view_walks_back_over_many_pages(tmp_path: Path, closed: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foxtrot.storage.journal_reader.JournalView.PAGE", 7)
    path = put_files(tmp_path, closed)
    with read_only(path) as view:
        assert [found.record for found in view.newest_first()] == RECORDS[::-1]
        view.close()
    assert [file.name for file in tmp_path.iterdir()] == ["journal.db"]


def test_a_view_refuses_a_damaged_record_and_a_journal_that_is_not_there(tmp_path: Path, closed: Files) -> None:
    with pytest.raises(InputError, match=r"there is no journal .*journal.db; name the --home"):
        read_only(tmp_path / "journal.db")
    path = put_files(tmp_path, closed)
    change(path, "UPDATE record SET hash = zeroblob(32) WHERE sequence = 12")
    with read_only(path) as view, pytest.raises(InputError, match="record 13 does not follow"):
        list(view.newest_first())
    with read_only(path) as view, pytest.raises(InputError, match="record 12 does not follow"):
        view.of_order(order_id(2))


def test_nothing_can_be_written_through_a_view(tmp_path: Path, closed: Files) -> None:
    connection = open_to_look(put_files(tmp_path, closed))
    with pytest.raises(apsw.ReadOnlyError):
        connection.execute("DELETE FROM record")
    connection.close()
