"""Equity over time, from fills and prices alone: cash after the fills so far plus positions at the last price."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import numpy as np

from foxtrot.backtest.columns import Float64Column, Int64Column
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import TradeData
from foxtrot.trading.portfolio import signed

MOST_SAMPLES = 100_000
_STEPS_NS = (10**9, 60 * 10**9, 3_600 * 10**9, 86_400 * 10**9)


class MarkSeries(msgspec.Struct, frozen=True, eq=False):
    """The price of one instrument over time; row i holds from its time on."""

    instrument: Instrument
    time_ns: Int64Column
    price: Float64Column

    def at(self, times: Int64Column) -> Float64Column:
        """Return the price at each time; before the first it is the first."""
        rows = np.searchsorted(self.time_ns, times, side="right") - 1
        return self.price[np.maximum(rows, 0)]

    @property
    def last(self) -> Decimal:
        """Return the last price exactly."""
        return Decimal(repr(float(self.price[-1])))


def even_samples(start_ns: int, end_ns: int) -> Int64Column:
    """Return sample times every second, minute, hour or day, whichever is the first to give no more than 100,000, and the end."""
    span = end_ns - start_ns
    step = next((step for step in _STEPS_NS if span // step < MOST_SAMPLES), _STEPS_NS[-1])
    times = np.arange(start_ns - start_ns % step + step, end_ns, step, dtype=np.int64)
    return np.append(times, np.int64(end_ns))


def equity_curve(
    balance: Decimal, times: Int64Column, marks: Sequence[MarkSeries], trades: Sequence[TradeData]
) -> Float64Column:
    """Return the equity at each time. What is filled at a sample's very time comes after it, but before the end."""
    equity = np.full(len(times), float(balance))
    for series in marks:
        mine = [trade for trade in trades if trade.instrument_id == series.instrument.instrument_id]
        if mine:
            equity += _profit(mine, series, times)
    return equity


def _profit(trades: Sequence[TradeData], series: MarkSeries, times: Int64Column) -> Float64Column:
    """Return cash flow plus the value of the position at each time; both are counted in whole units until the end."""
    instrument = series.instrument
    price_of, quantity_of = instrument.price_grid.from_float, instrument.quantity_grid.from_float
    filled_ns = np.array([trade.venue_time_ns for trade in trades], dtype=np.int64)
    steps = np.minimum(np.searchsorted(times, filled_ns, side="right"), len(times) - 1).tolist()
    money = float(instrument.price_grid.step * instrument.quantity_grid.step * instrument.multiplier)
    cash, held = np.zeros(len(times)), np.zeros(len(times))
    flow, units, fees, last = 0, 0, Decimal(0), 0
    for step, trade in zip(steps, trades, strict=True):
        cash[last:step], held[last:step] = flow * money - float(fees), units
        change = signed(trade.side, quantity_of(trade.quantity))
        flow -= change * price_of(trade.price)
        units += change
        fees += trade.fee
        last = max(last, step)
    cash[last:], held[last:] = flow * money - float(fees), units
    return cash + held * float(instrument.quantity_grid.step * instrument.multiplier) * series.at(times)
