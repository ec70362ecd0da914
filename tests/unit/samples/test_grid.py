"""The grid: levels, counterparts, restarts, and what it earns on a zigzag."""

from pathlib import Path

import numpy as np
import pytest

from foxtrot.backtest.bar_fills import FillSettings
from foxtrot.backtest.read_bars import read_bars
from foxtrot.samples.grid import Grid
from tests.support.history import bars_of_closes, columns, replay


def fills(closes: list[float], **parameters: float) -> list[tuple[str, float, float]]:
    result = replay(
        Grid, bars_of_closes(closes), lot="0.001", **{"levels": 2, "step_percent": 10.0, "size": 1.0, **parameters}
    )
    assert result.failures == ()
    return [(str(trade.side), trade.quantity, trade.price) for trade in result.trades]


def test_levels_lie_below_the_anchor_and_are_bought_when_traded_through() -> None:
    # Anchor 100: level 1 at 90, level 2 at 81.
    assert fills([100.0, 95.0, 89.0, 80.0]) == [("buy", 1.0, 90.0), ("buy", 1.0, 81.0)]


def test_what_a_level_bought_is_sold_one_level_higher_and_bought_again() -> None:
    closes = [100.0, 89.0, 95.0, 101.0, 95.0, 89.0]
    assert fills(closes) == [("buy", 1.0, 90.0), ("sell", 1.0, 100.0), ("buy", 1.0, 90.0)]


def test_each_round_earns_the_step() -> None:
    result = replay(Grid, bars_of_closes([100.0, 89.0, 101.0] * 5), lot="0.001", levels=1, step_percent=10.0, size=1.0)
    assert float(result.end_balance - result.start_balance) == 50.0


def test_a_level_that_is_filled_in_parts_sells_what_it_has_and_stays_at_its_size() -> None:
    close = np.array([100.0] + [89.0] * 6 + [101.0] * 6)
    opening = np.concatenate((close[:1], close[:-1]))
    bars = columns("BTCUSDT.HISTORY", opening, np.maximum(opening, close), np.minimum(opening, close), close)
    fills = FillSettings(max_volume_share=0.0004)
    result = replay(Grid, bars, fills=fills, levels=1, step_percent=10.0, size=1.0)
    held, most = 0.0, 0.0
    for trade in result.trades:
        held += trade.side.sign * trade.quantity
        most = max(most, held)
        assert held >= -1e-9
    assert most == pytest.approx(1.0)
    assert len(result.trades) > 4
    assert result.failures == ()


@pytest.mark.slow
def test_on_recorded_bars_it_holds_at_most_its_levels_and_never_sells_short(data_dir: Path) -> None:
    bars = read_bars(data_dir / "bars" / "btcusdt_spot_15m_2025.csv.gz", "BTCUSDT.HISTORY")
    result = replay(Grid, bars)
    held = np.cumsum([trade.side.sign * trade.quantity for trade in result.trades])
    assert result.failures == ()
    assert len(result.trades) > 100
    assert held.min() >= -1e-9
    assert held.max() <= 0.5 + 1e-9
