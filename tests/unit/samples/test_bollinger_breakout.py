"""Bollinger breakout on closes whose bands are known without a calculator, and on recorded bars."""

from pathlib import Path

import numpy as np
import pytest

from foxtrot.backtest.read_bars import read_bars
from foxtrot.domain.enums import Product
from foxtrot.samples.bollinger_breakout import BollingerBreakout
from tests.support.history import bars_of_closes, replay

# After 10, 10, 10, 10 a close of 14 makes middle 11 and deviation sqrt(3) = 1.73: the upper band of width 1 is 12.73.
UP = [10.0, 10.0, 10.0, 10.0, 14.0, 14.0]


def fills(closes: list[float], product: Product = Product.PERPETUAL) -> list[tuple[str, float, float]]:
    result = replay(BollingerBreakout, bars_of_closes(closes), product=product, window=4, width=1.0, size=2.0)
    assert (result.failures, result.denied) == ((), {})
    return [(str(trade.side), trade.quantity, trade.price) for trade in result.trades]


def test_a_close_above_the_upper_band_is_bought_at_the_next_open() -> None:
    assert fills(UP) == [("buy", 2.0, 14.0)]


def test_a_close_back_below_the_middle_ends_it() -> None:
    # 10 10 14 14 → 12 is inside; 10 14 14 11.5: middle 12.375, deviation 1.75: 11.5 is inside and below the middle.
    assert fills([*UP, 11.5, 11.5]) == [("buy", 2.0, 14.0), ("sell", 2.0, 11.5)]


def test_a_close_below_the_lower_band_turns_it_round() -> None:
    # 10 14 14 5: middle 10.75, deviation 3.7: 5 is below the lower band.
    assert fills([*UP, 5.0, 5.0]) == [("buy", 2.0, 14.0), ("sell", 4.0, 5.0)]


def test_on_spot_it_is_flat_instead_of_short() -> None:
    assert fills([*UP, 5.0, 5.0], Product.SPOT) == [("buy", 2.0, 14.0), ("sell", 2.0, 5.0)]


def test_the_warm_up_is_not_traded() -> None:
    assert fills([10.0, 10.0, 10.0, 14.0, 11.0]) == []


@pytest.mark.slow
def test_on_recorded_bars_its_positions_follow_bands_made_by_numpy(data_dir: Path) -> None:
    bars = read_bars(data_dir / "bars" / "btcusdt_spot_15m_2025.csv.gz", "BTCUSDT.HISTORY")
    result = replay(BollingerBreakout, bars)
    assert (result.failures, result.denied) == ((), {})
    windows = np.lib.stride_tricks.sliding_window_view(bars.close, 20)
    middle, deviation = windows.mean(axis=1), windows.std(axis=1)
    direction, wanted = 0, []
    for close, mid, dev in zip(bars.close[20:], middle[1:], deviation[1:], strict=True):
        if close > mid + 2.0 * dev:
            direction = 1
        elif close < mid - 2.0 * dev:
            direction = -1
        elif (close - mid) * direction <= 0.0:
            direction = 0
        wanted.append(direction)
    changes = np.diff(wanted, prepend=0)[:-1]
    assert [trade.side.sign * trade.quantity for trade in result.trades] == [float(c) for c in changes if c]
    assert len(result.trades) == 628
