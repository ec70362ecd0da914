"""What a report is made of."""

from collections.abc import Mapping, Sequence

import msgspec

from foxtrot.backtest.columns import BarColumns, Float64Column, Int64Column
from foxtrot.backtest.round_trips import Fill
from foxtrot.backtest.statistics import Statistic


class ReportInput(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Everything on the page.

    Attributes:
        title: such as "double_ma on BTCUSDT.BINANCE 1m".
        assumptions: (name, value) in the order shown: fees, slippage, latency, fill rules, data file, span, grid.
        zero_cost: whether neither fees nor slippage were charged; the page warns loudly.
        zero_latency: whether orders or data arrived at once; the page warns loudly.
        warnings: further warnings, such as those of the file reader.
        parameters: the strategy's parameters.
        statistics: numbers by name; None is shown as n/a.
        bars: the bars traded on, if there were bars.
        equity_time_ns: times of the equity samples, UTC ns, never falling.
        equity: equity at those times, in the account's currency.
        trades: own fills in time order, with their profits (see `round_trips.match_round_trips`).
    """

    title: str
    assumptions: Sequence[tuple[str, str]]
    zero_cost: bool
    zero_latency: bool
    warnings: Sequence[str]
    parameters: Mapping[str, object]
    statistics: Mapping[str, Statistic | str]
    bars: BarColumns | None
    equity_time_ns: Int64Column
    equity: Float64Column
    trades: Sequence[Fill]
