"""A bracket in a real platform: killed with SIGKILL its stop stays at the venue, and the next process goes on with it."""

import json
import signal
from pathlib import Path

import pytest

from tests.support.kill_scene import END_S, START_S, Scene, kill_scene
from tests.support.waiting import wait_until

BRACKET = '''
"""Buys once with a bracket."""

from foxtrot.api import Strategy


class Holder(Strategy):
    def on_tick(self, tick):
        if tick.bid_price and tick.ask_price and self.is_flat and not self.is_pending():
            below, above = (self.round_price(tick.bid_price * factor) for factor in (0.8, 1.2))
            self.buy(0.02, stop_loss=below, take_profit=above)
'''


def positions(scene: Scene) -> list[dict[str, object]]:
    """What `foxtrot positions` says."""
    with scene.running("positions") as asked:
        stdout, _ = asked.communicate(timeout=END_S)
    found = json.loads(stdout) if stdout.strip() else {}
    rows: list[dict[str, object]] = found.get("positions", [])
    return [row for row in rows if row["owner"] == "holder"]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_stop_of_a_bracket_outlives_the_process_and_is_the_next_ones(tmp_path: Path) -> None:
    with kill_scene(tmp_path) as scene:
        (tmp_path / "holder.py").write_text(BRACKET, "utf-8")
        with scene.running("run", "platform.toml") as platform:
            wait_until(lambda: scene.resting() == ["R-"] and scene.held() > 0, START_S)
            held = scene.held()
            platform.kill()
        assert (scene.resting(), scene.held()) == (["R-"], held)
        with scene.running("run", "platform.toml") as platform:
            wait_until(lambda: [row["protection"] for row in positions(scene)] == ["at the venue"], START_S)
            platform.send_signal(signal.SIGTERM)
            stdout, stderr = platform.communicate(timeout=END_S)
        assert [row["protection"] for row in json.loads(stdout)["positions"]] == ["at the venue"], stderr
        assert (scene.resting(), scene.held()) == (["R-"], held)
