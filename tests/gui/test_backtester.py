"""The backtester's panel: its form as a command line, a run with progress and cancel, figures, charts, fills, searches."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QLabel

from foxtrot.backtest.details import BacktestDetails, MonthReturn, PriceHistory
from foxtrot.backtest.round_trips import Fill
from foxtrot.domain.enums import Side
from foxtrot.gui.backtest_process import VerbProcess
from foxtrot.gui.backtest_run import DETAILS, BacktestRun
from foxtrot.gui.backtest_tables import figure_text, years_of
from foxtrot.gui.chart.bar_series import Bars
from foxtrot.gui.panels.backtester import BacktesterPanel
from foxtrot.gui.panels.chart import ChartPanel
from foxtrot.gui.table_model import FactTable
from tests.support.backtest_process import LISTED, RESULT, ScriptedProcess, a_search
from tests.support.desktop_rig import DesktopRig

DAY_NS = 86_400_000_000_000
T0 = 1_735_689_600_000_000_000  # 2025-01-01
FILLS = [
    Fill(T0 + DAY_NS, Side.BUY, 100.0, 1.5, 0.1, "BTCUSDT.HISTORY"),
    Fill(T0 + 2 * DAY_NS, Side.SELL, 99.0, 1.5, 0.1, "BTCUSDT.HISTORY", profit=-1.5),
]
DETAILS_FOUND = BacktestDetails(
    [T0, T0 + DAY_NS, T0 + 2 * DAY_NS], [1_000_000.0, 1_000_010.0, 999_990.0], [0.0, 0.0, -0.00002],
    [MonthReturn(2024, 12, 0.1), MonthReturn(2025, 1, -0.05), MonthReturn(2025, 2, None)], FILLS, [], 0,
    PriceHistory("BTCUSDT.HISTORY", "1d", [T0, T0 + DAY_NS], [99.0, 100.0], [101.0, 101.0], [98.0, 98.0], [100.0, 99.0], [5.0, 6.0], 1),
)  # fmt: skip


@pytest.fixture
def run(rig: DesktopRig) -> Iterator[BacktestRun]:
    rig.open()
    made = BacktestRun(rig.desk, ScriptedProcess)  # type: ignore[arg-type]
    yield made
    made.end()


@pytest.fixture
def panel(rig: DesktopRig, run: BacktestRun, shown) -> Iterator[BacktesterPanel]:
    made = BacktesterPanel(rig.desk)
    made.resize(1_100, 700)
    for model in (made.view.figures, made.view.months, made.view.fills):
        QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, made)
    shown(made)
    run.lister.finish(LISTED)
    yield made
    made.leave()


def test_without_a_strategy_the_form_asks_for_one(panel: BacktesterPanel) -> None:
    form = panel.form.parameters
    for strategy, asks in (("", True), ("double_ma", False)):
        panel.form.strategies.setCurrentText(strategy)
        words = [label.text() for label in form.widget().findChildren(QLabel)]
        assert ("Choose a strategy first" in words) is asks


def texts(table: FactTable) -> list[list[str]]:
    return table.texts(range(len(table.columns)))


def finish(qtbot, run: BacktestRun, details: BacktestDetails = DETAILS_FOUND, **result: object) -> None:
    """Lets a backtest end well, with the file that it writes."""
    folder = Path(run.process.asked[-1][run.process.asked[-1].index("--out") + 1])
    (folder / DETAILS).write_bytes(msgspec.json.encode(details))
    run.process.finish({**RESULT, "report": str(folder / "report.html"), **result})
    qtbot.waitUntil(lambda: not run.running)


def begin(qtbot, panel: BacktesterPanel) -> None:
    panel.form.file.setText("/data/btcusdt_1m.csv")
    qtbot.mouseClick(panel.go, Qt.MouseButton.LeftButton)


# --- the form -------------------------------------------------------------------------------------------------------


def test_strategies_are_offered_with_their_parameters(panel: BacktesterPanel, run: BacktestRun) -> None:
    assert run.lister.asked == [["strategies"]]
    offered = [panel.form.strategies.itemText(place) for place in range(panel.form.strategies.count())]
    assert offered == ["double_ma", "/home/me/broken.py"]
    assert panel.form.parameters.values() == {"fast": 20, "slow": 50}
    assert panel.form.about.text() == "Two averages that cross."


def test_it_says_what_is_missing(panel: BacktesterPanel) -> None:
    assert (panel.go.isEnabled(), panel.go.toolTip()) == (False, "Choose a file of history first")
    panel.form.file.setText("x.csv")
    assert panel.go.isEnabled()
    panel.form.parameters.fields["fast"].setText("0")
    assert panel.go.toolTip() == "Something is wrong in the form: see ⚠"
    panel.form.strategies.setCurrentText("/home/me/broken.py")
    assert panel.go.toolTip() == "no class of a strategy in broken.py"
    panel.form.strategies.setCurrentText("")
    assert panel.go.toolTip() == "Choose a strategy first"


def test_the_form_is_a_command_line(qtbot, rig: DesktopRig, panel: BacktesterPanel, run: BacktestRun) -> None:
    rig.desk.home = Path("/home/me/foxtrot")
    panel.form.data.setCurrentIndex(1)
    panel.form.fields["symbol"].setText("BTCUSDT")
    panel.form.fields["start"].setText("2025-01-31")
    panel.form.fields["slippage"].setText("")
    panel.form.parameters.fields["fast"].setText("25")
    begin(qtbot, panel)
    asked = run.process.asked[0]
    assert asked[:5] == ["backtest", "--strategy", "double_ma", "--ticks", "BTCUSDT=/data/btcusdt_1m.csv"]
    assert "--start=2025-01-31" in asked
    assert "--balance=1000000" in asked
    assert not [part for part in asked if part.startswith(("--slippage", "--interval", "--lot"))]
    assert asked[asked.index("--param") + 1] == "fast=25"
    assert "--progress-lines" in asked
    assert run.process.homes == [Path("/home/me/foxtrot")]


def test_files_are_chosen_and_a_strategys_folder_is_listed(
    qtbot, panel: BacktesterPanel, run: BacktestRun, tmp_path: Path
) -> None:
    path = str(tmp_path / "mine.py")
    panel.form.ask_file = lambda _parent, _title, which: path if "py" in which else "/data/x.csv"
    panel.form._choose_strategy()
    panel.form._choose_file()
    assert panel.form.strategy == path
    assert panel.form.file.text() == "/data/x.csv"
    assert run.lister.asked[-1] == ["strategies", "--folder", str(tmp_path)]


# --- a run ----------------------------------------------------------------------------------------------------------


def test_a_run_tells_how_far_it_is_and_is_cancelled(qtbot, panel: BacktesterPanel, run: BacktestRun) -> None:
    assert panel.stop.toolTip() == "Nothing runs"
    begin(qtbot, panel)
    assert panel.bar.isVisible()
    assert (panel.go.isEnabled(), panel.go.toolTip()) == (False, "Something runs already: wait for it, or cancel it")
    run.process.progressed.emit(500, 2_000)
    assert (panel.bar.value(), panel.bar.maximum()) == (500, 2_000)
    assert panel.status.text() == "500 of 2,000 moments"
    panel.start()
    assert len(run.process.asked) == 1
    qtbot.mouseClick(panel.stop, Qt.MouseButton.LeftButton)
    assert run.process.cancels == 1
    run.process.finish(None, "cancelled")
    assert panel.status.text() == "✕ cancelled"
    assert not panel.bar.isVisible()
    assert panel.go.isEnabled()


def test_what_was_found_is_shown(qtbot, panel: BacktesterPanel, run: BacktestRun) -> None:
    begin(qtbot, panel)
    finish(qtbot, run)
    shown = dict(texts(panel.view.figures))
    assert shown["Total return"] == "+1.23 %"
    assert shown["Deepest drawdown"] == "−5.00 %"
    assert shown["Sharpe"] == "–"
    assert shown["Balance at the end"] == "1,012,300.00"
    assert [row[:3] + row[-1:] for row in texts(panel.view.months)] == [
        ["2025", "−5.00", "–", "–"],
        ["2024", "", "", "+10.00"],
    ]
    assert [row[2:] for row in texts(panel.view.fills)] == [
        ["▲ buy", "1.5", "100.0", "0.10", "–"],
        ["▼ sell", "1.5", "99.0", "0.10", "−1.50"],
    ]
    assert panel.view.notes.text().startswith("⚠ 3 orders were refused by the rule max_order_value")
    assert panel.status.text() == "✓ Done in 0.4 s"
    xs, ys = panel.view.plot.equity_line.getOriginalDataset()
    assert (xs[0], ys[-1]) == (T0 / 1e9, 999_990.0)
    assert len(panel.view.plot.marks.points()) == 2
    assert list(panel.view.series.bars.close) == [100.0, 99.0]
    assert list(panel.view.series.bars.volume) == [5.0, 6.0]


def test_a_fill_is_shown_in_the_charts_and_told_to_the_desk(
    qtbot, rig: DesktopRig, panel: BacktesterPanel, run: BacktestRun
) -> None:
    begin(qtbot, panel)
    finish(qtbot, run)
    told: list[tuple[str, int]] = []
    rig.desk.moment_chosen.connect(lambda name, at: told.append((name, at)))
    panel.view.setCurrentWidget(panel.view.fill_view)
    panel.view.fill_view.chosen.emit(panel.view.fills.shown()[1])
    assert panel.view.currentWidget() is panel.view.candles
    assert panel.view.plot.moment_ns == T0 + 2 * DAY_NS
    assert told == [("BTCUSDT.PERP", T0 + 2 * DAY_NS)]  # the platform's instrument of that symbol
    assert rig.desk.groups.shown("blue") == "BTCUSDT.PERP"


def test_the_chart_goes_to_a_moment_that_was_chosen_elsewhere(rig: DesktopRig, shown) -> None:
    rig.open()
    chart = ChartPanel(rig.desk)
    shown(chart)
    chart.show_instrument("BTCUSDT.PERP")
    times = T0 + DAY_NS * np.arange(1_000, dtype=np.int64)
    chart.series.merge(Bars(times, *(np.full(1_000, 100.0) for _ in range(5))))
    rig.desk.moment_chosen.emit("BTCUSDT.PERP", T0 + 500 * DAY_NS + 5)
    assert chart.view.view.left < 500 < chart.view.view.right < 900
    rig.desk.moment_chosen.emit("BTCUSDT.PERP", T0 - 1)
    assert rig.said[-1] == ("INFO", "The chart's bars do not reach back to 2024-12-31 23:59:59.999")
    rig.desk.moment_chosen.emit("ETHUSDT.PERP", T0 - 1)
    assert len(rig.said) == 1
    chart.leave()


def test_the_report_is_opened_and_the_fills_are_exported(
    qtbot, panel: BacktesterPanel, run: BacktestRun, tmp_path: Path
) -> None:
    assert "There is no report" in panel.page.toolTip()
    begin(qtbot, panel)
    finish(qtbot, run)
    opened: list[Path] = []
    panel.open_page = lambda path: opened.append(path) or True  # type: ignore[func-returns-value]
    qtbot.mouseClick(panel.page, Qt.MouseButton.LeftButton)
    assert [path.name for path in opened] == ["report.html"]
    panel.ask_path = lambda _parent, _name: tmp_path / "fills.csv"
    qtbot.mouseClick(panel.csv, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "2 rows" in panel.status.text())
    lines = (tmp_path / "fills.csv").read_text("utf-8-sig").splitlines()
    assert lines[0].startswith('"Time, UTC",Instrument,Side')
    assert len(lines) == 3


def test_why_nothing_was_found_is_said(qtbot, panel: BacktesterPanel, run: BacktestRun) -> None:
    begin(qtbot, panel)
    run.process.said.emit("reading btcusdt_1m.csv")
    run.process.finish(None, "/data/btcusdt_1m.csv: no such file")
    assert panel.status.text() == "✕ /data/btcusdt_1m.csv: no such file"
    assert panel.view.currentWidget() is panel.view.said
    assert panel.view.said.toPlainText() == "reading btcusdt_1m.csv"
    assert panel.page.isEnabled() is False


def test_details_that_cannot_be_read_are_said(qtbot, panel: BacktesterPanel, run: BacktestRun) -> None:
    begin(qtbot, panel)
    run.process.finish(dict(RESULT))
    qtbot.waitUntil(lambda: not run.running)
    assert "No such file" in panel.status.text()
    assert dict(texts(panel.view.figures))["Total return"] == "+1.23 %"


def test_a_run_outlives_its_panel(qtbot, rig: DesktopRig, run: BacktestRun, shown) -> None:
    first = BacktesterPanel(rig.desk)
    shown(first)
    run.lister.finish(LISTED)
    first.form.parameters.fields["fast"].setText("33")
    begin(qtbot, first)
    first.leave()
    other = BacktesterPanel(rig.desk)
    shown(other)
    assert other.bar.isVisible()
    assert other.form.parameters.values()["fast"] == 33
    finish(qtbot, run)
    assert dict(texts(other.view.figures))["Total return"] == "+1.23 %"
    assert texts(first.view.figures) == []
    other.leave()


# --- a search -------------------------------------------------------------------------------------------------------


def test_a_search_varies_what_has_values(qtbot, panel: BacktesterPanel, run: BacktestRun) -> None:
    panel.form.file.setText("x.csv")
    panel.form.tabs.setCurrentIndex(1)
    assert panel.go.toolTip() == "Give at least one parameter several values: 10:30:5 or 10,20"
    panel.form.grid.fields["fast"].setText("10:30")
    assert "must be NAME=FROM:TO:STEP" in panel.go.toolTip()
    panel.form.grid.fields["fast"].setText("10:30:10")
    assert panel.form.grid.count.text().startswith("3 combinations")
    qtbot.mouseClick(panel.go, Qt.MouseButton.LeftButton)
    asked = run.process.asked[0]
    assert asked[0] == "optimise"
    assert [asked[place + 1] for place, part in enumerate(asked) if part == "--param"] == ["slow=50"]
    assert [asked[place + 1] for place, part in enumerate(asked) if part == "--grid"] == ["fast=10:30:10"]
    assert asked[asked.index("--by") + 1] == "sharpe"
    assert "--details" not in asked


def test_combinations_are_a_table_and_a_map(qtbot, panel: BacktesterPanel, run: BacktestRun) -> None:
    panel.form.tabs.setCurrentIndex(1)
    panel.form.grid.fields["fast"].setText("10,20")
    panel.form.grid.fields["slow"].setText("50,80")
    begin(qtbot, panel)
    run.process.progressed.emit(2, 4)
    assert panel.status.text() == "2 of 4 backtests"
    panel.view.setCurrentWidget(panel.view.heat)
    run.process.finish(a_search())
    assert panel.view.currentWidget() is panel.view.heat  # it was looked at, and still is
    rows = texts(panel.view.runs)
    assert rows[0][:5] == ["1", "10", "50", "+1.50 %", "1.50"]
    assert rows[3][-1] == "✕ it raised"
    heat = panel.view.heat.fields
    assert (heat.across, heat.down) == ([10, 20], [50, 80])
    assert heat.values == {(10, 50): 1.5, (20, 50): 0.5, (10, 80): -0.5}  # one that failed is no result
    assert heat.colour(1.5).alpha() > heat.colour(0.5).alpha()
    panel.view.setCurrentWidget(panel.view.heat)
    assert not panel.view.heat.grab().isNull()
    panel.view.run_view.chosen.emit(panel.view.runs.shown()[2])
    assert panel.form.parameters.values() == {"fast": 10, "slow": 80}
    assert not panel.form.is_search


# --- figures --------------------------------------------------------------------------------------------------------


def test_figures_are_written_as_people_read_them() -> None:
    assert figure_text("win_rate", 0.5) == "50.00 %"
    assert figure_text("max_drawdown_duration_s", 86_400 * 2.5) == "2.5 days"
    assert figure_text("average_trip", -3.0) == "−3.00"
    assert figure_text("profit_factor", None) == "–"
    assert figure_text("bars", 20_000) == "20,000"


def test_a_year_is_its_months_one_after_the_other() -> None:
    years = years_of(
        msgspec.structs.replace(DETAILS_FOUND, months=[MonthReturn(2025, 1, 0.1), MonthReturn(2025, 2, 0.1)])
    )
    assert years[0].total == pytest.approx(0.21)


def test_the_form_is_found_again(rig: DesktopRig, panel: BacktesterPanel) -> None:
    panel.form.fields["fee"].setText("binance_spot")
    state = msgspec.json.decode(msgspec.json.encode(panel.save_state()))
    panel.form.fields["fee"].setText("0")
    panel.form.restore_state(state["form"])
    assert panel.form.fields["fee"].text() == "binance_spot"
    panel.form.restore_state({"fields": 3, "parameters": "x", "grid": [], "data": None, "strategy": 7})


# --- a process of its own ---------------------------------------------------------------------------------------------


@pytest.fixture
def process(qapp, tmp_path: Path) -> Iterator[VerbProcess]:
    made = VerbProcess()
    yield made
    made.end()
    made.deleteLater()


def write_bars(path: Path) -> Path:
    rows = ["time,open,high,low,close,volume"]
    for hour in range(24 * 40):
        price = 100 + (hour % 60 if hour % 120 < 60 else 60 - hour % 60)
        rows.append(f"{T0 // 10**9 + 3_600 * hour},{price},{price + 1},{price - 1},{price},10.5")
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def test_a_real_backtest_runs_beside_the_desktop(qtbot, rig: DesktopRig, tmp_path: Path, shown) -> None:
    rig.open()
    rig.desk.home = tmp_path / "home"
    run = BacktestRun.of(rig.desk)
    run._hear_list(LISTED, "")
    panel = BacktesterPanel(rig.desk)
    shown(panel)
    panel.form.strategies.setCurrentText("double_ma")
    panel.form.parameters.fields["fast"].setText("5")
    panel.form.parameters.fields["slow"].setText("20")
    panel.form.file.setText(str(write_bars(tmp_path / "btcusdt_1h.csv")))
    told: list[tuple[int, int]] = []
    run.progressed.connect(lambda done, total: told.append((done, total)))
    assert panel.form.why_not() == ""
    panel.start()
    qtbot.waitUntil(lambda: not run.running, timeout=30_000)
    assert run.error == ""
    assert told[-1] == (960, 960)
    assert dict(texts(panel.view.figures))["Bars"] == "960"
    assert panel.view.fills.count == run.result["trades"] > 5
    assert run.report is not None
    assert run.report.read_text("utf-8").startswith("<!")
    folder = run.report.parent
    panel.leave()
    run.end()
    assert not folder.exists()


@pytest.mark.slow
def test_the_strategies_that_there_are_are_listed_by_a_process(qtbot, rig: DesktopRig, tmp_path: Path) -> None:
    rig.desk.home = tmp_path / "home"
    run = BacktestRun.of(rig.desk)
    with qtbot.waitSignal(run.listed, timeout=30_000):
        run.list_strategies()
    assert run.strategies["double_ma"].parameters[0].name == "fast"
    run.end()


def test_bad_input_is_one_clear_line(qtbot, process: VerbProcess, tmp_path: Path) -> None:
    with qtbot.waitSignal(process.ended, timeout=30_000) as ended:
        process.start(["backtest", "--strategy", "double_ma", "--bars", str(tmp_path / "none.csv")], tmp_path / "home")
    found, error = ended.args
    assert found is None
    assert "none.csv" in error
    assert "\n" not in error


def test_a_cancelled_process_is_gone(qtbot, process: VerbProcess, tmp_path: Path) -> None:
    process.start(["demo", "--seconds", "60"], tmp_path / "home")
    qtbot.waitUntil(lambda: process._process.processId() > 0)
    pid = process._process.processId()
    with qtbot.waitSignal(process.ended, timeout=30_000) as ended:
        process.cancel()
    assert ended.args == [None, "cancelled"]
    assert not process.running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_process_that_dies_is_told_with_what_it_said(qtbot, process: VerbProcess, tmp_path: Path) -> None:
    process.start(["demo", "--seconds", "60"], tmp_path / "home")
    qtbot.waitUntil(lambda: process._process.processId() > 0)
    process._say("its last words")
    with qtbot.waitSignal(process.ended, timeout=30_000) as ended:
        os.kill(process._process.processId(), signal.SIGKILL)
    assert ended.args[1].startswith("the process ended with status")
    assert ended.args[1].endswith("its last words")


def test_the_desktops_end_ends_what_runs(qtbot, process: VerbProcess, tmp_path: Path) -> None:
    process.start(["demo", "--seconds", "60"], tmp_path / "home")
    qtbot.waitUntil(lambda: process._process.processId() > 0)
    pid = process._process.processId()
    process.end()
    assert not process.running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
