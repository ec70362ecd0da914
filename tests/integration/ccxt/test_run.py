"""The platform with an account that only has prices: it runs, counts its books, and has nothing to reconcile."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.scripted_venues.lighter import LighterScript
from tests.support.scripted_venues.server import ScriptedServer

CONFIG = """
[platform]
mode = "paper"

[account.prices]
adapter = "ccxt"
environment = "loopback"

[account.prices.settings]
exchange = "lighter"
port = {port}
"""


def test_a_run_with_prices_of_a_ccxt_venue_is_reconciled(tmp_path: Path) -> None:
    config = tmp_path / "prices.toml"
    with ScriptedServer(LighterScript()) as server:
        config.write_text(CONFIG.format(port=server.port), "utf-8")
        command = [sys.executable, "-m", "foxtrot", "run", str(config), "--seconds", "1", "--json"]
        surroundings = {**os.environ, "FOXTROT_HOME": str(tmp_path)}
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=surroundings, check=False)
    assert ended.returncode == 0, ended.stderr[-2_000:]
    summary = json.loads(ended.stdout)
    (account,) = summary["accounts"]
    assert (account["adapter"], account["real_money"], account["health"]["breakers"]) == (
        "ccxt",
        False,
        {"requests": "closed", "market": "closed"},
    )
    assert (summary["reconciled"], summary["overran"], summary["failures"]) == (True, [], [])
