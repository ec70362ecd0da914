"""`foxtrot exchange` and `foxtrot run` as processes: a strategy that holds a position with a stop at the venue and rests an entry."""

import hmac
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_until

Json = dict[str, Any]
START_S, END_S = 60.0, 60.0
EXCHANGE = """
[account.margin]
balances = { USDT = 50000 }
products = ["usdm"]
"""
CONFIG = """
[platform]
mode = "paper"

[guardian]
enabled = {guardian}

[account.margin]
adapter = "binance"
environment = "loopback"
settings = {{ port_file = "ports.json", product = "usdm", leverage = 3, api_key_env = "MARGIN_KEY", api_secret_env = "MARGIN_SECRET" }}

[strategy.holder]
class = "holder.py:Holder"
account = "margin"
symbols = ["BTCUSDT.BINANCE_USDM"]
capital = 10000
orders = "keep"
"""
HOLDER = '''
"""Buys once, protects that by a stop at the venue, and rests an entry far below."""

from foxtrot.api import OrderType, Strategy


class Holder(Strategy):
    def on_start(self):
        self.step = 0

    def on_tick(self, tick):
        if self.step == 0 and tick.bid_price and tick.ask_price:
            self.step = 1
            self.buy(0.02)
        elif self.step == 1 and self.position > 0.019:
            self.step = 2
            self.sell(0.02, order_type=OrderType.STOP, trigger_price=self.round_price(tick.bid_price * 0.97), reduce_only=True)
            self.buy(0.01, self.round_price(tick.bid_price * 0.96))
'''


class Scene:
    """Both processes of one test, and the folder they share."""

    def __init__(self, folder: Path, *, guardian: bool) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.config = folder / "platform.toml"
        self.exchange: subprocess.Popen[str] | None = None
        self._facts: Json = {}
        (folder / "exchange.toml").write_text(EXCHANGE, "utf-8")
        (folder / "holder.py").write_text(HOLDER, "utf-8")
        self.config.write_text(CONFIG.format(guardian=str(guardian).lower()), "utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """The variables in which keys are found."""
        rows = self._facts.get("accounts", [])
        keys = {f"{row['name'].upper()}_KEY": row["api_key"] for row in rows}
        keys |= {f"{row['name'].upper()}_SECRET": row["api_secret"] for row in rows}
        return {**os.environ, "FOXTROT_HOME": str(self.home), "FOXTROT_LOCKS": str(self.folder / "locks"), **keys}

    def serve(self, process: "subprocess.Popen[str]") -> None:
        """Wait until the exchange listens."""
        ports = self.folder / "ports.json"
        wait_until(lambda: ports.exists() or process.poll() is not None, START_S)
        assert process.poll() is None, process.communicate()[1]
        self._facts = json.loads(ports.read_text("utf-8"))

    def account(self) -> Json:
        """What the venue knows of the account."""
        url = f"http://127.0.0.1:{self._facts['control']}/state"
        request = urllib.request.Request(url, headers={"X-Foxtrot-Token": self._facts["control_token"]})
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: Json = json.load(answer)["accounts"]["margin"]
        return found

    def resting(self) -> list[str]:
        """The roles of the open orders at the venue, by their ids; those that wait for their trigger too."""
        names = [str(order["client_order_id"]) for order in self.account()["open_orders"]]
        return sorted(
            name[:2] for name in [*names, *(str(one["clientAlgoId"]) for one in self.signed("openAlgoOrders"))]
        )

    def signed(self, endpoint: str) -> list[Json]:
        """Ask the venue something by the account's own key."""
        row = self._facts["accounts"][0]
        query = f"symbol=BTCUSDT&timestamp={time.time_ns() // 1_000_000}"
        signature = hmac.new(row["api_secret"].encode(), query.encode(), "sha256").hexdigest()
        url = f"http://127.0.0.1:{self._facts['binance_usdm']}/fapi/v1/{endpoint}?{query}&signature={signature}"
        with urllib.request.urlopen(
            urllib.request.Request(url, headers={"X-MBX-APIKEY": row["api_key"]}), timeout=10
        ) as answer:
            found: list[Json] = json.load(answer)
        return found

    def held(self) -> Decimal:
        """The position at the venue."""
        return sum((Decimal(row["quantity"]) for row in self.account()["positions"]), Decimal(0))

    @contextmanager
    def running(self, *line: str) -> "Iterator[subprocess.Popen[str]]":
        """Run a verb; what is left of it at the end is killed."""
        process = subprocess.Popen(
            [sys.executable, "-m", "foxtrot", *line, "--json"], cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.environment,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                assert pipe is not None
                pipe.close()

    def holds(self) -> bool:
        """Whether the position, its stop and the entry stand."""
        return self.resting() == ["F-", "R-"] and self.held() > 0


@contextmanager
def kill_scene(folder: Path, *, guardian: bool = False) -> Iterator[Scene]:
    """An exchange that listens, for as long as the context lasts."""
    scene = Scene(folder, guardian=guardian)
    line = ("exchange", "--config", "exchange.toml", "--port-file", str(folder / "ports.json"), "--binance-usdm", "0")
    with scene.running(*line, "--control", "0", "--seed", "11") as serving:
        scene.serve(serving)
        yield scene
