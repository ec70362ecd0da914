"""What all blotters have: a filter box, a counter, buttons that say why they cannot be pressed, totals, CSV, a context menu."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, Final

import msgspec
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QMenu, QPushButton, QWidget

from foxtrot.gui.aside import Aside
from foxtrot.gui.column_menu import offer_columns
from foxtrot.gui.columns import Column
from foxtrot.gui.csv_rows import csv_rows, write_csv
from foxtrot.gui.desk import Desk
from foxtrot.gui.flow_layout import FlowLayout
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.polling import Polling
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr
from foxtrot.gui.totals_bar import Piece, TotalsBar

MANY: Final = 500
"""With more rows than this, order and totals are made twice a second and not at every flush."""
CALM_S: Final = 0.5
HUGE: Final = 5_000
"""With more rows than this, what came is shown once a second."""
HUGE_CALM_S: Final = 1.0


class Choice(msgspec.Struct, frozen=True):
    """One line of a context menu; `why_not` says why it cannot be chosen."""

    text: str
    act: Callable[[], object]
    why_not: str = ""


AskPath = Callable[[QWidget, str], Path | None]


def ask_path(parent: QWidget, name: str) -> Path | None:
    """Ask where a CSV file is to be written; None where nowhere.

    Blocks: the desktop's thread, while Qt goes on.
    """
    chosen, _ = QFileDialog.getSaveFileName(parent, tr("blotter.csv"), f"{name}.csv", "CSV (*.csv)")
    return Path(chosen) if chosen else None


class Blotter(Panel):
    """A panel that is a table.

    What is put into `model` is shown at the next flush. A subclass says what a row may be told to do (`choices`), which buttons can be
    pressed now (`why_not`) and what the sums are (`totals`).

    Thread: the desktop's.

    Args:
        desk: the way to the platform.
        columns: of the table.
        key: what a row is filed under; every row has an `account`.
        most: how many rows are kept, 0: all.
    """

    follows: ClassVar[bool] = True
    least_size: ClassVar[tuple[int, int]] = (300, 150)

    def __init__(
        self,
        desk: Desk,
        columns: Sequence[Column[Any]],
        key: Callable[[Any], Hashable],
        most: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(desk, parent)
        self.model: FactTable[Any] = FactTable(columns, key, most)
        self.view = FactView(self.model, desk.theme, self)
        self.view.setObjectName(f"{self.kind}_table")
        self.view.empty = tr(f"empty.{self.kind}")
        self.bar = TotalsBar(desk.theme, self)
        self.aside = Aside(self)
        self.ask_path: AskPath = ask_path
        self.buttons: dict[str, QPushButton] = {}
        self.asked: tuple[Polling, ...] = ()
        """What the rows are asked with; why it is not answered stands among the totals."""
        self._trouble: list[str] = []
        self._shown = (-1, float("-inf"))
        self.body.addLayout(self._head())
        self.body.addWidget(self.view, 1)
        self.body.addWidget(self.bar)
        offer_columns(self.view)
        self.view.asked.connect(self._ask_choices)
        self.view.selectionModel().selectionChanged.connect(self.look_at_buttons)
        desk.account_chosen.connect(self.narrow)
        desk.connected.connect(self.begin_anew)
        self.narrow()

    # --- for blotters -----------------------------------------------------------------------------------------------

    def fits(self, row: Any) -> bool:
        """Tell whether a row is shown, beside the words of the filter."""
        return self.desk.account in ("", row.account)

    def choices(self, row: Any) -> list[Choice]:
        """Return what the context menu offers for a row."""
        return []

    def why_not(self, name: str) -> str:
        """Return why a button cannot be pressed now, "" when it can."""
        return ""

    def totals(self) -> list[Piece]:
        """Return the sums of the rows in view."""
        return []

    def begin_anew(self) -> None:
        """Forget everything, for another platform was opened."""
        self.model.replace_all(())

    def tab_count(self) -> int:
        """Return what is counted in the tab; none for a negative one."""
        return self.model.rowCount()

    def add_button(self, name: str, act: Callable[[], object]) -> QPushButton:
        """Add a button that takes no focus, so that no key presses it by accident."""
        button = self.buttons[name] = QPushButton(tr(f"{self.kind}.{name}"), self)
        button.setObjectName(f"{self.kind}_{name}")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda _on=False: act())
        self._row.insert_widget(self._row.count() - 1, button)
        return button

    def add_to_head(self, widget: QWidget) -> None:
        """Put a widget between the filter box and the counter."""
        self._row.insert_widget(1, widget)

    def narrow(self) -> None:
        """Show what fits now, because the account that is looked at, or another choice, has changed."""
        self.model.set_filter(self.fits)
        self._shown = (-1, float("-inf"))
        if self.is_seen:
            self.flush()

    def flush(self) -> None:
        """Show what was heard."""
        count, (version, at_s), now_s = self.model.count, self._shown, monotonic()
        few = count <= MANY
        calm = few or now_s - at_s >= (CALM_S if count <= HUGE else HUGE_CALM_S)
        if count > HUGE and not calm:
            return
        self.model.arranges_itself = few
        self.model.apply()
        trouble = [polling.error for polling in self.asked]
        if not calm or (self.model.version == version and trouble == self._trouble):
            return
        self._trouble = trouble
        if not few:
            self.model.arrange()
        self._shown = (self.model.version, now_s)
        self.sum_up()

    def sum_up(self) -> None:
        """Show sums, counters and which buttons can be pressed."""
        shown, count = self.model.rowCount(), self.model.count
        self.counter.setText(
            f"{shown:,}" if shown == count else tr("blotter.count", shown=f"{shown:,}", count=f"{count:,}")
        )
        self.bar.show_pieces(self.totals())
        self.count_in_tab()
        self.look_at_buttons()

    def count_in_tab(self) -> None:
        """Show in the tab how many there are."""
        count = self.tab_count()
        title = f"{self.title} {count}" if count > 0 else self.title
        if title != self.windowTitle():
            self.setWindowTitle(title)

    def _flush(self) -> None:
        super()._flush()
        if not self.is_seen:
            self.look_while_hidden()

    def look_while_hidden(self) -> None:
        """Do at a flush what must be seen though the table is not: most blotters do nothing."""

    def look_at_buttons(self, *_: object) -> None:
        """Let buttons be pressed that can be, and let the others say why not."""
        for name, button in self.buttons.items():
            why = self.why_not(name)
            button.setEnabled(not why)
            hint = tr(f"{self.kind}.{name}_hint")
            button.setToolTip(f"{hint}\n{why}" if why else hint)

    # --- CSV --------------------------------------------------------------------------------------------------------

    def save_csv(self) -> None:
        """Ask for a file and write what is shown into it, beside the desktop's thread."""
        path = self.ask_path(self, self.kind)
        if path is None:
            return
        places = self.places()
        rows = csv_rows([self.model.columns[place] for place in places], self.model.cells(places))
        self.aside.run(partial(write_csv, path, rows), partial(self._tell_csv, path))

    def _tell_csv(self, path: Path, count: int | None, error: str) -> None:
        if error:
            self.desk.said.emit("WARNING", tr("blotter.csv_failed", path=path, error=error))
        else:
            self.desk.said.emit("INFO", tr("blotter.csv_done", count=count, path=path))

    def places(self) -> list[int]:
        """Return the columns from left to right, but those that were put away."""
        return self.view.places()

    # --- saving -----------------------------------------------------------------------------------------------------

    def save_state(self) -> State:
        """Return columns, order and words."""
        header = self.view.horizontalHeader()
        order = [header.sortIndicatorSection(), header.sortIndicatorOrder() is Qt.SortOrder.DescendingOrder]
        return {
            "chip": self.chip,
            "columns": self.view.columns_state(),
            "order": order,
            "words": self.words.text(),
        }

    def restore_state(self, state: State) -> None:
        """Take up columns, order and words."""
        super().restore_state(state)
        if isinstance(state.get("columns"), dict):
            self.view.restore_columns(state["columns"])
        if isinstance(state.get("words"), str):
            self.words.setText(state["words"])
        match state.get("order"):
            case [int(place), bool(descending)] if -1 <= place < len(self.model.columns):
                order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
                self.view.sortByColumn(place, order)

    def leave(self) -> None:
        """Hear nothing any more."""
        self.desk.account_chosen.disconnect(self.narrow)
        self.desk.connected.disconnect(self.begin_anew)
        super().leave()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _head(self) -> FlowLayout:
        self._row = row = FlowLayout(self.desk.theme.pixels(4), self.desk.theme.pixels(6))
        self.words = QLineEdit(self)
        self.words.setObjectName(f"{self.kind}_words")
        self.words.setPlaceholderText(tr("blotter.filter"))
        self.words.setClearButtonEnabled(True)
        self.words.setMinimumWidth(self.desk.theme.pixels(90))
        self.words.setMaximumWidth(self.desk.theme.pixels(320))
        self.words.textChanged.connect(self._filter)
        self.counter = QLabel(self)
        self.counter.setObjectName(f"{self.kind}_counter")
        save = QPushButton("CSV", self)
        save.setObjectName(f"{self.kind}_csv")
        save.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        save.setToolTip(tr("blotter.csv_hint"))
        save.clicked.connect(lambda _on=False: self.save_csv())
        for widget in (self.words, self.counter, save):
            row.addWidget(widget)
        return row

    def _filter(self, text: str) -> None:
        self.model.set_words(text)
        self.sum_up()

    def _ask_choices(self, row: Any, where: QPoint) -> None:
        menu = self.menu(row)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(where)

    def menu(self, row: Any) -> QMenu:
        """Return the context menu of a row, or of the empty part of the table."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for choice in self.choices(row) if row is not None else ():
            action = menu.addAction(choice.text, choice.act)
            action.setEnabled(not choice.why_not)
            action.setToolTip(choice.why_not)
        menu.addSeparator()
        menu.addAction(tr("blotter.copy"), self.view.copy)
        menu.addAction(tr("blotter.csv"), self.save_csv)
        return menu
