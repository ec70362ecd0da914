"""The report page: one file that needs no network, loud about what it leaves out, light whatever the length of the run."""

import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from foxtrot.backtest.assumptions import ZERO_COST, ZERO_LATENCY
from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.report.chart_data import MOST_TRADES_LISTED
from foxtrot.backtest.report.number_text import duration_text, groups, headline, text_of
from foxtrot.backtest.report.page import render, write_report
from foxtrot.backtest.report.report_input import ReportInput
from foxtrot.backtest.report.thinning import drawdowns, merged_candles, points_to_keep
from foxtrot.backtest.round_trips import Fill
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import ConfigError

MINUTE_NS = 60 * 10**9


def bars_of(rows: int) -> BarColumns:
    opens = np.arange(rows, dtype=np.int64) * MINUTE_NS
    price = np.asarray(100 + np.arange(rows) % 7, dtype=np.float64)
    return BarColumns(
        instrument_id="X", interval="1m", open_time_ns=opens, close_time_ns=opens + MINUTE_NS, open=price,
        high=price + 1, low=price - 1, close=price, volume=price, price_decimals=1,
    )  # fmt: skip


def report_of(rows: int = 10, **changes: object) -> ReportInput:
    bars = bars_of(rows)
    values: dict[str, object] = {
        "title": "double_ma on X",
        "assumptions": [("Fees", "0.1 %"), ("Data file", "bars.csv")],
        "zero_cost": False,
        "zero_latency": False,
        "warnings": [],
        "parameters": {"fast": 20},
        "statistics": {"start_balance": 1000.0, "total_return": 0.05, "sharpe": None},
        "bars": bars,
        "equity_time_ns": bars.close_time_ns,
        "equity": 1000.0 + np.arange(rows),
        "trades": [
            Fill(MINUTE_NS, Side.BUY, 101.0, 2.0, 0.5, "X"),
            Fill(3 * MINUTE_NS, Side.SELL, 103.0, 2.0, 0.5, "X", 1.0, 4.0),
        ],
    }
    return ReportInput(**(values | changes))  # type: ignore[arg-type]


def data_of(page: str) -> dict[str, Any]:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert match
    loaded: dict[str, Any] = json.loads(match[1])
    return loaded


def text_before_charts(page: str) -> str:
    return html.unescape(page.partition("Equity and drawdown")[0])


def test_the_page_is_one_file_that_asks_nothing_of_any_network(tmp_path: Path) -> None:
    path = write_report(report_of(), tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "report.html"
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]
    page = path.read_text("utf-8")
    assert "default-src 'none'" in page
    assert not re.search(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=", page)
    assert "TradingView Lightweight Charts™ v5.2.1" in page
    assert "https://www.tradingview.com/" in page


def test_the_assumptions_stand_above_the_charts() -> None:
    top = text_before_charts(render(report_of()))
    assert "<dt>Fees</dt><dd>0.1 %</dd>" in top
    assert "<dt>Data file</dt><dd>bars.csv</dd>" in top


@pytest.mark.parametrize("cost", [True, False])
@pytest.mark.parametrize("latency", [True, False])
def test_zero_cost_and_zero_latency_are_warned_of_loudly(cost: bool, latency: bool) -> None:
    top = text_before_charts(render(report_of(zero_cost=cost, zero_latency=latency)))
    assert (ZERO_COST in top) == cost
    assert (ZERO_LATENCY in top) == latency
    assert ('class="loud"' in top) == (cost or latency)


def test_other_warnings_are_shown_too() -> None:
    assert "<p>columns ignored: id</p>" in render(report_of(warnings=["columns ignored: id"]))


def test_the_charts_get_equity_drawdown_candles_marks_and_trades() -> None:
    equity = np.array([1000.0, 1100.0, 990.0, 1045.0, 1100.0])
    data = data_of(render(report_of(5, equity=equity)))
    assert data["equity"]["time"] == [60, 120, 180, 240, 300]
    assert data["equity"]["equity"] == equity.tolist()
    assert data["equity"]["drawdown"] == [0.0, 0.0, -10.0, -5.0, 0.0]
    assert data["candles"]["time"] == [0, 60, 120, 180, 240]
    assert data["candles"]["high"] == [101.0, 102.0, 103.0, 104.0, 105.0]
    assert data["marks"] == [[1, 1, 1, 2.0], [3, -1, 1, 2.0]]
    assert data["trades"] == [[60_000, "X", 1, 101.0, 2.0, 0.5, None], [180_000, "X", -1, 103.0, 2.0, 0.5, 4.0]]


def test_fills_of_one_candle_and_side_share_a_mark_and_other_instruments_have_none() -> None:
    trades = [Fill(61 * 10**9, Side.BUY, 1.0, 0.1, 0.0, "X"), Fill(62 * 10**9, Side.BUY, 1.0, 0.2, 0.0, "X")]
    other = Fill(63 * 10**9, Side.BUY, 1.0, 5.0, 0.0, "Y")
    assert data_of(render(report_of(trades=[*trades, other])))["marks"] == [[1, 1, 2, 0.3]]


def test_a_report_without_bars_and_trades_has_no_candles() -> None:
    page = render(report_of(bars=None, trades=[]))
    assert 'id="candles"' not in page
    assert data_of(page)["candles"] is None


def test_names_from_outside_cannot_end_the_script_or_add_markup() -> None:
    evil = "</script><script>alert(1)</script>"
    trade = Fill(MINUTE_NS, Side.BUY, 1.0, 1.0, 0.0, evil)
    page = render(report_of(title=evil, assumptions=[(evil, evil)], parameters={evil: evil}, trades=[trade]))
    assert evil not in page
    assert data_of(page)["trades"][0][1] == evil


def test_the_same_run_gives_the_same_bytes() -> None:
    assert render(report_of()) == render(report_of())


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be written to .*file/out: .*; name another folder"):
        write_report(report_of(), tmp_path / "file" / "out")


@pytest.mark.slow
def test_a_long_run_makes_a_light_page() -> None:
    rows = 1_000_000
    trades = [Fill(n * MINUTE_NS, Side.BUY if n % 2 else Side.SELL, 100.0, 1.0, 0.1, "X") for n in range(30_000)]
    page = render(report_of(rows, trades=trades))
    data = data_of(page)
    assert len(page) < 5_000_000
    assert len(data["equity"]["time"]) <= 5_000
    assert len(data["candles"]["time"]) <= 20_000
    assert len(data["trades"]) == MOST_TRADES_LISTED
    assert "The first 10,000 trades are left out of this list" in page


@given(arrays(np.float64, st.integers(1, 400), elements=st.floats(-1e6, 1e6)), st.integers(8, 60))
def test_thinned_equity_keeps_ends_and_extremes(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], most: int
) -> None:
    kept = points_to_keep(values, most)
    assert len(kept) <= most
    assert (kept[0], kept[-1]) == (0, len(values) - 1)
    assert (np.diff(kept) > 0).all()
    assert values[kept].max() == values.max()
    assert values[kept].min() == values.min()


