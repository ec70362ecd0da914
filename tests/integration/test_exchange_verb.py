"""`foxtrot exchange` as a process: its port file, a client of nothing but urllib, its end, and what it keeps."""

import hashlib
import hmac
import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

Json = dict[str, object]
CONFIG = "[account.main]\nbalances = { USDT = 5000, BTC = 1 }\n[account.other]\nbalances = { USDT = 7 }\n"


class Process:
    """A running exchange and what its port file says."""

    def __init__(self, process: "subprocess.Popen[str]", path: Path) -> None:
        self.process = process
        self.path = path
        wait_until(lambda: path.exists() or process.poll() is not None, 30.0)
        assert process.poll() is None, process.communicate()[1]
        self.facts = json.loads(path.read_text())

    def signed(
        self, method: str, path: str, product: str = "binance_spot", account: int = 0, **params: object
    ) -> object:
        """Call a signed endpoint as a client would that knows Binance's documents and the port file."""
        key = self.facts["accounts"][account]
        params["timestamp"] = time.time_ns() // 1_000_000
        query = urllib.parse.urlencode(params)
        signature = hmac.new(key["api_secret"].encode(), query.encode(), hashlib.sha256).hexdigest()
        url = f"http://127.0.0.1:{self.facts[product]}{path}?{query}&signature={signature}"
        return fetch(urllib.request.Request(url, method=method, headers={"X-MBX-APIKEY": key["api_key"]}))

    def get(self, path: str, product: str = "binance_spot") -> object:
        """Call a public endpoint."""
        return fetch(urllib.request.Request(f"http://127.0.0.1:{self.facts[product]}{path}"))

    def end(self, number: int = signal.SIGTERM) -> tuple[int, Json, str]:
        """Send a signal and return status, summary and stderr."""
        self.process.send_signal(number)
        stdout, stderr = self.process.communicate(timeout=30)
        return self.process.returncode, json.loads(stdout), stderr


def fetch(request: urllib.request.Request) -> object:
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(f"{error.code} {error.read().decode()}") from None


@contextmanager
def exchange(tmp_path: Path, *line: object) -> Iterator[Process]:
    path = tmp_path / "ports.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "foxtrot", "exchange", "--json", "--port-file", path, *map(str, line)],
        env={**os.environ, "FOXTROT_HOME": str(tmp_path / "home")}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        yield Process(process, path)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "exchange.toml"
    path.write_text(CONFIG, "utf-8")
    return path


def balance(answer: object, asset: str) -> float:
    assert isinstance(answer, dict)
    return next(float(row["free"]) for row in answer["balances"] if row["asset"] == asset)


@pytest.mark.slow
def test_a_client_of_urllib_alone_trades_on_what_the_port_file_says(tmp_path: Path, config: Path) -> None:
    with exchange(tmp_path, "--config", config) as running:
        facts = running.facts
        assert stat.S_IMODE(running.path.stat().st_mode) == 0o600
        assert facts["pid"] == running.process.pid
        assert (facts["futu"], facts["ib"], facts["api"], facts["binance_spot_tls"], facts["ca_file"]) == (None,) * 5
        assert [row["name"] for row in facts["accounts"]] == ["main", "other"]
        assert balance(running.signed("GET", "/api/v3/account"), "USDT") == 5000
        assert balance(running.signed("GET", "/api/v3/account", account=1), "USDT") == 7
        order = running.signed(
            "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01",
            price="50000.00",
        )  # fmt: skip
        assert isinstance(order, dict)
        assert order["status"] == "NEW"
        wait_until(lambda: bool(running.get("/api/v3/depth?symbol=BTCUSDT&limit=5")["asks"]))  # type: ignore[index]
        running.signed("GET", "/fapi/v2/account", "binance_usdm")
        status, summary, stderr = running.end()
        assert status == 0
        assert (summary["orders"], summary["open_orders"], summary["failures"]) == (1, 1, [])
        assert not running.path.exists()
        assert f"binance_spot http://127.0.0.1:{facts['binance_spot']}" in stderr
        for account in facts["accounts"]:
            assert account["api_secret"] not in stderr + json.dumps(summary)
        assert facts["control_token"] not in stderr


@pytest.mark.slow
def test_an_exchange_that_starts_again_has_its_orders_balances_and_keys(tmp_path: Path) -> None:
    data = tmp_path / "state"
    with exchange(tmp_path, "--binance-spot", 0, "--data", data) as first:
        order = first.signed(
            "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01",
            price="50000.00",
        )  # fmt: skip
        before = first.signed("GET", "/api/v3/account")
        assert first.end(signal.SIGINT)[0] == 0
    assert [stat.S_IMODE(path.stat().st_mode) for path in sorted(data.iterdir())] == [0o600, 0o600]
    with exchange(tmp_path, "--binance-spot", 0, "--data", data) as second:
        assert second.facts["accounts"] == first.facts["accounts"]
        assert isinstance(order, dict)
        open_orders = second.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT")
        assert [row["orderId"] for row in open_orders] == [order["orderId"]]  # type: ignore[union-attr]
        assert balance(second.signed("GET", "/api/v3/account"), "USDT") == balance(before, "USDT")
        wait_until(lambda: bool(second.get("/api/v3/depth?symbol=BTCUSDT&limit=5")["asks"]))  # type: ignore[index]
        second.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=order["orderId"])
        status, summary, _ = second.end()
        assert (status, summary["open_orders"], summary["failures"]) == (0, 0, [])


