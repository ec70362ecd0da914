"""RSI reversion: entry by limit, a stop that follows fills, and never more sold than held."""

from pathlib import Path

import numpy as np
import pytest

from foxtrot.backtest.read_bars import read_bars
from foxtrot.domain.enums import OrderStatus, OrderType, Product
from foxtrot.domain.order import OrderData
from foxtrot.samples.rsi_reversion import RsiReversion
from tests.support.history import bars_of_closes, columns, replay

FALL = [100.0] * 8 + [99.0, 98.0]
# Period 2: nothing but losses makes the index 0, so both closes of the fall are below 30.


class Watched(RsiReversion):
    """The sample with its orders kept."""

    heard: list[OrderData]

    def on_init(self) -> None:
        """Keep what on_order hears."""
        type(self).heard = []
        super().on_init()

    def on_order(self, order: OrderData) -> None:
        """Keep it."""
        type(self).heard.append(order)
        super().on_order(order)


def orders(kind: OrderType) -> list[tuple[float, float, OrderStatus]]:
    last = {order.order_id: order for order in Watched.heard}
    return [(o.price or o.trigger_price, o.quantity, o.status) for o in last.values() if o.order_type is kind]


def test_weakness_is_bought_with_a_limit_at_the_close_and_protected_by_a_stop() -> None:
    result = replay(Watched, bars_of_closes([*FALL, 97.5]), period=2, stop_percent=2.0)
    assert [(str(t.side), t.quantity, t.price) for t in result.trades] == [("buy", 1.0, 99.0)]
    assert orders(OrderType.LIMIT) == [(99.0, 1.0, OrderStatus.FILLED)]
    assert orders(OrderType.STOP) == [(97.02, 1.0, OrderStatus.ACCEPTED)]


def test_the_stop_ends_the_position_and_the_wish() -> None:
    result = replay(Watched, bars_of_closes([*FALL, 97.5, 96.0, 99.0, 99.0]), period=2, stop_percent=2.0, low=1.0)
    assert [(str(t.side), t.price) for t in result.trades][:2] == [("buy", 99.0), ("sell", 97.02)]


def test_strength_cancels_the_stop_before_it_closes() -> None:
    result = replay(Watched, bars_of_closes([*FALL, 103.0, 103.0, 103.0]), period=2, stop_percent=3.0)
    assert [(str(t.side), t.price) for t in result.trades] == [("buy", 99.0), ("sell", 103.0)]
    assert orders(OrderType.STOP) == [(96.03, 1.0, OrderStatus.CANCELLED)]
    assert result.failures == ()


def test_an_entry_that_was_not_reached_is_renewed_at_the_next_close() -> None:
    close = np.array([*FALL, 97.0, 97.0])
    opening = close + 0.5
    opening[:8] = 100.0
    bars = columns("BTCUSDT.HISTORY", opening, np.maximum(opening, close), np.minimum(opening, close), close)
    bars.low[9:] = bars.close[9:] = [99.2, 98.7, 98.7]
    bars.open[9:] = bars.high[9:] = [99.6, 99.2, 99.2]
    replay(Watched, bars, period=2)
    assert orders(OrderType.LIMIT)[:2] == [(99.0, 1.0, OrderStatus.CANCELLED), (99.2, 1.0, OrderStatus.FILLED)]


@pytest.mark.slow
@pytest.mark.parametrize("product", [Product.PERPETUAL, Product.SPOT])
def test_on_recorded_bars_it_never_sells_what_it_does_not_hold(data_dir: Path, product: Product) -> None:
    bars = read_bars(data_dir / "bars" / "btcusdt_spot_15m_2025.csv.gz", "BTCUSDT.HISTORY")
    result = replay(Watched, bars, product=product)
    held, track = 0.0, []
    for trade in result.trades:
        held += trade.side.sign * trade.quantity
        track.append(held)
    assert set(track) == {0.0, 1.0}
    assert (len(result.trades), result.failures, result.denied) == (106, (), {})
