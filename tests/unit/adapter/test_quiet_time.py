"""How long a venue is not to be asked, over the end of a process and over clocks that are set."""

from pathlib import Path

import pytest
from loguru import logger

from foxtrot.adapter.quiet_time import FOLDER, QuietTime
from foxtrot.core.clock import ManualClock

START_NS, LONGEST_S, HOST = 1_700_000_000_000_000_000, 3_600.0, "api.venue.test"
HOUR_NS = 3_600_000_000_000


class Steps(ManualClock):
    """A clock whose time of day is set while the other one goes on."""

    def __init__(self) -> None:
        super().__init__(START_NS)
        self.set_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.set_ns


def _quiet(clock: ManualClock, home: Path | None, host: str = HOST) -> QuietTime:
    return QuietTime(clock, home, host, LONGEST_S)


def test_the_longest_time_counts_and_the_next_process_has_what_is_left(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    quiet = _quiet(clock, tmp_path)
    quiet.begin(100, "banned")
    quiet.begin(20, "slow down")
    assert (quiet.left_s, quiet.why) == (100, "banned")
    clock.advance(40 * 10**9)
    again = _quiet(clock, tmp_path)
    assert (again.left_s, again.why) == (60, "banned")
    clock.advance(60 * 10**9)
    assert (again.left_s, _quiet(clock, tmp_path).left_s) == (0, 0)


@pytest.mark.parametrize("step_ns", [-90 * 10**9, HOUR_NS, -50 * HOUR_NS])
def test_a_time_of_day_that_is_set_changes_nothing_while_it_runs(tmp_path: Path, step_ns: int) -> None:
    clock = Steps()
    quiet = _quiet(clock, tmp_path)
    quiet.begin(100, "banned")
    clock.set_ns = step_ns
    clock.advance(99 * 10**9)
    assert quiet.left_s == 1


def test_a_clock_that_was_set_back_keeps_nobody_waiting_for_longer_than_is_believed(tmp_path: Path) -> None:
    clock = Steps()
    _quiet(clock, tmp_path).begin(100, "banned")
    clock.set_ns = -50 * HOUR_NS
    assert _quiet(clock, tmp_path).left_s == LONGEST_S


def test_hosts_are_apart_and_without_a_home_nothing_is_kept(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    _quiet(clock, tmp_path).begin(100, "banned")
    assert _quiet(clock, tmp_path, "fapi.venue.test:443").left_s == 0
    alone = _quiet(clock, None)
    alone.begin(5, "banned")
    assert (alone.left_s, _quiet(clock, None).left_s) == (5, 0)


@pytest.mark.parametrize("data", [b"", b"{", b'{"until_ns": "soon", "why": 1}', b"\xff\xff"])
def test_a_file_that_cannot_be_read_is_named_and_the_venue_is_asked(tmp_path: Path, data: bytes) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, level="WARNING", format="{message}")
    try:
        (tmp_path / FOLDER).mkdir()
        path = tmp_path / FOLDER / f"{HOST}.json"
        path.write_bytes(data)
        assert _quiet(ManualClock(START_NS), tmp_path).left_s == 0
        assert str(path) in "".join(lines)
    finally:
        logger.remove(sink)


def test_a_folder_that_cannot_be_written_is_named_and_the_time_is_kept_all_the_same(tmp_path: Path) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, level="WARNING", format="{message}")
    try:
        (tmp_path / FOLDER).write_text("in the way")
        quiet = _quiet(ManualClock(START_NS), tmp_path)
        quiet.begin(100, "banned")
        assert quiet.left_s == 100
        assert "cannot be written" in "".join(lines)
    finally:
        logger.remove(sink)
