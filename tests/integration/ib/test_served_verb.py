"""`foxtrot exchange --ib` as a process: ibapi trades on what the port file says, and a second run goes on where the first ended."""

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

from tests.support.ibapi_rig import connected
from tests.support.waiting import wait_until

CONFIG = """
[exchange]
seed = 5
[ib]
refuses_old_attributes = false
[account.main]
balances = { USD = 500000, EUR = 1000 }
"""


@contextmanager
def exchange(folder: Path, *line: object) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any]]]:
    """A running exchange and its port file."""
    path = folder / "ports.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "foxtrot", "exchange", "--json", "--port-file", path, *map(str, line)],
        env={**os.environ, "FOXTROT_HOME": str(folder / "home")},
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


def end(process: "subprocess.Popen[str]") -> tuple[int, dict[str, Any]]:
    """End a process as a person would; returns status and summary."""
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=30)
    return process.returncode, json.loads(stdout)


def place(client: Any, order_id: int, kind: str, price: float = 0.0) -> None:
    """Buy a hundred AAPL."""
    from ibapi.contract import Contract
    from ibapi.order import Order

    share, order = Contract(), Order()
    share.symbol, share.secType, share.exchange, share.currency = "AAPL", "STK", "SMART", "USD"
    order.action, order.orderType, order.totalQuantity, order.orderRef = "BUY", kind, 100, f"order-{order_id}"
    if price:
        order.lmtPrice = price
    client.placeOrder(order_id, share, order)


@pytest.mark.slow
def test_ibapi_trades_and_a_second_run_goes_on(tmp_path: Path) -> None:
    config = tmp_path / "exchange.toml"
    config.write_text(CONFIG)
    line = ("--ib", 0, "--config", config, "--data", tmp_path / "data")
    with exchange(tmp_path, *line) as (process, facts):
        assert (facts["binance_spot"], facts["control"], facts["futu"]) == (None, None, None)
        with connected(facts["ib"], client_id=4) as client:
            (first,) = client.named("nextValidId")[0]
            place(client, first, "LMT", 150.0)
            client.wait_for("openOrder", 2)
            place(client, first + 1, "MKT")
            wait_until(lambda: [status for _, status, *_ in client.named("orderStatus")][-1:] == ["Filled"])
            wait_until(lambda: len(client.named("commissionReport")) == len(client.named("execDetails")))
            paid = sum(report.commission for (report,) in client.named("commissionReport"))
            assert paid == pytest.approx(1.0072)
        status, summary = end(process)
        assert (status, summary["failures"], summary["open_orders"]) == (0, [], 1)
    assert not (tmp_path / "ports.json").exists()
    with exchange(tmp_path, *line) as (process, facts), connected(facts["ib"], client_id=4) as client:
        assert client.named("nextValidId")[0][0] > first
        client.reqAllOpenOrders()
        client.wait_for("openOrderEnd")
        assert [order.orderRef for _, _, order, _ in client.named("openOrder")] == [f"order-{first}"]
        client.reqPositions()
        client.wait_for("positionEnd")
        assert [(held.symbol, quantity) for _, held, quantity, _ in client.named("position")] == [("AAPL", 100)]
        assert end(process)[0] == 0
