"""`foxtrot demo`: the main job over Binance's protocol, counted; and the judgement that tells when a fill is missing."""

import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.app import demo as demo_module
from foxtrot.app.demo import ACCOUNT, Demo, believed
from foxtrot.app.verbs import demo as demo_verb
from foxtrot.app.verbs.outcome import FAILED
from foxtrot.exchange.faults import Fault
from tests.support.waiting import wait_until


def test_twelve_seconds_of_demo_trade_and_reconcile(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "foxtrot", "demo", "--seconds", "12", "--json"]
    environment = {**os.environ, "FOXTROT_HOME": str(tmp_path)}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=90, check=False)
    assert ran.returncode == 0, ran.stderr
    summary = json.loads(ran.stdout)
    assert (summary["protocol"], summary["adapter"], summary["environment"]) == ("binance spot", "binance", "loopback")
    assert len(summary["agents"]) >= 4
    assert summary["exchange_trades"] >= 500
    assert summary["orders"] >= 20
    assert summary["trades"] >= 10
    assert summary["cancels"] >= 1
    assert summary["partial_fills"] >= 1
    assert (summary["dropped"], summary["missed_trades"]) == (0, 0)
    assert summary["market_trades"] > 0
    assert summary["events"] > 0
    assert summary["events_per_s"] > 0
    assert isinstance(summary["equity"], float)
    assert summary["failures"] == []
    assert summary["differences"] == {ACCOUNT: [], "exchange": []}
    assert summary["reconciled"] is True
    for name in ("latency_venue_to_strategy_ms", "latency_strategy_to_ack_ms"):
        figures = summary[name]
        assert figures["count"] > 0
        assert 0 < figures["p50"] <= figures["p90"] <= figures["p99"]
    connection = summary["connection"]
    assert connection["reconnects"] == 0
    assert connection["messages"] > 0
    assert connection["messages_per_s"] > 0
    assert connection["rest_fallbacks"] == 0
    assert summary["requests"] >= summary["orders"]
    assert summary["accounts"][0]["health"]["messages"] == connection["messages"]


@pytest.fixture
def withheld(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The summary of a demo whose adapter never hears of one of its fills: not by its stream, and not when it asks."""
    found: list[dict[str, object]] = []

    def run_demo(_seconds: float, home: Path, *_: object) -> dict[str, object]:
        with Demo(home) as demo:
            demo.start()
            wait_until(lambda: demo.figures.statuses["filled"] > 0, deadline_s=30)
            demo.exchange.inject(Fault(kind="error_code", endpoint="GET /api/v3/myTrades", code=-1000, count=0))
            number = demo.exchange.server.inject(Fault(kind="go_silent", connection="user", stream="fills", count=1))

            def is_lost() -> bool:
                armed = demo.exchange.server.call(lambda server: server.faults.script.armed())
                return any(one.number == number and one.fired for one in armed)

            wait_until(is_lost, deadline_s=30)
            found.append(demo.finish())
        return found[0]

    monkeypatch.setattr(demo_module, "run_demo", run_demo)
    outcome = demo_verb.run(Namespace(seconds=1.0, home=tmp_path, debug=False))
    assert outcome.status == FAILED
    return found[0]


def test_one_withheld_fill_is_seen(withheld: dict[str, object]) -> None:
    assert withheld["reconciled"] is False
    differences = withheld["differences"]
    assert isinstance(differences, dict)
    fills = [one for one in differences["exchange"] if one["kind"] == "fill"]
    assert len(fills) == 1
    assert fills[0]["ours"] == "none"
    assert "units at" in fills[0]["venue"]
    assert {one["subject"] for one in differences["exchange"] if one["kind"] == "balance"} == {"BTC", "USDT"}


def test_the_platform_stops_before_its_exchange_and_both_are_gone(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        adapter = demo.platform.line.adapters[ACCOUNT]
        assert isinstance(adapter, BinanceAdapter)
        served: list[bool] = []
        close = adapter.close

        def closing(deadline_s: float = 5.0) -> str:
            served.append(demo.exchange.server.is_running)
            return close(deadline_s)

        adapter.close = closing  # type: ignore[method-assign]
        demo.start()
        assert demo.platform.all_ready.wait(30)
        assert demo.finish()["reconciled"] is True
        assert served == [True]
        assert not demo.exchange.server.is_running
        assert believed(demo.platform.line).orders == {}
