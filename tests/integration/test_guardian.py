"""The guardian beside a real platform: frozen, killed and ended in order; the stop of the position stays at the venue."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from foxtrot.app.cold_kill import cold_kill
from foxtrot.app.halt_file import HaltFile
from foxtrot.app.heartbeat_file import HeartbeatReader
from tests.support.kill_scene import END_S, START_S, Scene, kill_scene
from tests.support.waiting import wait_until


def guardian_of(scene: Scene) -> int:
    """The process id of the guardian, from the log of it."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"guardian" in line and str(scene.home).encode() in line:
                return int(entry.name)
    return 0


def is_guarded(scene: Scene) -> bool:
    """Whether the guardian has said what it can cancel."""
    log = scene.home / "guardian.log"
    return log.exists() and "it cancels what foxtrot placed" in log.read_text("utf-8")


@pytest.mark.timeout(180)
def test_a_frozen_platform_loses_its_entry_and_keeps_its_stop_until_a_person_closes_its_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kill_scene(tmp_path, guardian=True) as scene, scene.running("run", "platform.toml") as platform:
        wait_until(lambda: is_guarded(scene) and scene.holds(), START_S)
        platform.send_signal(signal.SIGSTOP)
        wait_until(lambda: scene.resting() == ["R-"], START_S)
        wait_until(lambda: HaltFile(scene.home).read() is not None)
        assert scene.held() > 0
        os.kill(guardian_of(scene), signal.SIGTERM)
        platform.kill()
        monkeypatch.chdir(tmp_path)
        found = cold_kill(scene.config, scene.home, True, False, "Ann", scene.environment)
        assert (scene.held(), scene.resting(), found["needs_person"]) == (0, [], False), found
        wait_until(lambda: guardian_of(scene) == 0, END_S)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_platform_that_was_frozen_stays_halted_when_it_goes_on(tmp_path: Path) -> None:
    with kill_scene(tmp_path, guardian=True) as scene, scene.running("run", "platform.toml") as platform:
        wait_until(lambda: is_guarded(scene) and scene.holds(), START_S)
        argv = Path(f"/proc/{guardian_of(scene)}/cmdline").read_text("utf-8")
        assert scene.environment["MARGIN_SECRET"] not in argv
        platform.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        wait_until(lambda: scene.resting() == ["R-"], START_S)
        print(f"the entry was gone {time.monotonic() - began:.2f} s after SIGSTOP")
        wait_until(lambda: HaltFile(scene.home).read() is not None)
        halt = HaltFile(scene.home).read()
        assert halt is not None
        assert halt.who == "guardian"
        assert halt.killed
        assert scene.held() > 0
        platform.send_signal(signal.SIGCONT)
        platform.send_signal(signal.SIGTERM)
        stdout, stderr = platform.communicate(timeout=END_S)
        summary = json.loads(stdout)
        assert summary["gate"] == "halted", stderr
        assert "no sign of life" in summary["gate_reason"]
        assert scene.resting() == ["R-"]
        wait_until(lambda: guardian_of(scene) == 0, END_S)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_platform_that_is_killed_loses_its_entry_and_one_that_starts_after_it_does_not_trade(tmp_path: Path) -> None:
    with kill_scene(tmp_path, guardian=True) as scene:
        with scene.running("run", "platform.toml") as platform:
            wait_until(lambda: is_guarded(scene) and scene.holds(), START_S)
            platform.kill()
            wait_until(lambda: scene.resting() == ["R-"], START_S)
            os.kill(guardian_of(scene), signal.SIGTERM)
            wait_until(lambda: guardian_of(scene) == 0, END_S)
            assert scene.held() > 0
        with scene.running("run", "platform.toml", "--seconds", "5") as again:
            stdout, stderr = again.communicate(timeout=END_S)
        summary = json.loads(stdout)
        assert summary["gate"] == "halted", stderr
        assert summary["never_ran"] == ["holder"]
        assert scene.resting() == ["R-"]
        beat = HeartbeatReader(scene.home).read()
        assert beat is not None
        assert beat.ended


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_nothing_is_bought_without_a_guardian_and_a_person_hears_of_it(tmp_path: Path) -> None:
    with kill_scene(tmp_path, guardian=True) as scene:
        config = scene.config.read_text("utf-8")
        scene.config.write_text(config + '\n[guardian.keys.margin]\napi_key_env = "NOBODY_SET_THIS"\n', "utf-8")
        with scene.running("run", "platform.toml") as platform:
            told = scene.home / "status.json"
            wait_until(lambda: told.exists() and '"ready"' in told.read_text("utf-8"), START_S)
            wait_until(lambda: "there is no account to guard" in (scene.home / "guardian.log").read_text("utf-8"))
            platform.send_signal(signal.SIGTERM)
            out, err = platform.communicate(timeout=END_S)
        assert (json.loads(out)["orders"], scene.resting(), scene.held()) == (0, [], 0)
        assert "not started: entries wait for the guardian" in err
        assert "entries wait for the guardian" in json.loads(out)["gate_reason"]
