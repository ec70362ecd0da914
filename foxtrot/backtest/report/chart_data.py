"""The numbers behind the charts and the trade list, as plain values for JSON; times in whole UTC seconds."""

from collections.abc import Sequence

import numpy as np

from foxtrot.backtest.columns import BarColumns, Int64Column
from foxtrot.backtest.report.report_input import ReportInput
from foxtrot.backtest.report.thinning import Candles, drawdowns, merged_candles, points_to_keep
from foxtrot.backtest.round_trips import Fill

MOST_TRADES_LISTED = 20_000
MOST_MARKS = 10_000

_SECOND_NS = 1_000_000_000
_MILLISECOND_NS = 1_000_000
_MOST_DECIMALS = 10

Json = dict[str, object]


def chart_data(report: ReportInput) -> Json:
    """Return what the page's script draws: equity, candles with marks (null without bars) and the trade list."""
    candles = merged_candles(report.bars) if report.bars is not None and len(report.bars) else None
    return {
        "equity": _equity(report),
        "candles": None if candles is None or report.bars is None else _candles(report.bars, candles),
        "marks": None if candles is None or report.bars is None else _marks(report.bars, candles, report.trades),
        "trades": _trade_list(report.trades),
    }


def trades_left_out(report: ReportInput) -> int:
    """Return how many of the trades the list on the page does not hold."""
    return max(0, len(report.trades) - MOST_TRADES_LISTED)


def _equity(report: ReportInput) -> Json:
    start = report.statistics.get("start_balance")
    falls = drawdowns(report.equity, float(start) if isinstance(start, int | float) else float(report.equity[0]))
    keep = np.union1d(points_to_keep(report.equity), [np.argmin(falls)])
    keep = keep[_last_of_each_second(report.equity_time_ns[keep])]
    return {
        "time": (report.equity_time_ns[keep] // _SECOND_NS).tolist(),
        "equity": np.round(report.equity[keep], 8).tolist(),
        "drawdown": np.round(100.0 * falls[keep], 4).tolist(),
    }


def _last_of_each_second(times_ns: Int64Column) -> Int64Column:
    seconds = times_ns // _SECOND_NS
    return np.append(np.flatnonzero(np.diff(seconds)), len(seconds) - 1)


def _candles(bars: BarColumns, candles: Candles) -> Json:
    return {
        "time": (candles.open_time_ns // _SECOND_NS).tolist(),
        "open": candles.open.tolist(),
        "high": candles.high.tolist(),
        "low": candles.low.tolist(),
        "close": candles.close.tolist(),
        "merged": candles.merged,
        "interval": bars.interval,
        "decimals": min(bars.price_decimals, _MOST_DECIMALS),
    }


def _marks(bars: BarColumns, candles: Candles, trades: Sequence[Fill]) -> list[list[float]]:
    """Return [candle row, sign, fills, quantity] per candle and side; the newest if there are too many."""
    own = [trade for trade in trades if trade.instrument_id in ("", bars.instrument_id)]
    times = np.array([trade.time_ns for trade in own], dtype=np.int64)
    rows = np.maximum(np.searchsorted(candles.open_time_ns, times, side="right") - 1, 0)
    sums: dict[tuple[int, int], list[float]] = {}
    for row, trade in zip(rows.tolist(), own, strict=True):
        total = sums.setdefault((row, trade.side.sign), [0, 0.0])
        total[0] += 1
        total[1] += trade.quantity
    marks = sorted([row, sign, *total] for (row, sign), total in sums.items())
    return [[*mark[:3], round(mark[3], _MOST_DECIMALS)] for mark in marks[-MOST_MARKS:]]


def _trade_list(trades: Sequence[Fill]) -> list[list[object]]:
    """Return [ms, instrument, sign, price, quantity, fee, profit] of the newest trades, oldest first."""
    return [
        [
            trade.time_ns // _MILLISECOND_NS, trade.instrument_id, trade.side.sign, trade.price, trade.quantity,
            round(trade.fee, _MOST_DECIMALS), None if trade.profit is None else round(trade.profit, _MOST_DECIMALS),
        ]
        for trade in trades[-MOST_TRADES_LISTED:]
    ]  # fmt: skip
