"""One home, one run: a living holder refuses, a dead one's lock is taken over, and never a living one's by mistake."""

import json
import os
import platform
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from foxtrot.app import process_table, run_lock
from foxtrot.app.process_table import one_at_a_time, process_start
from foxtrot.app.run_lock import Holder, RunLock, holder_of
from foxtrot.domain.errors import ConfigError


@pytest.fixture
def other() -> Iterator[int]:
    """The number of a living process that is not this one."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.communicate(b"\n")


def write(home: Path, holder: Holder) -> None:
    home.mkdir(exist_ok=True)
    (home / run_lock.NAME).write_bytes(msgspec.json.encode(holder))


def test_a_lock_names_its_holder_and_is_gone_when_it_is_given_back(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    lock = RunLock(home)
    lock.take()
    found = json.loads((home / "run.lock").read_text())
    assert (found["pid"], found["start"]) == (os.getpid(), process_start(os.getpid()))
    assert stat.S_IMODE((home / "run.lock").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["run.lock"]
    lock.release()
    assert list(home.iterdir()) == []
    lock.release()


def test_a_second_run_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    first = RunLock(tmp_path)
    first.take()
    with pytest.raises(ConfigError, match=rf"already runs in {tmp_path} \(pid {os.getpid()}\): stop it first, or give"):
        RunLock(tmp_path).take()
    first.release()
    RunLock(tmp_path).take()


def test_a_run_that_was_refused_leaves_the_lock_alone(tmp_path: Path) -> None:
    first, second = RunLock(tmp_path), RunLock(tmp_path)
    first.take()
    with pytest.raises(ConfigError):
        second.take()
    second.release()
    assert holder_of(tmp_path) is not None


def test_a_living_process_that_is_not_ours_refuses_too(tmp_path: Path, other: int) -> None:
    write(tmp_path, Holder(other, process_start(other) or "", platform.node(), "t"))
    with pytest.raises(ConfigError, match=f"pid {other}"):
        RunLock(tmp_path).take()


@pytest.mark.parametrize("start", ["another boot 1", "0"])
def test_a_number_that_belongs_to_another_process_by_now_is_taken_over(tmp_path: Path, other: int, start: str) -> None:
    write(tmp_path, Holder(other, start, platform.node(), "t"))
    RunLock(tmp_path).take()
    holder = holder_of(tmp_path)
    assert holder is not None
    assert holder.pid == os.getpid()


def test_the_lock_of_a_process_that_is_no_more_is_taken_over(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        start = process_start(process.pid) or "gone before it was asked"
    write(tmp_path, Holder(process.pid, start, platform.node(), "t"))
    RunLock(tmp_path).take()
    assert [path.name for path in tmp_path.iterdir()] == ["run.lock"]


def test_a_process_that_has_ended_and_was_not_waited_for_does_not_live() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process_start(process.pid) is None
    process.communicate()


def test_a_file_that_is_no_lock_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "run.lock").write_text("{ half")
    RunLock(tmp_path).take()


def test_a_lock_that_may_not_be_read_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "run.lock").mkdir()
    with pytest.raises(ConfigError, match=r"run\.lock cannot be read: .*; name another home"):
        RunLock(tmp_path).take()


def test_of_another_machines_process_nobody_says_that_it_is_dead(tmp_path: Path) -> None:
    write(tmp_path, Holder(1, "x", "elsewhere", "t"))
    with pytest.raises(ConfigError, match=r"pid 1 on elsewhere\).*if that process is certainly gone, delete"):
        RunLock(tmp_path).take()


def test_where_the_system_cannot_be_asked_a_lock_is_held_to_be_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_lock, "process_start", lambda _pid: "")
    write(tmp_path, Holder(999_999_999, "", platform.node(), "t"))
    with pytest.raises(ConfigError, match="already runs"):
        RunLock(tmp_path).take()


@pytest.mark.parametrize("_again", range(5))
def test_of_many_that_find_a_dead_lock_one_takes_it(tmp_path: Path, _again: int) -> None:
    write(tmp_path, Holder(999_999_999, "x", platform.node(), "t"))
    locks = [RunLock(tmp_path) for _ in range(12)]
    start, taken = threading.Barrier(len(locks)), []

    def take(lock: RunLock) -> None:
        start.wait(5)
        try:
            lock.take()
        except ConfigError:
            return
        taken.append(lock)

    threads = [threading.Thread(target=take, args=(lock,)) for lock in locks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(taken) == 1


def test_whoever_takes_the_lock_waits_for_who_is_just_taking_it(tmp_path: Path, other: int) -> None:
    write(tmp_path, Holder(999_999_999, "x", platform.node(), "t"))
    quicker = Holder(other, process_start(other) or "", platform.node(), "q")
    begun, refused = threading.Event(), threading.Event()

    def take() -> None:
        begun.set()
        try:
            RunLock(tmp_path).take()
        except ConfigError:
            refused.set()

    with one_at_a_time(tmp_path):
        second = threading.Thread(target=take)
        second.start()
        assert begun.wait(5)
        write(tmp_path, quicker)
    second.join(10)
    assert refused.is_set()
    assert holder_of(tmp_path) == quicker


def test_without_proc_the_program_ps_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other: int) -> None:
    monkeypatch.setattr(process_table, "PROC", tmp_path)
    if not Path("/bin/ps").exists():
        assert process_start(other) == ""
        pytest.skip("this machine has no ps")
    assert process_start(other)
    assert process_start(999_999_999) is None


def test_a_home_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be made: .*; name another"):
        RunLock(tmp_path / "file" / "home").take()
