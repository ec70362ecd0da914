"""A run that is refused for what stands beside the platform: one line with the reason, and whatever was opened is closed."""

import errno
import os
from pathlib import Path

import pytest

from foxtrot.app.config import load_config
from foxtrot.app.heartbeat_file import HeartbeatFile, HeartbeatReader
from foxtrot.app.live import run_live
from foxtrot.app.stop_signals import StopSignal
from foxtrot.domain.errors import ConfigError
from foxtrot.storage.durable_journal import DurableJournal
from tests.support.steered_platform import write_config

GUARDED = "\n[guardian]\nenabled = true\n"


@pytest.fixture
def journals(monkeypatch: pytest.MonkeyPatch) -> list[DurableJournal]:
    """The journals that are opened."""
    opened: list[DurableJournal] = []
    init = DurableJournal.__init__

    def noted(journal: DurableJournal, *given: object, **named: object) -> None:
        init(journal, *given, **named)  # type: ignore[arg-type]
        opened.append(journal)

    monkeypatch.setattr(DurableJournal, "__init__", noted)
    return opened


@pytest.mark.parametrize(
    ("blocked", "message"),
    [
        ("heartbeat", "heartbeat cannot be written"),
        ("guardian.log", "the guardian cannot be started"),
        ("control.json", r"control\.json cannot be written"),
    ],
)
def test_a_journal_is_closed_when_what_stands_beside_it_is_refused(
    blocked: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journals: list[DurableJournal]
) -> None:
    monkeypatch.setenv("FOXTROT_LOCKS", str(tmp_path / "locks"))
    path, home = write_config(tmp_path), tmp_path / "home"
    path.write_text(path.read_text("utf-8") + GUARDED, "utf-8")
    (home / blocked).mkdir(parents=True)
    with pytest.raises(ConfigError, match=message):
        run_live(load_config(path), 60.0, False, home, StopSignal())
    assert [journal.alive for journal in journals] == [False]
    if blocked == "guardian.log":
        beat = HeartbeatReader(home).read()
        assert beat is not None
        assert beat.ended, "an older guardian takes it for no silence"


def test_a_heartbeat_for_which_there_is_no_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: HeartbeatFile, _silent_s: float, *, ended: bool = False) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(HeartbeatFile, "_write", full)
    with pytest.raises(ConfigError, match=r"heartbeat cannot be written: No space left on device"):
        HeartbeatFile(tmp_path)
