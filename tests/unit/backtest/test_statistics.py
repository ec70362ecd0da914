"""Each statistic against numbers worked out by hand; docs/statistics.md has the formulas."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from foxtrot.backtest.round_trips import Fill
from foxtrot.backtest.statistics import DAY_NS, EquityCurve, Statistic, daily_returns, statistics
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import InvariantBroken

HOUR_NS = DAY_NS // 24
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "statistics.md"


def curve(*samples: tuple[float, float], start: float = 100.0) -> EquityCurve:
    """Equity samples as (days since the start, equity)."""
    times = np.array([round(days * DAY_NS) for days, _ in samples], dtype=np.int64)
    return EquityCurve(
        start_time_ns=0,
        starting_balance=start,
        time_ns=times,
        equity=np.array([equity for _, equity in samples], dtype=np.float64),
    )


def of(equity: EquityCurve, *fills: Fill) -> dict[str, Statistic]:
    return statistics(equity, fills)


FOUR_DAYS = curve((1, 110.0), (2, 99.0), (3, 99.0), (4, 118.8))
"""Daily returns +0.1, −0.1, 0, +0.2."""


def test_total_return_and_balances() -> None:
    values = of(FOUR_DAYS)
    assert (values["start_balance"], values["end_balance"]) == (100.0, 118.8)
    assert values["total_return"] == pytest.approx(0.188)


def test_daily_returns_take_the_last_equity_of_each_day_and_midnight_closes_the_day_before() -> None:
    equity = curve((0.25, 70.0), (1.0, 110.0), (1.0 + 1e-9, 50.0), (1.5, 121.0), (3.2, 60.5))
    returns = daily_returns(equity)
    assert returns is not None
    assert returns == pytest.approx([0.1, 0.1, -0.5])


def test_sharpe_is_mean_by_deviation_with_one_less_times_the_root_of_365() -> None:
    deviation = math.sqrt((0.05**2 + 0.15**2 + 0.05**2 + 0.15**2) / 3)
    values = of(FOUR_DAYS)
    assert values["sharpe"] == pytest.approx(0.05 / deviation * math.sqrt(365))
    assert values["volatility"] == pytest.approx(deviation * math.sqrt(365))


def test_sortino_counts_only_falls_over_all_days() -> None:
    assert of(FOUR_DAYS)["sortino"] == pytest.approx(0.05 / math.sqrt(0.01 / 4) * math.sqrt(365))


def test_best_and_worst_day() -> None:
    values = of(FOUR_DAYS)
    assert values["best_day"] == pytest.approx(0.2)
    assert values["worst_day"] == pytest.approx(-0.1)
    assert values["days"] == 4


def test_growth_is_annual_with_a_year_of_365_days() -> None:
    assert of(curve((365, 121.0)))["cagr"] == pytest.approx(0.21)
    assert of(curve((730, 121.0)))["cagr"] == pytest.approx(0.1)
    assert of(curve((0.5, 121.0)))["cagr"] is None
    assert of(curve((1, 1e9)))["cagr"] is None
    assert of(curve((2, -1.0)))["cagr"] is None


def test_drawdown_is_the_deepest_share_of_a_peak_and_lasts_until_the_peak_is_seen_again() -> None:
    values = of(curve((1, 120.0), (2, 120.0), (3, 90.0), (4, 119.0), (5, 120.0), (6, 119.0)))
    assert values["max_drawdown"] == pytest.approx(0.25)
    assert values["max_drawdown_duration_s"] == 3 * 86_400


def test_drawdown_counts_from_the_starting_balance_and_to_the_end_if_not_recovered() -> None:
    values = of(curve((1, 80.0), (3, 90.0)))
    assert values["max_drawdown"] == pytest.approx(0.2)
    assert values["max_drawdown_duration_s"] == 3 * 86_400
    assert of(curve((1, 50.0), (2, -25.0)))["max_drawdown"] == pytest.approx(1.25)


def test_calmar_is_annual_growth_by_drawdown() -> None:
    assert of(curve((100, 90.0), (365, 121.0)))["calmar"] == pytest.approx(0.21 / 0.1)
    assert of(curve((365, 121.0)))["calmar"] is None


def trip(day: float, profit: float, fee: float = 0.0) -> tuple[Fill, Fill]:
    opened, closed = round(day * DAY_NS), round((day + 0.25) * DAY_NS)
    return Fill(opened, Side.BUY, 100.0, 1.0, fee), Fill(closed, Side.SELL, 100.0 + profit, 1.0, fee)


TRIPS = (*trip(0, 12, 1), *trip(1, -4, 1), *trip(2, -1, 1), *trip(3, 2, 1), *trip(3.5, 7, 1))
"""Net of fees: +10, −6, −3, 0, +5."""


def test_win_rate_counts_net_profits_and_zero_as_neither() -> None:
    values = of(FOUR_DAYS, *TRIPS)
    assert values["round_trips"] == 5
    assert values["win_rate"] == pytest.approx(0.4)


def test_profit_factor_is_wins_by_losses() -> None:
    assert of(FOUR_DAYS, *TRIPS)["profit_factor"] == pytest.approx(15 / 9)
    assert of(FOUR_DAYS, *trip(0, 5))["profit_factor"] is None


def test_averages_and_extremes_of_round_trips() -> None:
    values = of(FOUR_DAYS, *TRIPS)
    assert values["average_trip"] == pytest.approx(6 / 5)
    assert values["average_win"] == pytest.approx(7.5)
    assert values["average_loss"] == pytest.approx(-4.5)
    assert (values["best_trip"], values["worst_trip"]) == (10.0, -6.0)


def test_the_longest_losing_streak_ends_at_a_trip_that_does_not_lose() -> None:
    assert of(FOUR_DAYS, *TRIPS)["longest_losing_streak"] == 2
    assert of(FOUR_DAYS, *trip(0, -1), *trip(1, -1), *trip(2, -1))["longest_losing_streak"] == 3


def test_fees_notional_and_turnover() -> None:
    values = of(FOUR_DAYS, *TRIPS)
    notional = 5 * 100.0 + 112 + 96 + 99 + 102 + 107
    assert (values["trades"], values["fees"], values["traded_notional"]) == (10, 10.0, notional)
    assert values["turnover"] == pytest.approx(notional / ((110 + 99 + 99 + 118.8) / 4))


def test_exposure_is_the_share_of_time_with_any_position() -> None:
    overlapping = (
        Fill(DAY_NS, Side.BUY, 1.0, 1.0, 0.0, "A"),
        Fill(DAY_NS + 6 * HOUR_NS, Side.SELL, 1.0, 1.0, 0.0, "B"),
        Fill(DAY_NS + 12 * HOUR_NS, Side.SELL, 1.0, 1.0, 0.0, "A"),
        Fill(2 * DAY_NS, Side.BUY, 1.0, 1.0, 0.0, "B"),
        Fill(3 * DAY_NS, Side.BUY, 1.0, 1.0, 0.0, "A"),
    )
    assert of(FOUR_DAYS, *overlapping)["exposure"] == pytest.approx(0.5)
    assert of(FOUR_DAYS)["exposure"] == 0.0


def test_what_is_undefined_is_none_and_the_whole_is_json() -> None:
    values = of(curve((0.5, 100.0)))
    undefined = {name for name, value in values.items() if value is None}
    assert undefined == {
        "cagr", "calmar", "volatility", "sharpe", "sortino", "win_rate", "profit_factor", "average_trip", "average_win",
        "average_loss", "best_trip", "worst_trip",
    }  # fmt: skip
    json.dumps(values, allow_nan=False)


def test_equity_that_falls_to_nothing_leaves_returns_undefined() -> None:
    values = of(curve((1, -5.0), (2, 10.0)))
    assert (values["sharpe"], values["best_day"], values["days"]) == (None, None, 0)
    json.dumps(values, allow_nan=False)


def test_a_steady_gain_has_no_sharpe_made_of_rounding() -> None:
    assert of(curve(*((day, 100.0 * 1.01**day) for day in range(1, 50))))["sharpe"] is None
    assert of(curve((1, 100.0), (2, 100.0)))["sharpe"] is None


def test_a_curve_that_is_empty_or_not_finite_is_refused() -> None:
    with pytest.raises(InvariantBroken, match="0 times and 0 values"):
        curve()
    with pytest.raises(InvariantBroken, match="must be finite"):
        curve((1, math.nan))
    with pytest.raises(InvariantBroken, match="above 0"):
        curve((1, 1.0), start=0.0)


def test_the_document_names_every_statistic() -> None:
    named = {
        name
        for row in re.findall(r"^\| (`.*?) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
        for name in row.split("`")
    }
    assert set(of(FOUR_DAYS, *TRIPS)) == {name for name in named if re.fullmatch(r"[a-z_]+", name)}
