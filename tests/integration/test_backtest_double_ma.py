"""The whole line over recorded minutes against a few lines of numpy: same fills, same balance, same hash twice."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.read_bars import read_bars
from foxtrot.backtest.runner import Backtest, BacktestResult, instrument_for
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, InstrumentTerms
from foxtrot.domain.enums import Product
from foxtrot.samples.double_ma import DoubleMa
from foxtrot.strategy.settings import StrategySettings

FAST, SLOW = 20, 50


@pytest.fixture(scope="module")
def minutes(data_dir: Path) -> BarColumns:
    return read_bars(data_dir / "bars" / "btcusdt_spot_1m_2025.csv.gz", "BTCUSDT.HISTORY")


def replay(bars: BarColumns, product: Product = Product.PERPETUAL) -> BacktestResult:
    strategy = StrategySettings(
        strategy_id="double_ma",
        class_name="double_ma",
        account=ACCOUNT,
        symbols=(bars.instrument_id,),
        interval=bars.interval,
        parameters={"fast": FAST, "slow": SLOW, "size": 1.0},
    )
    instrument = instrument_for(bars, InstrumentTerms(product=product))
    return Backtest(BacktestSettings(strategies=((strategy, DoubleMa),), bars=(bars,), instruments=(instrument,))).run()


def oracle(bars: BarColumns, low: int) -> tuple[NDArray[np.int64], NDArray[np.int64], float]:
    """Rows of the fills, their signed sizes, and the last balance: held from each row on, traded at the next open."""
    cents = np.rint(bars.close * 100).astype(np.int64)
    sums = np.concatenate(([0], np.cumsum(cents)))
    rows = np.arange(SLOW - 1, len(cents))
    sign = np.sign(SLOW * (sums[rows + 1] - sums[rows + 1 - FAST]) - FAST * (sums[rows + 1] - sums[rows + 1 - SLOW]))
    known = np.maximum.accumulate(np.where(sign != 0, np.arange(len(sign)), -1))
    wanted = np.where(known >= 0, np.where(sign[known] > 0, 1, low), 0)
    change = np.diff(wanted, prepend=0)[:-1]
    at = np.flatnonzero(change)
    cash = 1_000_000.0 - float(np.sum(change[at] * bars.open[rows[at] + 1]))
    return rows[at] + 1, change[at], cash + float(wanted[-2]) * float(bars.close[-1])


@pytest.fixture(scope="module")
def result(minutes: BarColumns) -> BacktestResult:
    return replay(minutes)


def assert_equal(result: BacktestResult, bars: BarColumns, low: int) -> None:
    rows, change, balance = oracle(bars, low)
    assert (result.failures, result.denied) == ((), {})
    assert [trade.side.sign * trade.quantity for trade in result.trades] == change.tolist()
    assert [trade.price for trade in result.trades] == bars.open[rows].tolist()
    assert [trade.venue_time_ns for trade in result.trades] == bars.open_time_ns[rows].tolist()
    assert float(result.end_balance) == pytest.approx(balance, rel=1e-9)
    assert float(result.equity[-1]) == pytest.approx(balance, rel=1e-9)


def test_long_and_short_the_fills_and_the_balance_are_those_of_the_numpy_calculation(
    minutes: BarColumns, result: BacktestResult
) -> None:
    assert_equal(result, minutes, low=-1)
    assert (result.bars, result.orders, len(result.trades)) == (130_708, 2955, 2955)
    assert float(result.end_balance) == 990_202.8


def test_on_spot_it_goes_flat_instead_of_short(minutes: BarColumns) -> None:
    part = minutes[:20_000]
    assert_equal(replay(part, Product.SPOT), part, low=0)


def test_the_same_run_gives_the_same_hash_and_other_history_another(
    minutes: BarColumns, result: BacktestResult
) -> None:
    again, other = replay(minutes), replay(minutes[:20_000])
    assert result.state_hash == again.state_hash != other.state_hash
