"""Performance: the live curve of what was made; profit by strategy, symbol and day; fees, funding and other charges; the cash ledger."""

from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Final

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSplitter, QTabWidget, QWidget

from foxtrot.app.blotter_requests import DayProfit, ListPerformance, PerformanceFound, ProfitRow
from foxtrot.app.control_requests import ListTrades, TradeRow, Trades
from foxtrot.core.notices import TradeBooked
from foxtrot.domain.account import AccountCharge
from foxtrot.gui.aside import Aside
from foxtrot.gui.blotter import AskPath, ask_path, write_csv
from foxtrot.gui.blotter_cells import trade_row
from foxtrot.gui.columns import Column, Tone, sign_tone
from foxtrot.gui.desk import Desk
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.performance_rows import (
    CASH,
    COSTS,
    DAYS,
    STRATEGIES,
    SYMBOLS,
    CashRow,
    cash_of_charge,
    cash_of_trade,
    cost_rows,
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
ASKED: Final = 2_000
MOST_CASH: Final = 20_000
Key = Callable[[Any], Hashable]
TABLES: Final[dict[str, tuple[Sequence[Column[Any]], Key, int]]] = {
    "strategies": (STRATEGIES, lambda row: row.name, 0),
    "symbols": (SYMBOLS, lambda row: row.name, 0),
    "days": (DAYS, lambda row: (row.day_ns, row.owner), 0),
    "costs": (COSTS, lambda row: (row.kind, row.account, row.asset), 0),
    "cash": (CASH, lambda row: row.key, MOST_CASH),
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
        self.charges: dict[tuple[str, str, str], AccountCharge] = {}
        self.ask_path: AskPath = ask_path
        self.aside = Aside(self)
        self._told = 0
        """How many charges the platform has told us of in its answers."""
        self._due = False
        self.models = {name: FactTable[Any](*made) for name, made in TABLES.items()}
        self.curve = ProfitCurve(desk.theme, self)
        self.bar = TotalsBar(desk.theme, self)
        self._build()
        self._polling = Polling(desk, self._question, self._take, EVERY_S)
        self._trades = Polling(desk, lambda: ListTrades(limit=ASKED), self._take_trades, 0.0)
        self.hear(TradeBooked, lambda booked: self._put_trade(trade_row(booked)))
        self.hear(AccountCharge, self._put_charge)
        desk.account_chosen.connect(self.narrow)
        desk.connected.connect(self.begin_anew)
        self.narrow()

    # --- what a panel does ------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Show what was found."""
        self._polling.look()
        self._trades.look()
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
        self.found, self._told = None, 0
        self.charges.clear()
        self.curve.clear_points()
        for model in self.models.values():
            model.replace_all(())
        self._polling.begin_anew()
        self._trades.begin_anew()

    def save_csv(self) -> None:
        """Ask for a file and write the table that is shown into it, beside the desktop's thread."""
        path = self.ask_path(self, f"performance_{self.shown}")
        if path is None:
            return
        model = self.models[self.shown]
        rows = [[tr(column.title) for column in model.columns], *model.texts(range(len(model.columns)))]
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
        self._trades.end()
        self.desk.account_chosen.disconnect(self.narrow)
        self.desk.connected.disconnect(self.begin_anew)
        super().leave()

    # --- what is told -----------------------------------------------------------------------------------------------

    def _question(self) -> ListPerformance:
        return ListPerformance(since_ns=self.curve.last_ns, charges=self._told)

    def _take(self, found: msgspec.Struct) -> None:
        if isinstance(found, PerformanceFound):
            self.found, self._told, self._due = found, found.charge_count, True
            self.curve.add(found.points)
            for charge in found.charges:
                self._put_charge(charge)

    def _take_trades(self, found: msgspec.Struct) -> None:
        if isinstance(found, Trades):
            for row in found.trades:
                self._put_trade(row)

    def _put_trade(self, row: TradeRow) -> None:
        for line in cash_of_trade(row, self.desk.instruments.get(row.instrument_id)):
            self._put_cash(line)

    def _put_charge(self, charge: AccountCharge) -> None:
        self.charges[charge.account, charge.kind, charge.charge_id] = charge
        if len(self.charges) > MOST_CASH:
            self.charges.pop(next(iter(self.charges)))
        self._put_cash(cash_of_charge(charge))
        self._due = True

    def _put_cash(self, line: CashRow) -> None:
        model = self.models["cash"]
        if model.row_by(line.key) is None:
            model.put(line)

    # --- what is shown ----------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        account, found = self.desk.account, self.found
        if found is None:
            return
        rows = [row for row in found.rows if account in ("", row.account)]
        charges = [charge for charge in self.charges.values() if account in ("", charge.account)]
        self.models["strategies"].replace_all(group_rows(rows, lambda row: row.owner))
        self.models["symbols"].replace_all(group_rows(rows, lambda row: row.instrument_id))
        self.models["days"].replace_all(found.days)
        self.models["costs"].replace_all(cost_rows(rows, charges))
        self.bar.show_pieces(_figures(found, rows))

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
            self.tabs.addTab(view, tr(f"performance.{name}"))
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
        *_today(found),
        *sum_pieces(tr("performance.fees"), sums_by(pair for row in rows for pair in row.fees.items()), None),
        *sum_pieces(tr("performance.funding"), sums_by(pair for row in rows for pair in row.funding.items()), None, signed=True),
    ]  # fmt: skip


def _today(found: PerformanceFound) -> list[Piece]:
    days: list[DayProfit] = [day for day in found.days if not day.owner]
    if not days:
        return []
    today = max(days, key=lambda day: day.day_ns).profit
    return [
        Piece(tr("performance.today"), Tone.DIM),
        Piece(profit_text(today, found.base_currency), sign_tone(float(today))),
    ]
