"""Synthetic minutes: a seeded walk on a grid of 0.01, as columns."""

import numpy as np

from foxtrot.backtest.columns import BarColumns

SEED = 20_251_121
FAST, SLOW = 20, 50
MINUTE_NS = 60_000_000_000
START_NS = 1_577_836_800_000_000_000
"""2020-01-01 UTC."""
NAME = "BTCUSDT.BENCH"


def bars(count: int) -> BarColumns:
    """Return bars whose closes walk by up to five steps a minute from 1,000; opens lie up to a step from the last close."""
    random = np.random.default_rng(SEED)
    close = 100_000 + np.cumsum(random.integers(-5, 6, count))
    opening = np.concatenate(([100_000], close[:-1])) + random.integers(-1, 2, count)
    high = np.maximum(opening, close) + random.integers(0, 4, count)
    low = np.minimum(opening, close) - random.integers(0, 4, count)
    opened = START_NS + np.arange(count, dtype=np.int64) * MINUTE_NS
    return BarColumns(
        instrument_id=NAME, interval="1m", open_time_ns=opened, close_time_ns=opened + MINUTE_NS, open=opening / 100,
        high=high / 100, low=low / 100, close=close / 100, volume=random.integers(1, 100, count).astype(float),
        price_decimals=2, quantity_decimals=0,
    )  # fmt: skip
