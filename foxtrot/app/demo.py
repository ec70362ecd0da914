"""The demo: a living market behind Binance's protocol, the real adapter and a sample strategy on it, an honest count at the end."""

from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import msgspec

from foxtrot.adapter.base_adapter import Setting
from foxtrot.adapter.registry import load_adapter
from foxtrot.app.account_health import health_object
from foxtrot.app.config import Config
from foxtrot.app.config_tables import AccountTable, OrderExits, PlatformTable, StrategyTable
from foxtrot.app.demo_exchange import DemoExchange, fill_name, fill_units_text, order_units_text
from foxtrot.app.demo_figures import DemoFigures
from foxtrot.app.live import Json, summary_object
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.run_recording import surroundings_of
from foxtrot.app.shutdown import StopReport
from foxtrot.app.stop_signals import StopSignal
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.strategy.line import Line
from foxtrot.strategy.settings import OrderExit
from foxtrot.trading.audit import AccountState, compare
from foxtrot.trading.limits import Limits

ACCOUNT = "demo"
ADAPTER, ENVIRONMENT, PROTOCOL = "binance", "loopback", "binance spot"
INSTRUMENT = "BTCUSDT.BINANCE"
STRATEGY = "market_making"
LOOK_S = 0.05
READY_WITHIN_S = 30.0
"""How long the account may take to become ready before its time of trading runs all the same: a busy machine needs seconds."""


def demo_config(settings: dict[str, Setting]) -> Config:
    """Return the configuration of the demo: one account at Binance's loopback, the market-making sample on BTCUSDT."""
    limits = Limits(messages_per_s=50)
    account = AccountTable(adapter=ADAPTER, environment=ENVIRONMENT, settings=settings, limits=limits)
    strategy = StrategyTable(
        class_name=STRATEGY,
        account=ACCOUNT,
        symbols=(INSTRUMENT,),
        interval="1m",
        params={"size": 0.04, "max_position": 0.4},
        capital=Decimal(100_000),
        limits=limits,
        orders=OrderExits(on_shutdown=OrderExit.CANCEL_ALL),
    )
    return Config(
        platform=PlatformTable(base_currency="USDT"),
        accounts={ACCOUNT: account},
        strategies={STRATEGY: strategy},
        risk=limits,
    )


def run_demo(seconds: float, home: Path, stopped: StopSignal, progress: Callable[[float], None] | None = None) -> Json:
    """Run the demo for some seconds of trading and return what happened.

    Thread: main.

    Blocks: until the account is ready, at most READY_WITHIN_S, then for `seconds`, or until the stop is asked for.
    """
    with Demo(home) as demo:
        demo.start()
        demo.wait_until_trading(stopped)
        while (left := seconds - demo.elapsed_s()) > 0 and not stopped.wait(min(left, 0.25)):
            if progress is not None:
                progress(demo.elapsed_s())
        return demo.finish()


