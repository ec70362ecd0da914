"""A kill on a disk that is full: its halt lasts, for its room was taken beforehand, and the next start finds it."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from foxtrot.app import halt_file
from foxtrot.app.cold_kill import REASON, cold_kill
from foxtrot.app.config import load_config
from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.app.life_signs import LifeSigns
from foxtrot.app.main_engine import MainEngine
from foxtrot.core.commands import ResumeTrading
from foxtrot.domain.enums import GateState
from foxtrot.domain.errors import ConfigError
from tests.support.steered_platform import write_config
from tests.support.waiting import wait_until

PAPER = '[account.paper]\nadapter = "simulated"\n'
ANN, BOB = Halt("the market is mad", "Ann", 1), Halt("it still is", "Bob", 2)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 KB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root on Linux")
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room; the file that takes it is returned."""
    path = disk / "filler"
    with pytest.raises(OSError, match="No space left") as caught, path.open("wb", buffering=0) as file:  # noqa: PT012
        while file.write(b"x" * 4096):
            pass
    assert caught.value.errno == errno.ENOSPC
    return path


def no_room(_path: Path, _data: bytes, *, durable: bool = True) -> None:
    raise ConfigError("halt.json cannot be written: No space left on device")


def test_a_cold_kill_on_a_full_disk_halts_the_next_start(disk: Path, tmp_path: Path) -> None:
    home, paper = disk / "home", tmp_path / "paper.toml"
    paper.write_text(PAPER, "utf-8")
    HaltFile(home).reserve()
    filler = fill(disk)
    assert cold_kill(paper, home, False, False, "Ann", {})["halt_file"] == ""
    halt = HaltFile(home).read()
    assert halt is not None
    assert (halt.reason, halt.who, halt.killed) == (REASON, "Ann", True)
    assert (home / "halt.json").stat().st_mode & 0o777 == 0o600
    filler.unlink()
    platform = MainEngine(load_config(write_config(tmp_path)), home)
    signs = LifeSigns(platform, guarded=False)
    try:
        assert (platform.line.gate.state, platform.line.gate.reason) == (GateState.HALTED, REASON)
    finally:
        platform.stop()
        signs.end()


def test_without_room_taken_beforehand_a_full_disk_refuses_and_says_so(disk: Path) -> None:
    (disk / "home").mkdir()
    fill(disk)
    with pytest.raises(ConfigError, match=r"halt\.json cannot be written: No space left"):
        HaltFile(disk / "home").write(ANN)
    with pytest.raises(ConfigError, match=r"halt\.spare cannot be written, .*: No space left .*; make room"):
        HaltFile(disk / "home").reserve()


def test_a_second_halt_on_a_full_disk_is_written_over_the_first(disk: Path) -> None:
    home = disk / "home"
    HaltFile(home).reserve()
    fill(disk)
    for halt in (ANN, BOB):
        HaltFile(home).write(halt)
        assert HaltFile(home).read() == halt
    assert not (home / "halt.spare").exists()


def test_the_longest_reason_is_cut_to_the_room_and_the_file_is_nobody_s_news_to_its_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = HaltFile(tmp_path)
    file.reserve()
    monkeypatch.setattr(halt_file, "write_private", no_room)
    file.write(Halt("\x01" * 9_000, "\U0001f98a" * 500, 7))
    found = file.read()
    assert found is not None
    assert (found.time_ns, len(found.reason), len(found.who)) == (7, 480, 80)
    assert file.path.stat().st_size == 4096
    assert file.look() is None
    file.lift()
    assert file.read() is None


def test_room_is_taken_again_once_a_person_has_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = MainEngine(load_config(write_config(tmp_path)), tmp_path / "home")
    signs, spare = LifeSigns(platform, guarded=False), tmp_path / "home" / "halt.spare"
    platform.start()
    try:
        assert (spare.stat().st_size, spare.stat().st_mode & 0o777) == (4096, 0o600)
        with monkeypatch.context() as full:
            full.setattr(halt_file, "write_private", no_room)
            assert platform.kill("mad", "Ann") == ""
        assert not spare.exists()
        platform.put(ResumeTrading("Bob", "seen to"))
        wait_until(platform.resumed.is_set)
        signs.look()
        assert (spare.exists(), platform.halt_file.read()) == (True, None)
    finally:
        platform.stop()
        signs.end()
