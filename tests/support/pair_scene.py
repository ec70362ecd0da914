"""A served spot exchange with one maker, and `foxtrot run` as a process on it whose strategy holds a bracket."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from foxtrot.app.control_client import find_platform
from foxtrot.app.control_requests import ListPositions, Positions
from foxtrot.core.clock import SystemClock
from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.errors import FoxtrotError
from foxtrot.exchange.commands import CancelAll, PlaceOrder
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.binance_rig import spot_like
from tests.support.waiting import wait_until

ACCOUNT, KEY, SECRET = "ours", "pair-key", "pair-secret"
START_S, END_S = 60.0, 60.0
STRATEGY = '''
"""Buys with a bracket whenever it is flat and the market is at 100."""

from foxtrot.api import Strategy


class Holder(Strategy):
    def on_tick(self, tick):
        if self.trading and self.position < 0.01 and not self.is_pending() and 98 < tick.bid_price and tick.ask_price < 102:
            self.buy(1.0, stop_loss=95.0, take_profit=110.0)
'''
CONFIG = """
[platform]
mode = "paper"
base_currency = "USDT"

[guardian]
enabled = false

[account.ours]
adapter = "binance"
environment = "loopback"
settings = {{ product = "spot", port = {port}, api_key_env = "PAIR_KEY", api_secret_env = "PAIR_SECRET" }}

[strategy.holder]
class = "{folder}/holder.py:Holder"
account = "ours"
symbols = ["BTCUSDT.BINANCE"]
capital = 10000
orders = "keep"

[risk]
price_collar = 0.0
duplicate_window_s = 0.0
quote_age_s = 0.0

[recorder]
enabled = false
"""


class PairScene:
    """The exchange, and the platforms that live on it one after the other.

    Thread: the test's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.instrument = spot_like("BTCUSDT", "BTC")
        self.server = ExchangeServer(_settings(self.instrument), self.clock)
        self._made = 0

    def __enter__(self) -> Self:
        self.server.start()
        (self.folder / "holder.py").write_text(STRATEGY, "utf-8")
        text = CONFIG.format(port=self.server.ports["binance_spot"], folder=self.folder)
        (self.folder / "platform.toml").write_text(text, "utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    # --- the market -------------------------------------------------------------------------------------------------

    def quote(self, bid: float, ask: float, size: float = 50.0) -> None:
        """Let the maker stand at one bid and one ask instead of what stood before; the book is empty at no time that is told."""
        commands = [
            CancelAll(self.clock.now_ns(), "maker"),
            *(self._order(*row) for row in ((Side.BUY, size, bid), (Side.SELL, size, ask))),
        ]
        results = self.server.call(lambda server: [server.host.execute(command) for command in commands])
        assert all(result.ok for result in results), results

    def maker(self, side: Side, size: float, price: float) -> None:
        """Let the maker send a limit order."""
        command = self._order(side, size, price)
        result = self.server.call(lambda server: server.host.execute(command))
        assert result.ok, result

    def _order(self, side: Side, size: float, price: float) -> PlaceOrder:
        self._made += 1
        units = self.instrument.quantity_grid.from_decimal(Decimal(str(size)))
        return PlaceOrder(
            self.clock.now_ns(), "maker", self.instrument.instrument_id, f"m{self._made}", side, OrderType.LIMIT, units,
            self.instrument.price_units(price),
        )  # fmt: skip

    # --- what the exchange knows ------------------------------------------------------------------------------------

    def resting(self) -> list[OrderReport]:
        """Our open orders, by their numbers."""
        rows = self.server.call(lambda server: list(server.host.venue.open_orders(ACCOUNT)))
        return sorted(rows, key=lambda row: row.order_id)

    def is_paired(self) -> bool:
        """Tell whether two orders rest, of one list."""
        found = self.resting()
        return len(found) == 2 and found[0].pair == found[1].pair == found[0].order_id

    def sold(self) -> list[float]:
        """What was sold for us, by order."""
        by_order: dict[str, int] = {}
        for fill in self.server.call(lambda server: list(server.host.venue.fills(ACCOUNT))):
            if fill.side is Side.SELL:
                by_order[fill.client_order_id] = by_order.get(fill.client_order_id, 0) + fill.quantity
        return [self.instrument.quantity(units) for units in by_order.values()]

    def lists_received(self) -> int:
        """How many requests for an order list have come."""
        return int(self.server.call(lambda server: server.traffic.requests["spot POST /api/v3/orderList/oco"]))

    # --- platforms --------------------------------------------------------------------------------------------------

    @contextmanager
    def running(self, *line: str) -> "Iterator[subprocess.Popen[str]]":
        """Run a verb; what is left of it at the end is killed."""
        place = {"FOXTROT_HOME": str(self.folder / "home"), "FOXTROT_LOCKS": str(self.folder / "locks")}
        process = subprocess.Popen(
            [sys.executable, "-m", "foxtrot", *line, "--json"], cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, "PAIR_KEY": KEY, "PAIR_SECRET": SECRET, **place},
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

    def ask(self, *line: str) -> dict[str, Any]:
        """Run a verb to its end and return what it printed, {} where that is nothing."""
        with self.running(*line) as asked:
            stdout, _ = asked.communicate(timeout=END_S)
        found: dict[str, Any] = json.loads(stdout) if stdout.strip() else {}
        return found

    def protection(self) -> list[str]:
        """How the running platform says that the strategy's position is protected."""
        try:
            found = find_platform(self.folder / "home").ask(ListPositions(strategy="holder"), Positions)
        except FoxtrotError:
            return ["no answer"]
        return [row.protection for row in found.positions]

    def await_pair(self) -> None:
        """Wait until the strategy has bought and its pair rests."""
        wait_until(self.is_paired, START_S)


def _settings(instrument: Any) -> ServerSettings:
    return ServerSettings(
        ports=ServerPorts(binance_spot=0),
        accounts=(
            AccountSetup(ACCOUNT, (ApiKey(KEY, ACCOUNT, SECRET),), {"USDT": Decimal(1_000)}, products=("spot",)),
            AccountSetup("maker", (), {"USDT": Decimal(10**7), "BTC": Decimal(10**3)}),
        ),
        instruments=(instrument,),
        agents=0,
        surface=SurfaceSettings(limits=False),
    )
