"""What a backtest achieved, in numbers; docs/statistics.md has each formula. Undefined is None, never NaN."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from foxtrot.backtest.columns import Float64Column, Int64Column
from foxtrot.backtest.round_trips import Fill, RoundTrip, RoundTrips, match_round_trips
from foxtrot.domain.errors import InvariantBroken

Statistic = float | int | None

DAY_NS = 86_400_000_000_000
DAYS_PER_YEAR = 365
_SECOND_NS = 1e9
_NO_SPREAD = 1e-12
"""A standard deviation below this share of the mean is rounding of floats, and counts as none."""


class EquityCurve(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Equity over time: `starting_balance` at `start_time_ns`, then one sample per row, times never falling."""

    start_time_ns: int
    starting_balance: float
    time_ns: Int64Column
    equity: Float64Column

    def __post_init__(self) -> None:
        if not len(self.time_ns) or len(self.time_ns) != len(self.equity):
            raise InvariantBroken(f"an equity curve of {len(self.time_ns)} times and {len(self.equity)} values")
        if not np.isfinite(self.equity).all() or not self.starting_balance > 0:
            raise InvariantBroken("equity must be finite and the starting balance above 0")


def statistics(curve: EquityCurve, fills: Sequence[Fill], matched: RoundTrips | None = None) -> dict[str, Statistic]:
    """Return every statistic by name, ready for JSON.

    Args:
        curve: equity in the account's currency.
        fills: own fills in time order, of one or many instruments, with fees in the same currency.
        matched: their round trips, where these are known already.
    """
    matched = matched or match_round_trips(fills)
    return {
        **equity_statistics(curve),
        **round_trip_statistics(matched.trips),
        **activity_statistics(curve, fills, matched),
    }


def daily_returns(curve: EquityCurve) -> Float64Column | None:
    """Return the returns of the UTC days present, from their last equities; the first is against the starting balance.

    A sample at exactly midnight closes the day before. None if equity was 0 or less at the end of an earlier day.
    """
    days = (curve.time_ns - 1) // DAY_NS
    closes = curve.equity[np.append(np.flatnonzero(np.diff(days)), len(days) - 1)]
    before = np.concatenate(([curve.starting_balance], closes[:-1]))
    return closes / before - 1.0 if (before > 0).all() else None


def equity_statistics(curve: EquityCurve) -> dict[str, Statistic]:
    """Return what the equity curve alone tells: returns, drawdown and ratios of risk."""
    start, end = curve.starting_balance, float(curve.equity[-1])
    drawdown, duration_s = _drawdown(curve)
    growth = _annual_growth(curve)
    returns = daily_returns(curve)
    return {
        "start_balance": start,
        "end_balance": end,
        "total_return": end / start - 1.0,
        "cagr": growth,
        "max_drawdown": drawdown,
        "max_drawdown_duration_s": duration_s,
        "calmar": growth / drawdown if growth is not None and drawdown > 0 else None,
        **_return_statistics(returns if returns is not None else np.empty(0)),
    }


def _return_statistics(returns: Float64Column) -> dict[str, Statistic]:
    year = math.sqrt(DAYS_PER_YEAR)
    mean = float(returns.mean()) if len(returns) else None
    spread = float(returns.std(ddof=1)) if len(returns) > 1 else None
    downside = float(np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2))) if len(returns) > 1 else None
    return {
        "days": len(returns),
        "volatility": spread * year if spread is not None else None,
        "sharpe": _ratio(mean, spread, year),
        "sortino": _ratio(mean, downside, year),
        "best_day": float(returns.max()) if len(returns) else None,
        "worst_day": float(returns.min()) if len(returns) else None,
    }


def _ratio(mean: float | None, spread: float | None, scale: float) -> float | None:
    if mean is None or spread is None or spread <= _NO_SPREAD * abs(mean):
        return None
    return mean / spread * scale


def _drawdown(curve: EquityCurve) -> tuple[float, float]:
    """Return the deepest fall from a peak as a share of it, and the seconds from that peak until it was seen again."""
    equity = np.concatenate(([curve.starting_balance], curve.equity))
    times = np.concatenate(([curve.start_time_ns], curve.time_ns))
    peaks = np.maximum.accumulate(equity)
    falls = (peaks - equity) / peaks
    trough = int(np.argmax(falls))
    if falls[trough] == 0.0:
        return 0.0, 0.0
    peak = int(np.flatnonzero(equity[:trough] == peaks[trough])[-1])
    recovered = np.flatnonzero(equity[trough:] >= peaks[trough])
    end = trough + int(recovered[0]) if len(recovered) else len(equity) - 1
    return float(falls[trough]), float(times[end] - times[peak]) / _SECOND_NS


def _annual_growth(curve: EquityCurve) -> float | None:
    days = (int(curve.time_ns[-1]) - curve.start_time_ns) / DAY_NS
    ratio = float(curve.equity[-1]) / curve.starting_balance
    if days < 1.0 or ratio <= 0.0:
        return None
    exponent = math.log(ratio) * DAYS_PER_YEAR / days
    return math.expm1(exponent) if exponent < 700.0 else None


def round_trip_statistics(trips: Sequence[RoundTrip]) -> dict[str, Statistic]:
    """Return what the closed round trips tell; profits are net of fees, and a trip of exactly 0 is no win and no loss."""
    profits = np.array([trip.profit for trip in trips], dtype=np.float64)
    wins, losses = profits[profits > 0], profits[profits < 0]
    return {
        "round_trips": len(trips),
        "win_rate": len(wins) / len(trips) if trips else None,
        "profit_factor": float(wins.sum() / -losses.sum()) if len(losses) else None,
        "average_trip": float(profits.mean()) if trips else None,
        "average_win": float(wins.mean()) if len(wins) else None,
        "average_loss": float(losses.mean()) if len(losses) else None,
        "best_trip": float(profits.max()) if trips else None,
        "worst_trip": float(profits.min()) if trips else None,
        "longest_losing_streak": _longest_run(profits < 0),
    }


def _longest_run(flags: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> int:
    breaks = np.flatnonzero(np.concatenate(([True], ~flags, [True])))
    return int(np.diff(breaks).max() - 1)


def activity_statistics(curve: EquityCurve, fills: Sequence[Fill], matched: RoundTrips) -> dict[str, Statistic]:
    """Return how much was traded, what it cost, and the share of the time with a position."""
    notional = math.fsum(fill.price * fill.quantity * abs(fill.multiplier) for fill in fills)
    average = float(curve.equity.mean())
    return {
        "trades": len(fills),
        "fees": math.fsum(fill.fee for fill in fills),
        "traded_notional": notional,
        "turnover": notional / average if average > 0 else None,
        "exposure": _exposure(curve, matched),
    }


def _exposure(curve: EquityCurve, matched: RoundTrips) -> float | None:
    start, end = curve.start_time_ns, int(curve.time_ns[-1])
    if end <= start:
        return None
    spans = [(trip.open_time_ns, trip.close_time_ns) for trip in matched.trips]
    spans += [(since, end) for since in matched.open_since_ns.values()]
    covered, reached = 0, start
    for opened, closed in sorted(spans):
        covered += max(0, min(closed, end) - max(opened, reached))
        reached = max(reached, closed)
    return covered / (end - start)
