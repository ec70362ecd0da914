"""What stands in the home folder of a platform that runs no more."""

from pathlib import Path

import pytest

from foxtrot.app.guardian_words import CANCELS
from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.app.left_behind import GuardianActs, LeftBehind, read_left_behind
from foxtrot.cli import main

SILENT = "the platform (pid 5826) has given no sign of life for 2.1 s"
LOG = f"""2026-11-27T21:20:52.339873Z INFO     account margin (binance): it cancels what foxtrot placed
2026-11-27T21:20:55.000000Z ERROR    an earlier one: {CANCELS}
2026-11-27T21:20:56.000000Z WARNING  account margin: cancelled 7, entries still open: none
2026-11-27T21:21:02.373612Z ERROR    {SILENT}: {CANCELS}
2026-11-27T21:21:02.400000Z WARNING  account margin: its venue has not told its orders yet; cancelled 0
2026-11-27T21:21:02.500000Z WARNING  account margin: cancelled 1, entries still open: none
2026-11-27T21:21:03.500000Z WARNING  account margin: nothing can be cancelled now, the link is lost
margin: cancelled 1, still open 0
"""


def status_of(home: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["status", "--home", str(home)]) == 1
    return capsys.readouterr().out


def test_nothing_stands_where_nothing_ran(tmp_path: Path) -> None:
    assert read_left_behind(tmp_path, 0) == LeftBehind(None, None)


def test_the_last_acts_of_the_guardian_are_told_and_those_of_an_earlier_run_are_not(tmp_path: Path) -> None:
    log = tmp_path / "guardian.log"
    log.write_text(LOG)
    acts = GuardianActs(
        "2026-11-27T21:21:02.373612Z", SILENT, ("account margin: cancelled 1, entries still open: none",)
    )
    assert read_left_behind(tmp_path, log.stat().st_mtime_ns).guardian == acts
    assert read_left_behind(tmp_path, log.stat().st_mtime_ns + 1).guardian is None
    log.write_text(LOG.splitlines()[0])
    assert read_left_behind(tmp_path, 0).guardian is None


def test_the_status_says_that_a_halt_stands_and_what_the_guardian_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(tmp_path, capsys).count("\n") == 1
    HaltFile(tmp_path).write(Halt("all is lost", "Ann", 1_800_000_000 * 10**9))
    (tmp_path / "guardian.log").write_text(LOG)
    told = status_of(tmp_path, capsys)
    assert "halted by Ann since 2027-01-15 08:00:00 UTC: all is lost" in told
    assert "foxtrot resume" in told
    assert f"the guardian cancelled entry orders at 2026-11-27T21:21:02.373612Z: {SILENT}" in told
    assert "  account margin: cancelled 1, entries still open: none" in told
