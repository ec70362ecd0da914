"""A platform whose status file cannot be written any more, and which answers when asked."""

import os
from pathlib import Path

import msgspec
import pytest

from foxtrot.app.run_status import StatusFile
from foxtrot.app.watchdog import Watchdog
from tests.support.steered_platform import steered


def test_a_silent_status_file_is_told_apart_from_a_frozen_platform(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with steered(tmp_path, capsys) as running:
        platform, path = running.platform, running.home / "status.json"
        told = StatusFile(platform, Watchdog(platform.events, platform.clock), path).status("running")
        path.write_bytes(msgspec.json.encode({**told, "written_ns": platform.clock.now_ns() - 129 * 10**9}))
        platform.line.gate.close("the journal failed: disk is full")
        status, found = running.ask("status")
    needs = found["needs_person"]
    assert isinstance(needs, list)
    assert (status, found["state"], found["pid"]) == (3, "running", os.getpid())
    assert "the status file cannot be written" in needs[0]
    assert "the gate is halted: the journal failed: disk is full" in needs[1:]
    assert not any("frozen" in why for why in needs)
