"""Foxtrot's backtest as a contestant: double_ma through dispatcher, desk, risk, gate and venue, with the default limits."""

from collections.abc import Callable

from foxtrot.backtest.runner import Backtest, instrument_for
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, InstrumentTerms
from foxtrot.domain.enums import Product
from foxtrot.samples.double_ma import DoubleMa
from foxtrot.strategy.settings import StrategySettings
from tests.benchmark.contestants.bars import FAST, NAME, SLOW, bars


def prepare(count: int) -> Callable[[], int]:
    """Build the input; return the run, which says how many fills there were."""
    columns = bars(count)
    strategy = StrategySettings(
        strategy_id="double_ma", class_name="double_ma", account=ACCOUNT, symbols=(NAME,), interval="1m",
        parameters={"fast": FAST, "slow": SLOW, "size": 1.0},
    )  # fmt: skip
    instrument = instrument_for(columns, InstrumentTerms(product=Product.PERPETUAL))
    settings = BacktestSettings(strategies=((strategy, DoubleMa),), bars=(columns,), instruments=(instrument,))

    def run() -> int:
        result = Backtest(settings).run()
        assert (result.bars, result.failures, result.denied) == (count, (), {}), result.failures
        return len(result.trades)

    return run
