"""A position in a future is rolled at Interactive Brokers: `foxtrot roll` over TWS's protocol, and everything reconciled after it."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from foxtrot.app.control_client import NoPlatform, PlatformBusy, PlatformFrozen, find_platform
from foxtrot.app.control_requests import ListTrades, Trades
from foxtrot.core.clock import SystemClock
from foxtrot.exchange.dated_listings import es_futures
from tests.support.waiting import wait_until

pytest.importorskip("ibapi", reason="ibapi is not installed: pip install 'foxtrot[ib]'")
Json = dict[str, Any]
FRONT, NEXT = (one.instrument_id for one in es_futures(SystemClock().now_ns()))
EXCHANGE = """
[account.main]
balances = { USD = 1000000 }
products = ["ib"]
"""
CONFIG = """
[platform]
mode = "paper"
base_currency = "USD"

[risk]
roll_days = 0

[account.desk]
adapter = "ib"
environment = "paper"
settings = {{ port_file = "ports.json", instruments = "{front}, {next}", always_open = true }}

[strategy.holder]
class = "{folder}/holder.py:Holder"
account = "desk"
symbols = ["{front}"]
capital = 500000
"""
STRATEGY = '''
from foxtrot.api import Strategy


class Holder(Strategy):
    """Buys two contracts once."""

    def on_start(self):
        self.asked = False

    def on_tick(self, tick):
        if not self.asked and tick.bid_price and tick.ask_price:
            self.asked = True
            self.buy(2)
'''


def started(folder: Path, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "foxtrot", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def has_traded(home: Path) -> bool:
    try:
        return bool(find_platform(home).ask(ListTrades(), Trades).trades)
    except (NoPlatform, PlatformFrozen, PlatformBusy):
        return False


@pytest.mark.timeout(240)
def test_a_future_is_rolled_over_tws_and_the_account_agrees(tmp_path: Path) -> None:
    (tmp_path / "holder.py").write_text(STRATEGY)
    (tmp_path / "exchange.toml").write_text(EXCHANGE)
    (tmp_path / "platform.toml").write_text(CONFIG.format(folder=tmp_path, front=FRONT, next=NEXT))
    ports, home = tmp_path / "ports.json", tmp_path / "home"
    served = ("exchange", "--config", "exchange.toml", "--ib", "0", "--port-file", "ports.json", "--home", "venue")
    with started(tmp_path, *served) as exchange:
        try:
            wait_until(lambda: ports.exists() or exchange.poll() is not None, 60)
            with started(tmp_path, "run", "platform.toml", "--home", "home", "--json") as running:
                try:
                    wait_until(lambda: has_traded(home) or running.poll() is not None, 60)
                    with started(tmp_path, "roll", FRONT, NEXT, "--home", "home", "--as", "Ann", "--json") as rolling:
                        out, err = rolling.communicate(timeout=90)
                    assert rolling.returncode == 0, (out, err)
                    running.send_signal(signal.SIGTERM)
                    told, log = running.communicate(timeout=90)
                finally:
                    running.kill()
        finally:
            exchange.kill()
    summary: Json = json.loads(told)
    assert running.returncode == 0, log[-3000:]
    legs = json.loads(out)["roll"]["legs"]
    assert [(leg["instrument_id"], leg["side"], leg["filled"]) for leg in legs] == [
        (FRONT, "sell", 2),
        (NEXT, "buy", 2),
    ]
    assert (summary["reconciled"], summary["differences"], summary["trades"]) == (True, {"desk": []}, 3)
    (held,) = summary["positions"]
    assert (held["owner"], held["instrument_id"], held["quantity"]) == ("holder", NEXT, 2)
