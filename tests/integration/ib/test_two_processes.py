"""`foxtrot exchange --ib` in one process, `foxtrot run` in another: a sample trades a stock and currencies over TWS's protocol."""

import json
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from foxtrot.domain.enums import Liquidity, Side
from foxtrot.domain.fees import FeeBasis, load_preset
from tests.support.waiting import wait_until

pytest.importorskip("ibapi", reason="ibapi is not installed: pip install 'foxtrot[ib]'")
CONFIG = Path(__file__).resolve().parents[3] / "config" / "ib_loopback.toml"
PRESETS = {"AAPL.NASDAQ": "ib_us_fixed", "EURUSD.IDEALPRO": "ib_forex"}
Json = dict[str, Any]


@contextmanager
def exchange(folder: Path) -> Iterator[None]:
    """A served exchange whose port file lies in a folder."""
    command = [
        sys.executable,
        "-m",
        "foxtrot",
        "exchange",
        "--ib",
        "0",
        "--port-file",
        "ib_ports.json",
        "--home",
        "venue",
    ]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: (folder / "ib_ports.json").exists() or process.poll() is not None, 60)
            assert process.poll() is None, process.communicate()[1]
            yield
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=60)
            assert process.returncode == 0, told
        finally:
            process.kill()


def foxtrot(folder: Path, *words: str) -> Json:
    """Run a command in a home of its own and return what it says."""
    command = [sys.executable, "-m", "foxtrot", *words, "--home", "home", "--json"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found: Json = json.loads(ran.stdout)
    assert ran.returncode == 0, (found, ran.stderr[-2000:])
    return found


EIGHT = Decimal("0.00000001")


def fee_of(fills: list[Json]) -> Decimal:
    """What IB's preset takes of one order, which has these fills."""
    schedule = load_preset(PRESETS[fills[0]["instrument_id"]])
    total = Decimal(0)
    quantity, notional, paid = Decimal(0), Decimal(0), Decimal(0)
    for fill in fills:
        size, price = Decimal(str(fill["quantity"])), Decimal(str(fill["price"]))
        basis = FeeBasis(Side(fill["side"]), Liquidity(fill["liquidity"]), size, size * price, quantity, notional, paid)
        total += schedule.fee(basis)
        quantity, notional = quantity + size, notional + size * price
    return total


def check_run(folder: Path, seconds: int) -> None:
    with exchange(folder):
        summary = foxtrot(folder, "run", str(CONFIG), "--seconds", str(seconds))
    assert summary["reconciled"]
    assert summary["differences"] == {"desk": []}
    assert summary["failures"] == []
    assert summary["left"] == {}
    orders = defaultdict(list)
    for fill in foxtrot(folder, "trades")["trades"]:
        orders[fill["order_id"]].append(fill)
    assert {fills[0]["instrument_id"] for fills in orders.values()} == set(PRESETS)
    for fills in orders.values():
        told = sum(Decimal(str(fill["fee"])) for fill in fills)
        assert abs(told - fee_of(fills)) <= EIGHT * len(fills), fills  # each fill's is told with eight decimals


def test_a_sample_trades_a_stock_and_currencies_and_the_account_agrees(tmp_path: Path) -> None:
    check_run(tmp_path, 20)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_sample_trades_a_stock_and_currencies_for_a_minute(tmp_path: Path) -> None:
    check_run(tmp_path, 60)
