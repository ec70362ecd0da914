"""Instrument search: everything that the accounts list, and what there is to know of one of them."""

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, ClassVar, Final

import msgspec
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from foxtrot.app.desktop_requests import AskInstrument, InstrumentFound
from foxtrot.core.clock import SystemClock
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import FundingRate
from foxtrot.gui.columns import Column, Tone, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.flow_layout import FlowLayout
from foxtrot.gui.instrument_facts import Line, lines_of, product_text
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView, tone_colours
from foxtrot.gui.texts import tr
from foxtrot.gui.turning_split import TurningSplit

MOST: Final = 500
"""How many instruments are listed at once; more words narrow the search."""
AGAIN_S: Final = 1.0
SIDE_BY_SIDE: Final = 600
"""A panel so wide, in pixels at a scale of 1, has the details beside the list."""
OPENS: Final = ("chart", "ladder", "ticket", "tape")


class Listed(msgspec.Struct, frozen=True):
    """A line of the list."""

    instrument: Instrument
    accounts: str


COLUMNS: Final = (
    Column[Listed]("id", "instruments.id", lambda row: word(row.instrument.instrument_id), width=200),
    Column[Listed]("name", "instruments.name", lambda row: word(row.instrument.name), width=130, rank=2),
    Column[Listed]("product", "instruments.product", lambda row: word(product_text(row.instrument)), width=80, rank=1),
    Column[Listed]("accounts", "instruments.accounts", lambda row: word(row.accounts), width=110, rank=2),
)


