"""A paper platform in this process with its control server, and the command line asking it over a real socket."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from foxtrot.app.config import Config, load_config
from foxtrot.app.control_client import ControlClient, find_platform
from foxtrot.app.control_server import ControlServer
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.platform_journal import PlatformJournal
from foxtrot.app.run_recording import RunRecording
from foxtrot.cli import main
from tests.support.waiting import wait_until

CONFIG = """
[account.paper]
adapter = "simulated"
settings = {{ instruments = "BTCUSDT.BINANCE_USDM", balances = "USDT=100000" }}

[strategy.holder]
class = "{folder}/holder.py:{name}"
account = "paper"
symbols = ["BTCUSDT.BINANCE_USDM"]
capital = 10000
orders = "keep"
"""
STRATEGIES = '''
import threading

from foxtrot.api import OrderType, Parameter, Strategy

ENTERED, RELEASE = threading.Event(), threading.Event()


class Holder(Strategy):
    """Buys once, rests an entry far below and a stop below that."""

    size = Parameter(0.02, "how much", minimum=0.001)

    def on_start(self):
        self.asked = False

    def on_tick(self, tick):
        if not self.asked and tick.bid_price and tick.ask_price:
            self.asked = True
            self.buy(self.size)
            self.buy(0.01, self.round_price(tick.bid_price * 0.97))

    def on_trade(self, trade):
        if self.position >= self.size and len(self.open_orders()) == 1:
            self.sell(self.position, order_type=OrderType.STOP, trigger_price=self.round_price(trade.price * 0.95))


class Hang(Strategy):
    """Holds the engine's thread."""

    def on_tick(self, tick):
        ENTERED.set()
        RELEASE.wait(60)


class Broken(Strategy):
    """Cannot be started."""

    def on_start(self):
        raise RuntimeError("no such luck")
'''


def write_config(folder: Path, name: str = "Holder") -> Path:
    """Write strategies and a configuration that runs one of them."""
    (folder / "holder.py").write_text(STRATEGIES)
    path = folder / "foxtrot.toml"
    path.write_text(CONFIG.format(folder=folder, name=name))
    return path


class Steered:
    """The platform, its server, and what the command line says of it."""

    def __init__(self, platform: MainEngine, server: ControlServer, capsys: pytest.CaptureFixture[str]) -> None:
        self.platform = platform
        self.server = server
        self.home = platform.home
        self._capsys = capsys

    @property
    def client(self) -> ControlClient:
        """Return a client of the platform."""
        return find_platform(self.home)

    def ask(self, *words: str) -> tuple[int, dict[str, object]]:
        """Run a line with --json; return its status and the object it printed."""
        status = main([*words, "--json", "--home", str(self.home)])
        return status, json.loads(self._capsys.readouterr().out)

    def say(self, *words: str) -> tuple[int, str, str]:
        """Run a line; return its status and what it printed on stdout and stderr."""
        status = main([*words, "--home", str(self.home)])
        told = self._capsys.readouterr()
        return status, told.out, told.err

    def settle(self, orders: int = 2) -> None:
        """Wait until the strategy holds its position, and entry and stop rest."""
        wait_until(lambda: self.platform.ask(lambda: self._rests(orders)))

    def _rests(self, orders: int) -> bool:
        records = list(self.platform.line.desk.open_records())
        held = [held for _, held in self.platform.line.portfolio.positions("holder") if held.quantity]
        return bool(held) and len(records) == orders and all(record.status == "accepted" for record in records)


def recorded(config: Config, home: Path) -> tuple[MainEngine, Path]:
    """Return a platform with a journal and a tape as `foxtrot run` makes it, and the folder of the tape."""
    around = RunRecording(config, home)
    journal = PlatformJournal(config.data_dir(home), config, around.clock)
    return MainEngine(config, home, journal=journal, around=around), around.folder


@contextmanager
def steered(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    name: str = "Holder",
    make: Callable[[Config, Path], MainEngine] = MainEngine,
) -> Iterator[Steered]:
    """Run a platform with its server, and end both."""
    home = folder / "home"
    home.mkdir()
    platform = make(load_config(write_config(folder, name)), home)
    server = ControlServer(platform, home)
    server.start()
    try:
        platform.start()
        assert platform.all_ready.wait(10)
        yield Steered(platform, server, capsys)
    finally:
        platform.stop(5.0)
        assert server.stop() == ""
