"""Time and sales: the public prints of one instrument, by who took, with large ones marked."""

from collections import deque
from itertools import count
from time import monotonic
from typing import ClassVar, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from foxtrot.domain.enums import Side
from foxtrot.domain.market import MarketTrade
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.gui.column_menu import offer_columns
from foxtrot.gui.desk import Desk
from foxtrot.gui.flow_layout import FlowLayout
from foxtrot.gui.number_box import NumberBox
from foxtrot.gui.numbers import price_decimals
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.print_table import PrintRow, PrintTable
from foxtrot.gui.streams import Streams
from foxtrot.gui.table_view import ROW_PIXELS, FactView
from foxtrot.gui.texts import tr
from foxtrot.gui.watch_rows import short_text

LARGE_TIMES: Final = 5.0
"""A print of so many times the usual size is large, where the user has said no size."""
USUAL_OF: Final = 300
LEAST_KNOWN: Final = 20
SUMS_S: Final = 0.5


class TapePanel(Panel):
    """Shows the prints of the instrument of its group.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "tape"
    follows: ClassVar[bool] = True

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._streams = Streams(desk, self)
        self._numbers = count(1)
        self._sizes: deque[float] = deque(maxlen=USUAL_OF)
        self._usual = 0.0
        self._summed = (0.0, -1)
        self.model = PrintTable()
        self.view = FactView(self.model, desk.theme, self)
        self.view.empty = tr("empty.tape")
        self.view.setSortingEnabled(False)
        self.view.setObjectName("tape_table")
        offer_columns(self.view)
        self.least = self._size_box("tape_least", "tape.all")
        self.large = self._size_box("tape_large", "tape.automatic")
        self.least.valueChanged.connect(self._filter)
        self.sums = QLabel(self)
        self._lay_out()
        self.hear(MarketTrade, self._hear)
        shown = desk.groups.shown(self.chip)
        if shown:
            self.show_instrument(shown)

    def flush(self) -> None:
        """Put what came on top; who has scrolled down goes on seeing the same lines."""
        bar = self.view.verticalScrollBar()
        before = bar.value()
        self.model.apply()
        if before > 0 and self.model.came:
            self.view.updateGeometries()  # the bar learns of the lines only later
            bar.setValue(before + self.model.came * self.desk.theme.pixels(ROW_PIXELS))
        self._sum_up()

    def show_instrument(self, instrument_id: str) -> None:
        """Show the prints of another instrument, from now on."""
        super().show_instrument(instrument_id)
        self._sizes.clear()
        self._usual = 0.0
        self.model.clear()
        instrument = self.desk.instruments.get(instrument_id)
        for box in (self.least, self.large):
            box.show_sizes(instrument)
            box.setValue(0.0)
        self.name.setText(instrument_id)
        self._streams.ask(SubscribeRequest(instrument_id, ticks=False, trades=True))

    def save_state(self) -> State:
        """Return filter, mark and columns."""
        sizes = {"least": self.least.value(), "large": self.large.value()}
        return {**super().save_state(), **sizes, "columns": self.view.columns_state()}

    def restore_state(self, state: State) -> None:
        """Take up filter, mark and columns."""
        super().restore_state(state)
        for name, box in (("least", self.least), ("large", self.large)):
            if isinstance(state.get(name), int | float) and state.get("instrument") == self.instrument_id:
                box.setValue(float(state[name]))
        if isinstance(state.get("columns"), dict):
            self.view.restore_columns(state["columns"])

    # --- inside -----------------------------------------------------------------------------------------------------

    def _hear(self, trade: MarketTrade) -> None:
        if trade.instrument_id != self.instrument_id:
            return
        instrument = self.desk.instruments.get(trade.instrument_id)
        multiplier = 1.0 if instrument is None else float(instrument.multiplier)
        decimals, sizes = price_decimals(instrument), self.least.decimals()
        worth = trade.price * trade.size * multiplier
        row = PrintRow(
            next(self._numbers), trade.venue_time_ns or trade.local_time_ns, trade.price, trade.size, trade.aggressor,
            self._is_large(trade.size), decimals, sizes, worth, self.desk.settings.zone,
        )  # fmt: skip
        self.model.put(row)

    def _is_large(self, size: float) -> bool:
        """Judge a print by the size the user has set, else by what was usual before it."""
        known = len(self._sizes)
        usual = self._usual / known if known >= LEAST_KNOWN else 0.0
        if known == USUAL_OF:
            self._usual -= self._sizes[0]
        self._sizes.append(size)
        self._usual += size
        wanted = self.large.value() or usual * LARGE_TIMES
        return wanted > 0.0 and size >= wanted

    def _filter(self, least: float) -> None:
        self.model.set_filter((lambda row: row.size >= least) if least > 0.0 else None)

    def _sum_up(self) -> None:
        """Say how much was bought and sold of what is shown, twice a second."""
        now_s = monotonic()
        summed_s, version = self._summed
        if version == self.model.version or now_s - summed_s < SUMS_S:
            return
        self._summed = (now_s, self.model.version)
        rows = self.model.shown()
        bought = sum(row.size for row in rows if row.aggressor is Side.BUY)
        sold = sum(row.size for row in rows) - bought
        self.sums.setText(f"▲ {short_text(bought)}   ▼ {short_text(sold)}")

    def _size_box(self, name: str, nothing: str) -> NumberBox:
        box = NumberBox(name, self)
        box.setSpecialValueText(tr(nothing))
        box.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        box.setFixedWidth(self.desk.theme.pixels(80))
        box.setToolTip(tr(f"{nothing}_hint"))
        return box

    def _lay_out(self) -> None:
        theme = self.desk.theme
        self.name = QLabel(self)
        row = FlowLayout(theme.pixels(4), theme.pixels(6))
        row.addWidget(self.name)
        for text, box in (("tape.least", self.least), ("tape.large", self.large)):
            row.addWidget(_titled(tr(text), box, theme.pixels(6)))
        self.sums.setContentsMargins(*(theme.pixels(6),) * 4)
        self.sums.setToolTip(tr("tape.sums_hint"))
        self.body.addLayout(row)
        self.body.addWidget(self.view, 1)
        self.body.addWidget(self.sums)


def _titled(text: str, box: NumberBox, gap: int) -> QWidget:
    """Return a box with words before it, that stay together."""
    pair = QWidget()
    row = QHBoxLayout(pair)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(gap)
    row.addWidget(QLabel(text, pair))
    row.addStretch(1)
    row.addWidget(box)
    return pair
