"""A platform with an account without keys: prices and nothing to compare, and orders that say why they go nowhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from foxtrot.app.config import load_config
from foxtrot.app.live import summary_object
from foxtrot.app.main_engine import MainEngine
from foxtrot.core.notices import OrderChanged, RequestFailed
from foxtrot.domain.enums import OrderStatus
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import ServerPorts, ServerSettings
from tests.support.waiting import wait_until

CONFIG = """
[account.prices]
adapter = "binance"
environment = "loopback"
settings = {{ product = "spot", port = {port} }}

[account.paper]
adapter = "simulated"
settings = {{ instruments = "ETHUSDT.BINANCE", agents = 0 }}

[strategy.hopeful]
class = "{folder}/hopeful.py:Hopeful"
account = "prices"
symbols = ["BTCUSDT.BINANCE"]

[risk]
check_funds = false
"""
STRATEGY = """
from foxtrot.api import Strategy


class Hopeful(Strategy):
    def on_start(self):
        self.asked = False

    def on_tick(self, tick):
        if not self.asked and tick.bid_price and tick.ask_price:
            self.asked = True
            self.buy(0.01, self.round_price(tick.bid_price))
"""


@pytest.fixture
def port() -> Iterator[int]:
    """Where a market on Binance's protocol listens."""
    server = ExchangeServer(ServerSettings(ports=ServerPorts(binance_spot=0)))
    server.start()
    yield server.ports["binance_spot"] or 0
    server.stop()


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    """What the log has of WARNING and above."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="WARNING")
    yield lines
    logger.remove(sink)


def test_nothing_is_asked_of_an_account_that_is_none_and_the_rest_is_compared(
    tmp_path: Path, port: int, warnings: list[str]
) -> None:
    (tmp_path / "hopeful.py").write_text(STRATEGY)
    path = tmp_path / "foxtrot.toml"
    path.write_text(CONFIG.format(port=port, folder=tmp_path))
    platform = MainEngine(load_config(path), tmp_path / "home")
    orders: list[OrderChanged] = []
    failed: list[RequestFailed] = []
    platform.line.dispatcher.subscribe(OrderChanged, orders.append, owner="test")
    platform.line.dispatcher.subscribe(RequestFailed, failed.append, owner="test")
    platform.start()
    try:
        wait_until(lambda: any(one.order.status is OrderStatus.DENIED for one in orders), deadline_s=8)
        before = len(warnings)
    finally:
        report = platform.stop()
    denied = orders[-1].order
    assert (denied.status, denied.rule) == (OrderStatus.DENIED, "not_connected")
    assert "the account has no keys" in denied.reason
    assert (failed, warnings[before:]) == ([], [])
    assert report.differences == {"prices": (), "paper": ()}
    summary = summary_object(platform, report)
    assert (summary["reconciled"], summary["prices_only"], summary["failures"]) == (True, ["prices"], [])
