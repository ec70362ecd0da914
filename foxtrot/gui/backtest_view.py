"""What a backtest or a search has found: figures, charts, months, fills, combinations, and what was said."""

from typing import Final

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QTabWidget, QVBoxLayout, QWidget

from foxtrot.backtest.details import BacktestDetails
from foxtrot.gui.backtest_plot import BacktestPlot
from foxtrot.gui.backtest_process import MOST_SAID
from foxtrot.gui.backtest_run import BacktestRun
from foxtrot.gui.backtest_tables import (
    Combination,
    Figure,
    Json,
    NumberedFill,
    Year,
    combinations_of,
    figure_columns,
    figures_of,
    fill_columns,
    month_columns,
    search_columns,
    years_of,
)
from foxtrot.gui.chart.bar_series import Bars, BarSeries
from foxtrot.gui.chart.chart_view import ChartView
from foxtrot.gui.chart.own_marks import OwnFill
from foxtrot.gui.desk import Desk
from foxtrot.gui.heat_map import HeatMap
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr
from foxtrot.gui.turning_split import TurningSplit

MOST_WARNINGS: Final = 4
TURN_PIXELS: Final = 640
FIGURES_PIXELS: Final = 345
CANDLES: Final = 120.0
"""How many are seen at first."""


class BacktestView(QTabWidget):
    """Shows what a run has found. `moment_chosen` comes with a fill's instrument and time, `run_chosen` with a combination's parameters.

    Thread: the desktop's.
    """

    moment_chosen = Signal(str, object)
    run_chosen = Signal(dict)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backtest_view")
        self.setDocumentMode(True)
        self._theme = desk.theme
        self.figures: FactTable[Figure] = FactTable(figure_columns(), lambda one: one.name)
        self.months: FactTable[Year] = FactTable(month_columns(), lambda one: one.year)
        self.plot = BacktestPlot(desk.theme, self)
        self.series = BarSeries()
        self.candles = ChartView(self.series, desk.theme, self)
        self.fills: FactTable[NumberedFill] = FactTable(fill_columns(2), lambda one: one.number)
        self.fill_view = self._fill_view()
        self.runs: FactTable[Combination] = FactTable((), lambda one: one.place)
        self.run_view: FactView | None = None
        self.heat = HeatMap(desk.theme, self)
        self.notes = QLabel(self)
        self.notes.setWordWrap(True)
        self.notes.setStyleSheet(f"color:{desk.theme.colours.warning}")
        self.said = QPlainTextEdit(self)
        self.said.setReadOnly(True)
        self.said.setMaximumBlockCount(MOST_SAID)
        self.said.setFont(desk.theme.number_font())
        self._pages: dict[str, QWidget] = {
            "overview": self._overview(), "charts": self.plot, "candles": self.candles, "fills": self.fill_view, "runs": QWidget(self), "heat": self.heat,
            "said": self.said,
        }  # fmt: skip
        self._run_column = QVBoxLayout(self._pages["runs"])
        self._run_column.setContentsMargins(0, 0, 0, 0)
        for name, page in self._pages.items():
            self.addTab(page, tr(f"backtest.tab_{name}"))
        self.show_run(None)

    def show_run(self, run: BacktestRun | None) -> None:
        """Show what was found, or nothing."""
        result = None if run is None else run.result
        searched = run is not None and run.verb == "optimise"
        for name in ("overview", "charts", "candles", "fills"):
            self._show_page(name, shown=not searched)
        for name in ("runs", "heat"):
            self._show_page(name, shown=searched)
        self._show_backtest(None if searched else result, None if run is None or searched else run.details)
        self._show_search(result if searched else None)
        if result is None and run is not None and run.error:
            self.setCurrentWidget(self.said)
        elif result is not None and not (
            searched and self.currentWidget() is self.heat
        ):  # who looks at the map goes on to
            self.setCurrentWidget(self._pages["runs" if searched else "overview"])

    def say(self, text: str) -> None:
        """Show a line of what the process said."""
        self.said.appendPlainText(text)

    def apply(self) -> None:
        """Show what was put into the tables; called once a flush."""
        for table in (self.figures, self.months, self.fills, self.runs):
            table.apply()
        if self.currentWidget() is self.candles:
            self.candles.refresh()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _show_page(self, name: str, *, shown: bool) -> None:
        self.setTabVisible(self.indexOf(self._pages[name]), shown)

    def _show_backtest(self, result: Json | None, details: BacktestDetails | None) -> None:
        self.figures.replace_all([] if result is None else figures_of(result))
        self.months.replace_all([] if details is None else years_of(details))
        self.plot.show_details(details)
        self._show_candles(details)
        decimals = 2 if details is None or details.prices is None else details.prices.decimals
        self.fills.columns = fill_columns(decimals)
        fills = () if details is None else details.fills
        self.fills.replace_all(NumberedFill(number, fill) for number, fill in enumerate(fills, 1))
        self.setTabText(self.indexOf(self.fill_view), _counted("fills", len(fills)))
        warnings = [] if result is None else warnings_of(result)
        left = [tr("backtest.left_out", count=details.left_out)] if details is not None and details.left_out else []
        self.notes.setText("\n".join(f"⚠ {' '.join(str(one).split())}" for one in (*warnings[:MOST_WARNINGS], *left)))
        self.notes.setToolTip("\n".join(warnings))
        self.notes.setVisible(bool(self.notes.text()))

    def _show_candles(self, details: BacktestDetails | None) -> None:
        """Draw the candles with all fills on them, where there are any."""
        self.series.clear()
        prices = None if details is None else details.prices
        if details is None or prices is None:
            self._show_page("candles", shown=False)
            return
        figures = (
            np.array(column, np.float64)
            for column in (prices.open, prices.high, prices.low, prices.close, prices.volume)
        )
        self.series.merge(Bars(np.array(prices.time_ns, np.int64), *figures))
        self.candles.set_grid(10.0**-prices.decimals, prices.decimals)
        own = (fill for fill in details.fills if fill.instrument_id in ("", prices.instrument_id))
        self.candles.fills.show_fills(tuple(OwnFill(one.time_ns, one.side, one.price, one.quantity) for one in own))
        self.candles.view.show_newest(len(self.series), CANDLES)
        self.candles.refresh()

    def _show_search(self, result: Json | None) -> None:
        found = [] if result is None else combinations_of(result)
        names = list(found[0].parameters) if found else []
        if self.run_view is not None:
            self._run_column.removeWidget(self.run_view)
            self.run_view.deleteLater()
            self.run_view = None
        self.runs = FactTable(search_columns(names), lambda one: one.place)
        if found:
            self.run_view = FactView(self.runs, self._theme, self._pages["runs"])
            self.run_view.chosen.connect(lambda one: self.run_chosen.emit(dict(one.parameters)))
            self.run_view.setToolTip(tr("backtest.run_hint"))
            self._run_column.addWidget(self.run_view)
        self.runs.replace_all(found)
        self.heat.show_runs(found, str((result or {}).get("by", "sharpe")))
        self.setTabText(self.indexOf(self._pages["runs"]), _counted("runs", len(found)))

    def _fill_view(self) -> FactView:
        view = FactView(self.fills, self._theme, self)
        view.setObjectName("backtest_fills_table")
        view.setToolTip(tr("backtest.fill_hint"))
        view.chosen.connect(self._choose)
        return view

    def _choose(self, one: NumberedFill) -> None:
        self.setCurrentWidget(self.candles if len(self.series) else self.plot)
        self.plot.look_at(one.fill.time_ns)
        self.candles.look_at(one.fill.time_ns)
        self.moment_chosen.emit(one.fill.instrument_id, one.fill.time_ns)

    def _overview(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.notes.setContentsMargins(*(self._theme.pixels(6),) * 4)
        column.addWidget(self.notes)
        self.figure_view = FactView(self.figures, self._theme, page)
        self.figure_view.empty = tr("empty.backtest")
        self.month_view = FactView(self.months, self._theme, page)
        self.month_view.fits_itself = False  # no month goes: it scrolls
        both = TurningSplit(self._theme.pixels(TURN_PIXELS), page)
        both.addWidget(self.figure_view)
        both.addWidget(self.month_view)
        both.setStretchFactor(1, 1)
        both.setSizes([self._theme.pixels(FIGURES_PIXELS)] * 2)
        column.addWidget(both, 1)
        return page


def warnings_of(result: Json) -> list[str]:
    """Return what went wrong first: failures, orders that risk refused, then what the run had to assume."""
    failures = [f"{tr('backtest.failed')}: {one}" for one in result.get("failures", ())]
    denied = [tr("backtest.denied", count=count, rule=rule) for rule, count in result.get("denied", {}).items()]
    return [*failures, *denied, *(str(one) for one in result.get("warnings", ()))]


def _counted(name: str, count: int) -> str:
    text = tr(f"backtest.tab_{name}")
    return f"{text} {count:,}" if count else text
