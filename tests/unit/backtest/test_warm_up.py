"""Warm-up in a backtest: one start for all, the last bars before it, none after it seen, none lost."""

from decimal import Decimal

import msgspec
import numpy as np
import pytest

from foxtrot.backtest.columns import BarColumns, QuoteColumns
from foxtrot.backtest.runner import Backtest, BacktestResult, instrument_for
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, InstrumentTerms
from foxtrot.domain.market import BarData, TickData
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.settings import StrategySettings
from tests.unit.backtest.scripted import MINUTE_NS, T0, bars_of

ROWS = [(100 + minute, 101 + minute, 99 + minute, 100 + minute) for minute in range(30)]
TERMS = InstrumentTerms(tick=Decimal("0.01"))
A, B = "AAA.X", "BBB.X"


def hearing(**counts: int) -> type[Strategy]:
    """A strategy that asks for bars by symbol and notes each bar: symbol, minute of its open, whether it was live."""

    class Hearing(Strategy):
        def on_init(self) -> None:
            self.heard: list[tuple[str, int, bool]] = []
            for symbol, count in counts.items():
                self.load_bar(count, f"{symbol}.X")

        def on_bar(self, bar: BarData) -> None:
            self.heard.append((bar.instrument_id[:3], (bar.open_time_ns - T0) // MINUTE_NS, self.trading))

    return Hearing


def shifted(bars: BarColumns, seconds: int) -> BarColumns:
    later = {name: getattr(bars, name) + seconds * 10**9 for name in ("open_time_ns", "close_time_ns")}
    return msgspec.structs.replace(bars, **later)


def run(*kinds: type[Strategy], bars: tuple[BarColumns, ...]) -> tuple[BacktestResult, list[Strategy]]:
    names = tuple(columns.instrument_id for columns in bars)
    strategies = tuple(
        (StrategySettings(strategy_id=f"s{n}", class_name="x", account=ACCOUNT, symbols=names), kind)
        for n, kind in enumerate(kinds)
    )
    instruments = tuple(instrument_for(columns, TERMS) for columns in bars)
    backtest = Backtest(BacktestSettings(strategies=strategies, bars=bars, instruments=instruments))
    result = backtest.run()
    assert result.failures == ()
    return result, [host.strategy for host in backtest.line.strategies.hosts.values()]


def test_strategies_with_different_warm_ups_start_together_and_each_joins_without_a_gap() -> None:
    _, (short, long) = run(hearing(AAA=3), hearing(AAA=10), bars=(bars_of(ROWS, A),))
    live = [("AAA", minute, True) for minute in range(10, 30)]
    assert short.heard == [("AAA", minute, False) for minute in (7, 8, 9)] + live
    assert long.heard == [("AAA", minute, False) for minute in range(10)] + live


def test_a_symbol_that_begins_later_is_waited_for_and_no_bar_of_the_future_is_seen() -> None:
    late = shifted(bars_of(ROWS[:20], B), 600)
    _, (both,) = run(hearing(AAA=5, BBB=5), bars=(bars_of(ROWS, A), late))
    warm = [(name, minute, False) for minute in range(10, 15) for name in ("AAA", "BBB")]
    assert both.heard == warm + [(name, minute, True) for minute in range(15, 30) for name in ("AAA", "BBB")]


def test_a_bar_open_at_the_start_is_heard_when_it_closes() -> None:
    _, (strategy,) = run(hearing(AAA=2), bars=(bars_of(ROWS[:5], A), shifted(bars_of(ROWS[:5], B), 30)))
    assert [bar for bar in strategy.heard if bar[0] == "BBB"] == [("BBB", minute, True) for minute in range(1, 5)]


def test_the_clock_stands_at_the_start_and_no_timer_fires_before_it() -> None:
    class Timed(Strategy):
        def on_init(self) -> None:
            self.load_bar(10)
            self.told = [("init", self.clock.now_ns() - T0)]
            self.set_timer("early", 60)

        def on_start(self) -> None:
            self.told.append(("start", self.clock.now_ns() - T0))
            self.set_timer("x", 60)

        def on_timer(self, timer: object) -> None:
            self.told.append(("timer", self.clock.now_ns() - T0))

    _, (timed,) = run(Timed, bars=(bars_of(ROWS, A),))
    minute = MINUTE_NS
    assert timed.told == [("init", 10 * minute), ("start", 10 * minute), ("timer", 11 * minute), ("timer", 11 * minute)]


def test_too_few_bars_are_as_many_as_there_are_and_a_warning() -> None:
    result, (strategy,) = run(hearing(AAA=50), bars=(bars_of(ROWS, A),))
    assert strategy.heard == [("AAA", minute, False) for minute in range(30)]
    assert result.warnings[0] == "AAA.X: history has only 30 of 50 bars before the start"
    assert "nothing was replayed" in result.warnings[1]


def test_without_load_bar_a_strategy_is_initialised_once() -> None:
    count: list[int] = []

    class Plain(Strategy):
        def on_init(self) -> None:
            count.append(1)

    run(Plain, bars=(bars_of(ROWS, A),))
    assert count == [1]


def test_equity_is_sampled_from_the_start_on() -> None:
    result, _ = run(hearing(AAA=10), bars=(bars_of(ROWS, A),))
    assert [(time - T0) // MINUTE_NS for time in result.equity_time_ns] == list(range(11, 31))


@pytest.mark.parametrize("count", [0, 10])
def test_ticks_from_before_the_start_are_not_replayed(count: int) -> None:
    times = T0 + MINUTE_NS * np.arange(30, dtype=np.int64) + 1
    price, size = np.full(30, 50.0), np.ones(30)
    quotes = QuoteColumns(
        instrument_id=B, time_ns=times, bid=price, ask=price + 1, bid_size=size, ask_size=size, price_decimals=2
    )

    class Ticked(Strategy):
        def on_init(self) -> None:
            self.ticks = 0
            if count:
                self.load_bar(count, A)

        def on_tick(self, tick: TickData) -> None:
            self.ticks += 1

    bars = bars_of(ROWS, A)
    settings = StrategySettings(strategy_id="s", class_name="x", account=ACCOUNT, symbols=(A, B))
    instruments = (instrument_for(bars, TERMS), instrument_for(quotes, TERMS))
    backtest = Backtest(
        BacktestSettings(strategies=((settings, Ticked),), bars=(bars,), quotes=(quotes,), instruments=instruments)
    )
    assert backtest.run().failures == ()
    assert backtest.line.strategies.hosts["s"].strategy.ticks == 30 - count
