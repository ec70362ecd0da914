"""`foxtrot exchange` in one process, `foxtrot run` in another: strategies of a pip-installed package and of the folder trade by Binance's protocol."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from foxtrot.strategy.loader import strategy_names
from tests.support.waiting import wait_until

PACKAGE = Path(__file__).resolve().parents[2] / "support" / "plugin_package"
Json = dict[str, Any]
START_S, END_S = 60.0, 60.0

EXCHANGE = """
[account.cash]
balances = { USDT = 100000 }
products = ["spot"]
[account.margin]
balances = { USDT = 50000 }
products = ["usdm"]
"""

CONFIG = """
[platform]
mode = "paper"
strategies_dir = "plugins"

[account.cash]
adapter = "binance"
environment = "loopback"
settings = { port_file = "ports.json", product = "spot", api_key_env = "CASH_KEY", api_secret_env = "CASH_SECRET" }

[account.margin]
adapter = "binance"
environment = "loopback"
settings = { port_file = "ports.json", product = "usdm", leverage = 3, api_key_env = "MARGIN_KEY", api_secret_env = "MARGIN_SECRET" }

[strategy.visitor]
class = "visitor"
account = "cash"
symbols = ["BTCUSDT.BINANCE"]
capital = 10000
orders = "cancel_all"

[strategy.resident]
class = "resident"
account = "margin"
symbols = ["BTCUSDT.BINANCE_USDM"]
capital = 10000
position = "flatten"
"""

RESIDENT = '''
"""A strategy of the user's own folder."""

from foxtrot.api import Parameter, Strategy


class Resident(Strategy):
    """Sells short once at the market and rests one offer far above it."""

    size = Parameter(0.02)

    def on_start(self):
        self.asked = False

    def on_tick(self, tick):
        if not self.asked and tick.bid_price and tick.ask_price:
            self.asked = True
            self.short(self.size)
            self.short(self.size, self.round_price(tick.ask_price * 1.045))
'''


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the third party's package."""
    source, target = tmp_path_factory.mktemp("source") / "package", tmp_path_factory.mktemp("site")
    shutil.copytree(PACKAGE, source)  # pip builds beside the source
    flags = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", "install", *flags, "--target", str(target), str(source)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "visitor" not in strategy_names(), "this interpreter does not have it"
    assert [path.name for path in target.glob("*.dist-info")] == ["visitor_strategies-1.0.dist-info"]
    return target


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The user's folder: both configurations and a strategy."""
    (tmp_path / "exchange.toml").write_text(EXCHANGE, "utf-8")
    (tmp_path / "platform.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "resident.py").write_text(RESIDENT, "utf-8")
    return tmp_path


class Exchange:
    """A running exchange, asked by its control port alone."""

    def __init__(self, process: "subprocess.Popen[str]", port_file: Path) -> None:
        wait_until(lambda: port_file.exists() or process.poll() is not None, START_S)
        assert process.poll() is None, process.communicate()[1]
        self.facts: Json = json.loads(port_file.read_text("utf-8"))

    def keys(self) -> dict[str, str]:
        """Return the variables in which the platform finds its keys."""
        rows = self.facts["accounts"]
        return {f"{row['name'].upper()}_KEY": row["api_key"] for row in rows} | {
            f"{row['name'].upper()}_SECRET": row["api_secret"] for row in rows
        }

    def account(self, name: str) -> Json:
        """Return what the venue knows of an account."""
        url = f"http://127.0.0.1:{self.facts['control']}/state"
        request = urllib.request.Request(url, headers={"X-Foxtrot-Token": self.facts["control_token"]})
        with urllib.request.urlopen(request, timeout=10) as answer:
            state: Json = json.load(answer)
        assert state["failures"] == []
        found: Json = state["accounts"][name]
        return found

    def both_trade(self) -> bool:
        """Whether each account has a fill and a resting order."""
        accounts = [self.account(name) for name in ("cash", "margin")]
        return all(one["fills"] and len(one["open_orders"]) == 1 for one in accounts)


@contextmanager
def foxtrot(folder: Path, *line: str, **environment: str) -> "Iterator[subprocess.Popen[str]]":
    """Run a verb of the command line as a process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "foxtrot", *line, "--json"], cwd=folder, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "FOXTROT_HOME": str(folder / "home"), **environment},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def ended(process: "subprocess.Popen[str]", seconds: float = 0.0) -> Json:
    """Return the summary of a process that ends with 0, which may take a while after so many seconds."""
    stdout, stderr = process.communicate(timeout=seconds + END_S)
    assert process.returncode == 0, stderr[-4000:]
    summary: Json = json.loads(stdout)
    return summary


@contextmanager
def two_processes(folder: Path, installed: Path, seconds: int) -> "Iterator[tuple[Exchange, subprocess.Popen[str]]]":
    ports = folder / "ports.json"
    line = ("--config", "exchange.toml", "--port-file", str(ports), "--binance-spot", "0", "--binance-usdm", "0")
    with foxtrot(folder, "exchange", *line, "--control", "0", "--seed", "11") as serving:
        exchange = Exchange(serving, ports)
        keys = exchange.keys()
        run = ("run", "platform.toml", "--seconds", str(seconds))
        with foxtrot(folder, *run, PYTHONPATH=str(installed), **keys) as running:
            yield exchange, running
        assert serving.poll() is None
        serving.send_signal(signal.SIGTERM)
        summary = ended(serving)
        assert (summary["failures"], summary["open_orders"]) == ([], 0)
        assert not ports.exists()


def check_end(exchange: Exchange, summary: Json) -> None:
    """Check that the exit policies were applied, and that platform and venue agree on what is left."""
    assert summary["reconciled"] is True
    assert (summary["failures"], summary["left"], summary["overran"], summary["open_orders"]) == ([], {}, [], [])
    assert {row["strategy_id"]: row["stage"] for row in summary["strategies"]} == {
        "visitor": "stopped",
        "resident": "stopped",
    }
    cash, margin = exchange.account("cash"), exchange.account("margin")
    assert (cash["open_orders"], margin["open_orders"]) == ([], [])
    assert [row for row in margin["positions"] if Decimal(row["quantity"])] == [], "flattened"
    assert {fill["side"] for fill in margin["fills"]} == {"buy", "sell"}
    assert sum(Decimal(fill["quantity"]) for fill in cash["fills"]) == Decimal("0.01")
    assert Decimal(cash["balances"]["BTC"]["total"]) == Decimal("0.00999"), "kept, less a fee of 0.1 %"
    assert summary["trades"] == len(cash["fills"]) + len(margin["fills"])
    (held,) = summary["positions"]
    assert (held["owner"], held["account"]) == ("visitor", "cash")


def test_both_trade_until_sigterm_and_each_leaves_what_its_policy_says(folder: Path, installed: Path) -> None:
    with two_processes(folder, installed, 60) as (exchange, running):
        wait_until(exchange.both_trade, START_S)
        running.send_signal(signal.SIGTERM)
        check_end(exchange, ended(running))


@pytest.mark.parametrize("seconds", [6, pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(240)])])
def test_both_trade_for_some_seconds(folder: Path, installed: Path, seconds: int) -> None:
    with two_processes(folder, installed, seconds) as (exchange, running):
        check_end(exchange, ended(running, seconds))
