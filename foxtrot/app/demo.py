"""The demo: a living market in process, a sample strategy trading on it, and an honest count at the end."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from foxtrot.adapter.base_adapter import Setting
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.app.config import Config
from foxtrot.app.config_tables import AccountTable, OrderExits, PlatformTable, StrategyTable
from foxtrot.app.live import Json, summary_object
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.shutdown import StopReport
from foxtrot.app.stop_signals import stop_signals
from foxtrot.core.notices import Gap, OrderChanged
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import InvariantBroken
from foxtrot.exchange.events import TradePrinted, VenueEvent
from foxtrot.strategy.settings import OrderExit
from foxtrot.trading.limits import Limits

ACCOUNT = "demo"
INSTRUMENT = "BTCUSDT.BINANCE"
STRATEGY = "market_making"


def demo_config() -> Config:
    """Return the configuration of the demo: one simulated account, the market-making sample on BTCUSDT."""
    settings: dict[str, Setting] = {
        "balances": "USDT=1000000, BTC=10",
        "instruments": f"{INSTRUMENT},ETHUSDT.BINANCE",
        "agents": 12,
    }
    limits = Limits(messages_per_s=50)
    account = AccountTable(adapter="simulated", settings=settings, limits=limits)
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


def run_demo(seconds: float, home: Path, progress: Callable[[float], None] | None = None) -> Json:
    """Run the demo for some seconds and return what happened.

    Thread: main.

    Blocks: for `seconds`, or until SIGINT or SIGTERM.
    """
    with stop_signals() as stopped:
        platform = MainEngine(demo_config(), home)
        counts = DemoCounts(platform)
        started_ns = platform.clock.monotonic_ns()

        def elapsed() -> float:
            return (platform.clock.monotonic_ns() - started_ns) / 1e9

        platform.start()
        while (left := seconds - elapsed()) > 0 and not stopped.wait(min(left, 0.25)):
            if progress is not None:
                progress(elapsed())
        elapsed_s = elapsed()
        return demo_object(platform, platform.stop(), counts, elapsed_s)


class DemoCounts:
    """What the venue and the strategy did, counted where it happens.

    Thread: `prints` by simulated-io, the rest by foxtrot-engine; read when both have ended.
    """

    def __init__(self, platform: MainEngine) -> None:
        adapter = platform.line.adapters[ACCOUNT]
        if not isinstance(adapter, SimulatedAdapter):
            raise InvariantBroken("the demo trades on the simulated adapter")
        self.prints = 0
        self.shed = 0
        self.statuses: Counter[OrderStatus] = Counter()
        self.partly_filled: set[str] = set()
        self._adapter = adapter
        adapter.session.observers = (*adapter.session.observers, self._on_venue_event)
        platform.line.dispatcher.subscribe(OrderChanged, self._on_order_changed, owner="demo")
        platform.line.dispatcher.subscribe(Gap, self._on_gap, owner="demo")

    @property
    def agents(self) -> dict[str, str]:
        """Return the other traders: account → kind."""
        return dict(self._adapter.session.traders)

    def _on_venue_event(self, event: VenueEvent) -> None:
        self.prints += type(event) is TradePrinted

    def _on_gap(self, gap: Gap) -> None:
        self.shed += gap.count

    def _on_order_changed(self, change: OrderChanged) -> None:
        self.statuses[change.order.status] += 1
        if change.order.status is OrderStatus.PARTIALLY_FILLED:
            self.partly_filled.add(change.order.order_id)


def demo_object(platform: MainEngine, report: StopReport, counts: DemoCounts, elapsed_s: float) -> Json:
    """Return the demo's summary as one JSON object."""
    base = summary_object(platform, report)
    statistics = platform.events.statistics()
    equity = next((end.equity for end in report.summary.strategies), None)
    return {
        **base,
        "seconds": round(elapsed_s, 3),
        "events_per_s": round(statistics.handled / elapsed_s, 1),
        "dropped": counts.shed + sum(report.left.values()),
        "equity": None if equity is None else float(equity),
        "exchange_trades": counts.prints,
        "cancels": counts.statuses[OrderStatus.CANCELLED],
        "partial_fills": len(counts.partly_filled),
        "agents": sorted(set(counts.agents.values())),
        "agent_count": len(counts.agents),
    }
