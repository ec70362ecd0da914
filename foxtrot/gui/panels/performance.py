"""Performance: the live curve of what was made; profit by strategy, symbol and day; fees, funding and other charges; the cash ledger."""

from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Final

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSplitter, QTabWidget, QWidget

from foxtrot.app.blotter_requests import ListPerformance, PerformanceFound, ProfitRow
from foxtrot.app.history_requests import DayTotals, HistoryFound, ListHistory
from foxtrot.gui.aside import Aside
from foxtrot.gui.blotter import AskPath, ask_path
from foxtrot.gui.column_menu import offer_columns
from foxtrot.gui.columns import Column, Tone, sign_tone
from foxtrot.gui.csv_rows import csv_rows, write_csv
from foxtrot.gui.desk import Desk
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.performance_rows import (
    CASH,
    COSTS,
    DAYS,
    STRATEGIES,
    SYMBOLS,
    day_rows,
    group_rows,
    profit_text,
)
from foxtrot.gui.polling import Polling
from foxtrot.gui.profit_curve import ProfitCurve
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr
from foxtrot.gui.totals_bar import Piece, TotalsBar, sum_pieces, sums_by

EVERY_S: Final = 1.0
MOST_CASH: Final = 20_000
Key = Callable[[Any], Hashable]
TABLES: Final[dict[str, tuple[Sequence[Column[Any]], Key, int]]] = {
    "strategies": (STRATEGIES, lambda row: row.name, 0),
    "symbols": (SYMBOLS, lambda row: row.name, 0),
    "days": (DAYS, lambda row: (row.day_ns, row.owner), 0),
    "costs": (COSTS, lambda row: (row.kind, row.account, row.asset), 0),
    "cash": (CASH, lambda row: row.number, MOST_CASH),
}
"""The tables by name, in the order of their tabs: columns, key, how many rows are kept."""


