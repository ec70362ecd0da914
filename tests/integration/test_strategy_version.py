"""Which code sent an order: the journal has the hash of the strategy's file beside each intent, and another one once the file changes."""

import hashlib
from pathlib import Path

from foxtrot.app.config import load_config
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.order_life import story_of
from foxtrot.app.platform_journal import NAME, PlatformJournal
from foxtrot.core.clock import SystemClock
from foxtrot.storage.journal_reader import read_only
from tests.support.waiting import wait_until

CONFIG = """
[account.paper]
adapter = "simulated"
settings = { instruments = "BTCUSDT.BINANCE_USDM", balances = "USDT=100000" }

[strategy.one]
class = "one.py:One"
account = "paper"
symbols = ["BTCUSDT.BINANCE_USDM"]
"""
CODE = '''
from foxtrot.api import Strategy


class One(Strategy):
    """Buys once."""

    def on_start(self) -> None:
        """Begin."""
        self.sent = False

    def on_tick(self, tick) -> None:
        """Buy."""
        if not self.sent:
            self.sent = True
            self.buy(0.01, tick.bid_price)
'''


def sent_by(folder: Path, code: str) -> str:
    """Run a platform with this code until its order is on disk, and return the order's id."""
    (folder / "one.py").write_text(code, "utf-8")
    config, home = load_config(folder / "c.toml"), folder / "home"
    journal = PlatformJournal(config.data_dir(home), config, SystemClock())
    platform = MainEngine(config, home, journal=journal)
    platform.start()

    def ours() -> list[str]:
        mine = platform.run_id
        return platform.ask(lambda: [one for one in platform.line.desk.index.all if mine in one])

    wait_until(lambda: bool(ours()))
    order_id = ours()[0]
    platform.stop()
    return order_id


def test_each_order_names_the_file_that_made_it(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CONFIG, "utf-8")
    changed = CODE.replace("Buys once.", "Buys once, as before.")
    orders = {code: sent_by(tmp_path, code) for code in (CODE, changed)}
    config = load_config(tmp_path / "c.toml")
    with read_only(config.data_dir(tmp_path / "home") / NAME) as view:
        for code, order_id in orders.items():
            assert story_of(view, order_id).strategy_hash == hashlib.sha256(code.encode()).hexdigest()
