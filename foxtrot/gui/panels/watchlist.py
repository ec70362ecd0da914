"""The watchlist: lists of instruments with their quotes, from which every other panel is told what to show."""

from collections.abc import Callable
from itertools import islice
from time import monotonic
from typing import Any, ClassVar, Final

import msgspec
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLabel, QLineEdit, QStackedWidget, QWidget

from foxtrot.app.control_requests import ListStrategies, Strategies
from foxtrot.core.clock import SystemClock
from foxtrot.core.notices import BookStateChanged
from foxtrot.domain.enums import BookState
from foxtrot.domain.market import DepthData, TickData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.gui.column_menu import offer_columns
from foxtrot.gui.desk import FEW_INSTRUMENTS, Desk
from foxtrot.gui.fast_view import FastView
from foxtrot.gui.instrument_search import InstrumentSearch
from foxtrot.gui.numbers import size_decimals
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.streams import Streams
from foxtrot.gui.table_view import RESORT_MS
from foxtrot.gui.texts import tr
from foxtrot.gui.watch_lists import WatchLists
from foxtrot.gui.watch_menu import RowMenu
from foxtrot.gui.watch_rows import FIRST_HIDDEN, Heard, WatchRow, a_row
from foxtrot.gui.watch_table import WatchTable
from foxtrot.gui.watch_tabs import WatchTabs

OUT_OF_SIGHT: Final = 20
"""How many rows that are not in sight are made anew in one flush, so that a sort finds them fresh; those in sight all are."""
AGES_S: Final = 1.0
"""How often ages are shown anew."""


