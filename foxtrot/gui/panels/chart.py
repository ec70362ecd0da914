"""The chart: candles, volume and indicators of one instrument, with what is ours on it, and orders moved by their lines."""

from typing import ClassVar, Final

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QStackedLayout, QWidget

from foxtrot.core.notices import AdapterStatus, HistoryLoaded, OrderChanged, TradeBooked
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.gui.chart.bar_feed import BarFeed
from foxtrot.gui.chart.bar_series import BarSeries
from foxtrot.gui.chart.bar_words import bar_words
from foxtrot.gui.chart.chart_head import ChartHead
from foxtrot.gui.chart.chart_trading import ChartTrading
from foxtrot.gui.chart.chart_view import ChartView
from foxtrot.gui.chart.frames import FRAMES
from foxtrot.gui.chart.indicator_work import IndicatorWork
from foxtrot.gui.chart.indicators import Chosen, chosen
from foxtrot.gui.chart.own_feed import OwnFeed
from foxtrot.gui.chart.own_lines import own_lines
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import price_decimals, time_text
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.texts import tr

NEAR_EDGE: Final = 0.5
"""Older bars are asked for when the first one is nearer than this much of the width."""


class ChartPanel(Panel):
    """Shows the bars of the instrument of its link group.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "chart"
    follows: ClassVar[bool] = True
    chooses: ClassVar[bool] = True
    least_size: ClassVar[tuple[int, int]] = (430, 280)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.series = BarSeries()
        self.frame = FRAMES[0]
        self.instrument: Instrument | None = None
        self.head = ChartHead(desk.theme, self)
        self.view = ChartView(self.series, desk.theme, self)
        self.feed = BarFeed(desk, self.series, parent=self)
        self.own = OwnFeed(desk, self)
        self.work = IndicatorWork(self.series, self)
        self.trading = ChartTrading(desk, self)
        self._lines_state: object = None
        self._figures_state: object = None
        self._is_new = True
        self._account = ""
        self._is_ready = False
        self._lay_out()
        self._connect()
        self.head.show_frame(self.frame)
        self._show_state()

    # --- what is shown ----------------------------------------------------------------------------------------------

    def show_instrument(self, instrument_id: str) -> None:
        """Show another instrument; one that no account lists yet as soon as one does."""
        super().show_instrument(instrument_id)
        self._open()

    def show_frame(self, frame: str) -> None:
        """Show another time frame."""
        if frame in FRAMES and frame != self.frame:
            self.frame = frame
            self._open()
        self.head.show_frame(self.frame)

    def flush(self) -> None:
        """Show bars, indicators and what is ours as they are now."""
        self.own.look()
        if self._is_new and len(self.series):
            self._is_new = False
            self.view.show_newest()
        self.work.look()
        self.view.refresh()
        self._show_lines()
        self._show_figures()

    def save_state(self) -> State:
        """Return frame and indicators."""
        shown = [{"key": one.key, "period": one.period} for one in self.head.indicators]
        return {**super().save_state(), "frame": self.frame, "indicators": shown}

    def restore_state(self, state: State) -> None:
        """Take up frame and indicators."""
        if state.get("frame") in FRAMES:
            self.show_frame(str(state["frame"]))
        rows = state.get("indicators")
        if isinstance(rows, list):
            found = (chosen(row.get("key"), row.get("period")) for row in rows if isinstance(row, dict))
            self.head.choose(tuple({one.key: one for one in found if one is not None}.values()))
        super().restore_state(state)

    def leave(self) -> None:
        """Hear and compute nothing any more."""
        super().leave()
        self.desk.connected.disconnect(self._open_anew)
        self.desk.instruments_changed.disconnect(self._open_late)
        self.desk.account_chosen.disconnect(self._choose_account)
        self.desk.moment_chosen.disconnect(self._look_at)
        self.feed.close()
        self.own.close()
        self.work.leave()

    # --- opening ----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        one = self.instrument = self.desk.instruments.get(self.instrument_id)
        accounts = self.desk.accounts_of(self.instrument_id)
        self._is_new, self._lines_state, self._figures_state = True, None, None
        self.trading.instrument = one
        self.view.tag_last(0.0, self.desk.theme.colours.dim)
        if one is None or not accounts or self.desk.questions is None:
            self._account = ""
            self.feed.close()
        else:
            self._account = accounts[0]
            status = self.desk.statuses.get(accounts[0])
            self._is_ready = status is not None and status.state is AdapterState.READY
            self.view.set_grid(float(one.price_grid.to_decimal(one.price_bands[0].step_units)), price_decimals(one))
            self.feed.open(one, accounts[0], self.frame)
        self.own.open(self.instrument_id, self.desk.account)
        self._show_state()

    def _open_anew(self) -> None:
        if self.instrument_id:
            self._open()

    def _open_late(self) -> None:
        if self.instrument_id and self.instrument is None and self.instrument_id in self.desk.instruments:
            self._open()

    def _choose_account(self, account: str) -> None:
        self.own.open(self.instrument_id, account)
        self._lines_state = None

    def _hear_status(self, status: AdapterStatus) -> None:
        if status.account == self._account:
            was_ready, self._is_ready = self._is_ready, status.state is AdapterState.READY
            if self._is_ready and not was_ready:
                self.feed.renew()

    # --- painting ---------------------------------------------------------------------------------------------------

    @property
    def last_price(self) -> float:
        """Return the close of the last bar, 0 where there is none."""
        return self.series.figures(len(self.series) - 1)[3] if len(self.series) else 0.0

    def _show_lines(self) -> None:
        last, marks = self.last_price, self.own.marks
        state = (id(marks), marks.revision, last if marks.positions else 0.0)
        if self.instrument is None or state == self._lines_state:
            return
        self._lines_state = state
        self.view.lines.show_lines(own_lines(marks, self.instrument, last, self.desk.theme.colours))
        self.view.fills.show_fills(tuple(marks.fills.values()))

    def _show_figures(self) -> None:
        bar = self.view.bar
        state = (self.series.revision, bar, self.view.panes.revision, self.instrument_id)
        if state == self._figures_state:
            return
        self._figures_state = state
        if not len(self.series):
            self.head.figures.show_words(())
            return
        colours = self.desk.theme.colours
        opened, _, _, close, _ = self.series.figures(len(self.series) - 1)
        self.view.tag_last(close, colours.up if close >= opened else colours.down)
        place = len(self.series) - 1 if bar is None else min(bar, len(self.series) - 1)
        self.head.figures.show_words(bar_words(self.series, place, self.instrument))
        self.view.panes.show_names(place)

    def _show_state(self) -> None:
        one = self.instrument
        self.head.name.setText(one.symbol if one is not None else self.instrument_id)
        self.head.name.setToolTip(self.instrument_id)
        if self.feed.busy:
            self.head.say(tr("chart.loading"))
        elif self.feed.error:
            self.head.say(self.feed.error, is_bad=True)
        else:
            self.head.say("")
        if not self.instrument_id:
            self._hint.setText(tr("chart.choose"))
        elif one is None:
            self._hint.setText(tr("chart.unknown", instrument=self.instrument_id))
        self._stack.setCurrentIndex(1 if one is None else 0)

    # --- what the user does -----------------------------------------------------------------------------------------

    def _choose_indicators(self, wanted: tuple[Chosen, ...]) -> None:
        self.view.panes.choose(wanted)
        self.view.arrange()
        self.work.want(wanted)
        self.view.panes.take(self.work.found)
        self._figures_state = None
        self.view.refresh()

    def _look_for_older(self) -> None:
        if self.view.view.left < self.view.view.width * NEAR_EDGE:
            self.feed.ask_older()

    def _take_older(self, bars: int) -> None:
        self.view.view.take_older(bars)
        self._lines_state = None

    def _open_menu(self, price: float, place: QPoint) -> None:
        if self.instrument is not None and len(self.series):
            menu = self.trading.menu(price, self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(place)

    # --- building ---------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._hint = QLabel(self)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self._hint)
        self.body.addWidget(self.head)
        self.body.addLayout(self._stack, 1)

    def _connect(self) -> None:
        for kind, heard in (
            (HistoryLoaded, self.feed.hear_history), (MarketTrade, self.feed.hear_trade), (TickData, self.feed.hear_tick),
            (BarData, self.feed.hear_bar), (OrderChanged, self.own.hear_order), (TradeBooked, self.own.hear_trade),
            (AdapterStatus, self._hear_status),
        ):  # fmt: skip
            self.hear(kind, heard)
        self.head.frame_chosen.connect(self.show_frame)
        self.head.indicators_chosen.connect(self._choose_indicators)
        self.head.newest_asked.connect(self.view.show_newest)
        self.feed.changed.connect(self._show_state)
        self.feed.older.connect(self._take_older)
        self.work.changed.connect(self._take_lines)
        self.view.moved.connect(self._look_for_older)
        self.view.pointed.connect(self._point_at)
        self.view.menu_asked.connect(self._open_menu)
        self.view.drag_line.on_grid = self.trading.on_grid
        self.view.drag_line.words = self.trading.words
        self.view.drag_line.dropped.connect(self.trading.amend, Qt.ConnectionType.QueuedConnection)  # it may ask
        self.desk.connected.connect(self._open_anew)
        self.desk.instruments_changed.connect(self._open_late)
        self.desk.account_chosen.connect(self._choose_account)
        self.desk.moment_chosen.connect(self._look_at)

    def _look_at(self, instrument_id: str, time_ns: int) -> None:
        if instrument_id == self.instrument_id and not self.view.look_at(time_ns):
            self.desk.said.emit("INFO", tr("chart.too_early", moment=time_text(time_ns, with_date=True)))

    def _point_at(self, bar: int | None) -> None:
        """Show the figures of a bar, and in the hint what was filled in it."""
        one = self.instrument
        self.view.setToolTip("" if bar is None or one is None else self.view.fills.words(bar, one))
        self._show_figures()

    def _take_lines(self) -> None:
        self.view.panes.take(self.work.found)