def test_the_deepest_drawdown_survives_thinning() -> None:
    equity = np.full(100_001, 1000.0)
    equity[50_000:50_003] = [500.0, 2000.0, 900.0]
    times = np.arange(100_001, dtype=np.int64) * MINUTE_NS
    data = data_of(render(report_of(equity=equity, equity_time_ns=times)))
    assert min(data["equity"]["drawdown"]) == -55.0


def test_drawdown_is_measured_from_the_starting_balance_at_least() -> None:
    assert drawdowns(np.array([90.0, 120.0, 60.0]), 100.0).tolist() == pytest.approx([-0.1, 0.0, -0.5])


@pytest.mark.parametrize(
    ("rows", "most", "merged"), [(100, 100, 1), (101, 100, 2), (650, 100, 10), (99_999, 100, 1000)]
)
def test_merged_candles_keep_open_high_low_and_close(rows: int, most: int, merged: int) -> None:
    bars = bars_of(rows)
    candles = merged_candles(bars, most)
    assert candles.merged == merged
    assert len(candles.open_time_ns) <= most
    for row in (0, len(candles.open) - 1):
        part = bars[row * merged : (row + 1) * merged]
        assert candles.open_time_ns[row] == part.open_time_ns[0]
        assert (candles.open[row], candles.close[row]) == (part.open[0], part.close[-1])
        assert (candles.high[row], candles.low[row]) == (part.high.max(), part.low.min())


def test_statistics_are_shown_with_units_and_undefined_as_not_available() -> None:
    assert text_of("total_return", 0.0512) == "+5.12 %"
    assert text_of("max_drawdown", 0.25) == "25.00 %"
    assert text_of("sharpe", None) == "n/a"
    assert text_of("bars", 130_708) == "130,708"
    assert text_of("end_balance", 1_000_000.5) == "1,000,000.50"
    assert text_of("bars_per_s", 56_481.3) == "56,481"
    assert text_of("state_hash", "ab12") == "ab12"
    assert [line.tone for line in headline({"total_return": -0.1, "sharpe": 1.0})] == ["bad", ""]
    assert [title for title, _ in groups({"bars": 1, "sharpe": 1.0})] == ["Risk", "Run"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (12.5, "12.5 s"),
        (61.0, "1 min"),
        (3_600.0, "1 h"),
        (5_400.0, "1 h 30 min"),
        (273_600.0, "3 d 4 h"),
    ],
)
def test_durations_are_written_in_their_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