class WatchlistPanel(Panel):
    """Shows lists by name. Only rows that changed are made anew, and of those out of sight some a flush.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "watchlist"
    follows: ClassVar[bool] = True

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.lists = WatchLists(tr("watchlist.first"))
        self.now_ns: Callable[[], int] = SystemClock().now_ns
        self._streams = Streams(desk, self)
        self._dirty: dict[str, None] = {}
        self._books: dict[str, BookState] = {}
        self._size_decimals: dict[str, int] = {}
        self._wanted: list[tuple[str, str]] = []
        self._aged_s = self._arranged_s = 0.0
        self._make_table()
        self._lay_out()
        self._watch()
        self._show_list()

    def flush(self) -> None:
        """Make the rows anew that changed."""
        now_s = monotonic()
        in_sight = self._in_sight()
        if now_s - self._aged_s >= AGES_S:
            self._aged_s = now_s
            self._dirty.update(dict.fromkeys(in_sight))
        due = [key for key in in_sight if key in self._dirty]
        for key in due:
            del self._dirty[key]
        others = list(islice(self._dirty, OUT_OF_SIGHT))
        for key in others:
            del self._dirty[key]
        now_ns = self.now_ns()
        for key in (*due, *others):
            if key in self.lists:
                self.model.put(self._row(key, now_ns))
        self.model.apply()
        if now_s - self._arranged_s >= RESORT_MS / 1000:
            self._arranged_s = now_s
            self.model.arrange()

    def show_instrument(self, instrument_id: str) -> None:
        """Mark the row of an instrument, where the list has it."""
        super().show_instrument(instrument_id)
        line = self.model.line_of(instrument_id)
        if line >= 0:
            self.view.selectRow(line)

    def save_state(self) -> State:
        """Return the lists and the columns."""
        own = {"lists": self.lists.saved(), "list": self.lists.shown, "columns": self.view.columns_state()}
        return super().save_state() | ({} if self.lists.untouched else own)

    def restore_state(self, state: State) -> None:
        """Take up lists and columns."""
        if self.lists.restore(state.get("lists"), state.get("list")):
            self._wanted = []
            self._show_list()
        if isinstance(state.get("columns"), dict):
            self.view.restore_columns(state["columns"])
        super().restore_state(state)

    # --- lists ------------------------------------------------------------------------------------------------------

    def add(self, *ids: str) -> None:
        """Put instruments into the list that is shown."""
        self.lists.add(ids)
        self._show_list()

    def drop_selected(self) -> None:
        """Take the chosen rows out of the list."""
        self.lists.drop([row.instrument_id for row in self.view.selected()])
        self._show_list()

    def shift_selected(self, by: int) -> None:
        """Put the chosen row a place up or down in the list."""
        rows = self.view.selected()
        if len(rows) == 1 and not self.model.is_sorted:
            self.lists.shift(rows[0].instrument_id, by)
            self._place_again()

    def _move(self, ids: list[str], before: str) -> None:
        self.lists.move(ids, before)
        self._place_again()

    def _place_again(self) -> None:
        """Show the list in its new order; what was chosen stays chosen."""
        chosen = [row.instrument_id for row in self.view.selected()]
        self.model.place(self.lists.ids)
        for instrument_id in chosen[:1]:
            self.view.selectRow(self.model.line_of(instrument_id))

    def _show_list(self) -> None:
        """Fill the table anew with the list that is shown, and ask for what it needs."""
        now_ns, ids = self.now_ns(), self.lists.ids
        self.tabs.fill(self.lists.names, self.lists.shown)
        self.model.replace_all(self._row(key, now_ns) for key in ids)
        self.model.place(ids)
        self._dirty = {}
        self._pages.setCurrentIndex(0 if ids else 1)
        for key in ids:
            self._streams.ask(SubscribeRequest(key, ticks=True))
        if self.instrument_id in self.lists:
            self.show_instrument(self.instrument_id)

    # --- rows -------------------------------------------------------------------------------------------------------

    def _row(self, key: str, now_ns: int) -> WatchRow:
        desk = self.desk
        instrument, tick, depth = desk.instruments.get(key), desk.ticks.get(key), desk.depths.get(key)
        decimals = self._size_decimals.get(key)
        if decimals is None:
            decimals = size_decimals(instrument)
            if instrument is not None:
                self._size_decimals[key] = decimals
        heard_ns = max(tick.local_time_ns if tick is not None else 0, depth.local_time_ns if depth is not None else 0)
        age_s = max(0.0, (now_ns - heard_ns) / 1e9) if heard_ns else float("nan")
        return a_row(key, instrument, Heard(tick, depth, self._books.get(key), age_s), decimals)

    def _in_sight(self) -> list[str]:
        """Return the instruments whose rows can be seen."""
        first, last = self.view.rowAt(0), self.view.rowAt(self.view.viewport().height() - 1)
        if first < 0:
            return []
        last = self.model.rowCount() - 1 if last < 0 else last
        return [str(self.model.key_at(line)) for line in range(first, last + 1)]

    def _hear_quote(self, fact: TickData | DepthData) -> None:
        if fact.instrument_id in self.lists:
            self._dirty[fact.instrument_id] = None

    def _hear_book(self, fact: BookStateChanged) -> None:
        self._books[fact.instrument_id] = fact.state
        self._dirty[fact.instrument_id] = None

    def _hear_instruments(self) -> None:
        self._dirty.update(dict.fromkeys(self.lists.ids))
        self._fill_first()

    # --- the first list -----------------------------------------------------------------------------------------------

    def _ask_what_is_traded(self) -> None:
        if self.lists.untouched and self.desk.questions is not None:
            self.desk.ask(ListStrategies(), self._hear_strategies)

    def _hear_strategies(self, found: msgspec.Struct | None, _error: str) -> None:
        if isinstance(found, Strategies):
            self._wanted = [(one.account, symbol) for one in found.strategies for symbol in one.symbols]
            self._fill_first()

    def _fill_first(self) -> None:
        """Put what strategies trade into the first list, and all else where that is little, as long as nobody has put anything in."""
        if not self._wanted or not self.lists.untouched:
            return
        found = [one for account, symbol in self._wanted if (one := self._resolve(account, symbol))]
        if not found:
            return
        self._wanted = []
        few = self.desk.instruments if len(self.desk.instruments) <= FEW_INSTRUMENTS else ()
        self.add(*dict.fromkeys((*found, *few)))
        if self.chip and not self.desk.groups.shown(self.chip):
            self.choose_instrument(found[0])

    def _resolve(self, account: str, symbol: str) -> str:
        if symbol in self.desk.instruments:
            return symbol
        listed = self.desk.listed_by
        fits = [one.instrument_id for one in self.desk.instruments.values() if one.symbol == symbol]
        return next((one for one in fits if account in listed.get(one, ())), "")

    # --- what it is made of -------------------------------------------------------------------------------------------

    def _make_table(self) -> None:
        self.model = WatchTable()
        self.view = FastView(self.model, self.desk.theme, self)
        self.view.setObjectName("watchlist_table")
        self.view.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.view.setDragDropOverwriteMode(False)
        for place, column in enumerate(self.model.columns):
            self.view.setColumnHidden(place, column.key in FIRST_HIDDEN)
        offer_columns(self.view)
        self.view.clicked.connect(self._choose)
        self.view.activated.connect(self._choose)
        self.view.asked.connect(self._offer)
        self.model.moved.connect(self._move, Qt.ConnectionType.QueuedConnection)
        self._key("Del", self.drop_selected)
        self._key("Alt+Up", lambda: self.shift_selected(-1))
        self._key("Alt+Down", lambda: self.shift_selected(1))

    def _key(self, key: str, do: Callable[[], Any]) -> None:
        shortcut = QShortcut(QKeySequence(key), self.view)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(do)

    def _lay_out(self) -> None:
        theme = self.desk.theme
        self.tabs = WatchTabs(self.lists, theme, self)
        self.search = InstrumentSearch(self.desk, tr("watchlist.add"), self)
        self.search.setObjectName("watchlist_add")
        self.words = QLineEdit(self)
        self.words.setObjectName("watchlist_words")
        self.words.setPlaceholderText(tr("watchlist.filter"))
        self.words.setClearButtonEnabled(True)
        row = QHBoxLayout()
        row.setContentsMargins(*(theme.pixels(4),) * 4)
        row.setSpacing(theme.pixels(4))
        row.addWidget(self.search, 3)
        row.addWidget(self.words, 2)
        hint = QLabel(tr("watchlist.empty"), self)
        hint.setWordWrap(True)
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint.setMargin(theme.pixels(16))
        hint.setStyleSheet(f"color:{theme.colours.dim}")
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.view)
        self._pages.addWidget(hint)
        self.body.addWidget(self.tabs)
        self.body.addLayout(row)
        self.body.addWidget(self._pages, 1)

    def _watch(self) -> None:
        self.tabs.changed.connect(self._show_list)
        self.search.found.connect(self.add)
        self.words.textChanged.connect(self.model.set_words)
        self.hear(TickData, self._hear_quote)
        self.hear(DepthData, self._hear_quote)
        self.hear(BookStateChanged, self._hear_book)
        self.desk.instruments_changed.connect(self._hear_instruments)
        self.desk.connected.connect(self._ask_what_is_traded)
        self._ask_what_is_traded()

    def _choose(self, index: QModelIndex) -> None:
        row = self.model.row_of(index)
        if row is not None:
            self.choose_instrument(row.instrument_id)

    def _offer(self, row: WatchRow | None, where: Any) -> None:
        if row is not None:
            RowMenu(self.desk, row, self.drop_selected, self).popup(where)
