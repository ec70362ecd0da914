"""The backtester: a form, a run in a process of its own with progress and cancel, and what it found."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from foxtrot.gui.aside import Aside
from foxtrot.gui.backtest_form import BacktestForm
from foxtrot.gui.backtest_run import BacktestRun
from foxtrot.gui.backtest_view import BacktestView
from foxtrot.gui.blotter import AskPath, ask_path
from foxtrot.gui.csv_rows import csv_rows, write_csv
from foxtrot.gui.desk import Desk
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.texts import tr
from foxtrot.gui.upright_area import UprightArea


def open_in_browser(path: Path) -> bool:
    """Show a page in the user's browser; False where that cannot be."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


class BacktesterPanel(Panel):
    """Tests strategies on history; what runs goes on while the panel is closed.

    Thread: the desktop's; backtests run in processes.
    """

    kind: ClassVar[str] = "backtester"
    least_size: ClassVar[tuple[int, int]] = (680, 360)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.open_page: Callable[[Path], bool] = open_in_browser
        self.ask_path: AskPath = ask_path
        self.run = BacktestRun.of(desk)
        self.chip = "blue"
        self._aside = Aside(self)
        self._listed = False
        self._build()
        self.run.changed.connect(self._show_run)
        self.run.progressed.connect(self._show_progress)
        self.run.said.connect(self.view.say)
        self.run.listed.connect(self._show_strategies)
        self._show_strategies()
        self.form.restore_state(self.run.form)
        for line in self.run.process.lines:
            self.view.say(line)
        self._show_run()

    # --- panel ------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Show what was found; the first time somebody looks, ask which strategies there are."""
        if not self._listed:
            self._listed = True
            if not self.run.strategies:
                self.run.list_strategies()
        self.view.apply()

    def save_state(self) -> State:
        """Return what stands in the form."""
        return {**super().save_state(), "form": self.form.save_state()}

    def restore_state(self, state: State) -> None:
        """Take up what stood in the form."""
        super().restore_state(state)
        form = state.get("form")
        if isinstance(form, dict) and not self.run.form:
            self.run.form = form
            self.form.restore_state(form)

    def leave(self) -> None:
        """Hear nothing any more; a run goes on, and is found again."""
        self.run.form = self.form.save_state()
        self.run.changed.disconnect(self._show_run)
        self.run.progressed.disconnect(self._show_progress)
        self.run.said.disconnect(self.view.say)
        self.run.listed.disconnect(self._show_strategies)
        super().leave()

    # --- what is done -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run what the form says."""
        if self.form.why_not() or self.run.running:
            return
        self.view.said.clear()
        self.run.start("optimise" if self.form.is_search else "backtest", self.form.arguments())

    def export(self) -> None:
        """Write the fills, or the combinations of a search, into a CSV file."""
        table: FactTable[object] = self.view.runs if self.run.verb == "optimise" else self.view.fills  # type: ignore[assignment]
        path = self.ask_path(self, "backtest")
        if path is None:
            return
        places = range(len(table.columns))
        rows = csv_rows(table.columns, table.cells(places))
        self._aside.run(partial(write_csv, path, rows), partial(self._hear_export, path))

    def open_report(self) -> None:
        """Show the page of the last backtest in the browser."""
        report = self.run.report
        if report is not None and not self.open_page(report):
            self.desk.said.emit("WARNING", tr("backtest.no_browser", path=report))

    # --- what is heard ----------------------------------------------------------------------------------------------

    def _hear_export(self, path: Path, count: int | None, error: str) -> None:
        self.status.setText(tr("backtest.exported", count=count, path=path.name) if not error else f"✕ {error}")

    def _show_strategies(self) -> None:
        self.form.show_strategies(self.run.strategies)
        if self.run.strategies and self.run.form:
            self.form.restore_state(self.run.form)
            self.run.form = {}
        self._look()

    def _show_run(self) -> None:
        run = self.run
        self.view.show_run(run)
        self.view.apply()
        self.bar.setVisible(run.running)
        if run.running:
            self.bar.setRange(0, 0)
            self.status.setText(tr("backtest.begins"))
        elif run.error:
            self.status.setText(f"✕ {run.error}")
        elif run.result is not None:
            self.status.setText(tr("backtest.done", seconds=f"{run.result.get('elapsed_s') or 0.0:,.1f}"))
        colour = self.desk.theme.colours.danger if run.error and not run.running else self.desk.theme.colours.dim
        self.status.setStyleSheet(f"color:{colour}")
        self._look()

    def _show_progress(self, done: int, total: int) -> None:
        self.bar.setRange(0, max(total, 1))
        self.bar.setValue(min(done, total))
        unit = "backtest.progress_runs" if self.run.verb == "optimise" else "backtest.progress"
        self.status.setText(tr(unit, done=f"{done:,}", total=f"{total:,}"))

    def _look(self) -> None:
        """Let the buttons be pressed that can be, and say of the others why not."""
        running, found = self.run.running, self.run.result is not None
        why = tr("backtest.why_runs") if running else self.form.why_not()
        for button, reason, hint in (
            (self.go, why, "backtest.run_now"),
            (self.stop, "" if running else tr("backtest.why_nothing_runs"), "backtest.cancel_hint"),
            (self.page, "" if self.run.report else tr("backtest.why_no_report"), "backtest.report_hint"),
            (self.csv, "" if found else tr("backtest.why_no_result"), "backtest.export_hint"),
        ):
            button.setEnabled(not reason)
            button.setToolTip(reason or tr(hint))

    def _choose_moment(self, instrument_id: str, time_ns: int) -> None:
        """Let the chart show the instrument of a fill: itself, or the one of its symbol that the platform has."""
        shown = instrument_id
        if shown not in self.desk.instruments:
            symbol = instrument_id.partition(".")[0]
            shown = next((one.instrument_id for one in self.desk.instruments.values() if one.symbol == symbol), "")
        if shown:
            self.desk.groups.show(self.chip, shown)
        self.desk.moment_chosen.emit(shown or instrument_id, time_ns)

    def _take_parameters(self, values: dict[str, object]) -> None:
        """Put the parameters of a combination into the form, to be tested alone."""
        known = {name: one for name, one in values.items() if isinstance(one, str | int | float)}
        self.form.parameters.set_values({**self.form.parameters.values(), **known})
        self.form.tabs.setCurrentIndex(0)

    # --- building ---------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        px = self.desk.theme.pixels
        self.form = BacktestForm(self.desk.theme, self)
        self.form.changed.connect(self._look)
        self.form.folder_chosen.connect(self.run.list_strategies)
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        area = UprightArea(self.form, left)
        column.addWidget(area, 1)
        column.addLayout(self._buttons(left))
        self.view = BacktestView(self.desk, self)
        self.view.setMinimumSize(px(320), px(180))
        self.view.moment_chosen.connect(self._choose_moment)
        self.view.run_chosen.connect(self._take_parameters)
        right = QWidget(self)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._status_row(right))
        column.addWidget(self.view, 1)
        self.split = QSplitter(Qt.Orientation.Horizontal, self)
        self.split.addWidget(left)
        self.split.addWidget(right)
        self.split.setStretchFactor(1, 1)
        self.split.setChildrenCollapsible(False)
        self.split.setSizes([px(340), px(640)])
        self.body.addWidget(self.split)

    def _buttons(self, parent: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(*(self.desk.theme.pixels(6),) * 4)
        self.go = self._button(parent, "run", self.start)
        self.stop = self._button(parent, "cancel", self.run.cancel)
        row.addWidget(self.go, 1)
        row.addWidget(self.stop)
        return row

    def _status_row(self, parent: QWidget) -> QWidget:
        bar = QWidget(parent)
        row = QHBoxLayout(bar)
        row.setContentsMargins(*(self.desk.theme.pixels(4),) * 4)
        self.status = QLabel(tr("backtest.ready"), bar)
        self.status.setObjectName("backtest_status")
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar(bar)
        self.bar.setObjectName("backtest_bar")
        self.bar.setFixedWidth(self.desk.theme.pixels(160))
        self.page = self._button(bar, "report", self.open_report)
        self.csv = self._button(bar, "export", self.export)
        row.addWidget(self.status, 1)
        for widget in (self.bar, self.page, self.csv):
            row.addWidget(widget)
        return bar

    def _button(self, parent: QWidget, name: str, do: Callable[[], None]) -> QPushButton:
        button = QPushButton(tr(f"backtest.{name}"), parent)
        button.setObjectName(f"backtest_{name}")
        button.setAutoDefault(False)
        button.clicked.connect(lambda _checked=False: do())
        return button
