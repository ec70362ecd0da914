"""The runaway throttle: which strategies are disabled, until when, and which are left alone."""

import pytest

from foxtrot.api import Parameter, Side, Strategy, TickData
from foxtrot.core.commands import ResumeTrading
from foxtrot.core.notices import StrategyStatus
from foxtrot.samples.market_making import MarketMaking
from foxtrot.storage.journal_records import StrategyHalted, StrategyRearmed
from foxtrot.strategy.host import Stage
from foxtrot.trading.limits import Limits, LimitTable
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LIMITS, LineRig
from tests.support.recording import Recording


class Looping(Strategy):
    """Buys at the market at every tick."""

    size = Parameter(0.1, "size")

    def on_tick(self, tick: TickData) -> None:
        """Buy again."""
        self.buy(self.size)


class KeepingJournal:
    """A journal that keeps what it is given."""

    keeps_reports = True

    def __init__(self) -> None:
        self.records: list[object] = []

    def append(self, record: object) -> None:
        self.records.append(record)


def looping(**limits: float) -> LineRig:
    given = {"quote_age_s": 0.0, "messages_per_s": 0, "duplicate_window_s": 0.0, "price_collar": 0.0} | limits
    rig = LineRig(a_perpetual(), limits=LimitTable(platform=Limits(**given)))  # type: ignore[arg-type]
    rig.line.halted.journal = KeepingJournal()  # type: ignore[assignment]
    rig.quote(99.0, 101.0)
    rig.start(Looping)
    return rig


def run(rig: LineRig, ticks: int, pause_s: float = 0.2) -> int:
    """Let the market move, and return how many orders there are then."""
    for step in range(ticks):
        rig.wait(pause_s)
        rig.quote(99.0, 101.0 + step % 2)
    rig.settle()
    return len(list(rig.line.desk.records()))


def test_a_strategy_that_buys_again_and_again_is_disabled_for_good() -> None:
    rig = looping()
    assert run(rig, 60) == 31
    host = rig.line.strategies.hosts["one"]
    assert host.stage is Stage.FAILED
    assert (
        "disabled: repeated_executions: buy 0.1 BTCUSDT.PERP 31 times is against the limit 30 orders alike in 10 s"
        in host.reason
    )
    assert [type(record) for record in rig.line.halted.journal.records] == [StrategyHalted]  # type: ignore[union-attr]
    rig.line.strategies.start("one")
    rig.settle()
    assert "`foxtrot resume --strategy one` re-arms it" in rig.told(StrategyStatus)[-1].reason
    assert run(rig, 5) == 31
    rig.put(ResumeTrading("Ann", "mended", strategy_id="one"))
    assert isinstance(rig.line.halted.journal.records[-1], StrategyRearmed)  # type: ignore[union-attr]
    assert host.stage is Stage.FAILED, "a person starts it"
    rig.line.strategies.start("one")
    rig.settle()
    assert run(rig, 5) > 31


def test_it_stays_disabled_over_a_restart() -> None:
    first = looping()
    run(first, 60)
    second = LineRig(a_perpetual())
    second.line.halted.restore(first.line.halted.all())
    second.quote(99.0, 101.0)
    second.start(Looping)
    assert second.stages() == ["loaded"]
    assert run(second, 5) == 0


def test_more_orders_in_a_minute_than_allowed_disable_too() -> None:
    rig = looping(repeated_executions=0, orders_per_minute=20)
    assert run(rig, 60, 1.0) == 21
    assert "21 is against the limit 20 orders in a minute" in rig.line.strategies.hosts["one"].reason


def test_what_is_spread_over_time_is_no_loop() -> None:
    rig = looping(orders_per_minute=40)
    assert run(rig, 60, 4.0) >= 60
    assert rig.line.strategies.hosts["one"].stage is Stage.RUNNING


def test_the_strictest_scope_counts_and_0_is_no_limit() -> None:
    free = looping(repeated_executions=0, orders_per_minute=0)
    assert run(free, 60) >= 60
    table = LimitTable(platform=LIMITS.platform, strategies={"one": Limits(repeated_executions=3, quote_age_s=0.0)})
    rig = LineRig(a_perpetual(), limits=table)
    rig.quote(99.0, 101.0)
    rig.start(Looping)
    assert run(rig, 20, 1.5) == 4


def test_a_grid_that_a_fall_runs_through_repeats_nothing() -> None:
    rig = LineRig(a_perpetual(), limits=LIMITS)
    rig.quote(99.0, 101.0)
    strategy = rig.start(Recording)
    rig.settle()
    for step in range(40):
        strategy.buy(0.1, 98.0 - step * 0.1)
    rig.settle()
    rig.hit(Side.SELL, 20.0, 90.0)
    assert strategy.position == pytest.approx(4.0)
    assert strategy.trading


def test_an_order_that_is_filled_in_many_pieces_counts_once() -> None:
    rig = looping(repeated_executions=3)
    rig.stop()
    rig.add(Recording, "two")
    rig.line.strategies.start("two")
    rig.settle()
    for _ in range(9):
        rig.hit(Side.SELL, 0.1, 100.0)
    strategy = rig.line.strategies.hosts["two"].strategy
    strategy.buy(0.9, 100.0)
    rig.settle()
    assert strategy.position == pytest.approx(0.9)
    assert strategy.trading


def test_market_making_is_left_alone() -> None:
    rig = LineRig(a_perpetual(), limits=LimitTable())
    rig.quote(99.98, 100.02)
    host = rig.add(MarketMaking, parameters={"size": 0.1, "max_position": 2.0})
    rig.line.strategies.start("one")
    for step in range(600):
        rig.wait(0.2)
        drift = (step * 7 % 11 - 5) * 0.01
        rig.quote(round(99.98 + drift, 2), round(100.02 + drift, 2))
        if step % 3 == 0:
            rig.hit(Side.SELL if step % 2 else Side.BUY, 0.1, 99.0 if step % 2 else 101.0)
    assert host.stage is Stage.RUNNING, host.reason
    assert len(list(rig.line.desk.records())) > 200
