"""`foxtrot demo`: the main job, counted; and the audit that tells when a fill is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

from foxtrot.app.demo import ACCOUNT, DemoCounts, demo_config
from foxtrot.app.main_engine import MainEngine
from foxtrot.domain.order import TradeData
from tests.support.waiting import wait_until


def test_twenty_seconds_of_demo_trade_and_reconcile(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "foxtrot", "demo", "--seconds", "20", "--json"]
    environment = {**os.environ, "FOXTROT_HOME": str(tmp_path)}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=90, check=False)
    assert ran.returncode == 0, ran.stderr
    summary = json.loads(ran.stdout)
    assert len(summary["agents"]) >= 4
    assert summary["exchange_trades"] >= 1_000
    assert summary["orders"] >= 50
    assert summary["trades"] >= 20
    assert summary["cancels"] >= 1
    assert summary["partial_fills"] >= 1
    assert summary["dropped"] == 0
    assert summary["events"] > 0
    assert summary["events_per_s"] > 0
    assert isinstance(summary["equity"], float)
    assert summary["failures"] == []
    assert summary["reconciled"] is True


def test_one_withheld_fill_is_seen(tmp_path: Path) -> None:
    platform = MainEngine(demo_config(), tmp_path)
    counts = DemoCounts(platform)
    adapter = platform.line.adapters[ACCOUNT]
    withheld: list[TradeData] = []
    publish = adapter.on_trade

    def lossy(trade: TradeData) -> None:
        if withheld:
            publish(trade)
        else:
            withheld.append(trade)

    adapter.on_trade = lossy  # type: ignore[method-assign]
    platform.start()
    try:
        wait_until(lambda: len(withheld) > 0 and counts.prints > 50, deadline_s=30)
    finally:
        report = platform.stop()
    assert withheld
    assert report.reconciled is False
    text = " ".join(str(item) for item in report.differences[ACCOUNT])
    assert withheld[0].trade_id in text
