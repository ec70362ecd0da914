"""The recorder: rows stored and counted losses are all that was offered, a tape is verifiable, and it gives up before trading does."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.core.notices import TimerFired
from foxtrot.core.tape import INTENT, NOW, PERMIT, Entry, EntryKind
from foxtrot.domain.errors import InputError
from foxtrot.domain.market import TickData
from foxtrot.storage import recorder as recorder_module
from foxtrot.storage.recorder import Recorder
from foxtrot.storage.run_tape import Record, TapeDamaged, TapeEnd, TapeHeader, TapeReader, TapeWriter
from foxtrot.storage.tape_store import GB, TapeLimits, kept_runs, remove_old_tapes
from tests.support.waiting import wait_until

RAW = msgspec.Raw(b"{}")
ROOMY = (1_000 * GB, 100 * GB, 900 * GB)


def header(run_id: str = "run0000001") -> TapeHeader:
    return TapeHeader(
        run_id=run_id, version="0", code="", python="3", started_ns=0, folder="", config=RAW, strategies={}, variables=RAW, adapters={},
        journal="memory", keeps_reports=False,
    )  # fmt: skip


class Rig:
    """A recorder in a folder, with a disk that says what it is told to."""

    def __init__(self, runs: Path, limits: TapeLimits | None = None) -> None:
        self.warnings: list[str] = []
        self.usage = ROOMY
        self.recorder = Recorder(runs, header(), limits or TapeLimits(), self.warnings.append, lambda _: self.usage)

    def offer(self, first: int, last: int) -> None:
        for number in range(first, last + 1):
            self.recorder.offer(tick_entry(number))

    def end(self) -> TapeEnd:
        assert self.recorder.close() == ""
        reader = TapeReader(self.recorder.folder)
        self.records = list(reader.entries())
        assert reader.end is not None
        return reader.end


def tick_entry(number: int) -> Entry:
    tick = TickData("BTCUSDT.BINANCE", number, number, 1.0 + number)
    return Entry(number, EntryKind.INPUT, tick, [(NOW, number), (PERMIT, "active"), (PERMIT, True)])


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_what_is_offered_is_stored_and_counted(rig: Rig) -> None:
    rig.recorder.start()
    rig.offer(0, 999)
    end = rig.end()
    assert (end.offered, end.stored, end.lost, end.incomplete_from) == (1_000, 1_000, 0, 0)
    assert [one.sequence for one in rig.records] == list(range(1_000))
    assert rig.records[7].reads == [(NOW, 7), (PERMIT, "active"), (PERMIT, True)]
    assert rig.warnings == []


def test_the_hash_is_over_every_intent_in_its_order(rig: Rig, tmp_path: Path) -> None:
    other = Rig(tmp_path / "other")
    for one, intents in ((rig, (b"first", b"second")), (other, (b"second", b"first"))):
        one.recorder.start()
        for number, intent in enumerate(intents):
            one.recorder.offer(Entry(number, EntryKind.INPUT, TimerFired("a", "b", 1, 2, 3), [(INTENT, intent)]))
    ends = (rig.end(), other.end())
    assert [end.intents for end in ends] == [2, 2]
    assert ends[0].intent_hash != ends[1].intent_hash


def test_an_overflow_stops_the_recording_and_what_waited_is_still_written(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "BUFFERED", 100)
    rig.offer(0, 149)
    rig.recorder.start()
    end = rig.end()
    assert (end.offered, end.stored, end.lost, end.incomplete_from) == (150, 100, 50, 100)
    assert len(rig.records) == 100
    (warning,) = rig.warnings
    assert "trading goes on" in warning
    assert "incomplete from event 100" in warning


def test_a_disk_that_runs_low_stops_the_recording(rig: Rig) -> None:
    rig.recorder.start()
    rig.offer(0, 10)
    wait_until(lambda: rig.recorder.stored == 11)
    rig.usage = (1_000 * GB, 981 * GB, 19 * GB)  # 1.9 % free
    wait_until(lambda: rig.warnings != [])
    rig.offer(11, 20)
    end = rig.end()
    assert "the disk is low: 19.00 GB free, 20.00 GB are to stay free" in end.reason
    assert (end.offered, end.stored, end.lost, end.incomplete_from) == (21, 11, 10, 11)


def test_a_disk_without_room_stops_the_recording_and_leaves_a_whole_tape(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.recorder.start()
    rig.offer(0, 10)
    wait_until(lambda: rig.recorder.stored == 11)

    def full(_writer: TapeWriter, _file: object, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(TapeWriter, "_append", full)
        rig.offer(11, 20)
        wait_until(lambda: rig.warnings != [])
    end = rig.end()
    assert "No space left" in end.reason
    assert (end.offered, end.stored, end.lost) == (21, 11, 10)
    assert [one.sequence for one in rig.records] == list(range(11))


def test_a_folder_that_cannot_be_made_stops_the_recording(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("no folder")
    rig = Rig(tmp_path / "runs")
    rig.recorder.start()
    wait_until(lambda: rig.warnings != [])
    assert rig.recorder.close() == ""


def test_an_event_that_no_bytes_can_hold_is_counted(rig: Rig) -> None:
    rig.recorder.start()
    rig.recorder.offer(Entry(1, EntryKind.INPUT, object(), []))
    end = rig.end()
    assert (end.stored, end.opaque, rig.records[0].kind) == (1, 1, EntryKind.OPAQUE)


def test_nobody_else_can_read_a_tape(rig: Rig) -> None:
    rig.recorder.start()
    rig.end()
    folder = rig.recorder.folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def written(folder: Path, count: int, block: int = 10, segment_bytes: int = 10**9) -> list[Path]:
    writer = TapeWriter(folder, segment_bytes)
    writer.add(Record(0, 8, "TapeHeader", msgspec.json.encode(header()), []))
    writer.write_block()
    for number in range(1, count + 1):
        writer.add(Record(number, 1, "TickData", b"x" * 20, []))
        if number % block == 0:
            writer.write_block()
    writer.write_block()
    writer.end_segment()
    return sorted(folder.iterdir())


def read(folder: Path) -> tuple[int, bool]:
    reader = TapeReader(folder)
    return sum(1 for _ in reader.entries()), reader.torn


def test_a_tape_goes_on_in_the_next_segment_and_a_missing_one_is_named(tmp_path: Path) -> None:
    segments = written(tmp_path / "run", 100, segment_bytes=300)
    assert len(segments) > 2
    assert read(tmp_path / "run") == (100, True)
    segments[1].unlink()
    with pytest.raises(TapeDamaged, match=r"segment 0002\.tape is missing"):
        read(tmp_path / "run")


@given(at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_flipped_bit_is_always_found(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    folder = tmp_path_factory.mktemp("flipped") / "run"
    (segment,) = written(folder, 30)
    data = bytearray(segment.read_bytes())
    data[at % len(data)] ^= 1 << bit
    segment.write_bytes(data)
    try:
        count, _ = read(folder)
    except (TapeDamaged, InputError):
        return
    assert count < 30  # the length of a block was changed: it looks cut off


@given(kept=st.integers(min_value=0))
def test_a_tape_that_was_cut_off_is_read_up_to_its_last_whole_block(
    tmp_path_factory: pytest.TempPathFactory, kept: int
) -> None:
    folder = tmp_path_factory.mktemp("torn") / "run"
    (segment,) = written(folder, 30)
    data = segment.read_bytes()
    kept %= len(data)
    segment.write_bytes(data[:kept])
    if kept < data.index(b"BLCK", data.index(b"BLCK") + 1):  # not even the header of the run
        with pytest.raises(InputError):
            read(folder)
        return
    count, torn = read(folder)
    assert torn
    assert count % 10 == 0


def test_another_file_is_no_tape(tmp_path: Path) -> None:
    (tmp_path / "0001.tape").write_bytes(b"something else")
    with pytest.raises(InputError, match="is no tape of this version"):
        TapeReader(tmp_path)


@pytest.fixture
def old_runs(tmp_path: Path) -> Callable[[str, int, float], Path]:
    import os

    def make(name: str, size: int, written_s: float) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        file = folder / "0001.tape"
        file.write_bytes(b"x" * size)
        os.utime(file, (written_s, written_s))
        return folder

    return make


def test_old_runs_are_removed_by_age_then_by_size_and_never_the_running_one(
    tmp_path: Path, old_runs: Callable[[str, int, float], Path]
) -> None:
    day_s = 86_400.0
    running = old_runs("running", 5_000, 0.0)
    old_runs("ancient", 10, 1 * day_s)
    old_runs("older", 4_000, 6 * day_s)
    old_runs("newer", 1_000, 7 * day_s)
    removed = remove_old_tapes(tmp_path, TapeLimits(keep_days=7.0, keep_gb=1.0), running, 8.5 * day_s)
    assert [path.name for path in removed] == ["ancient"]
    removed = remove_old_tapes(tmp_path, TapeLimits(keep_days=7.0, keep_gb=6_500 / GB), running, 8.5 * day_s)
    assert [path.name for path in removed] == ["older"]
    assert [run.folder.name for run in kept_runs(tmp_path)] == ["running", "newer"]
