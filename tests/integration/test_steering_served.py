"""`foxtrot kill`, `resume` and the lists beside a platform that trades at a served exchange, over Binance's protocol."""

import json
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.kill_scene import START_S, Json, Scene, kill_scene
from tests.support.waiting import wait_until


def foxtrot(scene: Scene, *words: str) -> tuple[int, Json]:
    command = [sys.executable, "-m", "foxtrot", *words, "--json"]
    ran = subprocess.run(
        command, cwd=scene.folder, capture_output=True, text=True, check=False, env=scene.environment, timeout=120
    )
    assert ran.stdout.count("\n") == 1, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_kill_at_a_served_venue_by_the_platform_then_without_it(tmp_path: Path) -> None:
    with kill_scene(tmp_path) as scene:
        with scene.running("run", "platform.toml") as platform:
            wait_until(scene.holds, START_S)
            _, found = foxtrot(scene, "positions")
            assert [(row["owner"], row["protection"]) for row in found["positions"]] == [("holder", "at the venue")]
            status, found = foxtrot(scene, "kill", "--why", "a drill", "--as", "Ann")
            assert (status, found["way"], found["entries_found"], found["cancelled"], found["reducing"]) == (
                0, "platform", 1, 1, 1,
            )  # fmt: skip
            assert scene.resting() == ["R-"]
            assert scene.held() == Decimal("0.02")
            status, found = foxtrot(scene, "resume", "--why", "the drill is over", "--as", "Ann")
            assert (status, found["gate"]) == (0, "active")
            platform.send_signal(signal.SIGSTOP)
            status, found = foxtrot(scene, "kill", "--flatten", "--as", "Ann")
            assert (status, found["way"]) == (0, "venues"), found
            assert "is frozen" in found["cause"]
            assert (scene.resting(), scene.held()) == ([], Decimal(0))
            platform.kill()
        status, found = foxtrot(scene, "orders", "--all")
        assert (status, found["source"]) == (0, "journal")
        assert len(found["orders"]) == 3
