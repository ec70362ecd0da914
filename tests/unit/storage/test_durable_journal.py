"""The journal on disk: groups, answers, figures, files, and what it does when the disk fails."""

import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import IntentDurable, JournalFailed
from foxtrot.domain.errors import ConfigError, QueueClosed
from foxtrot.storage.durable_journal import DurableJournal
from foxtrot.storage.journal import Journal
from foxtrot.storage.journal_file import check_library
from foxtrot.storage.journal_reader import open_journal
from tests.support.fault_vfs import FaultVfs, fail_on, fault_vfs, sqlite_error
from tests.support.journal_rig import Sink, a_journal, an_intent, handed, order_id, read_all, told, write_all
from tests.support.waiting import wait_until


@pytest.fixture
def vfs() -> Iterator[FaultVfs]:
    with fault_vfs() as made:
        yield made


class Barrier:
    """Holds the journal's thread in a sync of the log until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def fault(self, kind: str, file: str) -> None:
        if kind == "sync" and file.endswith("-wal"):
            self.reached.set()
            assert self.open.wait(10)


def test_records_come_back_in_order_and_an_intent_is_answered_only_once_it_is_on_disk(tmp_path: Path) -> None:
    path, seen = tmp_path / "journal.db", []
    sink = Sink(lambda event: seen.append(open_journal_ids(path)))
    journal: Journal = a_journal(path, sink)
    assert journal.keeps_reports
    journal.append(an_intent(1))
    sink.wait_for(1)
    assert seen == [[order_id(1)]]
    journal.append(handed(1))
    journal.append(told(1))
    journal.close()
    assert read_all(path) == [an_intent(1), handed(1), told(1)]
    assert sink.events == [IntentDurable((order_id(1),))]


def open_journal_ids(path: Path) -> list[str]:
    """The orders whose intents somebody else would find now."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    ids = [str(row[0]) for row in connection.execute("SELECT order_id FROM record WHERE kind = 'intent'")]
    connection.close()
    return ids


def test_what_waits_while_the_disk_is_busy_is_one_transaction_with_one_answer(tmp_path: Path, vfs: FaultVfs) -> None:
    sink, barrier = Sink(), Barrier()
    write_all(tmp_path / "journal.db")
    journal = a_journal(tmp_path / "journal.db", sink, vfs.name)
    vfs.fault = barrier.fault
    journal.append(an_intent(0))
    assert barrier.reached.wait(10)
    for number in range(1, 100):
        journal.append(an_intent(number))
        journal.append(handed(number))
    assert journal.statistics().depth == 199
    barrier.open.set()
    sink.wait_for(100)
    journal.close()
    assert [len(event.order_ids) for event in sink.events] == [1, 99]
    figures = journal.statistics()
    assert (figures.commits, figures.records, figures.largest_group) == (2, 199, 198)
    assert (figures.depth, figures.lost, figures.failed) == (0, 0, "")
    assert figures.slowest_commit_us >= figures.commit_p99_us >= figures.commit_p50_us > 0
    assert len(read_all(tmp_path / "journal.db")) == 199


def test_a_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write_all(path, an_intent(1), handed(1))
    write_all(path, an_intent(2))
    assert read_all(path) == [an_intent(1), handed(1), an_intent(2)]
    assert open_journal(path).count == 3


