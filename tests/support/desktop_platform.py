"""A paper platform in this process with a desktop's desk over it, as an application has them."""

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Final

import msgspec
from pytestqt.qtbot import QtBot

from foxtrot.app.config import load_config
from foxtrot.app.control_requests import Request
from foxtrot.app.desktop_answers import DesktopAnswers
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.platform_journal import PlatformJournal
from foxtrot.core import commands
from foxtrot.core.clock import SystemClock
from foxtrot.core.notices import OrderChanged
from foxtrot.domain.enums import OrderStatus, OrderType, Side
from foxtrot.domain.order import OrderData, OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.gui.bridge import Bridge
from foxtrot.gui.desk import Desk
from foxtrot.gui.fact_store import FactStore
from foxtrot.gui.link import LocalLink
from foxtrot.gui.order_actions import OrderActions
from foxtrot.gui.settings import DesktopSettings
from foxtrot.gui.watchdog import Collector

ACCOUNT: Final = "paper"
STRATEGY: Final = "double_ma"
PERPETUAL: Final = "BTCUSDT.BINANCE_USDM"
CONFIG: Final = f"""
[account.{ACCOUNT}]
adapter = "simulated"
settings = {{ instruments = "{PERPETUAL}", balances = "USDT=100000" }}

[strategy.{STRATEGY}]
class = "double_ma"
account = "{ACCOUNT}"
symbols = ["{PERPETUAL}"]
capital = 10000
autostart = false

[risk]
max_order_quantity = 5
"""


class DesktopPlatform:
    """A paper platform, its desk, and whatever of some classes its engine has handled."""

    def __init__(self, folder: Path, qtbot: QtBot, heard: Iterable[type] = (), *, journal: bool = False) -> None:
        file = folder / "foxtrot.toml"
        file.write_text(CONFIG)
        self.qtbot = qtbot
        config = load_config(file)
        kept = PlatformJournal(config.data_dir(folder), config, SystemClock()) if journal else None
        self.engine = MainEngine(config, folder, journal=kept)
        self.arrived: list[object] = []
        for kind in heard:
            self.engine.line.dispatcher.subscribe(kind, self.arrived.append, owner="test")
        self.store = FactStore()
        self.link = LocalLink(self.engine, DesktopAnswers(self.engine), self.store, "ann")
        self.bridge = Bridge(self.store)
        self.desk = Desk(self.bridge, DesktopSettings())
        self.actions = OrderActions(self.desk, lambda _title, _text: True, count().__next__)
        self.collector = Collector()  # as in the desktop: the platform's threads must never end a widget
        self.orders: dict[str, OrderData] = {}
        self._sizes = count()
        self.bridge.on(OrderChanged, lambda fact: self.orders.__setitem__(fact.order.order_id, fact.order))

    def start(self) -> None:
        """Start it and wait until it trades."""
        self.collector.start()
        self.bridge.start()
        self.engine.start()
        assert self.engine.all_ready.wait(10)
        self.desk.open(self.link, is_live=False)
        self.desk.put(commands.WatchMarket(ACCOUNT, SubscribeRequest(PERPETUAL)))
        self.until(lambda: PERPETUAL in self.desk.instruments and self.price() > 0)

    def end(self) -> None:
        """Stop it."""
        self.engine.stop(5.0)
        self.bridge.stop()
        self.collector.stop()

    def until(self, holds: Callable[[], bool]) -> None:
        """Let the window live until something holds."""
        self.qtbot.waitUntil(holds, timeout=10_000)

    def price(self) -> float:
        """Return the best bid, 0.0 before one was heard."""
        tick = self.desk.ticks.get(PERPETUAL)
        return tick.bid_price if tick is not None else 0.0

    def below(self) -> float:
        """Return a price far below the market."""
        return float(round(self.price() * 0.8))

    def request(self, quantity: float = 0.0) -> OrderRequest:
        """Return an order that rests, no two of them alike."""
        size = quantity or (10 + next(self._sizes)) / 1000
        return OrderRequest(PERPETUAL, ACCOUNT, Side.BUY, OrderType.LIMIT, size, float(round(self.price() * 0.9)))

    def place(self, request: OrderRequest) -> OrderData:
        """Send an order by the desktop's one door and return what the desk made of it."""
        before = set(self.orders)
        assert self.actions.place(request, "a test's")
        self.until(lambda: any(self._judged(one) for key, one in self.orders.items() if key not in before))
        return next(one for key, one in self.orders.items() if key not in before)

    def _judged(self, order: OrderData) -> bool:
        return order.status not in (OrderStatus.CREATED, OrderStatus.SUBMITTED)

    def resting(self) -> str:
        """Return the id of an order that rests."""
        order = self.place(self.request())
        assert order.status is OrderStatus.ACCEPTED, order
        return order.order_id

    def ask(self, request: Request) -> tuple[msgspec.Struct | None, str]:
        """Ask as a panel does, over JSON and back, and return the answer, which can be encoded too."""
        decoded = msgspec.json.decode(msgspec.json.encode(request), type=type(request))
        heard: list[tuple[msgspec.Struct | None, str]] = []
        self.desk.ask(decoded, lambda found, error: heard.append((found, error)))
        self.until(lambda: bool(heard))
        msgspec.json.encode(heard[0][0])
        return heard[0]

    def has_arrived(self, kind: type) -> bool:
        """Tell whether the engine has handled one of a class."""
        return any(type(one) is kind for one in self.arrived)
