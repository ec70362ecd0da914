"""Binance, Futu and Interactive Brokers in one platform, on one served exchange: one portfolio in one base currency, and all of it reconciled."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from foxtrot.app.control_client import NoPlatform, PlatformBusy, PlatformFrozen, find_platform
from foxtrot.app.control_requests import ListTrades, Trades
from tests.support.waiting import wait_until

pytest.importorskip("ibapi", reason="ibapi is not installed: pip install 'foxtrot[ib]'")
pytest.importorskip("futu", reason="futu-api is not installed: pip install 'foxtrot[futu]'", exc_type=ImportError)
pytest.importorskip("ccxt", reason="ccxt is not installed: pip install 'foxtrot[binance]'")
Json = dict[str, Any]
TRADED = {"coin": "BTCUSDT.BINANCE", "tencent": "00700.SEHK", "apple": "AAPL.NASDAQ", "euro": "EURUSD.IDEALPRO"}
EXCHANGE = """
[account.main]
balances = { USDT = 100000, USD = 1000000, HKD = 1000000 }
products = ["spot", "futu", "ib"]
"""
CONFIG = """
[platform]
mode = "paper"
base_currency = "USD"

[rates]
"USDT/USD" = 1.0
"HKD/USD" = 0.128

[account.coins]
adapter = "binance"
environment = "loopback"
settings = { port_file = "ports.json", product = "spot", api_key_env = "COINS_KEY", api_secret_env = "COINS_SECRET" }

[account.asia]
adapter = "futu"
environment = "simulate"
settings = { port_file = "ports.json", markets = "HK", always_open = true }

[account.desk]
adapter = "ib"
environment = "paper"
settings = { port_file = "ports.json", instruments = "AAPL.NASDAQ, EURUSD.IDEALPRO", always_open = true }
"""
STRATEGY = """
[strategy.{name}]
class = "double_ma"
account = "{account}"
symbols = ["{symbol}"]
capital = 100000
interval = "1s"
params = {{ fast = 1, slow = 3, size = {size} }}
position = "flatten"
"""
ACCOUNTS = {"coin": ("coins", 0.01), "tencent": ("asia", 100.0), "apple": ("desk", 5.0), "euro": ("desk", 20000.0)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The user's folder: both configurations."""
    (tmp_path / "exchange.toml").write_text(EXCHANGE, "utf-8")
    blocks = (
        STRATEGY.format(name=name, account=account, symbol=TRADED[name], size=size)
        for name, (account, size) in ACCOUNTS.items()
    )
    (tmp_path / "platform.toml").write_text(CONFIG + "".join(blocks), "utf-8")
    return tmp_path


@contextmanager
def exchange(folder: Path) -> Iterator[Json]:
    """An exchange that serves the three venues, and its port file."""
    ports = folder / "ports.json"
    served = ("--binance-spot", "0", "--futu", "0", "--ib", "0", "--port-file", str(ports), "--seed", "11")
    command = [sys.executable, "-m", "foxtrot", "exchange", "--config", "exchange.toml", *served, "--home", "venue"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: ports.exists() or process.poll() is not None, 60)
            assert process.poll() is None, process.communicate()[1]
            yield json.loads(ports.read_text("utf-8"))
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=60)
            assert process.returncode == 0, told
        finally:
            process.kill()


def traded(home: Path) -> set[str]:
    """Return whose orders have been filled, by what the platform says."""
    try:
        found = find_platform(home).ask(ListTrades(), Trades)
    except (NoPlatform, PlatformFrozen, PlatformBusy):
        return set()
    return {fill.owner for fill in found.trades}


def run(folder: Path, seconds: int, keys: dict[str, str]) -> Json:
    """Run the platform so long, with 0 until every strategy has traded, and return its summary."""
    command = [sys.executable, "-m", "foxtrot", "run", "platform.toml", "--home", "home", "--json"]
    if seconds:
        command += ["--seconds", str(seconds)]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **keys}
    ) as process:
        try:
            if not seconds:
                home = folder / "home"
                wait_until(lambda: traded(home) == set(TRADED) or process.poll() is not None, 120)
                process.send_signal(signal.SIGTERM)
            out, told = process.communicate(timeout=seconds + 90)
        finally:
            process.kill()
    assert process.returncode == 0, (out, told[-3000:])
    found: Json = json.loads(out)
    return found


def fills_of(folder: Path) -> list[Json]:
    """Return the fills of the run that has ended, as its journal has them."""
    command = [sys.executable, "-m", "foxtrot", "trades", "--home", "home", "--json"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    fills: list[Json] = json.loads(ran.stdout)["trades"]
    return fills


def check_run(folder: Path, seconds: int) -> None:
    with exchange(folder) as facts:
        (row,) = facts["accounts"]
        summary = run(folder, seconds, {"COINS_KEY": row["api_key"], "COINS_SECRET": row["api_secret"]})
    assert summary["reconciled"] is True
    assert summary["differences"] == {"coins": [], "asia": [], "desk": []}
    assert (summary["failures"], summary["left"], summary["open_orders"]) == ([], {}, [])
    equities = {one["strategy_id"]: Decimal(one["equity"]) for one in summary["strategies"]}
    assert set(equities) == set(TRADED)
    assert all(Decimal(99_000) < equity < Decimal(101_000) for equity in equities.values()), equities
    fills = fills_of(folder)
    assert {fill["owner"]: fill["instrument_id"] for fill in fills} == TRADED
    assert {fill["fee_asset"] for fill in fills if fill["owner"] == "tencent"} == {"HKD"}
    assert {fill["fee_asset"] for fill in fills if fill["owner"] in ("apple", "euro")} == {"USD"}


@pytest.mark.timeout(300)
def test_three_venues_are_one_portfolio_and_all_of_it_is_reconciled(folder: Path) -> None:
    check_run(folder, 0)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_venues_for_a_minute(folder: Path) -> None:
    check_run(folder, 60)
