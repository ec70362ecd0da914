"""The journal of a process that is frozen in the middle of its work can be looked at, and the process does not notice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from foxtrot.storage.journal_reader import read_only
from foxtrot.storage.journal_records import Intent
from tests.conftest import REPOSITORY
from tests.support.journal_rig import an_intent, files_of, order_id, read_all

COUNT = 400


def test_a_frozen_process_keeps_nobody_from_looking_and_goes_on_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    command = [sys.executable, "-m", "tests.support.journal_child", str(path), "0", str(COUNT)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            answered = []
            for stop in (5, 40, 120):
                answered += [next(child.stdout).strip() for _ in range(stop - len(answered))]
                child.send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, child.pid, os.WSTOPPED)
                before = files_of(tmp_path)
                with read_only(path) as view:
                    there = [found.record for found in view.newest_first()][::-1]
                    assert [found.record for found in view.of_order(order_id(3))] == [an_intent(3)]
                assert files_of(tmp_path) == before
                names = [record.order.order_id for record in there if isinstance(record, Intent)]
                assert names[: len(answered)] == answered
                child.send_signal(signal.SIGCONT)
            rest = [line.strip() for line in child.stdout]
        finally:
            child.send_signal(signal.SIGCONT)
    assert child.returncode == 0
    assert [*answered, *rest] == [order_id(number) for number in range(COUNT)]
    assert read_all(path) == [an_intent(number) for number in range(COUNT)]
