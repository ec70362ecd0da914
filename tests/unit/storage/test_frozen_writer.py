"""A journal whose writer is stopped while it holds a lock that every look would wait for."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from foxtrot.domain.errors import InputError
from foxtrot.storage import frozen_writer
from foxtrot.storage.frozen_writer import CopyOfJournal, is_held_by_a_frozen_process
from foxtrot.storage.journal_reader import read_only
from tests.conftest import REPOSITORY
from tests.support.journal_rig import Sink, a_journal, an_intent, files_of, order_id, write_all

READ_MARKS = (124, 4)
"""Where in the shared memory the locks of the read marks 1 to 4 are, and how many.

Source: SQLite, "WAL-mode File Format", section 2.3.1.
"""
COUNT = 3
pytestmark = pytest.mark.skipif(not frozen_writer.LOCKS.exists(), reason="this system does not tell who holds locks")


def hold_the_read_marks(path: Path) -> None:
    """Write a journal, and stop where SQLite holds what it holds for a moment in each transaction."""
    sink = Sink()
    journal = a_journal(path, sink)
    for number in range(COUNT):
        journal.append(an_intent(number))
        sink.wait_for(number + 1)
    with path.with_name(path.name + "-shm").open("rb+") as shared:
        fcntl.lockf(shared, fcntl.LOCK_EX, READ_MARKS[1], READ_MARKS[0])
        os.kill(os.getpid(), signal.SIGSTOP)
        fcntl.lockf(shared, fcntl.LOCK_UN, READ_MARKS[1], READ_MARKS[0])
    journal.append(an_intent(COUNT))
    sink.wait_for(COUNT + 1)
    journal.close()


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "journal.db"
    command = [sys.executable, "-m", __name__, str(path)]
    with subprocess.Popen(command, cwd=REPOSITORY) as child:
        try:
            os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            yield path
        finally:
            child.send_signal(signal.SIGCONT)
            assert child.wait(30) == 0


def copies() -> list[Path]:
    return sorted(Path(tempfile.gettempdir()).glob("foxtrot-journal-*"))


def test_what_it_wrote_is_seen_nothing_of_it_is_changed_and_it_goes_on(
    stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = files_of(stopped.parent)
    with read_only(stopped) as view:
        assert [found.record for found in view.newest_first()] == [an_intent(number) for number in (2, 1, 0)]
        assert [found.record for found in view.of_order(order_id(1))] == [an_intent(1)]
        assert copies()
    assert not copies()
    assert files_of(stopped.parent) == before


def test_a_journal_that_nobody_writes_or_that_runs_is_looked_at_itself(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write_all(path, an_intent(0))
    assert not is_held_by_a_frozen_process(path)
    journal = a_journal(path, Sink())
    try:
        assert not is_held_by_a_frozen_process(path)
    finally:
        journal.close()


def test_a_copy_during_which_the_writer_goes_on_is_not_taken(
    stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(frozen_writer.filecmp, "cmp", lambda *_, **__: False)
    with pytest.raises(OSError, match="changed while it was copied"):
        CopyOfJournal(stopped)
    with pytest.raises(InputError, match="cannot be read"):
        read_only(stopped)
    assert not copies()


if __name__ == "__main__":
    hold_the_read_marks(Path(sys.argv[1]))