class Demo:
    """The exchange, the platform on it, and the judgement of both; as a context it ends the exchange last.

    Thread: main.
    """

    def __init__(self, home: Path) -> None:
        load_adapter(ADAPTER)  # takes seconds, and the market should not have opened long before us
        self._home = home
        self._started_ns = 0
        self.exchange = DemoExchange(ACCOUNT)

    def __enter__(self) -> "Demo":
        """Open the exchange, and make the platform that will trade on it."""
        self.exchange.start()
        with ExitStack() as undone:
            undone.callback(self.exchange.stop)
            config = demo_config(self.exchange.settings)
            around = surroundings_of(config, self._home)
            self.platform = MainEngine(config, self._home, environment=self.exchange.environment, around=around)
            self.figures = DemoFigures(self.platform.line.dispatcher, INSTRUMENT, self.platform.clock)
            undone.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the platform if that was not done, then the exchange."""
        self.platform.stop()
        self.exchange.stop()

    def start(self) -> None:
        """Begin to connect; public trades are heard too, so that every one can be accounted for."""
        self._started_ns = self.platform.clock.monotonic_ns()
        self.platform.line.adapters[ACCOUNT].subscribe(SubscribeRequest(INSTRUMENT, trades=True))
        self.platform.start()

    def wait_until_trading(self, stopped: StopSignal) -> None:
        """Let the time of trading begin: when the account is ready, or has had time enough for it.

        Blocks: at most READY_WITHIN_S, and no longer than until a stop is asked for.
        """
        while not self.platform.all_ready.is_set() and self.elapsed_s() < READY_WITHIN_S:
            if stopped.wait(LOOK_S):
                break
        self._started_ns = self.platform.clock.monotonic_ns()

    def elapsed_s(self) -> float:
        """Return how long it has traded; before that, how long it has tried to connect."""
        return (self.platform.clock.monotonic_ns() - self._started_ns) / 1e9

    def finish(self) -> Json:
        """Stop the platform, ask the exchange for the truth, stop the exchange; returns the summary.

        Blocks: for the stops, each with its own deadline.
        """
        elapsed_s = self.elapsed_s()
        printed = self.exchange.last_trade_id(INSTRUMENT)
        report = self.platform.stop()
        truth = compare(ACCOUNT, believed(self.platform.line), self.exchange.truth())
        overran = self.exchange.stop()
        report = msgspec.structs.replace(
            report,
            differences={**report.differences, "exchange": truth},
            overran=(*report.overran, overran) if overran else report.overran,
            failures=(*report.failures, *self.exchange.server.failures),
        )
        return demo_object(self, report, elapsed_s, printed)


def believed(line: Line) -> AccountState:
    """Return the account as desk and portfolio hold it, in the words of the exchange's own truth.

    Thread: any, once the engine has stopped.
    """
    listed: dict[str, Instrument] = {one.instrument_id: one for one in line.instruments.all()}
    orders = {r.terms.order_id: order_units_text(r.quantity_units, r.filled) for r in line.desk.open_records()}
    fills = {}
    for fill in line.desk.fills(ACCOUNT):
        grids = listed[fill.instrument_id]
        quantity, price = grids.quantity_grid.from_float(fill.quantity), grids.price_grid.from_float(fill.price)
        fills[fill_name(fill.trade_id, fill.order_id)] = fill_units_text(quantity, price, fill.fee, fill.fee_asset)
    return AccountState(orders, fills, {}, line.portfolio.balances(ACCOUNT))


def demo_object(demo: Demo, report: StopReport, elapsed_s: float, printed: int) -> Json:
    """Return the demo's summary as one JSON object; `printed` is the last public trade that had to be heard."""
    platform, figures, exchange = demo.platform, demo.figures, demo.exchange
    health = health_object(report.health.get(ACCOUNT)) or {}
    messages = int(str(health.get("messages", 0)))
    events = platform.events
    missed = figures.missed_until(printed)
    dropped = figures.shed + missed + len(events.dispatcher.dead_letters)  # what a stop had to leave is among these
    equity = next((end.equity for end in report.summary.strategies), None)
    return {
        **summary_object(platform, report),
        "protocol": PROTOCOL,
        "adapter": ADAPTER,
        "environment": ENVIRONMENT,
        "seconds": round(elapsed_s, 3),
        "events_per_s": round(events.statistics().handled / elapsed_s, 1),
        "dropped": dropped,
        "missed_trades": missed,
        "market_trades": figures.trades_heard,
        "equity": None if equity is None else float(equity),
        "exchange_trades": exchange.prints,
        "cancels": figures.statuses[OrderStatus.CANCELLED],
        "partial_fills": len(figures.partly_filled),
        "agents": sorted(set(exchange.agents.values())),
        "agent_count": len(exchange.agents),
        "latency_venue_to_strategy_ms": figures.venue_to_strategy.summary(),
        "latency_strategy_to_ack_ms": figures.strategy_to_ack.summary(),
        "connection": {**health, "messages_per_s": round(messages / elapsed_s, 1)},
        "requests": health.get("requests", 0),
    }