def test_files_and_folder_are_made_for_their_owner_alone_whatever_the_mask(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    sink = Sink()
    before = set_mask(0)
    try:
        journal = a_journal(folder / "journal.db", sink)
        journal.append(an_intent(1))
        sink.wait_for(1)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
        journal.close()
    finally:
        set_mask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes == {"journal.db": 0o600, "journal.db-wal": 0o600, "journal.db-shm": 0o600}


def set_mask(mask: int) -> int:
    import os

    return os.umask(mask)


def test_an_end_in_order_leaves_one_file_and_closing_twice_does_nothing(tmp_path: Path) -> None:
    path, sink = tmp_path / "journal.db", Sink()
    journal = a_journal(path, sink)
    journal.close()
    journal.close()
    assert [file.name for file in tmp_path.iterdir()] == ["journal.db"]
    journal.append(an_intent(1))
    journal.append(handed(1))
    assert sink.events == [JournalFailed((order_id(1),), "the journal is closed")]
    assert journal.statistics().lost == 2
    assert journal.failed == ""


def test_an_engine_that_has_stopped_is_no_failure_of_the_journal(tmp_path: Path) -> None:
    def refuse(_event: object) -> None:
        raise QueueClosed("stopped")

    journal = a_journal(tmp_path / "journal.db", Sink(refuse))
    journal.append(an_intent(1))
    journal.append(an_intent(2))
    journal.close()
    journal.append(an_intent(3))
    assert journal.failed == ""
    assert journal.statistics().unheard == 3
    assert read_all(tmp_path / "journal.db") == [an_intent(1), an_intent(2)]


def test_a_slow_sync_is_seen_from_outside_and_keeps_nobody_waiting(tmp_path: Path, vfs: FaultVfs) -> None:
    clock, sink, barrier = ManualClock(1), Sink(), Barrier()
    write_all(tmp_path / "journal.db")
    journal = DurableJournal(tmp_path / "journal.db", sink, clock, vfs=vfs.name)
    assert journal.slow_s == 0.0
    vfs.fault = barrier.fault
    journal.append(an_intent(1))
    assert barrier.reached.wait(10)
    heartbeat_ns = journal.heartbeat_ns
    clock.advance(5_000_000_000)
    assert journal.slow_s == 5.0
    journal.append(an_intent(2))
    assert sink.events == []
    assert journal.heartbeat_ns == heartbeat_ns
    barrier.open.set()
    sink.wait_for(2)
    journal.close()
    assert journal.slow_s == 0.0
    assert journal.statistics().slowest_commit_us == 5e6


def test_an_idle_thread_shows_that_it_lives(tmp_path: Path) -> None:
    clock = ManualClock(1)
    journal = DurableJournal(tmp_path / "journal.db", Sink(), clock)
    clock.advance(1_000_000_000)
    wait_until(lambda: journal.heartbeat_ns == clock.monotonic_ns())
    assert journal.alive
    journal.close()
    assert not journal.alive


FAULTS = {
    "disk full": ("write", sqlite_error(apsw.FullError, apsw.SQLITE_FULL, "no space"), "SQLITE_FULL"),
    "disk full while the log grows": (
        "write",
        sqlite_error(apsw.IOError, apsw.SQLITE_IOERR_WRITE, "no space"),
        "SQLITE_IOERR_WRITE",
    ),
    "sync fails": ("sync", sqlite_error(apsw.IOError, apsw.SQLITE_IOERR_FSYNC, "sync"), "SQLITE_IOERR_FSYNC"),
    "read-only": ("write", sqlite_error(apsw.ReadOnlyError, apsw.SQLITE_READONLY, "read-only"), "SQLITE_READONLY"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_after_the_first_error_nothing_is_written_or_synced_and_every_intent_is_refused(
    name: str, tmp_path: Path, vfs: FaultVfs
) -> None:
    kind, error, code = FAULTS[name]
    path, sink = tmp_path / "journal.db", Sink()
    write_all(path)
    journal = a_journal(path, sink, vfs.name)
    journal.append(an_intent(1))
    sink.wait_for(1)
    vfs.fault = fail_on(kind, "-wal", error)
    journal.append(an_intent(2))
    sink.wait_for(2)
    wait_until(lambda: not journal.alive)
    vfs.fault = lambda kind, file: None
    changes = len(vfs.changes)
    journal.append(an_intent(3))
    journal.append(handed(1))
    journal.close()
    assert sink.durable == [order_id(1)]
    assert set(sink.failed) == {order_id(2), order_id(3)}
    assert all(str(path) in reason and code in reason for reason in sink.failed.values())
    assert journal.failed == sink.failed[order_id(2)]
    assert journal.statistics().lost == 3
    assert len(vfs.changes) == changes, "something was written or synced after the failure"
    assert an_intent(1) in read_all(path)


def test_a_record_that_cannot_be_written_down_stops_the_journal_too(tmp_path: Path) -> None:
    sink = Sink()
    journal = a_journal(tmp_path / "journal.db", sink)
    journal.append(object())  # type: ignore[arg-type]
    wait_until(lambda: bool(journal.failed))
    journal.append(an_intent(1))
    assert "AttributeError" in sink.failed[order_id(1)]
    journal.close()


def test_a_failed_checkpoint_stops_the_journal(tmp_path: Path, vfs: FaultVfs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foxtrot.storage.journal_writer.WAL_PAGES", 1)
    sink = Sink()
    write_all(tmp_path / "journal.db")
    journal = a_journal(tmp_path / "journal.db", sink, vfs.name)
    vfs.fault = fail_on("sync", "journal.db", sqlite_error(apsw.IOError, apsw.SQLITE_IOERR_FSYNC, "sync"))
    journal.append(an_intent(1))
    wait_until(lambda: bool(journal.failed))
    assert sink.durable == [order_id(1)]
    journal.append(an_intent(2))
    assert set(sink.failed) == {order_id(2)}
    journal.close()
    assert read_all(tmp_path / "journal.db") == [an_intent(1)]


def test_the_log_is_taken_into_the_file_when_nothing_else_is_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foxtrot.storage.journal_writer.WAL_PAGES", 1)
    path, sink = tmp_path / "journal.db", Sink()
    journal = a_journal(path, sink)
    before = path.read_bytes()
    journal.append(an_intent(1))
    journal.append(an_intent(2))
    sink.wait_for(2)
    wait_until(lambda: path.read_bytes() != before)
    assert journal.alive
    journal.close()


def test_a_folder_that_cannot_be_made_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigError, match=r"file/journal.db cannot be written: File exists"):
        a_journal(tmp_path / "file" / "journal.db", Sink())


def test_a_disk_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path, vfs: FaultVfs) -> None:
    write_all(tmp_path / "journal.db", an_intent(1))
    vfs.fault = fail_on("write", "", sqlite_error(apsw.ReadOnlyError, apsw.SQLITE_READONLY, "read-only"))
    with pytest.raises(ConfigError, match=r"journal.db cannot be written: .*READONLY"):
        a_journal(tmp_path / "journal.db", Sink(), vfs.name)


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "2.8.17"])
def test_a_library_that_may_damage_the_log_is_refused(version: str) -> None:
    with pytest.raises(ConfigError, match=f"SQLite {version} may damage"):
        check_library(version)
    check_library("3.51.3")
    check_library("3.60.0")
    check_library()