@pytest.mark.slow
def test_an_exchange_that_was_killed_has_what_was_acknowledged_some_seconds_before(tmp_path: Path) -> None:
    data = tmp_path / "state"
    with exchange(tmp_path, "--binance-spot", 0, "--data", data) as first:
        order = first.signed(
            "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01",
            price="50000.00",
        )  # fmt: skip
        assert isinstance(order, dict)
        name, saved = order["clientOrderId"].encode(), data / "venue.msgpack"
        wait_until(lambda: saved.exists() and name in saved.read_bytes(), 30.0)
        first.process.kill()
        first.process.communicate(timeout=10)
    first.path.unlink()
    with exchange(tmp_path, "--binance-spot", 0, "--data", data) as second:
        assert second.facts["accounts"] == first.facts["accounts"]
        open_orders = second.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT")
        assert [row["orderId"] for row in open_orders] == [order["orderId"]]  # type: ignore[union-attr]
        assert second.end()[1]["failures"] == []


PAPER = """
[account.practice]
adapter = "binance"
environment = "loopback"
settings = { port_file = "ports.json", api_key_env = "EXCHANGE_KEY", api_secret_env = "EXCHANGE_SECRET" }
[strategy.mm]
class = "market_making"
account = "practice"
symbols = ["BTCUSDT.BINANCE"]
capital = 100000
params = { size = 0.01, max_position = 0.1 }
orders = "cancel_all"
"""


@pytest.mark.slow
def test_a_paper_platform_trades_on_it_with_the_real_adapter_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "paper.toml"
    path.write_text(PAPER, "utf-8")
    with exchange(tmp_path, "--binance-spot", 0) as running:
        key = running.facts["accounts"][0]
        ran = subprocess.run(
            [sys.executable, "-m", "foxtrot", "run", path, "--seconds", "8", "--json"], cwd=tmp_path,
            env={
                **os.environ, "FOXTROT_HOME": str(tmp_path / "home"), "EXCHANGE_KEY": key["api_key"],
                "EXCHANGE_SECRET": key["api_secret"],
            },
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        summary = json.loads(ran.stdout)
        assert ran.returncode == 0, ran.stderr[-2000:]
        (account,) = summary["accounts"]
        assert account.pop("health")["up"] is True
        assert account == {"account": "practice", "adapter": "binance", "environment": "loopback", "real_money": False}
        assert summary["reconciled"] is True
        assert key["api_secret"] not in ran.stdout + ran.stderr
        status, served, _ = running.end()
        assert (status, served["failures"]) == (0, [])
        assert 0 < served["orders"] <= summary["orders"]  # what was denied on its way never arrived


TRADES = "id,price,qty,time,is_buyer_maker\n1,50000.00,0.5,1700000000000,false\n2,50000.01,0.25,1700000000100,false\n"


@pytest.mark.slow
def test_a_replayed_market_is_what_clients_see(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-trades-2023-11-14.csv"
    path.write_text(TRADES, "utf-8")
    with exchange(tmp_path, "--binance-spot", 0, "--replay", path, "--speed", "max", "--agents", 0) as running:
        wait_until(lambda: len(running.get("/api/v3/trades?symbol=BTCUSDT")) == 2)  # type: ignore[arg-type]
        trades = running.get("/api/v3/trades?symbol=BTCUSDT")
        assert isinstance(trades, list)
        assert [(float(row["price"]), float(row["qty"]), row["isBuyerMaker"]) for row in trades] == [
            (50000.0, 0.5, False),
            (50000.01, 0.25, False),
        ]
        bought = running.signed(
            "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.1"
        )  # fmt: skip
        assert isinstance(bought, dict)
        assert bought["status"] == "FILLED"
        status, summary, _ = running.end()
        assert status == 0
        assert summary["replay"] == {"prints": 2, "book_changes": 2, "gaps": 0, "ended": True}


@pytest.mark.slow
def test_a_taken_port_is_one_line_and_no_port_file(tmp_path: Path) -> None:
    with exchange(tmp_path, "--control", 0) as first:
        port = first.facts["control"]
        other = tmp_path / "other.json"
        ran = subprocess.run(
            [sys.executable, "-m", "foxtrot", "exchange", "--control", str(port), "--port-file", other],
            env={**os.environ, "FOXTROT_HOME": str(tmp_path / "home")}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 2
        assert f"port {port} of 127.0.0.1 is taken" in ran.stderr
        assert len(ran.stderr.strip().splitlines()) == 1
        assert not other.exists()
        assert first.end()[0] == 0