class InstrumentsPanel(Panel):
    """Searches on the left, and shows on the right the instrument of its group.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "instruments"
    follows: ClassVar[bool] = True
    least_size: ClassVar[tuple[int, int]] = (360, 300)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.now_ns: Callable[[], int] = SystemClock().now_ns
        self.found: InstrumentFound | None = None
        self._funding: dict[str, FundingRate] = {}
        self._shown_s = 0.0
        self._stale_list = True
        self._labels: list[tuple[QLabel, QLabel]] = []
        self._tones = {tone: colour.name() for tone, colour in tone_colours(desk.theme.colours).items()}
        self.model = FactTable(COLUMNS, lambda row: row.instrument.instrument_id)
        self.view = FactView(self.model, desk.theme, self)
        self.view.setObjectName("instruments_table")
        self.view.clicked.connect(self._choose)
        self.view.activated.connect(self._choose)
        self._lay_out()
        self.hear(FundingRate, self._hear_funding)
        desk.instruments_changed.connect(self._note_change)
        shown = desk.groups.shown(self.chip)
        if shown:
            self.show_instrument(shown)

    def flush(self) -> None:
        """Show the list anew when it changed, and the details once a second, for they count down."""
        if self._stale_list:
            self._stale_list = False
            self._search(self.words.text())
        now_s = monotonic()
        if now_s - self._shown_s >= AGAIN_S:
            self._shown_s = now_s
            self._show_details()

    def show_instrument(self, instrument_id: str) -> None:
        """Show the details of another instrument, and ask what it costs."""
        super().show_instrument(instrument_id)
        self.found = None
        self.desk.ask(AskInstrument(instrument_id), partial(self._hear_answer, instrument_id))
        self._show_details()

    def save_state(self) -> State:
        """Return the columns."""
        return {**super().save_state(), "columns": self.view.columns_state()}

    def restore_state(self, state: State) -> None:
        """Take up the columns."""
        super().restore_state(state)
        if isinstance(state.get("columns"), dict):
            self.view.restore_columns(state["columns"])

    # --- the list ---------------------------------------------------------------------------------------------------

    def _search(self, words: str) -> None:
        desk = self.desk
        found = desk.find(words, MOST) if words.strip() else list(desk.instruments.values())[:MOST]
        self.model.replace_all(Listed(one, self._accounts(one.instrument_id)) for one in found)
        self.model.apply()
        text = tr("instruments.count", shown=len(found), all=len(desk.instruments))
        self.count.setText(text if desk.instruments else tr("instruments.none"))

    def _accounts(self, instrument_id: str) -> str:
        return ", ".join(self.desk.accounts_of(instrument_id))

    def _choose(self, index: QModelIndex) -> None:
        row = self.model.row_of(index)
        if row is not None:
            self.choose_instrument(row.instrument.instrument_id)

    def _note_change(self) -> None:
        self._stale_list = True
        if self.found is None and self.instrument_id in self.desk.instruments:
            self.show_instrument(self.instrument_id)

    # --- the details ------------------------------------------------------------------------------------------------

    def _hear_funding(self, rate: FundingRate) -> None:
        self._funding[rate.instrument_id] = rate

    def _hear_answer(self, instrument_id: str, found: msgspec.Struct | None, _error: str) -> None:
        if isinstance(found, InstrumentFound) and instrument_id == self.instrument_id:
            self.found = found
            self._show_details()

    def lines(self) -> list[Line]:
        """Return what is said of the instrument that is shown; nothing where there is none."""
        one = self.desk.instruments.get(self.instrument_id)
        if one is None:
            return []
        tick, found = self.desk.ticks.get(one.instrument_id), self.found
        price = (tick.last_price or tick.bid_price) if tick is not None else 0.0
        price = price or (found.price if found is not None else 0.0)
        accounts = self.desk.accounts_of(one.instrument_id)
        return lines_of(one, accounts, found, price, self._funding.get(one.instrument_id), self.now_ns())

    def _show_details(self) -> None:
        lines = self.lines()
        self.hint.setVisible(not lines)
        for button in self.buttons:
            button.setEnabled(bool(lines))
            button.setToolTip("" if lines else tr("instruments.hint"))
        while len(self._labels) < len(lines):
            self._labels.append((QLabel(self), QLabel(self)))
            self._form.addRow(*self._labels[-1])
            self._labels[-1][0].setStyleSheet(f"color:{self._tones[Tone.DIM]}")
            self._labels[-1][1].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._labels[-1][1].setTextFormat(Qt.TextFormat.PlainText)
            self._labels[-1][1].setWordWrap(True)
        before = ""
        for place, (name, value) in enumerate(self._labels):
            shown = place < len(lines)
            self._form.setRowVisible(place, shown)
            if shown:
                line = lines[place]
                name.setText("" if line.key == before else tr(f"instruments.{line.key}"))
                value.setText(line.value)
                value.setStyleSheet(f"color:{self._tones[line.tone]}")
                before = line.key

    def _lay_out(self) -> None:
        theme = self.desk.theme
        self.words = QLineEdit(self)
        self.words.setObjectName("instruments_words")
        self.words.setPlaceholderText(tr("instruments.search"))
        self.words.setClearButtonEnabled(True)
        self.words.textChanged.connect(self._search)
        self.count = QLabel(self)
        self.count.setStyleSheet(f"color:{theme.colours.dim}")
        row = QHBoxLayout()
        row.setContentsMargins(*(theme.pixels(4),) * 4)
        row.setSpacing(theme.pixels(6))
        row.addWidget(self.words, 1)
        row.addWidget(self.count)
        split = TurningSplit(theme.pixels(SIDE_BY_SIDE), self)
        self.view.setMinimumSize(theme.pixels(220), theme.pixels(110))
        split.addWidget(self.view)
        split.addWidget(self._details())
        split.setSizes([2, 3])
        self.body.addLayout(row)
        self.body.addWidget(split, 1)

    def _details(self) -> QWidget:
        theme = self.desk.theme
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setMinimumWidth(theme.pixels(300))
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget(area)
        column = QVBoxLayout(inside)
        column.setContentsMargins(*(theme.pixels(10),) * 4)
        self.hint = QLabel(tr("instruments.hint"), inside)
        self.hint.setWordWrap(True)
        self.hint.setStyleSheet(f"color:{theme.colours.dim}")
        self.buttons = [self._button(kind) for kind in OPENS]
        buttons = FlowLayout(0, theme.pixels(4))
        for button in self.buttons:
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            buttons.addWidget(button)
        self._form = QFormLayout()
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._form.setHorizontalSpacing(theme.pixels(14))
        column.addLayout(buttons)
        column.addWidget(self.hint)
        column.addLayout(self._form)
        column.addStretch(1)
        area.setWidget(inside)
        return area

    def _button(self, kind: str) -> QPushButton:
        button = QPushButton(tr(f"panel.{kind}"), self)
        button.setObjectName(f"instruments_{kind}")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(partial(self._open, kind))
        return button

    def _open(self, kind: str, *_: Any) -> None:
        self.desk.panel_asked.emit(kind, self.instrument_id)
