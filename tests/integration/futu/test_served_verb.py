"""`foxtrot exchange --futu` as a process: the SDK trades on what the port file says, and a second run goes on where the first ended."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.futu_sdk import FutuContexts, settled_rows
from tests.support.waiting import wait_until

CONFIG = """
[exchange]
seed = 5
[futu]
trade_password_env = "TRADE_PASSWORD"
[account.main]
balances = { HKD = 500000, USD = 50000 }
"""
PASSWORD = "open sesame"


@contextmanager
def exchange(folder: Path, *line: object) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any]]]:
    """A running exchange and its port file."""
    path = folder / "ports.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "foxtrot", "exchange", "--json", "--port-file", path, *map(str, line)],
        env={**os.environ, "FOXTROT_HOME": str(folder / "home"), "TRADE_PASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: path.exists() or process.poll() is not None, 30.0)
        assert process.poll() is None, process.communicate()[1]
        yield process, json.loads(path.read_text())
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def end(process: "subprocess.Popen[str]") -> tuple[int, dict[str, Any], str]:
    """End a process as a person would; returns status, summary and stderr."""
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    return process.returncode, json.loads(stdout), stderr


def cash(context: Any, environment: str) -> float:
    """The HKD of an account, without its USD."""
    result, frame = context.accinfo_query(trd_env=environment, refresh_cache=True)
    assert result == 0, frame
    return float(settled_rows(frame)[0]["hk_cash"])


@pytest.mark.slow
def test_orders_and_money_of_both_accounts_are_there_again(tmp_path: Path, futu_contexts: FutuContexts) -> None:
    (tmp_path / "exchange.toml").write_text(CONFIG, "utf-8")
    line = ("--futu", 0, "--config", tmp_path / "exchange.toml", "--data", tmp_path / "state")
    with exchange(tmp_path, *line) as (process, facts):
        assert (facts["binance_spot"], facts["control"], facts["ib"]) == (None, None, None)
        trade = futu_contexts.trade(facts["futu"])
        assert trade.unlock_trade("wrong")[0] == -1
        assert trade.unlock_trade(PASSWORD)[0] == 0
        for environment in ("REAL", "SIMULATE"):
            result, frame = trade.place_order(
                price=300.0, qty=100, code="HK.00700", trd_side="BUY", trd_env=environment, remark=f"ours-{environment}"
            )
            assert result == 0, frame
        assert (cash(trade, "REAL"), cash(trade, "SIMULATE")) == (500_000, 500_000)
        futu_contexts.close()
        status, summary, stderr = end(process)
        assert (status, summary["orders"], summary["open_orders"], summary["failures"]) == (0, 2, 2, [])
        assert f"futu 127.0.0.1:{facts['futu']}" in stderr
        assert PASSWORD not in stderr + json.dumps(summary) + json.dumps(facts)
    with exchange(tmp_path, *line) as (process, facts):
        trade = futu_contexts.trade(facts["futu"])
        for environment in ("REAL", "SIMULATE"):
            result, frame = trade.order_list_query(trd_env=environment, refresh_cache=True)
            assert result == 0, frame
            assert [(row["price"], row["order_status"]) for row in settled_rows(frame)] == [(300.0, "SUBMITTED")]
            assert cash(trade, environment) == 500_000
        futu_contexts.close()
        assert end(process)[1]["failures"] == []


@pytest.mark.slow
def test_agents_make_both_markets_move(tmp_path: Path, futu_contexts: FutuContexts) -> None:
    with exchange(tmp_path, "--futu", 0, "--control", 0) as (process, facts):
        quote = futu_contexts.quote(facts["futu"])
        assert quote.subscribe(["HK.00700", "US.AAPL"], ["TICKER"])[0] == 0
        for code in ("HK.00700", "US.AAPL"):
            wait_until(lambda code=code: len(quote.get_rt_ticker(code, 50)[1]) >= 3, 30.0)  # type: ignore[misc]
        futu_contexts.close()
        status, summary, _ = end(process)
        assert (status, summary["failures"], summary["agents"]) == (0, [], 8)
        assert summary["prints"] > 0
