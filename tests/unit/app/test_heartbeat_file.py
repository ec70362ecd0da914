"""The heartbeat file: what it says, and when a platform counts as silent."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from foxtrot.app.heartbeat_file import SILENT_S, SIZE, STOPPING_S, Beat, HeartbeatFile, HeartbeatReader, Pulse
from foxtrot.app.process_table import process_start
from foxtrot.domain.errors import ConfigError

S = 1_000_000_000
STEP = S // 10


def a_beat(number: int, **changes: object) -> Beat:
    pid = os.getpid()
    return msgspec.structs.replace(Beat(pid, process_start(pid) or "", number, SILENT_S), **changes)


def watch(pulse: Pulse, beat: Beat | None, from_s: float, until_s: float) -> list[str]:
    """What a pulse says while the file stays as it is."""
    return [pulse.look(beat, at) for at in range(int(from_s * S), int(until_s * S), STEP)]


def test_each_beat_is_read_by_another_and_the_file_stays_as_long_as_it_is(tmp_path: Path) -> None:
    file, reader = HeartbeatFile(tmp_path / "home"), HeartbeatReader(tmp_path / "home")
    first = reader.read()
    file.beat()
    second = reader.read()
    file.stopping()
    third = reader.read()
    file.end()
    last = reader.read()
    assert first is not None
    assert second is not None
    assert third is not None
    assert last is not None
    assert [beat.beat for beat in (first, second, third, last)] == [1, 2, 3, 4]
    assert (first.pid, first.lives, first.silent_s, third.silent_s) == (os.getpid(), True, SILENT_S, STOPPING_S)
    assert [beat.ended for beat in (first, second, third, last)] == [False, False, False, True]
    assert file.path.stat().st_size == SIZE
    assert file.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [b"", b'{"pid": 1', b"\xff"])
def test_what_is_just_being_written_is_nothing(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "heartbeat").write_bytes(text)
    assert HeartbeatReader(tmp_path).read() is None
    assert HeartbeatReader(tmp_path / "missing").read() is None


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        HeartbeatFile(tmp_path / "file" / "home")


def test_silence_counts_from_the_last_change() -> None:
    pulse = Pulse()
    assert not any(watch(pulse, a_beat(1), 1.0, 2.9))
    assert not any(watch(pulse, a_beat(2), 2.9, 4.8))
    silent = watch(pulse, a_beat(2), 4.8, 5.2)
    assert [bool(text) for text in silent] == [False, True, True, True]
    assert "has given no sign of life for 2.0 s" in silent[1]
    assert pulse.look(a_beat(3), int(5.2 * S)) == ""


def test_an_unreadable_moment_is_no_sign_and_no_silence_of_its_own() -> None:
    pulse = Pulse()
    pulse.look(a_beat(1), S)
    assert not any(watch(pulse, None, 1.1, 2.9))
    assert any(watch(pulse, None, 2.9, 3.2))


def test_nothing_counts_before_the_first_beat_and_after_the_last() -> None:
    pulse = Pulse()
    assert not any(watch(pulse, None, 1.0, 20.0))
    pulse.look(a_beat(1, ended=True), 20 * S)
    assert not any(watch(pulse, a_beat(1, ended=True), 20.1, 40.0))


def test_a_platform_that_stops_in_order_may_be_silent_for_longer() -> None:
    pulse = Pulse()
    pulse.look(a_beat(1, silent_s=STOPPING_S), S)
    assert not any(watch(pulse, None, 1.1, STOPPING_S))
    assert any(watch(pulse, None, STOPPING_S, STOPPING_S + 2))


def test_who_stood_still_itself_begins_to_count_anew() -> None:
    pulse = Pulse()
    pulse.look(a_beat(1), S)
    assert pulse.look(a_beat(1), 30 * S) == ""
    assert not any(watch(pulse, a_beat(1), 30.1, 31.9))
    assert any(watch(pulse, a_beat(1), 31.9, 32.3))


def test_a_process_that_is_gone_is_told_at_once() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    start = process_start(gone.pid) or ""
    gone.wait()
    pulse = Pulse()
    beat = Beat(gone.pid, start, 1, SILENT_S)
    pulse.look(beat, S)
    assert "is gone without having ended in order" in pulse.look(beat, S + STEP)
