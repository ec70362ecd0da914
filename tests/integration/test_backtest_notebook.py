"""backtest() as a notebook calls it, and a search over a grid."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from foxtrot.api import BarData, ConfigError, Parameter, Strategy, TickData, backtest
from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.instrument_terms import instrument_for
from foxtrot.backtest.optimise import search
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, InstrumentTerms
from foxtrot.backtest.summary import result_object
from foxtrot.samples.double_ma import DoubleMa
from foxtrot.strategy.settings import StrategySettings
from tests.unit.backtest.scripted import bars_of

ITEM_1 = {
    "bars", "orders", "trades", "start_balance", "end_balance", "total_return", "max_drawdown", "sharpe", "fees", "elapsed_s",
    "bars_per_s", "state_hash",
}  # fmt: skip


class Hold(Strategy):
    """Buys at the first bar or tick and holds."""

    size = Parameter(1.0, "quantity", minimum=0.0)

    def on_init(self) -> None:
        self.bought = False

    def on_bar(self, bar: BarData) -> None:
        self.enter()

    def on_tick(self, tick: TickData) -> None:
        self.enter()

    def enter(self) -> None:
        if not self.bought:
            self.bought = True
            self.buy(self.size)


class Picky(Hold):
    """Cannot work with a size above 2."""

    def on_init(self) -> None:
        super().on_init()
        if self.size > 2.0:
            raise ConfigError("too much")


def frame(rows: int = 500) -> pd.DataFrame:
    """A random walk of daily bars in a DataFrame with a DatetimeIndex."""
    steps = np.random.default_rng(7).normal(0.0, 1.0, rows)
    close = np.round(200.0 + np.cumsum(steps), 2)
    opening = np.concatenate(([200.0], close[:-1]))
    index = pd.date_range("2024-01-01", periods=rows, freq="D", tz="UTC", name="time")
    columns = {"open": opening, "high": np.maximum(opening, close) + 0.5, "low": np.minimum(opening, close) - 0.5}
    return pd.DataFrame({**columns, "close": close, "volume": 1000.0}, index=index)


def test_a_dataframe_gives_statistics_equity_trades_and_a_report(tmp_path: Path) -> None:
    result = backtest(
        DoubleMa, bars=frame(), params={"fast": 5, "slow": 20}, symbol="ABC.TEST", fee=0.001, slippage=0.02
    )
    assert (result.failures, result.bars) == ((), 500)
    assert len(result.equity) == len(result.equity_time_ns) == 500
    assert len(result.trades) == result.orders == result.statistics["trades"] > 10
    assert float(result.fees) == pytest.approx(sum(0.001 * t.price * t.quantity for t in result.trades))
    page = result.report(tmp_path / "out")
    assert page.name == "report.html"
    text = page.read_text("utf-8")
    assert "DoubleMa on ABC.TEST 1d" in text
    assert "Zero latency" in text
    assert "Zero cost" not in text


def test_the_summary_has_every_key_and_is_json() -> None:
    result = backtest(DoubleMa, bars=frame(), params={"fast": 5, "slow": 20})
    summary = result.summary()
    assert summary.keys() >= ITEM_1 | {"denied", "failures", "warnings", "assumptions"}
    assert json.loads(json.dumps(summary, allow_nan=False)) == result_object(result, result.settings)
    assert summary["trades"] == len(result.trades)


def test_a_file_columns_and_several_instruments_are_taken_too(tmp_path: Path) -> None:
    path = tmp_path / "abc.csv"
    frame(50).to_csv(path)
    from_file = backtest(Hold, bars=path, symbol="ABC.TEST")
    from_frame = backtest(Hold, bars=frame(50), symbol="ABC.TEST")
    assert from_file.state_hash == from_frame.state_hash
    columns = backtest(Hold, bars=from_frame.settings.bars[0])
    assert columns.state_hash == from_frame.state_hash
    both = backtest(Hold, bars={"ABC.TEST": frame(50), "DEF.TEST": path})
    assert [item.instrument_id for item in both.settings.instruments] == ["ABC.TEST", "DEF.TEST"]


def test_ticks_are_taken_by_file(tmp_path: Path) -> None:
    path = tmp_path / "quotes.csv"
    path.write_text("time,bid,ask\n2024-01-01T00:00:00Z,99.9,100.1\n2024-01-01T00:00:01Z,100.0,100.2\n")
    result = backtest(Hold, ticks=path, symbol="ABC.TEST", product="spot")
    assert [(trade.price, trade.quantity) for trade in result.trades] == [(100.1, 1.0)]


def test_wrong_arguments_are_one_line_with_the_fix() -> None:
    with pytest.raises(ConfigError, match=r"knows no slipage; did you mean slippage\?"):
        backtest(Hold, bars=frame(10), slipage=1)  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="give history"):
        backtest(Hold)
    with pytest.raises(ConfigError, match="fee 5 must be a fraction"):
        backtest(Hold, bars=frame(10), fee=5)
    with pytest.raises(ConfigError, match="no parameter sise"):
        backtest(Hold, bars=frame(10), params={"sise": 1.0})


def grid_settings(kind: type[Strategy], bars: BarColumns) -> BacktestSettings:
    item = StrategySettings(
        strategy_id="grid",
        class_name="double_ma",
        account=ACCOUNT,
        symbols=(bars.instrument_id,),
        interval=bars.interval,
    )
    return BacktestSettings(
        strategies=((item, kind),), bars=(bars,), instruments=(instrument_for(bars, InstrumentTerms()),)
    )


def test_a_search_is_sorted_deterministic_and_the_same_over_processes() -> None:
    bars = backtest(Hold, bars=frame(120)).settings.bars[0]
    settings, grid = grid_settings(DoubleMa, bars), {"fast": (3, 5), "slow": (10, 20)}
    alone = search(settings, grid, by="total_return")
    spread = search(settings, grid, by="total_return", workers=2)
    returns = [run.statistics["total_return"] for run in alone.runs]
    assert returns == sorted(returns, reverse=True)
    assert [(run.parameters, run.state_hash) for run in alone.runs] == [
        (run.parameters, run.state_hash) for run in spread.runs
    ]


def test_points_of_a_search_that_fail_are_reported_last_and_stop_nothing() -> None:
    bars = bars_of([(100.0, 101.0, 99.0, 100.0), (100.0, 102.0, 99.0, 101.0), (101.0, 103.0, 99.0, 102.0)])
    found = search(grid_settings(Picky, bars), {"size": (-1.0, 3.0, 1.0, 2.0)}, by="total_return")
    assert [run.parameters["size"] for run in found.runs] == [2.0, 1.0, 3.0, -1.0]
    assert [bool(run.failures) for run in found.runs] == [False, False, True, True]
    assert "parameter size must be at least 0.0" in found.runs[3].failures[0]
    assert "too much" in found.runs[2].failures[0]
