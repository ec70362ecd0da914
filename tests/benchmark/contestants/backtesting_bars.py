"""backtesting.py as a contestant: its indicators computed at once, its orders filled at the next open."""

import warnings
from collections.abc import Callable

import backtesting.backtesting
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

from tests.benchmark.contestants.bars import FAST, SLOW, bars

backtesting.backtesting._tqdm = lambda steps, **_shown: steps  # no progress bar while the clock runs


def average(closes: np.ndarray, length: int) -> pd.Series:
    """Return the moving average."""
    return pd.Series(closes).rolling(length).mean()


class Crossing(Strategy):
    """Long one while the fast average is above the slow one, short one while it is below."""

    def init(self) -> None:
        self.fast = self.I(average, self.data.Close, FAST)
        self.slow = self.I(average, self.data.Close, SLOW)
        self.wanted = 0

    def next(self) -> None:
        difference = self.fast[-1] - self.slow[-1]
        wanted = int(difference > 0) - int(difference < 0)
        if not wanted or wanted == self.wanted:
            return
        self.wanted = wanted
        change = wanted - self.position.size
        if change > 0:
            self.buy(size=change)
        else:
            self.sell(size=-change)


def prepare(count: int) -> Callable[[], int]:
    """Build the input; return the run, which says how many fills there were."""
    columns = bars(count)
    frame = pd.DataFrame(
        {
            "Open": columns.open, "High": columns.high, "Low": columns.low, "Close": columns.close,
            "Volume": columns.volume,
        },
        index=pd.to_datetime(columns.open_time_ns),
    )  # fmt: skip
    contest = Backtest(frame, Crossing, cash=1_000_000, commission=0.0)

    def run() -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            done = contest.run()["_strategy"]
        return len(done.closed_trades) + len(done.trades)

    return run
