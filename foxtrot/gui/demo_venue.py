"""The demo's venue beside a window: the embedded exchange over Binance's protocol, and what can go wrong there at a click."""

from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from foxtrot.app.config import Config
from foxtrot.app.config_tables import AccountTable, OrderExits, PlatformTable, StrategyTable
from foxtrot.app.demo_exchange import DemoExchange
from foxtrot.app.demo_market import DemoMarket, wide_market
from foxtrot.app.live import RunOrder
from foxtrot.exchange.faults import Fault
from foxtrot.strategy.settings import OrderExit
from foxtrot.trading.limits import Limits

ACCOUNT: Final = "demo"
INSTRUMENT: Final = "BTCUSDT.BINANCE"
OTHER: Final = "ETHUSDT.BINANCE"
THIRD: Final = "SOLUSDT.BINANCE"
QUOTES: Final[dict[str, str | int | float | bool]] = {
    "size": 0.01, "max_position": 0.1, "half_spread_bps": 2.0, "skew_bps": 2.0, "requote_bps": 2.0, "pause_s": 3.0,
}  # fmt: skip
CUT_S: Final = 10.0
GAP_CHANGES: Final = 3
MOST_EXPOSURE: Final = Decimal(500_000)
MOST_LOSS: Final = Decimal(25_000)
"""Limits that show what the risk panel shows, and that playing does not reach."""


class DemoVenue:
    """An exchange of our own, and the order of a run on it.

    Thread: the desktop's; the exchange has its own. It is made in some seconds, for its market has hours behind it; `start` and
        `stop` wait for its thread, some tenths of a second.
    """

    def __init__(self, home: Path, market: DemoMarket | None = None) -> None:
        self._home = home
        self._exchange = DemoExchange(ACCOUNT, market or wide_market())

    def start(self) -> None:
        """Open the exchange.

        Blocks: until it accepts.
        """
        self._exchange.start()

    def stop(self) -> str:
        """Close it; returns the name of its thread if that overran, or "".

        Blocks: for its sockets, at most some seconds.
        """
        return self._exchange.stop()

    def order(self) -> RunOrder:
        """Return what is to run on it."""
        return RunOrder(demo_config(self._exchange), self._home, environment=self._exchange.environment)

    def cut_cable(self) -> None:
        """Lose every connection, and refuse new ones for a while."""
        self._exchange.inject(Fault("refuse_websockets", for_s=CUT_S))
        self._exchange.inject(Fault("reset"))

    def gap_feed(self) -> None:
        """Lose some changes of the order book."""
        self._exchange.inject(Fault("gap", count=GAP_CHANGES))

    def restart(self) -> None:
        """Restart the venue, with the same orders on the same ports."""
        self._exchange.inject(Fault("restart", down_s=2.0))


def demo_config(exchange: DemoExchange) -> Config:
    """Return a configuration of one account and three strategies that wait for somebody to start them.

    Each pays Binance's fee of 0.1 % and trades little. The market maker quotes some basis points away, so that it is filled now and then
    and not by everybody; that earns less than its fee, as it would at Binance without a rebate. The grid asks for three times the
    fees between its levels. The averages are the sample's own.
    """
    limits = Limits(messages_per_s=50)
    account = AccountTable(adapter="binance", environment="loopback", settings=exchange.settings, limits=limits)
    exits = OrderExits(on_shutdown=OrderExit.CANCEL_ALL)

    def strategy(name: str, symbol: str, params: dict[str, str | int | float | bool]) -> StrategyTable:
        return StrategyTable(
            class_name=name, account=ACCOUNT, symbols=(symbol,), interval="1m", params=params, capital=Decimal(100_000),
            limits=limits, orders=exits, autostart=False,
        )  # fmt: skip

    return Config(
        platform=PlatformTable(base_currency="USDT"),
        accounts={ACCOUNT: account},
        strategies={
            "market_making": strategy("market_making", INSTRUMENT, QUOTES),
            "double_ma": strategy("double_ma", OTHER, {}),
            "grid": strategy("grid", THIRD, {"levels": 6, "step_percent": 0.6, "size": 20.0}),
        },
        risk=msgspec.structs.replace(limits, max_exposure=MOST_EXPOSURE, max_daily_loss=MOST_LOSS, max_open_orders=200),
    )
