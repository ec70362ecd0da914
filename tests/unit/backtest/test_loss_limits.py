"""Loss limits in a backtest: equity is noted at every close, so that a fall counts from a peak between two orders too."""

from decimal import Decimal

import pytest

from foxtrot.backtest.runner import Backtest, instrument_for
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, InstrumentTerms
from foxtrot.domain.market import BarData
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.settings import StrategySettings
from foxtrot.trading.limits import Limits, LimitTable
from tests.unit.backtest.scripted import NAME, bars_of, on_bars, run_bars, told

ROWS = [(100, 100.5, 99.5, 100)] * 3 + [(100, 200, 100, 200)] * 3 + [(200, 200, 100, 110)] * 3
HELD = Limits(check_funds=False, price_collar=0.0, max_drawdown=Decimal(500))
FREE = Limits(check_funds=False, price_collar=0.0)


@pytest.mark.parametrize(
    "limits",
    [LimitTable(HELD), LimitTable(FREE, {ACCOUNT: HELD}), LimitTable(FREE, {}, {"test": HELD})],
    ids=["platform", "account", "strategy"],
)
def test_a_fall_from_a_peak_between_orders_is_a_drawdown(limits: LimitTable) -> None:
    strategy = on_bars({0: lambda s: s.buy(10.0), 7: lambda s: s.buy(1.0)})
    result, _ = run_bars(strategy, ROWS, limits=limits)
    assert told(result) == [("buy", 10.0, 100.0)]
    assert result.denied == {"max_drawdown": 1}


def test_without_a_loss_limit_the_same_order_passes() -> None:
    strategy = on_bars({0: lambda s: s.buy(10.0), 7: lambda s: s.buy(1.0)})
    result, _ = run_bars(strategy, ROWS, limits=LimitTable(FREE))
    assert len(result.trades) == 2


def run_pair(limit: int) -> dict[str, int]:
    """Hold 10 of each of two symbols, the second short, through equal rises and falls; returns what was refused."""

    class Pair(Strategy):
        bar = -1

        def on_bar(self, bar: BarData) -> None:
            if bar.instrument_id == NAME:
                return
            self.bar += 1
            if self.bar == 0:
                self.buy(10.0)
                self.short(10.0, instrument="ETH.X")
            elif self.bar == 8:
                self.buy(1.0)

    bars = (bars_of(ROWS), bars_of(ROWS[:3] + ROWS[6:] + ROWS[3:6], "ETH.X"))
    instruments = tuple(instrument_for(columns, InstrumentTerms(tick=Decimal("0.01"))) for columns in bars)
    settings = StrategySettings(strategy_id="test", class_name="x", account=ACCOUNT, symbols=(NAME, "ETH.X"))
    limits = LimitTable(Limits(check_funds=False, price_collar=0.0, max_drawdown=Decimal(limit)))
    backtest = Backtest(
        BacktestSettings(strategies=((settings, Pair),), bars=bars, instruments=instruments, limits=limits)
    )
    result = backtest.run()
    assert result.failures == ()
    return result.denied


def test_with_several_symbols_the_peak_between_orders_counts_too() -> None:
    assert run_pair(1700) == {"max_drawdown": 1}
    assert run_pair(1900) == {}
