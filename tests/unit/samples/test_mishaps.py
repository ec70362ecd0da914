"""What the samples do when the venue does not do what they wished: one leg fails, a run ends and begins, a stop is set off."""

import pytest

from foxtrot.api import BarData, Side, Strategy
from foxtrot.core.notices import OrderChanged
from foxtrot.samples.bollinger_breakout import BollingerBreakout
from foxtrot.samples.double_ma import DoubleMa
from foxtrot.samples.grid import Grid
from foxtrot.samples.rsi_reversion import RsiReversion
from foxtrot.samples.spread import Spread
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig, S

M = 60 * S


def close(rig: LineRig, prices: dict[str, float]) -> None:
    """Let a minute pass and bars close at prices."""
    rig.wait(60)
    now_ns = rig.clock.now_ns()
    for name, price in prices.items():
        rig.put(BarData(name, "1m", now_ns - M, now_ns, price, price, price, price, 1.0, local_time_ns=now_ns))
    rig.settle()


def test_a_pair_of_which_one_leg_does_not_trade_is_closed_at_the_next_close() -> None:
    one, two = a_perpetual(instrument_id="A.X", symbol="A"), a_perpetual(instrument_id="B.X", symbol="B")
    rig = LineRig(one, two)
    rig.quote(109.0, 111.0, 100.0, one)
    parameters = {"window": 4, "enter": 1.5, "leave": 0.5, "notional": 1100.0}
    pair = rig.start(Spread, symbols=("A.X", "B.X"), parameters=parameters)
    for first in (100.0, 100.1, 100.0, 100.1, 110.0):
        close(rig, {"A.X": first, "B.X": 100.0})
    assert (pair.position_of("A.X"), pair.position_of("B.X"), pair.direction) == (-10.0, 0.0, -1)
    close(rig, {"A.X": 112.0, "B.X": 100.0})
    assert (pair.position_of("A.X"), pair.position_of("B.X"), pair.direction) == (0.0, 0.0, 0)
    assert "a leg did not trade: closing the pair" in rig.lines()


@pytest.mark.parametrize(
    ("sample", "parameters"),
    [
        (DoubleMa, {"fast": 1, "slow": 2}),
        (BollingerBreakout, {"window": 3}),
        (RsiReversion, {"period": 2}),
        (Grid, {}),
        (Spread, {"window": 3}),
    ],
)
def test_no_sample_trades_on_bars_that_were_missed_or_breaks_on_them(
    sample: type[Strategy], parameters: dict[str, float]
) -> None:
    one, two = a_perpetual(instrument_id="A.X", symbol="A"), a_perpetual(instrument_id="B.X", symbol="B")
    rig = LineRig(one, two)
    for instrument in (one, two):
        rig.quote(99.0, 101.0, 1_000.0, instrument)
    strategy = rig.start(sample, symbols=("A.X", "B.X"), parameters=parameters)
    now_ns = rig.clock.now_ns()
    for minute, price in enumerate((100.0, 101.0, 99.0, 120.0, 60.0, 140.0, 100.0, 30.0, 150.0)):
        for name, close_price in (("A.X", price), ("B.X", 100.0)):
            at = now_ns + minute * M
            prices = (close_price,) * 4
            rig.put(BarData(name, "1m", at, at + M, *prices, 1.0, local_time_ns=now_ns, backfilled=True))
    assert rig.stages() == ["initialising", "ready", "running"]
    assert strategy.trading
    assert rig.told(OrderChanged) == []


def resting(strategy: Strategy) -> list[tuple[str, float, float]]:
    return sorted((str(order.side), order.price, order.remaining_quantity) for order in strategy.open_orders())


def test_a_grid_that_starts_again_offers_what_it_holds_and_keeps_its_anchor() -> None:
    rig = LineRig(a_perpetual())
    grid = rig.start(Grid, parameters={"levels": 2, "step_percent": 10.0, "size": 1.0})
    close(rig, {"BTCUSDT.PERP": 100.0})
    rig.hit(Side.SELL, 1.0, 90.0)
    rig.hit(Side.SELL, 0.4, 81.0)
    assert (grid.position, resting(grid)) == (1.4, [("buy", 81.0, 0.6), ("sell", 100.0, 1.0)])
    rig.stop()
    rig.line.strategies.start("one")
    close(rig, {"BTCUSDT.PERP": 95.0})
    assert resting(grid) == [("buy", 81.0, 0.6), ("sell", 90.0, 0.4), ("sell", 100.0, 1.0)]


def test_an_entry_that_was_stopped_out_is_no_longer_wanted() -> None:
    rig = LineRig(a_perpetual())
    rig.quote(97.0, 98.0)
    strategy = rig.start(RsiReversion, parameters={"period": 2, "stop_percent": 2.0})
    for price in (100.0, 99.0, 98.0):
        close(rig, {"BTCUSDT.PERP": price})
    assert (strategy.position, strategy.wants_long) == (1.0, True)
    (stop,) = strategy.open_orders()
    assert (stop.trigger_price, stop.remaining_quantity) == (96.04, 1.0)
    rig.quote(95.0, 99.0)
    rig.trade(96.0)
    assert (strategy.position, strategy.wants_long, strategy.open_orders()) == (0.0, False, [])


def test_the_stop_grows_with_an_entry_that_is_filled_in_parts() -> None:
    rig = LineRig(a_perpetual())
    strategy = rig.start(RsiReversion, parameters={"period": 2, "stop_percent": 2.0})
    for price in (100.0, 99.0, 98.0):
        close(rig, {"BTCUSDT.PERP": price})
    covered = []
    for part in (0.3, 0.5, 0.2):
        rig.hit(Side.SELL, part, 98.0)
        covered.append([o.remaining_quantity for o in strategy.open_orders() if o.side is Side.SELL])
    assert covered == [[0.3], [0.8], [1.0]]
