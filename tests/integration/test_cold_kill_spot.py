"""A spot account that was traded before, and a home whose journal is gone or damaged: what is ours is sold, and nobody is short."""

import json
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.app.cold_kill import cold_kill
from foxtrot.app.config import load_config
from foxtrot.app.platform_journal import NAME
from tests.support import kill_scene as scenes
from tests.support.kill_scene import START_S, Json, Scene
from tests.support.waiting import wait_until

EXCHANGE = """
[account.margin]
balances = { USDT = 50000, ETH = 1 }
products = ["spot"]
"""
CONFIG = """
[platform]
mode = "paper"

[guardian]
enabled = false

[account.margin]
adapter = "binance"
environment = "loopback"
settings = { port_file = "ports.json", product = "spot", api_key_env = "MARGIN_KEY", api_secret_env = "MARGIN_SECRET" }

[strategy.holder]
class = "holder.py:Holder"
account = "margin"
symbols = ["ETHUSDT.BINANCE"]
capital = 10000
"""
HOLDER = '''
"""Buys whenever flat."""

from foxtrot.api import Strategy


class Holder(Strategy):
    def on_tick(self, tick):
        if self.trading and self.is_flat and not self.is_pending() and tick.bid_price and tick.ask_price:
            self.buy(0.05)
'''


def owned(scene: Scene) -> Decimal:
    return Decimal(str(scene.account()["balances"]["ETH"]["total"]))


def say(scene: Scene, home: Path, *words: str) -> Json:
    line = [sys.executable, "-m", "foxtrot", *words, "--home", str(home), "--json"]
    done = subprocess.run(line, cwd=scene.folder, text=True, capture_output=True, env=scene.environment, check=False)
    assert done.stdout, done.stderr
    found: Json = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_with_the_journal_gone_what_is_ours_is_sold_and_nothing_is_bought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes, "EXCHANGE", EXCHANGE)
    scene = Scene(tmp_path, guardian=False)
    scene.config.write_text(CONFIG, "utf-8")
    (tmp_path / "holder.py").write_text(HOLDER, "utf-8")
    fresh = tmp_path / "fresh"
    line = ("exchange", "--config", "exchange.toml", "--port-file", str(tmp_path / "ports.json"), "--binance-spot", "0")
    with scene.running(*line, "--control", "0", "--seed", "11") as serving:
        scene.serve(serving)
        with scene.running("run", "platform.toml") as platform:
            wait_until(lambda: owned(scene) > 1, START_S)
            platform.kill()
        with scene.running("run", "platform.toml", "--home", str(fresh)) as platform:
            wait_until(lambda: bool(say(scene, fresh, "positions").get("positions")), START_S)
            told = say(scene, fresh, "positions")
            assert [(row["owner"], row["quantity"] > 0) for row in told["positions"]] == [("holder", True)]
            assert [row["quantity"] for row in told["net"]] == [row["quantity"] for row in told["positions"]]
            platform.send_signal(signal.SIGKILL)
        monkeypatch.chdir(tmp_path)
        journal = load_config(scene.config).data_dir(tmp_path / "third") / NAME
        journal.parent.mkdir(parents=True)
        journal.write_bytes(b"no journal any more")
        found = cold_kill(scene.config, tmp_path / "third", True, True, "Ann", scene.environment)
        flattened = found["flatten"]
        assert "the journal cannot be used" in flattened["owned_by"]  # type: ignore[index]
        assert {row["side"] for row in flattened["sold"]} == {"sell"}, found  # type: ignore[index]
        assert flattened["left"] == []  # type: ignore[index]
        assert abs(owned(scene) - 1) < Decimal("0.0002")
