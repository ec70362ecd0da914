"""A process that is killed at any system call that touches the journal has lost nothing that was answered.

The kernel kills it (strace injects the signal) as it enters the Nth call of a kind; every N of every kind is a point.
"""

import random
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from foxtrot.storage.journal_reader import open_journal
from foxtrot.storage.journal_records import Intent
from tests.support.journal_rig import an_intent, order_id, write_all
from tests.support.strace import traced, why_not

EARLIER, COUNT = 2, 6
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "rename", "unlink")
SAMPLE = 4


def child(path: Path) -> list[str]:
    return [sys.executable, "-m", "tests.support.journal_child", str(path), str(EARLIER), str(COUNT)]


def run_killed_at(path: Path, call: str, number: int) -> list[str]:
    """Kill a run at a point; return the ids that were answered before."""
    options = ("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
    ran = traced(child(path), path.parent / "calls", *options)
    assert ran.returncode in (137, -9), (call, number, ran.returncode, ran.stderr)
    return ran.stdout.split()


def points_of(folder: Path) -> list[tuple[str, int]]:
    """All points of an undisturbed run."""
    folder.mkdir()
    path = fresh(folder)
    ran = traced(child(path), folder / "calls", "-e", f"trace={','.join(CALLS)}")
    assert ran.returncode == 0, ran.stderr
    counts = Counter(re.findall(r"^(\d+) +(\w+)\(", (folder / "calls").read_text(), re.MULTILINE))
    most = {call: max((n for (_, c), n in counts.items() if c == call), default=0) for call in CALLS}
    return [(call, number) for call, count in most.items() for number in range(1, count + 1)]


def fresh(folder: Path) -> Path:
    """A journal with some records of an earlier run."""
    write_all(folder / "journal.db", *(an_intent(number) for number in range(EARLIER)))
    return folder / "journal.db"


def check(folder: Path, points: list[tuple[str, int]]) -> None:
    for call, number in points:
        place = folder / f"{call}{number}"
        place.mkdir()
        path = fresh(place)
        answered = run_killed_at(path, call, number)
        records = list(open_journal(path).records())
        assert records == [an_intent(n) for n in range(len(records))], (call, number)
        there = [each.order.order_id for each in records if isinstance(each, Intent)]
        assert there[: EARLIER + len(answered)] == [order_id(n) for n in range(EARLIER)] + answered, (call, number)
        assert len(records) <= EARLIER + COUNT
        # and the next start goes on from there
        write_all(path, an_intent(len(records)))
        assert open_journal(path).count == len(records) + 1, (call, number)


def test_a_kill_at_sampled_writes_and_syncs_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    if why_not():
        pytest.skip(why_not())
    points = points_of(tmp_path / "whole")
    assert len(points) > 40
    check(tmp_path, random.Random(7).sample(points, SAMPLE))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_kill_at_every_write_and_sync_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    if why_not():
        pytest.skip(why_not())
    check(tmp_path, points_of(tmp_path / "whole"))
