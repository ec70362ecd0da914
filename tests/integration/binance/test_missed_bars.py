"""A loss of three minutes on sockets: the bars that closed meanwhile come from the venue, first, flagged, each once."""

from collections.abc import Iterator

import pytest

from foxtrot.api import BarData, Strategy
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.domain.enums import AdapterState, Product, Side
from foxtrot.domain.errors import OrderRefused
from foxtrot.exchange.faults import Fault
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.strategy.settings import StrategySettings
from tests.support.binance_rig import START_NS, BinanceRig
from tests.support.line_rig import LIMITS, RUN_ID
from tests.support.waiting import wait_until

M = 60_000_000_000


class Eager(Strategy):
    """Sends an order in every bar."""

    def on_init(self) -> None:
        """Begin the lists."""
        self.bars: list[BarData] = []
        self.refused: list[BarData] = []

    def on_bar(self, bar: BarData) -> None:
        """Keep it, and whether an order was taken in it."""
        self.bars.append(bar)
        try:
            self.buy(0.1, 95.0)
        except OrderRefused:
            self.refused.append(bar)


class Platform:
    """The middle of the line in the test's thread, on a real adapter; the adapter's events are carried over by hand.

    Thread: the test's.
    """

    def __init__(self, rig: BinanceRig) -> None:
        self.rig = rig
        self.dispatcher = Dispatcher(rig.clock)
        self.line = Line(self.dispatcher, rig.permit, LineSettings(run_id=RUN_ID, limits=LIMITS))
        self.line.add_adapter(rig.adapter)
        self._carried = 0
        rig.adapter.connect()
        self.settle()
        settings = StrategySettings(
            strategy_id="eager", class_name="Eager", account=rig.account, symbols=(rig.spot.instrument_id,)
        )
        host = self.line.strategies.add(settings, Eager)
        self.line.strategies.start("eager")
        assert isinstance(host.strategy, Eager)
        self.strategy = host.strategy
        self.carry()

    def carry(self) -> None:
        """Handle what the adapter has published and the timers that are due."""
        events = self.rig.heard.events(self._carried)
        self._carried += len(events)
        for event in events:
            self.dispatcher.put(event)
        self.dispatcher.drain()
        self.dispatcher.fire_timers(self.rig.clock.now_ns())

    def settle(self) -> None:
        """Let the venue answer, and handle it."""
        self.rig.settle()
        self.carry()

    def trade_for(self, seconds: int) -> None:
        """Let time pass with a public trade every ten seconds, wherever the link stands."""
        for _ in range(seconds // 10):
            self.rig.take(Side.BUY, 60)
            self.rig.advance(10)
            self.carry()
        self.settle()

    def numbers(self, bars: list[BarData]) -> list[int]:
        """Return minutes since the start."""
        return [(bar.open_time_ns - START_NS) // M for bar in bars]


@pytest.fixture(params=[Product.SPOT, Product.PERPETUAL], ids=["spot", "usdm"])
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    with BinanceRig(request.param) as rig:
        yield Platform(rig)


def test_missed_bars_come_first_flagged_and_no_order_leaves_in_them(platform: Platform) -> None:
    rig, strategy = platform.rig, platform.strategy
    platform.trade_for(130)
    before = len(strategy.bars)
    assert before > 0
    assert not any(bar.backfilled for bar in strategy.bars)
    down = rig.server.inject(Fault(kind="http_status", endpoint="*", status=503, count=0))
    rig.lose_link("gone")
    platform.trade_for(180)
    assert len(strategy.bars) == before
    assert rig.heard.states()[-1] is not AdapterState.READY
    rig.server.clear_faults(down)

    def is_back() -> bool:
        rig.advance(1)
        platform.carry()
        return rig.heard.states()[-1] is AdapterState.READY

    wait_until(is_back, deadline_s=20)
    platform.settle()
    missed = [bar for bar in strategy.bars if bar.backfilled]
    assert strategy.bars[before:] == missed
    assert len(missed) >= 3
    assert strategy.refused == missed
    platform.trade_for(130)
    numbers = platform.numbers(strategy.bars)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(strategy.bars) >= before + len(missed) + 2
    assert strategy.refused == missed
    assert not any(bar.backfilled for bar in strategy.bars[before + len(missed) :])
    name = rig.spot.instrument_id
    venue = {one.open_time_ns: one for one in rig.server.call(lambda server: server.host.venue.klines(name, M, 20))}
    for bar in strategy.bars:
        assert bar.trade_count == venue[bar.open_time_ns].trade_count
        assert bar.volume == rig.spot.quantity(venue[bar.open_time_ns].volume)
    assert len(rig.received()) == len(strategy.bars) - len(missed)