class PerformancePanel(Panel):
    """Shows what was made as it was a second ago at most.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "performance"
    least_size: ClassVar[tuple[int, int]] = (360, 300)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.found: PerformanceFound | None = None
        self.history: HistoryFound | None = None
        self.days: dict[tuple[int, str, str, str], DayTotals] = {}
        self.rates: dict[str, Decimal | None] = {}
        self.ask_path: AskPath = ask_path
        self.aside = Aside(self)
        self._changes = self._lines = 0
        """How far the history has been told."""
        self._due = False
        self.models = {name: FactTable[Any](*made) for name, made in TABLES.items()}
        self.curve = ProfitCurve(desk.theme, self)
        self.bar = TotalsBar(desk.theme, self)
        self._build()
        self._polling = Polling(desk, self._question, self._take, EVERY_S)
        self._past = Polling(desk, lambda: ListHistory(days=self._changes, lines=self._lines), self._take_past, EVERY_S)
        desk.account_chosen.connect(self.narrow)
        desk.connected.connect(self.begin_anew)
        self.narrow()

    # --- what a panel does ------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Show what was found."""
        self._polling.look()
        self._past.look()
        if self._due:
            self._due = False
            self._fill()
        self.models[self.shown].apply()

    @property
    def shown(self) -> str:
        """Return which table is shown."""
        return list(TABLES)[self.tabs.currentIndex()]

    def narrow(self) -> None:
        """Show what belongs to the account that is looked at."""
        account = self.desk.account
        self.models["cash"].set_filter(lambda row: account in ("", row.account))
        self._due = True

    def begin_anew(self) -> None:
        """Forget everything, for another platform was opened."""
        self.found = self.history = None
        self._changes = self._lines = 0
        self.days.clear()
        self.rates.clear()
        self.curve.clear_points()
        for model in self.models.values():
            model.replace_all(())
        self._polling.begin_anew()
        self._past.begin_anew()

    def save_csv(self) -> None:
        """Ask for a file and write the table that is shown into it, beside the desktop's thread."""
        path = self.ask_path(self, f"performance_{self.shown}")
        if path is None:
            return
        model = self.models[self.shown]
        rows = csv_rows(model.columns, model.cells(range(len(model.columns))))
        self.aside.run(partial(write_csv, path, rows), self._tell_csv)

    def save_state(self) -> State:
        """Return which table is shown."""
        return {**super().save_state(), "table": self.shown}

    def restore_state(self, state: State) -> None:
        """Show a table again."""
        super().restore_state(state)
        if state.get("table") in TABLES:
            self.tabs.setCurrentIndex(list(TABLES).index(state["table"]))

    def leave(self) -> None:
        """Hear nothing any more."""
        self._polling.end()
        self._past.end()
        self.desk.account_chosen.disconnect(self.narrow)
        self.desk.connected.disconnect(self.begin_anew)
        super().leave()

    # --- what is told -----------------------------------------------------------------------------------------------

    def _question(self) -> ListPerformance:
        return ListPerformance(since_ns=self.curve.last_ns)

    def _take(self, found: msgspec.Struct) -> None:
        if isinstance(found, PerformanceFound):
            self.found, self._due = found, True
            self.curve.add(found.points)

    def _take_past(self, found: msgspec.Struct) -> None:
        """Take a page of the history, and ask for the next at once where there is one."""
        if not isinstance(found, HistoryFound):
            return
        self.history, self._due = found, True
        self.rates.update(found.rates)
        for day in found.days:
            self.days[day.day_ns, day.owner, day.account, day.instrument_id] = day
            self._changes = day.change
        for line in found.lines:
            self.models["cash"].put(line)
            self._lines = line.number
        if self._changes < found.changes or self._lines < found.line_count:
            self._past.hasten()

    # --- what is shown ----------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        account, found, history = self.desk.account, self.found, self.history
        if history is not None:
            days = [day for day in self.days.values() if account in ("", day.account)]
            self.models["days"].replace_all(day_rows(days, self.rates))
            self.models["costs"].replace_all(one for one in history.costs if account in ("", one.account))
        if found is None:
            return
        rows = [row for row in found.rows if account in ("", row.account)]
        self.models["strategies"].replace_all(group_rows(rows, lambda row: row.owner))
        self.models["symbols"].replace_all(group_rows(rows, lambda row: row.instrument_id))
        self.bar.show_pieces([*_figures(found, rows), *self._today(found.base_currency), *self._past_pieces()])

    def _today(self, currency: str) -> list[Piece]:
        """Return what the chosen account, or all, have made today."""
        overview = self.desk.overview
        if overview is None:
            return []
        of_account = {one.account: one.day_profit for one in overview.accounts}
        today = of_account.get(self.desk.account) if self.desk.account else overview.day_profit
        if today is None:
            return []
        return [
            Piece(tr("performance.today"), Tone.DIM),
            Piece(profit_text(today, currency), sign_tone(float(today))),
        ]

    def _past_pieces(self) -> list[Piece]:
        """Return why what is shown of earlier runs is not whole, if it is not."""
        history = self.history
        if history is not None and history.error:
            return [Piece(tr("performance.unread", error=history.error), Tone.WARNING)]
        return [Piece(tr("performance.reading"), Tone.DIM)] if history is not None and history.reading else []

    def _tell_csv(self, count: int | None, error: str) -> None:
        level, path = ("WARNING", error) if error else ("INFO", "")
        text = tr("performance.csv_failed", error=path) if error else tr("performance.csv_done", count=count)
        self.desk.said.emit(level, text)

    # --- building ---------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.setChildrenCollapsible(False)
        self.curve.setMinimumHeight(self.desk.theme.pixels(90))
        split.addWidget(self.curve)
        self.tabs = QTabWidget(split)
        self.tabs.setObjectName("performance_tabs")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.views = {}
        for name, model in self.models.items():
            view = self.views[name] = FactView(model, self.desk.theme, self.tabs)
            view.empty = tr("empty.performance")
            offer_columns(view)
            place = self.tabs.addTab(view, tr(f"performance.{name}"))
            self.tabs.setTabToolTip(place, tr(f"performance.{name}_hint"))
        self.views["days"].sortByColumn(0, Qt.SortOrder.DescendingOrder)
        self.views["cash"].sortByColumn(0, Qt.SortOrder.DescendingOrder)
        self.tabs.currentChanged.connect(self._filter)
        split.addWidget(self.tabs)
        split.setSizes([self.desk.theme.pixels(180), self.desk.theme.pixels(220)])
        self.body.addLayout(self._head())
        self.body.addWidget(split, 1)
        self.body.addWidget(self.bar)

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(*(self.desk.theme.pixels(4),) * 4)
        self.words = QLineEdit(self)
        self.words.setObjectName("performance_words")
        self.words.setPlaceholderText(tr("blotter.filter"))
        self.words.setClearButtonEnabled(True)
        self.words.setMinimumWidth(self.desk.theme.pixels(110))
        self.words.textChanged.connect(self._filter)
        save = QPushButton("CSV", self)
        save.setObjectName("performance_csv")
        save.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        save.setToolTip(tr("blotter.csv_hint"))
        save.clicked.connect(lambda _on=False: self.save_csv())
        row.addWidget(self.words, 1)
        row.addStretch(1)
        row.addWidget(save)
        return row

    def _filter(self) -> None:
        self.models[self.shown].set_words(self.words.text())


def _figures(found: PerformanceFound, rows: list[ProfitRow]) -> list[Piece]:
    """Return what was made in all and today, and what was paid."""
    made = [row.profit for row in rows]
    known = [amount for amount in made if amount is not None]
    total = sum(known, Decimal(0))
    missing = len(made) - len(known)
    return [
        Piece(tr("performance.profit"), Tone.DIM),
        Piece(profit_text(total, found.base_currency), sign_tone(float(total))),
        *([Piece(tr("positions.no_price", count=missing), Tone.WARNING)] if missing else []),
        *sum_pieces(tr("performance.fees"), sums_by(pair for row in rows for pair in row.fees.items()), None),
        *sum_pieces(tr("performance.funding"), sums_by(pair for row in rows for pair in row.funding.items()), None, signed=True),
    ]  # fmt: skip
